// nacre policy check|explain: is this document valid, and what would it decide?
#include <cstdio>
#include <memory>
#include <variant>

#include "policy/explain.h"
#include "policy/policy_loader.h"
#include "runtime/agent/tool_call.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

int Check(Globals& globals, const std::string& file, bool effective) {
  App app(globals.app);
  Result<std::string> workspace = app.Workspace();
  if (!workspace.ok()) {
    return Fail(globals, workspace.error());
  }
  Result<std::shared_ptr<const policy::Policy>> loaded = app.Policy(file, workspace.value());
  if (!loaded.ok()) {
    return Fail(globals, loaded.error(), kExitFailed);
  }
  const policy::Policy& policy = *loaded.value();
  if (globals.json) {
    OrderedJson json = {{"valid", true},
                        {"name", policy.name},
                        {"layers", policy.layers},
                        {"digest", policy.digest},
                        {"tool_rules", policy.tools.size()},
                        {"workspace", policy::WorkspaceModeName(policy.grant.workspace)}};
    if (effective) {
      json["effective"] = policy::ToYaml(policy);
    }
    std::printf("%s\n", DumpJson(json).c_str());
    return kExitOk;
  }
  if (effective) {
    std::fputs(policy::ToYaml(policy).c_str(), stdout);
    return kExitOk;
  }
  std::string layers;
  for (const std::string& layer : policy.layers) {
    layers += (layers.empty() ? "" : " <- ") + layer;
  }
  std::printf(
      "%s is valid\n  layers     %s\n  rules      %zu for tools\n  workspace  %s\n  digest     "
      "%s\n",
      SafeLine(file, 200).c_str(), SafeLine(layers, 400).c_str(), policy.tools.size(),
      policy::WorkspaceModeName(policy.grant.workspace), policy.digest.c_str());
  return kExitOk;
}

std::string Place(const policy::SourceLocation& source) {
  return source.file.empty() ? std::string()
                             : source.file + ":" + std::to_string(source.line) + ":" +
                                   std::to_string(source.column);
}

void PrintExplanation(const policy::Explanation& explanation) {
  const Terminal terminal(1);
  const policy::Decision& decision = explanation.decision;
  const Style style = decision.verdict == policy::Verdict::kAllow ? Style::kGreen
                      : decision.verdict == policy::Verdict::kAsk ? Style::kYellow
                                                                  : Style::kRed;
  const std::string source = Place(decision.source);
  std::printf("%s  rule %s%s\n  %s\n",
              terminal.Paint(style, policy::VerdictName(decision.verdict)).c_str(),
              SafeLine(decision.rule, 80).c_str(),
              source.empty() ? "" : ("  " + SafeLine(source, 120)).c_str(),
              SafeLine(decision.reason, 300).c_str());
  if (!explanation.considered.empty()) {
    std::printf("\nrules that speak of this tool:\n");
  }
  for (const policy::RuleTrace& trace : explanation.considered) {
    std::printf("  %-8s %-6s %s  %s\n           %s\n", trace.matched ? "matches" : "no match",
                policy::VerdictName(trace.verdict), SafeLine(trace.rule, 80).c_str(),
                SafeLine(Place(trace.source), 120).c_str(),
                SafeLine(trace.matched ? trace.reason : trace.missing, 300).c_str());
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
                          {"source", Place(trace.source)}});
  }
  const policy::Decision& decision = explanation.decision;
  return {{"verdict", policy::VerdictName(decision.verdict)},
          {"rule", decision.rule},
          {"reason", decision.reason},
          {"source", Place(decision.source)},
          {"considered", std::move(considered)},
          {"rules_for_other_tools", explanation.rules_for_other_tools}};
}

int ExplainCall(Globals& globals, const std::string& tool, const std::string& arguments) {
  App app(globals.app);
  Result<std::string> workspace = app.Workspace();
  Result<const tools::Registry*> registry = app.Tools();
  if (!workspace.ok() || !registry.ok()) {
    return Fail(globals, workspace.ok() ? registry.error() : workspace.error());
  }
  Result<std::shared_ptr<const policy::Policy>> policy =
      app.Policy(globals.app.policy, workspace.value());
  if (!policy.ok()) {
    return Fail(globals, policy.error(), kExitFailed);
  }
  const char* home = std::getenv("HOME");
  const std::variant<agent::ToolCall, agent::BadToolCall> parsed = agent::ParseToolCall(
      {tool, arguments}, *registry.value(), {workspace.value(), home != nullptr ? home : ""});
  if (const auto* bad = std::get_if<agent::BadToolCall>(&parsed)) {
    return Fail(globals, {ErrorCode::kInvalidArgument, bad->reason}, kExitUsage);
  }
  const policy::Request& request = std::get<agent::ToolCall>(parsed).request;
  const policy::Explanation explanation = policy::Explain(*policy.value(), request);
  if (globals.json) {
    std::printf("%s\n", DumpJson(ToJson(explanation)).c_str());
  } else {
    PrintExplanation(explanation);
  }
  return kExitOk;
}

}  // namespace

void RegisterPolicy(CLI::App& root, Globals& globals) {
  CLI::App* policy = root.add_subcommand("policy", "Check a policy; explain what it decides");
  policy->require_subcommand(1);
  policy->footer(
      "Examples:\n"
      "  nacre policy check my-policy.yaml\n"
      "  nacre policy check --effective coding\n"
      "  nacre policy explain fs.read '{\"path\":\"/etc/shadow\"}'\n"
      "  nacre policy explain --policy offline proc.run '{\"argv\":[\"wc\",\"a\"]}'");

  CLI::App* check =
      policy->add_subcommand("check", "Is this policy valid? Errors stand at file:line:column");
  auto file = std::make_shared<std::string>();
  auto effective = std::make_shared<bool>(false);
  check->add_option("policy", *file, "A shipped profile or a file")->required();
  check->add_flag("--effective", *effective, "Print the policy after layering");
  AddToolFlag(*check, globals);
  AddJsonFlag(*check, globals);
  check->callback(
      [&globals, file, effective] { globals.exit_code = Check(globals, *file, *effective); });

  CLI::App* explain =
      policy->add_subcommand("explain", "Which rule decides this call, and why the others do not");
  auto tool = std::make_shared<std::string>();
  auto arguments = std::make_shared<std::string>("{}");
  explain->add_option("tool", *tool, "The tool's name, such as fs.read")->required();
  explain->add_option("arguments", *arguments, "Its arguments as a JSON object")
      ->capture_default_str();
  AddPolicyFlag(*explain, globals);
  AddWorkspaceFlag(*explain, globals);
  AddToolFlag(*explain, globals);
  AddJsonFlag(*explain, globals);
  explain->callback(
      [&globals, tool, arguments] { globals.exit_code = ExplainCall(globals, *tool, *arguments); });
}

}  // namespace nacre::cli
