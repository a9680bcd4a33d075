#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/file.h"
#include "base/temp_dir.h"
#include "memory/migrations.h"
#include "memory/sqlite_session_store.h"
#include "tests/support/skip.h"

namespace nacre::memory {
namespace {

// An id that is the same in every process: the number in the last digits.
std::string Id(char kind, int number) {
  std::string id = std::string("01J") + kind + "0000000000000000000000";
  std::string digits = std::to_string(number);
  return id.replace(26 - digits.size(), digits.size(), digits);
}

std::unique_ptr<SqliteSessionStore> OpenStore(const std::string& path) {
  auto store = SqliteSessionStore::Open(path);
  INFO((store.ok() ? "" : store.error().message));
  REQUIRE(store.ok());
  return std::move(store).value();
}

SessionRecord Session(int number) {
  SessionRecord session;
  session.id = Id('S', number);
  session.created_ms = 1000 + number;
  session.workspace = "/home/user/project";
  session.policy = "coding";
  session.policy_digest = "sha256:00";
  session.model = "nacre-mini";
  session.title = "list the files";
  session.tenant = "acme";
  return session;
}

TurnRecord Turn(int number) {
  TurnRecord turn;
  turn.id = Id('T', number);
  turn.created_ms = 2000 + number;
  turn.request = "list the files";
  return turn;
}

StepRecord CallStep(int64_t index, int number, CallState state) {
  StepRecord step;
  step.index = index;
  step.prompt_tokens = 100;
  step.generated_tokens = 10;
  step.call.emplace();
  step.call->id = Id('C', number);
  step.call->tool = "fs.list";
  step.call->arguments_json = R"({"path":"."})";
  step.call->state = state;
  step.call->verdict = state == CallState::kDenied ? "deny" : "allow";
  step.call->rule = "tools[0]";
  step.call->reason = "the workspace is the agent's own";
  step.call->started_ms = 3000 + number;
  return step;
}

CallRecord Finished(CallRecord call) {
  call.state = CallState::kFinished;
  call.finished_ms = call.started_ms + 5;
  call.outcome_json = R"({"kind":"exited"})";
  call.result_text = "a.txt";
  return call;
}

StepRecord AnswerStep(int64_t index) {
  StepRecord step;
  step.index = index;
  step.answer = "There is one file.";
  return step;
}

// The life of two turns, one durable operation each: what the crash tests cut at every place.
std::vector<std::function<Status(SessionStore&)>> Script() {
  const StepRecord first = CallStep(0, 1, CallState::kStarted);
  const StepRecord second = CallStep(2, 2, CallState::kStarted);
  StepRecord malformed;
  malformed.index = 1;
  malformed.malformed = "{\"name\":";
  malformed.malformed_reason = "the call ends in the middle";
  return {
      [](SessionStore& store) { return store.CreateSession(Session(1)); },
      [](SessionStore& store) { return store.BeginTurn(Id('S', 1), Turn(1)); },
      [=](SessionStore& store) { return store.AppendStep(Id('T', 1), first); },
      [=](SessionStore& store) { return store.FinishCall(Finished(*first.call)); },
      [=](SessionStore& store) { return store.AppendStep(Id('T', 1), malformed); },
      [=](SessionStore& store) { return store.AppendStep(Id('T', 1), second); },
      [=](SessionStore& store) { return store.FinishCall(Finished(*second.call)); },
      [](SessionStore& store) {
        return store.AppendStep(Id('T', 1), CallStep(3, 3, CallState::kDenied));
      },
      [](SessionStore& store) { return store.AppendStep(Id('T', 1), AnswerStep(4)); },
      [](SessionStore& store) {
        return store.FinishTurn(Id('T', 1), TurnState::kFinished, "There is one file.", "", 4000);
      },
      [](SessionStore& store) { return store.AddNote("/home/user/project", "one file", {}, 4001); },
      [](SessionStore& store) { return store.BeginTurn(Id('S', 1), Turn(2)); },
  };
}

// Everything that the store knows, as text, so that two stores can be compared.
std::string Describe(SessionStore& store) {
  std::string text;
  const auto sessions = store.ListSessions(100).value();
  for (const SessionRecord& session : sessions) {
    text += "session " + session.id + " updated " + std::to_string(session.updated_ms) + " turns " +
            std::to_string(session.turns) + (session.unfinished ? " unfinished\n" : "\n");
    const SessionDetail detail = store.LoadSession(session.id).value();
    for (const TurnRecord& turn : detail.turns) {
      text += " turn " + turn.id + " " + TurnStateName(turn.state) + " " + turn.answer + "\n";
      for (const StepRecord& step : turn.steps) {
        text += "  step " + std::to_string(step.index) + " " + step.answer + step.malformed + "\n";
        if (step.call.has_value()) {
          text += "   call " + step.call->id + " " + CallStateName(step.call->state) + " " +
                  step.call->result_text + "\n";
        }
      }
    }
  }
  const auto notes = store.SearchNotes("/home/user/project", "", 100).value();
  for (const NoteRecord& note : notes) {
    text += "note " + note.text + "\n";
  }
  return text;
}

// The exit status of a child that runs `body`; Catch must not run in it.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace
// Opening the file a second time and closing it would drop SQLite's locks (fcntl(2)); a second
// process would then think itself the last and delete the log that the first still writes to.
TEST_CASE("a process that comes and goes does not take the write-ahead log from one that stays") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/db";
  REQUIRE(
      OpenStore(path)->CreateSession(Session(1)).ok());  // the file exists before either process
  const std::unique_ptr<SqliteSessionStore> staying = OpenStore(path);
  REQUIRE(staying->CreateSession(Session(2)).ok());
  const pid_t child = ::fork();
  if (child == 0) {
    bool done = false;
    {
      const auto passing = SqliteSessionStore::Open(path);
      done = passing.ok() && passing.value()->CreateSession(Session(3)).ok();
    }  // closed, as at the end of a command
    ::_exit(done ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = std::filesystem::read_symlink(entry, ignored).string();
    CAPTURE(target);
    CHECK_FALSE((target.starts_with(path) && target.ends_with("(deleted)")));
  }
  REQUIRE(staying->CreateSession(Session(4)).ok());
  CHECK(OpenStore(path)->ListSessions(10).value().size() == 4);
}

TEST_CASE("a session is loaded as it was stored, with turns, steps and calls in order") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/state/sessions.db");
  for (const auto& operation : Script()) {
    const Status status = operation(*store);
    INFO((status.ok() ? "" : status.error().message));
    REQUIRE(status.ok());
  }
  const SessionDetail detail = store->LoadSession(Id('S', 1)).value();
  CHECK(detail.session.workspace == "/home/user/project");
  CHECK(detail.session.policy == "coding");
  CHECK(detail.session.policy_digest == "sha256:00");
  CHECK(detail.session.model == "nacre-mini");
  CHECK(detail.session.title == "list the files");
  CHECK(detail.session.created_ms == 1001);
  CHECK(detail.session.updated_ms == 4000);
  CHECK(detail.session.turns == 2);
  CHECK(detail.session.unfinished);
  REQUIRE(detail.turns.size() == 2);
  const TurnRecord& turn = detail.turns[0];
  CHECK(turn.state == TurnState::kFinished);
  CHECK(turn.request == "list the files");
  CHECK(turn.answer == "There is one file.");
  REQUIRE(turn.steps.size() == 5);
  CHECK(turn.steps[0].prompt_tokens == 100);
  CHECK(turn.steps[0].generated_tokens == 10);
  REQUIRE(turn.steps[0].call.has_value());
  const CallRecord& call = *turn.steps[0].call;
  CHECK(call.id == Id('C', 1));
  CHECK(call.tool == "fs.list");
  CHECK(call.arguments_json == R"({"path":"."})");
  CHECK(call.state == CallState::kFinished);
  CHECK(call.verdict == "allow");
  CHECK(call.rule == "tools[0]");
  CHECK(call.started_ms == 3001);
  CHECK(call.finished_ms == 3006);
  CHECK(call.outcome_json == R"({"kind":"exited"})");
  CHECK(call.result_text == "a.txt");
  CHECK_FALSE(call.result_error);
  CHECK(turn.steps[1].malformed_reason == "the call ends in the middle");
  CHECK_FALSE(turn.steps[1].call.has_value());
  CHECK(turn.steps[3].call->state == CallState::kDenied);
  CHECK(turn.steps[4].answer == "There is one file.");
  CHECK(store->Check().ok());
}

// A child performs k operations, each acknowledged, and is killed with the database open.
TEST_CASE("sessions are counted without a store that is not there being made") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/nacre.db";
  CHECK(SqliteSessionStore::CountSessions(path).value() == 0);
  CHECK(std::filesystem::is_empty(dir.path()));
  const auto store = OpenStore(path);
  CHECK(SqliteSessionStore::CountSessions(path).value() == 0);
  REQUIRE(store->CreateSession(Session(1)).ok());
  REQUIRE(store->CreateSession(Session(2)).ok());
  CHECK(SqliteSessionStore::CountSessions(path).value() == 2);
  REQUIRE(WriteFileAtomically(dir.path() + "/other.db", std::string(4096, 'x')).ok());
  CHECK_FALSE(SqliteSessionStore::CountSessions(dir.path() + "/other.db").ok());
}

