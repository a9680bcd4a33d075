#include "runtime/agent/session_machine.h"

#include <algorithm>
#include <limits>

#include "base/units.h"

namespace nacre::agent {
namespace {

using inference::ChatMessage;
using inference::EmittedCall;
using inference::Role;
using memory::TurnState;
using std::chrono::milliseconds;

// Told once what was wrong, a model that writes another malformed call is not going to recover.
constexpr int kMalformedMax = 2;
// One reply. A model that needs more is rambling; the turn's token budget bounds the sum.
constexpr uint32_t kReplyTokensMax = 2048;
constexpr int64_t kMicrojoules = 1'000'000;  // in a joule

uint64_t LeftOf(uint64_t limit, int64_t used) {
  return limit - std::min(limit, static_cast<uint64_t>(used));
}

bool JoulesUsedUp(const std::optional<uint64_t>& limit, int64_t used_uj) {
  return limit.has_value() && static_cast<uint64_t>(used_uj / kMicrojoules) >= *limit;
}

}  // namespace

void SessionMachine::Restore(const std::vector<memory::TurnRecord>& turns) {
  for (const memory::TurnRecord& turn : turns) {
    messages_.push_back({Role::kUser, turn.request, {}, {}});
    earlier_turns_ = SessionUse();
    counters_ = {};
    malformed_in_a_row_ = 0;
    for (const memory::StepRecord& step : turn.steps) {
      ++counters_.steps;
      counters_.tokens += step.prompt_tokens + step.generated_tokens;
      counters_.wall_ms += step.wall_ms;
      counters_.bytes_out += step.bytes_out;
      counters_.energy_uj += step.energy_uj;
      if (step.call.has_value()) {
        if (step.call->state == memory::CallState::kInterrupted && step.call->result_text.empty()) {
          continue;  // it was run again: that run is the next step
        }
        AddCall({step.call->tool, step.call->arguments_json}, step.call->result_text);
        step.call->state == memory::CallState::kDenied ? ++counters_.denied : ++counters_.calls;
        malformed_in_a_row_ = 0;
      } else if (!step.malformed_reason.empty() && !step.unanswered()) {
        ++malformed_in_a_row_;
        messages_.push_back({Role::kAssistant, step.malformed, {}, {}});
        messages_.push_back(
            {Role::kTool, "error: malformed call: " + step.malformed_reason, {}, {}});
      }
    }
    if (turn.state == TurnState::kFinished) {
      messages_.push_back({Role::kAssistant, turn.answer, {}, {}});
    }
  }
}

void SessionMachine::CountUnanswered(const inference::TokenUse& tokens) {
  ++counters_.steps;
  counters_.tokens += tokens.generated;
}

void SessionMachine::Start(MonotonicTime now) {
  started_ = now;
  wall_before_ms_ = counters_.wall_ms;
  wall_ = {};
  const auto bound = [&](const char* rule, const char* whose, milliseconds limit, int64_t used_ms) {
    const MonotonicTime end = now + (limit - std::min(limit, milliseconds(used_ms)));
    if (wall_.rule.empty() || end < wall_.end) {
      wall_ = {end, rule, whose, limit};
    }
  };
  bound("turn.wall", "the turn", budgets_.wall, wall_before_ms_);
  if (budgets_.session.wall.has_value()) {
    bound("session.wall", "the session", *budgets_.session.wall, SessionUse().wall_ms);
  }
  if (budgets_.tenant_per_day.wall.has_value()) {
    bound("tenant_per_day.wall", "the tenant", *budgets_.tenant_per_day.wall, tenant_use_.wall_ms);
  }
}

Effect SessionMachine::Resume(MonotonicTime now) {
  Start(now);
  return AskOrEnd(now);
}

Effect SessionMachine::ResumeWithCall(EmittedCall call, MonotonicTime now) {
  Start(now);
  pending_ = std::move(call);
  return JudgeCall{pending_};
}

Effect SessionMachine::Step(const Input& input, MonotonicTime now) {
  if (const auto* asked = std::get_if<UserAsked>(&input)) {
    earlier_turns_ = SessionUse();
    counters_ = {};
    malformed_in_a_row_ = 0;
    messages_.push_back({Role::kUser, asked->request, {}, {}});
    Start(now);
    return AskOrEnd(now);
  }
  counters_.wall_ms =
      wall_before_ms_ + std::chrono::duration_cast<milliseconds>(now - started_).count();
  if (const auto* replied = std::get_if<ModelReplied>(&input)) {
    ++counters_.steps;
    CountTokens(replied->reply.tokens);
    if (const auto* answer = std::get_if<std::string>(&replied->reply.content)) {
      messages_.push_back({Role::kAssistant, *answer, {}, {}});
      return EndTurn{.state = TurnState::kFinished,
                     .answer = *answer,
                     .error = {},
                     .cut_off = replied->reply.cut_off};
    }
    pending_ = std::get<EmittedCall>(replied->reply.content);
    return JudgeCall{pending_};
  }
  if (const auto* malformed = std::get_if<CallMalformedInput>(&input)) {
    if (++malformed_in_a_row_ >= kMalformedMax) {
      return Fail("the model wrote a malformed call again after it was told what was wrong: " +
                  malformed->reason);
    }
    // The bad call is shown as text: it is no call, so it must not be rendered as one.
    messages_.push_back(
        {Role::kAssistant, pending_.name + " " + pending_.arguments_json.substr(0, 512), {}, {}});
    messages_.push_back({Role::kTool, "error: malformed call: " + malformed->reason, {}, {}});
    return AskOrEnd(now);
  }
  if (const auto* refused = std::get_if<CallRefused>(&input)) {
    malformed_in_a_row_ = 0;
    ++counters_.denied;
    AddCall(pending_, "denied: " + refused->reason);
    return AskOrEnd(now);
  }
  if (std::holds_alternative<CallAuthorized>(input)) {
    malformed_in_a_row_ = 0;
    ++counters_.calls;
    return RunCall{};
  }
  if (const auto* ended = std::get_if<CallEnded>(&input)) {
    CountTokens(ended->tokens);
    AddCall(pending_, ended->result_text);
    return AskOrEnd(now);
  }
  if (const auto* failed = std::get_if<EngineFailed>(&input)) {
    return Fail("the engine failed: " + failed->error.message);
  }
  if (const auto* failed = std::get_if<RuntimeFailed>(&input)) {
    return Fail(failed->error.message);
  }
  if (std::holds_alternative<DeadlinePassed>(input)) {
    return WallBudgetUsedUp();
  }
  if (const auto* passed = std::get_if<BytesOutPassed>(&input)) {
    return BytesOutUsedUp(passed->bytes);
  }
  return EndTurn{TurnState::kCancelled, {}, "cancelled"};
}

void SessionMachine::CountTokens(const inference::TokenUse& tokens) {
  counters_.tokens +=
      tokens.prompt - std::min(tokens.prompt, tokens.prompt_cached) + tokens.generated;
}

memory::Use SessionMachine::SessionUse() const {
  return {earlier_turns_.steps + counters_.steps,
          earlier_turns_.calls + counters_.calls + counters_.denied,
          earlier_turns_.tokens + counters_.tokens,
          earlier_turns_.wall_ms + counters_.wall_ms,
          earlier_turns_.bytes_out + counters_.bytes_out,
          earlier_turns_.energy_uj + counters_.energy_uj};
}

Effect SessionMachine::AskOrEnd(MonotonicTime now) {
  if (counters_.steps >= budgets_.steps) {
    return BudgetUsedUp("turn.steps", "the turn", std::to_string(budgets_.steps) + " steps");
  }
  if (counters_.calls + counters_.denied >= budgets_.tool_calls) {
    return BudgetUsedUp("turn.tool_calls", "the turn",
                        std::to_string(budgets_.tool_calls) + " tool calls");
  }
  if (counters_.tokens >= static_cast<int64_t>(budgets_.tokens)) {
    return BudgetUsedUp("turn.tokens", "the turn", std::to_string(budgets_.tokens) + " tokens");
  }
  if (now >= deadline()) {
    return WallBudgetUsedUp();
  }
  if (JoulesUsedUp(budgets_.joules, counters_.energy_uj)) {
    return BudgetUsedUp("turn.joules", "the turn", std::to_string(*budgets_.joules) + " joules");
  }
  if (auto end = SharedBudgetUsedUp(budgets_.session, SessionUse(), "session", "the session")) {
    return std::move(*end);
  }
  if (auto end = SharedBudgetUsedUp(budgets_.tenant_per_day, tenant_use_, "tenant_per_day",
                                    "the tenant")) {
    return std::move(*end);
  }
  return AskEngine{static_cast<uint32_t>(std::min<uint64_t>(kReplyTokensMax, TokensLeft()))};
}

uint64_t SessionMachine::TokensLeft() const {
  uint64_t least = LeftOf(budgets_.tokens, counters_.tokens);
  if (budgets_.session.tokens.has_value()) {
    least = std::min(least, LeftOf(*budgets_.session.tokens, SessionUse().tokens));
  }
  if (budgets_.tenant_per_day.tokens.has_value()) {
    least = std::min(least, LeftOf(*budgets_.tenant_per_day.tokens, tenant_use_.tokens));
  }
  return least;
}

std::optional<Effect> SessionMachine::SharedBudgetUsedUp(const policy::SharedBudget& budget,
                                                         const memory::Use& use,
                                                         const std::string& rule,
                                                         const std::string& whose) {
  const auto used_up = [](const std::optional<uint64_t>& limit, int64_t used) {
    return limit.has_value() && static_cast<uint64_t>(used) >= *limit;
  };
  if (used_up(budget.steps, use.steps)) {
    return BudgetUsedUp(rule + ".steps", whose, std::to_string(*budget.steps) + " steps");
  }
  if (used_up(budget.tool_calls, use.calls)) {
    return BudgetUsedUp(rule + ".tool_calls", whose,
                        std::to_string(*budget.tool_calls) + " tool calls");
  }
  if (used_up(budget.tokens, use.tokens)) {
    return BudgetUsedUp(rule + ".tokens", whose, std::to_string(*budget.tokens) + " tokens");
  }
  if (JoulesUsedUp(budget.joules, use.energy_uj)) {
    return BudgetUsedUp(rule + ".joules", whose, std::to_string(*budget.joules) + " joules");
  }
  return std::nullopt;
}

Effect SessionMachine::WallBudgetUsedUp() {
  return BudgetUsedUp(wall_.rule, wall_.whose, FormatDuration(wall_.limit));
}

std::vector<SessionMachine::BytesOutBudget> SessionMachine::BytesOutBudgets() const {
  std::vector<BytesOutBudget> budgets;
  const auto add = [&](const char* rule, const char* whose, const std::optional<uint64_t>& limit,
                       int64_t used) {
    if (limit.has_value()) {
      budgets.push_back({rule, whose, *limit, LeftOf(*limit, used)});
    }
  };
  add("turn.bytes_out", "the turn", budgets_.bytes_out, counters_.bytes_out);
  add("session.bytes_out", "the session", budgets_.session.bytes_out, SessionUse().bytes_out);
  add("tenant_per_day.bytes_out", "the tenant", budgets_.tenant_per_day.bytes_out,
      tenant_use_.bytes_out);
  return budgets;
}

uint64_t SessionMachine::BytesOutLeft() const {
  uint64_t least = std::numeric_limits<uint64_t>::max();
  for (const BytesOutBudget& budget : BytesOutBudgets()) {
    least = std::min(least, budget.left);
  }
  return least;
}

Effect SessionMachine::BytesOutUsedUp(uint64_t bytes) {
  for (const BytesOutBudget& budget : BytesOutBudgets()) {
    if (budget.left < bytes) {
      Effect effect =
          BudgetUsedUp(budget.rule, budget.whose, std::to_string(budget.limit) + " bytes");
      std::get<EndTurn>(effect).error += ": the next request to the engine has " +
                                         std::to_string(bytes) + ", and " +
                                         std::to_string(budget.left) + " are left";
      return effect;
    }
  }
  return Fail("the engine was not asked");  // not reached: the driver held the bytes against these
}

Effect SessionMachine::BudgetUsedUp(const std::string& rule, const std::string& whose,
                                    const std::string& limit) {
  const std::string name = "budgets." + rule;
  return EndTurn{TurnState::kFailed,
                 {},
                 whose + " used up its budget of " + limit + " (policy " + name + ")",
                 name};
}

Effect SessionMachine::Fail(std::string error) {
  return EndTurn{TurnState::kFailed, {}, std::move(error)};
}

void SessionMachine::AddCall(const EmittedCall& call, const std::string& result_text) {
  const std::string id = "call" + std::to_string(++call_number_);
  messages_.push_back({Role::kAssistant, {}, call, id});
  messages_.push_back({Role::kTool, result_text, {}, id});
}

bool SessionMachine::ForgetOldestTurn() {
  const auto is_user = [](const ChatMessage& message) { return message.role == Role::kUser; };
  const auto first = std::find_if(messages_.begin(), messages_.end(), is_user);
  if (first == messages_.end()) {
    return false;
  }
  const auto second = std::find_if(first + 1, messages_.end(), is_user);
  if (second == messages_.end()) {
    return false;  // only the current turn is left
  }
  messages_.erase(first, second);
  return true;
}

}  // namespace nacre::agent
