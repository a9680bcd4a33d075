#include "runtime/server/grpc_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/account.h"
#include "runtime/server/approval_service.h"
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
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr size_t kAnswerThreads = 2;
constexpr size_t kAnswersWaitingMax = 64;
constexpr size_t kDoorsMax = 32;  // approvers that have connected since the start
constexpr size_t kDoorMemoryBytesMax = 32U << 20;

}  // namespace

namespace {

// A gRPC server that is handed its connections.
class Endpoint final {
 public:
  static Result<std::unique_ptr<Endpoint>> Open(const std::vector<grpc::Service*>& services,
                                                size_t memory_bytes_max) {
    auto endpoint = std::make_unique<Endpoint>();
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    for (grpc::Service* service : services) {
      builder.RegisterService(service);
    }
    builder.SetMaxReceiveMessageSize(kRequestBytesMax);
    builder.SetMaxSendMessageSize(kMessageBytesMax);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
    builder.SetResourceQuota(grpc::ResourceQuota("nacre.gateway").Resize(memory_bytes_max));
    // Nobody needs compression on a Unix socket, and without it there are no decompression bombs.
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
    // The socket is the credential: who gets this far was looked at by the listener.
    endpoint->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    endpoint->server_ = builder.BuildAndStart();
    if (endpoint->server_ == nullptr) {
      return Error{ErrorCode::kInternal, "gRPC could not start its server"};
    }
    return endpoint;
  }

  grpc::HealthCheckServiceInterface& health() { return *server_->GetHealthCheckService(); }

  void Serve(Connection connection, int listener) {
    Acceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection.socket.release();  // gRPC closes it
    acceptor_->HandleNewConnection(&parameters);
  }

  // Returns when every RPC is over; those that the grace did not suffice for are cancelled.
  void ShutDown() {
    server_->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
    server_->Wait();
  }

 private:
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

// One connection to the endpoint of whoever is on the other end; without one it is closed.
template <typename EndpointOf>
void AcceptFrom(UnixListener& listener, const EndpointOf& endpoint_of) {
  Result<Connection> connection = listener.Accept();
  if (!connection.ok()) {
    // Out of descriptors, most likely: the client waits in the backlog or was turned away. A short
    // pause, since the socket stays readable.
    std::this_thread::sleep_for(kAcceptPause);
  } else if (connection.value().valid()) {
    if (Endpoint* endpoint = endpoint_of(connection.value().user)) {
      endpoint->Serve(std::move(connection).value(), listener.poll_fd());
    }
  }
}

// Where one approver's connections end: gRPC does not say who is on the other end of one.
struct Door {
  Door(uid_t person, ApprovalBook& book, WorkerPool& pool) : approvals(person, book, pool) {}

  ApprovalService approvals;
  std::unique_ptr<Endpoint> endpoint;
};

}  // namespace

// In the order of construction; destruction runs backwards.
struct GrpcServer::Parts {
  Parts(const ServerOptions& options, const agent::Services& services, UnixListener socket)
      : listener(std::move(socket)),
        book(::geteuid()),
        answers(kAnswerThreads, kAnswersWaitingMax),
        approvals(::geteuid(), book, answers),
        sessions(options.sessions, services, options.approvals.wait ? &book : nullptr) {}

  // The one of this person, opened when they come for the first time. Null: there are too many.
  Endpoint* DoorOf(uid_t person) {
    const auto known = doors.find(person);
    if (known != doors.end()) {
      return known->second->endpoint.get();
    }
    if (doors.size() >= kDoorsMax) {
      return nullptr;
    }
    auto door = std::make_unique<Door>(person, book, answers);
    Result<std::unique_ptr<Endpoint>> opened =
        Endpoint::Open({&door->approvals}, kDoorMemoryBytesMax);
    if (!opened.ok()) {
      return nullptr;
    }
    door->endpoint = std::move(opened).value();
    return doors.emplace(person, std::move(door)).first->second->endpoint.get();
  }

  std::optional<UnixListener> listener;
  std::optional<UnixListener> approval_listener;
  ApprovalBook book;
  WorkerPool answers;
  ApprovalService approvals;
  SessionService sessions;
  std::unique_ptr<Endpoint> endpoint;
  std::map<uid_t, std::unique_ptr<Door>> doors;
};

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

GrpcServer::~GrpcServer() {
  ShutDown();
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ServerOptions& options,
                                                      const agent::Services& services) {
  const ApprovalOptions& approvals = options.approvals;
  UnixListener listener = NACRE_TRY(UnixListener::Listen(options.socket_path));
  auto parts = std::make_unique<Parts>(options, services, std::move(listener));
  if (!approvals.socket_path.empty()) {
    const gid_t group = NACRE_TRY(GroupNamed(approvals.group));
    parts->approval_listener.emplace(NACRE_TRY(UnixListener::Listen(approvals.socket_path, group)));
  }
  std::vector<grpc::Service*> offered = {&parts->sessions};
  if (approvals.wait) {
    offered.push_back(&parts->approvals);
  }
  parts->endpoint = NACRE_TRY(Endpoint::Open(offered, kMemoryBytesMax));
  parts->endpoint->health().SetServingStatus(v1::SessionService::service_full_name(), true);
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
}

Status GrpcServer::ServeUntil(const CancelToken& cancel) {
  Status status;
  const int approval_fd =
      parts_->approval_listener.has_value() ? parts_->approval_listener->poll_fd() : -1;
  while (!cancel.cancelled() && status.ok()) {
    pollfd waiting[] = {{cancel.poll_fd(), POLLIN, 0},
                        {parts_->listener->poll_fd(), POLLIN, 0},
                        {approval_fd, POLLIN, 0}};
    if (::poll(waiting, 3, -1) < 0 && errno != EINTR) {
      status = SysError("poll", errno);
      break;
    }
    if (waiting[1].revents != 0) {
      AcceptFrom(*parts_->listener, [this](uid_t) { return parts_->endpoint.get(); });
    }
    if (waiting[2].revents != 0) {
      AcceptFrom(*parts_->approval_listener,
                 [this](uid_t person) { return parts_->DoorOf(person); });
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
  parts_->approval_listener.reset();
  parts_->endpoint->health().Shutdown();
  parts_->sessions.BeginShutdown();
  parts_->endpoint->ShutDown();
  for (const auto& [person, door] : parts_->doors) {
    door->endpoint->ShutDown();
  }
  parts_.reset();
}

}  // namespace nacre::server
