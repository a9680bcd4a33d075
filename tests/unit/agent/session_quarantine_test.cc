// The driver with a quarantine: what is withheld, what stands for it, and what a model may learn of it.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/digest.h"
#include "runtime/agent/extraction.h"
#include "runtime/agent/quarantine_tools.h"
#include "tests/unit/agent/session_driver_fixture.h"

namespace nacre::agent {
namespace {

constexpr const char* kQuarantinePolicy =
    "nacre: policy/1\n"
    "name: test\n"
    "workspace: {mode: direct}\n"
    "tools:\n"
    "  - {id: own, reason: r, tool: [t.read, t.run, data.extract], decision: allow}\n"
    "  - {id: ask, reason: r, tool: [t.ask, data.reveal], decision: ask}\n"
    "data: {quarantine: {integrity: untrusted, extract: [boolean, date]}}\n";

struct QuarantineHost : Host {
  QuarantineHost() {
    for (tools::Manifest& tool : QuarantineTools()) {
      REQUIRE(tools.Add(std::move(tool)).ok());
    }
    policy = policy::LoadPolicyText("test.yaml", kQuarantinePolicy).value();
  }
};

// Says two words of an extraction, and then has it stopped.
class StoppedEngine final : public inference::Engine {
 public:
  StoppedEngine(ScriptedEngine& script, std::function<void()> stop)
      : script_(script), stop_(std::move(stop)) {}
  inference::EngineInfo Info() const override { return script_.Info(); }
  Result<inference::ModelReply> Generate(const inference::GenerateRequest& request,
                                         inference::TokenSink& sink,
                                         const CancelToken& cancel) override {
    if (!request.answer_schema.is_object()) {
      return script_.Generate(request, sink, cancel);
    }
    prompt = EstimatedPrompt(request);
    sink.OnText("a");
    sink.OnText("word");
    stop_();
    return Error{ErrorCode::kCancelled, "stopped"};
  }

  uint32_t prompt = 0;  // of the extraction

