#include "runtime/server/workspace_scope.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

namespace nacre::server {
namespace {

struct FreeDeleter {
  void operator()(char* text) const { std::free(text); }  // realpath(3) allocates with malloc
};

}  // namespace

bool LiesIn(const std::string& root, const std::string& path) {
  const std::string prefix = root == "/" ? root : root + "/";
  return path == root || path.compare(0, prefix.size(), prefix) == 0;
}

Result<std::string> ResolveWorkspace(const std::string& root, const std::string& requested) {
  if (requested.empty()) {
    return root;
  }
  if (requested.front() != '/' || requested.size() >= PATH_MAX ||
      requested.find('\0') != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "the workspace must be an absolute path of at most " +
                                                  std::to_string(PATH_MAX - 1) + " bytes"};
  }
  const std::unique_ptr<char, FreeDeleter> resolved(::realpath(requested.c_str(), nullptr));
  if (resolved == nullptr) {
    return SysError("the workspace " + requested, errno);
  }
  const std::string path = resolved.get();
  if (!LiesIn(root, path)) {
    return Error{ErrorCode::kPermissionDenied,
                 "the workspace " + requested + " lies outside this server's root, " + root};
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return SysError("the workspace " + requested, errno);
  }
  if (!S_ISDIR(info.st_mode)) {
    return Error{ErrorCode::kInvalidArgument, "the workspace " + requested + " is not a directory"};
  }
  return path;
}

}  // namespace nacre::server
