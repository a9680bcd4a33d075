#include "base/temp_dir.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace nacre {

Result<TempDir> TempDir::Create(const std::string& prefix) {
  const char* parent = std::getenv("TMPDIR");
  return CreateIn(parent != nullptr ? parent : "/tmp", prefix);
}

Result<TempDir> TempDir::CreateIn(const std::string& parent, const std::string& prefix) {
  std::string path = parent + "/" + prefix + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return SysError("create a temporary directory " + path, errno);
  }
  return TempDir(path);
}

TempDir::~TempDir() {
  if (!path_.empty()) {
    std::error_code ignored;  // a leftover in /tmp is the system's to sweep
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace nacre
