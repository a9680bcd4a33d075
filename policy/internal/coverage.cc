#include "policy/internal/coverage.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "policy/internal/host.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

constexpr size_t kFewComparisons = 64;  // cheaper than a set

bool Includes(const std::vector<Json>& all, const std::vector<Json>& some) {
  if (all.size() * some.size() <= kFewComparisons) {
    return std::all_of(some.begin(), some.end(), [&](const Json& value) {
      return std::find(all.begin(), all.end(), value) != all.end();
    });
  }
  const std::set<Json> known(all.begin(), all.end());
  return std::all_of(some.begin(), some.end(),
                     [&](const Json& value) { return known.count(value) > 0; });
}

// Whatever matches one of `some` matches one of `all`.
bool HostsInclude(const std::vector<Json>& all, const std::vector<Json>& some) {
  return std::all_of(some.begin(), some.end(), [&](const Json& narrow) {
    const std::string& pattern = narrow.get_ref<const std::string&>();
    // "x.example.com" stands for all below example.com: a wildcard covers it if it covers that.
    const std::string host = pattern.substr(0, 2) == "*." ? "x" + pattern.substr(1) : pattern;
    return std::any_of(all.begin(), all.end(), [&](const Json& wide) {
      const std::string& text = wide.get_ref<const std::string&>();
      return text == pattern || (text.substr(0, 2) == "*." && HostMatches(text, host));
    });
  });
}

bool IsChoice(ArgumentMatcher::Kind kind) {
  return kind == ArgumentMatcher::Kind::kEquals || kind == ArgumentMatcher::Kind::kOneOf;
}

// Whatever meets `narrow` meets `wide`. Under `not` the inclusion turns round.
bool ConditionCovers(const ArgumentMatcher& wide, const ArgumentMatcher& narrow) {
  using Kind = ArgumentMatcher::Kind;
  if (wide.path != narrow.path || wide.negated != narrow.negated) {
    return false;
  }
  const ArgumentMatcher& larger = wide.negated ? narrow : wide;
  const ArgumentMatcher& smaller = wide.negated ? wide : narrow;
  if (IsChoice(wide.kind) && IsChoice(narrow.kind)) {
    return Includes(larger.values, smaller.values);
  }
  if (wide.kind != narrow.kind) {
    return false;
  }
  if (wide.kind == ArgumentMatcher::Kind::kHostIn) {
    // What is unsure meets a condition negated or not, if it says so.
    return (wide.holds_when_unsure || !narrow.holds_when_unsure) &&
           HostsInclude(larger.values, smaller.values);
  }
  switch (wide.kind) {
    case Kind::kUnder:
      return IsUnder(smaller.text, larger.text);
    case Kind::kMaxLength:
    case Kind::kMaxItems:
      return smaller.maximum <= larger.maximum;
    case Kind::kRange:
      return larger.minimum <= smaller.minimum && smaller.maximum <= larger.maximum;
    default:
      return wide.text == narrow.text;
  }
}

}  // namespace

bool ConditionsCover(const ToolRule& wide, const ToolRule& narrow) {
  return std::all_of(
      wide.arguments.begin(), wide.arguments.end(), [&](const ArgumentMatcher& condition) {
        return std::any_of(
            narrow.arguments.begin(), narrow.arguments.end(),
            [&](const ArgumentMatcher& other) { return ConditionCovers(condition, other); });
      });
}

bool RuleCovers(const ToolRule& wide, const ToolRule& narrow) {
  return std::all_of(narrow.tools.begin(), narrow.tools.end(),
                     [&](const std::string& tool) { return RuleCoversTool(wide, tool); }) &&
         ConditionsCover(wide, narrow);
}

