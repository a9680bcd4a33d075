// "Every rule is reachable": for each rule there is a call that it decides, or about which its approvers are asked. Most are shown by a call made
// from their own conditions; only for the others the solver is asked.
#include <algorithm>
#include <optional>

#include "policy/analysis/call_encoding.h"
#include "policy/analysis/call_search.h"
#include "policy/evaluator.h"
#include "policy/internal/matcher.h"
#include "policy/internal/program.h"

namespace nacre::policy {
namespace {

constexpr size_t kCallsOfRuleMax = 64;
constexpr size_t kExamplesMax = 20;

class Reachability final {
 public:
  Reachability(const ProverInput& input, std::chrono::steady_clock::time_point deadline)
      : input_(input), policy_(*input.policy), deadline_(deadline) {
    for (const ToolModel& tool : *input.tools) {
      schemas_.emplace_back(tool.name, tool.schema);
    }
  }

  ProofAnswer Prove() {
    std::vector<const ToolRule*> open;
    for (const ToolRule& rule : policy_.tools) {
      if (TimeLeft(deadline_).count() <= 0 || !DecidesOne(rule)) {
        open.push_back(&rule);
      }
    }
    AskSolver(open);
    for (const FlowRule& flow : policy_.data.flows) {
      if (Waits(flow)) {
        ++waiting_;
      } else {
        AskFlow(flow);
      }
    }
    ProofAnswer answer;
    if (!never_.empty()) {
      answer.status = ProofStatus::kCounterExample;
      answer.what = Counted(never_.size(), "rule") + " never " +
                    (never_.size() == 1 ? "decides" : "decide") +
                    (examples_.empty() ? ""
                                       : ": of calls such as these, which meet the conditions, "
                                         "others decide");
      answer.rules = std::move(never_);
      answer.calls = std::move(examples_);
      return answer;
    }
    answer.status = unknown_.empty() ? ProofStatus::kProved : ProofStatus::kUnknown;
    answer.what = !unknown_.empty() ? "for some rules no call was found that they decide: " + why_
                                    : "each of " + Counted(policy_.tools.size(), "rule") + " and " +
                                          Counted(policy_.data.flows.size() - waiting_, "flow") +
                                          " decides a call" + Waiting();
    answer.rules = std::move(unknown_);
    return answer;
  }

 private:
  // Whether it speaks of effects alone, and of none that a tool has which the policy lets run: it is there for
  // tools to come.
  bool Waits(const FlowRule& flow) const {
    return flow.tools.empty() && !MayMeet(flow, policy_, *input_.tools);
  }

  std::string Waiting() const {
    return waiting_ == 0 ? ""
                         : "; no tool that may run does what " + Counted(waiting_, "more flow") +
                               (waiting_ == 1 ? " speaks of" : " speak of");
  }

  // Before flows, which narrow what a rule says.
  bool Decides(const ToolRule& rule, const Request& request) const {
    const ToolRule* decider = policy_.program().Ask(request).decider;
    return decider != nullptr && (decider == &rule || AsksToo(rule, request, *decider)) &&
           Evaluate(policy_, request).rule.rfind("workspace.", 0) != 0;
  }

  // Beside the decider, and as the first that asks these persons.
  bool AsksToo(const ToolRule& rule, const Request& request, const ToolRule& decider) const {
    if (decider.verdict != Verdict::kAsk) {
      return false;
    }
    const std::vector<const ToolRule*> others = policy_.program().AskingOthers(request, decider);
    const auto asks = std::find_if(others.begin(), others.end(), [&](const ToolRule* other) {
      return other->approvers == rule.approvers;
    });
    return asks != others.end() && *asks == &rule;
  }

  bool DecidesOne(const ToolRule& rule) {
    const std::vector<CandidateCall> calls = CandidateCalls({&rule}, schemas_, kCallsOfRuleMax);
    std::optional<ConfirmedCall> other;
    for (const CandidateCall& call : calls) {
      const std::optional<Request> request = input_.read(call);
      if (!request.has_value()) {
        continue;
      }
      if (Decides(rule, *request)) {
        return true;
      }
      if (!other.has_value() && ConditionsHeld(rule, *request) == rule.arguments.size()) {
        const Decision decision = Evaluate(policy_, *request);
        other = ConfirmedCall{*request, call, decision.verdict, decision.rule, decision.reason};
      }
    }
    if (other.has_value() && examples_of_.size() < kExamplesMax) {
      examples_of_.emplace_back(&rule, std::move(*other));
    }
    return false;
  }

  void Never(const std::string& rule, const ToolRule* conditions) {
    never_.push_back(rule);
    for (auto& [of, call] : examples_of_) {
      if (of == conditions) {
        examples_.push_back(std::move(call));
      }
    }
  }

