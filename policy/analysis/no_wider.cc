// "B is no more permissive than A": no call is answered less strictly, and what a call gets is no more.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "policy/analysis/call_encoding.h"
#include "policy/analysis/call_search.h"
#include "policy/evaluator.h"
#include "policy/internal/document.h"
#include "policy/internal/matcher.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

// Whatever the second allows, the first does.
bool ProfileCovers(const std::string& wide, const std::string& narrow) {
  constexpr std::array<const char*, 4> kGrowing = {"pure", "default", "shell", "build"};
  const auto rank = [&](const std::string& name) {
    return std::find(kGrowing.begin(), kGrowing.end(), name) - kGrowing.begin();
  };
  if (wide == narrow) {
    return true;
  }
  if (wide == "network-client") {
    return rank(narrow) <= 1;
  }
  return rank(wide) < 4 && rank(narrow) <= rank(wide);
}

class SettingComparison final {
 public:
  SettingComparison(const Policy& before, const Policy& after, const std::vector<ToolModel>& tools)
      : before_(ToDocument(before)),
        after_(ToDocument(after)),
        flows_matter_(FlowsMatter(before, after, tools)) {
    const Grant& a = before.grant;
    const Grant& b = after.grant;
    Note("workspace.mode", b.workspace > a.workspace);
    if (b.workspace != WorkspaceMode::kNone) {
      Globs("workspace.hide", a.hide, b.hide);
    }
    if (b.workspace > WorkspaceMode::kReadOnly) {
      Globs("workspace.protect", a.protect, b.protect);
    }
    Note("workspace.commit.changes", b.commit.changes > a.commit.changes);
    Note("workspace.commit.bytes", b.commit.bytes > a.commit.bytes);
    Note("workspace.commit.executables", b.commit.executables > a.commit.executables);
    Note("workspace.commit.links", b.commit.links > a.commit.links);
    Note("sandbox.profile", !ProfileCovers(a.profile, b.profile));
    Note("sandbox.isolation", b.isolation < a.isolation);
    Note("sandbox.share_network", b.share_network && !a.share_network);
    Note("sandbox.limits.wall", b.limits.wall > a.limits.wall);
    Note("sandbox.limits.cpu", b.limits.cpu > a.limits.cpu);
    Note("sandbox.limits.memory", b.limits.memory_bytes > a.limits.memory_bytes);
    Note("sandbox.limits.tasks", b.limits.tasks > a.limits.tasks);
    Note("sandbox.limits.files", b.limits.files > a.limits.files);
    Note("sandbox.limits.output", b.limits.output_bytes > a.limits.output_bytes);
    Note("sandbox.limits.disk", b.limits.disk_bytes > a.limits.disk_bytes);
    Note("sandbox.limits.inodes", b.limits.inodes > a.limits.inodes);
    Note("sandbox.require.landlock", b.require_landlock_abi < a.require_landlock_abi);
    Note("sandbox.require.cgroup", a.require_cgroup && !b.require_cgroup);
    Note("sandbox.require.id_maps", a.require_id_maps && !b.require_id_maps);
    Note("sandbox.require.kvm", a.require_kvm && !b.require_kvm);
    Note("budgets.turn.steps", after.budgets.steps > before.budgets.steps);
    Note("budgets.turn.tool_calls", after.budgets.tool_calls > before.budgets.tool_calls);
    Note("budgets.turn.tokens", after.budgets.tokens > before.budgets.tokens);
    Note("budgets.turn.wall", after.budgets.wall > before.budgets.wall);
    Bound("budgets.turn.bytes_out", before.budgets.bytes_out, after.budgets.bytes_out);
    Bound("budgets.turn.joules", before.budgets.joules, after.budgets.joules);
    Shared("budgets.session", before.budgets.session, after.budgets.session);
    Shared("budgets.tenant_per_day", before.budgets.tenant_per_day, after.budgets.tenant_per_day);
    Rates(before.budgets.rates, after.budgets.rates);
    Persons(before, after);
    Sources(before.data, after.data);
  }

