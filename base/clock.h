// Clock: where time comes from. An interface, because pure code never asks for the time and tests
// turn a clock by hand. `SystemClock` is made once, in runtime/app.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace nacre {

using WallTime = std::chrono::system_clock::time_point;
using MonotonicTime = std::chrono::steady_clock::time_point;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  // For durations and deadlines: never goes back when the wall clock is set.
  virtual MonotonicTime Monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime Now() const override { return std::chrono::system_clock::now(); }
  MonotonicTime Monotonic() const override { return std::chrono::steady_clock::now(); }
};

// Milliseconds since 1970-01-01T00:00:00Z.
int64_t UnixMillis(WallTime time);

// "2026-11-23T02:16:00.123Z" (RFC 3339, UTC, milliseconds).
std::string FormatRfc3339(WallTime time);

}  // namespace nacre
