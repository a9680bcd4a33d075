#include "policy/analysis/call_encoding.h"

#include <algorithm>
#include <optional>
#include <set>

#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/quarantine.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;
using StepKind = PathStep::Kind;

constexpr size_t kElementsMax = 16;       // of a list, by their places
constexpr uint32_t kItemsMax = 1U << 18;  // a call has 256 KiB

bool IsWildcard(const PathStep& step) {
  return step.kind == StepKind::kEvery || step.kind == StepKind::kSome;
}

bool HasWildcard(const ArgumentMatcher& matcher) {
  return std::any_of(matcher.steps.begin(), matcher.steps.end(), IsWildcard);
}

// "argv" of "argv[0]", "argv[*]"; nullopt when the last step is not into a list, or lists lie above.
std::optional<std::string> ListOf(const ArgumentMatcher& matcher) {
  const std::vector<PathStep>& steps = matcher.steps;
  if (steps.back().kind == StepKind::kMember) {
    return std::nullopt;
  }
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    if (steps[i].kind != StepKind::kMember) {
      return std::nullopt;
    }
  }
  return PathText(steps, steps.size() - 1);
}

std::vector<PathStep> StepsOf(const std::string& path) {
  return *ParseArgumentPath(path);
}

std::string Element(const std::string& list, size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

// Conditions that hold for the same values have the same.
std::string Meaning(const ArgumentMatcher& matcher) {
  return matcher.path + '\0' + MatcherName(matcher.kind) + (matcher.negated ? "!" : "") +
         (matcher.holds_when_unsure ? "?" : "") + '\0' + DumpJson(Json(matcher.values)) + '\0' +
         matcher.text + '\0' + std::to_string(matcher.minimum) + ',' +
         std::to_string(matcher.maximum);
}

// What the schema says of an argument.
struct SchemaPlace {
  const Json* schema = nullptr;  // null: nothing
  bool refused = false;          // there is no such argument
  bool required = false;
};

SchemaPlace SchemaAt(const Json& schema, const std::vector<PathStep>& steps) {
  SchemaPlace at{.schema = schema.is_object() ? &schema : nullptr};
  for (size_t i = 0; i < steps.size() && at.schema != nullptr; ++i) {
    const bool member = steps[i].kind == StepKind::kMember;
    const std::string type = StringMember(*at.schema, "type");
    if (type != (member ? "object" : "array")) {
      return {.refused = !type.empty()};
    }
    const Json* inner = FindMember(*at.schema, member ? "properties" : "items");
    if (inner == nullptr) {
      return {};
    }
    const Json* found = member ? FindMember(*inner, steps[i].name) : inner;
    const Json* required = FindMember(*at.schema, "required");
    at = {.schema = found,
          .refused = found == nullptr,
          .required = i == 0 && required != nullptr && required->is_array() &&
                      std::find(required->begin(), required->end(), Json(steps[i].name)) !=
                          required->end()};
  }
  return at;
}

}  // namespace

CallEncoding::CallEncoding(Solver& solver, const ToolModel& tool,
                           const std::vector<const PolicyDocument*>& policies,
                           const std::vector<const ToolRule*>& queries,
                           const std::vector<std::string>& shared_folders)
    : solver_(solver), tool_(tool), shared_folders_(shared_folders) {
  for (const ToolModel::Path& path : tool.paths) {
    const std::string written = MemberPath("", path.key);
    wanted_[written].steps = StepsOf(written);
  }
  std::set<std::string> folders(shared_folders.begin(), shared_folders.end());
  const auto add_globs = [&](const std::vector<std::string>& globs, GlobReach reach) {
    for (const std::string& glob : globs) {
      if (auto folder = FolderOfGlob(glob, reach)) {
        folders.insert(std::move(*folder));
      }
    }
  };
  for (const PolicyDocument* policy : policies) {
    add_globs(policy->grant.hide, GlobReach::kAbove);
    add_globs(policy->grant.protect, GlobReach::kAbove);
    const std::vector<ToolRule>& quarantine = quarantines_[policy] =
        QuarantineNarrowing(policy->data.quarantine, tool.name);
    for (const auto* rules : {&policy->tools, &policy->narrow, &quarantine}) {
      for (const ToolRule& rule : *rules) {
        if (RuleCoversTool(rule, tool.name)) {
          Collect(rule);
        }
      }
    }
  }
  for (const ToolRule* rule : queries) {
    Collect(*rule);
  }
  for (const auto& [path, wanted] : wanted_) {
    for (const ArgumentMatcher* condition : wanted.conditions) {
      if (condition->kind == Kind::kGlob) {
        add_globs({condition->text}, GlobReach::kWhole);
      }
    }
  }
  MakePlaces({folders.begin(), folders.end()});
  MakeContext(policies);
}