namespace {

uint64_t Joined(uint64_t first, uint64_t second) {
  const uint64_t mixed = (first ^ (second + 0x9E3779B97F4A7C15U)) * 0xFF51AFD7ED558CCDU;
  return mixed ^ (mixed >> 32U);
}

uint64_t HashOf(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

uint64_t ValueHash(const Json& value) {
  return value.is_string() ? HashOf(std::string_view(value.get_ref<const std::string&>()))
                           : ~HashOf(DumpJson(value));
}

// Keys are hashes of what is compared. That two things share one only costs another comparison.
uint64_t KeyOf(const ArgumentMatcher& condition, uint64_t value) {
  using Kind = ArgumentMatcher::Kind;
  const Kind kind = IsChoice(condition.kind) ? Kind::kEquals : condition.kind;
  const uint64_t tag = (static_cast<uint64_t>(kind) << 1U) | (condition.negated ? 1U : 0U);
  return Joined(Joined(HashOf(condition.path), tag), value);
}

// Calls `each` with the keys under which a wide rule is filed for one of its conditions: whatever
// that covers has one of them among its EachCoveringKey().
template <typename Each>
void EachFiledKey(const ArgumentMatcher& condition, const Each& each) {
  using Kind = ArgumentMatcher::Kind;
  if (condition.negated) {
    each(KeyOf(condition, 0));
    return;
  }
  switch (condition.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
    case Kind::kHostIn:
      for (const Json& value : condition.values) {
        each(KeyOf(condition, ValueHash(value)));
      }
      break;
    case Kind::kUnder:
    case Kind::kGlob:
    case Kind::kMatches:
      each(KeyOf(condition, HashOf(condition.text)));
      break;
    default:
      each(KeyOf(condition, 0));
  }
}

template <typename Each>
void EachCoveringKey(const ArgumentMatcher& condition, const Each& each) {
  using Kind = ArgumentMatcher::Kind;
  if (condition.negated) {
    EachFiledKey(condition, each);
  } else if (IsChoice(condition.kind)) {
    each(KeyOf(condition, ValueHash(condition.values.at(0))));
  } else if (condition.kind == Kind::kHostIn) {
    // "*.b.c" and "*.c" cover what lies below, as does the pattern itself.
    const std::string_view pattern = condition.values.at(0).get_ref<const std::string&>();
    each(KeyOf(condition, HashOf(pattern)));
    const size_t from = pattern.substr(0, 2) == "*." ? 2 : 0;
    for (size_t dot = pattern.find('.', from); dot != std::string_view::npos;
         dot = pattern.find('.', dot + 1)) {
      each(KeyOf(condition, HashOf("*" + std::string(pattern.substr(dot)))));
    }
  } else if (condition.kind == Kind::kUnder) {
    std::string_view folder = condition.text;
    while (folder.size() > 1) {
      each(KeyOf(condition, HashOf(folder)));
      folder = folder.substr(0, std::min(folder.rfind('/'), folder.size() - 1));
    }
    each(KeyOf(condition, HashOf(std::string_view("/"))));
  } else {
    EachFiledKey(condition, each);
  }
}

// Calls `each` with the tool, or prefix of tools, and all prefixes that cover it.
template <typename Each>
void EachCoveringTool(const std::string& tool, const Each& each) {
  each(HashOf(tool));
  if (tool != "*") {
    each(HashOf(std::string_view("*")));
  }
  for (size_t dot = tool.find('.'); dot != std::string::npos; dot = tool.find('.', dot + 1)) {
    if (const std::string prefix = tool.substr(0, dot + 1) + "*"; prefix != tool) {
      each(HashOf(prefix));
    }
  }
}

}  // namespace

DeciderIndex::DeciderIndex(std::vector<const ToolRule*> rules) : rules_(std::move(rules)) {
  std::unordered_map<uint64_t, uint32_t> common;  // how many rules could be filed under a key
  common.reserve(rules_.size() * 2);
  for (const ToolRule* rule : rules_) {
    for (const ArgumentMatcher& condition : rule->arguments) {
      EachFiledKey(condition, [&](uint64_t key) { ++common[key]; });
    }
  }
  // Each is filed once, under the condition that it shares with the fewest; the last comes first, so
  // that a chain is in order.
  for (size_t i = rules_.size(); i-- > 0;) {
    const ArgumentMatcher* rarest = nullptr;
    uint32_t least = UINT32_MAX;
    for (const ArgumentMatcher& condition : rules_[i]->arguments) {
      uint32_t most = 0;
      EachFiledKey(condition, [&](uint64_t key) { most = std::max(most, common[key]); });
      if (most < least) {
        least = most;
        rarest = &condition;
      }
    }
    for (const std::string& tool : rules_[i]->tools) {
      const uint64_t named = HashOf(tool);
      tools_.insert(named);
      if (rarest == nullptr) {
        File(named, static_cast<uint32_t>(i));
      } else {
        EachFiledKey(*rarest,
                     [&](uint64_t key) { File(Joined(named, key), static_cast<uint32_t>(i)); });
      }
    }
  }
}

void DeciderIndex::File(uint64_t key, uint32_t rule) {
  const auto entry = static_cast<uint32_t>(filed_.size());
  const auto [at, added] = first_.try_emplace(key, entry);
  filed_.push_back({rule, added ? kEnd : at->second});
  at->second = entry;
}

const ToolRule* DeciderIndex::DeciderOf(size_t index) const {
  const ToolRule& rule = *rules_[index];
  uint32_t first = kEnd;
  const auto look = [&](uint64_t key) {
    const auto found = first_.find(key);
    size_t looked = 0;
    for (uint32_t entry = found == first_.end() ? kEnd : found->second; entry != kEnd;
         entry = filed_[entry].next) {
      const uint32_t i = filed_[entry].rule;
      if (i >= first || looked++ == kLookedMax) {
        return;  // filed in order
      }
      const ToolRule& other = *rules_[i];
      const bool decides_before =
          other.verdict < rule.verdict || (other.verdict == rule.verdict && i < index);
      const bool asks_others = rule.verdict == Verdict::kAsk && other.verdict == Verdict::kAsk &&
                               other.approvers != rule.approvers;
      if (decides_before && !asks_others && RuleCovers(other, rule)) {
        first = i;
      }
    }
  };
  EachCoveringTool(rule.tools.at(0), [&](uint64_t tool) {
    if (tools_.count(tool) == 0) {
      return;
    }
    look(tool);
    for (const ArgumentMatcher& condition : rule.arguments) {
      EachCoveringKey(condition, [&](uint64_t key) { look(Joined(tool, key)); });
    }
  });
  return first == kEnd ? nullptr : rules_[first];
}

}  // namespace nacre::policy
