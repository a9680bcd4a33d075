#include "runtime/audit/record_format.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/ids.h"
#include "runtime/audit/tenant.h"

namespace nacre::audit {
namespace {

constexpr int64_t kIntegerMax = (int64_t{1} << 53) - 1;  // RFC 8785: what a double holds exactly
constexpr size_t kIndexDigitsMax = 20;
constexpr size_t kHashDigits = 64;
constexpr char kTooLargeInteger[] = "it has an integer beyond 2^53-1";
constexpr std::array kKeys = {"actor",  "call",    "data",   "event",    "id",   "index",
                              "labels", "mono_us", "policy", "previous", "rule", "session",
                              "step",   "tenant",  "time",   "trace",    "turn"};

Error NotCanonical(const std::string& why) {
  return {ErrorCode::kInvalidArgument, "audit data must be canonical JSON: " + why};
}

// Most texts need no escape, and need not become a Json first.
void AppendQuoted(const std::string& text, std::string* out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char letter) {
    return letter >= ' ' && letter <= '~' && letter != '"' && letter != '\\';
  });
  if (!plain) {
    *out += DumpJson(Json(text));
    return;
  }
  *out += '"';
  *out += text;
  *out += '"';
}

template <typename Integer>
void AppendInteger(Integer value, std::string* out) {
  char digits[kIndexDigitsMax + 1];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out->append(digits, end);
}

// What DumpJson() would write, in one walk with what it does not refuse: why the value is not canonical, nullptr
// when it is.
// NOLINTNEXTLINE(misc-no-recursion): as deep as kRecordDepthMax
const char* AppendCanonical(const Json& value, int depth, std::string* out) {
  if (depth > kRecordDepthMax - 1) {  // the record itself is a level
    return "it is nested too deep";
  }
  switch (value.type()) {
    case Json::value_t::null:
      *out += "null";
      return nullptr;
    case Json::value_t::boolean:
      *out += value.get<bool>() ? "true" : "false";
      return nullptr;
    case Json::value_t::string:
      AppendQuoted(value.get_ref<const std::string&>(), out);
      return nullptr;
    case Json::value_t::number_unsigned:
      AppendInteger(value.get<uint64_t>(), out);
      return value.get<uint64_t>() > static_cast<uint64_t>(kIntegerMax) ? kTooLargeInteger
                                                                        : nullptr;
    case Json::value_t::number_integer: {
      const auto number = value.get<int64_t>();
      AppendInteger(number, out);
      return number > kIntegerMax || number < -kIntegerMax ? kTooLargeInteger : nullptr;
    }
    case Json::value_t::number_float:
      return "it has a fraction";
    case Json::value_t::array:
      *out += '[';
      for (const Json& element : value) {
        if (const char* problem = AppendCanonical(element, depth + 1, out)) {
          return problem;
        }
        *out += ',';
      }
      break;
    case Json::value_t::object:
      *out += '{';
      for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) {
        const bool ascii = std::all_of(key.begin(), key.end(), [](char letter) {
          return static_cast<unsigned char>(letter) < 0x80;
        });
        if (!ascii) {
          return "it has a key that is not ASCII";
        }
        AppendQuoted(key, out);
        *out += ':';
        if (const char* problem = AppendCanonical(member, depth + 1, out)) {
          return problem;
        }
        *out += ',';
      }
      break;
    case Json::value_t::binary:
    case Json::value_t::discarded:
      return "it has a value that is no JSON";
  }
  const char end = value.is_array() ? ']' : '}';
  if (out->back() == ',') {
    out->back() = end;
  } else {
    *out += end;
  }
  return nullptr;
}

const std::string& OwnActor() {
  static const std::string actor = "uid " + std::to_string(::getuid());
  return actor;
}

}  // namespace

