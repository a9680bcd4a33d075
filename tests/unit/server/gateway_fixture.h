// A gateway on a socket in a temporary folder, with a real store and a real audit log, a scripted
// engine and a pretended sandbox.
#pragma once

#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/frame.h"
#include "base/ids.h"
#include "base/temp_dir.h"
#include "memory/sqlite_session_store.h"
#include "policy/policy_loader.h"
#include "runtime/audit/audit_log.h"
#include "runtime/server/grpc_server.h"
#include "sdk/client/session_client.h"
#include "tests/support/manual_clock.h"

namespace nacre::server {

template <typename T>
T Must(Result<T> result) {
  INFO((result.ok() ? std::string() : result.error().message));
  REQUIRE(result.ok());
  return std::move(result).value();
}
inline void Must(const Status& status) {
  INFO((status.ok() ? std::string() : status.error().message));
  REQUIRE(status.ok());
}

// Set once, awaited by any number of threads: how a test knows where the other side is.
class Signal {
 public:
  void Set() {
    std::call_once(once_, [this] { promise_.set_value(); });
  }
  void Wait() const { future_.wait(); }

 private:
  std::once_flag once_;
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

inline void WaitUntilCancelled(const CancelToken& cancel) {
  pollfd waiting{cancel.poll_fd(), POLLIN, 0};
  while (!cancel.cancelled()) {
    ::poll(&waiting, 1, -1);
  }
}

// Does what the last thing the user said asks for.
//   "call"   calls t.run, then answers with its result
//   "wait"   waits until it is cancelled
//   "flood"  streams text until it is cancelled
//   other    answers with the same words, in two pieces
class ScriptedEngine final : public inference::Engine {
 public:
  inference::EngineInfo Info() const override {
    return {.name = "scripted",
            .model = "script",
            .model_digest = {},
            .context_tokens = 2000,
            .demonstration = true};
  }
  Result<inference::ModelReply> Generate(const inference::GenerateRequest& request,
                                         inference::TokenSink& sink,
                                         const CancelToken& cancel) override {
    std::string wish;
    std::string result;
    for (const inference::ChatMessage& message : request.messages) {
      if (message.role == inference::Role::kUser) {
        wish = message.content;
        result.clear();
      } else if (message.role == inference::Role::kTool) {
        result = message.content;
      }
    }
    if (wish == "call" && result.empty()) {
      return Reply(inference::EmittedCall{"t.run", R"({"path":"a.txt"})"});
    }
    if (wish == "wait" && !never_wait) {
      waiting.Set();
      WaitUntilCancelled(cancel);
      return Error{ErrorCode::kCancelled, "cancelled"};
    }
    if (wish == "flood") {
      const std::string piece(4096, 'x');
      while (!cancel.cancelled()) {
        sink.OnText(piece);
      }
      flood_cancelled.Set();
      return Error{ErrorCode::kCancelled, "cancelled"};
    }
    const std::string answer = result.empty() ? wish : result;
    sink.OnText(answer.substr(0, answer.size() / 2));
    sink.OnText(answer.substr(answer.size() / 2));
    return Reply(answer);
  }

  Signal waiting;
  Signal flood_cancelled;
  std::atomic<bool> never_wait = false;

 private:
  static inference::ModelReply Reply(std::variant<std::string, inference::EmittedCall> content) {
    return {std::move(content), false, {.prompt = 5, .prompt_cached = 0, .generated = 3}};
  }
};

// Answers every call with "done".
class PretendedSandbox final : public sandbox::Sandbox {
 public:
  Result<sandbox::Outcome> Run(const sandbox::SandboxSpec&, sandbox::CallIo& io,
                               const CancelToken&) override {
    io.OnStart();
    io.OnChannelBytes(EncodeFrame(R"({"result":{"text":"done","error":false}})"));
    sandbox::Outcome outcome;
    outcome.kind = sandbox::OutcomeKind::kExited;
    outcome.exit_code = 0;
    return outcome;
  }
};

// A log that may stop taking records.
class BreakableLog final : public audit::AuditLog {
 public:
  explicit BreakableLog(std::unique_ptr<audit::AuditLog> log) : log_(std::move(log)) {}
  Result<uint64_t> Append(const audit::AuditRecord& record) override {
    return broken ? Error{ErrorCode::kUnavailable, "the audit log is not writable"}
                  : log_->Append(record);
  }
  Status WriteCheckpoint() override { return log_->WriteCheckpoint(); }
  bool Refuses() const override { return broken; }

