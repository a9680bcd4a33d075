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
#include <utility>
#include <vector>

#include "base/account.h"
#include "runtime/agent/access_log.h"
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
constexpr int kAcceptPauseMs = 100;
constexpr int kLeftOutPauseMs = 1000;
constexpr char kClientRefused[] = "client.refused";
constexpr size_t kDoorsMax = 64;  // persons that have connected to one socket since the start
constexpr size_t kApprovalMemoryBytesMax = 32U << 20;

// A gRPC server that is handed its connections.
class Endpoint final {
 public:
  struct Offer {
    std::vector<grpc::Service*> services;
    bool health = false;
    size_t memory_bytes_max = 0;
  };
  static Result<std::unique_ptr<Endpoint>> Open(const Offer& offer) {
    auto endpoint = std::make_unique<Endpoint>();
    grpc::EnableDefaultHealthCheckService(offer.health);  // for the servers that are built next
    grpc::ServerBuilder builder;
    for (grpc::Service* service : offer.services) {
      builder.RegisterService(service);
    }
    builder.SetMaxReceiveMessageSize(kRequestBytesMax);
    builder.SetMaxSendMessageSize(kMessageBytesMax);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
    builder.SetResourceQuota(grpc::ResourceQuota("nacre.gateway").Resize(offer.memory_bytes_max));
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
    if (auto* health = endpoint->server_->GetHealthCheckService(); health != nullptr) {
      health->SetServingStatus(v1::SessionService::service_full_name(), true);
    }
    return endpoint;
  }

  // New calls are refused by what the health service says from now on.
  void SayGoodbye() {
    if (auto* health = server_->GetHealthCheckService(); health != nullptr) {
      health->Shutdown();
    }
  }

  void Serve(Connection connection, int listener) {
    Acceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection.socket.release();  // gRPC closes it
    acceptor_->HandleNewConnection(&parameters);
  }

  // Returns when every RPC is over; those that are not by then are cancelled.
  void ShutDown(std::chrono::system_clock::time_point end) {
    server_->Shutdown(end);
    server_->Wait();
  }

 private:
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

// Where one person's connections end: gRPC does not say who is on the other end of one.
struct Door {
  Door(uid_t person, ApprovalBook& book, agent::AccessLog& access)
      : approvals(person, book, access) {}

  ApprovalService approvals;
  std::unique_ptr<Endpoint> endpoint;
  Json admission;  // what the records of those who are let in say of them
  agent::RecordsPerMinute admissions;
};

// A socket, and the persons who have come to it.
struct Gate {
  UnixListener listener;
  std::string socket;
  std::string group =
      {};                // of the host, for whose members it is; empty: for nobody but us and root
  bool resting = false;  // it could not accept: out of descriptors, most likely
  std::map<uid_t, std::unique_ptr<Door>> doors = {};
};

}  // namespace

// In the order of construction; destruction runs backwards.
struct GrpcServer::Parts {
  Parts(const ServerOptions& options, const agent::Services& services)
      : approvals_wait(options.approvals.wait),
        access(services.log, services.clock),
        book(::geteuid()),
        sessions(options.sessions, WithApprover(services, approvals_wait ? &book : nullptr)) {}

  static agent::Services WithApprover(agent::Services services, agent::Approver* approver) {
    services.approver = approver;
    return services;
  }

  // The door of this person, opened when they come for the first time. An error: there are too many.
  Result<Door*> DoorOf(Gate& gate, uid_t person) {
    const auto known = gate.doors.find(person);
    if (known != gate.doors.end()) {
      return known->second.get();
    }
    if (gate.doors.size() >= kDoorsMax) {
      return Error{ErrorCode::kResourceExhausted, "too many persons have connected"};
    }
    const bool own = &gate == &*main;
    auto door = std::make_unique<Door>(person, book, access);
    Json services = Json::array();
    Endpoint::Offer offer{.services = {},
                          .health = own,
                          .memory_bytes_max = own ? kMemoryBytesMax : kApprovalMemoryBytesMax};
    if (own) {
      offer.services.push_back(&sessions);
      services.push_back(v1::SessionService::service_full_name());
    }
    if (approvals_wait) {
      offer.services.push_back(&door->approvals);
      services.push_back(v1::ApprovalService::service_full_name());
    }
    door->endpoint = NACRE_TRY(Endpoint::Open(offer));
    door->admission = {{"as", person == ::geteuid() ? "owner"
                              : person == 0         ? "root"
                                                    : "member"},
                       {"socket", gate.socket},
                       {"group", gate.group},
                       {"services", std::move(services)}};
    return gate.doors.emplace(person, std::move(door)).first->second.get();
  }

