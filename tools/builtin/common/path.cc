#include "tools/builtin/common/path.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

constexpr size_t kShownPathBytesMax = 256;
constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

std::string PathArgument(const sdk::Arguments& arguments, const char* key,
                         const std::string& fallback) {
  const auto found = arguments.find(key);
  std::string path = found == arguments.end() ? fallback : found->get<std::string>();
  if (path.empty()) {
    throw sdk::ToolError(std::string(key) +
                         (found == arguments.end() ? " is missing" : " is empty"));
  }
  if (path.find('\0') != std::string::npos) {
    throw sdk::ToolError(std::string(key) + " holds a NUL byte");
  }
  return path;
}

std::string ShownName(std::string_view name) {
  std::string shown;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      shown += kReplacement;
    } else {
      shown += c;
    }
  }
  return shown;
}

std::string ShownPath(const std::string& path) {
  namespace fs = std::filesystem;
  std::string normal = fs::path(path).lexically_normal().string();
  std::error_code failure;
  const std::string root = fs::current_path(failure).string();
  if (!failure && normal.compare(0, root.size(), root) == 0 &&
      (normal.size() == root.size() || normal[root.size()] == '/')) {
    normal.erase(0, root.size() + 1);
  }
  while (normal.size() > 1 && normal.back() == '/') {
    normal.pop_back();
  }
  return normal.empty() ? "." : ShownName(Cut(normal, kShownPathBytesMax, "..."));
}

void ThrowErrno(int errnum, const std::string& path, const char* kind) {
  const std::string shown = ShownPath(path);
  switch (errnum) {
    case ENOENT:
      throw sdk::ToolError(std::string("no such ") + kind + ": " + shown);
    case ENOTDIR:
      throw sdk::ToolError("not a directory: " + shown);
    case EISDIR:
      throw sdk::ToolError("is a directory: " + shown);
    case EACCES:
    case EPERM:
      throw sdk::ToolError("permission denied: " + shown);
    case EROFS:
    case EBUSY:  // a file that is mounted on its own cannot be replaced
      throw sdk::ToolError("read-only: " + shown);
    case ENOSPC:
    case EDQUOT:
      throw sdk::ToolError("no space left: " + shown);
    case EFBIG:
      throw sdk::ToolError("file too large: " + shown);
    case ENAMETOOLONG:
      throw sdk::ToolError("file name too long: " + shown);
    case ENXIO:  // a socket
      throw sdk::ToolError("not a regular file: " + shown);
    default:
      throw sdk::ToolError(std::string(std::strerror(errnum)) + ": " + shown);
  }
}

}  // namespace nacre::tools::builtin
