// nacre run: one task, now.
#include <memory>
#include <string>

#include "runtime/cli/command.h"
#include "runtime/cli/session_runner.h"

namespace nacre::cli {

void RegisterRun(CLI::App& root, Globals& globals) {
  CLI::App* command = root.add_subcommand("run", "Do one task now, and show what the agent does");
  command->footer(
      "Examples:\n"
      "  nacre run \"How many lines does notes.md have?\"\n"
      "  nacre run --workspace ~/project --policy offline \"List the folder src\"\n"
      "  nacre run --model qwen2.5-7b-instruct.gguf \"Fix the typo in README.md\"\n"
      "  nacre run --engine http://127.0.0.1:11434 --model qwen3 \"Summarise notes.md\"\n"
      "  nacre run --session last \"And how many words?\"\n"
      "  nacre run --json \"List the files here\" | jq .event");
  auto request = std::make_shared<TurnRequest>();
  auto text = std::make_shared<std::string>();
  AddPolicyFlag(*command, globals);
  AddWorkspaceFlag(*command, globals);
  AddEngineFlags(*command, globals);
  AddToolFlag(*command, globals);
  AddJsonFlag(*command, globals);
  command->add_option("--session", request->session,
                      "Continue this session: an id, a unique prefix, or \"last\"");
  command->add_option("--connect", request->connect,
                      "Use the gateway on this Unix socket (see nacre serve)");
  command->add_option("task", *text, "What to do, in your own words")->required();
  command->callback([&globals, command, request, text] {
    if (const Status refused = RefuseFlagsOfGateway(*command); !refused.ok()) {
      globals.exit_code = Fail(globals, refused.error(), kExitUsage);
      return;
    }
    if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
      globals.exit_code = Fail(
          globals, {ErrorCode::kInvalidArgument, "the task is empty; say what to do"}, kExitUsage);
      return;
    }
    request->policy_given = command->count("--policy") > 0;
    request->workspace_given = command->count("--workspace") > 0;
    request->text = *text;
    globals.exit_code = RunTurnCommand(globals, *request);
  });
}

}  // namespace nacre::cli
