#include "runtime/cli/command.h"

#include <csignal>
#include <cstdio>

#include "runtime/audit/export_event.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

// A signal handler can reach only globals; written once, before the handler is installed.
CancelSource* g_signal_source = nullptr;

void OnSignal(int signal_number) {
  g_signal_source->Cancel();
  std::signal(signal_number, SIG_DFL);
}

}  // namespace

void AddJsonFlag(CLI::App& command, Globals& globals) {
  command.add_flag("--json", globals.json, "Machine-readable output: one JSON object per line");
}

void AddPolicyFlag(CLI::App& command, Globals& globals) {
  command
      .add_option("--policy", globals.app.policy,
                  "A shipped profile (base, coding, offline) or a policy file")
      ->capture_default_str();
  AddTenantFlag(command, globals);
}

void AddTenantFlag(CLI::App& command, Globals& globals) {
  command.add_option("--tenant-policy", globals.app.tenant_policy,
                     "A tenant's policy file, put upon the policy: it can only narrow it");
}

void AddWorkspaceFlag(CLI::App& command, Globals& globals) {
  command.add_option("--workspace", globals.app.workspace, "The folder the agent works on")
      ->capture_default_str();
}

void AddEngineFlags(CLI::App& command, Globals& globals) {
  command.add_option(
      "--model", globals.app.model,
      "A GGUF file (default: the bundled nacre-mini); with --engine, the server's model name");
  command.add_option("--engine", globals.app.engine_url,
                     "URL of an OpenAI-compatible server (llama-server, vLLM, Ollama); key in "
                     "NACRE_ENGINE_API_KEY");
}

void AddToolFlag(CLI::App& command, Globals& globals) {
  command.add_option("--tools", globals.app.tool_directories,
                     "A folder with one sub-folder per additional tool; may be repeated");
}

void PrintJson(const Json& value) {
  std::printf("%s\n", audit::AsciiJson(value).c_str());
}

void PrintJson(const OrderedJson& value) {
  std::printf("%s\n", audit::AsciiJson(value).c_str());
}

int Fail(const Globals& globals, const Error& error, int exit_code) {
  if (globals.json) {
    const OrderedJson json = {
        {"event", "error"}, {"code", ErrorCodeName(error.code)}, {"message", error.message}};
    PrintJson(json);
  } else {
    const Terminal terminal(2);
    std::fflush(stdout);
    std::fprintf(stderr, "%s %s\n", terminal.Paint(Style::kRed, "nacre:").c_str(),
                 SafeForTerminal(error.message).c_str());
  }
  return exit_code;
}

CancelToken CancelOnSignal() {
  if (g_signal_source == nullptr) {
    g_signal_source = new CancelSource();  // never freed: a signal may come until the last instant
    struct sigaction action {};
    action.sa_handler = OnSignal;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
  }
  return g_signal_source->token();
}

void CancelFromWithin() {
  if (g_signal_source != nullptr) {
    g_signal_source->Cancel();
  }
}

}  // namespace nacre::cli
