#include "policy/flow.h"

#include <algorithm>
#include <array>

#include "policy/internal/display.h"
#include "policy/internal/flow_match.h"
#include "policy/internal/host.h"
#include "policy/internal/matcher.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

constexpr std::array<const char*, kCallEffects> kEffectNames = {
    "read", "fetch", "write", "delete", "send", "pay", "account", "execute"};
constexpr std::array<const char*, kArgumentRoles> kRoleNames = {
    "option", "recipient", "url", "amount", "object", "setting", "title", "body", "link"};
constexpr std::array<const char*, kOrigins> kOriginNames = {"stranger", "derived", "trusted",
                                                            "user"};

template <typename Enum, size_t kCount>
std::optional<Enum> Named(const std::array<const char*, kCount>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt
                              : std::optional<Enum>(static_cast<Enum>(found - names.begin()));
}

template <typename T>
bool Contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool AnyToolCovers(const std::vector<std::string>& patterns, const std::string& tool) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return ToolCovers(pattern, tool); });
}

bool LevelFits(const FlowRule& rule, const Label& context) {
  return !rule.at_least.has_value() || context.confidentiality >= *rule.at_least;
}

bool IntegrityFits(const FlowRule& rule, const Label& context) {
  return !rule.when_untrusted || context.integrity == Integrity::kUntrusted;
}

bool CategoryFits(const FlowRule& rule, const Label& context) {
  return rule.categories.empty() || std::any_of(rule.categories.begin(), rule.categories.end(),
                                                [&](const std::string& category) {
                                                  return context.categories.count(category) > 0;
                                                });
}

// The first argument that the rule looks for, or null.
const ArgumentOrigin* FindCause(const FlowRule& rule, const FlowFacts& facts) {
  const auto found = std::find_if(
      facts.arguments.begin(), facts.arguments.end(), [&](const ArgumentOrigin& argument) {
        return Contains(rule.roles, argument.role) && Contains(rule.origins, argument.origin);
      });
  return found == facts.arguments.end() ? nullptr : &*found;
}

template <typename Items, typename Name>
std::string Listed(const Items& items, const Name& name) {
  std::string text;
  for (const auto& item : items) {
    text += (text.empty() ? "" : " or ") + std::string(name(item));
  }
  return text;
}

// How much of what a call read a source speaks of.
enum class Reach { kNone = 0, kPart, kAll };

// kAll: the path, or a folder that it is in. kPart: something below it. Whether the path is a folder is
// not known here, and what is read of a folder may be of anything in it.
Reach PathReach(const Glob& glob, const GlobWalk& walk, const std::string& path) {
  if (glob.MatchesAtOrAbove(path)) {
    return Reach::kAll;
  }
  GlobWalk::State at = walk.Start();
  GlobWalk::State below;
  size_t begin = 0;
  // Nothing follows the last slash of "/": all that is matched is below it.
  while (begin < path.size() && !at.empty()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    walk.Enter(at, std::string_view(path).substr(begin, end - begin), below);
    at.swap(below);
    begin = end + 1;
  }
  return at.empty() ? Reach::kNone : Reach::kPart;
}

Reach PathReach(const DataSource& source, const std::string& path) {
  if (source.glob != nullptr && source.walk != nullptr) {
    return PathReach(*source.glob, *source.walk, path);
  }
  const std::optional<Glob> glob = Glob::Compile(source.path);
  return glob.has_value() ? PathReach(*glob, GlobWalk({source.path}), path) : Reach::kPart;
}

// Of several paths or hosts: all of them, some, or none.
template <typename ReachOf>
Reach ReachOfAny(const std::vector<std::string>& texts, const ReachOf& reach_of) {
  bool some = false;
  bool all = !texts.empty();
  for (const std::string& text : texts) {
    const Reach reach = reach_of(text);
    some = some || reach != Reach::kNone;
    all = all && reach == Reach::kAll;
  }
  return all ? Reach::kAll : some ? Reach::kPart : Reach::kNone;
}

Reach SourceReach(const DataSource& source, const SourceQuery& query) {
  if ((query.kind == SourceQuery::Kind::kUser) != source.user || (source.memory && !query.memory) ||
      (!source.tools.empty() && !AnyToolCovers(source.tools, query.tool))) {
    return Reach::kNone;
  }
  Reach reach = Reach::kAll;
  if (!source.path.empty()) {
    reach = std::min(reach, ReachOfAny(query.paths, [&](const std::string& path) {
                       return PathReach(source, path);
                     }));
  }
  if (!source.host.empty()) {
    reach = std::min(reach, ReachOfAny(query.hosts, [&](const std::string& host) {
                       return HostMatches(source.host, host) ? Reach::kAll : Reach::kNone;
                     }));
  }
  return reach;
}

}  // namespace

const char* CallEffectName(CallEffect effect) {
  return kEffectNames.at(static_cast<size_t>(effect));
}

