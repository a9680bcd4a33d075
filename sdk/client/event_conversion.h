// Protobuf -> the client's plain structs. Private to sdk/client.
#pragma once

#include <grpcpp/support/status.h>

#include "base/result.h"
#include "nacre/v1/session.pb.h"
#include "sdk/client/session_client.h"

namespace nacre::client {

// kDataLoss when an event holds JSON that does not parse; kUnimplemented for an event that this
// client does not know.
Result<Event> FromProto(const v1::TurnEvent& event);
Event FromProto(const v1::SessionStarted& event);

Status FromGrpc(const grpc::Status& status);

}  // namespace nacre::client
