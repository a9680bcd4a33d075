// CallEncoding: all calls of one tool, and what policies decide of them, as formulas. Every call with
// every context is one of its assignments (see place.h for the other way round), and under it the formulas
// say what Evaluate() says: tests/unit/policy/prover_test.cc holds it to that.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/analysis/place.h"
#include "policy/analysis/solver.h"
#include "policy/analysis/tool_model.h"
#include "policy/policy.h"
#include "policy/request.h"
#include "policy/witness.h"

namespace nacre::policy {

class CallEncoding final {
 public:
  // Conditions of the policies' rules for this tool, and of `queries`, can be asked about later. All must
  // outlive it. `shared_folders`: told apart in every argument, to be asked about with Under().
  CallEncoding(Solver& solver, const ToolModel& tool,
               const std::vector<const PolicyDocument*>& policies,
               const std::vector<const ToolRule*>& queries,
               const std::vector<std::string>& shared_folders = {});
  ~CallEncoding();

  // All conditions hold. Whether the rule speaks of this tool is not asked.
  Formula Matches(const ToolRule& rule);
  // The workspace's own checks refuse a path argument.
  Formula Refused(const PolicyDocument& policy);

  struct Outcome {
    Formula allowed;
    Formula asked;
  };
  // By the tool rules, the workspace, the rules of `narrow` and the quarantine; with `flows`, narrowed by these.
  Formula Either(const Outcome& outcome) { return solver_.AnyOf({outcome.allowed, outcome.asked}); }
  Formula MatchesAny(const std::vector<const ToolRule*>& rules);
  Outcome Decided(const PolicyDocument& policy, bool flows);
  // The flow rule fits the context and arguments. Of one that speaks of this tool.
  Formula Fits(const FlowRule& rule);
  // The context is at least as delicate.
  Formula AtLeast(const Label& label);

  // The argument names something in the folder; one that is shared, and an argument that some condition
  // or path speaks of.
  Formula Under(const std::string& argument, const std::string& folder);

  // After Solver::Check() said kCan: the call that was found, as near as one was found.
  CandidateCall Call() const;
  FlowFacts Facts() const;
  // Some argument is of another class than in the call that was found.
  Formula Differs();
  // What makes it this call. For tests of the encoding.
  std::vector<Formula> Pinned(const Request& request);

 private:
  // A list: itself, its first elements by their places, and as many others as there are conditions on
  // elements in general, which is enough to make each of these true or false for a reason of its own.
  struct List {
    static constexpr size_t kWildcardsMax = 16;

    Place* self = nullptr;
    Number length;
    size_t indexed = 0;  // elements that conditions name by their places
    std::vector<const ArgumentMatcher*> conditions;
    std::set<std::string> wildcards;  // conditions on all or some elements, by their meanings
    std::vector<Place*> elements;
    std::vector<std::unique_ptr<Place>> others;

    bool exact() const { return wildcards.size() <= kWildcardsMax; }
  };
  struct Wanted {
    std::vector<PathStep> steps;
    std::vector<const ArgumentMatcher*> conditions;
  };

  void Collect(const ToolRule& rule);
  void MakePlaces(const std::vector<std::string>& folders);
  void MakeList(const std::string& path, List& list);
  void Tie(List& list);
  void MakeContext(const std::vector<const PolicyDocument*>& policies);
  std::unique_ptr<Place> MakePlace(const std::vector<const ArgumentMatcher*>& conditions,
                                   bool is_path, const std::vector<PathStep>& steps,
                                   const std::vector<std::string>& folders);
  std::map<Verdict, std::vector<Formula>> ByVerdict(const std::vector<ToolRule>& rules);
  Outcome Narrowed(const Outcome& outcome, std::map<Verdict, std::vector<Formula>> by);
  Formula Holds(const ArgumentMatcher& matcher);
  Formula HoldsOfElements(List& list, const ArgumentMatcher& matcher);
  Formula Open(const ArgumentMatcher& matcher);
  Formula OriginOf(ArgumentRole role, Origin origin);

  Solver& solver_;
  const ToolModel& tool_;
  const std::vector<std::string> shared_folders_;
  // What each policy's quarantine adds to its `narrow`.
  std::map<const PolicyDocument*, std::vector<ToolRule>> quarantines_;
  std::map<std::string, Wanted> wanted_;  // by path, without wildcards
  std::map<std::string, std::unique_ptr<Place>> places_;
  std::map<std::string, std::unique_ptr<List>> lists_;  // by the list's path
  std::map<std::string, Formula> free_;                 // conditions that can be either
  Formula untrusted_;
  bool derived_is_read_ = true;  // what is derived was made from a context that is not trusted
  Number confidentiality_;
  std::map<std::string, Formula> categories_;
  std::map<std::pair<ArgumentRole, Origin>, Formula> origins_;
};

}  // namespace nacre::policy
