// nacre sandbox exec -- CMD: one command under a policy's grant; the quickest way to see what it does.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/digest.h"
#include "base/ids.h"
#include "runtime/agent/spec_builder.h"
#include "runtime/agent/tool_runner.h"
#include "runtime/agent/workspace_change.h"
#include "runtime/agent/workspace_scan.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"
#include "runtime/cli/terminal_relay.h"
#include "runtime/cli/why.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::cli {
namespace {

// Passes output on as it comes, raw: the person runs this command themselves.
class PassThrough final : public sandbox::CallIo {
 public:
  // `refusals` may be null.
  PassThrough(bool silent, std::optional<agent::WorkspaceChange>& change, Refusals* refusals)
      : silent_(silent), change_(change), refusals_(refusals) {}
  Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
  Reply OnChannelBytes(std::string_view bytes) override {
    (void)bytes;
    return {};
  }
  void OnCallLayer(sandbox::CallLayer layer) override {
    if (change_.has_value()) {
      change_->TakeLayer(std::move(layer));
    }
  }
  void OnObserved(const sandbox::seccomp::Observation& observation) override {
    if (refusals_ != nullptr) {
      refusals_->Add(observation);
    }
  }
  void OnTerminal(UniqueFd terminal) override { relay_.Start(std::move(terminal)); }
  // After the call: its last bytes, then the person's terminal as it was.
  void Finish() { relay_.Finish(); }
  void OnOutput(int descriptor, std::string_view bytes) override {
    if (!silent_) {
      std::fwrite(bytes.data(), 1, bytes.size(), descriptor == STDERR_FILENO ? stderr : stdout);
    }
  }

 private:
  bool silent_;
  std::optional<agent::WorkspaceChange>& change_;
  Refusals* refusals_;
  TerminalRelay relay_;
};

int ExitCodeOf(const sandbox::Outcome& outcome) {
  switch (outcome.kind) {
    case sandbox::OutcomeKind::kExited:
      return outcome.exit_code;
    case sandbox::OutcomeKind::kSignaled:
      return 128 + outcome.signal;
    case sandbox::OutcomeKind::kTimedOut:
      return 124;  // as timeout(1) does
    case sandbox::OutcomeKind::kCancelled:
      return kExitCancelled;
    case sandbox::OutcomeKind::kSetupFailed:
      return kExitBroken;
    default:
      return 125;
  }
}

// "wc" -> "/usr/bin/wc", looked up where the sandbox will look.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return name;
  }
  for (const char* directory : {"/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/sbin/"}) {
    if (::access((directory + name).c_str(), X_OK) == 0) {
      return directory + name;
    }
  }
  return {};
}

struct ExecOptions {
  std::vector<std::string> argv;
  std::string profile;    // instead of the policy's; empty: the policy's
  std::string isolation;  // the same
  bool terminal = false;
  bool why = false;
};

// A person in front of a terminal ends the call themselves, at the latest after this.
constexpr std::chrono::hours kInteractiveWall{1};

// "xterm-256color"; what is no such name is not passed on.
std::string TerminalName() {
  const char* name = std::getenv("TERM");
  const std::string text = name == nullptr ? "" : name;
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '+' || c == '_';
  });
  return text.empty() || text.size() > 64 || !plain ? "dumb" : text;
}

// Before anything is done or recorded.
Status CheckNames(const ExecOptions& options) {
  if (const auto found = sandbox::seccomp::FindProfile(options.profile);
      !options.profile.empty() && !found.ok()) {
    return found.error();
  }
  if (!options.isolation.empty() && !sandbox::ParseIsolation(options.isolation)) {
    return Error{ErrorCode::kInvalidArgument, "unknown isolation " + options.isolation +
                                                  "; there are namespace, gvisor and microvm"};
  }
  return Ok();
}

// The spec of a command, with what the command line says instead of the policy. The person runs this
// themselves; what an agent may do stays the policy's.
Result<sandbox::SandboxSpec> SpecOf(policy::Grant grant, const std::string& id,
                                    const std::string& workspace, const ExecOptions& options) {
  if (!options.profile.empty()) {
    grant.profile = options.profile;
  }
  const agent::WorkspaceMatches matches = NACRE_TRY(agent::ScanWorkspace(
      workspace, grant.hide, grant.protect, CancelOnSignal().WithTimeout(grant.limits.wall)));
  sandbox::SandboxSpec spec = agent::BuildCommandSpec(grant, id, workspace, matches, options.argv);
  if (!options.isolation.empty()) {
    spec.isolation = sandbox::ParseIsolation(options.isolation).value();
  }
  spec.observe = options.why;
  if (options.terminal) {
    spec.terminal = WindowSize();
    spec.limits.wall = std::max<std::chrono::milliseconds>(spec.limits.wall, kInteractiveWall);
    for (auto& [name, value] : spec.environment) {
      if (name == "TERM") {
        value = TerminalName();
      }
    }
  }
  return spec;
}

