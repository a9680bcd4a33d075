// The first file system of a microVM: our agent, as /init, and the kernel modules that it loads.
//
// Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst, the format "newc".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::sandbox::microvm {

struct ArchiveFile {
  std::string path;  // relative, of a folder named before; e.g. "init"
  std::string content;
  bool is_folder = false;
};

inline constexpr size_t kInitramfsBytesMax = 64U << 20;

// The archive, every file readable and executable by root alone. Pure. kResourceExhausted when it would
// be larger than kInitramfsBytesMax.
Result<std::string> MakeInitramfs(const std::vector<ArchiveFile>& files);

}  // namespace nacre::sandbox::microvm
