// agent::Event -> protobuf, and nacre's errors -> gRPC's. Protobuf's types stop in this folder.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "nacre/v1/session.pb.h"
#include "runtime/agent/events.h"

namespace nacre::server {

// Protobuf strings must be UTF-8, and tools write what they like: bytes that are not become U+FFFD,
// as in the JSON of `nacre run --json`.
v1::TurnEvent ToProto(const agent::Event& event);
v1::SessionStarted ToProto(const agent::SessionStarted& event);

std::string ToUtf8(std::string_view text);

// The codes are numerically equal. A long message is shortened: it travels as a header.
grpc::Status ToGrpc(const Error& error);
grpc::Status ToGrpc(const Status& status);

}  // namespace nacre::server
