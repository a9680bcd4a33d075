// Prover: what a policy can never decide, for any call of the tools there are. An answer is
//
//   proved            no call, with whatever context, does what the claim excludes
//   counter-example   this call does; the policy's own evaluator was asked, and says so
//   unknown           neither; with the reason. Never to be taken for proved
//
// The calls are cut into finitely many classes first (value_classes), so that the solver needs neither
// texts nor numbers. Classes leave no call out, which makes "proved" hold; but they may hold combinations
// that no call has, so what the solver finds is made into a call and put to Evaluate(): only what this
// confirms is a counter-example.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/analysis/query.h"
#include "policy/analysis/tool_model.h"
#include "policy/policy.h"
#include "policy/request.h"
#include "policy/witness.h"

namespace nacre::policy {

// A call as the tool would take it, with normal paths; nullopt: the tool refuses it.
using CallReader = std::function<std::optional<Request>(const CandidateCall&)>;

struct ProverInput {
  const Policy* policy = nullptr;
  const Policy* against = nullptr;  // for no-wider
  const std::vector<ToolModel>* tools = nullptr;
  CallReader read;
  std::chrono::milliseconds timeout{10'000};  // of one query
};

// A call that Evaluate() answered so.
struct ConfirmedCall {
  Request request;  // with what is known of its data
  CandidateCall written;
  Verdict verdict = Verdict::kDeny;
  std::string rule;
  std::string reason;
};

enum class ProofStatus { kUnknown = 0, kCounterExample, kProved };
const char* ProofStatusName(ProofStatus status);  // "unknown", "counter-example", "proved"

struct ProofAnswer {
  ProofStatus status = ProofStatus::kUnknown;
  std::string what;  // one clause: what was shown, or why it is not known
  std::vector<ConfirmedCall> calls;
  std::vector<std::string> rules;  // of rules-reachable: those that never decide, or may not
  std::chrono::microseconds took{0};
};

// Deterministic but for the time that it may take. Needs input.against for no-wider only.
ProofAnswer Prove(const ProverInput& input, const ProofQuery& query);

}  // namespace nacre::policy
