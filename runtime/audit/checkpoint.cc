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

std::string CheckpointText(const Checkpoint& checkpoint, const std::string& origin) {
  return origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         EncodeBase64(DigestBytes(checkpoint.root)) + "\n";
}

Result<Checkpoint> ParseCheckpointText(std::string_view text, const std::string& origin) {
  std::string_view rest = text;
  std::string_view name;
  std::string_view size;
  std::string_view root;
  if (!TakeLine(&rest, &name) || !TakeLine(&rest, &size) || !TakeLine(&rest, &root) ||
      !rest.empty()) {
    return Malformed("it is not a checkpoint");
  }
  if (name != origin) {
    return Malformed("its origin is not that of the key, " + origin);
  }
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

Result<std::string> SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key) {
  return SignNote(CheckpointText(checkpoint, key.verifying_key().name()), key);
}

Result<Checkpoint> ParseCheckpoint(std::string_view note, const VerifyingKey& key) {
  std::string_view rest = note;
  std::string_view line;
  bool empty_before = false;
  int lines = 0;
  for (; TakeLine(&rest, &line); ++lines) {
    empty_before = lines == 3 ? line.empty() : empty_before;
  }
  if (note.size() > kCheckpointBytesMax || lines != 5 || !rest.empty() || !empty_before) {
    return Malformed("it is not a checkpoint of five lines");
  }
  if (note.substr(0, note.find('\n')) != key.name()) {
    return Malformed("its origin is not that of the key, " + key.name());
  }
  const std::string text = NACRE_TRY(OpenNote(note, key));
  return ParseCheckpointText(text, key.name());
}

}  // namespace nacre::audit
