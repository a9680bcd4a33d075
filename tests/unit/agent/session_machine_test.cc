// The machine is pure: every test is a list of inputs and the effects they must give.
#include "runtime/agent/session_machine.h"

#include <catch2/catch.hpp>

namespace nacre::agent {
namespace {

using inference::EmittedCall;
using inference::ModelReply;
using memory::TurnState;

constexpr MonotonicTime kStart{};

ModelReplied Answer(const std::string& text, uint32_t tokens = 10) {
  return {ModelReply{text, false, {.prompt = tokens, .prompt_cached = 0, .generated = 1}}};
}

ModelReplied Call(const std::string& tool) {
  return {ModelReply{
      EmittedCall{tool, "{}"}, false, {.prompt = 10, .prompt_cached = 9, .generated = 1}}};
}

const EndTurn& Ended(const Effect& effect) {
  REQUIRE(std::holds_alternative<EndTurn>(effect));
  return std::get<EndTurn>(effect);
}

}  // namespace

TEST_CASE("a turn without a call asks once and ends with the answer") {
  SessionMachine machine({});
  CHECK(std::holds_alternative<AskEngine>(machine.Step(UserAsked{"hello"}, kStart)));
  const EndTurn end = Ended(machine.Step(Answer("hi"), kStart));
  CHECK(end.state == TurnState::kFinished);
  CHECK(end.answer == "hi");
  CHECK(machine.messages().size() == 2);
}

TEST_CASE("a call is judged, run, and its result shown before the engine is asked again") {
  SessionMachine machine({});
  machine.Step(UserAsked{"list"}, kStart);
  CHECK(std::holds_alternative<JudgeCall>(machine.Step(Call("fs.list"), kStart)));
  CHECK(std::holds_alternative<RunCall>(machine.Step(CallAuthorized{}, kStart)));
  CHECK(std::holds_alternative<AskEngine>(machine.Step(CallEnded{"0 files"}, kStart)));
  CHECK(machine.messages().back().content == "0 files");
  CHECK(machine.messages().back().call_id == machine.messages()[1].call_id);
  CHECK(machine.counters().calls == 1);
  CHECK(machine.counters().tokens == 2);  // reused prompt tokens cost nothing
}

TEST_CASE("a refused call is told to the model as a denial and counted") {
  SessionMachine machine({});
  machine.Step(UserAsked{"read"}, kStart);
  machine.Step(Call("fs.read"), kStart);
  CHECK(std::holds_alternative<AskEngine>(
      machine.Step(CallRefused{"/etc/shadow is outside the workspace"}, kStart)));
  CHECK(machine.messages().back().content == "denied: /etc/shadow is outside the workspace");
  CHECK(machine.counters().denied == 1);
  CHECK(machine.counters().calls == 0);
}

TEST_CASE("a malformed call is explained once; a second in a row ends the turn") {
  SessionMachine machine({});
  machine.Step(UserAsked{"x"}, kStart);
  machine.Step(Call("nope"), kStart);
  CHECK(
      std::holds_alternative<AskEngine>(machine.Step(CallMalformedInput{"no such tool"}, kStart)));
  machine.Step(Call("nope"), kStart);
  const EndTurn end = Ended(machine.Step(CallMalformedInput{"no such tool"}, kStart));
  CHECK(end.state == TurnState::kFailed);
  CHECK(end.error.find("no such tool") != std::string::npos);
}

TEST_CASE("a good call between two malformed ones forgives the first") {
  SessionMachine machine({});
  machine.Step(UserAsked{"x"}, kStart);
  machine.Step(Call("nope"), kStart);
  machine.Step(CallMalformedInput{"bad"}, kStart);
  machine.Step(Call("fs.list"), kStart);
  machine.Step(CallAuthorized{}, kStart);
  machine.Step(CallEnded{"ok"}, kStart);
  machine.Step(Call("nope"), kStart);
  CHECK(std::holds_alternative<AskEngine>(machine.Step(CallMalformedInput{"bad"}, kStart)));
}

TEST_CASE("each budget of the policy ends the turn by name") {
  struct Row {
    policy::Budgets budgets;
    MonotonicTime now;
    const char* key;
  };
  const auto row = GENERATE(values<Row>({
      {{.steps = 1}, kStart, "budgets.turn.steps"},
      {{.tool_calls = 1}, kStart, "budgets.turn.tool_calls"},
      {{.tokens = 2}, kStart, "budgets.turn.tokens"},
      {{.joules = 3}, kStart, "budgets.turn.joules"},
      {{.wall = std::chrono::milliseconds(10)},
       kStart + std::chrono::milliseconds(10),
       "budgets.turn.wall"},
  }));
  CAPTURE(row.key);
  SessionMachine machine(row.budgets);
  REQUIRE(std::holds_alternative<AskEngine>(machine.Step(UserAsked{"x"}, kStart)));
  machine.CountEnergy(3'000'000);
  machine.Step(Call("fs.list"), kStart);
  machine.Step(CallAuthorized{}, kStart);
  const EndTurn end = Ended(machine.Step(CallEnded{"ok"}, row.now));
  CHECK(end.state == TurnState::kFailed);
  CHECK(end.error.find(row.key) != std::string::npos);
}

TEST_CASE("a budget of several turns counts them all, also those before a restart") {
  struct Row {
    policy::SharedBudget session;
    const char* rule;
  };
  const auto row = GENERATE(values<Row>({
      {{.steps = 2}, "budgets.session.steps"},
      {{.tool_calls = 2}, "budgets.session.tool_calls"},
      {{.tokens = 5}, "budgets.session.tokens"},
      {{.wall = std::chrono::milliseconds(30)}, "budgets.session.wall"},
      {{.joules = 2}, "budgets.session.joules"},
  }));
  CAPTURE(row.rule);
  policy::Budgets budgets;
  budgets.session = row.session;
  memory::StepRecord step;
  step.call = memory::CallRecord{};
  step.call->tool = "fs.list";
  step.call->arguments_json = "{}";
  step.call->state = memory::CallState::kFinished;
  step.prompt_tokens = 3;
  step.wall_ms = 20;
  step.energy_uj = 1'500'000;
  memory::TurnRecord earlier;
  earlier.request = "first";
  earlier.state = TurnState::kFinished;
  earlier.steps = {step};
  SessionMachine machine(budgets);
  machine.Restore({earlier});
  REQUIRE(std::holds_alternative<AskEngine>(machine.Step(UserAsked{"x"}, kStart)));
  CHECK(machine.deadline() <= kStart + std::chrono::minutes(10));
  machine.CountEnergy(600'000);
  machine.Step(Call("fs.list"), kStart);
  machine.Step(CallAuthorized{}, kStart);
  const EndTurn end = Ended(machine.Step(CallEnded{"ok"}, kStart + std::chrono::milliseconds(10)));
  CHECK(end.state == TurnState::kFailed);
  CHECK(end.rule == row.rule);
  CHECK(end.error.find("the session used up its budget of ") == 0);
  // Nor does the next turn begin.
  CHECK(Ended(machine.Step(UserAsked{"more"}, kStart)).rule == row.rule);
}

TEST_CASE("a turn that is resumed has the time that it had left") {
  policy::Budgets budgets;
  budgets.wall = std::chrono::milliseconds(100);
  memory::StepRecord step;
  step.malformed = "x";
  step.malformed_reason = "no such tool";
  step.wall_ms = 70;
  memory::TurnRecord killed;
  killed.request = "first";
  killed.steps = {step};
  SessionMachine machine(budgets);
  machine.Restore({killed});
  REQUIRE(std::holds_alternative<AskEngine>(machine.Resume(kStart)));
  CHECK(machine.deadline() == kStart + std::chrono::milliseconds(30));
}

TEST_CASE("the wall budget that ends first is the one that is named") {
  policy::Budgets budgets;
  budgets.wall = std::chrono::seconds(10);
  budgets.session.wall = std::chrono::seconds(9);
  budgets.tenant_per_day.wall = std::chrono::seconds(60);
  SessionMachine machine(budgets);
  machine.SetTenantUse({.wall_ms = 52'000});
  REQUIRE(std::holds_alternative<AskEngine>(machine.Step(UserAsked{"x"}, kStart)));
  CHECK(machine.deadline() == kStart + std::chrono::seconds(8));
  const EndTurn end = Ended(machine.Step(DeadlinePassed{}, kStart + std::chrono::seconds(8)));
  CHECK(end.rule == "budgets.tenant_per_day.wall");
  CHECK_THAT(end.error, Catch::Contains("the tenant used up its budget of 1m"));
  budgets.wall = std::chrono::milliseconds(100);
  SessionMachine brief(budgets);
  REQUIRE(std::holds_alternative<AskEngine>(brief.Step(UserAsked{"x"}, kStart)));
  CHECK_THAT(Ended(brief.Step(DeadlinePassed{}, kStart + std::chrono::seconds(1))).error,
             Catch::Contains("the turn used up its budget of 100ms"));
}

TEST_CASE("bytes out are bounded before they are sent, by the first budget that is too small") {
  policy::Budgets budgets;
  SessionMachine unbounded(budgets);
  CHECK(unbounded.BytesOutLeft() == UINT64_MAX);
  budgets.bytes_out = 1000;
  budgets.session.bytes_out = 5000;
  budgets.tenant_per_day.bytes_out = 9000;
  SessionMachine machine(budgets);
  machine.SetTenantUse({.bytes_out = 8500});
  machine.Step(UserAsked{"x"}, kStart);
  CHECK(machine.BytesOutLeft() == 500);
  machine.SetTenantUse({.bytes_out = 100});
  machine.CountSent(400);
  CHECK(machine.BytesOutLeft() == 600);
  const EndTurn end = Ended(machine.Step(BytesOutPassed{601}, kStart));
  CHECK(end.state == TurnState::kFailed);
  CHECK(end.rule == "budgets.turn.bytes_out");
  CHECK_THAT(end.error, Catch::Contains("601") && Catch::Contains("600 are left"));
  // The next turn has its own, and the session's is less by what was sent.
  machine.Step(UserAsked{"y"}, kStart);
  CHECK(machine.BytesOutLeft() == 1000);
  machine.CountSent(1000);
  machine.Step(UserAsked{"z"}, kStart);
  machine.CountSent(700);
  CHECK(Ended(machine.Step(BytesOutPassed{3000}, kStart)).rule == "budgets.turn.bytes_out");
}

TEST_CASE("what all sessions of a tenant used ends a turn, and bounds a reply") {
  policy::Budgets budgets;
  budgets.tenant_per_day = {
      .steps = 10, .tool_calls = 10, .tokens = 1000, .wall = std::chrono::seconds(5), .joules = 7};
  SessionMachine machine(budgets);
  machine.SetTenantUse({9, 9, 950});
  const Effect asked = machine.Step(UserAsked{"x"}, kStart);
  REQUIRE(std::holds_alternative<AskEngine>(asked));
  CHECK(std::get<AskEngine>(asked).tokens_max == 50);
  for (const auto& [use, rule] :
       {std::pair(memory::Use{10, 0, 0}, "budgets.tenant_per_day.steps"),
        std::pair(memory::Use{0, 10, 0}, "budgets.tenant_per_day.tool_calls"),
        std::pair(memory::Use{0, 0, 1000}, "budgets.tenant_per_day.tokens"),
        std::pair(memory::Use{.wall_ms = 5000}, "budgets.tenant_per_day.wall"),
        std::pair(memory::Use{.energy_uj = 7'000'000}, "budgets.tenant_per_day.joules")}) {
    SessionMachine other(budgets);
    other.SetTenantUse(use);
    CHECK(Ended(other.Step(UserAsked{"x"}, kStart)).rule == rule);
  }
}

TEST_CASE(
    "an engine's failure, a runtime failure and a cancellation each end the turn in its own "
    "state") {
  for (const Input& input : {Input(EngineFailed{{ErrorCode::kUnavailable, "gone"}}),
                             Input(RuntimeFailed{{ErrorCode::kResourceExhausted, "disk full"}})}) {
    SessionMachine machine({});
    machine.Step(UserAsked{"x"}, kStart);
    CHECK(Ended(machine.Step(input, kStart)).state == TurnState::kFailed);
  }
  SessionMachine machine({});
  machine.Step(UserAsked{"x"}, kStart);
  CHECK(Ended(machine.Step(CancelRequested{}, kStart)).state == TurnState::kCancelled);
}

TEST_CASE("a restored conversation is the one that was lost") {
  SessionMachine lived({});
  lived.Step(UserAsked{"list"}, kStart);
  lived.Step(Call("fs.list"), kStart);
  lived.Step(CallAuthorized{}, kStart);
  lived.Step(CallEnded{"1 file"}, kStart);
  lived.Step(Call("fs.read"), kStart);
  lived.Step(CallRefused{"no"}, kStart);

  memory::TurnRecord turn;
  turn.request = "list";
  memory::StepRecord first;
  first.call = memory::CallRecord{};
  first.call->tool = "fs.list";
  first.call->arguments_json = "{}";
  first.call->state = memory::CallState::kFinished;
  first.call->result_text = "1 file";
  memory::StepRecord second = first;
  second.call->tool = "fs.read";
  second.call->state = memory::CallState::kDenied;
  second.call->result_text = "denied: no";
  turn.steps = {first, second};
  SessionMachine restored({});
  restored.Restore({turn});
  CHECK(restored.messages() == lived.messages());
  CHECK(restored.counters().calls == 1);
  CHECK(restored.counters().denied == 1);
  CHECK(std::holds_alternative<AskEngine>(restored.Resume(kStart)));
}

TEST_CASE("forgetting drops whole old turns and never the current one") {
  SessionMachine machine({});
  machine.Step(UserAsked{"one"}, kStart);
  machine.Step(Answer("1"), kStart);
  machine.Step(UserAsked{"two"}, kStart);
  CHECK(machine.ForgetOldestTurn());
  CHECK(machine.messages().size() == 1);
  CHECK(machine.messages().front().content == "two");
  CHECK_FALSE(machine.ForgetOldestTurn());
}

}  // namespace nacre::agent