struct CommandResult {
  std::string id;
  sandbox::Outcome outcome;
  std::optional<agent::WorkspaceReport> workspace;
  Explanation why;
};

Result<CommandResult> RunCommand(Globals& globals, ExecOptions options) {
  App app(globals.app);
  const std::string program = FindProgram(options.argv.front());
  if (program.empty()) {
    return Error{ErrorCode::kNotFound, "no such program: " + options.argv.front() +
                                           " (looked in /usr/local/bin, /usr/bin, /bin, "
                                           "/usr/sbin)"};
  }
  if (program.front() != '/') {
    return Error{ErrorCode::kInvalidArgument,
                 "name the program as the sandbox has it: " + program +
                     " is relative; files of the workspace are below /workspace"};
  }
  options.argv.front() = program;
  const std::string workspace = NACRE_TRY(app.Workspace());
  const std::shared_ptr<const policy::Policy> policy =
      NACRE_TRY(app.Policy(globals.app.policy, workspace));
  sandbox::Sandbox* sandbox = NACRE_TRY(app.Sandbox());
  const policy::Grant& grant = policy->grant;
  // A person's own command, not the agent's: no rule decides it, but the log says that it ran.
  audit::AuditLog* log = NACRE_TRY(app.Log());
  const std::string id = NewUlid(app.clock(), app.random());
  const sandbox::SandboxSpec spec = NACRE_TRY(SpecOf(grant, id, workspace, options));
  NACRE_TRY(log->Append({"sandbox.exec.started",
                         {},
                         {},
                         id,
                         policy->digest,
                         {{"command_digest", Sha256Text(DumpJson(Json(options.argv)))},
                          {"profile", spec.seccomp_profile},
                          {"isolation", sandbox::IsolationName(spec.isolation)}}}));
  sandbox::TransactionLog* transactions = NACRE_TRY(app.Transactions());
  std::optional<agent::WorkspaceChange> change;
  if (agent::MountsTransactionally(spec)) {
    change = NACRE_TRY(agent::WorkspaceChange::Begin(workspace));
  }
  Refusals refusals(*policy, globals.app.policy, spec);
  PassThrough io(globals.json, change, options.why ? &refusals : nullptr);
  Result<sandbox::Outcome> ran = sandbox->Run(spec, io, CancelOnSignal());
  io.Finish();
  CommandResult result{id, NACRE_TRY(std::move(ran)), {}, {}};
  Json finished = agent::OutcomeToJson(result.outcome);
  if (change.has_value()) {
    // As a shell would: what a command that failed wrote is kept, what one that was killed wrote is not.
    if (result.outcome.kind == sandbox::OutcomeKind::kExited) {
      NACRE_TRY(change->Judge(grant));
    } else {
      change->Drop(sandbox::Describe(result.outcome));
    }
    if (change->wanted()) {
      NACRE_TRY(log->Append(
          {"workspace.commit", {}, {}, id, policy->digest, agent::ToJson(change->report())}));
      // A person's own command: it has no label, and takes none off.
      const auto note = [] { return Result<std::string>(std::string("{}")); };
      NACRE_TRY(change->Commit(*transactions, id, {.before = note, .after = {}},
                               UnixMillis(app.clock().Now())));
    }
    result.workspace = change->report();
    finished["workspace"] = agent::ToJson(change->report());
  }
  NACRE_TRY(log->Append(
      {"sandbox.exec.finished", {}, {}, id, policy->digest, {{"outcome", std::move(finished)}}}));
  NACRE_TRY(log->WriteCheckpoint());
  if (options.why) {
    result.why = refusals.Explain(result.outcome, [](const std::string& path) {
      struct stat info = {};
      return ::lstat(path.c_str(), &info) == 0;
    });
  }
  return result;
}

OrderedJson WhyJson(const Explanation& why) {
  OrderedJson refused = OrderedJson::array();
  for (const Refusal& refusal : why.refusals) {
    refused.push_back({{"what", refusal.what}, {"why", refusal.why}, {"change", refusal.change}});
  }
  return {{"refused", std::move(refused)}, {"policy", why.policy}, {"cut", why.cut}};
}

// To standard error, which is the person's: standard output is the command's.
void PrintWhy(const Explanation& why) {
  const Terminal terminal(STDERR_FILENO);
  std::fflush(stdout);
  std::fprintf(
      stderr, "nacre: %s\n",
      why.refusals.empty() ? "nothing was refused" : "what was refused, and what would allow it:");
  for (const Refusal& refusal : why.refusals) {
    std::fprintf(
        stderr, "  %s\n      %s\n      -> %s\n",
        terminal.Paint(Style::kBold, SafeLine(refusal.what, 300)).c_str(),
        SafeLine(refusal.why, 400).c_str(),
        refusal.change.empty() ? "no policy may allow it" : SafeLine(refusal.change, 400).c_str());
  }
  if (why.cut) {
    std::fprintf(stderr, "  and more than is kept\n");
  }
  if (!why.policy.empty()) {
    std::fprintf(stderr, "nacre: the smallest change, as a policy:\n\n%s\n",
                 SafeForTerminal(why.policy).c_str());
  }
}

