#include "policy/learn.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "policy/internal/generalise.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/lint.h"
#include "policy/path_glob.h"
#include "policy/policy_loader.h"
#include "policy/quarantine.h"

namespace nacre::policy {
namespace {

constexpr size_t kCallsShownMax = 5;         // in a rule's comment
constexpr size_t kCallBytesShownMax = 160;   // of each
constexpr size_t kLearnedApproversMax = 16;  // as many as a rule may have
constexpr int64_t kAnyLength = 2'147'483'647;

struct LearnedRule {
  std::string id;
  std::string reason;
  std::string tool;
  std::vector<std::pair<std::string, std::string>> conditions;  // path and matcher, as YAML
  Verdict verdict = Verdict::kDeny;
  std::vector<std::string> approvers;  // of kAsk: accounts; empty: whoever runs nacre
  size_t approvals = 1;                // that each call had
  std::vector<const RecordedCall*> calls;
  std::vector<std::string> widened;
};

bool IsSaid(const Json* value) {
  return value != nullptr && !value->is_null();
}

// It does what the flows of builtin/base ask about.
bool LeadsOut(const ToolTraits& tool) {
  return std::any_of(tool.effects.begin(), tool.effects.end(), [](CallEffect effect) {
    return effect == CallEffect::kFetch || effect == CallEffect::kSend ||
           effect == CallEffect::kPay || effect == CallEffect::kAccount;
  });
}

std::string MatcherYaml(const Generalised& condition, bool negated) {
  const std::string inner = condition.matcher + ": " + YamlValue(condition.value);
  return negated ? "{not: {" + inner + "}}" : "{" + inner + "}";
}

std::string RuleYaml(const LearnedRule& rule, const std::vector<std::string>& notes) {
  std::string yaml;
  if (!rule.calls.empty()) {
    yaml += "  # " + rule.reason + ":\n";
  }
  for (size_t i = 0; i < std::min(rule.calls.size(), kCallsShownMax); ++i) {
    yaml += "  #   " + CommentText(rule.calls[i]->id, 64) + " " +
            CommentText(DumpJson(rule.calls[i]->request.arguments), kCallBytesShownMax) + "\n";
  }
  if (rule.calls.size() > kCallsShownMax) {
    yaml += "  #   and " + std::to_string(rule.calls.size() - kCallsShownMax) + " more\n";
  }
  for (const std::string& wide : rule.widened) {
    yaml += "  # WIDE " + CommentText(wide, 300) + "\n";
  }
  for (const std::string& note : notes) {
    yaml += "  # RISK " + CommentText(note, 400) + "\n";
  }
  yaml += "  - id: " + rule.id + "\n    reason: " + rule.reason +
          "\n    tool: " + YamlQuoted(rule.tool) + "\n";
  if (!rule.conditions.empty()) {
    // Several matchers of one argument stand together.
    std::map<std::string, std::string> args;
    yaml += "    args:\n";
    for (const auto& [path, matcher] : rule.conditions) {
      std::string& at = args[path];
      at = at.empty() ? matcher : at.substr(0, at.size() - 1) + ", " + matcher.substr(1);
    }
    for (const auto& [path, matcher] : args) {
      yaml += "      " + YamlQuoted(path) + ": " + matcher + "\n";
    }
  }
  yaml += std::string("    decision: ") + VerdictName(rule.verdict) + "\n";
  if (!rule.approvers.empty()) {
    yaml += "    approvers: {users: " + YamlValue(Json(rule.approvers)) +
            (rule.approvals > 1 ? ", count: " + std::to_string(rule.approvals) : "") +
            "}  # who said yes to these calls\n";
  }
  return yaml;
}

// The rules of one tool.
class ToolLearner final {
 public:
  ToolLearner(const ToolModel& tool, std::vector<const RecordedCall*> calls,
              std::vector<LearnedRule>& rules)
      : tool_(tool), calls_(std::move(calls)), rules_(rules) {}

  void Learn() {
    first_ = rules_.size();
    std::map<std::string, std::vector<const RecordedCall*>> groups;
    for (const RecordedCall* call : calls_) {
      groups[ProgramOf(call->request)].push_back(call);
    }
    for (const auto& [program, calls] : groups) {
      LearnedRule rule = Rule(calls);
      for (const std::string& name : NamesOf(calls)) {
        if (InAll(calls, name)) {
          Conditions(name, calls, rule);
        }
      }
      rules_.push_back(std::move(rule));
    }
    for (const std::string& name : OptionalNames()) {
      Guard(name);
    }
  }

