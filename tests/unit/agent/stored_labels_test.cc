// Labels that outlive a session: what a commit does to them, what a crash leaves, and who reads them.
#include "runtime/agent/stored_labels.h"

#include <unistd.h>

#include "base/digest.h"
#include "policy/given_context.h"
#include "runtime/agent/memory_service.h"
#include "runtime/audit/record_format.h"
#include "tests/unit/agent/session_driver_fixture.h"

namespace nacre::agent {
namespace {

using Words = std::vector<std::string>;
using policy::Label;
using sandbox::EntryType;

const Label kSecret = policy::LabelOfTexts({"confidentiality:secret"});
const Label kTainted = policy::LabelOfTexts({"integrity:untrusted"});

sandbox::EntryState File(const std::string& text) {
  return {.type = EntryType::kFile,
          .mode = 0644,
          .size = text.size(),
          .digest = Sha256Text(text),
          .target = {}};
}

sandbox::Change Changed(const std::string& path, const sandbox::EntryState& before,
                        const sandbox::EntryState& after) {
  return {.path = path, .before = before, .after = after, .replaced = {}};
}

policy::Request Writes(const std::string& text, const std::string& path = "/workspace/a") {
  return {.tool = "fs.write",
          .arguments = {{"path", path}, {"deep", {{{"content", text}}}}},
          .paths = {{"path", path, policy::PathAccess::kWrite}}};
}

policy::ToolTraits Tool(policy::CallEffect effect) {
  return {.tool = "fs.write", .effects = {effect}};
}

struct Kept {
  TempDir state = TempDir::Create().value();
  std::unique_ptr<memory::SqliteSessionStore> store =
      memory::SqliteSessionStore::Open(state.path() + "/db").value();
  StoredLabels labels{store->file_labels(), "/w"};

  Words Of(const std::string& path) { return store->file_labels().LabelsOf({path}).value(); }
};

// A store that has gone away.
class NoLabels final : public memory::FileLabels {
 public:
  Result<Words> LabelsOf(const Words& /*paths*/) override { return Gone(); }
  Result<std::vector<memory::FileLabel>> Join(
      const std::string& /*workspace*/, const std::vector<memory::FileLabel>& /*new*/) override {
    return Gone();
  }
  Status Settle(const std::string& /*call*/,
                const std::vector<memory::FileLabel>& /*after*/) override {
    return Gone();
  }
  Result<std::vector<memory::FileLabel>> ListFileLabels(const std::string& /*path*/) override {
    return Gone();
  }
  Result<int64_t> ClearFileLabels(const std::vector<memory::FileLabel>& /*listed*/) override {
    return Gone();
  }

