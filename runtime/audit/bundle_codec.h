// A full bundle as one zstd frame (RFC 8878), for a log's cold part. Reads hostile bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::audit {

// With the size of what it holds, and a checksum. kInternal when zstd fails.
Result<std::string> CompressBundle(std::string_view bundle);

// What CompressBundle() was given. kDataLoss unless `frame` is exactly one frame that says how much it holds, at most
// kBundleBytesMax, and holds that: no more memory is used, whatever it would unfold to.
Result<std::string> DecompressBundle(std::string_view frame);

}  // namespace nacre::audit
