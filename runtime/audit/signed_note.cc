#include "runtime/audit/signed_note.h"

#include "runtime/audit/base64.h"

namespace nacre::audit {
namespace {

Error Malformed(const std::string& why) {
  return {ErrorCode::kDataLoss, why};
}

}  // namespace

Result<std::string> SignNote(std::string_view text, const SigningKey& key) {
  if (text.empty() || text.back() != '\n') {
    return Error{ErrorCode::kInvalidArgument, "a text to sign ends with a newline"};
  }
  const std::string signature = NACRE_TRY(key.Sign(text));
  const VerifyingKey& verifying = key.verifying_key();
  return std::string(text) + "\n" + std::string(kSignatureMark) + verifying.name() + " " +
         EncodeBase64(verifying.id() + signature) + "\n";
}

Result<std::string> OpenNote(std::string_view note, const VerifyingKey& key) {
  const size_t empty = note.rfind("\n\n");
  if (empty == std::string_view::npos) {
    return Malformed("it has no signature");
  }
  const std::string_view text = note.substr(0, empty + 1);
  std::string_view line = note.substr(empty + 2);
  if (line.empty() || line.find('\n') != line.size() - 1) {
    return Malformed("it has not exactly one signature line");
  }
  line.remove_suffix(1);
  const std::string mark = std::string(kSignatureMark) + key.name() + " ";
  if (line.substr(0, mark.size()) != mark) {
    return Malformed("its signature line is malformed, or of another key than " + key.name());
  }
  const auto signed_bytes = DecodeBase64(line.substr(mark.size()));
  if (!signed_bytes.has_value() || signed_bytes->substr(0, 4) != key.id()) {
    return Malformed("it is not signed by the key " + key.name());
  }
  if (!key.Verify(text, std::string_view(*signed_bytes).substr(4))) {
    return Malformed("its signature is wrong");
  }
  return std::string(text);
}

}  // namespace nacre::audit
