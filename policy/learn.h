// LearnPolicy: from calls that were allowed or asked for, the least policy that allows or asks for them.
//
// One rule for each tool, and for each program that a tool runs (argv[0]). What the calls' arguments were
// is widened by this method and no further; each widening is named in a comment:
//
//   paths     by their names, and where links led them. Up to 8: these; more: the deepest folder that holds them all and lies in the workspace
//   hosts     of arguments with the role url: these
//   numbers   up to 8: these; more whole ones: from the least to the greatest
//   texts     these, up to 1000. Titles and bodies, and options with more than 8 values: up to the length
//             of the longest
//   lists     elements as above, in any order, and no more of them than the longest list had
//   others    null and maps cannot be told apart by a condition: said to be open
//
// An argument that some call of the tool left out may be left out, or be one of those seen: rules that
// deny hold for what was never there. What was asked stays asked, of those who said yes where they are known.
// Flows are not learned: that a call which leads out is then allowed in any context is named as well.
// Budgets and rates: learn_limits.h. The result loads, or there is none.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/analysis/tool_model.h"
#include "policy/learn_limits.h"
#include "policy/request.h"

namespace nacre::policy {

struct RecordedCall {
  std::string id;  // from a log: any text
  Verdict verdict = Verdict::kDeny;
  Request request;
  // Of kAsk: the accounts whose yes it had. Empty: they are not known by name.
  std::vector<std::string> approved_by = {};
};

struct LearnedPolicy {
  std::string yaml;
  size_t calls = 0;  // that it was learned from: without those that were denied
  size_t rules = 0;
  std::vector<std::string> widened;  // "tools.learned-1: every file below /workspace/src"
  std::vector<std::string> risks;    // what FindRisks() says of it
};

// `turns`: what the calls' turns used. Deterministic. kInvalidArgument when there is nothing to learn from, or the calls cannot be said in a
// policy.
Result<LearnedPolicy> LearnPolicy(const std::string& name, const std::vector<RecordedCall>& calls,
                                  const std::vector<ToolModel>& tools,
                                  const std::vector<TurnUse>& turns = {});

}  // namespace nacre::policy
