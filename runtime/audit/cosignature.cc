#include "runtime/audit/cosignature.h"

#include <algorithm>

#include "base/digest.h"
#include "runtime/audit/base64.h"
#include "runtime/audit/signed_note.h"

namespace nacre::audit {
namespace {

constexpr char kAlgorithmCosignature = '\x04';
constexpr char kAlgorithmEd25519 = '\x01';
constexpr size_t kIdBytes = 4;
constexpr size_t kTimeBytes = 8;

std::string KeyId(const std::string& name, char algorithm, const std::string& public_bytes) {
  const Sha256Digest digest = Sha256(name + "\n" + algorithm + public_bytes);
  return {digest.begin(), digest.begin() + kIdBytes};
}

// The 32 bytes of a line's key, whatever its kind.
Result<std::string> PublicBytes(std::string_view line, char algorithm) {
  const size_t first = line.find('+');
  const size_t second = first == std::string_view::npos ? first : line.find('+', first + 1);
  if (second == std::string_view::npos || line.back() != '\n') {
    return Error{ErrorCode::kDataLoss, "it is no key: NAME+ID+KEY on one line"};
  }
  const auto bytes = DecodeBase64(line.substr(second + 1, line.size() - second - 2));
  if (!bytes.has_value() || bytes->size() != 33 || bytes->front() != algorithm) {
    return Error{ErrorCode::kDataLoss, "it is no key of this kind"};
  }
  return bytes->substr(1);
}

std::string LineOf(const std::string& name, char algorithm, const std::string& public_bytes) {
  return name + "+" + ToHex(KeyId(name, algorithm, public_bytes)) + "+" +
         EncodeBase64(algorithm + public_bytes) + "\n";
}

std::string Message(std::string_view text, uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

// Behind the text of a note and the empty line; npos when there is none.
size_t SignaturesOf(std::string_view note) {
  const size_t empty = note.find("\n\n");
  return empty == std::string_view::npos ? empty : empty + 2;
}

}  // namespace

std::string CosignerLine(const VerifyingKey& witness) {
  const auto bytes = PublicBytes(witness.ToText(), kAlgorithmEd25519);
  return LineOf(witness.name(), kAlgorithmCosignature, bytes.value());
}

Result<std::string> Cosign(std::string_view note, const SigningKey& witness, WallTime now) {
  const size_t signatures = SignaturesOf(note);
  if (signatures == std::string_view::npos || note.back() != '\n') {
    return Error{ErrorCode::kInvalidArgument, "it is no note"};
  }
  const auto seconds = static_cast<uint64_t>(UnixMillis(now) / 1000);
  const VerifyingKey& key = witness.verifying_key();
  const std::string public_bytes = NACRE_TRY(PublicBytes(key.ToText(), kAlgorithmEd25519));
  const std::string signature =
      NACRE_TRY(witness.Sign(Message(note.substr(0, signatures - 1), seconds)));
  std::string bytes = KeyId(key.name(), kAlgorithmCosignature, public_bytes);
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(seconds >> shift & 0xFF);
  }
  return std::string(note) + std::string(kSignatureMark) + key.name() + " " +
         EncodeBase64(bytes + signature) + "\n";
}

Result<uint64_t> CosignedAt(std::string_view note, std::string_view cosigner_line) {
  const std::string public_bytes = NACRE_TRY(PublicBytes(cosigner_line, kAlgorithmCosignature));
  const std::string name(cosigner_line.substr(0, cosigner_line.find('+')));
  if (LineOf(name, kAlgorithmCosignature, public_bytes) != cosigner_line) {
    return Error{ErrorCode::kDataLoss, "the witness's id does not fit its name and key"};
  }
  const VerifyingKey key =
      NACRE_TRY(VerifyingKey::Parse(LineOf(name, kAlgorithmEd25519, public_bytes)));
  const size_t signatures = SignaturesOf(note);
  const std::string mark = std::string(kSignatureMark) + name + " ";
  const size_t line = signatures == std::string_view::npos
                          ? signatures
                          : ("\n" + std::string(note.substr(signatures))).find("\n" + mark);
  if (line == std::string_view::npos) {
    return Error{ErrorCode::kDataLoss, "it is not signed by the witness " + name};
  }
  std::string_view text = note.substr(signatures + line + mark.size());
  text = text.substr(0, text.find('\n'));
  const auto bytes = DecodeBase64(text);
  if (!bytes.has_value() || bytes->size() <= kIdBytes + kTimeBytes ||
      bytes->substr(0, kIdBytes) != KeyId(name, kAlgorithmCosignature, public_bytes)) {
    return Error{ErrorCode::kDataLoss, "it is not signed by the key of the witness " + name};
  }
  uint64_t time = 0;
  for (size_t i = 0; i < kTimeBytes; ++i) {
    time = time << 8 | static_cast<uint8_t>((*bytes)[kIdBytes + i]);
  }
  if (!key.Verify(Message(note.substr(0, signatures - 1), time),
                  std::string_view(*bytes).substr(kIdBytes + kTimeBytes))) {
    return Error{ErrorCode::kDataLoss, "the signature of the witness " + name + " is wrong"};
  }
  return time;
}

Result<std::vector<std::string>> SplitNotes(std::string_view text) {
  std::vector<std::string> notes;
  while (!text.empty()) {
    const size_t signatures = SignaturesOf(text);
    if (signatures == std::string_view::npos ||
        text.substr(signatures, kSignatureMark.size()) != kSignatureMark || text.back() != '\n') {
      return Error{ErrorCode::kDataLoss,
                   "note " + std::to_string(notes.size() + 1) +
                       " of it is not whole: text, an empty line, signatures"};
    }
    const size_t end = text.find("\n\n", signatures);
    const size_t size = end == std::string_view::npos ? text.size() : end + 1;
    notes.emplace_back(text.substr(0, size));
    text.remove_prefix(end == std::string_view::npos ? size : size + 1);
  }
  return notes;
}

std::string WithSignatureOf(std::string_view note, std::string_view name) {
  const size_t signatures = SignaturesOf(note);
  if (signatures == std::string_view::npos) {
    return std::string(note);
  }
  std::string kept(note.substr(0, signatures));
  const std::string mark = std::string(kSignatureMark) + std::string(name) + " ";
  std::string_view rest = note.substr(signatures);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size() - 1);
    if (rest.starts_with(mark)) {
      kept += rest.substr(0, end + 1);
    }
    rest.remove_prefix(end + 1);
  }
  return kept;
}

}  // namespace nacre::audit