CallEncoding::~CallEncoding() = default;

void CallEncoding::Collect(const ToolRule& rule) {
  for (const ArgumentMatcher& matcher : rule.arguments) {
    const std::optional<std::string> path = ListOf(matcher);
    const PathStep& last = matcher.steps.back();
    const bool wildcard = HasWildcard(matcher);
    if (path.has_value() && (wildcard || last.index < kElementsMax)) {
      auto& list = lists_[*path];
      list = list != nullptr ? std::move(list) : std::make_unique<List>();
      list->conditions.push_back(&matcher);
      if (wildcard) {
        list->wildcards.insert(Meaning(matcher));
      } else {
        list->indexed = std::max(list->indexed, last.index + 1);
      }
      wanted_[*path].steps = StepsOf(*path);
    }
    if (!wildcard && matcher.kind == Kind::kMaxItems) {
      auto& list = lists_[matcher.path];
      list = list != nullptr ? std::move(list) : std::make_unique<List>();
      wanted_[matcher.path].steps = matcher.steps;
    }
    if (!wildcard) {
      Wanted& wanted = wanted_[matcher.path];
      wanted.steps = matcher.steps;
      wanted.conditions.push_back(&matcher);
    }
  }
}

std::unique_ptr<Place> CallEncoding::MakePlace(
    const std::vector<const ArgumentMatcher*>& conditions, bool is_path,
    const std::vector<PathStep>& steps, const std::vector<std::string>& folders) {
  const SchemaPlace at = SchemaAt(tool_.schema, steps);
  const bool hosts = std::any_of(
      conditions.begin(), conditions.end(),
      [](const ArgumentMatcher* condition) { return condition->kind == Kind::kHostIn; });
  return std::make_unique<Place>(
      solver_,
      std::make_shared<const ValueClasses>(conditions, is_path, at.schema,
                                           is_path ? folders : shared_folders_),
      hosts ? std::make_shared<const HostClasses>(conditions) : nullptr, !is_path && !at.required,
      is_path || !at.refused);
}

void CallEncoding::MakePlaces(const std::vector<std::string>& folders) {
  // The elements of a list are compared with what is said of any of them.
  std::map<std::string, const List*> list_of;
  for (auto& [path, list] : lists_) {
    for (size_t i = 0; i < list->indexed; ++i) {
      wanted_[Element(path, i)].steps = StepsOf(Element(path, i));
      list_of[Element(path, i)] = list.get();
    }
  }
  for (const auto& [path, wanted] : wanted_) {
    const bool is_path = std::any_of(
        tool_.paths.begin(), tool_.paths.end(),
        [&path = path](const ToolModel::Path& known) { return MemberPath("", known.key) == path; });
    const auto list = list_of.find(path);
    const bool shared = list != list_of.end() && !list->second->wildcards.empty();
    places_[path] = MakePlace(shared ? list->second->conditions : wanted.conditions, is_path,
                              wanted.steps, folders);
  }
  for (auto& [path, list] : lists_) {
    MakeList(path, *list);
    Tie(*list);
  }
}

void CallEncoding::MakeList(const std::string& path, List& list) {
  const std::vector<PathStep> steps = StepsOf(path);
  const SchemaPlace at = SchemaAt(tool_.schema, steps);
  uint32_t most = kItemsMax;
  int64_t least = 0;
  if (at.schema != nullptr) {
    most = static_cast<uint32_t>(
        std::clamp<int64_t>(IntMember(*at.schema, "maxItems", kItemsMax), 0, kItemsMax));
    least = std::max<int64_t>(IntMember(*at.schema, "minItems"), 0);
  }
  list.self = places_.at(path).get();
  list.length = solver_.NewNumber(most);
  if (least <= most) {
    solver_.Require(solver_.Implies(
        list.self->IsArray(), solver_.InRange(list.length, static_cast<uint32_t>(least), most)));
  }
  std::vector<PathStep> element = steps;
  element.push_back({.kind = StepKind::kIndex});
  for (size_t i = 0; i < list.indexed; ++i) {
    list.elements.push_back(places_.at(Element(path, i)).get());
  }
  for (size_t i = 0; list.exact() && i < list.wildcards.size(); ++i) {
    list.others.push_back(MakePlace(list.conditions, false, element, {}));
    list.elements.push_back(list.others.back().get());
  }
}

