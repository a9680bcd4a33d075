#include "runtime/alert/alert_rules.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.h"
#include "runtime/audit/event_names.h"
#include "runtime/audit/record_filter.h"
#include "runtime/net/webhook.h"

namespace nacre::alert {
namespace {

constexpr size_t kTextBytesMax = 1024;

// Of an outcome, as the sandbox names them. A rule for another one would never fire.
const std::set<std::string> kOutcomes = {"cancelled",    "cpu_exceeded",  "disk_exceeded",
                                         "exited",       "out_of_memory", "output_exceeded",
                                         "setup_failed", "signaled",      "tasks_exceeded",
                                         "timed_out",    "violation"};

Error Wrong(const std::string& where, const std::string& what) {
  return {ErrorCode::kInvalidArgument, where + ": " + what};
}

Status OnlyKeys(const Json& object, const std::string& where, const std::set<std::string>& known) {
  if (!object.is_object()) {
    return Wrong(where, "it must be an object");
  }
  for (const auto& [key, value] : object.items()) {
    if (!known.contains(key)) {
      std::string names;
      for (const std::string& name : known) {
        names += (names.empty() ? "" : ", ") + name;
      }
      return Wrong(where + "." + key, "unknown key; there are " + names);
    }
  }
  return Ok();
}

Result<std::string> Text(const Json& object, const char* key, const std::string& where) {
  const Json* found = FindMember(object, key);
  if (found == nullptr) {
    return std::string();
  }
  if (!found->is_string() || found->get<std::string>().empty() ||
      found->get<std::string>().size() > kTextBytesMax) {
    return Wrong(where + "." + key, "it must be a text that is not empty");
  }
  return found->get<std::string>();
}

Result<std::string> OneOf(const Json& object, const char* key, const std::string& where,
                          const std::set<std::string>& allowed) {
  std::string text = NACRE_TRY(Text(object, key, where));
  if (!text.empty() && !allowed.contains(text)) {
    std::string names;
    for (const std::string& name : allowed) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return Wrong(where + "." + key, "it must be one of " + names);
  }
  return text;
}

// In full, or its part after the colon.
Result<std::string> Label(const Json& object, const std::string& where) {
  std::string label = NACRE_TRY(Text(object, "label", where));
  if (const Status known = audit::CheckLabel(label); !known.ok()) {
    return Wrong(where + ".label", known.error().message);
  }
  return label;
}

Result<std::vector<std::string>> Texts(const Json& object, const char* key,
                                       const std::string& where) {
  std::vector<std::string> texts;
  const Json* found = FindMember(object, key);
  if (found == nullptr) {
    return texts;
  }
  if (!found->is_array() || found->empty() || found->size() > 64) {
    return Wrong(where + "." + key, "it must be a list of texts");
  }
  for (const Json& each : *found) {
    if (!each.is_string() || each.get<std::string>().size() > kTextBytesMax ||
        each.get<std::string>().find('\0') != std::string::npos) {
      return Wrong(where + "." + key, "it must be a list of texts");
    }
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

// "90s", "15m", "2h", "7d".
Result<int64_t> Duration(const Json& object, const char* key, const std::string& where) {
  const std::string text = NACRE_TRY(Text(object, key, where));
  if (text.empty()) {
    return int64_t{0};
  }
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const int64_t seconds = unit == "s"   ? 1
                          : unit == "m" ? 60
                          : unit == "h" ? 3600
                          : unit == "d" ? 86'400
                                        : 0;
  if (error != std::errc() || seconds == 0 || count < 1 || count > kWithinSecondsMax / seconds) {
    return Wrong(where + "." + key, "it must be a time such as 90s, 15m, 2h or 7d, at most 30d");
  }
  return count * seconds * 1000;
}

Result<AlertRule> ParseRule(const Json& object, const std::string& where,
                            const std::vector<AlertSink>& sinks) {
  NACRE_TRY(
      OnlyKeys(object, where, {"id", "match", "count", "within", "by", "first", "per", "notify"}));
  AlertRule rule;
  rule.id = NACRE_TRY(Text(object, "id", where));
  if (rule.id.empty()) {
    return Wrong(where, "it needs an id");
  }
  if (const Json* match = FindMember(object, "match"); match != nullptr) {
    const std::string in = where + ".match";
    NACRE_TRY(OnlyKeys(
        *match, in,
        {"event", "decision", "rule", "tool", "path", "host", "label", "actor", "outcome"}));
    rule.match.event = NACRE_TRY(Text(*match, "event", in));
    if (const Status known = audit::CheckEventName(rule.match.event);
        !rule.match.event.empty() && !known.ok()) {
      return Wrong(in + ".event", known.error().message);
    }
    rule.match.decision =
        NACRE_TRY(OneOf(*match, "decision", in, {"allow", "deny", "ask", "approved", "refused"}));
    rule.match.rule = NACRE_TRY(Text(*match, "rule", in));
    rule.match.tool = NACRE_TRY(Text(*match, "tool", in));
    rule.match.path = NACRE_TRY(Text(*match, "path", in));
    rule.match.host = NACRE_TRY(Text(*match, "host", in));
    rule.match.label = NACRE_TRY(Label(*match, in));
    rule.match.actor = NACRE_TRY(Text(*match, "actor", in));
    rule.outcome = NACRE_TRY(OneOf(*match, "outcome", in, kOutcomes));
    if (!rule.outcome.empty() && !rule.match.event.empty() && rule.match.event != "call.finished" &&
        rule.match.event != "call.recovered" && rule.match.event != "sandbox.exec.finished") {
      return Wrong(in + ".outcome", rule.match.event + " has none");
    }
  }
  rule.first = NACRE_TRY(
      OneOf(object, "first", where, {"tool", "rule", "label", "actor", "policy", "credential"}));
  rule.per = NACRE_TRY(OneOf(object, "per", where, {"session", "tenant"}));
  rule.by = NACRE_TRY(OneOf(object, "by", where, {"rule", "tool", "session", "actor", "tenant"}));
  rule.within_ms = NACRE_TRY(Duration(object, "within", where));
  if (const Json* count = FindMember(object, "count"); count != nullptr) {
    if (!count->is_number_unsigned() || count->get<uint64_t>() < 2 ||
        count->get<uint64_t>() > kCountMax) {
      return Wrong(where + ".count", "it must be a number from 2 to " + std::to_string(kCountMax));
    }
    rule.count = count->get<uint32_t>();
  }
  if ((rule.count > 1) != (rule.within_ms > 0) || (rule.count == 1 && !rule.by.empty())) {
    return Wrong(where, "count and within go together, and by goes with them");
  }
  if (!rule.first.empty() && rule.count > 1) {
    return Wrong(where, "it has first or count, not both");
  }
  if (!rule.per.empty() && rule.first.empty()) {
    return Wrong(where + ".per", "it goes with first");
  }
  const Json* match = FindMember(object, "match");
  if (rule.first.empty() && (match == nullptr || match->empty())) {
    return Wrong(where, "it needs match, or first: else every record would be an alert");
  }
  rule.notify = NACRE_TRY(Texts(object, "notify", where));
  for (const std::string& name : rule.notify) {
    if (std::none_of(sinks.begin(), sinks.end(),
                     [&](const AlertSink& sink) { return sink.name == name; })) {
      return Wrong(where + ".notify", "there is no sink " + name);
    }
  }
  return rule;
}

Result<AlertSink> ParseSink(const std::string& name, const Json& object) {
  const std::string where = "sinks." + name;
  NACRE_TRY(OnlyKeys(object, where, {"command", "webhook", "syslog"}));
  if (object.size() != 1) {
    return Wrong(where, "it is one of command, webhook and syslog");
  }
  AlertSink sink{.name = name};
  if (FindMember(object, "command") != nullptr) {
    sink.argv = NACRE_TRY(Texts(object, "command", where));
    if (!sink.argv.front().starts_with("/")) {
      return Wrong(where + ".command", "its program must be an absolute path");
    }
    return sink;
  }
  const bool webhook = FindMember(object, "webhook") != nullptr;
  sink.kind = webhook ? AlertSink::Kind::kWebhook : AlertSink::Kind::kSyslog;
  sink.target = NACRE_TRY(Text(object, webhook ? "webhook" : "syslog", where));
  if (webhook) {
    if (const Status usable = net::CheckWebhookUrl(sink.target); !usable.ok()) {
      return Wrong(where + ".webhook", usable.error().message);
    }
  } else if (!sink.target.starts_with("/")) {
    return Wrong(where + ".syslog", "it must be the path of a socket, such as /dev/log");
  }
  return sink;
}

}  // namespace

Result<AlertRules> ParseAlertRules(std::string_view text) {
  const Json json = NACRE_TRY(ParseJson(text, {.bytes_max = kRulesBytesMax, .depth_max = 8}));
  NACRE_TRY(OnlyKeys(json, "alerts", {"alerts", "sinks"}));
  AlertRules rules;
  if (const Json* sinks = FindMember(json, "sinks"); sinks != nullptr) {
    if (!sinks->is_object()) {
      return Wrong("sinks", "it must be an object");
    }
    for (const auto& [name, sink] : sinks->items()) {
      rules.sinks.push_back(NACRE_TRY(ParseSink(name, sink)));
    }
  }
  const Json* alerts = FindMember(json, "alerts");
  if (alerts == nullptr || !alerts->is_array() || alerts->empty() || alerts->size() > kAlertsMax) {
    return Wrong("alerts", "it must be a list of 1 to " + std::to_string(kAlertsMax) + " rules");
  }
  std::set<std::string> ids;
  for (size_t i = 0; i < alerts->size(); ++i) {
    const std::string where = "alerts[" + std::to_string(i) + "]";
    rules.rules.push_back(NACRE_TRY(ParseRule((*alerts)[i], where, rules.sinks)));
    if (!ids.insert(rules.rules.back().id).second) {
      return Wrong(where + ".id", "there is another alert with it");
    }
  }
  return rules;
}

}  // namespace nacre::alert
