#include "policy/internal/sandbox_path.h"

#include <algorithm>
#include <vector>

namespace nacre::policy {

bool IsNormalPath(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos) {
    return false;
  }
  if (path == "/") {
    return true;
  }
  for (size_t from = 1; from <= path.size();) {
    const size_t slash = std::min(path.find('/', from), path.size());
    const std::string_view segment = path.substr(from, slash - from);
    if (segment.empty() || segment == "." || segment == "..") {
      return false;
    }
    from = slash + 1;
  }
  return true;
}

std::optional<std::string> NormalisePath(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::vector<std::string_view> segments;
  if (path.front() != '/') {
    segments.push_back(kWorkspaceRoot.substr(1));
  }
  for (size_t from = 0; from <= path.size();) {
    const size_t slash = std::min(path.find('/', from), path.size());
    const std::string_view segment = path.substr(from, slash - from);
    if (segment == "..") {
      if (!segments.empty()) {
        segments.pop_back();
      }
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    from = slash + 1;
  }
  std::string normal;
  for (const std::string_view segment : segments) {
    normal += '/';
    normal += segment;
  }
  return normal.empty() ? "/" : normal;
}

bool IsUnder(std::string_view path, std::string_view directory) {
  if (directory == "/") {
    return true;
  }
  return path.substr(0, directory.size()) == directory &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

std::optional<std::string> WorkspaceRelative(std::string_view path) {
  if (!IsUnder(path, kWorkspaceRoot)) {
    return std::nullopt;
  }
  return std::string(path.substr(std::min(path.size(), kWorkspaceRoot.size() + 1)));
}

}  // namespace nacre::policy