  const std::string& wider() const { return wider_; }
  const std::string& unknown() const { return unknown_; }

 private:
  void Note(const std::string& key, bool is_wider) {
    if (!is_wider) {
      return;
    }
    const OrderedJson* a = &before_;
    const OrderedJson* b = &after_;
    for (size_t from = 0; from <= key.size();) {
      const size_t dot = std::min(key.find('.', from), key.size());
      a = &a->at(key.substr(from, dot - from));
      b = &b->at(key.substr(from, dot - from));
      from = dot + 1;
    }
    Add(wider_, key + " is " + DumpJson(*b) + ", was " + DumpJson(*a));
  }

  static void Add(std::string& to, const std::string& what) {
    to += (to.empty() ? "" : "; ") + what;
  }

  void Globs(const std::string& key, const std::vector<std::string>& before,
             const std::vector<std::string>& after) {
    for (const std::string& glob : before) {
      if (std::any_of(after.begin(), after.end(), [&](const std::string& other) {
            return GlobCovers(other, GlobReach::kAbove, glob, GlobReach::kAbove);
          })) {
        continue;
      }
      const std::vector<std::string> paths = PathsOfGlob(glob);
      const auto shown = std::find_if(paths.begin(), paths.end(), [&](const std::string& path) {
        return std::none_of(after.begin(), after.end(), [&](const std::string& other) {
          const auto compiled = Glob::Compile(other);
          return !compiled.has_value() || compiled->MatchesAtOrAbove(path);
        });
      });
      if (shown != paths.end()) {
        Add(wider_, key + " does not cover " + *shown + ", of " + glob);
      } else {
        Add(unknown_, "whether " + key + " covers " + glob + " is not known");
      }
    }
  }

  void Bound(const std::string& key, const std::optional<uint64_t>& before,
             const std::optional<uint64_t>& after) {
    if (before.has_value() && (!after.has_value() || *after > *before)) {
      Add(wider_, key + " is more than " + std::to_string(*before));
    }
  }

  void Shared(const std::string& key, const SharedBudget& before, const SharedBudget& after) {
    Bound(key + ".steps", before.steps, after.steps);
    Bound(key + ".tool_calls", before.tool_calls, after.tool_calls);
    Bound(key + ".tokens", before.tokens, after.tokens);
    Bound(key + ".bytes_out", before.bytes_out, after.bytes_out);
    Bound(key + ".joules", before.joules, after.joules);
    if (before.wall.has_value() && (!after.wall.has_value() || *after.wall > *before.wall)) {
      Add(wider_, key + ".wall is more than " + FormatDuration(*before.wall));
    }
  }

  template <typename Amount>
  static bool BoundsAtMost(const std::optional<Amount>& bound, const std::optional<Amount>& most) {
    return !most.has_value() || (bound.has_value() && *bound <= *most);
  }

  void Rates(const std::vector<CallRate>& before, const std::vector<CallRate>& after) {
    for (const CallRate& rate : before) {
      if (std::none_of(after.begin(), after.end(), [&](const CallRate& other) {
            return other.tools == rate.tools && other.per == rate.per &&
                   BoundsAtMost(other.calls, rate.calls) && BoundsAtMost(other.wall, rate.wall) &&
                   BoundsAtMost(other.bytes_out, rate.bytes_out);
          })) {
        Add(unknown_, "whether another rate bounds what budgets." + rate.id + " does is not known");
      }
    }
  }

