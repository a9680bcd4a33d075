#include "policy/internal/coverage.h"

#include <algorithm>
#include <set>

#include "policy/internal/host.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

bool Includes(const std::vector<Json>& all, const std::vector<Json>& some) {
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

// Under which keys a wide rule is filed for one of its conditions: whatever that covers has one of
// them among its CoveredBy().
std::vector<std::string> FiledUnder(const ArgumentMatcher& condition) {
  using Kind = ArgumentMatcher::Kind;
  const std::string path = condition.path + '\0';
  std::vector<std::string> keys;
  if (!condition.negated && (IsChoice(condition.kind) || condition.kind == Kind::kHostIn)) {
    for (const Json& value : condition.values) {
      keys.push_back(path + (condition.kind == Kind::kHostIn ? "h" : "=") + DumpJson(value));
    }
    return keys;
  }
  const bool by_text =
      !condition.negated && (condition.kind == Kind::kUnder || condition.kind == Kind::kGlob ||
                             condition.kind == Kind::kMatches);
  const char* kind = IsChoice(condition.kind) ? "choice" : MatcherName(condition.kind);
  return {path + kind + (condition.negated ? "!" : "") + (by_text ? '\0' + condition.text : "")};
}

std::vector<std::string> CoveredBy(const ArgumentMatcher& condition) {
  using Kind = ArgumentMatcher::Kind;
  if (condition.negated) {
    return FiledUnder(condition);
  }
  ArgumentMatcher wider;
  wider.path = condition.path;
  wider.kind = condition.kind;
  std::vector<std::string> keys;
  const auto add = [&] {
    for (std::string& key : FiledUnder(wider)) {
      keys.push_back(std::move(key));
    }
  };
  if (IsChoice(condition.kind)) {
    wider.values = {condition.values.at(0)};
    add();
    return keys;
  }
  if (condition.kind == Kind::kHostIn) {
    // "*.b.c" and "*.c" cover what lies below, as does the pattern itself.
    std::string pattern = condition.values.at(0).get<std::string>();
    wider.values = {pattern};
    add();
    pattern = pattern.substr(0, 2) == "*." ? pattern.substr(2) : pattern;
    for (size_t dot = pattern.find('.'); dot != std::string::npos;
         dot = pattern.find('.', dot + 1)) {
      wider.values = {"*" + pattern.substr(dot)};
      add();
    }
    return keys;
  }
  if (condition.kind == Kind::kUnder) {
    for (std::string folder = condition.text; folder.size() > 1; folder.resize(folder.rfind('/'))) {
      wider.text = folder;
      add();
    }
    wider.text = "/";
    add();
    return keys;
  }
  return FiledUnder(condition);
}

// The tool, or prefix of tools, and all prefixes that cover it.
std::vector<std::string> CoveringTools(const std::string& tool) {
  std::vector<std::string> tools = {tool};
  if (tool != "*") {
    tools.emplace_back("*");
  }
  for (size_t dot = tool.find('.'); dot != std::string::npos; dot = tool.find('.', dot + 1)) {
    if (std::string prefix = tool.substr(0, dot + 1) + "*"; prefix != tool) {
      tools.push_back(std::move(prefix));
    }
  }
  return tools;
}

}  // namespace

DeciderIndex::DeciderIndex(const std::vector<ToolRule>& rules) : rules_(rules) {
  // How many rules could be filed under a key.
  std::unordered_map<std::string, uint32_t> common;
  std::vector<std::vector<std::vector<std::string>>> keys(rules.size());  // by rule and condition
  for (size_t i = 0; i < rules.size(); ++i) {
    for (const ArgumentMatcher& condition : rules[i].arguments) {
      keys[i].push_back(FiledUnder(condition));
      for (const std::string& key : keys[i].back()) {
        ++common[key];
      }
    }
  }
  // Each is filed once, under the condition that it shares with the fewest.
  for (uint32_t i = 0; i < rules.size(); ++i) {
    const std::vector<std::string>* rarest = nullptr;
    uint32_t least = UINT32_MAX;
    for (const std::vector<std::string>& condition : keys[i]) {
      uint32_t most = 0;
      for (const std::string& key : condition) {
        most = std::max(most, common[key]);
      }
      if (most < least) {
        least = most;
        rarest = &condition;
      }
    }
    for (const std::string& tool : rules[i].tools) {
      if (rarest == nullptr) {
        filed_[tool].push_back(i);
        continue;
      }
      for (const std::string& key : *rarest) {
        filed_[tool + '\0' + key].push_back(i);
      }
    }
  }
}

const ToolRule* DeciderIndex::DeciderOf(size_t index) const {
  const ToolRule& rule = rules_[index];
  const ToolRule* first = nullptr;
  const auto look = [&](const std::string& key) {
    const auto found = filed_.find(key);
    if (found == filed_.end()) {
      return;
    }
    for (const uint32_t i : found->second) {
      const ToolRule& other = rules_[i];
      if (first != nullptr && &other >= first) {
        return;  // filed in order
      }
      const bool decides_before =
          other.verdict < rule.verdict || (other.verdict == rule.verdict && i < index);
      if (decides_before && RuleCovers(other, rule)) {
        first = &other;
      }
    }
  };
  std::vector<std::string> keys;
  for (const ArgumentMatcher& condition : rule.arguments) {
    for (std::string& key : CoveredBy(condition)) {
      keys.push_back(std::move(key));
    }
  }
  for (const std::string& tool : CoveringTools(rule.tools.at(0))) {
    look(tool);
    for (const std::string& key : keys) {
      look(tool + '\0' + key);
    }
  }
  return first;
}

}  // namespace nacre::policy
