#include "runtime/cli/recorded_turns.h"

#include <catch2/catch.hpp>
#include <limits>

namespace nacre::cli {
namespace {

Json Record(const std::string& event, const std::string& turn, const std::string& time, Json data) {
  return {{"event", event}, {"turn", turn}, {"time", time}, {"data", std::move(data)}};
}

TEST_CASE("what turns used is read of the records of each, and only of those that ended") {
  RecordedTurns turns;
  turns.Add(Record("turn.started", "a", "2026-11-26T10:00:00.000Z", {}));
  turns.Add(Record("turn.started", "b", "2026-11-26T10:00:00.000Z", {}));
  turns.Add(Record("call.started", "a", "2026-11-26T10:00:01.000Z", {{"tool", "fs.write"}}));
  turns.Add(Record("call.started", "a", "2026-11-26T10:00:01.500Z", {{"tool", "fs.write"}}));
  turns.Add(Record("call.started", "b", "2026-11-26T10:00:01.500Z", {{"tool", "fs.read"}}));
  turns.Add(Record("turn.finished", "a", "2026-11-26T10:00:02.250Z",
                   {{"steps", 4}, {"calls", 2}, {"denied", 1}, {"tokens", 77}}));
  turns.Add(Record("turn.finished", "", "no time", Json::array()));
  turns.Add("no record");
  REQUIRE(turns.ended().size() == 1);
  const policy::TurnUse& use = turns.ended()[0];
  CHECK(use.steps == 4);
  CHECK(use.tool_calls == 3);
  CHECK(use.tokens == 77);
  CHECK(use.wall == std::chrono::milliseconds(2250));
  CHECK(use.calls == std::map<std::string, size_t>{{"fs.write", 2}});
}

TEST_CASE("a turn that was taken up again keeps its calls, and counts once") {
  RecordedTurns turns;
  turns.Add(Record("turn.started", "a", "2026-11-26T10:00:00.000Z", {}));
  turns.Add(Record("call.started", "a", "2026-11-26T10:00:01.000Z", {{"tool", "fs.write"}}));
  turns.Add(Record("turn.finished", "a", "2026-11-26T10:00:02.000Z", {{"steps", 1}}));
  turns.Add(Record("turn.resumed", "a", "2026-11-26T11:00:00.000Z", {}));
  turns.Add(Record("call.started", "a", "2026-11-26T11:00:01.000Z", {{"tool", "fs.write"}}));
  turns.Add(Record("turn.finished", "a", "2026-11-26T11:00:03.000Z", {{"steps", 2}}));
  REQUIRE(turns.ended().size() == 1);
  const policy::TurnUse& use = turns.ended()[0];
  CHECK(use.calls == std::map<std::string, size_t>{{"fs.write", 2}});
  CHECK(use.steps == 2);
  CHECK(use.wall == std::chrono::seconds(3));
}

TEST_CASE("numbers of a record that no turn used can be added") {
  RecordedTurns turns;
  const int64_t most = std::numeric_limits<int64_t>::max();
  turns.Add(Record("turn.started", "a", "2026-11-26T10:00:00.000Z", {}));
  turns.Add(Record("turn.finished", "a", "2026-11-26T10:00:02.000Z",
                   {{"steps", -5}, {"calls", most}, {"denied", most}, {"tokens", most}}));
  REQUIRE(turns.ended().size() == 1);
  CHECK(turns.ended()[0].steps == 0);
  CHECK(turns.ended()[0].tool_calls >= most - 1);
}

TEST_CASE("accounts are named only where each name is one") {
  using Names = std::vector<std::string>;
  CHECK(AccountsIn("ann (uid 1000) through the gateway") == Names{"ann"});
  CHECK(AccountsIn("ann (uid 1000), b.c-d (uid 7) through the gateway") == Names{"ann", "b.c-d"});
  CHECK(AccountsIn("ann") == Names{"ann"});
  for (const char* by :
       {"", "uid 1000 through the gateway", "ann (uid 1), uid 7 through the gateway",
        "nobody, since no person can be asked here", "-x", "a\"b", "ann, ", "ann (uid 1)}, x: {"}) {
    CAPTURE(by);
    CHECK(AccountsIn(by).empty());
  }
}

}  // namespace
}  // namespace nacre::cli
