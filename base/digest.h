// SHA-256 (FIPS 180-4), through OpenSSL, and hexadecimal text.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nacre {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);
// Of `first` followed by `second`, without joining them.
Sha256Digest Sha256(std::string_view first, std::string_view second);
// "sha256:" and 64 lower-case hexadecimal digits: how digests are written everywhere.
std::string Sha256Text(std::string_view bytes);

// The same of what comes in parts: a file of gigabytes. Not thread-safe.
class Sha256Stream final {
 public:
  Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  ~Sha256Stream();

  void Update(std::string_view bytes);
  // Once, at the end.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string ToHex(std::span<const uint8_t> bytes);
std::string ToHex(std::string_view bytes);

}  // namespace nacre
