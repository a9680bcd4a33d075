#include "base/frame.h"

#include <limits>

#include "base/file.h"

namespace nacre {
namespace {

uint32_t DecodeLength(const char* bytes) {
  uint32_t length = 0;
  for (int i = 3; i >= 0; --i) {
    length = length << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return length;
}

Error TooLarge(uint32_t length, uint32_t bytes_max) {
  return {ErrorCode::kResourceExhausted, "a frame of " + std::to_string(length) +
                                             " bytes exceeds the limit of " +
                                             std::to_string(bytes_max)};
}

}  // namespace

std::string EncodeFrame(std::string_view payload) {
  NACRE_CHECK(payload.size() <= std::numeric_limits<uint32_t>::max());
  const uint32_t length = static_cast<uint32_t>(payload.size());
  std::string frame;
  frame.reserve(kFrameHeaderBytes + payload.size());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    frame.push_back(static_cast<char>(length >> shift & 0xFFU));
  }
  frame.append(payload);
  return frame;
}

Result<std::string> ReadFrame(int fd, uint32_t payload_bytes_max) {
  char header[kFrameHeaderBytes];
  NACRE_TRY(ReadExactly(fd, header, sizeof header));
  const uint32_t length = DecodeLength(header);
  if (length > payload_bytes_max) {
    return TooLarge(length, payload_bytes_max);
  }
  std::string payload(length, '\0');
  NACRE_TRY(ReadExactly(fd, payload.data(), payload.size()));
  return payload;
}

Status WriteFrame(int fd, std::string_view payload) {
  return WriteAll(fd, EncodeFrame(payload));
}

Result<bool> FrameDecoder::Next(std::string* payload) {
  if (buffer_.size() < kFrameHeaderBytes) {
    return false;
  }
  const uint32_t length = DecodeLength(buffer_.data());
  if (length > payload_bytes_max_) {
    return TooLarge(length, payload_bytes_max_);
  }
  if (buffer_.size() < kFrameHeaderBytes + size_t{length}) {
    return false;
  }
  payload->assign(buffer_, kFrameHeaderBytes, length);
  buffer_.erase(0, kFrameHeaderBytes + size_t{length});
  return true;
}

}  // namespace nacre
