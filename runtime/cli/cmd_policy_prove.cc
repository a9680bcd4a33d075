// nacre policy prove: what a policy can never decide, proved, or shown by a call, or not known.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "policy/analysis/prover.h"
#include "policy/analysis/query.h"
#include "runtime/cli/compared_policies.h"
#include "runtime/cli/policy_commands.h"
#include "runtime/cli/terminal.h"
#include "runtime/cli/tool_models.h"

namespace nacre::cli {
namespace {

using policy::ProofAnswer;
using policy::ProofQuery;
using policy::ProofStatus;

constexpr size_t kQueryFileBytesMax = 1U << 20;
constexpr size_t kRulesShownMax = 10;

struct ProveFlags {
  std::string policy;
  std::string queries;
  std::vector<std::string> built_in;
  std::string against;
  double timeout_s = 10;
};

struct Asked {
  ProofQuery query;
  ProofAnswer answer;
};

Result<std::vector<ProofQuery>> QueriesOf(const ProveFlags& flags,
                                          const tools::Registry& registry) {
  std::vector<ProofQuery> queries;
  if (!flags.queries.empty()) {
    const std::string text = NACRE_TRY(ReadFile(flags.queries, kQueryFileBytesMax));
    queries = NACRE_TRY(policy::ParseProofQueries(flags.queries, text, LoadOptionsOf(registry)));
  }
  std::vector<std::string> built_in = flags.built_in;
  if (queries.empty() && built_in.empty()) {
    built_in = {"no-flow", "no-write-execute", "no-credential=*", "rules-reachable"};
  }
  for (const std::string& text : built_in) {
    queries.push_back(NACRE_TRY(policy::ParseBuiltInQuery(text)));
    const std::string& tool = queries.back().tool;
    if (!tool.empty() && tool != "*" && registry.Find(tool) == nullptr) {
      return Error{ErrorCode::kInvalidArgument, "built-in query \"" + SafeLine(text, 80) +
                                                    "\": there is no such tool: nacre tool list"};
    }
  }
  const bool compares = std::any_of(queries.begin(), queries.end(), [](const ProofQuery& query) {
    return query.kind == ProofQuery::Kind::kNoWider;
  });
  if (compares && flags.against.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no-wider compares with another policy: --against POLICY"};
  }
  if (!compares && !flags.against.empty()) {
    queries.push_back(NACRE_TRY(policy::ParseBuiltInQuery("no-wider")));
  }
  return queries;
}

// With the tools and the folder that the call was found with.
std::string ExplainCommand(const AppOptions& app, const ProveFlags& flags,
                           const policy::Policy& policy, const policy::ConfirmedCall& call) {
  std::string command = "nacre policy explain";
  for (const std::string& directory : app.tool_directories) {
    command += " --tools " + ShellWord(directory);  // first: it takes all words up to the next flag
  }
  if (app.workspace != AppOptions().workspace) {
    command += " --workspace " + ShellWord(app.workspace);
  }
  command += " --policy " + ShellWord(flags.policy);
  if (!app.tenant_policy.empty()) {
    command += " --tenant-policy " + ShellWord(app.tenant_policy);
  }
  return command + (policy.data.present ? ExplainFlags(call.request.flow) : "") + " " +
         ShellWord(call.request.tool) + " " + ShellWord(DumpJson(call.written.arguments));
}

OrderedJson ToJson(const AppOptions& app, const ProveFlags& flags, const policy::Policy& policy,
                   const std::vector<Asked>& asked) {
  OrderedJson answers = OrderedJson::array();
  std::array<size_t, 3> counts{};
  for (const auto& [query, answer] : asked) {
    ++counts.at(static_cast<size_t>(answer.status));
    OrderedJson calls = OrderedJson::array();
    for (const policy::ConfirmedCall& call : answer.calls) {
      OrderedJson origins = OrderedJson::array();
      for (const policy::ArgumentOrigin& argument : call.request.flow.arguments) {
        origins.push_back({{"role", policy::ArgumentRoleName(argument.role)},
                           {"origin", policy::OriginName(argument.origin)}});
      }
      calls.push_back({{"tool", call.request.tool},
                       {"arguments", OrderedJson(call.written.arguments)},
                       {"verdict", policy::VerdictName(call.verdict)},
                       {"rule", call.rule},
                       {"reason", call.reason},
                       {"labels", policy::LabelTexts(call.request.flow.context)},
                       {"origins", std::move(origins)},
                       {"explain", ExplainCommand(app, flags, policy, call)}});
    }
    answers.push_back({{"id", query.id},
                       {"query", policy::QueryKindName(query.kind)},
                       {"claim", query.claim},
                       {"answer", policy::ProofStatusName(answer.status)},
                       {"what", answer.what},
                       {"rules", answer.rules},
                       {"calls", std::move(calls)},
                       {"ms", static_cast<double>(answer.took.count()) / 1000}});
  }
  return {{"policy", policy.name},
          {"digest", policy.digest},
          {"proved", counts[static_cast<size_t>(ProofStatus::kProved)]},
          {"counter_examples", counts[static_cast<size_t>(ProofStatus::kCounterExample)]},
          {"unknown", counts[static_cast<size_t>(ProofStatus::kUnknown)]},
          {"answers", std::move(answers)}};
}

void Print(const AppOptions& app, const ProveFlags& flags, const policy::Policy& policy,
           const std::vector<Asked>& asked) {
  const Terminal terminal(1);
  for (const auto& [query, answer] : asked) {
    const Style style = answer.status == ProofStatus::kProved           ? Style::kGreen
                        : answer.status == ProofStatus::kCounterExample ? Style::kRed
                                                                        : Style::kYellow;
    std::printf("%s  %s%s  (%.1f ms)\n  %s\n",
                terminal.Paint(style, policy::ProofStatusName(answer.status)).c_str(),
                SafeLine(query.id, 80).c_str(),
                query.claim.empty() ? "" : (": " + SafeLine(query.claim, 200)).c_str(),
                static_cast<double>(answer.took.count()) / 1000,
                SafeLine(answer.what, 600).c_str());
    for (size_t i = 0; i < std::min(answer.rules.size(), kRulesShownMax); ++i) {
      std::printf("    %s\n", SafeLine(answer.rules[i], 80).c_str());
    }
    if (answer.rules.size() > kRulesShownMax) {
      std::printf("    and %zu more\n", answer.rules.size() - kRulesShownMax);
    }
    for (const policy::ConfirmedCall& call : answer.calls) {
      const std::string label = policy::ShownLabel(call.request.flow.context);
      std::printf("    %s %s: %s by %s%s\n      %s\n", SafeLine(call.request.tool, 80).c_str(),
                  SafeLine(DumpJson(call.written.arguments), 300).c_str(),
                  policy::VerdictName(call.verdict), SafeLine(call.rule, 80).c_str(),
                  label.empty() ? "" : (", in a context that is " + SafeLine(label, 100)).c_str(),
                  SafeLine(ExplainCommand(app, flags, policy, call), 600).c_str());
    }
  }
}

int ProvePolicy(Globals& globals, const ProveFlags& flags) {
  App app(globals.app);
  Result<std::string> workspace = app.Workspace();
  Result<const tools::Registry*> registry = app.Tools();
  if (!workspace.ok() || !registry.ok()) {
    return Fail(globals, workspace.ok() ? registry.error() : workspace.error());
  }
  const Result<std::vector<ProofQuery>> queries = QueriesOf(flags, *registry.value());
  if (!queries.ok()) {
    return Fail(globals, queries.error(), kExitUsage);
  }
  std::shared_ptr<const policy::Policy> policy;
  std::shared_ptr<const policy::Policy> against;
  if (flags.against.empty()) {
    auto loaded = app.Policy(flags.policy, workspace.value());
    if (!loaded.ok()) {
      return Fail(globals, loaded.error());
    }
    policy = std::move(loaded).value();
  } else {
    auto loaded = PoliciesToCompare(app, flags.against, flags.policy, workspace.value());
    if (!loaded.ok()) {
      return Fail(globals, loaded.error());
    }
    against = loaded.value().before;
    policy = loaded.value().after;
  }
  const std::vector<policy::ToolModel> models = ModelsOf(*registry.value());
  policy::ProverInput input{.policy = policy.get(), .against = against.get(), .tools = &models};
  input.read = [&](const policy::CandidateCall& call) {
    return ReadCall(call, *registry.value(), workspace.value());
  };
  input.timeout = std::chrono::milliseconds(static_cast<int64_t>(flags.timeout_s * 1000));
  std::vector<Asked> asked;
  for (const ProofQuery& query : queries.value()) {
    asked.push_back({query, policy::Prove(input, query)});
  }
  if (globals.json) {
    PrintJson(ToJson(globals.app, flags, *policy, asked));
  } else {
    Print(globals.app, flags, *policy, asked);
  }
  const auto any = [&](ProofStatus status) {
    return std::any_of(asked.begin(), asked.end(),
                       [&](const Asked& each) { return each.answer.status == status; });
  };
  return any(ProofStatus::kCounterExample) ? kExitFailed
         : any(ProofStatus::kUnknown)      ? kExitUnknown
                                           : kExitOk;
}

}  // namespace

void RegisterPolicyProve(CLI::App& policy, Globals& globals) {
  CLI::App* prove = policy.add_subcommand(
      "prove", "What can this policy never decide? Proved, or shown by a call, or unknown");
  auto flags = std::make_shared<ProveFlags>();
  prove->add_option("policy", flags->policy, "A shipped profile or a file")->required();
  prove->add_option("--queries", flags->queries, "A file of queries: see docs/policy-prove.md");
  prove->add_option("--query", flags->built_in,
                    "A built-in query: no-flow[=LEVEL], no-write-execute, no-credential=TOOL, "
                    "no-wider, rules-reachable; may be repeated. Without queries: all of these");
  prove->add_option("--against", flags->against,
                    "Another policy, than which this one must not be more permissive (no-wider)");
  prove->add_option("--timeout", flags->timeout_s, "Seconds for each query")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  AddTenantFlag(*prove, globals);
  AddWorkspaceFlag(*prove, globals);
  AddToolFlag(*prove, globals);
  AddJsonFlag(*prove, globals);
  prove->footer(
      "Examples:\n"
      "  nacre policy prove team.yaml\n"
      "  nacre policy prove --query no-flow=internal --query no-write-execute coding\n"
      "  nacre policy prove --against last-release.yaml team.yaml\n"
      "Exit code 0: all proved. 1: at least one counter-example. 4: none, but something "
      "is unknown. 2: wrong usage or queries. 3: a policy that does not load.");
  prove->callback([&globals, flags] { globals.exit_code = ProvePolicy(globals, *flags); });
}

}  // namespace nacre::cli
