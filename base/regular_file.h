// Files that may be something else: what is no regular file is refused, and nobody waits for it.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre {

// kFollow for files that a person named; what stands in a folder of others may lead to a secret of who reads it.
enum class Links { kRefuse = 0, kFollow };

// For reading. A FIFO or a device must not make a reader wait: kDataLoss for anything that is no regular file.
Result<UniqueFd> OpenForReading(const std::string& path, Links links = Links::kRefuse);

// The whole of one; kResourceExhausted when it is larger than `bytes_max`.
Result<std::string> ReadRegularFile(const std::string& path, size_t bytes_max,
                                    Links links = Links::kRefuse);

}  // namespace nacre
