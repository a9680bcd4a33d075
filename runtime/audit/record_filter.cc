#include "runtime/audit/record_filter.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <functional>
#include <set>

#include "runtime/audit/index_segment.h"
#include "runtime/audit/record_format.h"

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
// How a person answered, as a decision.
constexpr std::string_view kApproved = "approved";
constexpr std::string_view kRefused = "refused";
constexpr char kApprovalEvent[] = "call.approval";

bool IsAnswer(const std::string& decision) {
  return decision == kApproved || decision == kRefused;
}

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

// Also of those in a string that is JSON itself, as a call's arguments are.
bool AnyStringWithin(const Json& data, const std::function<bool(const std::string&)>& fits) {
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

bool NamesPath(const Json& data, std::string_view top) {
  return AnyStringWithin(data, [&](const std::string& string) { return IsAtOrBelow(string, top); });
}

bool HasLabel(const Json& record, const std::string& label) {
  const std::vector<std::string> labels = LabelsOf(record);
  return std::any_of(labels.begin(), labels.end(), [&](const std::string& each) {
    return each == label || each.substr(each.find(':') + 1) == label;
  });
}

bool HasTool(const Json& data, const std::string& tool) {
  const Json* subject = FindMember(data, "subject");
  return StringMember(data, "tool") == tool ||
         (subject != nullptr && StringMember(*subject, "tool") == tool);
}

bool HasDecision(const Json& record, const Json& data, const std::string& decision) {
  if (!IsAnswer(decision)) {
    return StringMember(data, "verdict") == decision;
  }
  const Json* approved = FindMember(data, "approved");
  return StringMember(record, "event") == kApprovalEvent && approved != nullptr &&
         *approved == Json(decision == kApproved);
}

// Of names, or of what is written right before one, such as "my-" before "example.com".
bool InName(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_' ||
         static_cast<unsigned char>(letter) >= 0x80;
}

bool NamesHost(const Json& data, std::string_view host) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return AnyStringWithin(data, [&](const std::string& string) {
    for (auto at = string.begin();; ++at) {
      at = std::search(at, string.end(), host.begin(), host.end(), same);
      if (at == string.end()) {
        return false;
      }
      const auto end = at + static_cast<std::ptrdiff_t>(host.size());
      const auto after =
          end != string.end() && *end == '.' ? end + 1 : end;  // the root, or a sentence's end
      if ((at == string.begin() || !InName(at[-1])) && (after == string.end() || !InName(*after)) &&
          (end == string.end() || !InName(*end))) {
        return true;
      }
    }
  });
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
  const std::chrono::year_month_day day{std::chrono::year(part(0) * 100 + part(2)),
                                        std::chrono::month(static_cast<unsigned>(part(5))),
                                        std::chrono::day(static_cast<unsigned>(part(8)))};
  if (TimeDigits(instant) == 0 || !day.ok() || part(11) > 23 || part(14) > 59 || part(17) > 60) {
    return error;
  }
  return instant;
}

Status CheckSpan(const RecordFilter& filter) {
  if (!filter.since.empty() && !filter.until.empty() && filter.since >= filter.until) {
    return Error{ErrorCode::kInvalidArgument,
                 "nothing is from " + filter.since + " on and from before " + filter.until};
  }
  return Ok();
}

Status CheckLabel(std::string_view label) {
  constexpr std::array<std::string_view, 3> kKinds = {"category", "confidentiality", "integrity"};
  const size_t colon = label.find(':');
  if (colon != std::string_view::npos &&
      std::find(kKinds.begin(), kKinds.end(), label.substr(0, colon)) == kKinds.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 "a label is category:NAME, confidentiality:LEVEL or integrity:untrusted, or what "
                 "stands there after the colon"};
  }
  return Ok();
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
  const auto holds = [&](const Member& member) {
    const std::string& asked = filter.*member.asked;
    return asked.empty() || StringMember(record, member.key) == asked;
  };
  const std::string time = StringMember(record, "time");
  return data != nullptr && (filter.since.empty() || time >= filter.since) &&
         (filter.until.empty() || time < filter.until) &&
         std::all_of(kOfRecord.begin(), kOfRecord.end(), holds) &&
         (filter.tool.empty() || HasTool(*data, filter.tool)) &&
         (filter.decision.empty() || HasDecision(record, *data, filter.decision)) &&
         (filter.label.empty() || HasLabel(record, filter.label)) &&
         (filter.path.empty() || NamesPath(*data, ComparedPath(filter.path))) &&
         (filter.host.empty() || NamesHost(*data, filter.host)) && HasWords(*data, filter.text);
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
  add(filter.tool);
  add(IsAnswer(filter.decision) ? kApprovalEvent : filter.decision);
  const std::string_view path = ComparedPath(filter.path);
  // One that JSON escapes may be written in other words.
  const bool plain = DumpJson(Json(path)).size() == path.size() + 2;
  for (const std::string_view text :
       {plain ? path : "", std::string_view(filter.host), std::string_view(filter.text),
        std::string_view(filter.label)}) {
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
  const auto add = [&](const char* key, const std::string& asked) {
    if (!asked.empty()) {
      needles.push_back(DumpJson(Json(key)) + ":" + DumpJson(Json(asked)));
    }
  };
  for (const Member& member : kOfRecord) {
    add(member.key, filter.*member.asked);
  }
  add("tool", filter.tool);
  add("verdict", IsAnswer(filter.decision) ? std::string() : filter.decision);
  if (!filter.label.empty()) {
    needles.push_back(DumpJson(Json(filter.label)).substr(1));
  }
  return needles;
}

}  // namespace nacre::audit
