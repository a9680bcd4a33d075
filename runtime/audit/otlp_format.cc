#include "runtime/audit/otlp_format.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/audit/export_event.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/record_time.h"

namespace nacre::audit {
namespace {

Json Attribute(const std::string& key, Json value) {
  return {{"key", key}, {"value", std::move(value)}};
}

Json Text(const std::string& text) {
  return {{"stringValue", text}};
}

}  // namespace

std::string OtlpLine(const ExportSource& source, const ExportedRecord& exported,
                     const Json& record) {
  const ExportedEvent event = JudgeRecord(record);
  struct Level {
    int number;
    const char* text;
  };
  // INFO, INFO2, WARN, ERROR, ERROR2: the protocol's SeverityNumber.
  constexpr std::array<Level, 5> kLevels = {
      {{9, "INFO"}, {10, "INFO2"}, {13, "WARN"}, {17, "ERROR"}, {18, "ERROR2"}}};
  const Level level = kLevels[static_cast<size_t>(static_cast<int>(event.severity) - 1)];
  // 64-bit integers are texts in protobuf's JSON.
  const std::string nanoseconds =
      std::to_string(std::max<int64_t>(0, MillisOf(StringMember(record, "time")))) + "000000";
  Json attributes = Json::array();
  attributes.push_back(Attribute("nacre.index", {{"intValue", std::to_string(exported.index)}}));
  attributes.push_back(Attribute("nacre.leaf", Text(ToHex(exported.leaf))));
  attributes.push_back(Attribute("nacre.log", Text(source.log)));
  for (const char* key : {"id", "actor", "tenant", "session", "turn", "call", "rule", "policy"}) {
    if (const std::string value = StringMember(record, key); !value.empty()) {
      attributes.push_back(Attribute(std::string("nacre.") + key, Text(value)));
    }
  }
  if (!event.verdict.empty()) {
    attributes.push_back(Attribute("nacre.verdict", Text(event.verdict)));
  }
  Json labels = Json::array();
  for (const std::string& label : LabelsOf(record)) {
    labels.push_back(Text(label));
  }
  if (!labels.empty()) {
    attributes.push_back(Attribute("nacre.labels", {{"arrayValue", {{"values", labels}}}}));
  }
  Json log = {{"timeUnixNano", nanoseconds},    {"observedTimeUnixNano", nanoseconds},
              {"severityNumber", level.number}, {"severityText", level.text},
              {"eventName", event.name},        {"body", Text(AsciiJson(event.data))},
              {"attributes", attributes}};
  if (const std::string trace = StringMember(record, "trace"); !trace.empty()) {
    log["traceId"] = trace;
  }
  const Json resource = {
      {"attributes", Json::array({Attribute("service.name", Text("nacre")),
                                  Attribute("service.version", Text(source.version)),
                                  Attribute("host.name", Text(source.host))})}};
  const Json scope = {{"scope", {{"name", "nacre.audit"}}}, {"logRecords", Json::array({log})}};
  return AsciiJson(Json{{"resourceLogs", Json::array({{{"resource", resource},
                                                       {"scopeLogs", Json::array({scope})}}})}});
}

}  // namespace nacre::audit
