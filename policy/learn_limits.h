// Budgets and rates for a learned policy, from what turns used. The method, which a comment at each line says:
//
//   budgets.turn   the most that any turn used of each, and half as much again
//   rates          of each tool that does more than read: the most calls that ran in one turn
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace nacre::policy {

// What one recorded turn used.
struct TurnUse {
  int64_t steps = 0;
  int64_t tool_calls = 0;  // denied ones included
  int64_t tokens = 0;
  std::chrono::milliseconds wall{0};
  std::map<std::string, size_t> calls;  // that ran, by tool

  friend bool operator==(const TurnUse&, const TurnUse&) = default;
};

// The section `budgets`; empty without turns. `rated`: the tools that get a rate.
std::string LimitsYaml(const std::vector<TurnUse>& turns, const std::set<std::string>& rated);

// Of the tools that should get a rate: those that get none, since no turn that ended had a call of them.
std::vector<std::string> Unrated(const std::vector<TurnUse>& turns,
                                 const std::set<std::string>& rated);

}  // namespace nacre::policy
