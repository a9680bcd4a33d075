// Whole small files and descriptors: the few operations that several modules need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre {

// The whole file; kResourceExhausted when it is larger than `bytes_max`.
Result<std::string> ReadFile(const std::string& path, size_t bytes_max);

// The same from a descriptor's position on; `path` is what an error names.
Result<std::string> ReadToEnd(int fd, const std::string& path, size_t bytes_max);

// `size` bytes at `offset`, or fewer where the file ends before.
Result<std::string> ReadAt(int fd, uint64_t offset, size_t size);
// The same into *bytes, whose room is used again: for who reads much.
Status ReadAt(int fd, uint64_t offset, size_t size, std::string* bytes);

// Replaces the file so that a reader, or a crash at any instant, sees the old or the new content
// and never a part: a temporary file beside it, fsync, rename, fsync of the directory.
Status WriteFileAtomically(const std::string& path, std::string_view content, unsigned mode = 0600);

// Writes all of it, retrying short writes and EINTR.
Status WriteAll(int fd, std::string_view bytes);
// Reads exactly `size` bytes. kOutOfRange when the end comes first; an empty string when it comes
// before the first byte and `size` > 0 is still kOutOfRange.
Status ReadExactly(int fd, char* bytes, size_t size);

// mkdir -p with mode 0700 for what it creates.
Status MakeDirectories(const std::string& path);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
// Both ends O_CLOEXEC.
Result<Pipe> MakePipe();

}  // namespace nacre
