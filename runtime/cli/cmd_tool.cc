// nacre tool list: which tools there are, and which of them a policy could allow.
#include <cstdio>

#include "policy/evaluator.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

int List(Globals& globals) {
  App app(globals.app);
  Result<const tools::Registry*> registry = app.Tools();
  if (!registry.ok()) {
    return Fail(globals, registry.error());
  }
  Result<std::string> workspace = app.Workspace();
  if (!workspace.ok()) {
    return Fail(globals, workspace.error());
  }
  Result<std::shared_ptr<const policy::Policy>> policy =
      app.Policy(globals.app.policy, workspace.value());
  if (!policy.ok()) {
    return Fail(globals, policy.error(), kExitFailed);
  }
  for (const tools::Manifest& tool : registry.value()->all()) {
    const bool offered = policy::CouldAllow(*policy.value(), tool.name) &&
                         (!tool.runtime || policy.value()->data.quarantine.present);
    if (globals.json) {
      const OrderedJson json = {{"name", tool.name},
                                {"description", tool.description},
                                {"effect", tools::EffectName(tool.effect)},
                                {"idempotent", tool.idempotent},
                                {"builtin", tool.builtin},
                                {"offered", offered},
                                {"parameters", tool.parameters}};
      PrintJson(json);
    } else {
      std::printf("%-16s %-8s %-12s %s\n", SafeLine(tool.name, 64).c_str(),
                  tools::EffectName(tool.effect), offered ? "offered" : "not offered",
                  SafeLine(tool.description, 90).c_str());
    }
  }
  return kExitOk;
}

}  // namespace

void RegisterTool(CLI::App& root, Globals& globals) {
  CLI::App* tool = root.add_subcommand("tool", "The tools of this host");
  tool->require_subcommand(1);
  tool->footer(
      "Examples:\n  nacre tool list\n  nacre tool list --policy offline --tools ./my-tools");
  CLI::App* list =
      tool->add_subcommand("list", "Every tool, and whether the policy could allow it");
  AddPolicyFlag(*list, globals);
  AddToolFlag(*list, globals);
  AddJsonFlag(*list, globals);
  list->callback([&globals] { globals.exit_code = List(globals); });
}

}  // namespace nacre::cli