 private:
  static Error Gone() { return {ErrorCode::kUnavailable, "the disk is gone"}; }
};

constexpr const char* kVouched =
    "nacre: policy/1\n"
    "name: test\n"
    "workspace: {mode: direct}\n"
    "tools:\n"
    "  - {id: all, reason: r, tool: [t.read, t.run, t.ask], decision: allow}\n"
    "data:\n"
    "  sources:\n"
    "    - {path: /workspace/secret, confidentiality: secret}\n"
    "    - {path: \"/workspace/**\", integrity: trusted}\n"
    "    - {tool: t.run, integrity: trusted}\n";

// The labels of each record of that event.
std::vector<Json> LabelsIn(const Host& host, const std::string& event) {
  std::vector<Json> labels;
  REQUIRE(audit::ReadAuditLog(host.audit(), 0, [&](uint64_t, const Json& record) {
            if (StringMember(record, "event") == event) {
              labels.push_back(record.at("labels"));
            }
            return true;
          }).ok());
  return labels;
}

}  // namespace

TEST_CASE(
    "what a call leaves is as delicate as what it knew, and clean only where that is proved") {
  const sandbox::EntryState nothing;
  sandbox::EntryState link{.type = EntryType::kSymlink, .digest = {}, .target = "x"};
  sandbox::Diff diff;
  diff.changes = {
      Changed("said", nothing, File("hello")),
      Changed("also-said", File("old"), File("hello\n")),
      Changed("more", File("old"), File("oldhello\n")),
      Changed("gone", File("old"), nothing),
      Changed("mode", File("same"), File("same")),
      Changed("folder", nothing, {.type = EntryType::kDirectory, .digest = {}, .target = {}}),
      Changed("link", nothing, link)};
  diff.changes[4].after.mode = 0755;
  policy::Request request = Writes("hello", "/workspace/said");
  const auto labelled = [&](policy::CallEffect effect) {
    return LabelsOfDiff("/w", {.diff = diff,
                               .tool = Tool(effect),
                               .request = request,
                               .read = policy::Join(kSecret, kTainted),
                               .given = kTainted,
                               .call = "1",
                               .now_ms = 5});
  };
  const std::vector<LabelledPath> labels = labelled(policy::CallEffect::kWrite);
  struct Row {
    std::string path;
    Words labels;
    bool anew;
  };
  const Words read = {"confidentiality:secret", "integrity:untrusted"};
  const std::vector<Row> rows = {{"/w/said", {"integrity:untrusted"}, true},
                                 {"/w/also-said", read, false},
                                 {"/w/more", read, false},
                                 {"/w/gone", {}, true},
                                 {"/w/folder", read, false},
                                 {"/w/link", read, false}};
  REQUIRE(labels.size() == rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(labels[i].label.path == rows[i].path);
    CHECK(labels[i].label.labels == rows[i].labels);
    CHECK(labels[i].anew == rows[i].anew);
    CHECK(labels[i].label.below == (rows[i].path == "/w/link"));
  }
  CHECK(labels[0].label.digest == Sha256Text("hello"));
  diff.changes[0].after = File("hello\n");
  CHECK(labelled(policy::CallEffect::kWrite)[0].anew);
  // Which of its arguments a program writes where can say something; so can who writes two files.
  CHECK_FALSE(labelled(policy::CallEffect::kExecute)[0].anew);
  request.paths.push_back({"other", "/workspace/also-said", policy::PathAccess::kWrite});
  CHECK_FALSE(labelled(policy::CallEffect::kWrite)[0].anew);
}

TEST_CASE("killed between its label and its commit, a file has both labels, the old and the new") {
  Kept kept;
  sandbox::Diff first;
  first.changes = {Changed("a", {}, File("x"))};
  const policy::Request request = Writes("anew");
  const auto write = [&](const sandbox::Diff& diff, const Label& label, const std::string& call) {
    return kept.labels
        .BeforeCommit({.diff = diff,
                       .tool = Tool(policy::CallEffect::kWrite),
                       .request = request,
                       .read = label,
                       .given = label,
                       .call = call})
        .value();
  };
  REQUIRE(kept.labels.AfterCommit(write(first, kSecret, "1")).ok());
  CHECK(kept.Of("/w/a") == Words{"confidentiality:secret"});
  sandbox::Diff second;
  second.changes = {Changed("a", File("x"), File("anew"))};
  const LabelChange change = write(second, kTainted, "2");
  CHECK(kept.Of("/w/a") == Words{"confidentiality:secret", "integrity:untrusted"});  // killed here
  REQUIRE(kept.labels.AfterCommit(change).ok());
  CHECK(kept.Of("/w/a") == Words{"integrity:untrusted"});
  // Taken back, it is what it was: also when killed on the way.
  const Json note = {{"labels", LabelsToNote("/w", change.before)}};
  const LabelChange undo = BeforeUndo(kept.store->file_labels(), "/w", note, {"a"}, "2", 9).value();
  CHECK(kept.Of("/w/a") == Words{"confidentiality:secret", "integrity:untrusted"});
  REQUIRE(kept.labels.AfterCommit(undo).ok());
  CHECK(kept.Of("/w/a") == Words{"confidentiality:secret"});
}

TEST_CASE("a note that is too long for each label has the union, for every path") {
  std::vector<memory::FileLabel> before;
  for (int i = 0; i < 5000; ++i) {
    before.push_back({.path = "/w/" + std::string(60, 'x') + std::to_string(i),
                      .labels = {i == 4999 ? "confidentiality:secret" : "integrity:untrusted"},
                      .below = i == 7});
  }
  const Json note = {{"labels", LabelsToNote("/w", before)}};
  CHECK(DumpJson(note).size() < 1000);
  Kept kept;
  const LabelChange undo = BeforeUndo(kept.store->file_labels(), "/w", note, {"b"}, "1", 1).value();
  CHECK(undo.after.at(0).labels == Words{"confidentiality:secret", "integrity:untrusted"});
  CHECK(undo.after.at(0).below);
  // A note is ours; one that is torn gives no label to another path.
  CHECK_FALSE(
      BeforeUndo(kept.store->file_labels(), "/w", {{"labels", {{{"path", "%zz"}}}}}, {"a"}, "1", 1)
          .ok());
}

TEST_CASE("taking back a call that noted no labels leaves them as they are") {
  Kept kept;
  REQUIRE(kept.store->file_labels()
              .Join("/w", {{.path = "/w/a", .labels = {"confidentiality:secret"}, .call = "0"}})
              .ok());
  const LabelChange undo =
      BeforeUndo(kept.store->file_labels(), "/w", Json::object(), {"a"}, "1", 9).value();
  REQUIRE(kept.labels.AfterCommit(undo).ok());
  CHECK(kept.Of("/w/a") == Words{"confidentiality:secret"});
}

TEST_CASE("what a crash left is finished with its label, whatever became of that since") {
  Kept kept;
  const Words secret = {"confidentiality:secret"};
  sandbox::JournalHeader header{.id = "1", .workspace = "/w"};
  header.note = R"({"written":["confidentiality:secret"],"labels":[]})";
  header.changes = {{Changed("a", {}, File("x")), {}, {}},
                    {Changed("gone", File("x"), {}), {}, {}},
                    {Changed("same", File("x"), File("x")), {}, {}}};
  REQUIRE(BeforeRecovery(kept.store->file_labels(), header).ok());
  CHECK(kept.Of("/w/a") == secret);
  CHECK(kept.Of("/w/gone").empty());
  CHECK(kept.Of("/w/same").empty());
  // An undo, which brings back what had a label.
  header.kind = sandbox::JournalKind::kUndo;
  header.note = R"({"labels":[{"path":"gone","labels":["integrity:untrusted"],"digest":""}]})";
  REQUIRE(BeforeRecovery(kept.store->file_labels(), header).ok());
  CHECK(kept.Of("/w/gone") == Words{"integrity:untrusted"});
  CHECK(kept.Of("/w/a") == secret);
  header.note = "no note";
  CHECK_FALSE(BeforeRecovery(kept.store->file_labels(), header).ok());
}

TEST_CASE("a note has the label of the notes that its call has read") {
  Kept kept;
  Host host;
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  REQUIRE(kept.store->AddNote("/w", "the harbour is north", {"confidentiality:secret"}, 1).ok());
  MemoryService memory(*kept.store, *log, host.clock,
                       {.workspace = "/w", .labels = {"integrity:untrusted"}});
  REQUIRE(memory.Call("memory.search", {{"query", "harbour"}}).ok());
  REQUIRE(memory.Call("memory.note", {{"text", "sail north"}}).ok());
  const std::vector<memory::NoteRecord> notes = kept.store->SearchNotes("/w", "sail", 9).value();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].labels == Words{"confidentiality:secret", "integrity:untrusted"});
}