  std::atomic<bool> broken = false;

 private:
  const std::unique_ptr<audit::AuditLog> log_;
};

class Gateway {
 public:
  explicit Gateway(const std::function<void(ServerOptions&)>& change = [](ServerOptions&) {}) {
    Must(MakeDirectories(root() + "/project"));
    AddTool();
    store = Must(memory::SqliteSessionStore::Open(state.path() + "/nacre.db"));
    log = std::make_unique<BreakableLog>(
        Must(audit::OpenAuditLog(state.path() + "/audit", clock, random)));
    policy = Must(policy::LoadPolicyText(
        "test.yaml",
        "nacre: policy/1\n"
        "name: test\n"
        "workspace: {mode: direct}\n"
        "tools:\n"
        "  - {id: run, reason: it is safe, tool: t.run, decision: allow}\n"));
    options.socket_path = state.path() + "/run/nacre.sock";
    options.sessions.workspace_root = root();
    options.sessions.policy_name = "test";
    options.sessions.make_policy = [this](const std::string&) { return Result(policy); };
    change(options);
    services = std::make_unique<agent::Services>(agent::Services{
        engine, sandbox, *store, *log, tools, clock, random, nullptr, "/root", "pretended"});
    server = Must(GrpcServer::Start(options, *services));
    thread = std::thread([this] { served = server->ServeUntil(stop.token()); });
  }
  ~Gateway() { Stop(); }

  void Stop() {
    stop.Cancel();
    if (thread.joinable()) {
      thread.join();
    }
  }

  const std::string& root() const { return workspace.path(); }
  std::unique_ptr<client::SessionClient> Connect() const {
    return Must(client::SessionClient::Connect(options.socket_path));
  }
  // A new session's id.
  std::string NewSession() const {
    return Must(Connect()->CreateSession({.workspace = {}, .policy = {}, .title = "a title"}))
        .data["session"];
  }

  TempDir state = Must(TempDir::Create());
  TempDir workspace = Must(TempDir::Create());
  testing::ManualClock clock;
  SystemRandom random;
  tools::Registry tools;
  ScriptedEngine engine;
  PretendedSandbox sandbox;
  std::unique_ptr<memory::SessionStore> store;
  std::unique_ptr<BreakableLog> log;
  std::shared_ptr<const policy::Policy> policy;
  ServerOptions options;
  std::unique_ptr<agent::Services> services;
  CancelSource stop;
  std::unique_ptr<GrpcServer> server;
  Status served;
  std::thread thread;

 private:
  void AddTool() {
    const std::string folder = state.path() + "/tools/t.run";
    Must(MakeDirectories(folder));
    Must(WriteFileAtomically(folder + "/run", "#!/bin/true\n", 0755));
    Must(WriteFileAtomically(
        folder + "/tool.yaml",
        "name: t.run\ndescription: A tool.\nprogram: run\neffect: execute\nidempotent: false\n"
        "parameters:\n  type: object\n  properties:\n    path: {type: string, format: path}\n"
        "  required: [path]\n"));
    Must(tools.AddDirectory(state.path() + "/tools", false));
  }
};

// Keeps what a turn tells.
struct Told {
  std::vector<OrderedJson> events;

  client::EventCallback callback() {
    return [this](const client::Event& event) { events.push_back(event.data); };
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const OrderedJson& event : events) {
      names.push_back(event["event"]);
    }
    return names;
  }
  std::string last_state() const {
    return !events.empty() && events.back()["event"] == "turn.finished"
               ? events.back()["state"].get<std::string>()
               : "none";
  }
};

}  // namespace nacre::server