// Which elements there are.
void CallEncoding::Tie(List& list) {
  const Formula array = list.self->IsArray();
  for (size_t i = 0; i < list.elements.size(); ++i) {
    const Formula present = list.elements[i]->Present();
    const Formula long_enough = solver_.AllOf(
        {array, solver_.InRange(list.length, static_cast<uint32_t>(i) + 1, UINT32_MAX)});
    solver_.Require(solver_.Implies(present, long_enough));
    if (i <= list.indexed) {  // the first of the others stands for all that follow
      solver_.Require(solver_.Implies(long_enough, present));
    } else {
      solver_.Require(solver_.Implies(present, list.elements[i - 1]->Present()));
    }
  }
}

void CallEncoding::MakeContext(const std::vector<const PolicyDocument*>& policies) {
  untrusted_ = solver_.NewBoolean();
  confidentiality_ = solver_.NewNumber(kConfidentialities - 1);
  std::set<std::string> categories;
  for (const PolicyDocument* policy : policies) {
    // What was made from a trusted context counts as trusted (policy/context_tracker), but for what a
    // quarantine lets out: a value that was extracted is derived, and the context stays as it was.
    derived_is_read_ = derived_is_read_ && !policy->data.quarantine.present;
    for (const FlowRule& rule : policy->data.flows) {
      categories.insert(rule.categories.begin(), rule.categories.end());
    }
  }
  for (const std::string& category : categories) {
    categories_[category] = solver_.NewBoolean();
  }
}

Formula CallEncoding::OriginOf(ArgumentRole role, Origin origin) {
  const auto known = origins_.find({role, origin});
  if (known != origins_.end()) {
    return known->second;
  }
  const Formula there = solver_.NewBoolean();
  if (origin == Origin::kDerived && derived_is_read_) {
    solver_.Require(solver_.Implies(there, untrusted_));
  }
  origins_.emplace(std::pair(role, origin), there);
  return there;
}

Formula CallEncoding::Open(const ArgumentMatcher& matcher) {
  const auto [known, added] = free_.emplace(Meaning(matcher), Formula{});
  if (added) {
    known->second = solver_.NewBoolean();
  }
  return known->second;
}

Formula CallEncoding::HoldsOfElements(List& list, const ArgumentMatcher& matcher) {
  const bool every = matcher.steps.back().kind == StepKind::kEvery;
  if (matcher.kind == Kind::kMaxItems) {
    return Open(matcher);
  }
  std::vector<Formula> parts;
  for (Place* element : list.elements) {
    const Formula meets = element->Meets(matcher);
    parts.push_back(every ? solver_.AnyOf({element->Absent(), meets}) : meets);
  }
  if (list.exact()) {
    if (every) {
      parts.push_back(list.self->IsArray());
      parts.push_back(solver_.InRange(list.length, 1, UINT32_MAX));
    }
    return every ? solver_.AllOf(parts) : solver_.AnyOf(parts);
  }
  const Formula open = Open(matcher);
  for (const Formula part : parts) {
    solver_.Require(every ? solver_.Implies(open, part) : solver_.Implies(part, open));
  }
  return open;
}

Formula CallEncoding::Holds(const ArgumentMatcher& matcher) {
  if (HasWildcard(matcher)) {
    const std::optional<std::string> path = ListOf(matcher);
    return path.has_value() && IsWildcard(matcher.steps.back())
               ? HoldsOfElements(*lists_.at(*path), matcher)
               : Open(matcher);
  }
  if (matcher.kind != Kind::kMaxItems) {
    return places_.at(matcher.path)->Meets(matcher);
  }
  const List& list = *lists_.at(matcher.path);
  const auto most = static_cast<uint32_t>(std::min<int64_t>(matcher.maximum, UINT32_MAX - 1));
  return solver_.AllOf(
      {list.self->IsArray(), matcher.negated ? solver_.InRange(list.length, most + 1, UINT32_MAX)
                                             : solver_.InRange(list.length, 0, most)});
}

Formula CallEncoding::Matches(const ToolRule& rule) {
  std::vector<Formula> all;
  for (const ArgumentMatcher& matcher : rule.arguments) {
    all.push_back(Holds(matcher));
  }
  return solver_.AllOf(all);
}

Formula CallEncoding::MatchesAny(const std::vector<const ToolRule*>& rules) {
  std::vector<Formula> any;
  for (const ToolRule* rule : rules) {
    any.push_back(Matches(*rule));
  }
  return solver_.AnyOf(any);
}

Formula CallEncoding::Refused(const PolicyDocument& policy) {
  std::vector<Formula> any;
  for (const ToolModel::Path& path : tool_.paths) {
    Place& place = *places_.at(MemberPath("", path.key));
    const bool written = path.access == PathAccess::kWrite;
    if (policy.grant.workspace == WorkspaceMode::kNone ||
        (written && policy.grant.workspace == WorkspaceMode::kReadOnly)) {
      any.push_back(place.Under(std::string(kWorkspaceRoot)));
    }
    for (const std::string& glob : policy.grant.hide) {
      any.push_back(place.MatchesGlob(glob, GlobReach::kAbove));
    }
    for (const std::string& glob : written ? policy.grant.protect : std::vector<std::string>()) {
      any.push_back(place.MatchesGlob(glob, GlobReach::kAbove));
    }
  }
  return solver_.AnyOf(any);
}

