// Stored calls within a bound of memory, whatever the sessions hold.
#include "runtime/cli/recorded_sessions.h"

#include <catch2/catch.hpp>

#include "base/temp_dir.h"
#include "memory/sqlite_session_store.h"

namespace nacre::cli {
namespace {

std::string Id(char kind, int number) {
  const std::string digits = std::to_string(number);
  return std::string("01J") + kind + std::string(22 - digits.size(), '0') + digits;
}

// A session with one turn: a call whose result was withheld, and one that names its handle.
void AddSession(memory::SessionStore& store, int number, const std::string& withheld) {
  memory::SessionRecord session;
  session.id = Id('S', number);
  session.created_ms = 1000 + number;
  session.workspace = "/home/user/project" + std::to_string(number);
  session.policy = "coding";
  session.policy_digest = "sha256:00";
  session.model = "nacre-mini";
  session.title = "a task";
  REQUIRE(store.CreateSession(session).ok());
  memory::TurnRecord turn;
  turn.id = Id('T', number);
  turn.created_ms = 2000 + number;
  turn.request = "a task";
  REQUIRE(store.BeginTurn(session.id, turn).ok());
  for (int i = 0; i < 2; ++i) {
    memory::StepRecord step;
    step.index = i;
    step.call.emplace();
    step.call->id = Id('C', number * 10 + i);
    step.call->tool = "fs.read";
    step.call->arguments_json = i == 0 ? R"({"path":"a"})" : R"({"path":"b","text":"\u0024r1"})";
    step.call->state = memory::CallState::kStarted;
    step.call->verdict = "allow";
    step.call->rule = "tools.a";
    step.call->reason = "r";
    step.call->started_ms = 3000;
    REQUIRE(store.AppendStep(turn.id, step).ok());
    memory::CallRecord done = *step.call;
    done.state = memory::CallState::kFinished;
    done.finished_ms = 3001;
    done.outcome_json = "{}";
    done.withheld = i == 0 ? withheld : "";
    REQUIRE(store.FinishCall(done).ok());
  }
}

TEST_CASE("sessions are kept within the bound, and a larger one is read call by call") {
  TempDir folder = TempDir::Create("nacre-recorded").value();
  auto store = memory::SqliteSessionStore::Open(folder.path() + "/nacre.db").value();
  for (int number = 1; number <= 4; ++number) {
    AddSession(*store, number,
               std::string(number == 4 ? 100'000 : 4000, static_cast<char>('a' + number)));
  }
  constexpr size_t kBound = 10'000;  // two of the small ones
  RecordedSessions sessions(*store, kBound);
  for (const int number : {1, 2, 4, 3, 1, 4, 2}) {
    CAPTURE(number);
    const auto found = sessions.Find(Id('S', number), Id('C', number * 10 + 1));
    REQUIRE(found.has_value());
    CHECK(found->workspace == "/home/user/project" + std::to_string(number));
    CHECK(found->arguments == R"({"path":"b","text":"\u0024r1"})");
    REQUIRE(found->quarantine != nullptr);
    REQUIRE(found->quarantine->Find("$r1") != nullptr);
    CHECK(found->quarantine->Find("$r1")->text.size() == (number == 4 ? 100'000 : 4000));
    CHECK(sessions.bytes() <= kBound);
    // A call of another session, or the beginning of an id, is not one of this session.
    CHECK_FALSE(sessions.Find(Id('S', number), Id('C', (number % 4 + 1) * 10)).has_value());
    CHECK_FALSE(sessions.Find(Id('S', number), Id('C', number * 10).substr(0, 25)).has_value());
  }
  CHECK(sessions.bytes() > 0);
  CHECK_FALSE(sessions.Find("none", Id('C', 10)).has_value());
}

}  // namespace
}  // namespace nacre::cli
