// The whole gateway over its socket, seen by its own client and by raw gRPC.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nacre/v1/session.grpc.pb.h"
#include "runtime/audit/audit_verifier.h"
#include "tests/unit/server/gateway_fixture.h"

namespace nacre::server {
namespace {

using Names = std::vector<std::string>;

// What a client of another make would use.
std::shared_ptr<grpc::Channel> RawChannel(const Gateway& gateway) {
  return grpc::CreateChannel("unix:" + gateway.options.socket_path,
                             grpc::InsecureChannelCredentials());
}

grpc::StatusCode SendRaw(const Gateway& gateway, const v1::SendMessageRequest& request) {
  const auto stub = v1::SessionService::NewStub(RawChannel(gateway));
  grpc::ClientContext context;
  const auto reader = stub->SendMessage(&context, request);
  v1::TurnEvent event;
  while (reader->Read(&event)) {
  }
  return reader->Finish().error_code();
}

// grpc.health.v1 by hand, since Debian does not ship its stubs: the request {service: NAME} is
// field 1, the response {status: SERVING} the bytes 08 01.
grpc::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                         std::string& response) {
  std::string request;
  if (!service.empty()) {
    request = "\x0A" + std::string(1, static_cast<char>(service.size())) + service;
  }
  const grpc::Slice slice(request);
  grpc::ByteBuffer out(&slice, 1);
  grpc::ByteBuffer in;
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", out, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&in, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  REQUIRE(queue.Next(&tag, &ok));
  if (status.ok()) {
    grpc::Slice received;
    REQUIRE(in.DumpToSingleSlice(&received).ok());
    response.assign(reinterpret_cast<const char*>(received.begin()), received.size());
  }
  return status;
}

TEST_CASE("a client creates a session, sends a request and sees the turn as it happens") {
  Gateway gateway;
  const auto client = gateway.Connect();
  const client::Event started =
      Must(client->CreateSession({.workspace = {}, .policy = {}, .title = "a title"}));
  CHECK(started.name == "session.started");
  CHECK(started.data["workspace"] == gateway.root());
  CHECK(started.data["policy"] == "test");
  CHECK(started.data["policy_digest"] == gateway.policy->digest);
  CHECK(started.data["resumed"] == false);
  CHECK(started.data["model"] == "script");
  CHECK(started.data["demonstration_model"] == true);
  CHECK(started.data["sandbox"] == "pretended");

  Told told;
  Must(client->Send(started.data["session"], "call", told.callback(), {}));
  CHECK(told.names() == Names{"session.started", "turn.started", "call.decided", "call.started",
                              "call.finished", "text.delta", "text.delta", "turn.finished"});
  CHECK(told.events[1]["request"] == "call");
  CHECK(told.events[2]["verdict"] == "allow");
  CHECK(told.events[4]["result"] == "done");
  CHECK(told.events.back()["state"] == "finished");
  CHECK(told.events.back()["answer"] == "done");
  CHECK(told.events.back()["calls"] == 1);
  CHECK(told.events.back()["session"] == started.data["session"]);

  // A second request goes on in the same session, and the store and the log know both.
  Told second;
  Must(client->Send(started.data["session"], "hello there", second.callback(), {}));
  CHECK(second.names() ==
        Names{"session.started", "turn.started", "text.delta", "text.delta", "turn.finished"});
  CHECK(second.events[2]["text"].get<std::string>() + second.events[3]["text"].get<std::string>() ==
        "hello there");
  const auto detail = Must(gateway.store->LoadSession(started.data["session"]));
  CHECK(detail.turns.size() == 2);
  CHECK(detail.session.title == "a title");
  gateway.Stop();
  CHECK(Must(audit::VerifyAuditLog(gateway.state.path() + "/audit")).ok);
}

TEST_CASE("a session lives in a directory below the root, and nowhere else") {
  Gateway gateway;
  const auto client = gateway.Connect();
  const auto create = [&](const std::string& workspace) {
    return client->CreateSession({.workspace = workspace, .policy = {}, .title = "t"});
  };
  CHECK(Must(create(gateway.root() + "/project")).data["workspace"] == gateway.root() + "/project");
  CHECK(create("/etc").error().code == ErrorCode::kPermissionDenied);
  CHECK(create(gateway.root() + "/../").error().code == ErrorCode::kPermissionDenied);
  CHECK(create("project").error().code == ErrorCode::kInvalidArgument);
  CHECK(create(gateway.root() + "/none").error().code == ErrorCode::kNotFound);
  CHECK(Must(client->List(0)).size() == 1);  // a refused request leaves nothing
}

TEST_CASE("a client cannot choose a policy of its own") {
  Gateway gateway;
  const auto client = gateway.Connect();
  CHECK(client->CreateSession({.workspace = {}, .policy = "test", .title = "t"}).ok());
  for (const std::string policy : {"coding", "/tmp/mine.yaml", "tes", "TEST"}) {
    CHECK(client->CreateSession({.workspace = {}, .policy = policy, .title = "t"}).error().code ==
          ErrorCode::kPermissionDenied);
  }
}

// Sessions are shared with `nacre run` through the store, where other policies and folders occur.
TEST_CASE("sessions of other folders and other policies are out of a client's reach") {
  Gateway gateway;
  const auto client = gateway.Connect();
  const std::string elsewhere = NewUlid(gateway.clock, gateway.random);
  const std::string other_policy = NewUlid(gateway.clock, gateway.random);
  memory::SessionRecord record;
  record.id = elsewhere;
  record.workspace = "/etc";
  record.policy = "test";
  Must(gateway.store->CreateSession(record));
  record.id = other_policy;
  record.workspace = gateway.root();
  record.policy = "offline";
  Must(gateway.store->CreateSession(record));

  Told told;
  CHECK(client->Send(elsewhere, "hi", told.callback(), {}).error().code ==
        ErrorCode::kPermissionDenied);
  CHECK(client->Send(other_policy, "hi", told.callback(), {}).error().code ==
        ErrorCode::kFailedPrecondition);
  CHECK(told.events.empty());
  const auto sessions = Must(client->List(0));
  REQUIRE(sessions.size() == 1);
  CHECK(sessions[0].session == other_policy);
}

TEST_CASE("the list is newest first, bounded, and tells what a session is") {
  Gateway gateway;
  const auto client = gateway.Connect();
  Names made;
  for (const char* title : {"first", "second", "third"}) {
    gateway.clock.Advance(std::chrono::seconds(1));
    made.push_back(Must(client->CreateSession({.workspace = {}, .policy = {}, .title = title}))
                       .data["session"]);
  }
  const auto sessions = Must(client->List(2));
  REQUIRE(sessions.size() == 2);
  CHECK(sessions[0].session == made[2]);
  CHECK(sessions[0].title == "third");
  CHECK(sessions[0].workspace == gateway.root());
  CHECK(sessions[0].policy == "test");
  CHECK(sessions[0].model == "script");
  CHECK(sessions[0].created_ms == UnixMillis(gateway.clock.Now()));
  CHECK(sessions[0].turns == 0);
  CHECK_FALSE(sessions[0].unfinished);
  CHECK(sessions[1].session == made[1]);
  CHECK(client->List(-1).error().code == ErrorCode::kInvalidArgument);
  CHECK(Must(client->List(INT32_MAX)).size() == 3);
}

TEST_CASE("names that are no session's are refused") {
  Gateway gateway;
  const auto client = gateway.Connect();
  const std::string session = gateway.NewSession();
  const auto send = [&](const std::string& name) {
    Told told;
    return client->Send(name, "hi", told.callback(), {});
  };
  for (const std::string& name :
       {std::string(), std::string("01J"), std::string("../../etc/passwd"),
        std::string("' OR 1=1 --"), session + "0", std::string("%%%%")}) {
    CAPTURE(name);
    CHECK(send(name).error().code == ErrorCode::kInvalidArgument);
    CHECK(client->Cancel(name).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(send("01ARZ3NDEKTSV4RRFFQ69G5FAV").error().code == ErrorCode::kNotFound);
  CHECK(client->Cancel("01ARZ3NDEKTSV4RRFFQ69G5FAV").error().code == ErrorCode::kNotFound);
  CHECK(send(session).ok());
  CHECK(send(session.substr(0, 10)).ok());
  CHECK(send("last").ok());
}

TEST_CASE("a text has 1 byte to 256 KiB, and nothing larger is even read") {
  Gateway gateway;
  v1::SendMessageRequest request;
  request.set_session(gateway.NewSession());
  CHECK(SendRaw(gateway, request) == grpc::StatusCode::INVALID_ARGUMENT);
  request.set_text(std::string(256 << 10, 'x'));
  CHECK(SendRaw(gateway, request) == grpc::StatusCode::OK);
  request.set_text(std::string((256 << 10) + 1, 'x'));
  CHECK(SendRaw(gateway, request) == grpc::StatusCode::INVALID_ARGUMENT);
  request.set_text(std::string(1 << 20, 'x'));
  CHECK(SendRaw(gateway, request) == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(Must(gateway.store->LoadSession(request.session())).turns.size() == 1);

  v1::CreateSessionRequest create;
  v1::CreateSessionResponse response;
  create.set_title(std::string(5000, 't'));
  grpc::ClientContext context;
  CHECK(v1::SessionService::NewStub(RawChannel(gateway))
            ->CreateSession(&context, create, &response)
            .error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a request that is not protobuf, not UTF-8 or compressed ends alone") {
  Gateway gateway;
  const auto channel = RawChannel(gateway);
  const auto call = [&](const std::string& bytes, bool compressed) {
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer out(&slice, 1);
    grpc::ByteBuffer in;
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    if (compressed) {
      context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    grpc::CompletionQueue queue;
    auto rpc =
        stub.PrepareUnaryCall(&context, "/nacre.v1.SessionService/CreateSession", out, &queue);
    rpc->StartCall();
    grpc::Status status;
    rpc->Finish(&in, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    REQUIRE(queue.Next(&tag, &ok));
    return status.error_code();
  };
  CHECK(call("\x1A\x01t", false) == grpc::StatusCode::OK);
  CHECK(call("\xFF\xFF\xFF", false) ==
        grpc::StatusCode::UNIMPLEMENTED);  // so gRPC says "unreadable"
  CHECK(call("\x1A\x01\xFF", false) == grpc::StatusCode::UNIMPLEMENTED);
  CHECK(call("\x1A\x7F" + std::string(127, 't'), true) == grpc::StatusCode::UNIMPLEMENTED);
  CHECK(call("\x1A\x01t", false) == grpc::StatusCode::OK);
}

TEST_CASE("a turn is cancelled by another client, tells so, and is continued later") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  Told told;
  Status sent;
  std::thread sender([&] { sent = gateway.Connect()->Send(session, "wait", told.callback(), {}); });
  gateway.engine.waiting.Wait();
  CHECK(Must(gateway.Connect()->Cancel(session)));
  sender.join();
  Must(sent);
  CHECK(told.names() == Names{"session.started", "turn.started", "turn.finished"});
  CHECK(told.last_state() == "cancelled");
  CHECK_FALSE(Must(gateway.Connect()->Cancel(session)));

  gateway.engine.never_wait = true;
  Told continued;
  Must(gateway.Connect()->Resume(session, continued.callback(), {}));
  CHECK(continued.names() ==
        Names{"session.started", "turn.started", "text.delta", "text.delta", "turn.finished"});
  CHECK(continued.events[0]["resumed"] == true);
  CHECK(continued.events[1]["turn"] == told.events[1]["turn"]);
  CHECK(continued.last_state() == "finished");
  CHECK(gateway.Connect()->Resume(session, continued.callback(), {}).error().code ==
        ErrorCode::kFailedPrecondition);
}

TEST_CASE("a sender's own token cancels the turn, and the rest of the stream still comes") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  CancelSource cancel;
  std::thread canceller([&] {
    gateway.engine.waiting.Wait();
    cancel.Cancel();
  });
  Told told;
  const Status sent = gateway.Connect()->Send(session, "wait", told.callback(), cancel.token());
  canceller.join();
  Must(sent);
  CHECK(told.last_state() == "cancelled");
}

TEST_CASE("a token that fired before the request was sent leaves no turn running") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  CancelSource cancel;
  cancel.Cancel();
  Told told;
  const Status sent = gateway.Connect()->Send(session, "wait", told.callback(), cancel.token());
  // Whichever came first, the request or its cancellation.
  CHECK((told.last_state() == "cancelled" || sent.error().code == ErrorCode::kCancelled));
  gateway.Stop();
  CHECK(gateway.served.ok());
}

TEST_CASE("a client that goes away takes its turn with it, and the session is free again") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  {
    const auto stub = v1::SessionService::NewStub(RawChannel(gateway));
    grpc::ClientContext context;
    v1::SendMessageRequest request;
    request.set_session(session);
    request.set_text("wait");
    const auto reader = stub->SendMessage(&context, request);
    gateway.engine.waiting.Wait();
    context.TryCancel();
  }
  gateway.engine.never_wait = true;
  // The turn ends a moment later; until then the session is in use.
  Told told;
  Status resumed;
  do {
    resumed = gateway.Connect()->Resume(session, told.callback(), {});
  } while (!resumed.ok() && resumed.error().code == ErrorCode::kUnavailable);
  Must(resumed);
  CHECK(told.last_state() == "finished");
}

TEST_CASE("one session runs one turn at a time") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  Told told;
  Status sent;
  std::thread first([&] { sent = gateway.Connect()->Send(session, "wait", told.callback(), {}); });
  gateway.engine.waiting.Wait();
  Told second;
  CHECK(gateway.Connect()->Send(session, "hi", second.callback(), {}).error().code ==
        ErrorCode::kUnavailable);
  CHECK(second.events.empty());
  // Another session is not disturbed.
  CHECK(gateway.Connect()->Send(gateway.NewSession(), "hi", second.callback(), {}).ok());
  CHECK(Must(gateway.Connect()->Cancel(session)));
  first.join();
  Must(sent);
}

TEST_CASE("beyond the limit of turns a request is refused, and lists are still answered") {
  Gateway gateway([](ServerOptions& options) { options.sessions.turns_max = 1; });
  const std::string session = gateway.NewSession();
  const std::string other = gateway.NewSession();
  const auto client = gateway.Connect();
  Told told;
  Status sent;
  std::thread first([&] { sent = gateway.Connect()->Send(session, "wait", told.callback(), {}); });
  gateway.engine.waiting.Wait();
  Told refused;
  CHECK(client->Send(other, "hi", refused.callback(), {}).error().code ==
        ErrorCode::kResourceExhausted);
  CHECK(Must(client->List(0)).size() == 2);
  CHECK(Must(client->Cancel(session)));
  first.join();
  // One after the other there is always room: the end of a stream means that its place is free.
  for (int i = 0; i < 20; ++i) {
    Must(client->Send(other, "hi", refused.callback(), {}));
  }
}

TEST_CASE("open streams are limited too") {
  Gateway gateway([](ServerOptions& options) { options.sessions.streams_max = 1; });
  const std::string session = gateway.NewSession();
  Told told;
  Status sent;
  std::thread first([&] { sent = gateway.Connect()->Send(session, "wait", told.callback(), {}); });
  gateway.engine.waiting.Wait();
  CHECK(gateway.Connect()->Send(gateway.NewSession(), "hi", told.callback(), {}).error().code ==
        ErrorCode::kResourceExhausted);
  CHECK(Must(gateway.Connect()->Cancel(session)));
  first.join();
}

// The engine streams text without end and the client stops reading at the first piece: only the
// bound of the queue can end that turn.
TEST_CASE("a client that does not read loses its turn, not the server's memory") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  size_t bytes = 0;
  const Status sent =
      gateway.Connect()->Send(session, "flood",
                              [&](const client::Event& event) {
                                if (event.name == "text.delta") {
                                  gateway.engine.flood_cancelled.Wait();
                                  bytes += event.data["text"].get_ref<const std::string&>().size();
                                }
                              },
                              {});
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().code == ErrorCode::kResourceExhausted);
  CHECK(sent.error().message.find("too slowly") != std::string::npos);
  CHECK(bytes < (8U << 20));  // what had left before: the queue itself was dropped
  CHECK(Must(gateway.store->LoadSession(session)).session.unfinished);  // it can be resumed
}