TEST_CASE("what all sessions used since a time is counted, denied calls apart") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/state/sessions.db");
  CHECK(store->UseSince(0).value().steps == 0);
  CHECK(store->CallsSince(0).value().empty());
  for (const auto& operation : Script()) {
    REQUIRE(operation(*store).ok());
  }
  const Use use = store->UseSince(2001).value();
  CHECK(use.steps == 5);
  CHECK(use.calls == 3);
  CHECK(use.tokens == 330);
  CHECK(store->UseSince(2002).value().steps == 0);  // the second turn has none yet
  CHECK(store->CallsSince(3001).value() == std::map<std::string, ToolUse>{{"fs.list", {2, 0, 0}}});
  CHECK(store->CallsSince(3002).value() == std::map<std::string, ToolUse>{{"fs.list", {1, 0, 0}}});
  // One that began before and ended since counts for its time alone.
  CHECK(store->CallsSince(3003).value() == std::map<std::string, ToolUse>{{"fs.list", {0, 0, 0}}});
  CHECK(store->CallsSince(4000).value().empty());
}

TEST_CASE("kill -9 after any operation leaves exactly what was acknowledged") {
  const auto script = Script();
  for (size_t count = 0; count <= script.size(); ++count) {
    CAPTURE(count);
    const TempDir directory = TempDir::Create().value();
    const std::string path = directory.path() + "/sessions.db";
    const int status = InChild([&] {
      auto store = SqliteSessionStore::Open(path);
      for (size_t i = 0; i < count; ++i) {
        if (!store.ok() || !script[i](*store.value()).ok()) {
          return 1;
        }
      }
      ::raise(SIGKILL);
      return 2;
    });
    REQUIRE(WIFSIGNALED(status));
    const auto reopened = OpenStore(path);
    const TempDir other = TempDir::Create().value();
    const auto expected = OpenStore(other.path() + "/sessions.db");
    for (size_t i = 0; i < count; ++i) {
      REQUIRE(script[i](*expected).ok());
    }
    CHECK(Describe(*reopened) == Describe(*expected));
    CHECK(reopened->Check().ok());
    for (size_t i = count; i < script.size(); ++i) {
      CHECK(script[i](*reopened).ok());
    }
  }
}

