#include "sdk/client/session_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "base/unique_fd.h"
#include "nacre/v1/session.grpc.pb.h"
#include "sdk/client/channel.h"
#include "sdk/client/event_conversion.h"

namespace nacre::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kTitleBytesMax = 4096;
constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::chrono::seconds kCancelTimeout{5};
constexpr std::chrono::seconds kCancelGrace{10};

// For poll(2): how long until then. Rounded up: a wait that ends a moment too early would only be
// repeated.
int MillisUntil(steady_clock::time_point time) {
  if (time == steady_clock::time_point::max()) {
    return -1;
  }
  const auto left = std::chrono::ceil<milliseconds>(time - steady_clock::now()).count();
  return static_cast<int>(std::max<milliseconds::rep>(left, 0));
}

// Receives a stream on gRPC's threads, one message at a time, for a thread that also waits for a
// CancelToken. Lives until gRPC has called OnDone().
class EventReader final : public grpc::ClientReadReactor<v1::TurnEvent> {
 public:
  explicit EventReader(UniqueFd wake) : wake_(std::move(wake)) {}

  void Start() {
    AddHold();  // reads are started from outside gRPC's callbacks, which needs it
    StartRead(&message_);
    StartCall();
  }

  // Readable when Take() has something new.
  int poll_fd() const { return wake_.get(); }

  struct News {
    bool message = false;              // in message(), until ReadNext()
    std::optional<grpc::Status> done;  // the stream's end; nothing comes after it
  };
  News Take() {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got =
        ::read(wake_.get(), &count, sizeof count);  // only resets it
    const std::lock_guard lock(mutex_);
    return {std::exchange(message_ready_, false), done_};
  }
  const v1::TurnEvent& message() const { return message_; }
  void ReadNext() { StartRead(&message_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();  // no further read will be started: OnDone() may come
      return;
    }
    const std::lock_guard lock(mutex_);
    message_ready_ = true;
    Wake();
  }
  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    done_ = status;
    Wake();
  }

 private:
  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(wake_.get(), &one, sizeof one);
  }

  const UniqueFd wake_;
  v1::TurnEvent message_;  // gRPC's between StartRead() and OnReadDone()
  std::mutex mutex_;
  bool message_ready_ = false;
  std::optional<grpc::Status> done_;
};

}  // namespace

struct SessionClient::Connection {
  explicit Connection(std::shared_ptr<grpc::Channel> channel)
      : stub(v1::SessionService::NewStub(channel)) {}

  // Drives a started stream to its end.
  Status Receive(grpc::ClientContext& context, EventReader& reader, const std::string& session,
                 const EventCallback& on_event, const CancelToken& cancel);
  Result<bool> Cancel(const std::string& session, std::chrono::seconds timeout);

  std::unique_ptr<v1::SessionService::Stub> stub;
};

Result<bool> SessionClient::Connection::Cancel(const std::string& session,
                                               std::chrono::seconds timeout) {
  grpc::ClientContext context;
  SetTimeout(context, timeout);
  v1::CancelTurnRequest request;
  request.set_session(session);
  v1::CancelTurnResponse response;
  NACRE_TRY(FromGrpc(stub->CancelTurn(&context, request, &response)));
  return response.was_running();
}

Status SessionClient::Connection::Receive(grpc::ClientContext& context, EventReader& reader,
                                          const std::string& session, const EventCallback& on_event,
                                          const CancelToken& cancel) {
  Status failure;
  bool begun = false;                              // an event has come
  bool watching = true;                            // for the token
  auto cut_off = steady_clock::time_point::max();  // then: when the cancelled turn has had its time
  reader.Start();
  while (true) {
    pollfd waiting[] = {{reader.poll_fd(), POLLIN, 0},
                        {watching ? cancel.poll_fd() : -1, POLLIN, 0}};
    ::poll(waiting, 2, MillisUntil(cut_off));
    if (steady_clock::now() >= cut_off) {
      cut_off = steady_clock::time_point::max();
      context.TryCancel();
    }
    if (watching && cancel.cancelled()) {
      watching = false;
      cut_off = steady_clock::now() + kCancelGrace;
      // Asked politely, the server ends the turn and still tells how. If it knows of no turn and we
      // have seen none begin, the request may not have reached it: we cancel the stream itself.
      const Result<bool> asked = Cancel(session, kCancelTimeout);
      if (!asked.ok() || (!asked.value() && !begun)) {
        context.TryCancel();
      }
    }
    const EventReader::News news = reader.Take();
    if (news.done.has_value()) {
      return failure.ok() ? FromGrpc(*news.done) : failure;
    }
    if (!news.message) {
      continue;
    }
    begun = true;
    Result<Event> event = FromProto(reader.message());
    if (event.ok()) {
      on_event(event.value());
    } else if (failure.ok()) {
      failure = event.error();
      context.TryCancel();
    }
    reader.ReadNext();
  }
}

SessionClient::SessionClient(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
SessionClient::~SessionClient() = default;

Result<std::unique_ptr<SessionClient>> SessionClient::Connect(const std::string& socket_path) {
  auto channel = NACRE_TRY(OpenChannel(socket_path, ServedBy::kUsOrRoot));
  return std::unique_ptr<SessionClient>(
      new SessionClient(std::make_unique<Connection>(std::move(channel))));
}

Result<Event> SessionClient::CreateSession(const NewSession& session) {
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::CreateSessionRequest request;
  request.set_workspace(session.workspace);
  request.set_policy(session.policy);
  size_t size = std::min(session.title.size(), kTitleBytesMax);
  while (size < session.title.size() && size > 0 &&
         (static_cast<uint8_t>(session.title[size]) & 0xC0U) == 0x80U) {
    --size;  // not in the middle of a character
  }
  request.set_title(session.title.substr(0, size));
  v1::CreateSessionResponse response;
  NACRE_TRY(FromGrpc(connection_->stub->CreateSession(&context, request, &response)));
  return FromProto(response.started());
}

Status SessionClient::Send(const std::string& session, const std::string& text,
                           const EventCallback& on_event, const CancelToken& cancel) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) {
    return SysError("eventfd", errno);
  }
  v1::SendMessageRequest request;
  request.set_session(session);
  request.set_text(text);
  grpc::ClientContext context;
  EventReader reader(std::move(wake));
  connection_->stub->async()->SendMessage(&context, &request, &reader);
  return connection_->Receive(context, reader, session, on_event, cancel);
}

Status SessionClient::Resume(const std::string& session, const EventCallback& on_event,
                             const CancelToken& cancel) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) {
    return SysError("eventfd", errno);
  }
  v1::ResumeSessionRequest request;
  request.set_session(session);
  grpc::ClientContext context;
  EventReader reader(std::move(wake));
  connection_->stub->async()->ResumeSession(&context, &request, &reader);
  return connection_->Receive(context, reader, session, on_event, cancel);
}

Result<bool> SessionClient::Cancel(const std::string& session) {
  return connection_->Cancel(session, kCancelTimeout);
}

Result<std::vector<SessionSummary>> SessionClient::List(int limit) {
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::ListSessionsRequest request;
  request.set_limit(limit);
  v1::ListSessionsResponse response;
  NACRE_TRY(FromGrpc(connection_->stub->ListSessions(&context, request, &response)));
  std::vector<SessionSummary> sessions;
  for (const v1::SessionSummary& s : response.sessions()) {
    sessions.push_back({s.session(), s.created_ms(), s.updated_ms(), s.workspace(), s.policy(),
                        s.model(), s.title(), s.turns(), s.unfinished()});
  }
  return sessions;
}

}  // namespace nacre::client