  // The rules and flows that ask, each as it is written, with those who are asked.
  static std::map<std::string, Approvers> Asking(const PolicyDocument& policy,
                                                 const OrderedJson& document) {
    std::map<std::string, Approvers> asking;
    const auto add = [&](const std::string& section, const auto& rules, const OrderedJson& within) {
      for (size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].verdict == Verdict::kAsk) {
          asking.emplace(section + DumpJson(within.at(section).at(i)), rules[i].approvers);
        }
      }
    };
    add("tools", policy.tools, document);
    add("narrow", policy.narrow, document);
    if (!policy.data.flows.empty()) {
      add("flows", policy.data.flows, document.at("data"));
    }
    // A quarantine asks whoever runs nacre where the rules allow: as it does in another policy with the same rules only.
    if (policy.data.quarantine.present) {
      asking.emplace("quarantine" + DumpJson(document.value("tools", OrderedJson())) +
                         DumpJson(document.value("narrow", OrderedJson())),
                     Approvers());
    }
    return asking;
  }

  static std::vector<Approvers> WithoutThose(const std::map<std::string, Approvers>& asking,
                                             const std::map<std::string, Approvers>& known) {
    std::vector<Approvers> persons;
    for (const auto& [rule, approvers] : asking) {
      if (known.count(rule) == 0 &&
          std::find(persons.begin(), persons.end(), approvers) == persons.end()) {
        persons.push_back(approvers);
      }
    }
    return persons;
  }

  // All rules that match a call and ask are asked for. So whoever a rule of the one asks is asked by the other as well
  // where that has the same rule. What takes the place of another rule is not looked for: whoever asks must do.
  void Persons(const PolicyDocument& before, const PolicyDocument& after) {
    const std::map<std::string, Approvers> kept = Asking(after, after_);
    const std::vector<Approvers> asked = WithoutThose(kept, {});
    for (const Approvers& then : WithoutThose(Asking(before, before_), kept)) {
      for (const Approvers& now : asked) {
        const bool among =
            now.HaveNames() == then.HaveNames() && (now.role.empty() || now.role == then.role) &&
            std::all_of(now.users.begin(), now.users.end(), [&](const auto& user) {
              return std::find(then.users.begin(), then.users.end(), user) != then.users.end();
            });
        if (!among || now.count < then.count || now.expires > then.expires) {
          Add(unknown_, "others may say yes here than there, or for longer");
          return;
        }
      }
    }
  }

  // Whether a flow of the one speaks of a call that the other may allow or ask for.
  static bool FlowsMatter(const Policy& before, const Policy& after,
                          const std::vector<ToolModel>& tools) {
    return std::any_of(before.data.flows.begin(), before.data.flows.end(),
                       [&](const FlowRule& flow) { return MayMeet(flow, after, tools); });
  }

  // Flows look at labels: where these may be cleaner, so may be the answers.
  void Sources(const DataRules& before, const DataRules& after) {
    if (before.quarantine.present && !after.quarantine.present) {
      Add(unknown_, "texts reach the context here that were withheld there");
    }
    if (!flows_matter_) {
      return;
    }
    const auto document = [](const OrderedJson& policy) {
      return policy.contains("data") ? policy.at("data").at("sources") : OrderedJson::array();
    };
    const OrderedJson then = document(before_);
    const OrderedJson now = document(after_);
    const bool kept = std::all_of(then.begin(), then.end(), [&](const OrderedJson& source) {
      return std::find(now.begin(), now.end(), source) != now.end();
    });
    const bool vouches = std::any_of(now.begin(), now.end(), [&](const OrderedJson& source) {
      return source.contains("integrity") && source.at("integrity") == "trusted" &&
             std::find(then.begin(), then.end(), source) == then.end();
    });
    if (!after.present || !kept || vouches || after.unlisted > before.unlisted) {
      Add(unknown_, "data.sources differ, so data may have other labels here than there");
    }
    // What is withheld leaves the context clean; so does what is extracted from it.
    const QuarantineRules& withheld = before.quarantine;
    const auto listed = [&](const std::string& type) {
      return std::find(withheld.extract.begin(), withheld.extract.end(), type) !=
             withheld.extract.end();
    };
    if (after.quarantine.present &&
        (!withheld.present ||
         !std::all_of(after.quarantine.extract.begin(), after.quarantine.extract.end(), listed))) {
      Add(unknown_, "data.quarantine differs, so contexts may be cleaner here than there");
    }
  }

  const OrderedJson before_;
  const OrderedJson after_;
  const bool flows_matter_;
  std::string wider_;
  std::string unknown_;
};

}  // namespace

