// One message with its descriptors, over a SOCK_SEQPACKET socket. Async-signal-safe but for the
// vectors and strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sandbox::zygote {

struct Received {
  std::string bytes;  // empty: the other end is closed
  std::vector<UniqueFd> descriptors;
};

enum class Waiting { kNo = 0, kYes };

// 0 or -errno. The descriptors stay the caller's.
int SendMessage(int socket, std::string_view bytes, const std::vector<int>& descriptors,
                Waiting waiting);
// kUnavailable when nothing waits; another error for what is no whole message of at most
// kMessageBytesMax and kDescriptorsMax.
Result<Received> ReceiveMessage(int socket, Waiting waiting);

}  // namespace nacre::sandbox::zygote