// The child reports each acknowledged note through a pipe; the parent kills it at a moment that
// differs from round to round.
TEST_CASE("kill -9 in the middle of a write loses no acknowledged note and invents none") {
  for (int round = 1; round <= 20; ++round) {
    CAPTURE(round);
    const TempDir directory = TempDir::Create().value();
    const std::string path = directory.path() + "/sessions.db";
    Pipe pipe = MakePipe().value();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto store = SqliteSessionStore::Open(path);
      for (int i = 0; store.ok() && store.value()->AddNote("/w", std::to_string(i), {}, i).ok();
           ++i) {
        (void)!::write(pipe.write.get(), "x", 1);
      }
      ::_exit(1);
    }
    pipe.write.reset();
    std::string acknowledged(static_cast<size_t>(round), ' ');
    REQUIRE(ReadExactly(pipe.read.get(), acknowledged.data(), acknowledged.size()).ok());
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    char byte = 0;
    int total = round;
    while (::read(pipe.read.get(), &byte, 1) == 1) {
      ++total;
    }
    const auto store = OpenStore(path);
    const auto notes = store->SearchNotes("/w", "", 1000).value();
    // One may be committed and killed before its acknowledgement.
    CHECK(static_cast<int>(notes.size()) >= total);
    CHECK(static_cast<int>(notes.size()) <= total + 1);
    CHECK(store->Check().ok());
  }
}

