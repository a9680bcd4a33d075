#include "runtime/audit/bundle_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "runtime/audit/bundle_codec.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

constexpr size_t kDigits = 3;
// Beyond what zstd may need for bytes that do not get smaller.
constexpr size_t kFrameBytesMax = kBundleBytesMax + (128U << 10);
// Groups of digits of the largest number, 2^56 - 1.
constexpr int kGroupsMax = 6;

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
  } else if (name.ends_with(kCompressedSuffix)) {
    name.remove_suffix(std::string_view(kCompressedSuffix).size());
  }
  if (name.size() != kDigits) {
    return -1;
  }
  int value = 0;
  for (const char digit : name) {
    value = digit >= '0' && digit <= '9' && value >= 0 ? value * 10 + digit - '0' : -1;
  }
  return value;
}

// The lowest one from `from` on with so many folders on its way.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a number has groups
std::optional<uint64_t> LowestIn(const std::string& folder, int depth, uint64_t upper,
                                 uint64_t from) {
  uint64_t from_here = from;
  for (int i = 0; i < depth; ++i) {
    from_here /= 1000;
  }
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
    if (number < from_here) {
      continue;
    }
    const std::string name = TileNumberPath(static_cast<uint64_t>(group));
    if (depth == 0) {
      if (IsRegular(folder + "/" + name) || IsRegular(folder + "/" + name + kCompressedSuffix)) {
        return number;
      }
    } else if (const auto found = LowestIn(folder + "/x" + name, depth - 1, number, from)) {
      return found;
    }
  }
  return std::nullopt;
}

std::string PathOf(const std::string& directory, uint64_t number) {
  return directory + "/" + BundlePath(number);
}

}  // namespace

bool HasPlainBundle(const std::string& directory, uint64_t number) {
  return IsRegular(PathOf(directory, number));
}

bool HasBundle(const std::string& directory, uint64_t number) {
  return IsRegular(PathOf(directory, number)) ||
         IsRegular(PathOf(directory, number) + kCompressedSuffix);
}

uint64_t BundleFileBytes(const std::string& directory, uint64_t number) {
  struct stat info {};
  const std::string path = PathOf(directory, number);
  return ::stat(path.c_str(), &info) == 0 || ::stat((path + kCompressedSuffix).c_str(), &info) == 0
             ? static_cast<uint64_t>(info.st_size)
             : 0;
}

Result<std::string> ReadFrame(const std::string& directory, uint64_t number) {
  return ReadRegularFile(PathOf(directory, number) + kCompressedSuffix, kFrameBytesMax);
}

Result<std::string> ReadCompressedBundle(const std::string& directory, uint64_t number) {
  const std::string frame = NACRE_TRY(ReadFrame(directory, number));
  auto bundle = DecompressBundle(frame);
  return bundle.ok() ? std::move(bundle)
                     : Result<std::string>(
                           WithContext(BundlePath(number) + kCompressedSuffix, bundle.error()));
}

Result<std::string> ReadBundle(const std::string& directory, uint64_t number) {
  const std::string path = PathOf(directory, number);
  auto plain = ReadRegularFile(path, kBundleBytesMax);
  if (plain.ok() || plain.error().code != ErrorCode::kNotFound) {
    return plain;
  }
  auto compressed = ReadCompressedBundle(directory, number);
  const bool none = !compressed.ok() && compressed.error().code == ErrorCode::kNotFound;
  return none ? plain : compressed;
}

std::optional<uint64_t> BundleFrom(const std::string& directory, uint64_t from) {
  if (HasBundle(directory, from)) {
    return from;
  }
  for (int depth = 0; depth < kGroupsMax; ++depth) {
    if (const auto found = LowestIn(directory + "/tile/entries", depth, 0, from)) {
      return found;
    }
  }
  return std::nullopt;
}

std::vector<uint64_t> BundlesThere(const std::string& directory, const BundleRange& range,
                                   std::vector<BundleRange>* gaps) {
  std::vector<uint64_t> there;
  for (uint64_t number = range.first; number < range.end; ++number) {
    const uint64_t next = std::min(BundleFrom(directory, number).value_or(range.end), range.end);
    if (next > number) {
      gaps->push_back({number, next});
      number = next;
    }
    if (number < range.end) {
      there.push_back(number);
    }
  }
  return there;
}

Status RemoveBundle(const std::string& directory, uint64_t number, Storage& storage) {
  NACRE_TRY(storage.Remove(PathOf(directory, number)));
  return storage.Remove(PathOf(directory, number) + kCompressedSuffix);
}

}  // namespace nacre::audit
