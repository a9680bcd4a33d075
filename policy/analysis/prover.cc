#include "policy/analysis/prover.h"

#include <algorithm>
#include <set>

#include "policy/analysis/call_encoding.h"
#include "policy/analysis/call_search.h"
#include "policy/analysis/solver.h"
#include "policy/evaluator.h"
#include "policy/internal/matcher.h"
#include "policy/internal/program.h"
#include "policy/internal/sandbox_path.h"
#include "policy/path_glob.h"
#include "policy/policy_loader.h"

namespace nacre::policy {
namespace {

using Clock = std::chrono::steady_clock;

bool IsSink(const ToolModel& tool) {
  return std::any_of(tool.traits.effects.begin(), tool.traits.effects.end(), [](CallEffect effect) {
    return effect == CallEffect::kFetch || effect == CallEffect::kSend ||
           effect == CallEffect::kPay;
  });
}

// Asks the same of several tools: a counter-example ends it, and one that is not known makes the
// whole unknown.
class OverTools final {
 public:
  explicit OverTools(const ProverInput& input, Clock::time_point deadline)
      : input_(input), deadline_(deadline) {}

  using MakeQuestion = std::function<CallQuestion(CallEncoding&, const ToolModel&)>;

  // False when the tool need not, or cannot any more, be encoded, which of a large policy takes a while.
  bool Begin(const ToolModel& tool) {
    ++asked_;
    if (!CouldAllow(*input_.policy, tool.name)) {
      return false;
    }
    if (TimeLeft(deadline_).count() <= 0) {
      Unknown(tool.name + ": " + kNoTimeLeft);
      return false;
    }
    return true;
  }

  // False when a call was found.
  bool Ask(const ToolModel& tool, const std::vector<const ToolRule*>& queries,
           const MakeQuestion& make) {
    if (!Begin(tool)) {
      return true;
    }
    Solver solver;
    CallEncoding encoding(solver, tool, {input_.policy}, queries);
    return Ask(solver, encoding, tool, make(encoding, tool));
  }

  // The same of a tool that was encoded before.
  bool Ask(Solver& solver, CallEncoding& encoding, const ToolModel& tool,
           const CallQuestion& question) {
    CallFound found = FindCall(solver, encoding, tool, question, deadline_);
    if (found.status == ProofStatus::kCounterExample) {
      answer_.status = ProofStatus::kCounterExample;
      answer_.calls.push_back(std::move(*found.call));
      return false;
    }
    if (found.status == ProofStatus::kUnknown) {
      Unknown(found.why);
    }
    return true;
  }

  size_t asked() const { return asked_; }
  ProofAnswer Answer(const std::string& proved) {
    if (answer_.status != ProofStatus::kCounterExample) {
      answer_.status = why_unknown_.empty() ? ProofStatus::kProved : ProofStatus::kUnknown;
      answer_.what = why_unknown_.empty() ? proved : why_unknown_;
    }
    return std::move(answer_);
  }
  ProofAnswer& answer() { return answer_; }

 private:
  void Unknown(const std::string& why) { why_unknown_ += (why_unknown_.empty() ? "" : "; ") + why; }

