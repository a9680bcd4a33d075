#include "runtime/audit/export_event.h"

#include <algorithm>

#include "runtime/audit/latest_seen.h"

namespace nacre::audit {

std::string AsciiJson(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string AsciiJson(const OrderedJson& value) {
  return value.dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
}

std::string Printable(std::string_view text, size_t bytes_max) {
  std::string safe(text.substr(0, bytes_max));
  std::replace_if(
      safe.begin(), safe.end(), [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  return safe;
}

ExportedEvent JudgeRecord(const Json& record) {
  ExportedEvent event{.name = StringMember(record, "event"), .data = record["data"], .verdict = {}};
  event.verdict = StringMember(event.data, "verdict");
  if (event.name == "call.approval") {
    event.verdict = BoolMember(event.data, "approved") ? "approved" : "refused";
  }
  const Json* outcome = FindMember(event.data, "outcome");
  event.violation = outcome != nullptr && StringMember(*outcome, "kind") == "violation";
  if (event.verdict == "deny" || event.verdict == "refused" || event.name == "call.malformed" ||
      event.name == "workspace.undo_refused" || event.name == "policy.refused" ||
      event.name == "client.refused" || event.name == "approval.refused" ||
      event.name == "retention.failed") {
    event.severity = Severity::kLow;
  } else if (event.name == "log.recovered" || event.name == "log.resumed" ||
             event.name == "alert.failed") {
    event.severity = Severity::kMedium;
  } else if (event.violation || event.name == kLossAcceptedEvent ||
             event.name == kBegunBesideSessionsEvent || event.name == "alert.raised") {
    event.severity = Severity::kHigh;
  } else if (event.name == "selftest.finished" && IntMember(event.data, "escaped") > 0) {
    event.severity = Severity::kCritical;
  }
  return event;
}

}  // namespace nacre::audit
