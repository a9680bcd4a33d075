#include "sdk/client/channel.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace nacre::client {
namespace {

constexpr int kMessageBytesMax = 4 << 20;

Result<UniqueFd> ConnectTo(const std::string& path, ServedBy served_by) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path ||
      path.find('\0') != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "a socket path has 1 to " +
                                                  std::to_string(sizeof address.sun_path - 1) +
                                                  " bytes: " + path};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return SysError("socket", errno);
  }
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ECONNREFUSED) {
      return Error{ErrorCode::kUnavailable,
                   "no server listens on " + path + "; start one with nacre serve"};
    }
    return SysError("connect to " + path, reason);
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return SysError("ask who serves " + path, errno);
  }
  if (served_by == ServedBy::kUsOrRoot && peer.uid != ::geteuid() && peer.uid != 0) {
    return Error{ErrorCode::kPermissionDenied, "the server on " + path + " belongs to user " +
                                                   std::to_string(peer.uid) + ", not to you"};
  }
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return SysError("fcntl of the connection", errno);
  }
  return socket;
}

}  // namespace

Result<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& socket_path,
                                                   ServedBy served_by) {
  UniqueFd socket = NACRE_TRY(ConnectTo(socket_path, served_by));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  return grpc::CreateCustomInsecureChannelFromFd("nacre", socket.release(),
                                                 arguments);  // closes it
}

void SetTimeout(grpc::ClientContext& context, std::chrono::seconds timeout) {
  context.set_deadline(std::chrono::system_clock::now() + timeout);
}

}  // namespace nacre::client