 private:
  ScriptedEngine& script_;
  std::function<void()> stop_;
};

class Agrees final : public Approver {
 public:
  std::string seen;
  Approval Ask(const ApprovalRequest& request) override {
    seen = StringMember(request.call.request.arguments, "text");
    return {true, "a test"};
  }
};

// A tool that answers a mail, and vouches for who sent it.
constexpr const char* kMailFlow =
    "flow: {result: {format: json, trusted: [from], untrusted: [body]}}\n";

std::vector<Json> RecordsNamed(const Host& host, const std::string& event) {
  std::vector<Json> records;
  REQUIRE(audit::ReadAuditLog(host.audit(), 0, [&](uint64_t, const Json& record) {
            if (StringMember(record, "event") == event) {
              records.push_back(record);
            }
            return true;
          }).ok());
  return records;
}

}  // namespace

TEST_CASE("a withheld result is not shown, a value in it is, and its handle stands for it") {
  QuarantineHost host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine(
      {Calls("t.read", R"({"path":"a"})"),
       Calls("data.extract", R"({"text":"$r1","question":"is it?","type":"boolean"})"),
       Calls("t.run", R"({"path":"$r1"})"), Says("all done")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = "OBEY ME";
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.answer == "all done");
  CHECK(engine.shown.find("OBEY") == std::string::npos);
  CHECK(engine.shown.find("withheld as $r1: what t.read answered, 7 bytes") != std::string::npos);
  CHECK(engine.shown.find("\ntrue\n") != std::string::npos);
  CHECK(engine.shown.find("withheld as $r2: what t.run answered") != std::string::npos);
  // The engine that looked into the text had no tools, and nothing else of the conversation.
  REQUIRE(engine.extractions.size() == 1);
  CHECK(engine.extractions[0].tools.empty());
  CHECK(engine.extractions[0].messages.size() == 2);
  CHECK(engine.extractions[0].messages[1].content.find("OBEY") != std::string::npos);
  // What it used is counted, now and later.
  CHECK(finished.tokens == 4 * 8 + 9);
  const memory::SessionDetail detail = store->LoadSession(finished.session).value();
  CHECK(detail.turns[0].steps[1].prompt_tokens + detail.turns[0].steps[1].generated_tokens ==
        8 + 9);
  CHECK(detail.turns[0].steps[0].call->withheld == "OBEY ME");
  CHECK(detail.turns[0].steps[0].call->result_text.find("OBEY") == std::string::npos);
  // The tool was given the text, and the record says what for.
  REQUIRE(sandbox.started.size() == 2);
  CHECK(sandbox.started[1].find("/workspace/OBEY ME") != std::string::npos);
  const Json decided = RecordsNamed(host, "call.decided").at(2);
  CHECK(decided["data"]["withheld"] == Json::parse(R"([{"argument":"path","handle":"$r1"}])"));
  CHECK(decided["labels"] == Json::parse(R"(["integrity:untrusted"])"));
  const Json read = RecordsNamed(host, "call.finished").at(0);
  CHECK(read["data"]["withheld"]["handle"] == "$r1");
  CHECK(read["data"]["withheld"]["bytes"] == 7);
  CHECK(read["labels"].empty());  // the context is clean
  const Json extracted = RecordsNamed(host, "data.extracted").at(0);
  CHECK(extracted["data"]["type"] == "boolean");
  CHECK(extracted["data"]["found"] == true);
}

TEST_CASE("an engine that answers prose is not believed, and the model is told no word of it") {
  QuarantineHost host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine(
      {Calls("t.read", R"({"path":"a"})"),
       Calls("data.extract", R"({"text":"$r1","question":"when?","type":"date"})"),
       Says("all done")});
  engine.extracted = "OBEY ME on 2026-12-24";
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(driver->RunTurn("task", {}).value().answer == "all done");
  CHECK(engine.shown.find("OBEY") == std::string::npos);
  CHECK(engine.shown.find("error: what the engine found is no date") != std::string::npos);
  CHECK(RecordsNamed(host, "data.extracted").at(0)["data"]["found"] == false);
}

TEST_CASE("a refusal tells the model the rule, and nothing of the text that was judged") {
  QuarantineHost host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", R"({"path":"a"})"), Calls("t.read", R"({"path":"$r1"})"),
                         Calls("t.ask", R"({"path":"$r1"})"),
                         Calls("data.reveal", R"({"text":"$r1"})"),
                         Calls("data.extract", R"({"text":"$r1","question":"q","type":"integer"})"),
                         Says("all done")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = "/etc/OBEY";
  Collector sink;
  host.policy = policy::LoadPolicyText(
                    "test.yaml", std::string(kQuarantinePolicy) +
                                     "narrow: [{id: inside, reason: r, tool: t.read, args: {path: "
                                     "{not: {under: /workspace}}}, decision: deny}]\n")
                    .value();
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.denied == 4);
  CHECK(engine.shown.find("OBEY") == std::string::npos);
  CHECK(engine.shown.find("the policy refuses this with the text of $r1 in it (narrow.inside)") !=
        std::string::npos);
  CHECK(engine.shown.find("a person must agree to this with the text of $r1 in it, and none did "
                          "(tools.ask)") != std::string::npos);
  CHECK(engine.shown.find("(data.quarantine)") != std::string::npos);
  CHECK(engine.extractions.empty());
}

TEST_CASE("the log's reason is the rule's, and quotes nothing of the text that was judged") {
  QuarantineHost host;
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", R"({"path":"a"})"), Calls("t.run", R"({"path":"$r1"})"),
                         Calls("t.read", R"({"path":"$r1"})"), Says("all done")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = "OBEY";
  Collector sink;
  host.policy =
      policy::LoadPolicyText(
          "test.yaml",
          "nacre: policy/1\nname: test\nworkspace: {mode: direct, hide: [\"OBEY\"]}\ntools:\n"
          "  - {id: read, reason: reading, tool: t.read, decision: allow}\n"
          "  - {id: run, reason: running, tool: t.run, args: {path: b}, decision: allow}\n"
          "data: {quarantine: {integrity: untrusted}}\n")
          .value();
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  CHECK(driver->RunTurn("task", {}).value().denied == 2);
  const std::vector<Json> decided = RecordsNamed(host, "call.decided");
  REQUIRE(decided.size() == 3);
  CHECK(decided[0]["data"]["reason"] == "reading");
  CHECK(decided[1]["data"]["reason"] == "decided by workspace.hide, with the text of $r1 in it");
  CHECK(decided[2]["data"]["reason"] == "decided by workspace.hide, with the text of $r1 in it");
  for (const Json& record : decided) {
    CHECK(DumpJson(record).find("OBEY") == std::string::npos);
  }
}

TEST_CASE("the record of an answer names no file that a withheld text names") {
  class Refuses final : public Approver {
   public:
    Approval Ask(const ApprovalRequest&) override { return {false, "a test"}; }
  };
  QuarantineHost host;
  Fate fate;
  Refuses person;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  const std::string text = GENERATE(as<std::string>(), "OBEY.txt", "link/OBEY");
  CAPTURE(text);
  sandbox.answer = text;
  const std::string workspace = host.Options().workspace;
  std::ofstream(workspace + "/OBEY.txt") << "x";
  REQUIRE(::symlink("elsewhere", (workspace + "/link").c_str()) == 0);
  REQUIRE(::mkdir((workspace + "/elsewhere").c_str(), 0700) == 0);
  ScriptedEngine engine(
      {Calls("t.read", R"({"path":"a"})"), Calls("t.ask", R"({"path":"$r1"})"), Says("done")});
  Services services = host.With(engine, sandbox, *store, *log);
  services.approver = &person;
  auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
  CHECK(driver->RunTurn("task", {}).value().denied == 1);
  const Json record = RecordsNamed(host, "call.approval").at(0);
  CHECK(DumpJson(record).find("OBEY") == std::string::npos);
  if (text == "OBEY.txt") {
    const Json& files = record["data"]["subject"]["files"];
    REQUIRE(files.size() == 1);
    CHECK(files.begin().key() == Sha256Text("/workspace/OBEY.txt"));
  } else {
    CHECK(record["data"]["why"].get<std::string>().find("$r1") != std::string::npos);
  }
}

TEST_CASE("an extraction that is stopped has ended, and what it used is counted") {
  const bool by_person = GENERATE(true, false);
  CAPTURE(by_person);
  QuarantineHost host;
  Fate fate;
  host.policy = policy::LoadPolicyText("test.yaml", std::string(kQuarantinePolicy) +
                                                        "budgets: {turn: {wall: 200ms}}\n")
                    .value();
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine script(
      {Calls("t.read", R"({"path":"a"})"),
       Calls("data.extract", R"({"text":"$r1","question":"is it?","type":"boolean"})"),
       Says("all done")});
  CancelSource person;
  StoppedEngine engine(script, [&] {
    if (by_person) {
      person.Cancel();
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
    }
  });
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", person.token()).value();
  CHECK(finished.state == (by_person ? "cancelled" : "failed"));
  // It read the prompt, although it never said how long that was.
  REQUIRE(engine.prompt > 100);
  CHECK(finished.tokens == 2 * 8 + engine.prompt + 2);
  const memory::SessionDetail detail = store->LoadSession(finished.session).value();
  const memory::StepRecord& step = detail.turns[0].steps.at(1);
  CHECK(step.prompt_tokens + step.generated_tokens == 8 + engine.prompt + 2);
  CHECK(step.call->state == memory::CallState::kFinished);
  CHECK(step.call->result_text == "error: the engine gave no answer");
  CHECK(RecordsNamed(host, "call.finished").size() == 2);
  if (by_person) {
    driver.reset();
    auto again = SessionDriver::Resume(host.With(script, sandbox, *store, *log), host.Options(),
                                       finished.session, sink)
                     .value();
    CHECK(again->ContinueTurn({}).value().answer == "all done");
  }
}

TEST_CASE("an extraction fits into what is left of the budget, or is not made") {
  const bool enough = GENERATE(true, false);
  CAPTURE(enough);
  QuarantineHost host;
  Fate fate;
  host.policy = policy::LoadPolicyText("test.yaml", std::string(kQuarantinePolicy) +
                                                        "budgets: {turn: {tokens: 300}}\n")
                    .value();
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine(
      {Calls("t.read", R"({"path":"a"})"),
       Calls("data.extract", R"({"text":"$r1","question":"is it?","type":"boolean"})"),
       Says("all done")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = std::string(enough ? 4 : 4000, 'x');
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  CHECK(driver->RunTurn("task", {}).value().answer == "all done");
  REQUIRE(engine.extractions.size() == (enough ? 1 : 0));
  if (enough) {
    CHECK(engine.extractions[0].tokens_max > 0);
    CHECK(engine.extractions[0].tokens_max < 256);
  } else {
    CHECK(engine.shown.find("error: too few tokens are left in the budget to read $r1") !=
          std::string::npos);
    CHECK(RecordsNamed(host, "model.asked").size() == 3);
  }
}

TEST_CASE("a tool that is gone may have read and written any file") {
  QuarantineHost host;
  Fate fate;
  host.policy =
      policy::LoadPolicyText("test.yaml",
                             "nacre: policy/1\nname: test\nworkspace: {mode: direct}\n"
                             "tools: [{id: a, reason: r, tool: \"t.*\", decision: allow}]\n"
                             "data:\n  unlisted: trusted\n  sources:\n"
                             "    - {path: \"/workspace/secret/**\", confidentiality: secret}\n"
                             "    - {path: \"/data/**\", categories: [pii]}\n"
                             "    - {host: \"*.intern.example\", categories: [intern]}\n"
                             "    - {tool: t.run, host: a.example, categories: [a]}\n"
                             "    - {tool: t.read, host: b.example, categories: [b]}\n"
                             "    - {tool: t.read, path: \"/data/b/**\", categories: [b]}\n")
          .value();
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  ScriptedEngine engine({Calls("t.run", R"({"path":"secret/a"})"), Says("read")});
  std::string session;
  {
    auto driver = SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(),
                                        "task", sink)
                      .value();
    session = driver->RunTurn("task", {}).value().session;
  }
  CHECK(RecordsNamed(host, "turn.finished").back()["labels"] ==
        Json::parse(R"(["confidentiality:secret"])"));
  host.tools = tools::Registry();
  host.AddTool("t.read", "read", "true");
  std::filesystem::remove_all(host.state.path() + "/tools/t.run");
  REQUIRE(host.tools.AddDirectory(host.state.path() + "/tools", false).ok());
  ScriptedEngine later({Says("later")});
  auto driver =
      SessionDriver::Resume(host.With(later, sandbox, *store, *log), host.Options(), session, sink)
          .value();
  REQUIRE(driver->RunTurn("more", {}).ok());
  CHECK(RecordsNamed(host, "turn.finished").back()["labels"] ==
        Json::parse(R"(["category:a","category:intern","category:pii","confidentiality:secret",)"
                    R"("integrity:untrusted"])"));
}

TEST_CASE("a person who agrees lets the text into the context, with its label") {
  QuarantineHost host;
  Fate fate;
  Agrees person;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", R"({"path":"a"})"),
                         Calls("data.reveal", R"({"text":"$r1"})"), Says("all done")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = "a letter";
  Collector sink;
  Services services = host.With(engine, sandbox, *store, *log);
  services.approver = &person;
  auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.calls == 2);
  CHECK(person.seen == "a letter");
  CHECK(engine.shown.find("\na letter\n") != std::string::npos);
  const Json revealed = RecordsNamed(host, "data.revealed").at(0);
  CHECK(revealed["data"]["handle"] == "$r1");
  CHECK(revealed["labels"] == Json::parse(R"(["integrity:untrusted"])"));
  CHECK(RecordsNamed(host, "call.approval").at(0)["data"]["by"] == "a test");
}

TEST_CASE("what a person endorses is trusted in this session, also when it goes on") {
  QuarantineHost host;
  host.policy = policy::LoadPolicyText(
                    "test.yaml",
                    "nacre: policy/1\nname: test\nworkspace: {mode: direct}\ntools:\n"
                    "  - {id: own, reason: r, tool: [t.read, data.endorse], decision: allow}\n"
                    "data: {quarantine: {integrity: untrusted}}\n")
                    .value();
  Fate fate;
  Agrees person;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", R"({"path":"a"})"), Calls("t.read", R"({"path":"$r1"})"),
                         Calls("data.endorse", R"({"text":"$r1"})"),
                         Calls("t.read", R"({"path":"$r1"})"), Says("all done"), Says("again")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = "a/letter";
  Collector sink;
  Services services = host.With(engine, sandbox, *store, *log);
  // Nobody is there: the agent cannot say yes to itself.
  {
    auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
    CHECK(driver->RunTurn("task", {}).value().denied == 1);
    CHECK(RecordsNamed(host, "data.endorsed").empty());
    CHECK(RecordsNamed(host, "call.decided").back()["labels"] ==
          Json::parse(R"(["integrity:untrusted"])"));
    CHECK(engine.shown.find("a/letter") == std::string::npos);
  }
  services.approver = &person;
  std::string session;
  {
    auto driver = SessionDriver::Create(services, host.Options(), "task", sink).value();
    session = driver->RunTurn("task", {}).value().session;
  }
  CHECK(person.seen == "a/letter");
  CHECK(engine.shown.find("\na/letter\n") != std::string::npos);
  const Json endorsed = RecordsNamed(host, "data.endorsed").at(0)["data"];
  CHECK(endorsed["handle"] == "$r1");
  CHECK(endorsed["by"] == "a test");
  CHECK(endorsed["result"]["digest"] == Sha256Text("a/letter"));
  CHECK(endorsed["from"] == Json::parse(R"(["integrity:untrusted"])"));
  CHECK(endorsed["to"] == Json::array());
  // The same call, before and after.
  const std::vector<Json> decided = RecordsNamed(host, "call.decided");
  REQUIRE(decided.size() == 8);
  CHECK(decided[5]["labels"] == Json::parse(R"(["integrity:untrusted"])"));
  CHECK(decided[7]["labels"] == Json::array());
  CHECK(RecordsNamed(host, "turn.finished").back()["labels"] == Json::array());
  ScriptedEngine later({Says("x"), Says("x"), Says("x"), Says("x"),
                        Calls("t.read", R"({"path":"$r1"})"), Says("later")});
  auto resumed =
      SessionDriver::Resume(host.With(later, sandbox, *store, *log), host.Options(), session, sink)
          .value();
  REQUIRE(resumed->RunTurn("more", {}).ok());
  CHECK(RecordsNamed(host, "call.decided").back()["labels"] == Json::array());
}

TEST_CASE(
    "of a result in parts only those are withheld that nobody vouches for, also after a resume") {
  QuarantineHost host;
  std::ofstream(host.state.path() + "/tools/t.read/tool.yaml", std::ios::app) << kMailFlow;
  host.tools = tools::Registry();
  for (tools::Manifest& tool : QuarantineTools()) {
    REQUIRE(host.tools.Add(std::move(tool)).ok());
  }
  REQUIRE(host.tools.AddDirectory(host.state.path() + "/tools", false).ok());
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine(
      {Calls("t.read", R"({"path":"a"})"), Calls("t.run", R"({"path":"$r2"})"), Says("all done")});
  PretendedSandbox sandbox(fate);
  sandbox.answer = R"([{"from":"ann","body":"OBEY1"},{"from":"bob","body":"OBEY2"}])";
  Collector sink;
  std::string session;
  {
    auto driver = SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(),
                                        "task", sink)
                      .value();
    session = driver->RunTurn("task", {}).value().session;
  }
  CHECK(engine.shown.find("OBEY") == std::string::npos);
  CHECK(
      engine.shown.find("body: withheld as $r1, 5 bytes, 1 line\nfrom: \"ann\"\nbody: withheld as "
                        "$r2, 5 bytes, 1 line\nfrom: \"bob\"\n") != std::string::npos);
  CHECK(sandbox.started.at(1).find("/workspace/OBEY2") != std::string::npos);
  const Json finished = RecordsNamed(host, "call.finished").at(0);
  CHECK(finished["labels"].empty());
  CHECK(finished["data"]["withheld"]["handles"] == Json::parse(R"(["$r1","$r2"])"));
  CHECK(finished["data"]["withheld"]["digest"] == Sha256Text(R"(["OBEY1","OBEY2"])"));
  ScriptedEngine later({Says("x"), Says("x"), Calls("t.run", R"({"path":"$r1"})"), Says("later")});
  auto resumed =
      SessionDriver::Resume(host.With(later, sandbox, *store, *log), host.Options(), session, sink)
          .value();
  REQUIRE(resumed->RunTurn("more", {}).ok());
  CHECK(later.shown.find("OBEY") == std::string::npos);
  CHECK(sandbox.started.back().find("/workspace/OBEY1") != std::string::npos);
  CHECK(RecordsNamed(host, "turn.finished").back()["labels"].empty());
  // More parts than there may be: all of it is withheld, as one.
  sandbox.answer = "[{\"from\":\"ann\"}";
  for (size_t i = 0; i <= kWithheldFieldsMax; ++i) {
    sandbox.answer += ",{\"body\":\"OBEY\"}";
  }
  sandbox.answer += "]";
  ScriptedEngine many({Calls("t.read", R"({"path":"a"})"), Says("done")});
  auto whole =
      SessionDriver::Create(host.With(many, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(whole->RunTurn("task", {}).ok());
  CHECK(many.shown.find("withheld as $r1: what t.read answered") != std::string::npos);
  CHECK(many.shown.find("\"ann\"") == std::string::npos);
}

TEST_CASE("without a quarantine there are no handles, and its tools are not there") {
  Host host;
  Fate fate;
  for (tools::Manifest& tool : QuarantineTools()) {
    REQUIRE(host.tools.Add(std::move(tool)).ok());
  }
  host.policy = policy::LoadPolicyText("test.yaml",
                                       "nacre: policy/1\nname: test\nworkspace: {mode: direct}\n"
                                       "tools: [{id: a, reason: r, tool: \"*\", decision: allow}]\n"
                                       "data: {}\n")
                    .value();
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  ScriptedEngine engine({Calls("t.read", R"({"path":"$r1"})"),
                         Calls("data.reveal", R"({"text":"$r1"})"), Says("all done")});
  PretendedSandbox sandbox(fate);
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, *store, *log), host.Options(), "task", sink)
          .value();
  REQUIRE(driver->RunTurn("task", {}).ok());
  CHECK(engine.offered == std::vector<std::string>{"t.ask", "t.read", "t.run"});
  CHECK(sandbox.started.at(0).find("/workspace/$r1") != std::string::npos);
  CHECK(engine.shown.find("there is no tool \"data.reveal\" here") != std::string::npos);
}

