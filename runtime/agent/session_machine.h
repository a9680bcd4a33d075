// SessionMachine: what happens next in a turn, as a pure function of what happened so far.
//
// It holds the conversation and the budgets, and knows neither engine, policy, sandbox, store nor
// clock: the driver performs the effect that Step() answers and comes back with the next input.
//
//   UserAsked ----> AskEngine --ModelReplied(answer)--> EndTurn
//                    ^    |
//                    |    +--ModelReplied(call)--> JudgeCall --CallAuthorized--> RunCall
//                    |                                 |                            |
//                    +------CallRefused, CallMalformed-+-------CallFinished---------+
//
// Any input may instead end the turn: a budget is used up, the engine failed, the person cancelled,
// or the model wrote a malformed call again after it was told once what was wrong.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "memory/session_store.h"
#include "policy/policy.h"
#include "runtime/inference/engine.h"

namespace nacre::agent {

// ---- inputs -------------------------------------------------------------------------------------
struct UserAsked {
  std::string request;
};
struct ModelReplied {
  inference::ModelReply reply;
};
struct EngineFailed {
  Error error;
};
struct CallMalformedInput {
  std::string reason;
};
struct CallRefused {
  std::string reason;  // the decision's, or the person's
};
struct CallAuthorized {};
struct CallEnded {
  std::string result_text;
  inference::TokenUse tokens = {};  // that the call itself asked the engine for
};
// The runtime itself failed at something that must not fail: the audit log, the store.
struct RuntimeFailed {
  Error error;
};
struct CancelRequested {};
// An effect was stopped because deadline() passed.
struct DeadlinePassed {};
// The engine was not asked: that would have sent it more than BytesOutLeft().
struct BytesOutPassed {
  uint64_t bytes = 0;
};

using Input = std::variant<UserAsked, ModelReplied, EngineFailed, CallMalformedInput, CallRefused,
                           CallAuthorized, CallEnded, RuntimeFailed, CancelRequested,
                           DeadlinePassed, BytesOutPassed>;

// ---- effects ------------------------------------------------------------------------------------
struct AskEngine {
  uint32_t tokens_max = 0;
};
struct JudgeCall {
  inference::EmittedCall call;
};
struct RunCall {};
struct EndTurn {
  memory::TurnState state = memory::TurnState::kFailed;
  std::string answer;
  std::string error;
  std::string rule = {};  // of a turn that used up a budget: "budgets.session.tokens"
  bool cut_off = false;   // the limit of tokens ended the answer, not the model
};
using Effect = std::variant<AskEngine, JudgeCall, RunCall, EndTurn>;

struct TurnCounters {
  int64_t steps = 0;
  int64_t calls = 0;
  int64_t denied = 0;
  int64_t tokens = 0;
  int64_t bytes_out = 0;
  int64_t energy_uj = 0;
  int64_t wall_ms = 0;  // until the last input
};

// Not thread-safe. Every input carries its time.
class SessionMachine final {
 public:
  explicit SessionMachine(const policy::Budgets& budgets) : budgets_(budgets) {}

  // Puts earlier turns, and what an unfinished turn already did, into the conversation. Then
  // Resume() continues that turn as Step() would have.
  void Restore(const std::vector<memory::TurnRecord>& turns);
  Effect Resume(MonotonicTime now);
  // The same for a turn whose last call a crash interrupted and that is safe to run again.
  Effect ResumeWithCall(inference::EmittedCall call, MonotonicTime now);

  Effect Step(const Input& input, MonotonicTime now);

  // The engine was asked, and no reply came: before the input that says so.
  void CountUnanswered(const inference::TokenUse& tokens);
  // A call asked the engine, and was stopped before it ended: before the input that says so.
  void CountStopped(const inference::TokenUse& tokens) { CountTokens(tokens); }
  // What asking the engine uses, as soon as it is known.
  void CountSent(uint64_t bytes) { counters_.bytes_out += static_cast<int64_t>(bytes); }
  void CountEnergy(uint64_t microjoules) {
    counters_.energy_uj += static_cast<int64_t>(microjoules);
  }
  // That may still be used before the first of the budgets is used up.
  uint64_t TokensLeft() const;
  uint64_t BytesOutLeft() const;

  // What all sessions together have used in the last 24 hours, this turn included: before each step,
  // when the policy has budgets.tenant_per_day.
  void SetTenantUse(const memory::Use& use) { tenant_use_ = use; }

  // What the engine is to be shown.
  const std::vector<inference::ChatMessage>& messages() const { return messages_; }
  const TurnCounters& counters() const { return counters_; }
  // When the first of the wall budgets ends: the deadline of whatever effect runs.
  MonotonicTime deadline() const { return wall_.end; }

  // The conversation no longer fits the engine's context: forgets the oldest whole turn before the
  // current one (the store keeps it). False when there is none left to forget.
  bool ForgetOldestTurn();

 private:
  struct BytesOutBudget {
    std::string rule;   // "session.bytes_out"
    std::string whose;  // "the session"
    uint64_t limit = 0;
    uint64_t left = 0;
  };

  void Start(MonotonicTime now);
  Effect AskOrEnd(MonotonicTime now);
  Effect WallBudgetUsedUp();
  Effect BytesOutUsedUp(uint64_t bytes);
  std::vector<BytesOutBudget> BytesOutBudgets() const;
  Effect BudgetUsedUp(const std::string& rule, const std::string& whose, const std::string& limit);
  // The effect that ends the turn when a budget of several turns is used up.
  std::optional<Effect> SharedBudgetUsedUp(const policy::SharedBudget& budget,
                                           const memory::Use& use, const std::string& rule,
                                           const std::string& whose);
  memory::Use SessionUse() const;
  void CountTokens(const inference::TokenUse& tokens);
  Effect Fail(std::string error);
  void AddCall(const inference::EmittedCall& call, const std::string& result_text);

  policy::Budgets budgets_;
  std::vector<inference::ChatMessage> messages_;
  MonotonicTime started_{};
  struct Wall {
    MonotonicTime end{};
    std::string rule;
    std::string whose;
    std::chrono::milliseconds limit{};
  } wall_;                      // the budget of time that ends first
  int64_t wall_before_ms_ = 0;  // of this turn, before it was resumed
  TurnCounters counters_;
  memory::Use earlier_turns_;  // of this session
  memory::Use tenant_use_;
  inference::EmittedCall pending_;  // the call being judged or run
  int malformed_in_a_row_ = 0;
  int64_t call_number_ = 0;  // for call_id: engines want each call and its answer paired
};

}  // namespace nacre::agent