 private:
  static std::string ProgramOf(const Request& request) {
    const Json* argv = FindMember(request.arguments, "argv");
    return argv != nullptr && argv->is_array() && !argv->empty() && argv->at(0).is_string()
               ? argv->at(0).get<std::string>()
               : std::string();
  }

  LearnedRule Rule(const std::vector<const RecordedCall*>& calls) const {
    LearnedRule rule{.tool = tool_.name, .verdict = Verdict::kAllow, .calls = calls};
    for (const RecordedCall* call : calls) {
      rule.verdict = std::min(rule.verdict, call->verdict);  // what was asked stays asked
    }
    rule.approvers = ApproversOf(calls, rule.widened);
    if (!rule.approvers.empty()) {
      rule.approvals = rule.approvers.size();
      for (const RecordedCall* call : calls) {
        if (call->verdict == Verdict::kAsk) {
          rule.approvals = std::min(rule.approvals, call->approved_by.size());
        }
      }
    }
    if (rule.verdict == Verdict::kAllow && LeadsOut(tool_.traits)) {
      rule.widened.push_back(
          "context: any; flows are not learned, so nobody is asked about such a call where "
          "something "
          "private or untrusted was read, as builtin/base would have it");
    }
    rule.id = "learned-" + std::to_string(rules_.size() + 1);
    rule.reason = "learned from " + std::to_string(calls.size()) + " recorded " +
                  (calls.size() == 1 ? "call" : "calls");
    return rule;
  }

  // Those who said yes to calls that were asked for, if that is known of all of them. Without approvers whoever
  // runs nacre may say yes, which is more than was seen.
  static std::vector<std::string> ApproversOf(const std::vector<const RecordedCall*>& calls,
                                              std::vector<std::string>& widened) {
    std::set<std::string> accounts;
    size_t unknown = 0;
    for (const RecordedCall* call : calls) {
      if (call->verdict == Verdict::kAsk) {
        unknown += call->approved_by.empty() ? 1 : 0;
        accounts.insert(call->approved_by.begin(), call->approved_by.end());
      }
    }
    if (unknown > 0) {
      widened.push_back("approvers: whoever runs nacre; who said yes to " +
                        std::to_string(unknown) +
                        " of the calls is not known by the name of an account");
      return {};
    }
    if (accounts.size() > kLearnedApproversMax) {
      widened.push_back("approvers: whoever runs nacre; " + std::to_string(accounts.size()) +
                        " accounts said yes, and a rule has at most " +
                        std::to_string(kLearnedApproversMax));
      return {};
    }
    return {accounts.begin(), accounts.end()};
  }

  static std::set<std::string> NamesOf(const std::vector<const RecordedCall*>& calls) {
    std::set<std::string> names;
    for (const RecordedCall* call : calls) {
      for (const auto& [name, value] : call->request.arguments.items()) {
        names.insert(name);
      }
    }
    return names;
  }

  static bool InAll(const std::vector<const RecordedCall*>& calls, const std::string& name) {
    return std::all_of(calls.begin(), calls.end(), [&](const RecordedCall* call) {
      return IsSaid(FindMember(call->request.arguments, name));
    });
  }

  // Those that some call of the tool left out, or could have had; and lists of which one was empty.
  std::set<std::string> OptionalNames() const {
    std::set<std::string> names = NamesOf(calls_);
    if (const Json* properties = FindMember(tool_.schema, "properties")) {
      for (const auto& [name, property] : properties->items()) {
        names.insert(name);
      }
    }
    std::erase_if(names, [&](const std::string& name) {
      return InAll(calls_, name) && !SeenOf(calls_, name).sometimes_empty();
    });
    return names;
  }

  ArgumentUse UseOf(const std::string& name) const {
    return {.is_path = std::any_of(tool_.paths.begin(), tool_.paths.end(),
                                   [&](const ToolModel::Path& path) { return path.key == name; }),
            .role = tool_.traits.RoleOf(name),
            .exact = name == "argv"};
  }