std::map<Verdict, std::vector<Formula>> CallEncoding::ByVerdict(
    const std::vector<ToolRule>& rules) {
  std::map<Verdict, std::vector<Formula>> matches;
  for (const ToolRule& rule : rules) {
    if (RuleCoversTool(rule, tool_.name)) {
      matches[rule.verdict].push_back(Matches(rule));
    }
  }
  return matches;
}

CallEncoding::Outcome CallEncoding::Narrowed(const Outcome& outcome,
                                             std::map<Verdict, std::vector<Formula>> by) {
  const Formula denied = solver_.AnyOf(by[Verdict::kDeny]);
  const Formula asking = solver_.AnyOf(by[Verdict::kAsk]);
  return {solver_.AllOf({outcome.allowed, solver_.Not(denied), solver_.Not(asking)}),
          solver_.AllOf({solver_.AnyOf({outcome.asked, solver_.AllOf({outcome.allowed, asking})}),
                         solver_.Not(denied)})};
}

CallEncoding::Outcome CallEncoding::Decided(const PolicyDocument& policy, bool flows) {
  std::map<Verdict, std::vector<Formula>> rules = ByVerdict(policy.tools);
  const Formula denied = solver_.AnyOf({Refused(policy), solver_.AnyOf(rules[Verdict::kDeny])});
  const Formula asking = solver_.AnyOf(rules[Verdict::kAsk]);
  Outcome outcome = {solver_.AllOf({solver_.AnyOf(rules[Verdict::kAllow]), solver_.Not(asking),
                                    solver_.Not(denied)}),
                     solver_.AllOf({asking, solver_.Not(denied)})};
  if (!policy.narrow.empty()) {
    outcome = Narrowed(outcome, ByVerdict(policy.narrow));
  }
  if (const std::vector<ToolRule>& quarantine = quarantines_.at(&policy); !quarantine.empty()) {
    outcome = Narrowed(outcome, ByVerdict(quarantine));
  }
  if (!flows || policy.data.flows.empty()) {
    return outcome;
  }
  std::map<Verdict, std::vector<Formula>> fitting;
  for (const FlowRule& rule : policy.data.flows) {
    fitting[rule.verdict].push_back(Fits(rule));
  }
  return Narrowed(outcome, std::move(fitting));
}

Formula CallEncoding::Fits(const FlowRule& rule) {
  const bool speaks =
      std::any_of(rule.tools.begin(), rule.tools.end(),
                  [&](const std::string& pattern) { return ToolCovers(pattern, tool_.name); }) ||
      std::any_of(tool_.traits.effects.begin(), tool_.traits.effects.end(), [&](CallEffect effect) {
        return std::find(rule.effects.begin(), rule.effects.end(), effect) != rule.effects.end();
      });
  if (!speaks) {
    return solver_.False();
  }
  std::vector<Formula> all;
  if (rule.when_untrusted) {
    all.push_back(untrusted_);
  }
  if (rule.at_least.has_value()) {
    all.push_back(
        solver_.InRange(confidentiality_, static_cast<uint32_t>(*rule.at_least), UINT32_MAX));
  }
  const auto any_of = [&](std::vector<Formula> formulas) {
    all.push_back(solver_.AnyOf(formulas));
  };
  if (!rule.categories.empty()) {
    std::vector<Formula> any;
    for (const std::string& category : rule.categories) {
      any.push_back(categories_.at(category));
    }
    any_of(std::move(any));
  }
  if (!rule.roles.empty()) {
    std::vector<Formula> any;
    for (const ArgumentRole role : rule.roles) {
      for (const Origin origin : rule.origins) {
        any.push_back(OriginOf(role, origin));
      }
    }
    any_of(std::move(any));
  }
  return solver_.AllOf(all);
}

Formula CallEncoding::AtLeast(const Label& label) {
  std::vector<Formula> all = {
      solver_.InRange(confidentiality_, static_cast<uint32_t>(label.confidentiality), UINT32_MAX)};
  if (label.integrity == Integrity::kUntrusted) {
    all.push_back(untrusted_);
  }
  for (const std::string& category : label.categories) {
    const auto [known, added] = categories_.emplace(category, Formula{});
    if (added) {
      known->second = solver_.NewBoolean();
    }
    all.push_back(known->second);
  }
  return solver_.AllOf(all);
}

}  // namespace nacre::policy