TEST_CASE("the health service says that the server serves") {
  Gateway gateway;
  const auto channel = RawChannel(gateway);
  std::string response;
  for (const char* service : {"", "nacre.v1.SessionService"}) {
    REQUIRE(CheckHealth(channel, service, response).ok());
    CHECK(response == "\x08\x01");
  }
  CHECK(CheckHealth(channel, "nacre.v1.Other", response).error_code() ==
        grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("the socket is private, and a second server does not take it over") {
  Gateway gateway;
  struct stat info {};
  REQUIRE(::stat(gateway.options.socket_path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600);
  REQUIRE(::stat((gateway.state.path() + "/run").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0700);
  CHECK(GrpcServer::Start(gateway.options, *gateway.services).error().code ==
        ErrorCode::kAlreadyExists);
  CHECK(gateway.NewSession().size() == 26);
}

TEST_CASE("a shutdown cancels running turns, tells their clients and removes the socket") {
  Gateway gateway;
  const std::string session = gateway.NewSession();
  const auto idle = gateway.Connect();
  Told told;
  Status sent;
  std::thread sender([&] { sent = gateway.Connect()->Send(session, "wait", told.callback(), {}); });
  gateway.engine.waiting.Wait();
  gateway.Stop();
  sender.join();
  Must(gateway.served);
  Must(sent);
  CHECK(told.last_state() == "cancelled");
  CHECK(Must(gateway.store->LoadSession(session)).session.unfinished);  // it can be resumed
  CHECK(idle->List(0).error().code == ErrorCode::kUnavailable);
  const auto late = client::SessionClient::Connect(gateway.options.socket_path);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::kUnavailable);
  CHECK(::access(gateway.options.socket_path.c_str(), F_OK) != 0);
}

TEST_CASE("a server that never served leaves nothing behind") {
  const TempDir dir = Must(TempDir::Create());
  Gateway other;
  ServerOptions options = other.options;
  options.socket_path = dir.path() + "/second.sock";
  { const auto server = Must(GrpcServer::Start(options, *other.services)); }
  CHECK(::access(options.socket_path.c_str(), F_OK) != 0);
}

TEST_CASE("a policy that cannot be loaded stops the request, never the rule") {
  Gateway gateway([](ServerOptions& options) {
    options.sessions.make_policy =
        [](const std::string&) -> Result<std::shared_ptr<const policy::Policy>> {
      return Error{ErrorCode::kInvalidArgument, "coding.yaml:3:1: unknown key"};
    };
  });
  const auto created =
      gateway.Connect()->CreateSession({.workspace = {}, .policy = {}, .title = "t"});
  REQUIRE_FALSE(created.ok());
  CHECK(created.error().message == "coding.yaml:3:1: unknown key");
}

}  // namespace
}  // namespace nacre::server
