#include "runtime/audit/bundle_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

constexpr size_t kDigits = 3;
// Groups of digits of the largest number.
constexpr int kGroupsMax = 7;

bool IsRegular(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// The value of "005" or, as a folder, "x005"; -1 for any other name.
int GroupOf(std::string_view name, bool folder) {
  if (folder) {
    if (!name.starts_with('x')) {
      return -1;
    }
    name.remove_prefix(1);
  }
  int value = 0;
  for (const char digit : name) {
    value = digit >= '0' && digit <= '9' && value >= 0 ? value * 10 + digit - '0' : -1;
  }
  return name.size() == kDigits ? value : -1;
}

// The lowest one with so many folders on its way.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a number has groups
std::optional<uint64_t> LowestIn(const std::string& folder, int depth, uint64_t upper) {
  std::vector<int> groups;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const int group = GroupOf(entry->path().filename().string(), depth > 0);
    if (group > 0 || (group == 0 && (depth == 0 || upper > 0))) {  // "x000/005" is no name
      groups.push_back(group);
    }
  }
  std::sort(groups.begin(), groups.end());
  for (const int group : groups) {
    const uint64_t number = upper * 1000 + static_cast<uint64_t>(group);
    const std::string name = TileNumberPath(static_cast<uint64_t>(group));
    if (depth == 0) {
      if (IsRegular(folder + "/" + name)) {
        return number;
      }
    } else if (const auto found = LowestIn(folder + "/x" + name, depth - 1, number)) {
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> FirstBundle(const std::string& directory) {
  if (IsRegular(directory + "/" + BundlePath(0))) {
    return 0;
  }
  for (int depth = 0; depth < kGroupsMax; ++depth) {
    if (const auto found = LowestIn(directory + "/tile/entries", depth, 0)) {
      return found;
    }
  }
  return std::nullopt;
}

Status RemoveBundle(const std::string& directory, uint64_t number, Storage& storage) {
  return storage.Remove(directory + "/" + BundlePath(number));
}

}  // namespace nacre::audit
