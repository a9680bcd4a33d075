// What a SessionDriver is tried with: a real store and a real audit log, a scripted engine and a pretended
// sandbox.
#pragma once

#include <poll.h>

#include <catch2/catch.hpp>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>

#include "base/file.h"
#include "base/frame.h"
#include "base/temp_dir.h"
#include "memory/sqlite_session_store.h"
#include "policy/policy_loader.h"
#include "runtime/agent/session_driver.h"
#include "runtime/audit/audit_verifier.h"
#include "tests/support/counting_random.h"
#include "tests/support/manual_clock.h"

namespace nacre::agent {

// Thrown where a kill -9 would strike. Nothing in the runtime catches it.
struct Killed {};

// Counts every step that touches the world and strikes at the chosen one.
struct Fate {
  int countdown = -1;  // -1: never
  void Step() {
    if (countdown >= 0 && countdown-- == 0) {
      throw Killed{};
    }
  }
};

// Each operation can be struck before it happens and after it happened.
class MortalStore final : public memory::SessionStore {
 public:
  MortalStore(memory::SessionStore& real, Fate& fate) : real_(real), fate_(fate) {}
  Status CreateSession(const memory::SessionRecord& session) override {
    return Struck([&] { return real_.CreateSession(session); });
  }
  Status BeginTurn(const std::string& session, const memory::TurnRecord& turn) override {
    return Struck([&] { return real_.BeginTurn(session, turn); });
  }
  Status AppendStep(const std::string& turn, const memory::StepRecord& step) override {
    return Struck([&] { return real_.AppendStep(turn, step); });
  }
  Status FinishCall(const memory::CallRecord& call) override {
    return Struck([&] { return real_.FinishCall(call); });
  }
  Status NoteRun(const std::string& call, int64_t run_us) override {
    return Struck([&] { return real_.NoteRun(call, run_us); });
  }
  Status FinishTurn(const std::string& turn, memory::TurnState state, const std::string& answer,
                    const std::string& error, int64_t now) override {
    return Struck([&] { return real_.FinishTurn(turn, state, answer, error, now); });
  }
  Result<std::vector<memory::SessionRecord>> ListSessions(int64_t limit) override {
    return real_.ListSessions(limit);
  }
  Result<memory::Use> UseSince(int64_t since) override { return real_.UseSince(since); }
  Result<std::map<std::string, memory::ToolUse>> CallsSince(int64_t since) override {
    return real_.CallsSince(since);
  }
  Result<memory::SessionDetail> LoadSession(const std::string& id) override {
    return real_.LoadSession(id);
  }
  Result<memory::CallDetail> LoadCall(const std::string& id) override { return real_.LoadCall(id); }
  Status AddNote(const std::string& workspace, const std::string& text,
                 const std::vector<std::string>& labels, int64_t now) override {
    return real_.AddNote(workspace, text, labels, now);
  }
  Result<std::vector<memory::NoteRecord>> SearchNotes(const std::string& workspace,
                                                      const std::string& query,
                                                      int64_t limit) override {
    return real_.SearchNotes(workspace, query, limit);
  }
  memory::FileLabels& file_labels() override {
    return other_labels != nullptr ? *other_labels : real_.file_labels();
  }
  memory::FileLabels* other_labels = nullptr;  // instead of the real ones
  Result<std::unique_ptr<Lease>> LockSession(const std::string& id) override {
    return real_.LockSession(id);
  }
  Status Check() override { return real_.Check(); }

 private:
  Status Struck(const std::function<Status()>& operation) {
    fate_.Step();
    Status status = operation();
    fate_.Step();
    return status;
  }
  memory::SessionStore& real_;
  Fate& fate_;
};

class MortalLog final : public audit::AuditLog {
 public:
  MortalLog(audit::AuditLog& real, Fate& fate) : real_(real), fate_(fate) {}
  Result<uint64_t> Append(const audit::AuditRecord& record) override {
    fate_.Step();
    if (refuse_) {
      return Error{ErrorCode::kResourceExhausted,
                   "the audit log is not writable: No space left on device"};
    }
    Result<uint64_t> index = real_.Append(record);
    fate_.Step();
    return index;
  }
  Status WriteCheckpoint() override { return real_.WriteCheckpoint(); }
  void Refuse() { refuse_ = true; }

 private:
  audit::AuditLog& real_;
  Fate& fate_;
  bool refuse_ = false;
};

// Says what the script says, whatever it is asked, by how many results the prompt already holds:
// so a resumed turn goes on where the killed one stopped.
class ScriptedEngine final : public inference::Engine {
 public:
  explicit ScriptedEngine(std::vector<inference::ModelReply> script) : script_(std::move(script)) {}
  inference::EngineInfo Info() const override {
    return {.name = "scripted", .model = "script", .context_tokens = 2000};
  }
  Result<inference::ModelReply> Generate(const inference::GenerateRequest& request,
                                         inference::TokenSink& sink, const CancelToken&) override {
    offered.clear();
    for (const inference::ToolSchema& tool : request.tools) {
      offered.push_back(tool.name);
    }
    if (request.answer_schema.is_object()) {
      extractions.push_back(request);
      return inference::ModelReply{extracted, false, {.prompt = 7, .generated = 2}};
    }
    size_t results = 0;
    for (const inference::ChatMessage& message : request.messages) {
      shown += message.content + '\n';
      results += message.role == inference::Role::kTool ? 1 : 0;
    }
    prompt = request.messages;
    inference::ModelReply reply = script_.at(std::min(results, script_.size() - 1));
    if (const auto* answer = std::get_if<std::string>(&reply.content)) {
      sink.OnText(*answer);
    }
    return reply;
  }
  std::vector<std::string> offered;
  std::vector<inference::ChatMessage> prompt;
  std::string shown;  // all that the conversation showed it, ever
  std::vector<inference::GenerateRequest> extractions;
  std::string extracted = R"({"answer":true})";

