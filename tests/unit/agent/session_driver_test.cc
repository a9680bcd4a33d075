// The driver, from a request to its end, and what it leaves when it is killed on the way.
#include "tests/support/powercap.h"
#include "tests/unit/agent/session_driver_fixture.h"

namespace nacre::agent {
namespace {

std::vector<std::string> AuditEvents(const Host& host) {
  std::vector<std::string> events;
  REQUIRE(audit::ReadAuditLog(host.audit(), 0, [&](uint64_t, const Json& record) {
            events.push_back(StringMember(record, "event"));
            return true;
          }).ok());
  return events;
}

}  // namespace

TEST_CASE("a turn's events, records and rows tell the same story") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", R"({"path":"a"})"),
                         Calls("t.read", R"({"path":"/etc/shadow"})"),
                         Calls("t.read", R"({"path":7})"), Says("all done")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();

  CHECK(finished.state == "finished");
  CHECK(finished.answer == "all done");
  CHECK(finished.calls == 1);
  CHECK(finished.denied == 1);
  CHECK(finished.tokens == 4 * 8);
  CHECK(engine.offered == std::vector<std::string>{"t.ask", "t.read", "t.run"});
  CHECK(sink.names == std::vector<std::string>{"session.started", "turn.started", "call.decided",
                                               "call.started", "call.finished", "call.decided",
                                               "call.malformed", "text.delta", "turn.finished"});
  CHECK(sandbox.specs.size() == 1);
  const memory::SessionDetail detail = store->LoadSession(finished.session).value();
  REQUIRE(detail.turns.size() == 1);
  REQUIRE(detail.turns[0].steps.size() == 4);
  CHECK(detail.turns[0].steps[0].call->result_text == "done");
  CHECK(detail.turns[0].steps[1].call->state == memory::CallState::kDenied);
  CHECK(detail.turns[0].steps[1].call->result_text.find("outside the workspace") !=
        std::string::npos);
  CHECK_FALSE(detail.turns[0].steps[2].malformed_reason.empty());
  CHECK(detail.turns[0].steps[3].answer == "all done");
  CHECK(audit::VerifyAuditLog(host.audit()).value().ok);

  std::vector<std::string> expected = {
      "session.created", "turn.started", "model.asked",   "model.replied",
      "call.decided",    "call.started", "call.finished", "model.asked",
      "model.replied",   "call.decided", "model.asked",   "model.replied",
      "call.malformed",  "model.asked",  "model.replied", "turn.finished"};
  std::vector<std::string> events = AuditEvents(host);
  events.erase(std::remove_if(events.begin(), events.end(),
                              [](const std::string& e) { return e.starts_with("log."); }),
               events.end());
  CHECK(events == expected);
}

TEST_CASE("a session's sandboxes are expected when it begins, for tools that a rule could allow") {
  Host host;
  host.policy = policy::LoadPolicyText("test.yaml",
                                       "nacre: policy/1\nname: test\n"
                                       "workspace: {mode: direct}\n"
                                       "sandbox: {share_network: true}\n"
                                       "tools: [{id: read, reason: r, tool: t.read, decision: "
                                       "allow}]\n")
                    .value();
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", "{}"), Says("ok")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(sandbox.expected.size() == 1);
  CHECK(sandbox.specs.empty());
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  REQUIRE(sandbox.specs.size() == 1);
  // What is prepared is what the call asks for, but for what is the call's own.
  sandbox::SandboxSpec expected = sandbox.expected[0];
  expected.id = sandbox.specs[0].id;
  CHECK(expected == sandbox.specs[0]);
  CHECK(expected.network_group == finished.session);
}

TEST_CASE(
    "a tool that only reads gets the workspace read-only; one that runs programs gets it "
    "writable") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", "{}"), Calls("t.run", "{}"), Says("ok")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(driver->RunTurn("task", {}).ok());
  REQUIRE(sandbox.specs.size() == 2);
  const auto access = [](const sandbox::SandboxSpec& spec) {
    for (const sandbox::Mount& mount : spec.mounts) {
      if (mount.target == kWorkspaceTarget) {
        return mount.access;
      }
    }
    FAIL("no workspace mount");
    return sandbox::Access::kRead;
  };
  CHECK(access(sandbox.specs[0]) == sandbox::Access::kRead);
  CHECK(access(sandbox.specs[1]) == sandbox::Access::kReadWrite);
}

