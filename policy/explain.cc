#include "policy/explain.h"

#include <algorithm>
#include <utility>

#include "base/units.h"
#include "policy/evaluator.h"
#include "policy/internal/flow_match.h"
#include "policy/internal/followed_requests.h"
#include "policy/internal/matcher.h"
#include "policy/rate.h"

namespace nacre::policy {
namespace {

class Explainer final {
 public:
  explicit Explainer(const Request& request)
      : request_(request), followed_(FollowedRequests(request)) {}

  void AddCheck(const Decision& decision) {
    Add({.rule = decision.rule,
         .reason = decision.reason,
         .verdict = decision.verdict,
         .matched = true,
         .missing = {},
         .followed = {},
         .source = decision.source});
  }

  void AddRules(const std::vector<ToolRule>& rules) {
    for (const ToolRule& rule : rules) {
      if (!RuleCoversTool(rule, request_.tool)) {
        ++explanation_.rules_for_other_tools;
        continue;
      }
      const size_t held = ConditionsHeld(rule, request_);
      const FollowedRequest* followed = nullptr;
      if (held < rule.arguments.size()) {
        const auto found = std::find_if(followed_.begin(), followed_.end(), [&](const auto& each) {
          return ConditionsHeld(rule, each.request) == rule.arguments.size();
        });
        followed = found == followed_.end() ? nullptr : &*found;
      }
      const size_t left = followed != nullptr ? 0 : rule.arguments.size() - held;
      Add({.rule = rule.Name(),
           .reason = rule.reason,
           .verdict = rule.verdict,
           .matched = left == 0,
           .missing = left == 0 ? "" : DescribeFailure(rule.arguments[held], request_),
           .followed = followed == nullptr ? std::vector<std::string>() : followed->led,
           .source = rule.source,
           .left = left});
    }
  }

  void AddFlows(const std::vector<FlowRule>& flows) {
    for (const FlowRule& flow : flows) {
      if (!FlowCovers(flow, request_.tool, request_.flow)) {
        ++explanation_.rules_for_other_tools;
        continue;
      }
      const std::optional<std::string> missing = FlowMissing(flow, request_.flow);
      Add({.rule = "data." + flow.id,
           .reason = flow.reason,
           .verdict = flow.verdict,
           .matched = !missing.has_value(),
           .missing = missing.value_or(""),
           .followed = {},
           .source = flow.source,
           .left = missing.has_value() ? size_t{1} : 0});
    }
  }

  void AddRates(const std::vector<CallRate>& rates) {
    for (const CallRate& rate : rates) {
      if (!RateCovers(rate, request_.tool)) {
        ++explanation_.rules_for_other_tools;
        continue;
      }
      const bool used_up = RateUsedUp(rate, request_, {}).has_value();
      Add({.rule = "budgets." + rate.id,
           .reason = rate.reason,
           .verdict = Verdict::kDeny,
           .matched = used_up,
           .missing = used_up ? ""
                              : "denies once calls in this " + std::string(PerName(rate.per)) +
                                    " have used up " + BoundsOf(rate) +
                                    "; what they have used is not looked at here",
           .followed = {},
           .source = rate.source,
           .left = used_up ? size_t{0} : 1});
    }
  }

  Explanation Take() {
    std::stable_sort(missed_.begin(), missed_.end(),
                     [](const RuleTrace& a, const RuleTrace& b) { return a.left < b.left; });
    explanation_.not_shown = missed_.size() - std::min(missed_.size(), kExplainedMax);
    missed_.resize(missed_.size() - explanation_.not_shown);
    std::move(missed_.begin(), missed_.end(), std::back_inserter(explanation_.considered));
    return std::move(explanation_);
  }

 private:
  // "2 runs or 10m or 1000 bytes out"
  static std::string BoundsOf(const CallRate& rate) {
    std::string bounds;
    const auto add = [&](const std::string& bound) {
      bounds += (bounds.empty() ? "" : " or ") + bound;
    };
    if (rate.calls.has_value()) {
      add(std::to_string(*rate.calls) + " runs");
    }
    if (rate.wall.has_value()) {
      add(FormatDuration(*rate.wall));
    }
    if (rate.bytes_out.has_value()) {
      add(std::to_string(*rate.bytes_out) + " bytes out");
    }
    return bounds;
  }

  void Add(RuleTrace trace) {
    (trace.matched ? explanation_.considered : missed_).push_back(std::move(trace));
  }

  const Request& request_;
  const std::vector<FollowedRequest> followed_;
  Explanation explanation_;
  std::vector<RuleTrace> missed_;
};

}  // namespace

Explanation Explain(const Policy& policy, const Request& request) {
  Decision decision = Evaluate(policy, request);
  Explainer explainer(request);
  if (decision.rule.rfind("workspace.", 0) == 0) {
    explainer.AddCheck(decision);
  }
  explainer.AddRules(policy.tools);
  explainer.AddRules(policy.narrow);
  explainer.AddFlows(policy.data.flows);
  explainer.AddRates(policy.budgets.rates);
  NarrowByRate(policy.budgets, request, {}, decision);
  Explanation explanation = explainer.Take();
  explanation.decision = std::move(decision);
  return explanation;
}

}  // namespace nacre::policy
