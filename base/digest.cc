#include "base/digest.h"

#include <openssl/evp.h>

#include "base/result.h"

namespace nacre {
namespace {

// EVP_sha256() is looked up anew at each use, which costs more than hashing a short text.
const EVP_MD* Algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

}  // namespace

Sha256Digest Sha256(std::string_view first, std::string_view second) {
  thread_local const Context context(EVP_MD_CTX_new());
  Sha256Digest digest{};
  NACRE_CHECK(context != nullptr && EVP_DigestInit_ex2(context.get(), Algorithm(), nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
              EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

Sha256Digest Sha256(std::string_view bytes) {
  return Sha256(bytes, {});
}

std::string Sha256Text(std::string_view bytes) {
  return "sha256:" + ToHex(Sha256(bytes));
}

struct Sha256Stream::State {
  Context context{EVP_MD_CTX_new()};
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {
  NACRE_CHECK(state_->context != nullptr &&
              EVP_DigestInit_ex2(state_->context.get(), Algorithm(), nullptr) == 1);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(std::string_view bytes) {
  NACRE_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest{};
  NACRE_CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::string ToHex(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(bytes.size() * 2, '0');
  auto digit = text.begin();
  for (const uint8_t byte : bytes) {
    *digit++ = kDigits[byte >> 4];
    *digit++ = kDigits[byte & 15U];
  }
  return text;
}

std::string ToHex(std::string_view bytes) {
  return ToHex(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

}  // namespace nacre
