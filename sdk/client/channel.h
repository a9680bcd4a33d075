// A gRPC channel to a server's Unix socket.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"

namespace nacre::client {

// Whose server it may be: others must not be told our requests, but an approver's answer they may.
enum class ServedBy { kUsOrRoot = 0, kAnybody };

// kUnavailable: nobody listens there. kPermissionDenied: the socket, or the server behind it, belongs
// to another user. kInvalidArgument: no path of a socket.
Result<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& socket_path,
                                                   ServedBy served_by);

void SetTimeout(grpc::ClientContext& context, std::chrono::seconds timeout);

}  // namespace nacre::client