Result<EncodedRecord> EncodeRecord(const AuditRecord& record, const Clock& clock, Random& random) {
  if (!record.data.is_object()) {
    return NotCanonical("it is no object");
  }
  const int64_t monotonic_us =
      std::chrono::duration_cast<std::chrono::microseconds>(clock.Monotonic().time_since_epoch())
          .count();
  EncodedRecord encoded;
  const auto add = [](std::string* part, const char* key, const std::string& text) {
    *part += key;
    AppendQuoted(text, part);
  };
  constexpr size_t kUsualBytes = 512;
  std::string* part = &encoded.before_index;
  part->reserve(kUsualBytes);
  add(part, "{\"actor\":", record.actor.empty() ? OwnActor() : record.actor);
  add(part, ",\"call\":", record.call);
  *part += ",\"data\":";
  if (const char* problem = AppendCanonical(record.data, 1, part)) {
    return NotCanonical(problem);
  }
  add(part, ",\"event\":", record.event);
  add(part, ",\"id\":", NewUlid(clock, random));
  *part += ",\"index\":";
  part = &encoded.before_previous;
  part->reserve(kUsualBytes / 2);
  *part += ",\"labels\":[";
  for (const std::string& label : record.labels) {
    add(part, &label == record.labels.data() ? "" : ",", label);
  }
  *part += "],\"mono_us\":" + std::to_string(monotonic_us);
  add(part, ",\"policy\":", record.policy_digest);
  *part += ",\"previous\":\"";
  part = &encoded.after_previous;
  part->reserve(kUsualBytes / 2);
  add(part, "\",\"rule\":", record.rule);
  add(part, ",\"session\":", record.session);
  *part += ",\"step\":" + std::to_string(record.step);
  add(part, ",\"tenant\":", record.tenant.empty() ? OwnTenant() : record.tenant);
  add(part, ",\"time\":", FormatRfc3339(clock.Now()));
  add(part, ",\"trace\":", UlidHex(record.turn));
  add(part, ",\"turn\":", record.turn);
  *part += '}';
  const size_t size = RecordBytes(encoded);
  if (size > kRecordBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "an audit record of " + std::to_string(size) +
                                                    " bytes exceeds the limit of " +
                                                    std::to_string(kRecordBytesMax)};
  }
  return encoded;
}

Json RecordList(size_t count, size_t entries_max, const std::function<Json(size_t)>& entry) {
  Json list = Json::array();
  size_t bytes = 0;
  for (size_t i = 0; i < std::min(count, entries_max); ++i) {
    Json next = entry(i);
    bytes += DumpJson(next).size();
    if (bytes > kRecordListBytesMax) {
      break;
    }
    list.push_back(std::move(next));
  }
  return list;
}

size_t RecordBytes(const EncodedRecord& record) {
  return record.before_index.size() + kIndexDigitsMax + record.before_previous.size() +
         kHashDigits + record.after_previous.size();
}

void AppendRecord(const EncodedRecord& record, uint64_t index, std::string_view previous,
                  std::string* out) {
  *out += record.before_index;
  AppendInteger(index, out);
  *out += record.before_previous;
  *out += previous;
  *out += record.after_previous;
}

std::string RecordKey(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string key;
  key.reserve(text.size());
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x80 || byte == '%') {
      key += '%';
      key += kDigits[byte >> 4U];
      key += kDigits[byte & 0xFU];
    } else {
      key += letter;
    }
  }
  return key;
}

std::string FinishRecord(const EncodedRecord& record, uint64_t index, std::string_view previous) {
  std::string line;
  line.reserve(RecordBytes(record));
  AppendRecord(record, index, previous, &line);
  return line;
}

Result<Json> ParseRecord(std::string_view line) {
  auto parsed = ParseJson(line, {.bytes_max = kRecordBytesMax, .depth_max = kRecordDepthMax});
  if (!parsed.ok()) {
    return Error{ErrorCode::kDataLoss, parsed.error().message};
  }
  Json record = std::move(parsed).value();
  const bool shaped = record.is_object() && record.size() == kKeys.size() &&
                      std::all_of(kKeys.begin(), kKeys.end(),
                                  [&](const char* key) { return record.contains(key); });
  if (!shaped) {
    return Error{ErrorCode::kDataLoss, "not a record: other keys than a record has"};
  }
  return record;
}

Status CheckRecord(std::string_view line, uint64_t index, std::string_view previous) {
  const Result<Json> record = ParseRecord(line);
  if (!record.ok()) {
    return Error{ErrorCode::kDataLoss, record.error().message};
  }
  const Json& found = record.value()["index"];
  if (!found.is_number_unsigned() || found.get<uint64_t>() != index) {
    return Error{ErrorCode::kDataLoss, "the record here has index " +
                                           DumpJson(found).substr(0, 32) +
                                           ": records were removed, added or swapped"};
  }
  if (DumpJson(record.value()) != line) {
    return Error{ErrorCode::kDataLoss, "it is not in canonical form"};
  }
  if (StringMember(record.value(), "previous") != previous) {
    return Error{ErrorCode::kFailedPrecondition, "its link does not match the record before it"};
  }
  return Ok();
}

std::string_view TimeOf(std::string_view record) {
  // It is near the end, and only there the text may stand: before it are data, where quotes are escaped.
  constexpr std::string_view kKey = "\",\"time\":\"";
  const size_t at = record.rfind(kKey);
  return at == std::string_view::npos
             ? std::string_view()
             : record.substr(at + kKey.size(),
                             record.find('"', at + kKey.size()) - at - kKey.size());
}

std::vector<std::string> LabelsOf(const Json& record) {
  std::vector<std::string> labels;
  if (const Json* found = FindMember(record, "labels"); found != nullptr && found->is_array()) {
    for (const Json& label : *found) {
      if (label.is_string()) {
        labels.push_back(label.get<std::string>());
      }
    }
  }
  return labels;
}

}  // namespace nacre::audit
