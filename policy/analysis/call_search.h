// CallSearch: is there a call of one tool for which a formula holds? What the solver finds is made into a
// call and confirmed by the evaluator, and tried again elsewhere when it is not.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/analysis/call_encoding.h"
#include "policy/analysis/prover.h"

namespace nacre::policy {

// The request, with what is known of its data, when it is what was looked for.
using CallConfirmer =
    std::function<std::optional<ConfirmedCall>(const CandidateCall&, const FlowFacts&)>;

struct CallFound {
  ProofStatus status = ProofStatus::kUnknown;  // kProved: there is none
  std::string why;                             // of kUnknown
  std::optional<ConfirmedCall> call;
};

struct CallQuestion {
  std::vector<Formula> wanted;
  // Whose conditions a call may be made from, where the solver's own is not confirmed.
  std::vector<const ToolRule*> hints;
  CallConfirmer confirm;
};

CallFound FindCall(Solver& solver, CallEncoding& encoding, const ToolModel& tool,
                   const CallQuestion& question, std::chrono::steady_clock::time_point deadline);

// Reads the call, asks the policy, and answers it when `accept` does.
std::optional<ConfirmedCall> Confirmed(
    const ProverInput& input, const CandidateCall& call, const FlowFacts& facts,
    const std::function<bool(const Request&, const Decision&)>& accept);

// Whether the flow speaks of a tool, or of an effect of one, that the policy may let run.
bool MayMeet(const FlowRule& flow, const Policy& policy, const std::vector<ToolModel>& tools);

// "1 tool", "2 tools".
std::string Counted(size_t count, const std::string& what);

// Every question of one prover's query ends by then.
std::chrono::milliseconds TimeLeft(std::chrono::steady_clock::time_point deadline);
// To be looked at before an encoding, too, which of a large policy takes a while. Why nothing is known then.
inline constexpr const char* kNoTimeLeft = "the solver stopped: timeout";

// The queries that have files of their own.
ProofAnswer ProveNoWider(const ProverInput& input, std::chrono::steady_clock::time_point deadline);
ProofAnswer ProveNoWriteExecute(const ProverInput& input,
                                std::chrono::steady_clock::time_point deadline);
ProofAnswer ProveRulesReachable(const ProverInput& input,
                                std::chrono::steady_clock::time_point deadline);

}  // namespace nacre::policy
