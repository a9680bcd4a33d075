#include "runtime/audit/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "runtime/audit/base64.h"
#include "runtime/audit/signed_note.h"

namespace nacre::audit {
namespace {

Error Malformed(const std::string& why) {
  return {ErrorCode::kDataLoss, why};
}

// Takes the next line, without its newline, off `text`. False when there is none.
bool TakeLine(std::string_view* text, std::string_view* line) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos) {
    return false;
  }
  *line = text->substr(0, end);
  text->remove_prefix(end + 1);
  return true;
}

std::string DigestBytes(const Sha256Digest& digest) {
  return {digest.begin(), digest.end()};
}

}  // namespace

Result<std::string> SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key) {
  const std::string& origin = key.verifying_key().name();
  const std::string body = origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                           EncodeBase64(DigestBytes(checkpoint.root)) + "\n";
  return SignNote(body, key);
}

Result<Checkpoint> ParseCheckpoint(std::string_view note, const VerifyingKey& key) {
  std::string_view rest = note;
  std::string_view origin;
  std::string_view size;
  std::string_view root;
  std::string_view empty;
  std::string_view signature;
  if (note.size() > kCheckpointBytesMax || !TakeLine(&rest, &origin) || !TakeLine(&rest, &size) ||
      !TakeLine(&rest, &root) || !TakeLine(&rest, &empty) || !TakeLine(&rest, &signature) ||
      !empty.empty() || !rest.empty()) {
    return Malformed("it is not a checkpoint of five lines");
  }
  if (origin != key.name()) {
    return Malformed("its origin is not that of the key, " + key.name());
  }
  NACRE_TRY(OpenNote(note, key));

  Checkpoint checkpoint;
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  const auto root_bytes = DecodeBase64(root);
  if (error != std::errc() || end != size.data() + size.size() || !root_bytes.has_value() ||
      root_bytes->size() != checkpoint.root.size()) {
    return Malformed("its size or root is malformed");
  }
  std::copy(root_bytes->begin(), root_bytes->end(), checkpoint.root.begin());
  return checkpoint;
}

}  // namespace nacre::audit
