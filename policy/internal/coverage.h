// Coverage: when does one rule leave nothing for another to decide? Answers yes only when it can
// tell from the two conditions as written, so "no" may also mean "not known" (proving more is the
// prover's work).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/policy.h"

namespace nacre::policy {

// Every call that meets all of `narrow`'s conditions also meets all of `wide`'s.
bool ConditionsCover(const ToolRule& wide, const ToolRule& narrow);

// The same, and `wide` speaks of every tool that `narrow` speaks of.
bool RuleCovers(const ToolRule& wide, const ToolRule& narrow);

// Finds, among many rules, those that leave nothing for another to decide. It looks only at rules
// that share with the narrow one what the wide rule asks and few others do, so all of n rules
// together take time of about n. Borrows the rules.
class DeciderIndex final {
 public:
  explicit DeciderIndex(const std::vector<ToolRule>& rules);

  // The rule, the first in order, that speaks of all calls of rules[index] and is stricter, or as
  // strict and earlier; nullptr when there is none, or none is known.
  const ToolRule* DeciderOf(size_t index) const;

 private:
  const std::vector<ToolRule>& rules_;
  std::unordered_map<std::string, std::vector<uint32_t>> filed_;
};

}  // namespace nacre::policy
