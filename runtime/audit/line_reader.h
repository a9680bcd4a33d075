// LineReader: the lines of a file from a given offset, bounded, without a lock: what a writer adds
// meanwhile is seen as whole lines or as an unfinished tail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::audit {

// Not thread-safe. Borrows the descriptor and reads with pread(2): its position does not move.
class LineReader final {
 public:
  LineReader(int fd, uint64_t offset, size_t line_bytes_max)
      : fd_(fd), offset_(offset), line_bytes_max_(line_bytes_max) {}

  // True and the line, without its newline, in *line, valid until the next call. False at the end
  // of the file; then tail() is what follows the last newline. kDataLoss when a line is longer
  // than the limit.
  Result<bool> Next(std::string_view* line);

  // Where the next line begins: every byte before it belongs to a line that was returned.
  uint64_t offset() const { return offset_; }
  std::string_view tail() const { return std::string_view(buffer_).substr(begin_); }

 private:
  const int fd_;
  uint64_t offset_;
  const size_t line_bytes_max_;
  std::string buffer_;  // of it, what follows begin_ is not returned yet
  size_t begin_ = 0;
  size_t searched_ = 0;  // no newline in [begin_, searched_)
};

}  // namespace nacre::audit