// On standard error: standard output is the command's.
void PrintWorkspace(const CommandResult& result) {
  using End = agent::WorkspaceReport::End;
  const agent::WorkspaceReport& report = *result.workspace;
  std::fflush(stdout);
  if (report.end == End::kCommitted) {
    std::fprintf(stderr, "nacre: files changed, lines +%llu -%llu · undo: nacre call undo %s\n",
                 static_cast<unsigned long long>(report.lines_added),
                 static_cast<unsigned long long>(report.lines_removed), result.id.c_str());
    if (!report.reason.empty()) {
      std::fprintf(stderr, "nacre: %s\n", SafeForTerminal(report.reason).c_str());
    }
  } else if (report.end != End::kUnchanged) {
    std::fprintf(stderr, "nacre: what the command changed was not kept: %s\n",
                 SafeForTerminal(report.reason).c_str());
  }
}

int Exec(Globals& globals, const ExecOptions& options) {
  if (const Status named = CheckNames(options); !named.ok()) {
    return Fail(globals, named.error(), kExitUsage);
  }
  Result<CommandResult> ran = RunCommand(globals, options);
  if (!ran.ok()) {
    return Fail(globals, ran.error());
  }
  const sandbox::Outcome& outcome = ran.value().outcome;
  if (globals.json) {
    OrderedJson json(agent::OutcomeToJson(outcome));
    json["description"] = sandbox::Describe(outcome);
    json["output"] = outcome.output;
    json["error_output"] = outcome.error_output;
    json["call"] = ran.value().id;
    json["workspace"] = ran.value().workspace.has_value()
                            ? OrderedJson(agent::ToJson(*ran.value().workspace))
                            : OrderedJson();
    if (options.why) {
      json["why"] = WhyJson(ran.value().why);
    }
    PrintJson(json);
  } else if (outcome.kind != sandbox::OutcomeKind::kExited) {
    std::fflush(stdout);
    std::fprintf(stderr, "nacre: %s\n", SafeForTerminal(sandbox::Describe(outcome)).c_str());
  }
  if (!globals.json && ran.value().workspace.has_value()) {
    PrintWorkspace(ran.value());
  }
  if (!globals.json && options.why) {
    PrintWhy(ran.value().why);
  }
  // Done and not kept is not done.
  const bool lost = ran.value().workspace.has_value() &&
                    (ran.value().workspace->end == agent::WorkspaceReport::End::kRefused ||
                     ran.value().workspace->end == agent::WorkspaceReport::End::kConflict);
  const int code = ExitCodeOf(outcome);
  return lost && code == 0 ? kExitFailed : code;
}

}  // namespace

void RegisterSandbox(CLI::App& root, Globals& globals) {
  CLI::App* command =
      root.add_subcommand("sandbox", "Run one command in a sandbox; show its profiles");
  command->require_subcommand(1);
  RegisterSandboxProfile(*command, globals);
  command->footer(
      "Examples:\n"
      "  nacre sandbox exec -- ls -l /workspace\n"
      "  nacre sandbox exec --policy offline --json -- id\n"
      "  nacre sandbox exec --why -- python3 -c 'import socket; socket.socket()'\n"
      "  nacre sandbox exec --pty --profile shell -- bash\n"
      "  nacre sandbox exec --isolation gvisor -- uname -a\n"
      "Exit codes of exec: the command's own; 124 timed out, 125 another limit, 3 the sandbox "
      "could not be set up.");
  CLI::App* exec =
      command->add_subcommand("exec", "One command under the policy's limits and mounts");
  auto options = std::make_shared<ExecOptions>();
  AddPolicyFlag(*exec, globals);
  AddWorkspaceFlag(*exec, globals);
  AddJsonFlag(*exec, globals);
  exec->add_option("--profile", options->profile,
                   "The system calls it may use, instead of the policy's profile");
  exec->add_option(
      "--isolation", options->isolation,
      "namespace, gvisor or microvm, instead of the policy's; a tier that is not there "
      "is refused");
  exec->add_flag(
          "-i,--pty", options->terminal,
          "Interactive: on a terminal of its own, connected with this one, for up to an hour")
      ->excludes("--json");
  exec->add_flag("--why", options->why,
                 "Afterwards: what was refused, and the smallest change of the policy that would "
                 "allow it");
  exec->add_option("command", options->argv, "After --: the program and its arguments")->required();
  exec->positionals_at_end();
  exec->callback([&globals, options] { globals.exit_code = Exec(globals, *options); });
}

}  // namespace nacre::cli
