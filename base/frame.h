// Frames: the one wire form of every private channel (runtime <-> tool, runtime <-> engine worker).
// A frame is a 4-byte little-endian length and that many bytes of JSON. The reader's bound comes
// first: a length above it is an error before anything is allocated.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre {

constexpr uint32_t kFrameHeaderBytes = 4;

// The bytes of a frame around `payload`. Aborts when it does not fit 32 bits.
std::string EncodeFrame(std::string_view payload);

// Blocking. kOutOfRange at the end of the stream, kResourceExhausted when the frame is too large.
Result<std::string> ReadFrame(int fd, uint32_t payload_bytes_max);
Status WriteFrame(int fd, std::string_view payload);

// For readers that poll: feed bytes as they come, take frames as they complete.
// Not thread-safe. Holds at most one header and `payload_bytes_max` bytes beyond what was fed.
class FrameDecoder final {
 public:
  explicit FrameDecoder(uint32_t payload_bytes_max) : payload_bytes_max_(payload_bytes_max) {}

  void Feed(std::string_view bytes) { buffer_.append(bytes); }
  // True and the payload in *payload when a whole frame is there. kResourceExhausted when the next
  // frame announces more than the bound: the stream is lost, close it.
  Result<bool> Next(std::string* payload);

 private:
  uint32_t payload_bytes_max_;
  std::string buffer_;
};

}  // namespace nacre
