// PooledRandom: random bytes for the ids of records. Each needs ten, and a system call for each would take a good part
// of the time that building a record takes. They tell records apart and protect nothing: no key is made of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <span>

#include "base/random.h"

namespace nacre::audit {

// Thread-safe. Borrows its source. Not for a process that goes on after fork(2) on both sides: both would have the
// same bytes.
class PooledRandom final : public Random {
 public:
  explicit PooledRandom(Random& source) : source_(source) {}

  void Fill(std::span<uint8_t> bytes) override {
    if (bytes.size() > pool_.size()) {
      return source_.Fill(bytes);
    }
    const std::lock_guard lock(mutex_);
    if (pool_.size() - used_ < bytes.size()) {
      source_.Fill(pool_);
      used_ = 0;
    }
    std::copy_n(pool_.begin() + static_cast<std::ptrdiff_t>(used_), bytes.size(), bytes.begin());
    used_ += bytes.size();
  }

 private:
  Random& source_;
  std::mutex mutex_;
  std::array<uint8_t, 1280> pool_{};
  size_t used_ = pool_.size();
};

}  // namespace nacre::audit
