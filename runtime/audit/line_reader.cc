#include "runtime/audit/line_reader.h"

#include <unistd.h>

#include <cerrno>

namespace nacre::audit {
namespace {
constexpr size_t kReadBytes = 256 << 10;
}

Result<bool> LineReader::Next(std::string_view* line) {
  while (true) {
    const size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos && end - begin_ <= line_bytes_max_) {
      *line = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = end + 1;
      searched_ = begin_;
      offset_ += line->size() + 1;
      return true;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched_ = buffer_.size();
    if (end != std::string::npos || buffer_.size() > line_bytes_max_) {
      return Error{ErrorCode::kDataLoss,
                   "a line is longer than " + std::to_string(line_bytes_max_) + " bytes"};
    }
    buffer_.resize(searched_ + kReadBytes);
    ssize_t count = -1;
    do {
      count = ::pread(fd_, buffer_.data() + searched_, kReadBytes,
                      static_cast<off_t>(offset_ + searched_));
    } while (count < 0 && errno == EINTR);
    buffer_.resize(searched_ + static_cast<size_t>(count > 0 ? count : 0));
    if (count < 0) {
      return SysError("read", errno);
    }
    if (count == 0) {
      return false;
    }
  }
}

}  // namespace nacre::audit