std::optional<CallEffect> ParseCallEffect(const std::string& name) {
  return Named<CallEffect>(kEffectNames, name);
}

const char* ArgumentRoleName(ArgumentRole role) {
  return kRoleNames.at(static_cast<size_t>(role));
}

std::optional<ArgumentRole> ParseArgumentRole(const std::string& name) {
  return Named<ArgumentRole>(kRoleNames, name);
}

const char* OriginName(Origin origin) {
  return kOriginNames.at(static_cast<size_t>(origin));
}

std::optional<Origin> ParseOrigin(const std::string& name) {
  return Named<Origin>(kOriginNames, name);
}

namespace {

// What the rule finds in the call; nullopt when it does not cover it or a condition does not hold.
std::optional<FlowAnswer> Find(const FlowRule& rule, const std::string& tool,
                               const FlowFacts& facts) {
  if (!FlowCovers(rule, tool, facts) || !IntegrityFits(rule, facts.context) ||
      !LevelFits(rule, facts.context) || !CategoryFits(rule, facts.context)) {
    return std::nullopt;
  }
  const ArgumentOrigin* cause = rule.roles.empty() ? nullptr : FindCause(rule, facts);
  return rule.roles.empty() || cause != nullptr ? std::optional(FlowAnswer{&rule, cause})
                                                : std::nullopt;
}

}  // namespace

FlowAnswer JudgeFlow(const DataRules& rules, const std::string& tool, const FlowFacts& facts) {
  FlowAnswer answer;
  for (const FlowRule& rule : rules.flows) {
    if (answer.rule != nullptr && rule.verdict >= answer.rule->verdict) {
      continue;
    }
    if (const auto found = Find(rule, tool, facts)) {
      answer = *found;
    }
  }
  return answer;
}

std::vector<const FlowRule*> FlowsThatAsk(const DataRules& rules, const std::string& tool,
                                          const FlowFacts& facts) {
  std::vector<const FlowRule*> asking;
  for (const FlowRule& rule : rules.flows) {
    if (rule.verdict == Verdict::kAsk && Find(rule, tool, facts).has_value()) {
      asking.push_back(&rule);
    }
  }
  return asking;
}

bool FlowCovers(const FlowRule& rule, const std::string& tool, const FlowFacts& facts) {
  return AnyToolCovers(rule.tools, tool) ||
         std::any_of(facts.effects.begin(), facts.effects.end(),
                     [&](CallEffect effect) { return Contains(rule.effects, effect); });
}

std::optional<std::string> FlowMissing(const FlowRule& rule, const FlowFacts& facts) {
  if (!IntegrityFits(rule, facts.context)) {
    return "the context is trusted";
  }
  if (!LevelFits(rule, facts.context)) {
    return std::string("the context is ") + ConfidentialityName(facts.context.confidentiality) +
           ", which is less than " + ConfidentialityName(*rule.at_least);
  }
  if (!CategoryFits(rule, facts.context)) {
    return "the context has no data of " +
           Listed(rule.categories, [](const std::string& category) { return category; });
  }
  if (!rule.roles.empty() && FindCause(rule, facts) == nullptr) {
    return "no " + Listed(rule.roles, ArgumentRoleName) + " has the origin " +
           Listed(rule.origins, OriginName);
  }
  return std::nullopt;
}

std::string DescribeFlow(const FlowAnswer& answer, const FlowFacts& facts) {
  if (answer.argument == nullptr) {
    return "the context is " + ShownLabel(facts.context);
  }
  const ArgumentOrigin& argument = *answer.argument;
  const std::string value = argument.argument + " " + ShownText(argument.value, 80);
  switch (argument.origin) {
    case Origin::kStranger:
      return value + " is named by a text that nobody vouches for";
    case Origin::kDerived:
      return value + " is named nowhere, so it was made from all that was read";
    case Origin::kTrusted:
      return value + " is named by a trusted source";
    case Origin::kUser:
      return value + " is named by the user";
  }
  return value;
}

Label SourceLabel(const DataRules& rules, const SourceQuery& query,
                  std::optional<Integrity> declared) {
  std::optional<Integrity> integrity = declared;
  Label label = Label::Clean();
  for (const DataSource& source : rules.sources) {
    const Reach reach = SourceReach(source, query);
    if (reach == Reach::kNone) {
      continue;
    }
    // Who vouches for a part vouches for no more than that.
    if (source.integrity == Integrity::kUntrusted ||
        (source.integrity == Integrity::kTrusted && reach == Reach::kAll)) {
      integrity = std::min(integrity.value_or(Integrity::kTrusted), *source.integrity);
    }
    label.confidentiality = std::max(label.confidentiality, source.confidentiality);
    label.categories.insert(source.categories.begin(), source.categories.end());
  }
  const Integrity unlisted =
      query.kind == SourceQuery::Kind::kUser ? Integrity::kTrusted : rules.unlisted;
  label.integrity = integrity.value_or(unlisted);
  return label;
}

}  // namespace nacre::policy
