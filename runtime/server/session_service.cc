#include "runtime/server/session_service.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "runtime/server/event_conversion.h"
#include "runtime/server/unary_answer.h"
#include "runtime/server/workspace_scope.h"

namespace nacre::server {
namespace {

constexpr size_t kTextBytesMax = 256U << 10;
constexpr size_t kTitleBytesMax = 4096;
constexpr size_t kRequestThreads = 2;
constexpr size_t kRequestsWaitingMax = 64;
constexpr int64_t kListDefault = 50;
constexpr int64_t kListMax = 200;
constexpr int64_t kListScanMax = 2000;  // sessions looked at for those in the root
constexpr size_t kPrefixMin = 4;
constexpr size_t kUlidSize = 26;

Error Invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

// What the store may be asked for: nothing else reaches it.
Status CheckSessionName(const std::string& name) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  if (name == "last" || IsUlid(name) ||
      (name.size() >= kPrefixMin && name.size() < kUlidSize &&
       std::all_of(name.begin(), name.end(), is_digit))) {
    return Ok();
  }
  return Invalid("not a session: give its id, the first " + std::to_string(kPrefixMin) +
                 " or more characters of it, or \"last\"");
}

// Keeps what a new session announces, for the response.
class Announcement final : public agent::EventSink {
 public:
  void OnEvent(const agent::Event& event) override {
    if (const auto* started = std::get_if<agent::SessionStarted>(&event)) {
      started_ = *started;
    }
  }
  const agent::SessionStarted& started() const { return started_; }

 private:
  agent::SessionStarted started_;
};

Status StatusOf(const Result<agent::TurnFinished>& turn) {
  return turn.ok() ? Ok() : Status(turn.error());
}

}  // namespace

SessionService::SessionService(SessionServiceOptions options, const agent::Services& services)
    : options_(std::move(options)),
      services_(services),
      requests_(kRequestThreads, kRequestsWaitingMax),
      turns_(options_.turns_max, 0) {}

void SessionService::BeginShutdown() {
  const std::lock_guard lock(mutex_);
  shutting_down_ = true;
  for (const auto& [stream, open] : streams_) {
    stream->Cancel();
  }
}

void SessionService::WaitForStreams(std::chrono::system_clock::time_point end) {
  std::unique_lock lock(mutex_);
  no_streams_.wait_until(lock, end, [this] { return streams_.empty(); });
}

// ---- the edge: on gRPC's threads ----

grpc::ServerUnaryReactor* SessionService::CreateSession(grpc::CallbackServerContext* context,
                                                        const v1::CreateSessionRequest* request,
                                                        v1::CreateSessionResponse* response) {
  return AnswerOn(requests_, *context,
                  [this, request, response] { return Create(*request, *response); });
}

grpc::ServerUnaryReactor* SessionService::CancelTurn(grpc::CallbackServerContext* context,
                                                     const v1::CancelTurnRequest* request,
                                                     v1::CancelTurnResponse* response) {
  return AnswerOn(requests_, *context,
                  [this, request, response] { return Cancel(*request, *response); });
}

grpc::ServerUnaryReactor* SessionService::ListSessions(grpc::CallbackServerContext* context,
                                                       const v1::ListSessionsRequest* request,
                                                       v1::ListSessionsResponse* response) {
  return AnswerOn(requests_, *context,
                  [this, request, response] { return List(*request, *response); });
}

grpc::ServerWriteReactor<v1::TurnEvent>* SessionService::SendMessage(
    grpc::CallbackServerContext* context, const v1::SendMessageRequest* request) {
  (void)context;
  if (request->text().empty() || request->text().size() > kTextBytesMax) {
    return Refuse(Invalid("the text must have 1 to " + std::to_string(kTextBytesMax) + " bytes"));
  }
  // A copy: a stream's request may be freed once this function has returned.
  return Stream(
      request->session(),
      [this, session = request->session(), text = request->text()](TurnStream& stream) -> Status {
        const auto driver = NACRE_TRY(OpenSession(session, stream));
        return StatusOf(driver->RunTurn(text, stream.cancel_token()));
      });
}

grpc::ServerWriteReactor<v1::TurnEvent>* SessionService::ResumeSession(
    grpc::CallbackServerContext* context, const v1::ResumeSessionRequest* request) {
  (void)context;
  return Stream(
      request->session(), [this, session = request->session()](TurnStream& stream) -> Status {
        const auto driver = NACRE_TRY(OpenSession(session, stream));
        if (!driver->has_unfinished_turn()) {
          return Error{ErrorCode::kFailedPrecondition, "the session has no unfinished turn"};
        }
        return StatusOf(driver->ContinueTurn(stream.cancel_token()));
      });
}

grpc::ServerWriteReactor<v1::TurnEvent>* SessionService::Refuse(const Error& error) {
  auto* stream = new TurnStream(0, [](TurnStream*) {});  // owns itself
  stream->End(error);
  return stream;
}

