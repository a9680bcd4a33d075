// Openers: the processes of a zygote that wait for a file system, which may never answer. So many may
// wait for one file system, and one that hangs keeps no other from being opened. A value.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <map>

namespace nacre::sandbox::zygote {

class Openers final {
 public:
  // For one device (a file system, as stat(2) numbers it).
  static constexpr size_t kPerDeviceMax = 16;
  // For all: a host's table of processes is not ours to fill.
  static constexpr size_t kAllMax = 128;

  bool HasRoomFor(uint64_t device) const {
    const auto waiting = std::count_if(devices_.begin(), devices_.end(),
                                       [&](const auto& each) { return each.second == device; });
    return devices_.size() < kAllMax && static_cast<size_t>(waiting) < kPerDeviceMax;
  }
  void Add(pid_t opener, uint64_t device) { devices_[opener] = device; }
  // What is none is ignored.
  void Remove(pid_t opener) { devices_.erase(opener); }

 private:
  std::map<pid_t, uint64_t> devices_;
};

}  // namespace nacre::sandbox::zygote
