#include "runtime/inference/cpu_budget.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/file.h"

namespace nacre::inference {
namespace {

std::optional<int64_t> ParseNumber(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

uint32_t AffinityCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

std::optional<double> QuotaAt(const std::string& directory, bool v2) {
  constexpr size_t kBytesMax = 256;
  if (v2) {
    const Result<std::string> max = ReadFile(directory + "/cpu.max", kBytesMax);
    return max.ok() ? ParseCpuMax(max.value()) : std::nullopt;
  }
  const Result<std::string> quota = ReadFile(directory + "/cpu.cfs_quota_us", kBytesMax);
  const Result<std::string> period = ReadFile(directory + "/cpu.cfs_period_us", kBytesMax);
  return quota.ok() && period.ok() ? ParseCpuQuota(quota.value(), period.value()) : std::nullopt;
}

}  // namespace

std::optional<double> ParseCpuMax(std::string_view text) {
  const size_t space = text.find(' ');
  return space == std::string_view::npos
             ? std::nullopt
             : ParseCpuQuota(text.substr(0, space), text.substr(space + 1));
}

std::optional<double> ParseCpuQuota(std::string_view quota, std::string_view period) {
  const std::optional<int64_t> allowed = ParseNumber(quota);
  const std::optional<int64_t> of = ParseNumber(period);
  if (!allowed || !of || *allowed <= 0 || *of <= 0) {
    return std::nullopt;
  }
  return static_cast<double>(*allowed) / static_cast<double>(*of);
}

std::optional<CgroupPath> ParseOwnCgroup(std::string_view text) {
  std::optional<CgroupPath> found;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) {
      continue;
    }
    const std::string controllers =
        "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    const std::string path(line.substr(second + 1));
    if (controllers.find(",cpu,") != std::string::npos) {
      return CgroupPath{path, false};  // a v1 cpu controller is the one that counts
    }
    if (line.substr(0, second + 1) == "0::") {
      found = CgroupPath{path, true};
    }
  }
  return found;
}

uint32_t AvailableCores() {
  double cores = AffinityCores();
  const Result<std::string> text = ReadFile("/proc/self/cgroup", 64 << 10);
  const std::optional<CgroupPath> own = text.ok() ? ParseOwnCgroup(text.value()) : std::nullopt;
  if (own.has_value()) {
    // A quota of any ancestor holds too. In a container the path may name what is not mounted here;
    // then the mount's root is ours.
    const std::string root = own->v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    std::string path = own->path == "/" ? "" : own->path;
    while (true) {
      if (const std::optional<double> quota = QuotaAt(root + path, own->v2); quota.has_value()) {
        cores = std::min(cores, *quota);
      }
      if (path.empty()) {
        break;
      }
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  // Half a core still needs one thread; one and a half would make two threads wait for each other.
  return static_cast<uint32_t>(std::max(1.0, std::floor(cores)));
}

}  // namespace nacre::inference
