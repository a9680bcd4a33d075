// An RPC that has one answer, given on a pool's thread instead of gRPC's.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "base/result.h"
#include "runtime/server/event_conversion.h"
#include "runtime/server/worker_pool.h"

namespace nacre::server {

inline Error Busy() {
  return {ErrorCode::kResourceExhausted, "the server is busy; try again in a moment"};
}

// gRPC keeps the RPC's request and response, which `work` may use, until it has answered.
inline grpc::ServerUnaryReactor* AnswerOn(WorkerPool& pool, grpc::CallbackServerContext& context,
                                          std::function<Status()> work) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  const auto status = std::make_shared<Status>();
  const bool posted = pool.Post([status, work = std::move(work)] { *status = work(); },
                                [status, reactor] { reactor->Finish(ToGrpc(*status)); });
  if (!posted) {
    reactor->Finish(ToGrpc(Busy()));
  }
  return reactor;
}

}  // namespace nacre::server