grpc::ServerWriteReactor<v1::TurnEvent>* SessionService::Stream(const std::string& session,
                                                                Turn turn) {
  if (Status valid = CheckSessionName(session); !valid.ok()) {
    return Refuse(valid.error());
  }
  auto* stream = new TurnStream(options_.queue_bytes_max, [this](TurnStream* done) {  // owns itself
    const std::lock_guard lock(mutex_);
    streams_.erase(done);
    if (streams_.empty()) {
      no_streams_.notify_all();
    }
  });
  if (Status registered = Register(stream, session); !registered.ok()) {
    stream->End(registered);
    return stream;
  }
  const auto result = std::make_shared<Status>();
  const bool posted =
      turns_.Post([stream, result, turn = std::move(turn)] { *result = turn(*stream); },
                  [this, stream, result] { EndTurn(stream, *result); });
  if (!posted) {
    stream->End(Error{ErrorCode::kResourceExhausted,
                      "the server runs at most " + std::to_string(options_.turns_max) +
                          " turns at once; try again when one has ended"});
  }
  return stream;
}

Status SessionService::Register(TurnStream* stream, const std::string& session) {
  const std::lock_guard lock(mutex_);
  if (shutting_down_) {
    return Error{ErrorCode::kUnavailable, "the server is shutting down"};
  }
  if (streams_.size() >= options_.streams_max) {
    return Busy();
  }
  streams_.emplace(stream, Open{session, {}});
  return Ok();
}

void SessionService::EndTurn(TurnStream* stream, const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    streams_[stream].running = false;
  }
  stream->End(status);
}

bool SessionService::CancelNamed(const std::string& name) {
  const std::lock_guard lock(mutex_);
  bool found = false;
  for (const auto& [stream, open] : streams_) {
    if (open.running && (open.requested == name || open.resolved == name)) {
      stream->Cancel();
      found = true;
    }
  }
  return found;
}

// ---- the work: on the pools' threads ----

Status SessionService::Create(const v1::CreateSessionRequest& request,
                              v1::CreateSessionResponse& response) {
  if (request.title().size() > kTitleBytesMax) {
    return Invalid("the title has more than " + std::to_string(kTitleBytesMax) + " bytes");
  }
  if (!request.policy().empty() && request.policy() != options_.policy_name) {
    return Error{ErrorCode::kPermissionDenied, "this server's policy is \"" + options_.policy_name +
                                                   "\"; clients cannot choose another"};
  }
  {
    const std::lock_guard lock(mutex_);
    if (shutting_down_) {
      return Error{ErrorCode::kUnavailable, "the server is shutting down"};
    }
  }
  const std::string workspace =
      NACRE_TRY(ResolveWorkspace(options_.workspace_root, request.workspace()));
  agent::SessionOptions session;
  session.workspace = workspace;
  session.policy_name = options_.policy_name;
  session.policy = NACRE_TRY(options_.make_policy(workspace));
  Announcement sink;
  NACRE_TRY(agent::SessionDriver::Create(services_, std::move(session), request.title(), sink));
  *response.mutable_started() = ToProto(sink.started());
  return Ok();
}

Result<std::unique_ptr<agent::SessionDriver>> SessionService::OpenSession(
    const std::string& session, TurnStream& stream) {
  const memory::SessionRecord record = NACRE_TRY(services_.store.LoadSession(session)).session;
  {
    const std::lock_guard lock(mutex_);
    streams_[&stream].resolved = record.id;
  }
  if (record.policy != options_.policy_name) {
    return Error{ErrorCode::kFailedPrecondition, "the session was made under the policy \"" +
                                                     record.policy + "\", and this server's is \"" +
                                                     options_.policy_name + "\""};
  }
  agent::SessionOptions options;
  options.workspace = NACRE_TRY(ResolveWorkspace(options_.workspace_root, record.workspace));
  options.policy_name = options_.policy_name;
  options.policy = NACRE_TRY(options_.make_policy(options.workspace));
  if (record.policy_digest != options.policy->digest) {
    return Error{ErrorCode::kFailedPrecondition,
                 "the policy \"" + record.policy +
                     "\" has changed since the session began; start a new one"};
  }
  return agent::SessionDriver::Resume(services_, std::move(options), record.id, stream);
}

Status SessionService::Cancel(const v1::CancelTurnRequest& request,
                              v1::CancelTurnResponse& response) {
  NACRE_TRY(CheckSessionName(request.session()));
  bool was_running = CancelNamed(request.session());
  if (!was_running) {
    was_running = CancelNamed(NACRE_TRY(services_.store.LoadSession(request.session())).session.id);
  }
  response.set_was_running(was_running);
  return Ok();
}

Status SessionService::List(const v1::ListSessionsRequest& request,
                            v1::ListSessionsResponse& response) {
  if (request.limit() < 0) {
    return Invalid("the limit is negative");
  }
  const int64_t limit =
      request.limit() == 0 ? kListDefault : std::min<int64_t>(request.limit(), kListMax);
  const std::vector<memory::SessionRecord> records =
      NACRE_TRY(services_.store.ListSessions(kListScanMax));
  for (const memory::SessionRecord& record : records) {
    if (response.sessions_size() >= limit) {
      break;
    }
    if (!LiesIn(options_.workspace_root, record.workspace)) {
      continue;
    }
    v1::SessionSummary& summary = *response.add_sessions();
    summary.set_session(ToUtf8(record.id));
    summary.set_created_ms(record.created_ms);
    summary.set_updated_ms(record.updated_ms);
    summary.set_workspace(ToUtf8(record.workspace));
    summary.set_policy(ToUtf8(record.policy));
    summary.set_model(ToUtf8(record.model));
    summary.set_title(ToUtf8(record.title));
    summary.set_turns(record.turns);
    summary.set_unfinished(record.unfinished);
  }
  return Ok();
}

}  // namespace nacre::server