ProofAnswer ProveNoWider(const ProverInput& input, std::chrono::steady_clock::time_point deadline) {
  ProofAnswer answer;
  if (input.against == nullptr) {
    answer.what = "there is no other policy to compare with";
    return answer;
  }
  std::string unknown;
  std::optional<ConfirmedCall> granted;  // any call at all
  const SettingComparison settings(*input.against, *input.policy, *input.tools);
  for (const ToolModel& tool : *input.tools) {
    if (TimeLeft(deadline).count() <= 0) {
      unknown += (unknown.empty() ? "" : "; ") + tool.name + ": " + kNoTimeLeft;
      break;
    }
    Solver solver;
    CallEncoding encoding(solver, tool, {input.against, input.policy}, {});
    const CallEncoding::Outcome then = encoding.Decided(*input.against, /*flows=*/true);
    const CallEncoding::Outcome now = encoding.Decided(*input.policy, /*flows=*/true);
    CallQuestion question;
    question.wanted = {
        solver.AnyOf({solver.AllOf({now.allowed, solver.Not(then.allowed)}),
                      solver.AllOf({now.asked, solver.Not(encoding.Either(then))})})};
    for (const ToolRule& rule : input.policy->tools) {
      if (rule.verdict != Verdict::kDeny && RuleCoversTool(rule, tool.name)) {
        question.hints.push_back(&rule);
      }
    }
    std::string was;
    question.confirm = [&](const CandidateCall& call, const FlowFacts& facts) {
      return Confirmed(input, call, facts, [&](const Request& request, const Decision& decision) {
        const Decision before = Evaluate(*input.against, request);
        was = std::string(VerdictName(before.verdict)) + " by " + before.rule;
        return decision.verdict > before.verdict;
      });
    };
    CallFound found = FindCall(solver, encoding, tool, question, deadline);
    if (found.status == ProofStatus::kCounterExample) {
      answer.status = ProofStatus::kCounterExample;
      answer.what = "the other policy answers this call with " + was;
      answer.calls = {std::move(*found.call)};
      return answer;
    }
    if (found.status == ProofStatus::kUnknown) {
      unknown += (unknown.empty() ? "" : "; ") + found.why;
    }
    if (!settings.wider().empty() && !granted.has_value()) {
      question.wanted = {encoding.Either(now)};
      question.confirm = [&](const CandidateCall& call, const FlowFacts& facts) {
        return Confirmed(input, call, facts, [](const Request&, const Decision& decision) {
          return decision.verdict >= Verdict::kAsk;
        });
      };
      found = FindCall(solver, encoding, tool, question, deadline);
      granted = std::move(found.call);
      if (found.status == ProofStatus::kUnknown) {
        unknown += (unknown.empty() ? "" : "; ") + found.why;
      }
    }
  }
  if (granted.has_value()) {
    answer.status = ProofStatus::kCounterExample;
    answer.what = "a call gets more, such as this one: " + settings.wider();
    answer.calls = {std::move(*granted)};
    return answer;
  }
  unknown += (unknown.empty() || settings.unknown().empty() ? "" : "; ") + settings.unknown();
  answer.status = unknown.empty() ? ProofStatus::kProved : ProofStatus::kUnknown;
  answer.what = unknown.empty() ? "each call of " + std::to_string(input.tools->size()) +
                                      " tools is answered at least as strictly as by the other "
                                      "policy, and gets no more"
                                : unknown;
  return answer;
}

}  // namespace nacre::policy
