// "Randomness" that counts, so that ids in tests are predictable and distinct. Not thread-safe.
#pragma once

#include "base/random.h"

namespace nacre::testing {

class CountingRandom final : public Random {
 public:
  void Fill(std::span<uint8_t> bytes) override {
    for (uint8_t& byte : bytes) {
      byte = 0;
    }
    uint64_t value = ++count_;
    for (size_t i = bytes.size(); i-- > 0 && value != 0; value >>= 8) {
      bytes[i] = static_cast<uint8_t>(value & 0xFFU);
    }
  }

 private:
  uint64_t count_ = 0;
};

}  // namespace nacre::testing
