// Walk: the entries below a directory, in byte order of their paths, without following symlinks.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>

namespace nacre::tools::builtin {

constexpr uint64_t kWalkEntriesMax = 200'000;
constexpr int kWalkDepthMax = 128;

struct WalkEntry {
  std::string path;  // relative to the root of the walk
  struct stat info {};
};

enum class WalkDepth { kOneLevel = 0, kWholeTree };

// Calls `visit` for each entry. Of .git directories only the entry itself is visited in a whole
// tree. Returns how many directories could not be entered. Throws ToolError when `root` is no
// readable directory, or holds more than kWalkEntriesMax entries.
uint64_t Walk(const std::string& root, WalkDepth depth,
              const std::function<void(const WalkEntry&)>& visit);

// The last line of a result after a walk that could not enter some directories; empty for none.
std::string UnreadableNote(uint64_t directories);

}  // namespace nacre::tools::builtin
