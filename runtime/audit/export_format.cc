#include "runtime/audit/export_format.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "base/json.h"
#include "runtime/audit/export_event.h"
#include "runtime/audit/index_segment.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/otlp_format.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/record_time.h"

namespace nacre::audit {
namespace {

// ---- OCSF ----

struct OcsfClass {
  int uid;
  const char* name;
  int category;
  const char* category_name;
};
constexpr OcsfClass kBase{0, "Base Event", 0, "Uncategorized"};
constexpr OcsfClass kProcess{1007, "Process Activity", 1, "System Activity"};
constexpr OcsfClass kFinding{2004, "Detection Finding", 2, "Findings"};
constexpr OcsfClass kAuthentication{3002, "Authentication", 3, "Identity & Access Management"};
constexpr OcsfClass kConfiguration{5019, "Device Config State Change", 5, "Discovery"};
constexpr OcsfClass kLifecycle{6002, "Application Lifecycle", 6, "Application Activity"};
constexpr OcsfClass kApi{6003, "API Activity", 6, "Application Activity"};

constexpr int kOther = 99;

struct OcsfShape {
  const OcsfClass* of;
  int activity;
  const char* activity_name;
};
struct OcsfRow {
  std::string_view event;
  OcsfShape shape;
};
constexpr std::array kOcsfRows = {
    OcsfRow{"log.opened", {&kLifecycle, 3, "Start"}},
    OcsfRow{"log.recovered", {&kLifecycle, kOther, "Recover"}},
    OcsfRow{"log.resumed", {&kLifecycle, kOther, "Resume"}},
    OcsfRow{"session.created", {&kLifecycle, 3, "Start"}},
    OcsfRow{"session.resumed", {&kLifecycle, 5, "Restart"}},
    OcsfRow{"server.started", {&kLifecycle, 3, "Start"}},
    OcsfRow{"server.stopped", {&kLifecycle, 4, "Stop"}},
    OcsfRow{"workspace.recovered", {&kLifecycle, kOther, "Recover"}},
    OcsfRow{"selftest.finished", {&kLifecycle, kOther, "Self-test"}},
    OcsfRow{"policy.loaded", {&kConfiguration, 1, "Log"}},
    OcsfRow{"policy.refused", {&kConfiguration, 1, "Log"}},
    OcsfRow{"log.key_rotated", {&kConfiguration, 1, "Log"}},
    OcsfRow{"log.loss_accepted", {&kFinding, 1, "Create"}},
    OcsfRow{"log.begun_beside_sessions", {&kFinding, 1, "Create"}},
    OcsfRow{"log.pruned", {&kApi, 4, "Delete"}},
    OcsfRow{"content.erased", {&kApi, 4, "Delete"}},
    OcsfRow{"session.deleted", {&kApi, 4, "Delete"}},
    OcsfRow{"hold.placed", {&kApi, 1, "Create"}},
    OcsfRow{"hold.released", {&kApi, 4, "Delete"}},
    OcsfRow{"alert.raised", {&kFinding, 1, "Create"}},
    OcsfRow{"client.admitted", {&kAuthentication, 1, "Logon"}},
    OcsfRow{"client.refused", {&kAuthentication, 1, "Logon"}},
    OcsfRow{"approval.refused", {&kApi, kOther, "Refuse"}},
    OcsfRow{"retention.failed", {&kApi, kOther, "Delete"}},
    OcsfRow{"alert.failed", {&kApi, kOther, "Notify"}},
    OcsfRow{"turn.started", {&kApi, 1, "Create"}},
    OcsfRow{"turn.resumed", {&kApi, 3, "Update"}},
    OcsfRow{"turn.abandoned", {&kApi, 3, "Update"}},
    OcsfRow{"turn.finished", {&kApi, 3, "Update"}},
    OcsfRow{"model.asked", {&kApi, kOther, "Ask"}},
    OcsfRow{"model.replied", {&kApi, kOther, "Reply"}},
    OcsfRow{"call.malformed", {&kApi, kOther, "Refuse"}},
    OcsfRow{"call.decided", {&kApi, kOther, "Decide"}},
    OcsfRow{"call.approval", {&kApi, kOther, "Approve"}},
    OcsfRow{"memory.noted", {&kApi, 1, "Create"}},
    OcsfRow{"data.extracted", {&kApi, kOther, "Extract"}},
    OcsfRow{"data.revealed", {&kApi, kOther, "Reveal"}},
    OcsfRow{"data.endorsed", {&kApi, kOther, "Endorse"}},
    OcsfRow{"workspace.labels_cleared", {&kApi, 4, "Delete"}},
    OcsfRow{"workspace.commit", {&kApi, 3, "Update"}},
    OcsfRow{"workspace.undo", {&kApi, 3, "Update"}},
    OcsfRow{"workspace.undone", {&kApi, 3, "Update"}},
    OcsfRow{"workspace.undo_refused", {&kApi, 3, "Update"}},
    OcsfRow{"call.started", {&kProcess, 1, "Launch"}},
    OcsfRow{"call.finished", {&kProcess, 2, "Terminate"}},
    OcsfRow{"call.recovered", {&kProcess, 2, "Terminate"}},
    OcsfRow{"call.interrupted", {&kProcess, 2, "Terminate"}},
    OcsfRow{"sandbox.exec.started", {&kProcess, 1, "Launch"}},
    OcsfRow{"sandbox.exec.finished", {&kProcess, 2, "Terminate"}},
};

OcsfShape ShapeOf(const ExportedEvent& event) {
  if (event.severity >= Severity::kHigh) {
    return {&kFinding, 1, "Create"};
  }
  const auto row = std::find_if(kOcsfRows.begin(), kOcsfRows.end(),
                                [&](const OcsfRow& each) { return each.event == event.name; });
  return row == kOcsfRows.end() ? OcsfShape{&kBase, kOther, "Other"} : row->shape;
}

Json ActorOf(const Json& record) {
  const std::string who = StringMember(record, "actor");
  Json actor = {{"app_name", who == "agent" ? "nacre agent" : "nacre"}};
  if (who.starts_with("uid ")) {
    actor["user"] = {{"uid", who.substr(4)}};
  }
  if (const std::string session = StringMember(record, "session"); !session.empty()) {
    actor["session"] = {{"uid", session}};
  }
  return actor;
}

// Of what can fail.
void AddStatus(bool failed, Json* event) {
  (*event)["status_id"] = failed ? 2 : 1;
  (*event)["status"] = failed ? "Failure" : "Success";
}

// The profile security_control.
void AddDecision(const Json& record, const std::string& verdict, Json* event) {
  if (verdict.empty()) {
    return;
  }
  struct Row {
    std::string_view verdict;
    int action;
    const char* action_name;
    int disposition;
    const char* disposition_name;
  };
  constexpr std::array kRows = {
      Row{"allow", 1, "Allowed", 1, "Allowed"},
      Row{"deny", 2, "Denied", 2, "Blocked"},
      Row{"approved", 1, "Allowed", 8, "Approved"},
      Row{"refused", 2, "Denied", 2, "Blocked"},
  };
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [&](const Row& each) { return each.verdict == verdict; });
  const Row found = row == kRows.end() ? Row{"", kOther, "Ask", kOther, "Ask"} : *row;
  (*event)["metadata"]["profiles"] = {"security_control"};
  event->update(Json{{"action_id", found.action},
                     {"action", found.action_name},
                     {"disposition_id", found.disposition},
                     {"disposition", found.disposition_name}});
  if (const std::string rule = StringMember(record, "rule"); !rule.empty()) {
    (*event)["firewall_rule"] = {{"uid", rule}};
  }
  if (const std::string policy = StringMember(record, "policy"); !policy.empty()) {
    (*event)["policy"] = {{"uid", policy}};
  }
}

// The profile ai_operation, where a model was asked.
void AddModel(const Json& data, Json* event) {
  const std::string model = StringMember(data, "model");
  const std::string engine = StringMember(data, "engine");
  if (model.empty() || engine.empty()) {
    return;
  }
  (*event)["metadata"]["profiles"].push_back("ai_operation");
  (*event)["ai_model"] = {{"name", model}, {"ai_provider", engine}};
}

Json OcsfEvent(const ExportSource& source, const ExportedRecord& exported, const Json& record) {
  const ExportedEvent judged = JudgeRecord(record);
  const OcsfShape shape = ShapeOf(judged);
  constexpr std::array kSeverities = {"Informational", "Low", "Medium", "High", "Critical"};
  const auto severity = static_cast<int>(judged.severity);
  const Json product = {{"name", "nacre"}, {"vendor_name", "nacre"}, {"version", source.version}};
  Json own = record;
  own["leaf"] = ToHex(exported.leaf);
  own["log"] = source.log;
  Json event = {
      {"time", std::max<int64_t>(0, MillisOf(StringMember(record, "time")))},
      {"class_uid", shape.of->uid},
      {"class_name", shape.of->name},
      {"category_uid", shape.of->category},
      {"category_name", shape.of->category_name},
      {"activity_id", shape.activity},
      {"activity_name", shape.activity_name},
      {"type_uid", shape.of->uid * 100 + shape.activity},
      {"type_name", std::string(shape.of->name) + ": " +
                        (shape.activity == kOther ? "Other" : shape.activity_name)},
      {"severity_id", severity},
      {"severity", kSeverities[static_cast<size_t>(severity - 1)]},
      {"message", judged.name},
      {"metadata",
       {{"version", "1.8.0"},
        {"product", product},
        {"uid", StringMember(record, "id")},
        {"sequence", IntMember(record, "index")},
        {"original_time", StringMember(record, "time")},
        {"event_code", judged.name},
        {"log_name", source.log},
        {"log_provider", "nacre"}}},
      {"unmapped", {{"nacre", own}}},
  };
  Json& metadata = event["metadata"];
  for (const auto& [from, to] :
       {std::pair("session", "correlation_uid"), {"tenant", "tenant_uid"}}) {
    if (const std::string text = StringMember(record, from); !text.empty()) {
      metadata[to] = text;
    }
  }
  if (const std::vector<std::string> labels = LabelsOf(record); !labels.empty()) {
    metadata["labels"] = labels;
  }
  AddDecision(record, judged.verdict, &event);
  if (const std::string reason = StringMember(judged.data, "reason"); !reason.empty()) {
    event["status_detail"] = reason;
  }
  const std::string call = StringMember(record, "call");
  const Json* outcome = FindMember(judged.data, "outcome");
  switch (shape.of->uid) {
    case 1007: {
      event["actor"] = ActorOf(record);
      event["device"] = {{"hostname", source.host}, {"type_id", 0}, {"type", "Unknown"}};
      event["process"] = {{"uid", call.empty() ? StringMember(record, "id") : call},
                          {"name", StringMember(judged.data, "tool", "command")}};
      const Json* code = outcome == nullptr ? nullptr : FindMember(*outcome, "exit_code");
      // OCSF's integer_t has 32 bits.
      if (code != nullptr && code->is_number_integer() && *code >= INT32_MIN &&
          *code <= INT32_MAX) {
        event["exit_code"] = *code;
      }
      break;
    }
    case 2004:
      event["finding_info"] = {
          {"uid", StringMember(record, "id")},
          {"title", judged.violation ? "A call did what its sandbox forbids, and was ended"
                    : judged.name == kLossAcceptedEvent
                        ? "Records of the log are missing, and that was accepted"
                    : judged.name == kBegunBesideSessionsEvent
                        ? "The log begins beside sessions whose records are gone"
                    : judged.name == "alert.raised"
                        ? "An alert was raised: " + StringMember(judged.data, "alert")
                        : "An attack of the self-test was not stopped"},
          {"created_time", event["time"]}};
      break;
    case 3002: {
      const Json actor = ActorOf(record);
      const Json* user = FindMember(actor, "user");
      event["actor"] = actor;
      event["user"] = user == nullptr ? Json{{"name", "unknown"}} : *user;
      event["service"] = {{"name", "nacre gateway"}};
      event["is_remote"] = false;  // a Unix socket
      AddStatus(judged.name == "client.refused", &event);
      break;
    }
    case 5019: {
      event["actor"] = ActorOf(record);
      event["device"] = {{"hostname", source.host}, {"type_id", 0}, {"type", "Unknown"}};
      AddStatus(judged.name == "policy.refused", &event);
      // The policy, or the key, that is in force from then on.
      event["state_id"] = 2;
      event["state"] = "Enabled";
      if (const std::string policy = StringMember(record, "policy"); !policy.empty()) {
        event["metadata"]["profiles"] = {"security_control"};
        event["policy"] = {{"uid", policy}};
      }
      break;
    }
    case 6002:
      event["app"] = product;
      break;
    case 6003: {
      event["actor"] = ActorOf(record);
      event["src_endpoint"] = {{"hostname", source.host}};
      const std::string tool = StringMember(judged.data, "tool");
      event["api"] = {{"operation", tool.empty() ? judged.name : tool}};
      AddModel(judged.data, &event);
      break;
    }
    default:
      break;
  }
  return event;
}

// ---- syslog ----

std::string SyslogLine(const ExportSource& source, const ExportedRecord& exported,
                       const Json& record) {
  constexpr int kLogAudit = 13;
  const ExportedEvent event = JudgeRecord(record);
  constexpr std::array kSeverities = {6, 5, 4, 3, 2};  // info, notice, warning, err, crit
  const int priority =
      kLogAudit * 8 + kSeverities[static_cast<size_t>(static_cast<int>(event.severity) - 1)];
  const auto token = [](const std::string& text, size_t bytes_max) {
    std::string safe = Printable(text, bytes_max);
    std::replace(safe.begin(), safe.end(), ' ', '?');
    return safe.empty() ? std::string("-") : safe;
  };
  std::string line = "<" + std::to_string(priority) + ">1 ";
  const std::string time = StringMember(record, "time");
  line += TimeDigits(time) == 0 ? "-" : time;
  line += " " + token(source.host, 255) + " nacre - " + token(event.name, 32);
  line += " [nacre@32473";
  const auto parameter = [&](const char* name, const std::string& value) {
    if (value.empty()) {
      return;
    }
    line += std::string(" ") + name + "=\"";
    for (const char letter : Printable(value, 1024)) {
      if (letter == '"' || letter == '\\' || letter == ']') {
        line += '\\';
      }
      line += letter;
    }
    line += '"';
  };
  parameter("index", std::to_string(exported.index));
  parameter("leaf", ToHex(exported.leaf));
  parameter("log", source.log);
  parameter("verdict", event.verdict);
  for (const char* key :
       {"actor", "tenant", "session", "turn", "call", "rule", "policy", "trace"}) {
    parameter(key, StringMember(record, key));
  }
  return line + "] " + AsciiJson(event.data);
}

// ---- CEF ----

std::string CefLine(const ExportSource& source, const ExportedRecord& exported,
                    const Json& record) {
  const ExportedEvent event = JudgeRecord(record);
  constexpr std::array kSeverities = {1, 3, 5, 8, 10};
  const auto escaped = [](const std::string& text, char special) {
    std::string out;
    for (const char letter : Printable(text, SIZE_MAX)) {
      if (letter == '\\' || letter == special) {
        out += '\\';
      }
      out += letter;
    }
    return out;
  };
  std::string line =
      "CEF:0|nacre|nacre|" + escaped(source.version, '|') + "|" + escaped(event.name, '|') + "|" +
      escaped(event.name, '|') + "|" +
      std::to_string(kSeverities[static_cast<size_t>(static_cast<int>(event.severity) - 1)]) + "|";
  const char* space = "";
  const auto field = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) {
      line += std::exchange(space, " ") + key + "=" + escaped(value, '=');
    }
  };
  field("rt", std::to_string(MillisOf(StringMember(record, "time"))));
  field("externalId", std::to_string(exported.index));
  field("dvchost", source.host);
  field("deviceExternalId", source.log);
  field("act", event.verdict);
  if (event.name == "client.admitted" || event.name == "client.refused") {
    field("outcome", event.name == "client.admitted" ? "success" : "failure");
  }
  field("suser", StringMember(record, "actor"));
  field("reason", StringMember(event.data, "reason"));
  int number = 0;
  for (const char* key : {"session", "turn", "call", "rule", "policy", "leaf"}) {
    const std::string value =
        std::string_view(key) == "leaf" ? ToHex(exported.leaf) : StringMember(record, key);
    const std::string name = "cs" + std::to_string(++number);
    if (!value.empty()) {
      field(name + "Label", key);
      field(name, value);
    }
  }
  std::string labels;
  for (const std::string& label : LabelsOf(record)) {
    labels += (labels.empty() ? "" : ",") + label;
  }
  number = 0;
  for (const auto& [label, value] :
       {std::pair("tenant", StringMember(record, "tenant")), {"labels", labels}}) {
    const std::string name = "flexString" + std::to_string(++number);
    if (!value.empty()) {
      field(name + "Label", label);
      field(name, value);
    }
  }
  field("msg", AsciiJson(event.data));
  return line;
}

}  // namespace