TEST_CASE("what breaks the order of events is refused and changes nothing") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  REQUIRE(store->CreateSession(Session(1)).ok());
  REQUIRE(store->BeginTurn(Id('S', 1), Turn(1)).ok());
  REQUIRE(store->AppendStep(Id('T', 1), CallStep(0, 1, CallState::kStarted)).ok());
  const std::string before = Describe(*store);

  CHECK(store->CreateSession(Session(1)).error().code == ErrorCode::kAlreadyExists);
  CHECK(store->BeginTurn(Id('S', 9), Turn(2)).error().code == ErrorCode::kNotFound);
  CHECK(store->BeginTurn(Id('S', 1), Turn(2)).error().message ==
        "session " + Id('S', 1) + " has an unfinished turn " + Id('T', 1) + ": resume it first");
  CHECK(store->AppendStep(Id('T', 9), AnswerStep(0)).error().code == ErrorCode::kNotFound);
  CHECK(store->AppendStep(Id('T', 1), AnswerStep(0)).error().code ==
        ErrorCode::kFailedPrecondition);
  CHECK(store->AppendStep(Id('T', 1), AnswerStep(2)).error().code ==
        ErrorCode::kFailedPrecondition);
  CHECK(store->AppendStep(Id('T', 1), CallStep(1, 2, CallState::kFinished)).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK(store->AppendStep(Id('T', 1), CallStep(1, 1, CallState::kStarted)).error().code ==
        ErrorCode::kAlreadyExists);
  CHECK(store->FinishCall(*CallStep(0, 1, CallState::kStarted).call).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK(store->FinishCall(Finished(*CallStep(0, 9, CallState::kStarted).call)).error().code ==
        ErrorCode::kNotFound);
  CHECK(store->FinishTurn(Id('T', 1), TurnState::kRunning, "", "", 1).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK(Describe(*store) == before);

  const CallRecord finished = Finished(*CallStep(0, 1, CallState::kStarted).call);
  REQUIRE(store->FinishCall(finished).ok());
  CHECK(store->FinishCall(finished).error().message ==
        "call " + Id('C', 1) + " is finished already");
  REQUIRE(store->FinishTurn(Id('T', 1), TurnState::kCancelled, "", "", 1).ok());
  CHECK(store->FinishTurn(Id('T', 1), TurnState::kFinished, "", "", 1).error().code ==
        ErrorCode::kFailedPrecondition);
  CHECK(store->AppendStep(Id('T', 1), AnswerStep(1)).error().code ==
        ErrorCode::kFailedPrecondition);
}

TEST_CASE("a session is found by its id, a unique prefix or the word last") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  CHECK(store->LoadSession("last").error().message == "there is no session yet");
  SessionRecord other = Session(2);
  other.id = "01K" + other.id.substr(3);
  REQUIRE(store->CreateSession(Session(1)).ok());
  REQUIRE(store->CreateSession(other).ok());
  REQUIRE(store->CreateSession(Session(3)).ok());

  CHECK(store->LoadSession(Id('S', 3)).value().session.id == Id('S', 3));
  CHECK(store->LoadSession("01KS").value().session.id == other.id);
  CHECK(store->LoadSession("01ks").value().session.id == other.id);
  CHECK(store->LoadSession("last").value().session.id == Id('S', 3));
  CHECK(store->LoadSession("01JS").error().message ==
        "session id 01JS is ambiguous: " + Id('S', 1) + " and " + Id('S', 3) + " begin with it");
  CHECK(store->LoadSession("01JX").error().code == ErrorCode::kNotFound);
  CHECK(store->LoadSession("01J").error().code == ErrorCode::kInvalidArgument);
  CHECK(store->LoadSession("%%%%").error().code == ErrorCode::kInvalidArgument);
  CHECK(store->LoadSession("").error().code == ErrorCode::kInvalidArgument);
  const auto sessions = store->ListSessions(2).value();
  REQUIRE(sessions.size() == 2);
  CHECK(sessions[0].id == Id('S', 3));
  CHECK(sessions[1].id == other.id);
  CHECK(store->ListSessions(-1).value().empty());
}

TEST_CASE("hostile text is stored and returned byte for byte") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  SessionRecord session = Session(1);
  session.title = std::string("'); DROP TABLE turns; --\0\x1b[2J\xff\xfe", 30);
  REQUIRE(store->CreateSession(session).ok());
  CHECK(store->LoadSession("last").value().session.title == session.title);
  session.id = Id('S', 2);
  session.title = std::string(static_cast<size_t>(Database::kValueBytesMax) + 1, 'x');
  CHECK(store->CreateSession(session).error().code == ErrorCode::kResourceExhausted);
  CHECK(store->ListSessions(9).value().size() == 1);
}