TEST_CASE("a call that a person must approve is refused when there is nobody to ask") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.ask", "{}"), Says("could not")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.denied == 1);
  CHECK(sandbox.specs.empty());
}

// Everything is allowed, as often as these let it.
std::shared_ptr<const policy::Policy> WithRates(const std::string& rates) {
  return policy::LoadPolicyText("test.yaml",
                                "nacre: policy/1\nname: test\nworkspace: {mode: direct}\n"
                                "tools: [{id: all, reason: r, tool: t.*, decision: allow}]\n"
                                "budgets: {rates: [" +
                                    rates + "]}\n")
      .value();
}

TEST_CASE("a rate denies by its rule, in a later session too, until the minute is over") {
  Host host;
  host.policy =
      WithRates("{id: runs, reason: one run a minute, tool: t.run, calls: 1, per: minute}");
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  const auto run = [&] {
    ScriptedEngine engine({Calls("t.run", "{}"), Calls("t.read", "{}"), Says("ok")});
    auto driver =
        SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "x", sink)
            .value();
    const std::string session = driver->RunTurn("x", {}).value().session;
    return store->LoadSession(session).value().turns.at(0).steps;
  };
  CHECK(run()[0].call->state == memory::CallState::kFinished);
  const auto second = run();
  CHECK(second[0].call->state == memory::CallState::kDenied);
  CHECK(second[0].call->rule == "budgets.runs");
  CHECK(second[0].call->reason == "one run a minute: 1 of 1 calls in this minute have run");
  CHECK(second[1].call->state == memory::CallState::kFinished);  // another tool
  host.clock.Advance(std::chrono::seconds(61));
  CHECK(run()[0].call->state == memory::CallState::kFinished);
}

TEST_CASE("a tool's budgets of time and bytes out hold after a restart, and in another session") {
  Host host;
  host.policy = WithRates(
      "{id: slow, reason: not for long, tool: t.run, wall: 1s, per: session}, "
      "{id: little, reason: not much, tool: t.read, bytes_out: 50B, per: hour}");
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  sandbox.wall = std::chrono::milliseconds(600);
  Collector sink;
  std::map<std::string, size_t> calls_before;
  // The rules that decided the calls of the session's last turn, in a session that is begun where none is given.
  const auto rules = [&](std::string& session, const std::vector<std::string>& calls) {
    // It goes on behind the calls of earlier turns.
    std::vector<inference::ModelReply> script(calls_before[session], Says(""));
    for (const std::string& tool : calls) {
      script.push_back(Calls(tool, "{}"));
    }
    script.push_back(Says("ok"));
    ScriptedEngine engine(std::move(script));
    const Services services = host.With(engine, sandbox, *store, *log);
    auto driver = session.empty()
                      ? SessionDriver::Create(services, host.Options(), "x", sink).value()
                      : SessionDriver::Resume(services, host.Options(), session, sink).value();
    session = driver->session_id();
    calls_before[session] += calls.size();
    REQUIRE(driver->RunTurn("x", {}).ok());
    std::vector<std::string> decided;
    const memory::SessionDetail detail = store->LoadSession(session).value();
    for (const memory::StepRecord& step : detail.turns.back().steps) {
      if (step.call.has_value()) {
        decided.push_back(step.call->rule);
      }
    }
    return decided;
  };
  using Rules = std::vector<std::string>;
  std::string session;
  // A call may begin while there is time left. {"path":"/workspace"} has 21 bytes.
  CHECK(
      rules(session, {"t.run", "t.run", "t.run", "t.read", "t.read", "t.read"}) ==
      Rules{"tools.all", "tools.all", "budgets.slow", "tools.all", "tools.all", "budgets.little"});
  CHECK(rules(session, {"t.run", "t.read"}) == Rules{"budgets.slow", "budgets.little"});
  std::string other;
  CHECK(rules(other, {"t.run", "t.read"}) == Rules{"tools.all", "budgets.little"});
  host.clock.Advance(std::chrono::minutes(61));
  CHECK(rules(session, {"t.run", "t.read"}) == Rules{"budgets.slow", "tools.all"});
}

