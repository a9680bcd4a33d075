// Utf8Gate: tells whether a stream of pieces is valid UTF-8 so far (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF) and whether it stands between characters.
//
// Models write bytes, and a piece may end inside a character. llama.cpp's grammar accepts some
// sequences that no JSON reader does; this gate closes that.
//
// A value: copy it to try a piece. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace nacre::inference {

class Utf8Gate final {
 public:
  // False when the bytes cannot continue valid UTF-8; the gate is then of no more use.
  bool Feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (!FeedByte(static_cast<uint8_t>(c))) {
        return false;
      }
    }
    return true;
  }
  bool between_characters() const { return missing_ == 0; }

 private:
  bool FeedByte(uint8_t byte) {
    if (missing_ > 0) {
      if (byte < low_ || byte > high_) {
        return false;
      }
      low_ = 0x80;
      high_ = 0xBF;
      --missing_;
      return true;
    }
    if (byte < 0x80) {
      return true;
    }
    if (byte < 0xC2 || byte > 0xF4) {
      return false;
    }
    missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return true;
  }

  int missing_ = 0;
  uint8_t low_ = 0x80;
  uint8_t high_ = 0xBF;
};

}  // namespace nacre::inference
