// TreeSnapshot: all that a reader can tell of a folder, to compare two of them.
#pragma once

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace nacre {

// path -> "directory 755", "file 644 CONTENT", "symlink -> TARGET"
using TreeSnapshot = std::map<std::string, std::string>;

inline TreeSnapshot Snapshot(const std::string& root) {
  namespace fs = std::filesystem;
  TreeSnapshot snapshot;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string path = entry.path().lexically_relative(root).string();
    struct stat info = {};
    if (::lstat(entry.path().c_str(), &info) != 0) {
      snapshot[path] = "unreadable";
      continue;
    }
    char mode[16];
    std::snprintf(mode, sizeof mode, "%o", info.st_mode & 07777);
    if (S_ISLNK(info.st_mode)) {
      snapshot[path] = "symlink -> " + fs::read_symlink(entry.path()).string();
    } else if (S_ISDIR(info.st_mode)) {
      snapshot[path] = std::string("directory ") + mode;
    } else {
      std::ifstream file(entry.path(), std::ios::binary);
      snapshot[path] =
          std::string("file ") + mode + " " + std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  return snapshot;
}

}  // namespace nacre
