#include "runtime/plot/denial_counts.h"

#include "runtime/plot/session_trace.h"

namespace nacre::plot {

void DenialCounts::Add(uint64_t /*index*/, const Json& record) {
  const std::string event = StringMember(record, "event");
  const Json* data = FindMember(record, "data");
  if (data == nullptr || (event != "call.decided" && event != "call.approval")) {
    return;
  }
  const std::string call = StringMember(record, "call");
  std::string tool = StringMember(*data, "tool");
  bool refused = false;
  bool not_approved = false;
  if (event == "call.decided") {
    ++decisions;
    refused = StringMember(*data, "verdict") == "deny";
    constexpr size_t kAsksOpenMax = 4096;  // of sessions side by side
    if (StringMember(*data, "verdict") == "ask" && asked_.size() < kAsksOpenMax) {
      asked_[call] = tool;
    }
  } else {
    not_approved = refused = !BoolMember(*data, "approved");
    if (const auto asked = asked_.find(call); asked != asked_.end()) {
      tool = asked->second;
      asked_.erase(asked);
    }
  }
  if (!refused) {
    return;
  }
  ++total;
  const std::string rule = StringMember(record, "rule");
  if (!rules.contains(rule) && rules.size() == kRulesCountedMax) {
    ++uncounted;
    return;
  }
  DenialsOfRule& counts = rules[rule];
  ++counts.total;
  counts.not_approved += not_approved ? 1 : 0;
  constexpr int64_t kDayMs = 86'400'000;
  ++counts.by_day[MillisOf(StringMember(record, "time")) / kDayMs];
  if (counts.by_tool.contains(tool) || counts.by_tool.size() < 100) {
    ++counts.by_tool[tool];
  }
  if (const std::string reason = StringMember(*data, "reason"); !reason.empty()) {
    counts.reason = reason;
  }
}

}  // namespace nacre::plot