  void AcceptFrom(Gate& gate) {
    Result<Connection> connection = gate.listener.Accept();
    gate.resting = !connection.ok();  // the client waits in the backlog, or was turned away
    if (!connection.ok()) {
      return access.RecordRefusal(kClientRefused, std::nullopt, "", connection.error().message);
    }
    const uid_t user = connection.value().user;
    if (!connection.value().refused.empty()) {
      return access.RecordRefusal(kClientRefused, user, "", connection.value().refused);
    }
    if (!connection.value().valid()) {
      return;
    }
    const auto door = DoorOf(gate, user);
    if (!door.ok()) {
      return access.RecordRefusal(kClientRefused, user, "", door.error().message);
    }
    Json admission = door.value()->admission;
    admission["pid"] = static_cast<int64_t>(connection.value().process);
    if (access.RecordAdmission(user, std::move(admission), &door.value()->admissions).ok()) {
      door.value()->endpoint->Serve(std::move(connection).value(), gate.listener.poll_fd());
    }
  }

  // Of those who were let in without a record of their own. Answers whether some are still to be told of.
  bool RecordLeftOut(bool at_once) {
    bool waiting = false;
    for (std::optional<Gate>* gate : {&main, &for_approvers}) {
      if (gate->has_value()) {
        for (auto& [person, door] : (*gate)->doors) {
          access.RecordLeftOut(person, door->admission, &door->admissions, at_once);
          waiting |= door->admissions.left_out > 0;
        }
      }
    }
    return waiting;
  }

  const bool approvals_wait;
  agent::AccessLog access;
  ApprovalBook book;
  SessionService sessions;
  std::optional<Gate> main;
  std::optional<Gate> for_approvers;
};

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

GrpcServer::~GrpcServer() {
  ShutDown();
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ServerOptions& options,
                                                      const agent::Services& services) {
  const ApprovalOptions& approvals = options.approvals;
  auto parts = std::make_unique<Parts>(options, services);
  parts->main.emplace(
      Gate{NACRE_TRY(UnixListener::Listen(options.socket_path)), options.socket_path});
  if (!approvals.socket_path.empty()) {
    const gid_t group = NACRE_TRY(GroupNamed(approvals.group));
    parts->for_approvers.emplace(Gate{NACRE_TRY(UnixListener::Listen(approvals.socket_path, group)),
                                      approvals.socket_path, approvals.group});
  }
  // Now rather than with the first client: what is wrong with gRPC shows at once.
  NACRE_TRY(parts->DoorOf(*parts->main, ::geteuid()));
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
}

Status GrpcServer::ServeUntil(const CancelToken& cancel) {
  Status status;
  const auto fd_of = [](const std::optional<Gate>& gate) {
    return gate.has_value() && !gate->resting ? gate->listener.poll_fd() : -1;
  };
  while (!cancel.cancelled() && status.ok()) {
    pollfd waiting[] = {{cancel.poll_fd(), POLLIN, 0},
                        {fd_of(parts_->main), POLLIN, 0},
                        {fd_of(parts_->for_approvers), POLLIN, 0}};
    const bool some_rest =
        parts_->main->resting || (parts_->for_approvers && parts_->for_approvers->resting);
    const bool left_out = parts_->RecordLeftOut(false);
    const int pause_ms = some_rest ? kAcceptPauseMs : left_out ? kLeftOutPauseMs : -1;
    if (::poll(waiting, 3, pause_ms) < 0 && errno != EINTR) {
      status = SysError("poll", errno);
      break;
    }
    int place = 1;
    for (std::optional<Gate>* gate : {&parts_->main, &parts_->for_approvers}) {
      if (waiting[place++].revents != 0) {
        parts_->AcceptFrom(**gate);
      } else if (gate->has_value()) {
        (*gate)->resting = false;
      }
    }
  }
  ShutDown();
  return status;
}

void GrpcServer::ShutDown() {
  if (parts_ == nullptr) {
    return;
  }
  parts_->sessions.BeginShutdown();  // before anything that may wait: no call begins any more
  parts_->RecordLeftOut(true);
  std::vector<std::unique_ptr<Door>> doors;
  for (std::optional<Gate>* gate : {&parts_->main, &parts_->for_approvers}) {
    if (gate->has_value()) {
      for (auto& [person, door] : (*gate)->doors) {
        door->endpoint->SayGoodbye();
        doors.push_back(std::move(door));
      }
      gate->reset();  // new clients get "connection refused", not silence
    }
  }
  const auto end = std::chrono::system_clock::now() + kShutdownGrace;
  parts_->sessions.WaitForStreams(end);
  for (const auto& door : doors) {
    door->endpoint->ShutDown(end);
  }
  doors.clear();
  parts_.reset();
}

}  // namespace nacre::server
