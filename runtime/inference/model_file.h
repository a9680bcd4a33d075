// A model file on disk: opened once, so that what is measured is what is run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::inference {

struct ModelFile {
  UniqueFd fd;         // read-only
  std::string digest;  // "sha256:..."
  std::string name;    // the file's name without directory and ".gguf"
  uint64_t bytes = 0;
};

// Reads the file once for its digest. kNotFound, kPermissionDenied, ...; kInvalidArgument for
// anything but a regular file.
Result<ModelFile> OpenModelFile(const std::string& path);

}  // namespace nacre::inference
