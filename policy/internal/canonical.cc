#include "policy/internal/canonical.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "base/digest.h"
#include "policy/internal/document.h"
#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

constexpr size_t kRuleBytes = 200;  // of most

void Append(const std::string& value, std::string& text) {
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (std::all_of(value.begin(), value.end(), plain)) {
    text.append(1, '"').append(value).append(1, '"');
  } else {
    text += DumpJson(Json(value));
  }
}

void Append(const Json& value, std::string& text) {
  if (value.is_string()) {
    Append(value.get_ref<const std::string&>(), text);
  } else {
    text += DumpJson(value);  // its maps are sorted
  }
}

void Append(const ToolRule& rule, std::string& text);

template <typename Item>
void Append(const std::vector<Item>& items, std::string& text) {
  text += '[';
  for (const Item& item : items) {
    text += &item == items.data() ? "" : ",";
    Append(item, text);
  }
  text += ']';
}

void AppendValue(const ArgumentMatcher& matcher, std::string& text) {
  using Kind = ArgumentMatcher::Kind;
  switch (matcher.kind) {
    case Kind::kEquals:
      Append(matcher.values.at(0), text);
      break;
    case Kind::kOneOf:
    case Kind::kHostIn:
      Append(matcher.values, text);
      break;
    case Kind::kMatches:
    case Kind::kGlob:
    case Kind::kUnder:
      Append(matcher.text, text);
      break;
    case Kind::kMaxLength:
    case Kind::kMaxItems:
      text += std::to_string(matcher.maximum);
      break;
    case Kind::kRange:
      text.append("[").append(std::to_string(matcher.minimum)).append(",");
      text.append(std::to_string(matcher.maximum)).append("]");
      break;
  }
}

// A matcher by the keys under which it stands.
struct Placed {
  const ArgumentMatcher* matcher;
  std::string_view key;    // its name, or "not"
  std::string_view inner;  // its name

  auto Order() const { return std::tie(matcher->path, key, inner); }
};

// The maps of paths, of their matchers, and of what is negated, in one pass over the sorted matchers.
void AppendArguments(const std::vector<ArgumentMatcher>& arguments, std::string& text) {
  std::vector<Placed> places;
  places.reserve(arguments.size());
  for (const ArgumentMatcher& matcher : arguments) {
    const char* name = MatcherName(matcher.kind);
    places.push_back({&matcher, matcher.negated ? "not" : name, name});
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Placed& a, const Placed& b) { return a.Order() < b.Order(); });
  const Placed* last = nullptr;
  for (size_t i = 0; i < places.size(); ++i) {
    const Placed& place = places[i];
    if (i + 1 < places.size() && place.Order() == places[i + 1].Order()) {
      continue;  // of several in one place the last one stands there
    }
    const bool same_path = last != nullptr && last->matcher->path == place.matcher->path;
    const bool same_not = same_path && last->matcher->negated && place.matcher->negated;
    if (last != nullptr && last->matcher->negated && !same_not) {
      text += '}';
    }
    if (!same_path) {
      text += last == nullptr ? "{" : "},";
      Append(place.matcher->path, text);
      text += ":{";
    } else {
      text += ',';
    }
    if (place.matcher->negated && !same_not) {
      text += "\"not\":{";
    }
    text.append(1, '"').append(place.inner).append("\":");
    AppendValue(*place.matcher, text);
    last = &place;
  }
  text += last != nullptr && last->matcher->negated ? "}}}" : "}}";
}

void Append(const ToolRule& rule, std::string& text) {
  text += '{';
  if (const OrderedJson approvers = ApproversDocument(rule.verdict, rule.approvers);
      !approvers.empty()) {
    text += "\"approvers\":" + DumpJson(Json(approvers)) + ",";
  }
  if (!rule.arguments.empty()) {
    text += "\"args\":";
    AppendArguments(rule.arguments, text);
    text += ',';
  }
  text.append("\"decision\":\"").append(VerdictName(rule.verdict)).append("\",\"id\":");
  Append(rule.id, text);
  text += ",\"reason\":";
  Append(rule.reason, text);
  text += ",\"tool\":";
  Append(rule.tools, text);
  text += '}';
}

}  // namespace

std::string CanonicalText(const PolicyDocument& policy) {
  Json settings(SettingsDocument(policy));  // which sorts them
  if (!policy.narrow.empty()) {
    settings["narrow"] = nullptr;  // its place
  }
  std::string text;
  text.reserve((policy.tools.size() + policy.narrow.size() + 10) * kRuleBytes);
  for (const auto& [key, value] : settings.items()) {
    text += text.empty() ? '{' : ',';
    Append(key, text);
    text += ':';
    if (key == "tools" || key == "narrow") {
      Append(key == "tools" ? policy.tools : policy.narrow, text);
    } else {
      text += DumpJson(value);
    }
  }
  return text += '}';
}

std::string PolicyDigest(const PolicyDocument& policy) {
  return Sha256Text(CanonicalText(policy));
}

}  // namespace nacre::policy