  struct Seen {
    std::set<Json> values;    // that are no lists
    std::set<Json> elements;  // of those that are
    size_t longest = 0;
    bool lists = false;
    bool empty_list = false;
    // No condition on every element holds for an empty list: what may not be in it is denied instead.
    bool sometimes_empty() const { return empty_list && longest > 0; }
  };

  static Seen SeenOf(const std::vector<const RecordedCall*>& calls, const std::string& name) {
    Seen seen;
    for (const RecordedCall* call : calls) {
      // A rule speaks of a file by both: what it is called, and where a link leads.
      for (const PathArgument& path : call->request.paths) {
        if (path.key == name && !path.followed.empty()) {
          seen.values.insert(path.followed);
        }
      }
      const Json* value = FindMember(call->request.arguments, name);
      if (!IsSaid(value)) {
        continue;
      }
      if (!value->is_array()) {
        seen.values.insert(*value);
        continue;
      }
      seen.lists = true;
      seen.empty_list = seen.empty_list || value->empty();
      seen.longest = std::max(seen.longest, value->size());
      seen.elements.insert(value->begin(), value->end());
    }
    return seen;
  }

  void Add(const std::string& path, const std::optional<Generalised>& condition,
           LearnedRule& rule) const {
    if (!condition.has_value() || !ParseArgumentPath(path).has_value()) {
      rule.widened.push_back(path + ": not limited");
      return;
    }
    rule.conditions.emplace_back(path, MatcherYaml(*condition, false));
    if (!condition->widened.empty()) {
      rule.widened.push_back(path + ": " + condition->widened);
    }
  }

  void Conditions(const std::string& name, const std::vector<const RecordedCall*>& calls,
                  LearnedRule& rule) const {
    const Seen seen = SeenOf(calls, name);
    const std::string path = MemberPath("", name);
    if (!seen.lists) {
      Add(path, Generalise(seen.values, UseOf(name)), rule);
      return;
    }
    if (!seen.values.empty()) {
      rule.widened.push_back(path + ": not limited");  // sometimes a list, sometimes not
      return;
    }
    const std::string program = name == "argv" ? ProgramOf(calls.at(0)->request) : "";
    if (!program.empty()) {
      Add("argv[0]", Generalise({Json(program)}, {.exact = true}), rule);
    }
    Add(path, Generalised{"max_items", seen.longest, {}}, rule);
    if (!seen.empty_list) {
      Add(path + "[*]", Generalise(seen.elements, UseOf(name)), rule);
    }
  }

  // What an argument that may be left out must not be.
  void Guard(const std::string& name) {
    const Seen seen = SeenOf(calls_, name);
    const std::string path = MemberPath("", name);
    LearnedRule rule{.id = "learned-" + std::to_string(rules_.size() + 1), .tool = tool_.name};
    const auto widen = [&](const Generalised& condition) {
      if (!condition.widened.empty()) {
        rule.widened.push_back(path + ": " + condition.widened);
      }
    };
    const auto deny = [&](const std::string& denied, const std::string& matcher) {
      if (ParseArgumentPath(denied).has_value()) {
        rule.conditions = {{denied, matcher}};
        rule.id = "learned-" + std::to_string(rules_.size() + 1);
        if (CouldMatch(rule)) {
          rules_.push_back(rule);
        }
      }
    };
    if (seen.values.empty() && !seen.lists) {
      rule.reason = "no recorded call had this argument";
      const std::string type = TypeOf(name);
      if (type.empty() || type == "string") {
        deny(path, "{max_length: " + std::to_string(kAnyLength) + "}");
      }
      if (type == "boolean") {
        deny(path, "{one_of: [true, false]}");
      } else if (type != "string" && type != "array" && type != "object") {
        deny(path, "{range: [-9223372036854775808, 9223372036854775807]}");
        deny(path, "{not: {range: [-9223372036854775808, 9223372036854775806]}}");
      }
      if (type.empty() || type == "array") {
        deny(path, "{max_items: " + std::to_string(kAnyLength) + "}");
      }
      if (type == "object") {
        rules_.at(first_).widened.push_back(path + ": not limited");
      }
      return;
    }
    rule.reason = "no recorded call had such a value";
    if (seen.lists) {
      deny(path, "{not: {max_items: " + std::to_string(seen.longest) + "}}");
      if (const auto element = Generalise(seen.elements, UseOf(name))) {
        widen(*element);
        deny(path + "[?]", MatcherYaml(*element, true));
      }
    } else if (const auto condition = Generalise(seen.values, UseOf(name))) {
      widen(*condition);
      deny(path, MatcherYaml(*condition, true));
    }
  }

