// nacre: the command line. Each command lives in its own cmd_*.cc.
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "runtime/audit/tenant.h"
#include "runtime/cli/command.h"
#include "runtime/cli/command_line.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  nacre run \"Which files in docs are larger than 10 kB?\"\n"
    "  nacre run --policy offline --workspace ~/notes \"Find every line that mentions Oslo\"\n"
    "  nacre doctor\n"
    "  nacre audit verify\n"
    "\n"
    "State (sessions, audit log) is kept in $NACRE_STATE_DIR, else ~/.local/state/nacre.\n"
    "Exit codes: 0 done, 1 did not succeed, 2 wrong usage, 3 the runtime could not do its job, 130 "
    "cancelled.";

// Whoever read our output went away, as head(1) does when it has what it wanted.
bool ReaderHasGone() {
  pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

int Main(int argc, char** argv) {
  // A gateway or a pipe that goes away is an error of one write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that must not grow any more (RLIMIT_FSIZE).
  std::signal(SIGXFSZ, SIG_IGN);
  const char* tenant = std::getenv("NACRE_TENANT");
  if (const Status set =
          audit::SetOwnTenant(tenant == nullptr || *tenant == '\0' ? audit::kLocalTenant : tenant);
      !set.ok()) {
    std::fprintf(stderr, "nacre: NACRE_TENANT: %s\n", set.error().message.c_str());
    return kExitUsage;
  }
  Globals globals;
  globals.app.warn = [](const std::string& text) {
    std::fprintf(stderr, "nacre: warning: %s\n", SafeLine(text, 600).c_str());
  };
  CLI::App root{"nacre: a secure runtime for AI agents", "nacre"};
  root.footer(kFooter);
  root.set_version_flag("--version", "nacre " NACRE_VERSION);
  root.require_subcommand(1);
  root.add_option("--state", globals.app.state_directory,
                  "Where sessions and the audit log are kept");
  root.fallthrough();
  RegisterRun(root, globals);
  RegisterServe(root, globals);
  RegisterApproval(root, globals);
  RegisterSession(root, globals);
  RegisterCall(root, globals);
  RegisterPolicy(root, globals);
  RegisterAudit(root, globals);
  RegisterSandbox(root, globals);
  RegisterWorkspace(root, globals);
  RegisterTool(root, globals);
  RegisterSelftest(root, globals);
  RegisterDoctor(root, globals);
  RefuseUnusableValues(root);
  try {
    RefuseEmptyAssignments(argc, argv);
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    globals.exit_code = FailUsage(root, error, argc, argv);
  }
  // What could not be printed was not done: a full disk must not look like success. What nobody wanted to read is none.
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && !ReaderHasGone()) {
    std::fprintf(stderr, "nacre: standard output could not be written\n");
    return globals.exit_code == kExitOk ? kExitBroken : globals.exit_code;
  }
  return globals.exit_code;
}

}  // namespace
}  // namespace nacre::cli

int main(int argc, char** argv) {
  try {
    return nacre::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "nacre: unexpected failure: %s\n", error.what());
    return nacre::cli::kExitBroken;
  }
}
