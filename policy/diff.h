// What differs between two policies: settings, rules, and calls by which to find out what that means.
#pragma once

#include <string>
#include <vector>

#include "policy/policy.h"
#include "policy/witness.h"

namespace nacre::policy {

struct SettingChange {
  std::string key;  // "workspace.mode"
  std::string before;
  std::string after;
};

struct PolicyDiff {
  std::vector<SettingChange> settings;
  // Rules of one that the other has not, whatever their ids and reasons. Borrowed from the policies.
  std::vector<const ToolRule*> only_before;
  std::vector<const ToolRule*> only_after;
  // Calls that may be decided differently: such as meet a rule that the other policy has not, alone and
  // together with each rule that it may stand beside, and paths of globs that only one of them hides
  // or protects. To be put to both by Evaluate(). Not all calls: one that differs may be missing.
  std::vector<CandidateCall> candidates;
  bool candidates_cut = false;  // there would be more
};

// Both must outlive the answer. Pure and deterministic.
PolicyDiff DiffPolicies(const PolicyDocument& before, const PolicyDocument& after,
                        const ToolSchemaList& tools);

}  // namespace nacre::policy
