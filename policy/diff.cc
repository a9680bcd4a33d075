#include "policy/diff.h"

#include <algorithm>
#include <set>

#include "policy/internal/document.h"
#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

constexpr size_t kCallsOfRuleMax = 256;
constexpr size_t kCallsOfPairMax = 16;
constexpr size_t kCandidatesMax = 100'000;
constexpr size_t kPairsMax = 200'000;

// The rules as what they mean: without ids and reasons, which decide nothing.
std::vector<std::string> Meanings(const PolicyDocument& policy) {
  std::vector<std::string> meanings;
  const OrderedJson document = ToDocument(policy);
  for (const char* section : {"tools", "narrow"}) {
    if (!document.contains(section)) {
      continue;
    }
    for (const OrderedJson& rule : document[section]) {
      OrderedJson meaning = rule;
      meaning.erase("id");
      meaning.erase("reason");
      meanings.push_back(section + DumpJson(meaning));
    }
  }
  return meanings;
}

// In the order of Meanings().
const ToolRule& RuleAt(const PolicyDocument& policy, size_t index) {
  return index < policy.tools.size() ? policy.tools[index]
                                     : policy.narrow[index - policy.tools.size()];
}

std::vector<const ToolRule*> Only(const PolicyDocument& policy,
                                  const std::vector<std::string>& mine,
                                  const std::vector<std::string>& others) {
  const std::set<std::string> known(others.begin(), others.end());
  std::vector<const ToolRule*> only;
  for (size_t i = 0; i < mine.size(); ++i) {
    if (known.count(mine[i]) == 0) {
      only.push_back(&RuleAt(policy, i));
    }
  }
  return only;
}

void CompareSettings(const OrderedJson& before, const OrderedJson& after, const std::string& path,
                     std::vector<SettingChange>& changes) {
  for (const auto& [key, value] : before.items()) {
    const std::string inner = path.empty() ? key : path + "." + key;
    if (inner == "tools" || inner == "narrow" || inner == "nacre") {
      continue;
    }
    if (!after.contains(key)) {
      changes.push_back({inner, DumpJson(value), "absent"});
      continue;
    }
    const OrderedJson& other = after.at(key);
    if (value.is_object()) {
      CompareSettings(value, other, inner, changes);
    } else if (value != other) {
      changes.push_back({inner, DumpJson(value), DumpJson(other)});
    }
  }
  for (const auto& [key, value] : after.items()) {
    if (!before.contains(key) && key != "narrow") {
      changes.push_back({path.empty() ? key : path + "." + key, "absent", DumpJson(value)});
    }
  }
}

class Finder final {
 public:
  Finder(const PolicyDocument& before, const PolicyDocument& after, const ToolSchemaList& tools,
         PolicyDiff& diff)
      : before_(before), after_(after), tools_(tools), diff_(diff) {}

  void Find() {
    for (const auto* only : {&diff_.only_before, &diff_.only_after}) {
      for (const ToolRule* rule : *only) {
        Add(CandidateCalls({rule}, tools_, kCallsOfRuleMax));
      }
    }
    for (const auto* only : {&diff_.only_before, &diff_.only_after}) {
      for (const ToolRule* rule : *only) {
        WithOthers(*rule);
      }
    }
    const bool workspace = before_.grant.workspace != after_.grant.workspace ||
                           before_.grant.hide != after_.grant.hide ||
                           before_.grant.protect != after_.grant.protect;
    // Flows narrow whatever rules allow.
    const bool data =
        std::any_of(diff_.settings.begin(), diff_.settings.end(), [](const SettingChange& change) {
          return change.key == "data" || change.key.rfind("data.", 0) == 0;
        });
    if (workspace || data) {
      for (const PolicyDocument* policy : {&before_, &after_}) {
        for (const ToolRule& rule : policy->tools) {
          Add(CandidateCalls({&rule}, tools_, kCallsOfPairMax));
        }
      }
    }
    if (workspace) {
      Globs(before_.grant.hide, after_.grant.hide);
      Globs(after_.grant.hide, before_.grant.hide);
      Globs(before_.grant.protect, after_.grant.protect);
      Globs(after_.grant.protect, before_.grant.protect);
    }
  }

 private:
  void Add(std::vector<CandidateCall> calls) {
    for (CandidateCall& call : calls) {
      if (diff_.candidates.size() >= kCandidatesMax) {
        diff_.candidates_cut = true;
        return;
      }
      if (seen_.insert(call.tool + DumpJson(call.arguments)).second) {
        diff_.candidates.push_back(std::move(call));
      }
    }
  }

  // A deny takes from what others allow, an allow is taken from by others: both are seen only in calls
  // that meet two rules.
  void WithOthers(const ToolRule& rule) {
    for (const PolicyDocument* policy : {&before_, &after_}) {
      for (const ToolRule& other : policy->tools) {
        if (++pairs_ > kPairsMax) {
          diff_.candidates_cut = true;
        }
        if (diff_.candidates_cut) {
          return;
        }
        if (&other != &rule) {
          Add(CandidateCalls({&other, &rule}, tools_, kCallsOfPairMax));
        }
      }
    }
  }

  void Globs(const std::vector<std::string>& globs, const std::vector<std::string>& others) {
    for (const std::string& glob : globs) {
      if (std::find(others.begin(), others.end(), glob) != others.end()) {
        continue;
      }
      for (const std::string& path : PathsOfGlob(glob)) {
        for (const PolicyDocument* policy : {&before_, &after_}) {
          for (const ToolRule& rule : policy->tools) {
            AddWithPath(rule, path);
          }
        }
      }
    }
  }

  void AddWithPath(const ToolRule& rule, const std::string& path) {
    std::vector<CandidateCall> calls = CandidateCalls({&rule}, tools_, kCallsOfPairMax);
    for (CandidateCall& call : calls) {
      const auto tool = std::find_if(tools_.begin(), tools_.end(),
                                     [&](const auto& known) { return known.first == call.tool; });
      const Json* properties = FindMember(tool->second, "properties");
      if (properties == nullptr) {
        continue;
      }
      for (const auto& [name, property] : properties->items()) {
        const std::string format = StringMember(property, "format");
        if (format == "path" || format == "path-write") {
          call.arguments[name] = path;
        }
      }
    }
    Add(std::move(calls));
  }

  const PolicyDocument& before_;
  const PolicyDocument& after_;
  const ToolSchemaList& tools_;
  PolicyDiff& diff_;
  std::set<std::string> seen_;
  size_t pairs_ = 0;
};

}  // namespace

PolicyDiff DiffPolicies(const PolicyDocument& before, const PolicyDocument& after,
                        const ToolSchemaList& tools) {
  PolicyDiff diff;
  const std::vector<std::string> then = Meanings(before);
  const std::vector<std::string> now = Meanings(after);
  diff.only_before = Only(before, then, now);
  diff.only_after = Only(after, now, then);
  CompareSettings(ToDocument(before), ToDocument(after), "", diff.settings);
  Finder(before, after, tools, diff).Find();
  return diff;
}

}  // namespace nacre::policy
