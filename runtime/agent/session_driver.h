// SessionDriver: performs what the SessionMachine decides. One driver is one session.
//
// The order of every action is: record it in the audit log, do it, commit its result to the store,
// and only then publish it to the sink. After kill -9 at any instant Resume() finds what was
// committed and continues; a finished call is never run again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/cancel_token.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "memory/session_store.h"
#include "policy/context_tracker.h"
#include "policy/policy.h"
#include "runtime/agent/approver.h"
#include "runtime/agent/authorizer.h"
#include "runtime/agent/events.h"
#include "runtime/agent/quarantine.h"
#include "runtime/agent/session_machine.h"
#include "runtime/agent/stored_labels.h"
#include "runtime/agent/tool_runner.h"
#include "runtime/audit/audit_log.h"
#include "runtime/inference/energy_meter.h"
#include "runtime/inference/engine.h"
#include "sandbox/sandbox.h"
#include "tools/registry.h"

namespace nacre::agent {

// What a session works with. Borrowed: the composition root (runtime/app) owns them and outlives
// every driver.
struct Services {
  inference::Engine& engine;
  sandbox::Sandbox& sandbox;
  memory::SessionStore& store;
  audit::AuditLog& log;
  const tools::Registry& tools;
  const Clock& clock;
  Random& random;
  Approver* approver = nullptr;     // null: "ask" is refused
  std::string home;                 // what "~" means in a path argument
  std::string sandbox_summary;      // for SessionStarted
  std::string sandbox_weaker = {};  // the same
  // Commits what calls do to a transactional workspace. Null: such calls are refused.
  sandbox::TransactionLog* transactions = nullptr;
  // Null: nothing measures what the engine uses, because of `no_energy`. Then a session whose policy has a budget of
  // joules does not begin.
  inference::EnergyMeter* energy = nullptr;
  std::string no_energy = "it was not asked for";
};

struct SessionOptions {
  std::string workspace;    // host path: absolute, normalised, an existing directory
  std::string policy_name;  // as the user gave it
  std::shared_ptr<const policy::Policy> policy;
};

// Thread-compatible: one thread drives. Cancellation comes through the token.
class SessionDriver final {
 public:
  // A new session, recorded and announced.
  static Result<std::unique_ptr<SessionDriver>> Create(const Services& services,
                                                       SessionOptions options,
                                                       const std::string& title, EventSink& sink);
  // An existing one, with its history. kUnavailable when another process is running it, kFailedPrecondition when it is
  // another tenant's than this process works for: all records of a session name one.
  static Result<std::unique_ptr<SessionDriver>> Resume(const Services& services,
                                                       SessionOptions options,
                                                       const std::string& session_id,
                                                       EventSink& sink);

  // One user request to its end. An unfinished turn is given up. An Error means that the turn could not even be recorded; a turn
  // that failed or was cancelled is a TurnFinished that says so.
  Result<TurnFinished> RunTurn(const std::string& request, const CancelToken& cancel);
  // True when the last turn was interrupted (killed or cancelled) and ContinueTurn() can finish it.
  bool has_unfinished_turn() const { return unfinished_.has_value(); }
  Result<TurnFinished> ContinueTurn(const CancelToken& cancel);

  const std::string& session_id() const { return session_id_; }

 private:
  // What asking the engine used, besides tokens.
  struct EngineUse {
    uint64_t bytes_out = 0;
    uint64_t energy_uj = 0;
  };
  struct Turn {
    std::string id;
    int64_t next_step = 0;
    int64_t step = 0;                          // from 1: the one that goes on, for the record
    std::optional<AuthorizedCall> authorized;  // between JudgeCall and RunCall
    inference::TokenUse tokens;                // of the reply that is being handled
    EngineUse engine;                          // the same
    bool asked = false;                        // the engine was, and there is no step of it yet
    MonotonicTime counted{};                   // until then its time is in the store
  };

  SessionDriver(const Services& services, SessionOptions options, std::string session_id,
                EventSink& sink, std::unique_ptr<memory::SessionStore::Lease> lease);

  enum class RunAgain { kNever = 0, kIfIdempotent };

  // What becomes of a call's result.
  struct Told {
    std::string text;      // what the model is told
    std::string withheld;  // what it is not told, as the store has it; empty: nothing was withheld
    policy::Label label;   // of that
    // Where parts of it are withheld: all of them, in order; then `label` is of those that are.
    std::vector<policy::ContextTracker::Field> fields = {};
  };

