// DenialCounts: which rule refused how many calls on which day.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/json.h"

namespace nacre::plot {

// Different rules that are counted; the log cannot have many more than its policies.
constexpr size_t kRulesCountedMax = 10'000;

struct DenialsOfRule {
  std::map<int64_t, uint64_t> by_day;  // days since 1970, UTC
  std::map<std::string, uint64_t> by_tool;
  std::string reason;  // of the newest one
  uint64_t total = 0;
  uint64_t not_approved = 0;  // of them a person refused, or nobody could be asked
};

// Not thread-safe.
class DenialCounts final {
 public:
  // Counts call.decided with the verdict "deny", and call.approval that was no approval.
  void Add(uint64_t index, const Json& record);

  // By the rule's id.
  std::map<std::string, DenialsOfRule> rules;
  uint64_t total = 0;
  uint64_t decisions = 0;  // all that were looked at
  uint64_t uncounted = 0;  // of rules beyond kRulesCountedMax
  std::string since;       // what was asked for, as people read it; empty: everything
  std::string until;

 private:
  std::map<std::string, std::string> asked_;  // call -> tool, of asks without an answer yet
};

}  // namespace nacre::plot
