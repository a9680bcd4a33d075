// How many cores this process really has: its affinity mask and its cgroup's quota, whichever is
// less. Both cgroup versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nacre::inference {

// At least 1. What cannot be read limits nothing.
uint32_t AvailableCores();

// cpu.max of cgroup v2 ("150000 100000", "max 100000"): cores, or nothing when there is no quota or
// no sense in it. Pure.
std::optional<double> ParseCpuMax(std::string_view text);
// cpu.cfs_quota_us and cpu.cfs_period_us of cgroup v1 ("-1" is no quota). Pure.
std::optional<double> ParseCpuQuota(std::string_view quota, std::string_view period);
// The path of the cgroup of this process in /proc/self/cgroup: v2's, or v1's for the controller
// "cpu". Pure.
struct CgroupPath {
  std::string path;
  bool v2 = true;
};
std::optional<CgroupPath> ParseOwnCgroup(std::string_view proc_self_cgroup);

}  // namespace nacre::inference