TEST_CASE("a yes to a call whose file changed meanwhile is a no") {
  class Meddler final : public Approver {
   public:
    std::string file;
    bool meddle = false;
    Approval Ask(const ApprovalRequest&) override {
      if (meddle) {
        REQUIRE(WriteFileAtomically(file, "changed").ok());
      }
      return {.approved = true, .by = "a test", .uid = uid};
    }
    std::optional<uid_t> uid;
  };
  Host host;
  Fate fate;
  Meddler meddler;
  // Its actor is who answered, whoever runs nacre.
  meddler.uid = GENERATE(std::optional<uid_t>(4711), std::optional<uid_t>());
  meddler.file = host.workspace.path() + "/a.txt";
  meddler.meddle = GENERATE(false, true);
  REQUIRE(WriteFileAtomically(meddler.file, "as asked").ok());
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.ask", R"({"path":"a.txt"})"), Says("ok")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  Services services = host.With(engine, sandbox, *store, *log);
  services.approver = &meddler;
  auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.calls == (meddler.meddle ? 0 : 1));
  CHECK(finished.denied == (meddler.meddle ? 1 : 0));
  CHECK(sandbox.specs.size() == (meddler.meddle ? 0U : 1U));
  std::vector<std::string> actors;
  REQUIRE(audit::ReadAuditLog(host.audit(), 0, [&](uint64_t, const Json& record) {
            if (StringMember(record, "event") == "call.approval") {
              actors.push_back(StringMember(record, "actor"));
            }
            return true;
          }).ok());
  CHECK(actors == std::vector<std::string>{meddler.uid.has_value() ? "uid 4711" : "nacre"});
}

TEST_CASE("nobody is asked about a call that a yes could not be held to") {
  class Never final : public Approver {
   public:
    Approval Ask(const ApprovalRequest&) override {
      FAIL("asked");
      return {true, "a test"};
    }
  };
  Host host;
  Fate fate;
  Never never;
  REQUIRE(MakeDirectories(host.workspace.path() + "/real").ok());
  std::filesystem::create_directory_symlink("real", host.workspace.path() + "/alias");
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.ask", R"({"path":"alias/a.txt"})"), Says("ok")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  Services services = host.With(engine, sandbox, *store, *log);
  services.approver = &never;
  auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
  CHECK(driver->RunTurn("task", {}).value().denied == 1);
  CHECK(sandbox.specs.empty());
  CHECK(engine.prompt.back().content.find("behind a link") != std::string::npos);
}

TEST_CASE("no file is read for a question that nobody can be asked") {
  Host host;
  Fate fate;
  REQUIRE(WriteFileAtomically(host.workspace.path() + "/a.txt", "text").ok());
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.ask", R"({"path":"a.txt"})"), Says("ok")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  CHECK(driver->RunTurn("task", {}).value().denied == 1);
  bool seen = false;
  REQUIRE(audit::ReadAuditLog(host.audit(), 0, [&](uint64_t, const Json& record) {
            if (StringMember(record, "event") == "call.approval") {
              seen = true;
              CHECK(record.at("data").at("subject").at("files").empty());
            }
            return true;
          }).ok());
  CHECK(seen);
}

TEST_CASE("when the audit log cannot be written nothing runs") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  MortalLog refusing(*log, fate);
  ScriptedEngine engine({Calls("t.run", "{}"), Says("ok")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver = SessionDriver::Create(host.With(engine, sandbox, *store, refusing), host.Options(),
                                      "task", sink)
                    .value();
  refusing.Refuse();
  const Result<TurnFinished> finished = driver->RunTurn("task", {});
  REQUIRE_FALSE(finished.ok());
  CHECK(finished.error().message.find("not writable") != std::string::npos);
  CHECK(sandbox.specs.empty());
}

TEST_CASE("a cancelled turn stays unfinished and can be continued") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Says("hello")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  const Services services = host.With(engine, sandbox, *store, *log);
  std::string session;
  {
    auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
    session = driver->session_id();
    CHECK(driver->ContinueTurn({}).error().code == ErrorCode::kFailedPrecondition);
    CancelSource cancelled;
    cancelled.Cancel();
    CHECK(driver->RunTurn("task", cancelled.token()).value().state == "cancelled");
  }
  auto again = SessionDriver::Resume(services, host.Options(), session, sink).value();
  REQUIRE(again->has_unfinished_turn());
  CHECK(again->ContinueTurn({}).value().answer == "hello");
  CHECK(again->ContinueTurn({}).error().code == ErrorCode::kFailedPrecondition);
}

