#include "base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"

namespace nacre {

Result<UniqueFd> OpenForReading(const std::string& path, Links links) {
  const int follow = links == Links::kFollow ? 0 : O_NOFOLLOW;
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | follow));
  if (!file && errno == ELOOP) {
    return Error{ErrorCode::kDataLoss, path + " is a symbolic link, where a file must be"};
  }
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return SysError("open " + path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kDataLoss, path + " is no regular file"};
  }
  return file;
}

Result<std::string> ReadRegularFile(const std::string& path, size_t bytes_max, Links links) {
  const UniqueFd file = NACRE_TRY(OpenForReading(path, links));
  return ReadToEnd(file.get(), path, bytes_max);
}

}  // namespace nacre