 private:
  std::vector<inference::ModelReply> script_;
};

inline inference::ModelReply Says(const std::string& text) {
  return {text, false, {.prompt = 5, .generated = 3}};
}
inline inference::ModelReply Calls(const std::string& tool, const std::string& arguments) {
  return {inference::EmittedCall{tool, arguments}, false, {.prompt = 5, .generated = 3}};
}

// Answers each call with "done" and remembers how often each tool's program ran to its end.
class PretendedSandbox final : public sandbox::Sandbox {
 public:
  explicit PretendedSandbox(Fate& fate) : fate_(fate) {}
  Result<sandbox::Outcome> Run(const sandbox::SandboxSpec& spec, sandbox::CallIo& io,
                               const CancelToken&) override {
    fate_.Step();
    specs.push_back(spec);
    started.push_back(io.OnStart().bytes);
    ++ran[spec.argv.front()];
    io.OnChannelBytes(
        EncodeFrame(DumpJson(Json{{"result", {{"text", answer}, {"error", false}}}})));
    fate_.Step();
    sandbox::Outcome outcome;
    outcome.kind = outcome_kind;
    outcome.exit_code = 0;
    outcome.use.wall = wall;
    return outcome;
  }
  void Expect(const sandbox::SandboxSpec& spec) override { expected.push_back(spec); }
  std::string answer = "done";
  std::chrono::microseconds wall{0};  // that each call says it ran
  std::map<std::string, int> ran;
  std::vector<std::string> started;  // what each call's tool was sent
  std::vector<sandbox::SandboxSpec> specs;
  std::vector<sandbox::SandboxSpec> expected;
  sandbox::OutcomeKind outcome_kind = sandbox::OutcomeKind::kExited;

 private:
  Fate& fate_;
};

class Collector final : public EventSink {
 public:
  void OnEvent(const Event& event) override { names.emplace_back(EventName(event)); }
  std::vector<std::string> names;
};

constexpr const char* kPolicy =
    "nacre: policy/1\n"
    "name: test\n"
    "workspace: {mode: direct}\n"
    "tools:\n"
    "  - {id: read, reason: reading is safe, tool: t.read, args: {path: {under: /workspace}}, "
    "decision: allow}\n"
    "  - {id: run, reason: running is safe, tool: t.run, decision: allow}\n"
    "  - {id: ask, reason: mail needs a person, tool: t.ask, decision: ask}\n";

// A host with three tools: t.read (idempotent), t.run (not), t.ask.
struct Host {
  TempDir state = TempDir::Create().value();
  TempDir workspace = TempDir::Create().value();
  testing::ManualClock clock;
  testing::CountingRandom random;
  tools::Registry tools;
  std::shared_ptr<const policy::Policy> policy;

  Host() {
    AddTool("t.read", "read", "true");
    AddTool("t.run", "execute", "false");
    AddTool("t.ask", "execute", "false");
    const Status added = tools.AddDirectory(state.path() + "/tools", false);
    INFO((added.ok() ? "" : added.error().message));
    REQUIRE(added.ok());
    auto loaded = policy::LoadPolicyText("test.yaml", kPolicy);
    INFO((loaded.ok() ? "" : loaded.error().message));
    REQUIRE(loaded.ok());
    policy = loaded.value();
  }

  void AddTool(const std::string& name, const std::string& effect,
               const std::string& idempotent) const {
    const std::string folder = state.path() + "/tools/" + name;
    REQUIRE(MakeDirectories(folder).ok());
    REQUIRE(WriteFileAtomically(folder + "/" + name, "#!/bin/true\n", 0755).ok());
    REQUIRE(WriteFileAtomically(folder + "/tool.yaml",
                                "name: " + name + "\ndescription: A tool.\nprogram: " + name +
                                    "\neffect: " + effect + "\nidempotent: " + idempotent +
                                    "\nparameters:\n  type: object\n  properties:\n"
                                    "    path: {type: string, format: path}\n")
                .ok());
  }

  Services With(inference::Engine& engine, sandbox::Sandbox& sandbox, memory::SessionStore& store,
                audit::AuditLog& log) {
    return {.engine = engine,
            .sandbox = sandbox,
            .store = store,
            .log = log,
            .tools = tools,
            .clock = clock,
            .random = random,
            .home = "/home/ada",
            .sandbox_summary = "pretended"};
  }
  SessionOptions Options() const { return {workspace.path(), "test", policy}; }
  std::string database() const { return state.path() + "/db"; }
  std::string audit() const { return state.path() + "/audit"; }
};

}  // namespace nacre::agent
