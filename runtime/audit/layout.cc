#include "runtime/audit/layout.h"

#include <cstdio>

namespace nacre::audit {
namespace {

std::string WithWidth(std::string path, uint64_t width) {
  return width == 0 ? path : path + ".p/" + std::to_string(width);
}

}  // namespace

std::string TileNumberPath(uint64_t number) {
  char group[16];
  std::snprintf(group, sizeof group, "%03u", static_cast<unsigned>(number % 1000));
  std::string path = group;
  for (number /= 1000; number > 0; number /= 1000) {
    std::snprintf(group, sizeof group, "x%03u/", static_cast<unsigned>(number % 1000));
    path.insert(0, group);
  }
  return path;
}

std::string BundlePath(uint64_t number, uint64_t width) {
  return WithWidth("tile/entries/" + TileNumberPath(number), width);
}

std::string TilePath(int level, uint64_t number, uint64_t width) {
  return WithWidth("tile/" + std::to_string(level) + "/" + TileNumberPath(number), width);
}

std::string BesideLog(std::string directory, std::string_view suffix) {
  while (directory.size() > 1 && directory.back() == '/') {
    directory.pop_back();
  }
  return directory.append(suffix);
}

}  // namespace nacre::audit
