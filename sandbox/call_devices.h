// What a call finds in /dev, on whichever kernel it runs.
#pragma once

#include <array>
#include <cstdint>

namespace nacre::sandbox {

// Character devices of the kernel's memory driver: nothing of the host is behind them.
// Source: the kernel's Documentation/admin-guide/devices.txt, major 1.
struct CallDevice {
  const char* path;
  unsigned minor;
};
inline constexpr unsigned kCallDeviceMajor = 1;
inline constexpr std::array kCallDevices = {
    CallDevice{"/dev/null", 3}, CallDevice{"/dev/zero", 5}, CallDevice{"/dev/full", 7},
    CallDevice{"/dev/random", 8}, CallDevice{"/dev/urandom", 9}};

struct CallDeviceLink {
  const char* path;
  const char* target;
};
inline constexpr std::array kCallDeviceLinks = {CallDeviceLink{"/dev/fd", "/proc/self/fd"},
                                                CallDeviceLink{"/dev/stdin", "/proc/self/fd/0"},
                                                CallDeviceLink{"/dev/stdout", "/proc/self/fd/1"},
                                                CallDeviceLink{"/dev/stderr", "/proc/self/fd/2"}};

// Of /dev/shm; less where the call's disk limit is.
inline constexpr uint64_t kShmBytes = 64ULL << 20;

}  // namespace nacre::sandbox