std::vector<std::string_view> ExportedEvents() {
  std::vector<std::string_view> events(kOcsfRows.size());
  std::transform(kOcsfRows.begin(), kOcsfRows.end(), events.begin(),
                 [](const OcsfRow& row) { return row.event; });
  return events;
}

std::optional<ExportFormat> ParseExportFormat(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"jsonl", "ocsf", "cef", "syslog", "otlp"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? std::nullopt
                               : std::optional(static_cast<ExportFormat>(found - kNames.begin()));
}

Result<std::string> FormatRecord(ExportFormat format, const ExportSource& source,
                                 const ExportedRecord& record) {
  const Json parsed = NACRE_TRY(ParseRecord(record.bytes));
  switch (format) {
    case ExportFormat::kOcsf:
      return AsciiJson(OcsfEvent(source, record, parsed));
    case ExportFormat::kCef:
      return CefLine(source, record, parsed);
    case ExportFormat::kSyslog:
      return SyslogLine(source, record, parsed);
    case ExportFormat::kOtlp:
      return OtlpLine(source, record, parsed);
    case ExportFormat::kJsonl:
      break;
  }
  if (record.bytes.find('\n') != std::string_view::npos) {  // possible in no canonical record
    return Error{ErrorCode::kDataLoss, "not a record: it is more than a line"};
  }
  return std::string(record.bytes);
}

}  // namespace nacre::audit