  // A new request came instead of ContinueTurn(): what the turn did stays in the conversation.
  Status AbandonUnfinishedTurn();
  // A call that had started and has no result is marked interrupted. Answers it when it is to be
  // run again; otherwise the model is told that its outcome is not known.
  // Finishes the record of a call whose changes were committed before its result was; false for any
  // other call.
  Result<bool> FinishCommittedCall(const Turn& turn, memory::CallRecord& call);
  // The decision to commit is on disk before the workspace changes.
  // `request`: the call's, with what is known of what it read.
  Status CommitChange(const Turn& turn, const AuthorizedCall& call, const policy::Request& request,
                      CallResult& result, const Told& told, const Json& outcome);
  // What earlier sessions left known of what the call may read. Nothing, where the policy keeps no labels.
  Status LookAtLabels(const policy::ToolTraits& tool, policy::Request& request) const;
  Result<std::optional<inference::EmittedCall>> InterruptLastCall(const Turn& turn,
                                                                  memory::TurnRecord& record,
                                                                  RunAgain run_again);
  Result<TurnFinished> Drive(Turn turn, Effect effect, const CancelToken& cancel);
  // What may stop an effect before its end: a person, or the turn's deadline.
  struct Stop {
    const CancelToken& person;
    CancelToken any;
    Input Reason() const;
  };
  Input Perform(Turn& turn, const Effect& effect, const Stop& stop);
  Input Ask(Turn& turn, const AskEngine& ask, const Stop& stop);
  Input Judge(Turn& turn, const JudgeCall& judge, const Stop& stop);
  Input Execute(Turn& turn, const Stop& stop);
  // A call of a tool that the runtime does itself (quarantine_tools.h).
  Input UseQuarantine(Turn& turn, const AuthorizedCall& call, const Stop& stop);
  // The value, or "error: " and why there is none; what the engine used is added to the call's record.
  Result<std::string> ExtractValue(const Turn& turn, const AuthorizedCall& call,
                                   memory::CallRecord& record, const CancelToken& cancel);
  Result<TurnFinished> Finish(const Turn& turn, const EndTurn& end);

  // What the policy's rates for this tool look at.
  Result<policy::CallHistory> HistoryFor(const std::string& tool) const;
  void CountCalls(const memory::TurnRecord& turn);
  void CountCall(const std::string& tool, const memory::ToolUse& use);
  // Tells the machine what all sessions used, when the policy has a budget for that.
  Status CountTenantUse();
  // `rule`: of an event that is a decision.
  Status Record(const std::string& event, const Turn& turn, const std::string& call, Json data,
                const std::string& rule = {});
  std::vector<const tools::Manifest*> AllowedTools() const;
  std::vector<inference::ToolSchema> OfferedTools() const;
  // Tells context_ what earlier turns read: the same as when it was read.
  void RecallContext(const std::vector<memory::TurnRecord>& turns);
  // The same of what one call wrote ...
  void RecallRun(const memory::CallRecord& call);
  // ... and of what it answered, when it finished. Answers the handles of what was withheld.
  std::vector<std::string> RecallResult(const memory::CallRecord& call);
  std::variant<ToolCall, BadToolCall> Parse(const inference::EmittedCall& emitted) const;
  // The policy has a quarantine, or something was withheld when it had one.
  bool HasQuarantine() const;
  // A tool of the runtime is there where something can be withheld.
  bool IsThere(const tools::Manifest& tool) const;
  Told Tell(const ToolCall& call, const policy::Request& request, const CallResult& result) const;
  // The result by its fields, where some of these may be shown.
  std::optional<Told> TellFields(const ToolCall& call, const policy::Request& request,
                                 const CallResult& result) const;
  // What of the two tools may be named to the model.
  bool Offers(const char* tool) const;
  // What was told is known, and what was not has handles from now on.
  std::vector<std::string> Keep(const policy::ToolTraits& tool, const policy::Request& request,
                                const Told& told);
  // A text that a person believes. "error: " and why not.
  Result<std::string> EndorseText(const Turn& turn, const AuthorizedCall& call,
                                  memory::CallRecord& record);
  // Of an audit record: the handles, the digest of what they stand for, its label.
  Json WithheldRecord(const std::vector<std::string>& handles) const;
  // So that the first call of a session finds a sandbox ready.
  void ExpectCalls();
  std::vector<inference::ChatMessage> Prompt() const;
  // A tool's result is cut to what the engine's context can bear.
  std::string FitResult(const std::string& text) const;
  memory::StepRecord NewStep(Turn& turn) const;
  // The time of the turn that is in no step yet: from now on it is.
  int64_t UncountedWall(Turn& turn) const;
  // Before the engine is asked. What it would be sent counts, unless that is more than is left: then it is not asked.
  std::optional<BytesOutPassed> CountBytesOut(const inference::GenerateRequest& request,
                                              EngineUse& use);
  // After it.
  Status CountEnergy(inference::EnergyMeter::Span& span, EngineUse& use);
  // Of "model.asked" and "model.replied".
  Json AskedRecord(const inference::GenerateRequest& request) const;
  Json UseRecord(const char* kind, const inference::TokenUse& tokens, const EngineUse& use) const;

  Services services_;
  SessionOptions options_;
  std::string session_id_;
  EventSink& sink_;
  std::unique_ptr<memory::SessionStore::Lease> lease_;
  SessionMachine machine_;
  Authorizer authorizer_;
  ToolRunner runner_;
  std::optional<memory::TurnRecord> unfinished_;
  policy::CallCounts turn_calls_;     // that ran in this turn
  policy::CallCounts session_calls_;  // and in this session
  policy::ContextTracker context_;    // what the conversation has read, for the policy's flows
  Quarantine quarantine_;             // and what it was not shown
  StoredLabels stored_labels_;        // what sessions left known of the workspace's files
};

}  // namespace nacre::agent
