#include "runtime/server/grpc_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "runtime/server/session_service.h"
#include "runtime/server/unix_listener.h"

namespace nacre::server {
namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

constexpr int kRequestBytesMax = 512 << 10;  // a text of 256 KiB, and room for what is around it
constexpr int kMessageBytesMax = 4 << 20;
constexpr size_t kMemoryBytesMax = 256U << 20;
constexpr int kStreamsPerConnectionMax = 64;
constexpr std::chrono::seconds kShutdownGrace{5};
constexpr int kAcceptPauseMs = 100;

}  // namespace

// In the order of construction; destruction runs backwards.
struct GrpcServer::Parts {
  Parts(const ServerOptions& options, const agent::Services& services, UnixListener socket)
      : listener(std::move(socket)), service(options.sessions, services) {}

  std::optional<UnixListener> listener;
  SessionService service;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
};

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

GrpcServer::~GrpcServer() {
  ShutDown();
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ServerOptions& options,
                                                      const agent::Services& services) {
  UnixListener listener = NACRE_TRY(UnixListener::Listen(options.socket_path));
  auto parts = std::make_unique<Parts>(options, services, std::move(listener));

  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.RegisterService(&parts->service);
  builder.SetMaxReceiveMessageSize(kRequestBytesMax);
  builder.SetMaxSendMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  builder.SetResourceQuota(grpc::ResourceQuota("nacre.gateway").Resize(kMemoryBytesMax));
  // Nobody needs compression on a Unix socket, and without it there are no decompression bombs.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // The socket is the credential: only our user and root get this far.
  parts->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr) {
    return Error{ErrorCode::kInternal, "gRPC could not start its server"};
  }
  parts->server->GetHealthCheckService()->SetServingStatus(v1::SessionService::service_full_name(),
                                                           true);
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
}

Status GrpcServer::ServeUntil(const CancelToken& cancel) {
  Status status;
  while (!cancel.cancelled() && status.ok()) {
    pollfd waiting[] = {{cancel.poll_fd(), POLLIN, 0}, {parts_->listener->poll_fd(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) {
      status = SysError("poll", errno);
      break;
    }
    if (waiting[1].revents == 0) {
      continue;
    }
    Result<UniqueFd> connection = parts_->listener->Accept();
    if (!connection.ok()) {
      // Out of descriptors, most likely: the client waits in the backlog or was turned away. A
      // short pause, since the socket stays readable.
      ::poll(waiting, 1, kAcceptPauseMs);
      continue;
    }
    if (connection.value()) {
      Acceptor::NewConnectionParameters parameters;
      parameters.listener_fd = parts_->listener->poll_fd();
      parameters.fd = connection.value().release();  // gRPC closes it
      parts_->acceptor->HandleNewConnection(&parameters);
    }
  }
  ShutDown();
  return status;
}

void GrpcServer::ShutDown() {
  if (parts_ == nullptr) {
    return;
  }
  parts_->listener.reset();  // new clients get "connection refused", not silence
  parts_->server->GetHealthCheckService()->Shutdown();
  parts_->service.BeginShutdown();
  // Returns when every RPC is over; those that the grace did not suffice for are cancelled.
  parts_->server->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
  parts_->server->Wait();
  parts_.reset();
}

}  // namespace nacre::server
