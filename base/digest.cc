#include "base/digest.h"

#include <openssl/evp.h>

#include "base/result.h"

namespace nacre {

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Digest digest{};
  unsigned size = 0;
  NACRE_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) ==
              1);
  return digest;
}

std::string Sha256Text(std::string_view bytes) {
  return "sha256:" + ToHex(Sha256(bytes));
}

struct Sha256Stream::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {
  NACRE_CHECK(state_->context != nullptr &&
              EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(std::string_view bytes) {
  NACRE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest{};
  NACRE_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  return digest;
}

std::string ToHex(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15U]);
  }
  return text;
}

}  // namespace nacre