TEST_CASE("notes are found by stemmed words, best first, within their workspace only") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  REQUIRE(store->AddNote("/w", "The tests are run with ninja", {}, 1).ok());
  REQUIRE(
      store->AddNote("/w", "Deployment: ask Kim before deploying, deploys are slow", {}, 2).ok());
  REQUIRE(
      store->AddNote("/w", "Deploy on Monday, together with the long list of other things", {}, 3)
          .ok());
  REQUIRE(store->AddNote("/elsewhere", "deploying needs a key", {}, 4).ok());

  const auto found = store->SearchNotes("/w", "How do we deploy?", 10).value();
  REQUIRE(found.size() == 2);
  CHECK(found[0].text == "Deployment: ask Kim before deploying, deploys are slow");
  CHECK(found[0].created_ms == 2);
  CHECK(store->SearchNotes("/w", "deploy", 1).value().size() == 1);
  CHECK(store->SearchNotes("/w", "database", 10).value().empty());
  const auto newest = store->SearchNotes("/w", "", 2).value();
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].created_ms == 3);
  CHECK(store->AddNote("/w", "", {}, 5).error().code == ErrorCode::kInvalidArgument);
  CHECK(store->AddNote("/w", std::string(SqliteSessionStore::kNoteBytesMax + 1, 'x'), {}, 5)
            .error()
            .code == ErrorCode::kResourceExhausted);
}

