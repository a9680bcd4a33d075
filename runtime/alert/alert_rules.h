// AlertRules: what of the log somebody wants to be told of, and how. A JSON file, read strictly; see
// docs/audit-log.md for its form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/audit/record_filter.h"

namespace nacre::alert {

constexpr size_t kRulesBytesMax = 256U << 10;
constexpr size_t kAlertsMax = 200;
constexpr uint32_t kCountMax = 1000;
constexpr int64_t kWithinSecondsMax = 30 * 86'400;

struct AlertRule {
  std::string id;
  audit::RecordFilter match;
  std::string outcome;  // of call.finished: its kind, such as violation
  // So many matching records within so long make an alert; the next one needs as many again.
  uint32_t count = 1;
  int64_t within_ms = 0;
  std::string
      by;  // counted apart by this member: rule, tool, session, actor, tenant; empty: together
  // An alert for each value of this member that was not there before: tool, rule, label, actor, policy.
  std::string first;
  std::string per;  // not there before in the same session or tenant; empty: in the log
  std::vector<std::string> notify;  // names of sinks; empty: standard output only
};

struct AlertSink {
  enum class Kind { kCommand = 0, kWebhook, kSyslog };
  std::string name;
  Kind kind = Kind::kCommand;
  std::vector<std::string>
      argv;            // of a command: its program is an absolute path, and no shell is asked
  std::string target;  // the URL of a webhook, the socket of a syslog
};

struct AlertRules {
  std::vector<AlertRule> rules;
  std::vector<AlertSink> sinks;
};

// kInvalidArgument, naming the place and what is wrong there.
Result<AlertRules> ParseAlertRules(std::string_view text);

}  // namespace nacre::alert