TEST_CASE("a session of another tenant is not resumed, and nothing is recorded of the attempt") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Says("hello")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  memory::SessionRecord session;
  session.id = "01J00000000000000000000001";
  session.workspace = host.Options().workspace;
  session.tenant = "acme";  // this process works for none
  REQUIRE(store->CreateSession(session).ok());
  const std::vector<std::string> before = AuditEvents(host);
  const auto refused = SessionDriver::Resume(host.With(engine, sandbox, *store, *log),
                                             host.Options(), session.id, sink);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kFailedPrecondition);
  CHECK(refused.error().message.find("is of the tenant acme") != std::string::npos);
  CHECK(AuditEvents(host) == before);
  CHECK(store->LockSession(session.id).ok());
}

// Says a word, and then that it was stopped.
class StoppedEngine final : public inference::Engine {
 public:
  inference::EngineInfo Info() const override { return {.name = "stopped"}; }
  Result<inference::ModelReply> Generate(const inference::GenerateRequest&,
                                         inference::TokenSink& sink, const CancelToken&) override {
    ++asked;
    sink.OnText("one ");
    sink.OnText("two");
    if (cancel != nullptr) {
      cancel->Cancel();
    }
    return Error{ErrorCode::kCancelled, "stopped"};
  }
  int asked = 0;
  CancelSource* cancel = nullptr;
};

TEST_CASE("a reply that was cut off counts, and is none when the turn goes on") {
  Host host;
  policy::PolicyDocument few = *host.policy;
  few.budgets.steps = 2;
  host.policy = policy::Policy::Compile(std::move(few));
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  StoppedEngine engine;
  const Services services = host.With(engine, sandbox, *store, *log);
  std::string session;
  std::string state;
  for (int round = 0; round < 3; ++round) {
    CancelSource cancel;
    engine.cancel = &cancel;
    auto driver = round == 0
                      ? SessionDriver::Create(services, host.Options(), "task", sink).value()
                      : SessionDriver::Resume(services, host.Options(), session, sink).value();
    session = driver->session_id();
    const TurnFinished finished = round == 0 ? driver->RunTurn("task", cancel.token()).value()
                                             : driver->ContinueTurn(cancel.token()).value();
    state = finished.state;
    CHECK(finished.tokens == 2 * std::min(round + 1, 2));
  }
  // The third time the budget of two steps was used up.
  CHECK(engine.asked == 2);
  CHECK(state == "failed");
  const memory::Use use = store->UseSince(0).value();
  CHECK(use.steps == 2);
  CHECK(use.tokens == 4);
}

TEST_CASE("a reply that was cut off is not shown to the model that goes on") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  CancelSource cancel;
  StoppedEngine stopped;
  stopped.cancel = &cancel;
  auto driver =
      SessionDriver::Create(host.With(stopped, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  const std::string session = driver->RunTurn("task", cancel.token()).value().session;
  driver.reset();
  ScriptedEngine engine({Says("hello")});
  auto again =
      SessionDriver::Resume(host.With(engine, sandbox, *store, *log), host.Options(), session, sink)
          .value();
  const TurnFinished finished = again->ContinueTurn({}).value();
  CHECK(finished.answer == "hello");
  CHECK(finished.steps == 2);
  CHECK(engine.prompt.size() == 2);  // the system's words and the user's
}

TEST_CASE(
    "a failed engine's step counts for the tenant's day, and a resumed turn sees the day's use") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  ScriptedEngine engine({Says("hello")});
  std::string session;
  {
    auto driver = SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(),
                                        "task", sink)
                      .value();
    CancelSource cancelled;
    cancelled.Cancel();
    session = driver->RunTurn("task", cancelled.token()).value().session;
    StoppedEngine failing;
    auto other = SessionDriver::Create(host.With(failing, sandbox, *store, *log), host.Options(),
                                       "other", sink)
                     .value();
    CHECK(other->RunTurn("other", {}).value().state == "failed");
  }
  CHECK(store->UseSince(0).value().steps == 1);
  policy::PolicyDocument day = *host.policy;
  day.budgets.tenant_per_day.steps = 1;
  host.policy = policy::Policy::Compile(std::move(day));
  auto again =
      SessionDriver::Resume(host.With(engine, sandbox, *store, *log), host.Options(), session, sink)
          .value();
  const TurnFinished finished = again->ContinueTurn({}).value();
  CHECK(finished.state == "failed");
  CHECK_THAT(finished.error, Catch::Contains("budgets.tenant_per_day.steps"));
}

