#include "runtime/inference/model_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "base/digest.h"

namespace nacre::inference {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

Result<std::string> DigestOf(const UniqueFd& fd, const std::string& path) {
  Sha256Stream stream;
  const std::unique_ptr<char[]> block(new char[kBlockBytes]);
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(fd.get(), block.get(), kBlockBytes, offset);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return SysError("read " + path, errno);
    }
    if (got == 0) {
      return "sha256:" + ToHex(stream.Finish());
    }
    stream.Update({block.get(), static_cast<size_t>(got)});
    offset += got;
  }
}

std::string NameOf(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".gguf")) {
    name.resize(name.size() - 5);
  }
  return name;
}

}  // namespace

Result<ModelFile> OpenModelFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) {
    return SysError("cannot open the model " + path, errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return SysError("stat " + path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kInvalidArgument,
                 path + " is not a usable GGUF file: it is no regular file"};
  }
  std::string digest = NACRE_TRY(DigestOf(fd, path));
  return ModelFile{.fd = std::move(fd),
                   .digest = std::move(digest),
                   .name = NameOf(path),
                   .bytes = static_cast<uint64_t>(status.st_size)};
}

}  // namespace nacre::inference
