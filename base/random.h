// Random: where unpredictable bytes come from. An interface so that tests and simulations are
// deterministic; `SystemRandom` reads getrandom(2).
#pragma once

#include <cstdint>
#include <span>

namespace nacre {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<uint8_t> bytes) = 0;
};

// Aborts if the kernel cannot give randomness: an id or key made without it would be worse.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<uint8_t> bytes) override;
};

}  // namespace nacre
