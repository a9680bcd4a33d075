#include "runtime/audit/signed_note.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace nacre::audit {
namespace {

SigningKey MakeKey(const std::string& name) {
  SystemRandom random;
  return SigningKey::Generate(name, random).value();
}

TEST_CASE("a signed text comes back as it was, empty lines and all") {
  const SigningKey key = MakeKey("nacre/audit/x");
  const std::string text = "one\n\nthree\n";
  const std::string note = SignNote(text, key).value();
  CHECK(OpenNote(note, key.verifying_key()).value() == text);
}

TEST_CASE("no byte of a signed note can be changed, removed or added") {
  const SigningKey key = MakeKey("nacre/audit/x");
  const std::string note = SignNote("one\n\ntwo\n", key).value();
  for (size_t i = 0; i < note.size(); ++i) {
    CAPTURE(i);
    std::string changed = note;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(OpenNote(changed, key.verifying_key()).ok());
    CHECK_FALSE(OpenNote(note.substr(0, i), key.verifying_key()).ok());
  }
  CHECK_FALSE(OpenNote(note + "\n", key.verifying_key()).ok());
  CHECK_FALSE(OpenNote("x" + note, key.verifying_key()).ok());
}

TEST_CASE("a note of another key is refused, also one of the same name") {
  const SigningKey key = MakeKey("nacre/audit/x");
  const std::string note = SignNote("one\n", key).value();
  CHECK_FALSE(OpenNote(note, MakeKey("nacre/audit/x").verifying_key()).ok());
  CHECK_FALSE(OpenNote(note, MakeKey("nacre/audit/y").verifying_key()).ok());
}

TEST_CASE("a text without its last newline is not signed") {
  const SigningKey key = MakeKey("nacre/audit/x");
  CHECK_FALSE(SignNote("", key).ok());
  CHECK_FALSE(SignNote("one", key).ok());
}

}  // namespace
}  // namespace nacre::audit