// The engine waits for the token, as one that hangs would.
TEST_CASE("an engine that hangs is stopped by the turn's wall budget") {
  class Hanging final : public inference::Engine {
   public:
    inference::EngineInfo Info() const override { return {.name = "hanging"}; }
    Result<inference::ModelReply> Generate(const inference::GenerateRequest&, inference::TokenSink&,
                                           const CancelToken& cancel) override {
      pollfd waiting{cancel.poll_fd(), POLLIN, 0};
      ::poll(&waiting, 1, -1);
      return Error{ErrorCode::kCancelled, "stopped"};
    }
  };
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  Hanging engine;
  PretendedSandbox sandbox(fate);
  Collector sink;
  SessionOptions options = host.Options();
  policy::PolicyDocument brief = *options.policy;
  brief.budgets.wall = std::chrono::milliseconds(20);
  options.policy = policy::Policy::Compile(std::move(brief));
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), options, "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.state == "failed");
  CHECK_THAT(finished.error, Catch::Contains("budgets.turn.wall"));
}

TEST_CASE(
    "a link is no way around a rule, and one that is moved after the judgement runs nothing") {
  Host host;
  Fate fate;
  namespace fs = std::filesystem;
  fs::create_directories(host.workspace.path() + "/private");
  fs::create_directory_symlink("private", host.workspace.path() + "/pub");
  fs::create_directory_symlink("open", host.workspace.path() + "/moved");
  host.policy = policy::LoadPolicyText("test.yaml", std::string(kPolicy) +
                                                        "  - {id: private, reason: not for agents, "
                                                        "tool: \"*\", args: {path: {under: "
                                                        "/workspace/private}}, decision: deny}\n")
                    .value();
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  ScriptedEngine engine({Calls("t.read", R"({"path":"pub/a"})"),
                         Calls("t.read", R"({"path":"moved/a"})"), Says("done")});
  // Between the judgement and the start, another process moves the link.
  class Mover final : public EventSink {
   public:
    explicit Mover(std::string link) : link_(std::move(link)) {}
    void OnEvent(const Event& event) override {
      if (std::get_if<CallStarted>(&event) != nullptr) {
        fs::remove(link_);
        fs::create_directory_symlink("private", link_);
      }
    }

   private:
    const std::string link_;
  } sink(host.workspace.path() + "/moved");
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(driver->RunTurn("task", {}).value().state == "finished");
  CHECK(sandbox.ran.empty());
  const auto steps = store->LoadSession("last").value().turns.at(0).steps;
  CHECK(steps.at(0).call->rule == "tools.private");
  CHECK(steps.at(0).call->state == memory::CallState::kDenied);
  CHECK(steps.at(1).call->verdict == "allow");
  CHECK(steps.at(1).call->result_error);
  CHECK_THAT(steps.at(1).call->result_text,
             Catch::Contains("a link in a path of the call was changed"));
}

TEST_CASE("a call that is cancelled while its workspace is looked through runs nothing") {
  Host host;
  Fate fate;
  std::string text = kPolicy;
  const std::string direct = "mode: direct";
  text.replace(text.find(direct), direct.size(), direct + ", hide: [\"**/.env\"]");
  host.policy = policy::LoadPolicyText("test.yaml", text).value();
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  ScriptedEngine engine({Calls("t.read", R"({"path":"a"})"), Says("done")});
  class Canceller final : public EventSink {
   public:
    void OnEvent(const Event& event) override {
      if (std::get_if<CallStarted>(&event) != nullptr) {
        source.Cancel();
      }
      if (const auto* finished = std::get_if<CallFinished>(&event)) {
        outcome = finished->outcome;
        text = finished->result;
      }
    }
    CancelSource source;
    std::string outcome;
    std::string text;
  } sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  CHECK(driver->RunTurn("task", sink.source.token()).value().state == "cancelled");
  CHECK(sandbox.ran.empty());
  CHECK(sink.outcome == "cancelled");
  CHECK_THAT(sink.text, Catch::Contains("nothing was run"));
}

