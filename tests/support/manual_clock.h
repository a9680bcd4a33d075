// A clock that a test turns by hand.
#pragma once

#include "base/clock.h"

namespace nacre::testing {

class ManualClock final : public Clock {
 public:
  WallTime Now() const override {
    return WallTime(std::chrono::milliseconds(1'700'000'000'000)) + elapsed_;
  }
  MonotonicTime Monotonic() const override {
    return MonotonicTime(std::chrono::duration_cast<MonotonicTime::duration>(elapsed_));
  }
  void Advance(std::chrono::milliseconds by) { elapsed_ += by; }

 private:
  std::chrono::milliseconds elapsed_{0};
};

}  // namespace nacre::testing