TEST_CASE("what lies below a path, and where a link leads, is looked up, and else the workspace") {
  const TempDir workspace = TempDir::Create().value();
  Kept kept;
  const StoredLabels labels(kept.store->file_labels(), workspace.path());
  REQUIRE(WriteFileAtomically(workspace.path() + "/a", "x").ok());
  REQUIRE(::symlink("a", (workspace.path() + "/link").c_str()) == 0);
  REQUIRE(::symlink("/etc", (workspace.path() + "/out").c_str()) == 0);
  REQUIRE(::symlink("/workspace/a", (workspace.path() + "/inside").c_str()) == 0);
  REQUIRE(::symlink("../x", (workspace.path() + "/up").c_str()) == 0);
  REQUIRE(::symlink("loop", (workspace.path() + "/loop").c_str()) == 0);
  REQUIRE(::symlink(".", (workspace.path() + "/here").c_str()) == 0);
  REQUIRE(kept.store->file_labels()
              .Join(workspace.path(), {{.path = workspace.path() + "/a",
                                        .labels = {"confidentiality:secret"},
                                        .call = "1"},
                                       {.path = "/etc", .labels = {"category:x"}, .below = true}})
              .ok());
  const auto label = [&](const std::string& path, policy::CallEffect effect) {
    policy::Request request{.tool = "t", .paths = {{"path", path}}};
    REQUIRE(labels.Look({.tool = "t", .effects = {effect}}, request).ok());
    return std::pair(policy::LabelTexts(request.paths[0].label),
                     policy::LabelTexts(request.unnamed));
  };
  const Words secret = {"confidentiality:secret"};
  CHECK(label("/workspace/a", policy::CallEffect::kRead) == std::pair(secret, Words{}));
  CHECK(label("/workspace", policy::CallEffect::kRead) == std::pair(secret, Words{}));
  CHECK(label("/workspace/link", policy::CallEffect::kRead) == std::pair(secret, Words{}));
  CHECK(label("/workspace/b", policy::CallEffect::kRead) == std::pair(Words{}, Words{}));
  CHECK(label("/workspace/here/link", policy::CallEffect::kRead) == std::pair(secret, Words{}));
  CHECK(label("/workspace/here/b", policy::CallEffect::kRead) == std::pair(Words{}, Words{}));
  CHECK(label("/etc/passwd", policy::CallEffect::kRead) == std::pair(Words{}, Words{}));
  // Where it leads in the sandbox is not known here: anywhere in the workspace.
  for (const char* path : {"/workspace/out/passwd", "/workspace/inside", "/workspace/up",
                           "/workspace/loop", "/workspace/here", "/", "/proc/1/cwd/a", "/data/x"}) {
    CAPTURE(path);
    CHECK(label(path, policy::CallEffect::kRead) == std::pair(secret, Words{}));
  }
  // So what is written there is anywhere in it, too.
  policy::Request write = Writes("x", "/proc/self/cwd/b");
  REQUIRE(labels.BeforeDirect(Tool(policy::CallEffect::kWrite), write, kTainted, "2", 1).ok());
  CHECK(kept.Of(workspace.path() + "/b") == Words{"integrity:untrusted"});
  REQUIRE(kept.store->file_labels()
              .ClearFileLabels({{.path = workspace.path(),
                                 .labels = {"integrity:untrusted"},
                                 .call = "2",
                                 .changed_ms = 1}})
              .value() == 1);
  CHECK(label("/workspace/b", policy::CallEffect::kExecute) == std::pair(Words{}, secret));
}