// An engine elsewhere: each request is some bytes.
class RemoteEngine final : public inference::Engine {
 public:
  explicit RemoteEngine(uint64_t bytes) : bytes_(bytes) {}
  inference::EngineInfo Info() const override { return {.name = "remote"}; }
  uint64_t BytesOut(const inference::GenerateRequest&) const override { return bytes_; }
  Result<inference::ModelReply> Generate(const inference::GenerateRequest& request,
                                         inference::TokenSink&, const CancelToken&) override {
    ++asked;
    return request.messages.back().role == inference::Role::kTool ? Says("done")
                                                                  : Calls("t.run", "{}");
  }
  int asked = 0;

 private:
  const uint64_t bytes_;
};

TEST_CASE("a request that would pass the budget of bytes out is not sent") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  RemoteEngine engine(600);
  PretendedSandbox sandbox(fate);
  Collector sink;
  policy::PolicyDocument some = *host.policy;
  some.budgets.bytes_out = 1000;
  some.budgets.session.bytes_out = 1300;
  host.policy = policy::Policy::Compile(std::move(some));
  std::string session;
  {
    auto driver = SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(),
                                        "task", sink)
                      .value();
    const TurnFinished finished = driver->RunTurn("task", {}).value();
    CHECK(engine.asked == 1);
    CHECK(finished.state == "failed");
    CHECK_THAT(finished.error, Catch::Contains("budgets.turn.bytes_out"));
    CHECK(store->UseSince(0).value().bytes_out == 600);
    session = finished.session;
  }
  // The session's own is counted on after a restart: 600 of 1300 are gone, and 600 more fit once.
  auto driver =
      SessionDriver::Resume(host.With(engine, sandbox, *store, *log), host.Options(), session, sink)
          .value();
  CHECK_THAT(driver->RunTurn("again", {}).value().error, Catch::Contains("budgets.turn.bytes_out"));
  CHECK(engine.asked == 2);
  CHECK_THAT(driver->RunTurn("again", {}).value().error,
             Catch::Contains("budgets.session.bytes_out"));
  CHECK(engine.asked == 2);
}

TEST_CASE("a budget of joules is counted by the machine's counters, and needs them") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  testing::Powercap powercap;
  powercap.Zone("intel-rapl:0", "package-0", 0, 100'000'000);
  auto meter = inference::EnergyMeter::Open(powercap.path()).value();
  // Each reply takes three joules.
  class Hungry final : public inference::Engine {
   public:
    explicit Hungry(std::function<void()> use) : use_(std::move(use)) {}
    inference::EngineInfo Info() const override { return {.name = "hungry"}; }
    Result<inference::ModelReply> Generate(const inference::GenerateRequest&, inference::TokenSink&,
                                           const CancelToken&) override {
      use_();
      return Calls("t.run", "{}");
    }

   private:
    const std::function<void()> use_;
  };
  uint64_t used = 0;
  Hungry engine([&] { powercap.Set("intel-rapl:0", used += 3'000'000); });
  PretendedSandbox sandbox(fate);
  Collector sink;
  policy::PolicyDocument some = *host.policy;
  some.budgets.session.joules = 5;
  host.policy = policy::Policy::Compile(std::move(some));
  Services services = host.With(engine, sandbox, *store, *log);
  services.no_energy = "there is no counter";
  const Error refused = SessionDriver::Create(services, host.Options(), "task", sink).error();
  CHECK(refused.code == ErrorCode::kFailedPrecondition);
  CHECK_THAT(refused.message,
             Catch::Contains("budget of joules") && Catch::Contains("there is no counter"));
  services.energy = meter.get();
  auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK_THAT(finished.error, Catch::Contains("budgets.session.joules"));
  CHECK(finished.steps == 2);
  CHECK(store->UseSince(0).value().energy_uj == 6'000'000);

  // A counter that is gone ends the turn: what it uses would not be known.
  Hungry broken([&] { powercap.Put("intel-rapl:0/energy_uj", "gone"); });
  Services with_broken = host.With(broken, sandbox, *store, *log);
  with_broken.energy = meter.get();
  auto third = SessionDriver::Create(with_broken, host.Options(), "task", sink).value();
  CHECK_THAT(third->RunTurn("task", {}).value().error, Catch::Contains("could not be read"));
}

