// Files of the workspace, read with a bound and replaced as a whole. Failures throw ToolError.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace nacre::tools::builtin {

struct RegularFile {
  UniqueFd fd;
  uint64_t size = 0;
};

// "no such file", "is a directory", "not a regular file" (a FIFO or device would never end).
RegularFile OpenRegularFile(const std::string& path);

// Up to `size` bytes; fewer only at the end of the file.
std::string ReadSome(int fd, size_t size, const std::string& path);

// What is at the path, for writers. A last symlink is an error: replacing it would destroy it, and
// following it would change a file that the call does not name.
struct Existing {
  bool exists = false;
  uint64_t size = 0;
  unsigned mode = 0;
};
Existing InspectForWriting(const std::string& path);

// Replaces or creates the file: others see the old or the new content and never a part. Keeps the
// permissions of an existing file (not its set-user-id bits); creates missing directories.
void ReplaceFile(const std::string& path, std::string_view content, const Existing& existing);

}  // namespace nacre::tools::builtin
