// GrpcServer: the gateway of `nacre serve`. It listens on Unix sockets only: on its own it offers
// nacre.v1.SessionService, grpc.health.v1.Health and, where calls wait for a person's answer,
// nacre.v1.ApprovalService; on the approval socket the last one alone.
//
//   auto server = NACRE_TRY(GrpcServer::Start(options, services));
//   std::cerr << "listening on " << options.socket_path << "\n";
//   NACRE_TRY(server->ServeUntil(cancel));   // cancel: SIGTERM and SIGINT, by the command
//
// We accept connections ourselves and hand them to gRPC, because gRPC neither sets the socket's
// mode nor looks at who connects. Each person's connections end in a gRPC server of their own, which
// knows them by that: nothing that a request says counts.
#pragma once

#include <memory>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/agent/session_driver.h"
#include "runtime/server/server_options.h"

namespace nacre::server {

// Thread-compatible.
class GrpcServer final {
 public:
  // Listens at once: a client that connects now is served when ServeUntil() runs. `services` are
  // borrowed for the server's life. Errors: those of UnixListener::Listen() and GroupNamed().
  static Result<std::unique_ptr<GrpcServer>> Start(const ServerOptions& options,
                                                   const agent::Services& services);

  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;
  ~GrpcServer();

  // Serves until the token fires, then shuts down: no new connections, running turns are cancelled
  // and their clients told, RPCs that have not ended within 5 s are cut off. On return every turn
  // has ended, so what `services` point to may go. Once per server.
  Status ServeUntil(const CancelToken& cancel);

 private:
  struct Parts;
  explicit GrpcServer(std::unique_ptr<Parts> parts);
  void ShutDown();

  std::unique_ptr<Parts> parts_;
};

}  // namespace nacre::server
