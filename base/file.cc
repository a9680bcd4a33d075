#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace nacre {

Result<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return SysError("open " + path, errno);
  }
  return ReadToEnd(file.get(), path, bytes_max);
}

Result<std::string> ReadToEnd(int fd, const std::string& path, size_t bytes_max) {
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SysError("read " + path, errno);
    }
    if (count == 0) {
      return content;
    }
    if (content.size() + static_cast<size_t>(count) > bytes_max) {
      return Error{ErrorCode::kResourceExhausted,
                   path + " is larger than the limit of " + std::to_string(bytes_max) + " bytes"};
    }
    content.append(buffer, static_cast<size_t>(count));
  }
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SysError("write", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return Ok();
}

Status ReadExactly(int fd, char* bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(fd, bytes + done, size - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SysError("read", errno);
    }
    if (count == 0) {
      return Error{ErrorCode::kOutOfRange, "end of stream after " + std::to_string(done) + " of " +
                                               std::to_string(size) + " bytes"};
    }
    done += static_cast<size_t>(count);
  }
  return Ok();
}

Result<std::string> ReadAt(int fd, uint64_t offset, size_t size) {
  std::string bytes;
  NACRE_TRY(ReadAt(fd, offset, size, &bytes));
  return bytes;
}

Status ReadAt(int fd, uint64_t offset, size_t size, std::string* bytes) {
  bytes->resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t count =
        ::pread(fd, bytes->data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SysError("read", errno);
    }
    if (count == 0) {
      break;
    }
    done += static_cast<size_t>(count);
  }
  bytes->resize(done);
  return Ok();
}

Status WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) {
    directory = ".";
  }
  std::string temporary = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) {
    return SysError("create a temporary file beside " + path, errno);
  }
  const auto fail = [&](Error error) -> Status {
    ::unlink(temporary.c_str());
    return WithContext("write " + path, std::move(error));
  };
  if (Status written = WriteAll(file.get(), content); !written.ok()) {
    return fail(written.error());
  }
  if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) {
    return fail(SysError("fsync", errno));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail(SysError("rename", errno));
  }
  const UniqueFd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fsync(parent.get()) != 0) {
    return SysError("fsync of the directory of " + path, errno);
  }
  return Ok();
}

Status MakeDirectories(const std::string& path) {
  for (size_t end = 1; end != std::string::npos && !path.empty();) {
    end = path.find('/', end);
    const std::string prefix = path.substr(0, end);
    if (::mkdir(prefix.c_str(), 0700) != 0 && errno != EEXIST) {
      return SysError("create directory " + prefix, errno);
    }
    if (end != std::string::npos) {
      ++end;
    }
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return SysError("create directory " + path, errno);
  }
  if (!S_ISDIR(info.st_mode)) {
    return SysError("create directory " + path, ENOTDIR);
  }
  return Ok();
}

Result<Pipe> MakePipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    return SysError("pipe2", errno);
  }
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace nacre