  // False when the schema leaves no call that could meet it: the loader refuses such a rule.
  bool CouldMatch(const LearnedRule& rule) const {
    const std::string text = "nacre: policy/1\nname: x\ntools:\n" + RuleYaml(rule, {});
    return !LoadPolicyText("x", text).ok() ||  // a mistake of ours: said when all is loaded
           LoadPolicyText("x", text, {.tools = {{tool_.name, tool_.schema}}}).ok();
  }

  std::string TypeOf(const std::string& name) const {
    const Json* properties = FindMember(tool_.schema, "properties");
    const Json* property = properties != nullptr ? FindMember(*properties, name) : nullptr;
    return property != nullptr ? StringMember(*property, "type") : std::string();
  }

  const ToolModel& tool_;
  const std::vector<const RecordedCall*> calls_;
  std::vector<LearnedRule>& rules_;
  size_t first_ = 0;  // of this tool
};

// Of the globs that builtin/base has, those that keep from no call what it had.
std::vector<std::string> Kept(const std::vector<std::string>& globs,
                              const std::vector<RecordedCall>& calls, bool written_only) {
  std::vector<std::string> kept;
  for (const std::string& text : globs) {
    const auto glob = Glob::Compile(text);
    const bool used = std::any_of(calls.begin(), calls.end(), [&](const RecordedCall& call) {
      return call.verdict != Verdict::kDeny &&
             std::any_of(call.request.paths.begin(), call.request.paths.end(),
                         [&](const PathArgument& path) {
                           const auto relative = WorkspaceRelative(path.path);
                           return relative.has_value() &&
                                  (!written_only || path.access == PathAccess::kWrite) &&
                                  glob->MatchesAtOrAbove(*relative);
                         });
    });
    if (!used) {
      kept.push_back(text);
    }
  }
  return kept;
}

std::string GlobsYaml(const std::vector<std::string>& globs) {
  return YamlValue(Json(globs));
}

// What the tools of a quarantine need to be allowed at all: one, with the types that were extracted.
std::string QuarantineYaml(const std::vector<RecordedCall>& calls) {
  std::set<std::string> types;
  bool needed = false;
  for (const RecordedCall& call : calls) {
    if (call.verdict == Verdict::kDeny) {
      continue;
    }
    needed = needed || call.request.tool == kExtractTool || call.request.tool == kRevealTool ||
             call.request.tool == kEndorseTool || !call.request.withheld.empty();
    if (call.request.tool == kExtractTool) {
      types.insert(StringMember(call.request.arguments, "type"));
    }
  }
  std::vector<std::string> extract;
  for (const std::string& type : ExtractTypes()) {
    if (types.count(type) > 0) {
      extract.push_back(type);
    }
  }
  return needed ? "\ndata:\n  quarantine:\n    integrity: untrusted\n    extract: " +
                      GlobsYaml(extract) + "\n"
                : std::string();
}

std::string DocumentYaml(const std::string& name, const std::vector<RecordedCall>& calls,
                         const std::vector<LearnedRule>& rules, const std::string& limits,
                         bool reads, bool writes,
                         const std::map<std::string, std::vector<std::string>>& notes,
                         LearnedPolicy& learned) {
  const Grant base = LoadPolicy("builtin/base").value()->grant;
  const std::vector<std::string> hide = Kept(base.hide, calls, false);
  const std::vector<std::string> protect = Kept(base.protect, calls, true);
  std::string yaml =
      "# Learned from " + std::to_string(learned.calls) +
      " recorded calls: docs/policy-reference.md says how. Read it before it is used:\n"
      "# what the agent did is not always what it should do.\n"
      "nacre: policy/1\nname: " +
      YamlQuoted(name) + "\n\nworkspace:\n  mode: " +
      (writes  ? "transactional"
       : reads ? "read-only"
               : "none") +
      "\n";
  const auto globs = [&](const char* key, const std::vector<std::string>& all,
                         const std::vector<std::string>& kept) {
    if (kept.size() < all.size()) {
      learned.widened.push_back(
          std::string("workspace.") + key + ": " + std::to_string(all.size() - kept.size()) +
          " of the globs of builtin/base " + (all.size() - kept.size() == 1 ? "is" : "are") +
          " left out, which a call needed");
      yaml += "  # WIDE " + learned.widened.back() + "\n";
    }
    yaml += std::string("  ") + key + ": " + GlobsYaml(kept) + "\n";
  };
  globs("hide", base.hide, hide);
  globs("protect", base.protect, protect);
  yaml +=
      "\nsandbox:\n  profile: default  # no call tells which profile it needed: build, to run what "
      "was "
      "built here\n  require: {landlock: 1, cgroup: false, id_maps: false}\n\ntools:\n";
  for (const LearnedRule& rule : rules) {
    const auto note = notes.find("tools." + rule.id);
    yaml += RuleYaml(rule, note != notes.end() ? note->second : std::vector<std::string>());
  }
  return yaml + QuarantineYaml(calls) + limits;
}

}  // namespace

Result<LearnedPolicy> LearnPolicy(const std::string& name, const std::vector<RecordedCall>& calls,
                                  const std::vector<ToolModel>& tools,
                                  const std::vector<TurnUse>& turns) {
  LearnedPolicy learned;
  std::set<std::string> rated;
  std::vector<LearnedRule> rules;
  bool reads = false;
  bool writes = false;
  for (const ToolModel& tool : tools) {
    std::vector<const RecordedCall*> granted;
    for (const RecordedCall& call : calls) {
      if (call.request.tool == tool.name && call.verdict != Verdict::kDeny) {
        granted.push_back(&call);
      }
    }
    if (granted.empty()) {
      continue;
    }
    learned.calls += granted.size();
    reads = reads || !tool.paths.empty();
    writes = writes ||
             std::any_of(
                 tool.paths.begin(), tool.paths.end(),
                 [](const ToolModel::Path& path) { return path.access == PathAccess::kWrite; }) ||
             std::count(tool.traits.effects.begin(), tool.traits.effects.end(),
                        CallEffect::kExecute) > 0;
    if (tool.traits.HasEffect()) {
      rated.insert(tool.name);
    }
    ToolLearner(tool, std::move(granted), rules).Learn();
  }
  if (rules.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no call was allowed or asked for, so there is nothing to learn"};
  }
  std::map<std::string, std::vector<std::string>> notes;
  for (const LearnedRule& rule : rules) {
    for (const std::string& wide : rule.widened) {
      learned.widened.push_back("tools." + rule.id + " (" + rule.tool + "): " + wide);
    }
  }
  std::string limits = LimitsYaml(turns, rated);
  for (const std::string& tool : Unrated(turns, rated)) {
    learned.widened.push_back("budgets.rates: none for " + tool +
                              ": no turn that ended had a call of it");
    limits += "  # WIDE " + CommentText(learned.widened.back(), 300) + "\n";
  }
  const std::vector<std::string> widened = learned.widened;
  learned.yaml = DocumentYaml(name, calls, rules, limits, reads, writes, notes, learned);
  LoadOptions options;
  for (const ToolModel& tool : tools) {
    options.tools.emplace_back(tool.name, tool.schema);
  }
  const auto loaded = LoadPolicyText("learned.yaml", learned.yaml, options);
  if (!loaded.ok()) {
    return WithContext("the calls cannot be said in a policy", loaded.error());
  }
  for (const Risk& risk : FindRisks(*loaded.value())) {
    const std::string text = risk.name + ": " + risk.what + "; to narrow it: " + risk.advice;
    notes[risk.rule].push_back(text);
    learned.risks.push_back(risk.rule + ": " + text);
  }
  learned.rules = rules.size();
  learned.widened = widened;
  learned.yaml = DocumentYaml(name, calls, rules, limits, reads, writes, notes, learned);
  if (const auto again = LoadPolicyText("learned.yaml", learned.yaml, options); !again.ok()) {
    return WithContext("the calls cannot be said in a policy", again.error());
  }
  return learned;
}

}  // namespace nacre::policy
