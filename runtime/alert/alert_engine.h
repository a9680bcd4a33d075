// AlertEngine: which records make an alert. A pure function of the rules and of all records so far; what it must
// remember of these is bounded, and can be kept over a restart.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/alert/alert_rules.h"

namespace nacre::alert {

// Of one rule; the value that was counted longest ago is forgotten first.
constexpr size_t kKeysCountedMax = 1000;
// Of one rule; further values are alerts each time, rather than never.
constexpr size_t kValuesSeenMax = 20'000;

struct Alert {
  std::string rule;    // the alert rule's id
  uint64_t index = 0;  // of the record that completed it: with the rule, the alert's identity
  std::string record_id;
  std::string time;
  std::string event;
  std::string session;
  std::string tenant;  // whose that is
  std::string tool;
  std::string policy_rule;
  std::string value;  // what was first, or counted apart by
  uint32_t count = 1;
  std::vector<std::string> notify;
};

OrderedJson ToJson(const Alert& alert);

// Not thread-safe. Borrows the rules.
class AlertEngine final {
 public:
  explicit AlertEngine(const AlertRules& rules) : rules_(rules), states_(rules.rules.size()) {}

  // In the order of the log. Records of alerts themselves make none.
  std::vector<Alert> Add(uint64_t index, const Json& record);

  // What a new one needs to go on. Rules that were changed begin anew.
  Json ToState() const;
  Status TakeState(const Json& state);

 private:
  struct RuleState {
    std::map<std::string, std::deque<int64_t>> times;  // by the counted value, ascending
    std::set<std::string> seen;                        // hashes
  };

  const AlertRules& rules_;
  std::vector<RuleState> states_;
};

}  // namespace nacre::alert