  const ProverInput& input_;
  const Clock::time_point deadline_;
  size_t asked_ = 0;
  std::string why_unknown_;
  ProofAnswer answer_;
};

// Rules that allow or ask for the tool: what a call can be made from.
std::vector<const ToolRule*> GrantingRules(const Policy& policy, const std::string& tool) {
  std::vector<const ToolRule*> rules;
  for (const ToolRule& rule : policy.tools) {
    if (rule.verdict != Verdict::kDeny && RuleCoversTool(rule, tool)) {
      rules.push_back(&rule);
    }
  }
  return rules;
}

ProofAnswer ProveNothingLets(const ProverInput& input, const ProofQuery& query,
                             Clock::time_point deadline) {
  OverTools over(input, deadline);
  for (const ToolModel& tool : *input.tools) {
    if (!RuleCoversTool(query.lets, tool.name)) {
      continue;
    }
    const auto make = [&](CallEncoding& encoding, const ToolModel& asked) {
      const CallEncoding::Outcome outcome = encoding.Decided(*input.policy, /*flows=*/true);
      CallQuestion question;
      question.wanted = {encoding.Matches(query.lets), encoding.AtLeast(query.when),
                         outcome.allowed};
      if (!query.without_person) {
        // Whoever is asked may say yes.
        question.wanted[2] = encoding.Either(outcome);
      }
      question.hints = GrantingRules(*input.policy, asked.name);
      question.hints.insert(question.hints.begin(), &query.lets);
      question.confirm = [&](const CandidateCall& call, const FlowFacts& facts) {
        return Confirmed(input, call, facts, [&](const Request& request, const Decision& decision) {
          return ConditionsHeld(query.lets, request) == query.lets.arguments.size() &&
                 Covers(request.flow.context, query.when) &&
                 decision.verdict >= (query.without_person ? Verdict::kAllow : Verdict::kAsk);
        });
      };
      return question;
    };
    if (!over.Ask(tool, {&query.lets}, make)) {
      over.answer().what =
          "this call is " + std::string(over.answer().calls[0].verdict == Verdict::kAllow
                                            ? "allowed"
                                            : "asked for, and a person may say yes");
      break;
    }
  }
  return over.Answer(over.asked() == 0
                         ? "there is no such tool"
                         : "no call of " + Counted(over.asked(), "tool") + " is such");
}

ProofAnswer ProveNoFlow(const ProverInput& input, const ProofQuery& query,
                        Clock::time_point deadline) {
  OverTools over(input, deadline);
  const Label least = {
      .integrity = Integrity::kTrusted, .confidentiality = query.confidentiality, .categories = {}};
  const std::string level = ConfidentialityName(query.confidentiality);
  for (const ToolModel& tool : *input.tools) {
    if (!IsSink(tool)) {
      continue;
    }
    const auto make = [&](CallEncoding& encoding, const ToolModel& asked) {
      CallQuestion question;
      question.wanted = {encoding.AtLeast(least),
                         encoding.Decided(*input.policy, /*flows=*/true).allowed};
      question.hints = GrantingRules(*input.policy, asked.name);
      question.confirm = [&](const CandidateCall& call, const FlowFacts& facts) {
        return Confirmed(input, call, facts, [&](const Request& request, const Decision& decision) {
          return Covers(request.flow.context, least) && decision.verdict == Verdict::kAllow;
        });
      };
      return question;
    };
    if (!over.Ask(tool, {}, make)) {
      const bool labelled =
          std::any_of(input.policy->data.sources.begin(), input.policy->data.sources.end(),
                      [&](const DataSource& source) {
                        return source.confidentiality >= query.confidentiality;
                      });
      over.answer().what = "a context that is " + level + " does not stop this call" +
                           (labelled ? "" : "; no source in data.sources says " + level);
      break;
    }
  }
  return over.Answer(
      over.asked() == 0
          ? "none of " + Counted(input.tools->size(), "tool") + " fetches, sends or pays"
          : "no call of " + Counted(over.asked(), "tool") +
                " that fetches, sends or pays is allowed in a context that is " + level +
                (query.confidentiality == Confidentiality::kSecret ? "" : " or more"));
}

ToolRule RuleOfGlob(const std::string& tool, const std::string& argument, const std::string& glob) {
  ArgumentMatcher matcher;
  matcher.path = argument;
  matcher.steps = *ParseArgumentPath(argument);
  matcher.kind = ArgumentMatcher::Kind::kGlob;
  matcher.text = glob;
  matcher.glob = std::make_shared<const Glob>(*Glob::Compile(glob));
  ToolRule rule;
  rule.tools = {tool};
  rule.arguments = {std::move(matcher)};
  rule.verdict = Verdict::kAsk;
  return rule;
}

// What builtin/base hides is what a credential is here. Those globs of it that this policy's own globs do
// not cover; `example` is a file that is not hidden, or empty when none was found.
struct OpenCredential {
  std::string glob;
  std::string example;
};

std::vector<OpenCredential> OpenCredentials(const ProverInput& input, Clock::time_point deadline,
                                            std::string& why_unknown) {
  const auto base = LoadPolicy("builtin/base");
  const ToolModel file = {.name = "file", .schema = {}, .paths = {{"path", PathAccess::kRead}}};
  std::vector<OpenCredential> open;
  for (const std::string& glob : base.value()->grant.hide) {
    if (TimeLeft(deadline).count() <= 0) {
      why_unknown = kNoTimeLeft;
      return open;
    }
    const ToolRule credential = RuleOfGlob("file", "path", glob);
    Solver solver;
    CallEncoding encoding(solver, file, {input.policy}, {&credential});
    const std::vector<Formula> wanted = {encoding.Matches(credential),
                                         solver.Not(encoding.Refused(*input.policy))};
    const Solver::Answer answer = solver.Check(wanted, TimeLeft(deadline));
    if (answer == Solver::Answer::kCannot) {
      continue;
    }
    if (answer == Solver::Answer::kUnknown) {
      why_unknown = "the solver stopped: " + solver.why_unknown();
      return open;
    }
    std::vector<std::string> paths = PathsOfGlob(glob);
    if (const auto relative = WorkspaceRelative(StringMember(encoding.Call().arguments, "path"))) {
      paths.push_back(*relative);
    }
    const auto seen = std::find_if(paths.begin(), paths.end(), [&](const std::string& path) {
      return GlobMatches(glob, path) && !input.policy->program().Hiding(path).has_value();
    });
    open.push_back({glob, seen == paths.end() ? "" : *seen});
  }
  return open;
}

ProofAnswer ProveNoCredential(const ProverInput& input, const ProofQuery& query,
                              Clock::time_point deadline) {
  ProofAnswer answer;
  if (std::none_of(input.tools->begin(), input.tools->end(),
                   [&](const ToolModel& tool) { return ToolCovers(query.tool, tool.name); })) {
    answer.what = "there is no tool \"" + query.tool + "\"";
    return answer;
  }
  if (input.policy->grant.workspace == WorkspaceMode::kNone) {
    return {.status = ProofStatus::kProved, .what = "no call sees the workspace"};
  }
  const std::vector<OpenCredential> open = OpenCredentials(input, deadline, answer.what);
  if (!answer.what.empty()) {
    return answer;
  }
  if (open.empty()) {
    return {.status = ProofStatus::kProved,
            .what = "workspace.hide covers every kind of credential, so no call sees one"};
  }
  OverTools over(input, deadline);
  std::string in_doubt;
  for (const ToolModel& tool : *input.tools) {
    if (!ToolCovers(query.tool, tool.name)) {
      continue;
    }
    // Whoever names no file has all that its sandbox shows within reach.
    std::vector<ToolRule> named;
    for (const ToolModel::Path& path : tool.paths) {
      for (const OpenCredential& credential : open) {
        named.push_back(RuleOfGlob(tool.name, MemberPath("", path.key), credential.glob));
      }
    }
    std::vector<const ToolRule*> queries;
    for (const ToolRule& rule : named) {
      queries.push_back(&rule);
    }
    if (!over.Begin(tool)) {
      continue;
    }
    Solver solver;
    CallEncoding encoding(solver, tool, {input.policy}, queries);
    solver.Require(encoding.Either(encoding.Decided(*input.policy, /*flows=*/true)));
    const auto ask = [&](bool by_name) {
      CallQuestion question;
      question.hints = GrantingRules(*input.policy, tool.name);
      if (by_name) {
        question.wanted = {encoding.MatchesAny(queries)};
        question.hints.insert(question.hints.begin(), queries.begin(), queries.end());
      }
      question.confirm = [&, by_name](const CandidateCall& call, const FlowFacts& facts) {
        return Confirmed(input, call, facts, [&](const Request& request, const Decision& decision) {
          return decision.verdict >= Verdict::kAsk &&
                 (!by_name ||
                  std::any_of(queries.begin(), queries.end(), [&](const ToolRule* rule) {
                    return ConditionsHeld(*rule, request) == rule->arguments.size();
                  }));
        });
      };
      return over.Ask(solver, encoding, tool, question);
    };
    const bool by_name = !queries.empty();
    if (!ask(by_name)) {
      const auto seen = std::find_if(
          open.begin(), open.end(),
          [](const OpenCredential& credential) { return !credential.example.empty(); });
      ProofAnswer& found = over.answer();
      if (!by_name && seen == open.end()) {
        found = {.what = "whether workspace.hide covers " + open[0].glob + " is not known"};
        return std::move(found);
      }
      found.what = by_name ? "this call names a credential that workspace.hide does not hide"
                           : "the sandbox of this call shows " + seen->example +
                                 ", which workspace.hide does not hide";
      break;
    }
    if (by_name) {
      // None names one. It may name a folder that holds one, were there any call at all.
      if (!ask(false)) {
        over.answer() = {};
        in_doubt +=
            (in_doubt.empty() ? "" : "; ") + tool.name +
            ": no call names a credential, but one may name a folder in which there is one (" +
            open[0].glob + " is not hidden)";
      }
    }
  }
  answer = over.Answer("no call is allowed or asked for that could reach one");
  if (answer.status == ProofStatus::kProved && !in_doubt.empty()) {
    answer.status = ProofStatus::kUnknown;
    answer.what = in_doubt;
  }
  return answer;
}

// A path argument whose name no condition can have, as it is too long. What refuses its values is in no formula. Empty:
// there is none.
std::string PathWithoutName(const ToolModel& tool) {
  for (const ToolModel::Path& path : tool.paths) {
    const auto steps = ParseArgumentPath(MemberPath("", path.key));
    if (!steps.has_value() || steps->front().name != path.key) {
      return path.key;
    }
  }
  return {};
}

bool Concerns(const ProofQuery& query, const std::string& tool) {
  return query.kind == ProofQuery::Kind::kNothingLets    ? RuleCoversTool(query.lets, tool)
         : query.kind == ProofQuery::Kind::kNoCredential ? ToolCovers(query.tool, tool)
                                                         : true;
}

ProofAnswer Asked(const ProverInput& input, const ProofQuery& query, Clock::time_point deadline) {
  switch (query.kind) {
    case ProofQuery::Kind::kNothingLets:
      return ProveNothingLets(input, query, deadline);
    case ProofQuery::Kind::kNoFlow:
      return ProveNoFlow(input, query, deadline);
    case ProofQuery::Kind::kNoWriteExecute:
      return ProveNoWriteExecute(input, deadline);
    case ProofQuery::Kind::kNoCredential:
      return ProveNoCredential(input, query, deadline);
    case ProofQuery::Kind::kNoWider:
      return ProveNoWider(input, deadline);
    case ProofQuery::Kind::kRulesReachable:
      return ProveRulesReachable(input, deadline);
  }
  return {};
}

}  // namespace

const char* ProofStatusName(ProofStatus status) {
  return status == ProofStatus::kProved           ? "proved"
         : status == ProofStatus::kCounterExample ? "counter-example"
                                                  : "unknown";
}

ProofAnswer Prove(const ProverInput& input, const ProofQuery& query) {
  const Clock::time_point began = Clock::now();
  ProofAnswer answer;
  try {
    // Tools that cannot be put into formulas are left out, so with one of them nothing is proved. That a
    // rule decides nothing is shown by all tools together.
    std::vector<ToolModel> tools;
    std::string left_out;
    for (const ToolModel& tool : *input.tools) {
      const std::string path = PathWithoutName(tool);
      if (path.empty()) {
        tools.push_back(tool);
      } else if (Concerns(query, tool.name)) {
        left_out = tool.name + ": no condition can name its path argument \"" + path + "\"";
      }
    }
    ProverInput asked = input;
    asked.tools = &tools;
    if (left_out.empty() || query.kind != ProofQuery::Kind::kRulesReachable) {
      answer = Asked(asked, query, began + input.timeout);
    }
    if (!left_out.empty() && answer.status != ProofStatus::kCounterExample) {
      answer = {.what = left_out};
    }
  } catch (const std::exception& error) {
    answer = {.what = error.what()};  // the solver's memory, at most
  }
  answer.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  return answer;
}

}  // namespace nacre::policy
