#include "runtime/audit/note_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "base/digest.h"
#include "runtime/audit/base64.h"

namespace nacre::audit {
namespace {

constexpr char kAlgorithmEd25519 = '\x01';
constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";
constexpr size_t kNameBytesMax = 256;
constexpr size_t kKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());  // OpenSSL's spelling of char
}

std::string KeyId(const std::string& name, const std::string& public_bytes) {
  const Sha256Digest digest = Sha256(name + "\n" + kAlgorithmEd25519 + public_bytes);
  return {digest.begin(), digest.begin() + 4};
}

bool IsKeyName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(),
                     [](char letter) { return letter > ' ' && letter < '\x7f' && letter != '+'; });
}

Error BadKey(const std::string& why) {
  return {ErrorCode::kDataLoss, "not an Ed25519 note key: " + why};
}

struct KeyText {
  std::string name;
  std::string id_hex;
  std::string key_bytes;
};

// NAME+HHHHHHHH+BASE64 and a newline. The name holds no '+', the base64 may.
Result<KeyText> SplitKeyText(std::string_view text) {
  if (text.empty() || text.back() != '\n') {
    return BadKey("it must be one line");
  }
  text.remove_suffix(1);
  const size_t first = text.find('+');
  const size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return BadKey("it must be NAME+ID+KEY");
  }
  const std::string_view name = text.substr(0, first);
  const auto bytes = DecodeBase64(text.substr(second + 1));
  if (!IsKeyName(name) || !bytes.has_value() || bytes->size() != 1 + kKeyBytes ||
      bytes->front() != kAlgorithmEd25519) {
    return BadKey("its name or key is malformed");
  }
  return KeyText{std::string(name), std::string(text.substr(first + 1, second - first - 1)),
                 bytes->substr(1)};
}

}  // namespace

void KeyDeleter::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<VerifyingKey> VerifyingKey::Create(std::string name, const std::string& public_bytes) {
  VerifyingKey key;
  key.key_ = KeyHandle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_bytes),
                                                   public_bytes.size()));
  if (key.key_ == nullptr) {
    return BadKey("OpenSSL does not accept it");
  }
  key.id_ = KeyId(name, public_bytes);
  key.name_ = std::move(name);
  key.public_bytes_ = public_bytes;
  return key;
}

Result<VerifyingKey> VerifyingKey::Parse(std::string_view text) {
  KeyText parts = NACRE_TRY(SplitKeyText(text));
  VerifyingKey key = NACRE_TRY(Create(std::move(parts.name), parts.key_bytes));
  if (ToHex(key.id_) != parts.id_hex) {
    return BadKey("its id does not fit its name and key");
  }
  return key;
}

std::string VerifyingKey::ToText() const {
  return name_ + "+" + ToHex(id_) + "+" + EncodeBase64(kAlgorithmEd25519 + public_bytes_) + "\n";
}

bool VerifyingKey::Verify(std::string_view message, std::string_view signature) const {
  if (signature.size() != kSignatureBytes) {
    return false;
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                          message.size()) == 1;
}

Result<SigningKey> SigningKey::FromSeed(const std::string& name, const Seed& seed) {
  if (!IsKeyName(name)) {
    return BadKey("bad name");
  }
  KeyHandle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  std::string public_bytes(kKeyBytes, '\0');
  size_t size = public_bytes.size();
  if (key == nullptr ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<uint8_t*>(public_bytes.data()),
                                  &size) != 1 ||
      size != kKeyBytes) {
    return BadKey("OpenSSL does not accept it");
  }
  VerifyingKey verifying_key = NACRE_TRY(VerifyingKey::Create(name, public_bytes));
  return SigningKey(std::move(verifying_key), seed, std::move(key));
}

Result<SigningKey> SigningKey::Generate(const std::string& name, Random& random) {
  Seed seed{};
  random.Fill(seed);
  auto key = FromSeed(name, seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

Result<SigningKey> SigningKey::Parse(std::string_view text) {
  if (text.substr(0, kPrivatePrefix.size()) != kPrivatePrefix) {
    return BadKey("it must begin with " + std::string(kPrivatePrefix));
  }
  KeyText parts = NACRE_TRY(SplitKeyText(text.substr(kPrivatePrefix.size())));
  Seed seed{};
  std::copy(parts.key_bytes.begin(), parts.key_bytes.end(), seed.begin());
  OPENSSL_cleanse(parts.key_bytes.data(), parts.key_bytes.size());
  auto key = FromSeed(parts.name, seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  if (key.ok() && ToHex(key.value().verifying_key().id()) != parts.id_hex) {
    return BadKey("its id does not fit its name and key");
  }
  return key;
}

SigningKey::~SigningKey() {
  OPENSSL_cleanse(seed_.data(), seed_.size());
}

std::string SigningKey::ToText() const {
  std::string bytes(1, kAlgorithmEd25519);
  bytes.append(seed_.begin(), seed_.end());
  return std::string(kPrivatePrefix) + verifying_key_.name() + "+" + ToHex(verifying_key_.id()) +
         "+" + EncodeBase64(bytes) + "\n";
}

Result<std::string> SigningKey::Sign(std::string_view message) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<uint8_t*>(signature.data()), &size,
                     Bytes(message), message.size()) != 1 ||
      size != kSignatureBytes) {
    return Error{ErrorCode::kInternal, "OpenSSL could not sign"};
  }
  return signature;
}

}  // namespace nacre::audit