// As above: nothing that was withheld is shown by a resume, and handles mean what they meant.
TEST_CASE("killed at any instant, a resumed turn keeps its quarantine") {
  int instants = 0;
  for (int strike = 0;; ++strike) {
    CAPTURE(strike);
    QuarantineHost host;
    Fate fate;
    ScriptedEngine engine(
        {Calls("t.read", R"({"path":"a"})"),
         Calls("data.extract", R"({"text":"$r1","question":"is it?","type":"boolean"})"),
         Calls("t.read", R"({"path":"$r1"})"), Says("all done")});
    PretendedSandbox sandbox(fate);
    sandbox.answer = "OBEY";
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
        const Result<TurnFinished> ran = driver->RunTurn("task", {});
        CHECK(ran.ok());
      } catch (const Killed&) {
        killed = true;
      }
      fate.countdown = -1;
    }
    auto store = memory::SqliteSessionStore::Open(host.database()).value();
    auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
    const std::string session = store->LoadSession("last").value().session.id;
    auto driver = SessionDriver::Resume(host.With(engine, sandbox, *store, *log), host.Options(),
                                        session, sink)
                      .value();
    if (driver->has_unfinished_turn()) {
      CHECK(driver->ContinueTurn({}).value().answer == "all done");
      CHECK(sandbox.started.back().find("/workspace/OBEY") != std::string::npos);
    }
    CHECK(engine.shown.find("OBEY") == std::string::npos);
    const auto finished = RecordsNamed(host, "turn.finished");
    if (!finished.empty()) {
      CHECK(finished.back().at("labels").empty());
    }
    CHECK(audit::VerifyAuditLog(host.audit()).value().ok);
    if (!killed) {
      break;
    }
    ++instants;
  }
  CHECK(instants > 50);
}

}  // namespace nacre::agent
