#include "policy/analysis/call_search.h"

#include <algorithm>

#include "policy/evaluator.h"
#include "policy/internal/flow_match.h"

namespace nacre::policy {
namespace {

constexpr int kAssignmentsMax = 24;  // found and tried
constexpr size_t kHintsMax = 8;      // rules that a call is made from, for each of them
constexpr size_t kHintedCallsMax = 32;

// Calls made from the conditions of the hints that were found to hold, alone and with the first of them.
std::vector<CandidateCall> Hinted(Solver& solver, CallEncoding& encoding,
                                  const CallQuestion& question, const ToolModel& tool) {
  std::vector<const ToolRule*> hints;
  for (const ToolRule* hint : question.hints) {
    if (hints.size() < kHintsMax && solver.Holds(encoding.Matches(*hint))) {
      hints.push_back(hint);
    }
  }
  const ToolSchemaList tools = {{tool.name, tool.schema}};
  std::vector<CandidateCall> calls;
  const auto add = [&](const std::vector<const ToolRule*>& rules) {
    for (CandidateCall& call : CandidateCalls(rules, tools, kHintedCallsMax)) {
      calls.push_back(std::move(call));
    }
  };
  for (const ToolRule* hint : hints) {
    if (hint != hints[0]) {
      add({hint, hints[0]});
      add({hints[0], hint});
    }
    add({hint});
  }
  return calls;
}

}  // namespace

std::chrono::milliseconds TimeLeft(std::chrono::steady_clock::time_point deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
                                                               std::chrono::steady_clock::now());
}

std::string Counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::optional<ConfirmedCall> Confirmed(
    const ProverInput& input, const CandidateCall& call, const FlowFacts& facts,
    const std::function<bool(const Request&, const Decision&)>& accept) {
  std::optional<Request> request = input.read(call);
  if (!request.has_value()) {
    return std::nullopt;
  }
  request->flow = facts;
  const Decision decision = Evaluate(*input.policy, *request);
  if (!accept(*request, decision)) {
    return std::nullopt;
  }
  return ConfirmedCall{std::move(*request), call, decision.verdict, decision.rule, decision.reason};
}

CallFound FindCall(Solver& solver, CallEncoding& encoding, const ToolModel& tool,
                   const CallQuestion& question, std::chrono::steady_clock::time_point deadline) {
  std::vector<Formula> wanted = question.wanted;
  for (int tried = 0;; ++tried) {
    const Solver::Answer answer = solver.Check(wanted, TimeLeft(deadline));
    if (answer == Solver::Answer::kUnknown) {
      return {
          ProofStatus::kUnknown, tool.name + ": the solver stopped: " + solver.why_unknown(), {}};
    }
    if (answer == Solver::Answer::kCannot && tried == 0) {
      return {ProofStatus::kProved, {}, {}};
    }
    if (answer == Solver::Answer::kCannot || tried == kAssignmentsMax) {
      return {ProofStatus::kUnknown,
              tool.name +
                  ": conditions that no exact classes stand for (regular expressions, globs, "
                  "lengths) may hold together, and no call was found for which they do",
              {}};
    }
    const FlowFacts facts = encoding.Facts();
    if (auto call = question.confirm(encoding.Call(), facts)) {
      return {ProofStatus::kCounterExample, {}, std::move(call)};
    }
    if (tried == 0) {
      for (const CandidateCall& candidate : Hinted(solver, encoding, question, tool)) {
        if (auto call = question.confirm(candidate, facts)) {
          return {ProofStatus::kCounterExample, {}, std::move(call)};
        }
      }
    }
    wanted.push_back(encoding.Differs());
  }
}

bool MayMeet(const FlowRule& flow, const Policy& policy, const std::vector<ToolModel>& tools) {
  return std::any_of(tools.begin(), tools.end(), [&](const ToolModel& tool) {
    FlowFacts facts;
    facts.effects = tool.traits.effects;
    return FlowCovers(flow, tool.name, facts) && CouldAllow(policy, tool.name);
  });
}

}  // namespace nacre::policy