  void AskSolver(const std::vector<const ToolRule*>& open) {
    std::vector<bool> decides(open.size(), false);
    std::vector<std::string> unknown(open.size());
    for (const ToolModel& tool : *input_.tools) {
      const auto speaks = [&](const ToolRule* rule) { return RuleCoversTool(*rule, tool.name); };
      if (std::none_of(open.begin(), open.end(), speaks)) {
        continue;
      }
      if (TimeLeft(deadline_).count() <= 0) {
        for (size_t i = 0; i < open.size(); ++i) {
          if (speaks(open[i]) && !decides[i]) {
            unknown[i] = tool.name + ": " + kNoTimeLeft;
          }
        }
        continue;
      }
      Solver solver;
      CallEncoding encoding(solver, tool, {&policy_}, {});
      std::vector<const ToolRule*> ranked;
      for (const ToolRule& rule : policy_.tools) {
        if (speaks(&rule)) {
          ranked.push_back(&rule);
        }
      }
      std::stable_sort(ranked.begin(), ranked.end(), [](const ToolRule* a, const ToolRule* b) {
        return a->verdict < b->verdict;
      });
      // What is refused or matched: by all rules so far, by those that are stricter, and by those that are as
      // strict, apart for each approvers, who are asked whoever else is.
      Formula all = encoding.Refused(policy_);
      Formula stricter = all;
      std::vector<std::pair<const ToolRule*, Formula>> alike;
      for (const ToolRule* rule : ranked) {
        const Formula matches = encoding.Matches(*rule);
        if (!alike.empty() && alike.front().first->verdict != rule->verdict) {
          stricter = all;
          alike.clear();
        }
        auto same = std::find_if(alike.begin(), alike.end(), [&](const auto& each) {
          return each.first->approvers == rule->approvers;
        });
        if (same == alike.end()) {
          same = alike.insert(alike.end(), {rule, stricter});
        }
        const auto asked = std::find(open.begin(), open.end(), rule);
        const auto index = static_cast<size_t>(asked - open.begin());
        if (asked != open.end() && !decides[index]) {
          CallQuestion question;
          question.wanted = {matches, solver.Not(same->second)};
          question.confirm = [&](const CandidateCall& call, const FlowFacts& /*facts*/) {
            return Confirmed(input_, call, {}, [&](const Request& request, const Decision&) {
              return Decides(*rule, request);
            });
          };
          const CallFound found = FindCall(solver, encoding, tool, question, deadline_);
          decides[index] = found.status == ProofStatus::kCounterExample;
          if (found.status == ProofStatus::kUnknown) {
            unknown[index] = found.why;
          }
        }
        same->second = solver.AnyOf({same->second, matches});
        all = solver.AnyOf({all, matches});
      }
    }
    for (size_t i = 0; i < open.size(); ++i) {
      const std::string name = "tools." + open[i]->id;
      if (decides[i]) {
        continue;
      }
      if (unknown[i].empty()) {
        Never(name, open[i]);
      } else {
        unknown_.push_back(name);
        why_ = unknown[i];
      }
    }
  }

  void AskFlow(const FlowRule& flow) {
    const std::string name = "data." + flow.id;
    std::string unknown;
    for (const ToolModel& tool : *input_.tools) {
      if (TimeLeft(deadline_).count() <= 0) {
        unknown = tool.name + ": " + kNoTimeLeft;
        break;
      }
      Solver solver;
      CallEncoding encoding(solver, tool, {&policy_}, {});
      const CallEncoding::Outcome outcome = encoding.Decided(policy_, /*flows=*/false);
      CallQuestion question;
      question.wanted = {encoding.Fits(flow), flow.verdict == Verdict::kDeny
                                                  ? encoding.Either(outcome)
                                                  : outcome.allowed};
      for (const FlowRule& other : policy_.data.flows) {
        if (other.verdict < flow.verdict || (other.verdict == flow.verdict && &other < &flow)) {
          question.wanted.push_back(solver.Not(encoding.Fits(other)));
        }
      }
      question.confirm = [&](const CandidateCall& call, const FlowFacts& facts) {
        return Confirmed(input_, call, facts, [&](const Request&, const Decision& decision) {
          return decision.rule == name;
        });
      };
      const CallFound found = FindCall(solver, encoding, tool, question, deadline_);
      if (found.status == ProofStatus::kCounterExample) {
        return;
      }
      unknown = found.status == ProofStatus::kUnknown ? found.why : unknown;
    }
    if (unknown.empty()) {
      never_.push_back(name);
    } else {
      unknown_.push_back(name);
      why_ = unknown;
    }
  }

  const ProverInput& input_;
  const Policy& policy_;
  const std::chrono::steady_clock::time_point deadline_;
  ToolSchemaList schemas_;
  size_t waiting_ = 0;  // flows
  std::vector<std::string> never_;
  std::vector<std::string> unknown_;
  std::string why_;
  std::vector<std::pair<const ToolRule*, ConfirmedCall>> examples_of_;
  std::vector<ConfirmedCall> examples_;
};

}  // namespace

ProofAnswer ProveRulesReachable(const ProverInput& input,
                                std::chrono::steady_clock::time_point deadline) {
  return Reachability(input, deadline).Prove();
}

}  // namespace nacre::policy
