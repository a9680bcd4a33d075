#include "sandbox/zygote/channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "sandbox/zygote/messages.h"

namespace nacre::sandbox::zygote {

int SendMessage(int socket, std::string_view bytes, const std::vector<int>& descriptors,
                Waiting waiting) {
  if (bytes.empty() || bytes.size() > kMessageBytesMax || descriptors.size() > kDescriptorsMax) {
    return -EMSGSIZE;
  }
  struct iovec part = {};
  part.iov_base = const_cast<char*>(bytes.data());
  part.iov_len = bytes.size();
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(struct cmsghdr) char control[CMSG_SPACE(kDescriptorsMax * sizeof(int))];
  if (!descriptors.empty()) {
    const size_t size = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    std::memset(control, 0, CMSG_SPACE(size));
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  const int flags = MSG_NOSIGNAL | (waiting == Waiting::kNo ? MSG_DONTWAIT : 0);
  for (;;) {
    if (::sendmsg(socket, &message, flags) >= 0) {
      return 0;
    }
    if (errno != EINTR) {
      return -errno;
    }
  }
}

Result<Received> ReceiveMessage(int socket, Waiting waiting) {
  static thread_local char buffer[kMessageBytesMax];
  struct iovec part = {};
  part.iov_base = buffer;
  part.iov_len = sizeof buffer;
  alignas(struct cmsghdr) char control[CMSG_SPACE(kDescriptorsMax * sizeof(int))];
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message,
                     MSG_CMSG_CLOEXEC | (waiting == Waiting::kNo ? MSG_DONTWAIT : 0));
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    return errno == EAGAIN ? Error{ErrorCode::kUnavailable, "nothing waits"}
                           : SysError("recvmsg", errno);
  }
  Received received;
  for (struct cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      received.descriptors.emplace_back(descriptor);
    }
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error{ErrorCode::kInvalidArgument, "a message is longer than it may be"};
  }
  received.bytes.assign(buffer, static_cast<size_t>(size));
  return received;
}

}  // namespace nacre::sandbox::zygote