TEST_CASE("no query is an error, whatever FTS syntax it contains") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  REQUIRE(store->AddNote("/w", "near the text column", {}, 1).ok());
  const std::string query = GENERATE(values<std::string>({"\"",
                                                          "\"\"",
                                                          "*",
                                                          "text:",
                                                          "-text",
                                                          "text:near",
                                                          "NEAR(a b, 2)",
                                                          "a AND",
                                                          "OR",
                                                          "NOT NOT",
                                                          "(",
                                                          "^near",
                                                          "{text}:near",
                                                          "+",
                                                          std::string("near\0column", 11),
                                                          "\xff\xfe near",
                                                          "'",
                                                          ";--",
                                                          "\xcc\x81",
                                                          std::string(100'000, '"'),
                                                          std::string(100'000, 'a')}));
  CAPTURE(query.substr(0, 40));
  CHECK(store->SearchNotes("/w", query, 10).ok());
}

TEST_CASE("a query is cut after its first words") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  REQUIRE(store->AddNote("/w", "needle", {}, 1).ok());
  std::string query;
  for (size_t i = 0; i < SqliteSessionStore::kQueryWordsMax; ++i) {
    query += "hay ";
  }
  CHECK(store->SearchNotes("/w", query + "needle", 10).value().empty());
  CHECK(store->SearchNotes("/w", query.substr(4) + "needle", 10).value().size() == 1);
}

TEST_CASE("a session is used by one holder at a time, in threads and processes alike") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  const std::string id = Id('S', 1);
  {
    const auto lease = store->LockSession(id);
    REQUIRE(lease.ok());
    CHECK(store->LockSession(id).error() ==
          Error{ErrorCode::kUnavailable,
                "session " + id + " is in use by process " + std::to_string(::getpid())});
    CHECK(store->LockSession(Id('S', 2)).ok());
    const int status = InChild([&] {
      auto second = SqliteSessionStore::Open(directory.path() + "/sessions.db");
      return second.ok() && !second.value()->LockSession(id).ok() ? 0 : 1;
    });
    CHECK(status == 0);
  }
  CHECK(store->LockSession(id).ok());
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/locks/" + id));
  CHECK(store->LockSession("../../escape").error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a lease of a killed process is free at once") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/sessions.db";
  const int status = InChild([&] {
    auto store = SqliteSessionStore::Open(path);
    if (!store.ok()) {
      return 1;
    }
    const auto lease = store.value()->LockSession(Id('S', 1));
    if (!lease.ok()) {
      return 2;
    }
    ::raise(SIGKILL);
    return 3;
  });
  REQUIRE(WIFSIGNALED(status));
  CHECK(OpenStore(path)->LockSession(Id('S', 1)).ok());
}

TEST_CASE("threads and processes write side by side without an error") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/sessions.db";
  std::vector<pid_t> children;
  for (int process = 0; process < 3; ++process) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto store = SqliteSessionStore::Open(path);
      bool ok = store.ok();
      std::vector<std::thread> threads;
      std::atomic<bool> all = ok;
      for (int thread = 0; ok && thread < 2; ++thread) {
        threads.emplace_back([&, thread] {
          const int number = 10 * process + thread + 1;
          bool good = store.value()->CreateSession(Session(number)).ok();
          good = good && store.value()->BeginTurn(Id('S', number), Turn(number)).ok();
          for (int step = 0; good && step < 10; ++step) {
            good = store.value()->AppendStep(Id('T', number), AnswerStep(step)).ok();
          }
          if (!good) {
            all = false;
          }
        });
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
      ::_exit(all ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const auto store = OpenStore(path);
  const auto sessions = store->ListSessions(100).value();
  CHECK(sessions.size() == 6);
  for (const SessionRecord& session : sessions) {
    CHECK(store->LoadSession(session.id).value().turns.at(0).steps.size() == 10);
  }
}

TEST_CASE("a database of an earlier version becomes one of this, with all that was in it") {
  const int version = GENERATE(1, 2, 3, 4, 5);
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/sessions.db";
  auto store = OpenStore(path);
  for (const auto& operation : Script()) {
    REQUIRE(operation(*store).ok());
  }
  const SessionDetail before = store->LoadSession("last").value();
  store.reset();
  {
    Database database = Database::Open(path).value();
    REQUIRE((version == 5 || database.Execute("ALTER TABLE sessions DROP COLUMN tenant").ok()));
    for (const char* column : {"run_us", "argument_bytes"}) {
      REQUIRE(database.Execute(std::string("ALTER TABLE calls DROP COLUMN ") + column).ok());
    }
    for (const char* column : {"wall_ms", "bytes_out", "energy_uj"}) {
      REQUIRE((version >= 4 ||
               database.Execute(std::string("ALTER TABLE steps DROP COLUMN ") + column).ok()));
    }
    if (version < 3) {
      REQUIRE(
          database.Execute("ALTER TABLE notes DROP COLUMN labels; DROP TABLE file_labels").ok());
    }
    if (version == 1) {
      REQUIRE(database.Execute("ALTER TABLE calls DROP COLUMN withheld").ok());
    }
    REQUIRE(database.Execute("PRAGMA user_version = " + std::to_string(version)).ok());
  }
  const auto again = OpenStore(path);
  CHECK(again->Check().ok());
  const SessionDetail after = again->LoadSession("last").value();
  CHECK(after.session.title == before.session.title);
  CHECK(after.session.tenant == (version == 5 ? before.session.tenant : ""));
  REQUIRE(after.turns.size() == before.turns.size());
  for (size_t i = 0; i < after.turns.size(); ++i) {
    REQUIRE(after.turns[i].steps.size() == before.turns[i].steps.size());
    for (size_t k = 0; k < after.turns[i].steps.size(); ++k) {
      const auto& call = after.turns[i].steps[k].call;
      REQUIRE(call.has_value() == before.turns[i].steps[k].call.has_value());
      if (call.has_value()) {
        CHECK(call->result_text == before.turns[i].steps[k].call->result_text);
        CHECK(call->withheld.empty());
      }
    }
  }
}

TEST_CASE("how long a call ran is kept when it was cut off") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  REQUIRE(store->CreateSession(Session(1)).ok());
  REQUIRE(store->BeginTurn(Id('S', 1), Turn(1)).ok());
  const StepRecord step = CallStep(0, 1, CallState::kStarted);
  REQUIRE(store->AppendStep(Id('T', 1), step).ok());
  REQUIRE(store->NoteRun(step.call->id, 77).ok());
  const auto call = store->LoadSession(Id('S', 1)).value().turns.at(0).steps.at(0).call;
  CHECK(call->state == CallState::kStarted);
  CHECK(call->run_us == 77);
  CHECK(store->CallsSince(0).value().at("fs.list").run_us == 77);
}

TEST_CASE("what was withheld, and what a call asked an engine for, are stored with its end") {
  const TempDir directory = TempDir::Create().value();
  const auto store = OpenStore(directory.path() + "/sessions.db");
  REQUIRE(store->CreateSession(Session(1)).ok());
  REQUIRE(store->BeginTurn(Id('S', 1), Turn(1)).ok());
  StepRecord step = CallStep(0, 1, CallState::kStarted);  // of 100 and 10 tokens
  step.wall_ms = 7;
  step.bytes_out = 800;
  step.energy_uj = 9;
  step.call->argument_bytes = 4000;
  REQUIRE(store->AppendStep(Id('T', 1), step).ok());
  CallRecord end = Finished(*step.call);
  end.result_text = "withheld as $r1";
  end.withheld = "a letter";
  end.prompt_tokens = 70;
  end.generated_tokens = 2;
  end.wall_ms = 30;
  end.bytes_out = 900;
  end.energy_uj = 5;
  end.run_us = 1234;
  CHECK(store->CallsSince(0).value().at("fs.list") == ToolUse{1, 0, 4000});
  REQUIRE(store->FinishCall(end).ok());
  CHECK(store->CallsSince(0).value().at("fs.list") == ToolUse{1, 1234, 4000});
  // It began before, and ended since: the time counts, and as a whole.
  const CallRecord& began = *step.call;
  REQUIRE(began.started_ms < end.finished_ms);
  CHECK(store->CallsSince(began.started_ms + 1).value().at("fs.list") == ToolUse{0, 1234, 0});
  CHECK(store->CallsSince(end.finished_ms + 1).value().empty());
  const StepRecord loaded = store->LoadSession(Id('S', 1)).value().turns.at(0).steps.at(0);
  CHECK(loaded.call->withheld == "a letter");
  CHECK(loaded.call->run_us == 1234);
  CHECK(loaded.call->argument_bytes == 4000);
  CHECK(loaded.prompt_tokens == 170);
  CHECK(loaded.generated_tokens == 12);
  CHECK(loaded.wall_ms == 37);
  CHECK(loaded.bytes_out == 1700);
  CHECK(loaded.energy_uj == 14);
  CHECK(store->LoadCall(step.call->id).value().call.withheld == "a letter");
  const Use use = store->UseSince(0).value();
  CHECK(use.tokens == 182);
  CHECK(use.wall_ms == 37);
  CHECK(use.bytes_out == 1700);
  CHECK(use.energy_uj == 14);
}

TEST_CASE("a damaged, foreign or newer database is refused and left as it is") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/sessions.db";
  SECTION("not a database") {
    const std::string content(4096, 'x');
    REQUIRE(WriteFileAtomically(path, content).ok());
    CHECK(SqliteSessionStore::Open(path).error().code == ErrorCode::kDataLoss);
    CHECK(ReadFile(path, 1 << 20).value() == content);
  }
  SECTION("of a newer nacre") {
    OpenStore(path);
    {
      Database database = Database::Open(path).value();
      REQUIRE(database.Execute("PRAGMA user_version = 99").ok());
    }
    const Error error = SqliteSessionStore::Open(path).error();
    CHECK(error.code == ErrorCode::kFailedPrecondition);
    CHECK(error.message.find("schema version 99, this nacre knows " +
                             std::to_string(kSchemaVersion)) != std::string::npos);
  }
  SECTION("of another program") {
    {
      Database database = Database::Open(path).value();
      REQUIRE(database.Execute("CREATE TABLE theirs (x)").ok());
    }
    const Error error = SqliteSessionStore::Open(path).error();
    CHECK(error.code == ErrorCode::kFailedPrecondition);
    CHECK(error.message.find("another program") != std::string::npos);
  }
  SECTION("with a damaged page") {
    {
      const auto store = OpenStore(path);
      REQUIRE(store->CreateSession(Session(1)).ok());
    }
    std::string content = ReadFile(path, 1 << 24).value();
    std::fill(content.begin() + 4096, content.begin() + 5 * 4096, '\x5a');
    REQUIRE(WriteFileAtomically(path, content).ok());
    auto store = SqliteSessionStore::Open(path);
    const Status checked = store.ok() ? store.value()->Check() : Status(store.error());
    CHECK(checked.error().code == ErrorCode::kDataLoss);
    CHECK(ReadFile(path, 1 << 24).value() == content);
  }
}

TEST_CASE("a full disk is an error that says so, and what was acknowledged stays") {
  const TempDir directory = TempDir::Create().value();
  if (::geteuid() != 0 ||
      ::mount("nacre-test", directory.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    SKIP_HERE("needs the right to mount a tmpfs");
  }
  struct Unmount {
    const std::string& path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{directory.path()};
  {
    const auto store = OpenStore(directory.path() + "/sessions.db");
    REQUIRE(store->CreateSession(Session(1)).ok());
    size_t acknowledged = 0;
    Status status = Ok();
    while (acknowledged < 1000) {
      status = store->AddNote("/w", std::string(8000, 'n'), {}, 1);
      if (!status.ok()) {
        break;
      }
      ++acknowledged;
    }
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::kResourceExhausted);
    CHECK(status.error().message.find("disk full") != std::string::npos);
    CHECK(store->SearchNotes("/w", "", 1000).value().size() == acknowledged);
    CHECK(store->LoadSession("last").ok());
  }
}

TEST_CASE("a database at its page limit refuses and stays whole") {
  const TempDir directory = TempDir::Create().value();
  Database database = Database::Open(directory.path() + "/x.db").value();
  REQUIRE(Migrate(database).ok());
  REQUIRE(database.Execute("PRAGMA max_page_count = 30").ok());
  Status status = Ok();
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    status = database.Run("INSERT INTO notes (workspace, created_ms, text) VALUES ('/w', ?, ?)", i,
                          std::string(1000, 'n'));
  }
  CHECK(status.error().code == ErrorCode::kResourceExhausted);
  CHECK(database.QueryInt("SELECT count(*) FROM notes").value() > 0);
  CHECK(CheckSchemaVersion(database).ok());
}

TEST_CASE("a transaction that is not committed did not happen") {
  const TempDir directory = TempDir::Create().value();
  Database database = Database::Open(directory.path() + "/x.db").value();
  REQUIRE(database.Execute("CREATE TABLE t (x INTEGER)").ok());
  {
    const Transaction transaction = Transaction::Begin(database).value();
    REQUIRE(database.Run("INSERT INTO t VALUES (?)", 1).ok());
  }
  CHECK(database.QueryInt("SELECT count(*) FROM t").value() == 0);
  Transaction transaction = Transaction::Begin(database).value();
  REQUIRE(database.Run("INSERT INTO t VALUES (?)", 1).ok());
  REQUIRE(transaction.Commit().ok());
  CHECK(database.QueryInt("SELECT count(*) FROM t").value() == 1);
}

TEST_CASE("a state directory that is not writable is an error that says what to do") {
  const TempDir directory = TempDir::Create().value();
  const std::string closed = directory.path() + "/closed";
  REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
  REQUIRE(::mkdir(closed.c_str(), 0555) == 0);
  // As root nothing is read-only: become someone else.
  const int status = InChild([&] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
      return 1;
    }
    const auto store = SqliteSessionStore::Open(closed + "/sessions.db");
    return !store.ok() && store.error().code == ErrorCode::kPermissionDenied &&
                   store.error().message.find(closed) != std::string::npos
               ? 0
               : 2;
  });
  CHECK(status == 0);
  CHECK(std::filesystem::is_empty(closed));
}

TEST_CASE("the files of the store are for their owner only") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/state/sessions.db";
  const auto store = OpenStore(path);
  REQUIRE(store->CreateSession(Session(1)).ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info {};
    REQUIRE(::stat((path + suffix).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
}

}  // namespace nacre::memory