TEST_CASE("the time of a turn is in the store, that of its calls too") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.run", "{}"), Says("done")});
  PretendedSandbox sandbox(fate);
  // Each time an event comes, a second has passed.
  class Slow final : public EventSink {
   public:
    explicit Slow(testing::ManualClock& clock) : clock_(clock) {}
    void OnEvent(const Event&) override { clock_.Advance(std::chrono::seconds(1)); }

   private:
    testing::ManualClock& clock_;
  } sink(host.clock);
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(driver->RunTurn("task", {}).value().state == "finished");
  // Decided, started and the answer's text; what comes after the call's end is the next step's.
  const auto turn = store->LoadSession("last").value().turns.at(0);
  CHECK(turn.steps.at(0).wall_ms == 2000);
  CHECK(turn.steps.at(1).wall_ms == 2000);
}

TEST_CASE("an empty request and one of unbounded size are refused before anything is recorded") {
  Host host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Says("hello")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  CHECK(driver->RunTurn(" \n", {}).error().code == ErrorCode::kInvalidArgument);
  CHECK(driver->RunTurn(std::string(300'000, 'a'), {}).error().code == ErrorCode::kInvalidArgument);
  CHECK(store->LoadSession("last").value().turns.empty());
}

// Strikes at every step in turn, before and after each write, start and end of a call; then resumes.
TEST_CASE("killed at any instant, a resumed turn finishes and repeats no finished call") {
  int instants = 0;
  for (int strike = 0;; ++strike) {
    CAPTURE(strike);
    Host host;
    Fate fate;
    ScriptedEngine engine(
        {Calls("t.run", R"({"path":"a"})"), Calls("t.read", R"({"path":"b"})"), Says("all done")});
    PretendedSandbox sandbox(fate);
    Collector sink;
    bool killed = false;
    {
      auto store = memory::SqliteSessionStore::Open(host.database()).value();
      auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
      MortalStore mortal_store(*store, fate);
      MortalLog mortal_log(*log, fate);
      auto driver = SessionDriver::Create(host.With(engine, sandbox, mortal_store, mortal_log),
                                          host.Options(), "task", sink)
                        .value();
      fate.countdown = strike;
      try {
        // Outside any assertion: Catch would report the exception itself.
        const Result<TurnFinished> ran = driver->RunTurn("task", {});
        CHECK(ran.ok());
      } catch (const Killed&) {
        killed = true;
      }
      fate.countdown = -1;
    }
    auto store = memory::SqliteSessionStore::Open(host.database()).value();
    auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
    CHECK(audit::VerifyAuditLog(host.audit()).value().ok);
    // Rows of finished calls, before the resume.
    const auto finished_calls = [&] {
      std::map<std::string, int> finished;
      const memory::SessionDetail detail = store->LoadSession("last").value();
      for (const memory::TurnRecord& turn : detail.turns) {
        for (const memory::StepRecord& step : turn.steps) {
          if (step.call.has_value() && step.call->state == memory::CallState::kFinished) {
            ++finished["/nacre/tool/" + step.call->tool];
          }
        }
      }
      return finished;
    };
    const std::map<std::string, int> finished_before = finished_calls();
    const std::map<std::string, int> ran_before = sandbox.ran;
    const std::string session = store->LoadSession("last").value().session.id;
    auto driver = SessionDriver::Resume(host.With(engine, sandbox, *store, *log), host.Options(),
                                        session, sink)
                      .value();
    if (driver->has_unfinished_turn()) {
      const TurnFinished finished = driver->ContinueTurn({}).value();
      CHECK(finished.state == "finished");
      CHECK(finished.answer == "all done");
    }
    for (const auto& [tool, times] : finished_before) {
      CAPTURE(tool);
      CHECK(sandbox.ran[tool] == ran_before.at(tool));  // not run again
      CHECK(times == 1);
    }
    CHECK(sandbox.ran["/nacre/tool/t.run"] <= 1);  // not idempotent: never twice, whatever happened
    CHECK(audit::VerifyAuditLog(host.audit()).value().ok);
    if (!killed) {
      break;
    }
    ++instants;
  }
  CHECK(instants > 30);
}

}  // namespace nacre::agent
