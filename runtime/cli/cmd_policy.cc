// nacre policy check|explain|test: is this document valid, and what does it decide?
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <variant>

#include "base/file.h"
#include "base/units.h"
#include "memory/session_store.h"
#include "policy/analysis/prover.h"
#include "policy/analysis/query.h"
#include "policy/case_table.h"
#include "policy/evaluator.h"
#include "policy/explain.h"
#include "policy/lint.h"
#include "policy/policy_loader.h"
#include "runtime/agent/approver.h"
#include "runtime/agent/flow_traits.h"
#include "runtime/agent/followed_path.h"
#include "runtime/agent/tool_call.h"
#include "runtime/cli/command.h"
#include "runtime/cli/policy_commands.h"
#include "runtime/cli/recorded_calls.h"
#include "runtime/cli/terminal.h"
#include "runtime/cli/tool_models.h"

namespace nacre::cli {
namespace {

struct CheckOptions {
  std::string policy;
  bool effective = false;
  bool strict = false;  // a risk is a failure
};

// The tool rules of the file itself that no call of the tools there are could reach: what a layer below says may well be
// narrowed to nothing. Only of small policies, where that is known at once; what is not known is not named.
std::vector<policy::Risk> NeverDeciding(const policy::Policy& policy,
                                        const tools::Registry& registry,
                                        const std::string& workspace) {
  constexpr size_t kRulesMax = 500;
  constexpr std::chrono::milliseconds kTimeout{2'000};
  std::vector<policy::Risk> risks;
  if (policy.tools.size() > kRulesMax) {
    return risks;
  }
  const std::vector<policy::ToolModel> models = ModelsOf(registry);
  policy::ProverInput input{
      .policy = &policy,
      .tools = &models,
      .read =
          [&](const policy::CandidateCall& call) { return ReadCall(call, registry, workspace); },
      .timeout = kTimeout};
  const policy::ProofAnswer answer =
      policy::Prove(input, policy::ParseBuiltInQuery("rules-reachable").value());
  if (answer.status != policy::ProofStatus::kCounterExample) {
    return risks;
  }
  for (const policy::ToolRule& rule : policy.tools) {
    if (rule.source.file == policy.layers.front() &&
        std::find(answer.rules.begin(), answer.rules.end(), rule.Name()) != answer.rules.end()) {
      risks.push_back(
          {"never-decides", rule.Name(), rule.source,
           "it decides no call: its conditions exclude each other, or the workspace's mode or "
           "other "
           "rules answer every such call",
           "mend it or leave it out; nacre policy prove --query rules-reachable shows more"});
    }
  }
  return risks;
}

// "protect: a.yaml; hide: .nacre-state/**": what the host adds to a policy as it was loaded.
std::string AddedByHost(const policy::Policy& loaded, const policy::Policy& in_force) {
  std::string added;
  const auto add = [&added](const char* key, const std::vector<std::string>& before,
                            const std::vector<std::string>& after) {
    for (size_t i = before.size(); i < after.size(); ++i) {
      added += (i > before.size() ? ", " : (added.empty() ? "" : "; ") + std::string(key) + ": ") +
               after[i];
    }
  };
  add("protect", loaded.grant.protect, in_force.grant.protect);
  add("hide", loaded.grant.hide, in_force.grant.hide);
  return added;
}

int Check(Globals& globals, const CheckOptions& options) {
  const std::string& file = options.policy;
  const bool effective = options.effective;
  App app(globals.app);
  Result<std::string> workspace = app.Workspace();
  if (!workspace.ok()) {
    return Fail(globals, workspace.error());
  }
  const Result<std::shared_ptr<const policy::Policy>> loaded = app.LoadedPolicy(file);
  if (!loaded.ok()) {
    return Fail(globals, loaded.error(), kExitFailed);
  }
  const Result<std::shared_ptr<const policy::Policy>> in_force =
      app.PolicyFor(*loaded.value(), file, workspace.value());
  if (!in_force.ok()) {
    return Fail(globals, in_force.error(), kExitFailed);
  }
  const policy::Policy& policy = *in_force.value();
  const std::string added = AddedByHost(*loaded.value(), policy);
  std::vector<policy::Risk> risks = policy::FindRisks(policy);
  const Result<const tools::Registry*> registry = app.Tools();
  if (!registry.ok()) {
    return Fail(globals, registry.error());
  }
  for (policy::Risk& risk : NeverDeciding(policy, *registry.value(), workspace.value())) {
    risks.push_back(std::move(risk));
  }
  const int exit_code = options.strict && !risks.empty() ? kExitFailed : kExitOk;
  if (globals.json) {
    OrderedJson named = OrderedJson::array();
    for (const policy::Risk& risk : risks) {
      named.push_back({{"name", risk.name},
                       {"rule", risk.rule},
                       {"source", policy::ToText(risk.source)},
                       {"what", risk.what},
                       {"advice", risk.advice}});
    }
    OrderedJson json = {{"valid", true},
                        {"name", policy.name},
                        {"layers", policy.layers},
                        {"digest", policy.digest},
                        {"tool_rules", policy.tools.size()},
                        {"narrow_rules", policy.narrow.size()},
                        {"data_sources", policy.data.sources.size()},
                        {"data_flows", policy.data.flows.size()},
                        {"workspace", policy::WorkspaceModeName(policy.grant.workspace)},
                        {"risks", std::move(named)}};
    if (effective) {
      json["effective"] = policy::ToYaml(*loaded.value());
      json["added_by_host"] = added;
    }
    PrintJson(json);
    return exit_code;
  }
  if (effective) {
    if (!added.empty()) {
      std::printf("# nacre adds in this workspace: %s\n", SafeLine(added, 400).c_str());
    }
    std::fputs(policy::ToYaml(*loaded.value()).c_str(), stdout);
    return exit_code;
  }
  std::string layers;
  for (const std::string& layer : policy.layers) {
    layers += (layers.empty() ? "" : " <- ") + layer;
  }
  std::printf("%s is valid\n  layers     %s\n  rules      %zu for tools\n",
              SafeLine(file, 200).c_str(), SafeLine(layers, 400).c_str(), policy.tools.size());
  if (!policy.narrow.empty()) {
    std::printf("  narrow     %zu rules that ask or deny\n", policy.narrow.size());
  }
  if (policy.data.present) {
    std::printf("  data       %zu sources, %zu flows\n", policy.data.sources.size(),
                policy.data.flows.size());
  }
  std::printf("  workspace  %s\n  digest     %s\n",
              policy::WorkspaceModeName(policy.grant.workspace), policy.digest.c_str());
  const Terminal terminal(1);
  for (const policy::Risk& risk : risks) {
    const std::string place = policy::ToText(risk.source);
    std::printf("\n%s %s: %s%s\n  %s\n  to narrow it: %s\n",
                terminal.Paint(Style::kYellow, "risk").c_str(), risk.name.c_str(),
                SafeLine(risk.rule, 80).c_str(),
                place.empty() ? "" : ("  " + SafeLine(place, 120)).c_str(),
                SafeLine(risk.what, 300).c_str(), SafeLine(risk.advice, 300).c_str());
  }
  return exit_code;
}

void PrintExplanation(const policy::Explanation& explanation) {
  const Terminal terminal(1);
  const policy::Decision& decision = explanation.decision;
  const std::string verdict = policy::VerdictName(decision.verdict);
  const std::string source = policy::ToText(decision.source);
  std::printf("%s  rule %s%s\n  %s\n", terminal.Paint(StyleOf(verdict), verdict).c_str(),
              SafeLine(decision.rule, 80).c_str(),
              source.empty() ? "" : ("  " + SafeLine(source, 120)).c_str(),
              SafeLine(decision.reason, 300).c_str());
  if (!decision.approvers.empty()) {
    const auto first = std::min_element(
        decision.approvers.begin(), decision.approvers.end(),
        [](const auto& one, const auto& other) { return one.expires < other.expires; });
    std::printf("  asked: %s, for %s\n",
                SafeLine(agent::DescribeApprovers(decision.approvers), 300).c_str(),
                FormatDuration(first->expires).c_str());
  }
  if (!explanation.considered.empty()) {
    std::printf("\nrules that speak of this tool:\n");
  }
  for (const policy::RuleTrace& trace : explanation.considered) {
    std::printf("  %-8s %-6s %s  %s\n           %s\n", trace.matched ? "matches" : "no match",
                policy::VerdictName(trace.verdict), SafeLine(trace.rule, 80).c_str(),
                SafeLine(policy::ToText(trace.source), 120).c_str(),
                SafeLine(trace.matched ? trace.reason : trace.missing, 300).c_str());
    for (const std::string& link : trace.followed) {
      std::printf("           as followed: %s\n", SafeLine(link, 300).c_str());
    }
  }
  if (explanation.not_shown > 0) {
    std::printf("  and %zu more that do not match\n", explanation.not_shown);
  }
  std::printf("\n%zu rules speak of other tools\n", explanation.rules_for_other_tools);
}

OrderedJson ToJson(const policy::Explanation& explanation) {
  OrderedJson considered = OrderedJson::array();
  for (const policy::RuleTrace& trace : explanation.considered) {
    considered.push_back({{"rule", trace.rule},
                          {"verdict", policy::VerdictName(trace.verdict)},
                          {"matched", trace.matched},
                          {"reason", trace.reason},
                          {"missing", trace.missing},
                          {"followed", trace.followed},
                          {"source", policy::ToText(trace.source)}});
  }
  const policy::Decision& decision = explanation.decision;
  OrderedJson approvers = OrderedJson::array();
  for (const policy::Approvers& each : decision.approvers) {
    approvers.push_back({{"users", each.users},
                         {"role", each.role},
                         {"count", each.count},
                         {"expires_ms", each.expires.count()}});
  }
  return {{"verdict", policy::VerdictName(decision.verdict)},
          {"rule", decision.rule},
          {"reason", decision.reason},
          {"source", policy::ToText(decision.source)},
          {"approvers", std::move(approvers)},
          {"considered", std::move(considered)},
          {"not_shown", explanation.not_shown},
          {"rules_for_other_tools", explanation.rules_for_other_tools}};
}

struct ExplainOptions {
  std::string tool;
  std::string arguments = "{}";
  std::string call;           // a recorded one, instead of both
  bool policy_given = false;  // else a recorded call is judged by its session's
  std::string label;          // of the context; empty: what is known of its data is left out
  std::vector<std::string> origins;
};

// What is to be judged, and where.
struct Question {
  std::string tool;
  std::string arguments;
  std::string policy;
  std::string workspace;
  std::optional<memory::CallRecord> recorded;
  std::string recorded_digest;  // of the policy that judged it then
  std::optional<Json> record;   // of the log, of the decision then
};

// In which context an explained call is judged.
struct ExplainedIn {
  policy::GivenContext context;
  std::string from;  // "given", "recorded", "none"
  std::string note;  // what of it is not known, for people
};

Result<ExplainedIn> ContextFor(const Question& asked, const ExplainOptions& options) {
  ExplainedIn in{.context = NACRE_TRY(policy::ReadGivenContext(options.label, options.origins)),
                 .from = "given",
                 .note = {}};
  if (in.context.given) {
    return in;
  }
  in.from = "none";
  if (asked.record.has_value()) {
    JudgedIn then = ContextOf(*asked.record);
    if (!then.origins && then.context.label == policy::Label::Clean()) {
      in.note = "the call was judged without labels, so nothing is known of its context";
      return in;
    }
    in.context = std::move(then.context);
    in.from = "recorded";
    in.note = then.origins ? "" : "the record has not who named its arguments";
  } else if (asked.recorded.has_value()) {
    in.note = "the log has no record of the call any more, so nothing is known of its context";
  }
  return in;
}

OrderedJson ToJson(const ExplainedIn& in) {
  OrderedJson origins = OrderedJson::array();
  for (const policy::ArgumentOrigin& origin : in.context.origins) {
    origins.push_back(std::string(policy::ArgumentRoleName(origin.role)) + '=' +
                      policy::OriginName(origin.origin));
  }
  return {{"from", in.from},
          {"labels", policy::LabelTexts(in.context.label)},
          {"origins", std::move(origins)},
          {"note", in.note}};
}

void Print(const ExplainedIn& in) {
  if (in.context.given) {
    const std::string label = policy::ShownLabel(in.context.label);
    std::printf("in a context that is %s (%s)\n",
                label.empty() ? "clean" : SafeLine(label, 200).c_str(),
                in.from == "recorded" ? "as recorded" : "as given");
    for (const policy::ArgumentOrigin& origin : in.context.origins) {
      std::printf("  a %s was named by: %s\n", policy::ArgumentRoleName(origin.role),
                  policy::OriginName(origin.origin));
    }
  }
  if (!in.note.empty()) {
    std::printf("note: %s\n", in.note.c_str());
  }
}

Result<Question> QuestionOf(App& app, const ExplainOptions& options) {
  if (options.call.empty()) {
    return Question{options.tool,         options.arguments,
                    app.options().policy, NACRE_TRY(app.Workspace()),
                    std::nullopt,         {},
                    std::nullopt};
  }
  memory::SessionStore* store = NACRE_TRY(app.Store());
  memory::CallDetail detail = NACRE_TRY(store->LoadCall(options.call));
  const memory::SessionDetail session = NACRE_TRY(store->LoadSession(detail.session_id));
  std::optional<Json> record = NACRE_TRY(FindDecision(app, detail.call.id));
  return Question{detail.call.tool,
                  detail.call.arguments_json,
                  options.policy_given ? app.options().policy : session.session.policy,
                  session.session.workspace,
                  std::move(detail.call),
                  session.session.policy_digest,
                  std::move(record)};
}

int ExplainCall(Globals& globals, const ExplainOptions& options) {
  App app(globals.app);
  const Result<Question> question = QuestionOf(app, options);
  Result<const tools::Registry*> registry = app.Tools();
  if (!question.ok() || !registry.ok()) {
    return Fail(globals, question.ok() ? registry.error() : question.error());
  }
  const Question& asked = question.value();
  Result<std::shared_ptr<const policy::Policy>> policy = app.Policy(asked.policy, asked.workspace);
  if (!policy.ok()) {
    return Fail(globals, policy.error(), kExitFailed);
  }
  Result<ExplainedIn> in = ContextFor(asked, options);
  if (!in.ok()) {
    return Fail(globals, in.error(), kExitUsage);
  }
  policy::GivenContext& context = in.value().context;
  std::optional<policy::Request> found;
  if (asked.record.has_value()) {
    // With the texts that were in the place of handles.
    std::string why;
    found = RecordedCalls(app, *registry.value()).RequestOf(*asked.record, why);
    if (why == kOtherArguments) {
      return Fail(globals, {ErrorCode::kDataLoss, "call " + asked.recorded->id + ": " + why},
                  kExitFailed);
    }
    in.value().note += (in.value().note.empty() || why.empty() ? "" : "; ") + why;
  }
  if (!found.has_value()) {
    std::variant<agent::ToolCall, agent::BadToolCall> parsed = agent::ParseToolCall(
        {asked.tool, asked.arguments}, *registry.value(), {asked.workspace, App::Home()});
    if (const auto* bad = std::get_if<agent::BadToolCall>(&parsed)) {
      return Fail(globals, {ErrorCode::kInvalidArgument, bad->reason}, kExitUsage);
    }
    found = std::get<agent::ToolCall>(std::move(parsed)).request;
    agent::FollowLinks(asked.workspace, *found);
  }
  policy::Request& request = *found;
  const policy::DataRules& rules = policy.value()->data;
  if (const Status known = policy::CheckCategories(context, {&rules});
      in.value().from == "given" && !known.ok()) {
    return Fail(globals, known.error(), kExitUsage);
  }
  request.flow =
      context.Facts(rules, agent::TraitsOf(*registry.value()->Find(request.tool)), request);
  // A call that `prove` found may carry origins that no argument of it has.
  if (const auto unfit = policy::UnfitOrigin(context, request.flow)) {
    std::fprintf(stderr, "note: %s; it is left out\n", SafeLine(*unfit, 200).c_str());
  }
  const policy::Explanation explanation = policy::Explain(*policy.value(), request);
  const bool same_policy = asked.recorded_digest == policy.value()->digest;
  if (globals.json) {
    OrderedJson json = ToJson(explanation);
    json["context"] = ToJson(in.value());
    if (asked.recorded.has_value()) {
      json["recorded"] = {{"call", asked.recorded->id},
                          {"verdict", asked.recorded->verdict},
                          {"rule", asked.recorded->rule},
                          {"reason", asked.recorded->reason},
                          {"policy_digest", asked.recorded_digest},
                          {"same_policy", same_policy}};
    }
    PrintJson(json);
    return kExitOk;
  }
  if (asked.recorded.has_value()) {
    std::printf("call %s  %s %s\n  recorded: %s by %s: %s\n  %s\n", asked.recorded->id.c_str(),
                SafeLine(asked.tool, 80).c_str(), SafeLine(asked.arguments, 300).c_str(),
                SafeLine(asked.recorded->verdict, 20).c_str(),
                SafeLine(asked.recorded->rule, 80).c_str(),
                SafeLine(asked.recorded->reason, 300).c_str(),
                same_policy ? "now, by the same policy:" : "now, by another policy than then:");
  }
  Print(in.value());
  PrintExplanation(explanation);
  return kExitOk;
}

struct TestOptions {
  std::string cases;
  int min_coverage = 0;  // per cent
};

struct CaseResult {
  const policy::Case* asked = nullptr;
  std::string
      verdict;  // "invalid" for a call that its tool's schema refuses, or that its context does not fit
  std::string rule;
  std::string reason;
  bool passed = false;
};

CaseResult RunCase(const policy::Case& asked, const policy::Policy& policy,
                   const tools::Registry& registry, const agent::PathContext& paths) {
  CaseResult result{.asked = &asked};
  std::variant<agent::ToolCall, agent::BadToolCall> parsed =
      agent::ParseToolCall({asked.tool, DumpJson(asked.arguments)}, registry, paths);
  if (const auto* bad = std::get_if<agent::BadToolCall>(&parsed)) {
    result.verdict = "invalid";
    result.reason = bad->reason;
    return result;
  }
  auto& call = std::get<agent::ToolCall>(parsed);
  call.request.flow = asked.context.Facts(policy.data, agent::TraitsOf(*call.tool), call.request);
  if (const auto unfit = policy::UnfitOrigin(asked.context, call.request.flow)) {
    result.verdict = "invalid";
    result.reason = *unfit;
    return result;
  }
  const policy::Decision decision = policy::Evaluate(policy, call.request);
  result.verdict = policy::VerdictName(decision.verdict);
  result.rule = decision.rule;
  result.reason = decision.reason;
  result.passed =
      decision.verdict == asked.expect && (asked.rule.empty() || asked.rule == decision.rule);
  return result;
}

struct NamedRule {
  std::string name;
  std::string source;
};

// What a case can be decided by, in the policy's order.
std::vector<NamedRule> RulesOf(const policy::Policy& policy) {
  std::vector<NamedRule> rules;
  for (const auto* list : {&policy.tools, &policy.narrow}) {
    for (const policy::ToolRule& rule : *list) {
      rules.push_back({rule.Name(), policy::ToText(rule.source)});
    }
  }
  for (const policy::FlowRule& flow : policy.data.flows) {
    rules.push_back({"data." + flow.id, policy::ToText(flow.source)});
  }
  return rules;
}

// The policy that the cases name, counted from their own folder.
std::string PolicyOfCases(const policy::CaseTable& table, const std::string& file) {
  const std::vector<std::string> shipped = policy::ShippedProfiles();
  const bool profile = table.policy.rfind("builtin/", 0) == 0 ||
                       std::find(shipped.begin(), shipped.end(), table.policy) != shipped.end();
  return profile ? table.policy
                 : (std::filesystem::path(file).parent_path() / table.policy).string();
}

int TestPolicy(Globals& globals, const TestOptions& options) {
  constexpr size_t kCasesBytesMax = 32U << 20;
  const Result<std::string> text = ReadFile(options.cases, kCasesBytesMax);
  if (!text.ok()) {
    return Fail(globals, WithContext("cases", text.error()), kExitUsage);
  }
  const Result<policy::CaseTable> table = policy::ParseCaseTable(options.cases, text.value());
  if (!table.ok()) {
    return Fail(globals, table.error(), kExitFailed);
  }
  App app(globals.app);
  Result<std::string> workspace = app.Workspace();
  Result<const tools::Registry*> registry = app.Tools();
  if (!workspace.ok() || !registry.ok()) {
    return Fail(globals, workspace.ok() ? registry.error() : workspace.error());
  }
  const std::string name = table.value().policy.empty()
                               ? app.options().policy
                               : PolicyOfCases(table.value(), options.cases);
  Result<std::shared_ptr<const policy::Policy>> policy = app.Policy(name, workspace.value());
  if (!policy.ok()) {
    return Fail(globals, policy.error(), kExitFailed);
  }
  for (const policy::Case& asked : table.value().cases) {
    const Status known = policy::CheckCategories(asked.context, {&policy.value()->data});
    if (!known.ok()) {
      return Fail(globals,
                  {known.error().code, policy::ToText(asked.source) + ": " + known.error().message},
                  kExitFailed);
    }
  }
  std::vector<CaseResult> results;
  std::set<std::string> deciders;
  size_t passed = 0;
  for (const policy::Case& asked : table.value().cases) {
    results.push_back(
        RunCase(asked, *policy.value(), *registry.value(), {workspace.value(), App::Home()}));
    deciders.insert(results.back().rule);
    passed += results.back().passed ? 1 : 0;
  }
  std::vector<NamedRule> uncovered = RulesOf(*policy.value());
  const size_t rules = uncovered.size();
  std::erase_if(uncovered, [&](const NamedRule& rule) { return deciders.count(rule.name) > 0; });
  const size_t covered = rules - uncovered.size();
  const size_t percent = rules == 0 ? 100 : covered * 100 / rules;
  const bool enough = percent >= static_cast<size_t>(options.min_coverage);
  const int exit_code = passed == results.size() && enough ? kExitOk : kExitFailed;
  if (globals.json) {
    OrderedJson cases = OrderedJson::array();
    for (const CaseResult& result : results) {
      cases.push_back({{"name", result.asked->name},
                       {"source", policy::ToText(result.asked->source)},
                       {"passed", result.passed},
                       {"expected", policy::VerdictName(result.asked->expect)},
                       {"expected_rule", result.asked->rule},
                       {"verdict", result.verdict},
                       {"rule", result.rule},
                       {"reason", result.reason}});
    }
    OrderedJson open = OrderedJson::array();
    for (const NamedRule& rule : uncovered) {
      open.push_back({{"rule", rule.name}, {"source", rule.source}});
    }
    const OrderedJson json = {{"policy", policy.value()->name},
                              {"digest", policy.value()->digest},
                              {"passed", passed},
                              {"failed", results.size() - passed},
                              {"rules", rules},
                              {"rules_covered", covered},
                              {"uncovered", std::move(open)},
                              {"cases", std::move(cases)}};
    PrintJson(json);
    return exit_code;
  }
  const Terminal terminal(1);
  for (const CaseResult& result : results) {
    if (result.passed) {
      continue;
    }
    const policy::Case& asked = *result.asked;
    std::printf("%s %s: %s\n  expected %s%s, got %s%s: %s\n",
                terminal.Paint(Style::kRed, "failed").c_str(),
                SafeLine(policy::ToText(asked.source), 200).c_str(),
                SafeLine(asked.name, 200).c_str(), policy::VerdictName(asked.expect),
                asked.rule.empty() ? "" : (" by " + SafeLine(asked.rule, 80)).c_str(),
                result.verdict.c_str(),
                result.rule.empty() ? "" : (" by " + SafeLine(result.rule, 80)).c_str(),
                SafeLine(result.reason, 300).c_str());
  }
  std::printf("%zu cases, %zu passed, %zu failed; %zu of %zu rules decided one (%zu %%)\n",
              results.size(), passed, results.size() - passed, covered, rules, percent);
  for (const NamedRule& rule : uncovered) {
    std::printf("  not covered: %s  %s\n", SafeLine(rule.name, 80).c_str(),
                SafeLine(rule.source, 120).c_str());
  }
  if (!enough) {
    std::printf("%s less than the %d %% of rules that --min-coverage wants\n",
                terminal.Paint(Style::kRed, "failed").c_str(), options.min_coverage);
  }
  return exit_code;
}

}  // namespace

void RegisterPolicy(CLI::App& root, Globals& globals) {
  CLI::App* policy = root.add_subcommand(
      "policy", "Check, test, explain, prove, learn, compare, replay and import policies");
  policy->require_subcommand(1);
  policy->footer(
      "Examples:\n"
      "  nacre policy check my-policy.yaml\n"
      "  nacre policy check --effective coding\n"
      "  nacre policy explain --call last\n"
      "  nacre policy test my-policy.cases.yaml\n"
      "  nacre policy diff coding my-policy.yaml\n"
      "  nacre policy prove --against coding my-policy.yaml\n"
      "  nacre policy learn --session last -o my-policy.yaml\n"
      "  nacre policy replay --since 7d my-policy.yaml\n"
      "  nacre policy schema > policy.schema.json\n"
      "  nacre policy import openshell -o my-policy.yaml openshell.yaml\n"
      "  nacre policy explain fs.read '{\"path\":\"/etc/shadow\"}'\n"
      "  nacre policy explain --policy offline proc.run '{\"argv\":[\"wc\",\"a\"]}'");

  CLI::App* check =
      policy->add_subcommand("check", "Is this policy valid? Errors stand at file:line:column");
  auto checked = std::make_shared<CheckOptions>();
  check->add_option("policy", checked->policy, "A shipped profile or a file")->required();
  check->add_flag("--effective", checked->effective, "Print the policy after layering");
  check->add_flag("--strict", checked->strict, "Fail (exit code 1) when a risk is named");
  AddTenantFlag(*check, globals);
  AddToolFlag(*check, globals);
  AddJsonFlag(*check, globals);
  check->callback([&globals, checked] { globals.exit_code = Check(globals, *checked); });

  CLI::App* test = policy->add_subcommand(
      "test", "Do these calls get the answers that a file of cases expects? Exit code 1 when not");
  auto tested = std::make_shared<TestOptions>();
  test->add_option("cases", tested->cases, "A file of cases: see docs/policy-reference.md")
      ->required();
  test->add_option("--min-coverage", tested->min_coverage,
                   "Fail when fewer rules, in per cent, decided a case")
      ->check(CLI::Range(0, 100));
  AddPolicyFlag(*test, globals);
  AddWorkspaceFlag(*test, globals);
  AddToolFlag(*test, globals);
  AddJsonFlag(*test, globals);
  test->callback([&globals, tested] { globals.exit_code = TestPolicy(globals, *tested); });

  RegisterRedteam(*policy, globals);

  CLI::App* explain =
      policy->add_subcommand("explain", "Which rule decides this call, and why the others do not");
  auto explained = std::make_shared<ExplainOptions>();
  CLI::Option* call = explain->add_option(
      "--call", explained->call,
      "A recorded call: its id, a prefix of it, or \"last\"; judged by its session's policy, or by "
      "--policy");
  explain->add_option("tool", explained->tool, "The tool's name, such as fs.read")->excludes(call);
  explain->add_option("arguments", explained->arguments, "Its arguments as a JSON object")
      ->capture_default_str()
      ->excludes(call);
  explain->add_option(
      "--label", explained->label,
      "What the context is: untrusted,secret,pii. Without, it is as recorded with --call, "
      "and flows are left out else");
  explain
      ->add_option(
          "--origin", explained->origins,
          "Who named an argument: ROLE=ORIGIN, such as recipient=stranger; may be repeated")
      ->allow_extra_args(false);
  AddPolicyFlag(*explain, globals);
  AddWorkspaceFlag(*explain, globals);
  AddToolFlag(*explain, globals);
  AddJsonFlag(*explain, globals);
  explain->callback([&globals, explained, explain] {
    if (explained->call.empty() && explained->tool.empty()) {
      globals.exit_code = Fail(
          globals, {ErrorCode::kInvalidArgument, "name a tool, or a recorded call with --call ID"},
          kExitUsage);
      return;
    }
    explained->policy_given = explain->count("--policy") > 0;
    globals.exit_code = ExplainCall(globals, *explained);
  });
  RegisterPolicyDiff(*policy, globals);
  RegisterPolicyProve(*policy, globals);
  RegisterPolicyLearn(*policy, globals);
  RegisterPolicyReplay(*policy, globals);
  RegisterPolicyImport(*policy, globals);
  RegisterPolicyLanguage(*policy, globals);
}

}  // namespace nacre::cli
