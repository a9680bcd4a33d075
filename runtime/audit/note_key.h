// Ed25519 keys of a log, in the text forms of C2SP signed-note (c2sp.org/signed-note):
//
//   public   NAME+HHHHHHHH+BASE64(0x01 || public key)
//   private  PRIVATE+KEY+NAME+HHHHHHHH+BASE64(0x01 || seed)
//
// HHHHHHHH, the key id, is the first 4 bytes of SHA-256(NAME || 0x0A || 0x01 || public key).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

struct evp_pkey_st;

namespace nacre::audit {

struct KeyDeleter {
  void operator()(evp_pkey_st* key) const;
};
using KeyHandle = std::unique_ptr<evp_pkey_st, KeyDeleter>;

// Immutable, so thread-safe.
class VerifyingKey final {
 public:
  // `text` is the public form on one line, with its newline. Each key has exactly one text.
  static Result<VerifyingKey> Parse(std::string_view text);

  const std::string& name() const { return name_; }
  const std::string& id() const { return id_; }  // 4 bytes
  std::string ToText() const;
  bool Verify(std::string_view message, std::string_view signature) const;

 private:
  friend class SigningKey;
  static Result<VerifyingKey> Create(std::string name, const std::string& public_bytes);

  std::string name_;
  std::string public_bytes_;
  std::string id_;
  KeyHandle key_;
};

// Immutable, so thread-safe. The seed is wiped from memory at the end.
class SigningKey final {
 public:
  // `name` must not be empty nor contain spaces, '+' or control characters.
  static Result<SigningKey> Generate(const std::string& name, Random& random);
  static Result<SigningKey> Parse(std::string_view text);

  const VerifyingKey& verifying_key() const { return verifying_key_; }
  std::string ToText() const;
  Result<std::string> Sign(std::string_view message) const;  // 64 bytes

  SigningKey(SigningKey&&) noexcept = default;
  SigningKey& operator=(SigningKey&&) = delete;
  ~SigningKey();

 private:
  using Seed = std::array<uint8_t, 32>;
  static Result<SigningKey> FromSeed(const std::string& name, const Seed& seed);
  SigningKey(VerifyingKey verifying_key, const Seed& seed, KeyHandle key)
      : verifying_key_(std::move(verifying_key)), seed_(seed), key_(std::move(key)) {}

  VerifyingKey verifying_key_;
  Seed seed_;
  KeyHandle key_;
};

}  // namespace nacre::audit