TEST_CASE("another session reads with the label that a program of a first one may have left") {
  Host host;
  host.policy = policy::LoadPolicyText("test.yaml", kVouched).value();
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  Collector sink;
  const auto session = [&](std::vector<inference::ModelReply> script, const std::string& id = {}) {
    ScriptedEngine engine(std::move(script));
    const Services services = host.With(engine, sandbox, *store, *log);
    auto driver = id.empty() ? SessionDriver::Create(services, host.Options(), "task", sink)
                             : SessionDriver::Resume(services, host.Options(), id, sink);
    REQUIRE(driver.ok());
    REQUIRE(driver.value()->RunTurn("task", {}).value().answer == "done");
    return driver.value()->session_id();
  };
  session({Calls("t.read", R"({"path":"b"})"), Says("done")});
  CHECK(LabelsIn(host, "call.finished").back() == Json::array());
  session(
      {Calls("t.read", R"({"path":"secret"})"), Calls("t.run", R"({"path":"c"})"), Says("done")});
  const Json secret = {"confidentiality:secret"};
  const std::string third = session({Calls("t.read", R"({"path":"b"})"), Says("done")});
  CHECK(LabelsIn(host, "call.decided").back() == Json::array());
  CHECK(LabelsIn(host, "call.finished").back() == secret);
  // A program may read what nobody has: its call is judged as if it had.
  session({Calls("t.run", R"({"path":"c"})"), Says("done")});
  CHECK(LabelsIn(host, "call.decided").back() == secret);
  // What it knew, it knows when it goes on, also where a person has cleared it since.
  auto& labels = store->file_labels();
  REQUIRE(labels.ClearFileLabels(labels.ListFileLabels(host.workspace.path()).value()).value() > 0);
  session({Says("done"), Calls("t.read", R"({"path":"b"})"), Says("done")});
  CHECK(LabelsIn(host, "turn.finished").back() == Json::array());
  session({Says("done"), Says("done")}, third);
  CHECK(LabelsIn(host, "turn.finished").back() == secret);
}

TEST_CASE("whatever an argument is called, its labels can be recorded and are found again") {
  const policy::Label secret = {.confidentiality = policy::Confidentiality::kSecret};
  policy::Request request;
  request.paths.push_back(
      {"gr\xC3\xB6\xC3\x9F"
       "e",
       "/workspace/a", policy::PathAccess::kRead});
  request.paths[0].label = secret;
  const Json record = StoredLabelsRecord(request);
  SystemClock clock;
  SystemRandom random;
  CHECK(audit::EncodeRecord({.event = "call.finished", .data = record}, clock, random).ok());
  request.paths[0].label = policy::Label::Clean();
  RecallStoredLabels({{"read_labels", record}}, request);
  CHECK(request.paths[0].label == policy::Join(policy::Label::Clean(), secret));
  CHECK(request.unnamed == policy::Label::Clean());
}

TEST_CASE("where labels cannot be read, no call is judged") {
  Host host;
  host.policy = policy::LoadPolicyText("test.yaml", kVouched).value();
  Fate fate;
  auto store = memory::SqliteSessionStore::Open(host.database()).value();
  MortalStore mortal(*store, fate);
  NoLabels gone;
  mortal.other_labels = &gone;
  auto log = audit::OpenAuditLog(host.audit(), host.clock, host.random).value();
  PretendedSandbox sandbox(fate);
  ScriptedEngine engine({Calls("t.read", R"({"path":"b"})"), Says("done")});
  Collector sink;
  auto driver =
      SessionDriver::Create(host.With(engine, sandbox, mortal, *log), host.Options(), "task", sink)
          .value();
  const TurnFinished finished = driver->RunTurn("task", {}).value();
  CHECK(finished.state == "failed");
  CHECK(finished.error.find("the disk is gone") != std::string::npos);
  CHECK(sandbox.started.empty());
}

}  // namespace nacre::agent
