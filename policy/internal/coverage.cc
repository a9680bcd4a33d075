#include "policy/internal/coverage.h"

#include <algorithm>
#include <set>

#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

bool Includes(const std::vector<Json>& all, const std::vector<Json>& some) {
  const std::set<Json> known(all.begin(), all.end());
  return std::all_of(some.begin(), some.end(),
                     [&](const Json& value) { return known.count(value) > 0; });
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

}  // namespace nacre::policy
