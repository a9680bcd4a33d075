#include "runtime/audit/record_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>

#include "runtime/audit/index_segment.h"

namespace nacre::audit {
namespace {

struct Member {
  const char* key;
  std::string RecordFilter::*asked;
};
constexpr std::array kOfRecord = {
    Member{"tenant", &RecordFilter::tenant}, Member{"session", &RecordFilter::session},
    Member{"turn", &RecordFilter::turn},     Member{"call", &RecordFilter::call},
    Member{"rule", &RecordFilter::rule},     Member{"event", &RecordFilter::event},
    Member{"actor", &RecordFilter::actor},
};
constexpr std::array kOfData = {
    Member{"tool", &RecordFilter::tool},
    Member{"verdict", &RecordFilter::decision},
};

// Calls `visit` with every string in `value` until it answers true, and answers whether it did.
// NOLINTNEXTLINE(misc-no-recursion): a record's depth is limited
bool AnyString(const Json& value, const std::function<bool(const std::string&)>& visit) {
  if (value.is_string()) {
    return visit(value.get_ref<const std::string&>());
  }
  return value.is_structured() && std::any_of(value.begin(), value.end(), [&](const Json& item) {
           return AnyString(item, visit);
         });
}

bool IsAtOrBelow(std::string_view path, std::string_view top) {
  path = ComparedPath(path);
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

// Also in a string that is JSON itself, as a call's arguments are.
bool NamesPath(const Json& data, std::string_view top) {
  const auto fits = [&](const std::string& string) { return IsAtOrBelow(string, top); };
  return AnyString(data, [&](const std::string& string) {
    if (fits(string)) {
      return true;
    }
    if (!string.starts_with('{')) {
      return false;
    }
    const Result<Json> inner = ParseJson(string);
    return inner.ok() && AnyString(inner.value(), fits);
  });
}

bool HasLabel(const Json& record, const std::string& label) {
  const Json* labels = FindMember(record, "labels");
  return labels != nullptr && labels->is_array() &&
         std::find(labels->begin(), labels->end(), Json(label)) != labels->end();
}

bool HasWords(const Json& data, const std::string& text) {
  const std::vector<std::string> asked = WordsOf(text);
  std::set<std::string> missing(asked.begin(), asked.end());
  return missing.empty() || AnyString(data, [&](const std::string& string) {
           for (const std::string& word : WordsIn(string)) {
             missing.erase(word);
           }
           return missing.empty();
         });
}

}  // namespace

Result<std::string> ParseInstant(std::string_view text, WallTime now) {
  const Error error{
      ErrorCode::kInvalidArgument,
      "'" + std::string(text.substr(0, 40)) +
          "' is no time: write 2026-11-26, 2026-11-26T12:30:00Z, or 90s, 15m, 2h or 7d "
          "for so long ago"};
  constexpr std::string_view kUnits = "smhd";
  constexpr std::array<int64_t, 4> kSeconds = {1, 60, 3600, 86'400};
  // What a policy's retention has at most too; an instant so far back still fits a WallTime.
  constexpr int64_t kAgoSecondsMax = int64_t{36'500} * 86'400;
  if (const size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
      unit != std::string_view::npos) {
    int64_t count = 0;
    const char* end = text.data() + text.size() - 1;
    const auto [last, problem] = std::from_chars(text.data(), end, count);
    if (problem != std::errc() || last != end || count < 0) {
      return error;
    }
    if (count > kAgoSecondsMax / kSeconds[unit]) {
      return Error{ErrorCode::kInvalidArgument,
                   "'" + std::string(text.substr(0, 40)) + "' is too long ago: at most 36500d"};
    }
    return FormatRfc3339(now - std::chrono::seconds(count * kSeconds[unit]));
  }
  constexpr std::string_view kWhole = "0000-00-00T00:00:00.000Z";
  if (text.ends_with('Z') && text.size() > 10) {
    text.remove_suffix(1);
  }
  constexpr std::array<size_t, 4> kLengths = {10, 16, 19, 23};
  if (std::find(kLengths.begin(), kLengths.end(), text.size()) == kLengths.end()) {
    return error;
  }
  std::string instant = std::string(text) + std::string(kWhole.substr(text.size()));
  const auto part = [&](size_t at) { return (instant[at] - '0') * 10 + instant[at + 1] - '0'; };
  if (TimeDigits(instant) == 0 || part(5) < 1 || part(5) > 12 || part(8) < 1 || part(8) > 31 ||
      part(11) > 23 || part(14) > 59 || part(17) > 60) {
    return error;
  }
  return instant;
}

std::string_view ComparedPath(std::string_view path) {
  for (const std::string_view before : {"/workspace/", "./"}) {
    if (path.starts_with(before)) {
      path.remove_prefix(before.size());
    }
  }
  while (path.size() > 1 && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path;
}

bool Matches(const RecordFilter& filter, const Json& record) {
  const Json* data = FindMember(record, "data");
  const auto holds = [&](const Member& member, const Json& where) {
    const std::string& asked = filter.*member.asked;
    return asked.empty() || StringMember(where, member.key) == asked;
  };
  const std::string time = StringMember(record, "time");
  return data != nullptr && (filter.since.empty() || time >= filter.since) &&
         (filter.until.empty() || time < filter.until) &&
         std::all_of(kOfRecord.begin(), kOfRecord.end(),
                     [&](const Member& member) { return holds(member, record); }) &&
         std::all_of(kOfData.begin(), kOfData.end(),
                     [&](const Member& member) { return holds(member, *data); }) &&
         (filter.label.empty() || HasLabel(record, filter.label)) &&
         (filter.path.empty() || NamesPath(*data, ComparedPath(filter.path))) &&
         HasWords(*data, filter.text);
}

std::vector<Term> TermsOf(const RecordFilter& filter) {
  std::vector<Term> terms;
  const auto add = [&](const std::string& asked) {
    if (!asked.empty() && asked.size() <= kTermBytesMax) {
      terms.push_back(TermOf(asked));
    }
  };
  for (const Member& member : kOfRecord) {
    add(filter.*member.asked);
  }
  for (const Member& member : kOfData) {
    add(filter.*member.asked);
  }
  add(filter.label);
  const std::string_view path = ComparedPath(filter.path);
  // One that JSON escapes may be written in other words.
  const bool plain = DumpJson(Json(path)).size() == path.size() + 2;
  for (const std::string_view text : {plain ? path : "", std::string_view(filter.text)}) {
    for (const std::string& word : WordsOf(text)) {
      terms.push_back(TermOf(word));
    }
  }
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  return terms;
}

std::vector<std::string> NeedlesOf(const RecordFilter& filter) {
  std::vector<std::string> needles;
  const auto add = [&](const Member& member) {
    if (!(filter.*member.asked).empty()) {
      needles.push_back(DumpJson(Json(member.key)) + ":" + DumpJson(Json(filter.*member.asked)));
    }
  };
  std::for_each(kOfRecord.begin(), kOfRecord.end(), add);
  std::for_each(kOfData.begin(), kOfData.end(), add);
  if (!filter.label.empty()) {
    needles.push_back(DumpJson(Json(filter.label)));
  }
  return needles;
}

}  // namespace nacre::audit
