// Coverage: when does one rule leave nothing for another to decide? Answers yes only when it can
// tell from the two conditions as written, so "no" may also mean "not known" (proving more is the
// prover's work).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "policy/policy.h"

namespace nacre::policy {

// Every call that meets all of `narrow`'s conditions also meets all of `wide`'s.
bool ConditionsCover(const ToolRule& wide, const ToolRule& narrow);

// The same, and `wide` speaks of every tool that `narrow` speaks of.
bool RuleCovers(const ToolRule& wide, const ToolRule& narrow);

// Finds, among many rules, those that leave nothing for another to decide. A rule that asks leaves something for one
// that asks others, since the approvers of each are asked. It looks only at rules
// that share with the narrow one what the wide rule asks and few others do, so all of n rules
// together take time of about n: where many share it (bounds of the same argument), at the first kLookedMax.
// Borrows the rules.
class DeciderIndex final {
 public:
  static constexpr size_t kLookedMax = 1024;

  explicit DeciderIndex(std::vector<const ToolRule*> rules);

  // The rule, the first in order, that speaks of all calls of rules[index] and is stricter, or as
  // strict and earlier; nullptr when there is none, or none is known.
  const ToolRule* DeciderOf(size_t index) const;

 private:
  static constexpr uint32_t kEnd = UINT32_MAX;
  struct Filed {
    uint32_t rule;  // an index into rules_
    uint32_t next;  // of the same key, an index into filed_
  };

  void File(uint64_t key, uint32_t rule);

  std::vector<const ToolRule*> rules_;
  std::vector<Filed> filed_;
  std::unordered_map<uint64_t, uint32_t> first_;  // of each key, an index into filed_
  std::unordered_set<uint64_t> tools_;            // of which any rule speaks
};

}  // namespace nacre::policy
