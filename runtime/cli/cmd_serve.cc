// nacre serve: the gateway on a Unix socket.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>

#include "policy/live_policy.h"
#include "runtime/cli/command.h"
#include "runtime/cli/policy_reload.h"
#include "runtime/cli/retention.h"
#include "runtime/cli/terminal.h"
#include "runtime/server/grpc_server.h"

namespace nacre::cli {
namespace {

// What happens beside all clients, for whoever runs the gateway.
void Tell(const Globals& globals, const char* event, const std::string& text) {
  if (globals.json) {
    PrintJson(OrderedJson{{"event", event}, {"text", text}});
    std::fflush(stdout);
  } else {
    std::fprintf(stderr, "nacre: %s\n", SafeForTerminal(text).c_str());
  }
}

// The policy's audit.on_failure: with `stop`, the first record that could not be written ends the gateway.
class LogFailure final {
 public:
  LogFailure(const Globals& globals, const policy::LivePolicy& policy)
      : globals_(globals), policy_(policy) {}

  // Whether the log may go on.
  bool Met(const Error& error) {
    Tell(globals_, "audit", error.message);
    const std::lock_guard lock(mutex_);
    if (why_.ok() && policy_.Current()->audit_on_failure == policy::AuditFailure::kStop) {
      why_ = WithContext("audit.on_failure is stop", error);
      CancelFromWithin();
    }
    return why_.ok();
  }
  // ok: the gateway does not end because of it.
  Status Why() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }

 private:
  const Globals& globals_;
  const policy::LivePolicy& policy_;
  mutable std::mutex mutex_;
  Status why_;
};

Status Serve(Globals& globals, std::string socket, const server::ApprovalOptions& approvals) {
  const CancelToken cancel = CancelOnSignal();
  App app(globals.app);
  if (socket.empty()) {
    socket = app.state_directory() + "/nacre.sock";
  }
  server::ServerOptions options;
  options.socket_path = std::filesystem::absolute(socket).lexically_normal();
  options.approvals = approvals;
  if (!approvals.socket_path.empty()) {
    options.approvals.socket_path =
        std::filesystem::absolute(approvals.socket_path).lexically_normal();
    options.approvals.wait = true;
  }
  options.sessions.workspace_root = NACRE_TRY(app.Workspace());
  options.sessions.policy_name = app.options().policy;
  // An invalid policy is found now, not by the first client.
  policy::LivePolicy live(NACRE_TRY(RecordIfRefused(app, app.LoadedPolicy(app.options().policy))));
  LogFailure failure(globals, live);
  app.OnLogFailure([&failure](const Error& error) { return failure.Met(error); });
  options.sessions.make_policy = [&app, &live](const std::string& workspace) {
    return app.PolicyFor(*live.Current(), app.options().policy, workspace);
  };
  NACRE_TRY(options.sessions.make_policy(options.sessions.workspace_root));
  const agent::Services services = NACRE_TRY(app.SessionServices(nullptr));
  const auto tell = [&globals](const char* event) {
    return [&globals, event](const std::string& text) { Tell(globals, event, text); };
  };
  const PolicyReload reload([&app] { return app.LoadedPolicy(app.options().policy); }, live,
                            services.log, tell("policy"));
  const RetentionTimer retention(
      app, services.log, [&live] { return live.Current(); }, tell("retention"));
  const auto record = [&](const char* event, Json data) -> Status {
    const Result<uint64_t> written = services.log.Append(
        {.event = event, .policy_digest = live.Current()->digest, .data = std::move(data)});
    return written.ok() ? Ok() : Status(written.error());
  };
  const std::unique_ptr<server::GrpcServer> gateway =
      NACRE_TRY(server::GrpcServer::Start(options, services));
  // Before the first client is served: they wait until ServeUntil().
  const inference::EngineInfo engine = services.engine.Info();
  NACRE_TRY(record("server.started", {{"version", NACRE_VERSION},
                                      {"socket", options.socket_path},
                                      {"workspace", options.sessions.workspace_root},
                                      {"policy", options.sessions.policy_name},
                                      {"engine", engine.name},
                                      {"model", engine.model},
                                      {"model_digest", engine.model_digest},
                                      {"sandbox", services.sandbox_summary},
                                      {"weaker", services.sandbox_weaker},
                                      {"approvals", options.approvals.wait},
                                      {"approval_socket", options.approvals.socket_path},
                                      {"approval_group", options.approvals.group}}));
  if (globals.json) {
    const OrderedJson json = {{"event", "listening"},
                              {"socket", options.socket_path},
                              {"approvals", options.approvals.wait},
                              {"approval_socket", options.approvals.socket_path}};
    PrintJson(json);
  } else {
    std::printf("listening on %s\n  try: nacre run --connect %s \"List the files here\"\n",
                options.socket_path.c_str(), options.socket_path.c_str());
    if (options.approvals.wait) {
      std::printf("calls that need a yes wait: nacre approval watch --connect %s\n",
                  options.socket_path.c_str());
    }
    if (!options.approvals.socket_path.empty()) {
      std::printf("members of %s answer on %s\n", options.approvals.group.c_str(),
                  options.approvals.socket_path.c_str());
    }
  }
  std::fflush(stdout);
  Status served = gateway->ServeUntil(cancel);
  if (served.ok()) {
    served = failure.Why();
  }
  const Status recorded =
      record("server.stopped", {{"error", served.ok() ? std::string() : served.error().message}});
  NACRE_TRY(served);
  NACRE_TRY(recorded);
  return services.log.WriteCheckpoint();
}

}  // namespace

void RegisterServe(CLI::App& root, Globals& globals) {
  CLI::App* command =
      root.add_subcommand("serve", "Offer sessions to other programs on a Unix socket (gRPC)");
  command->footer(
      "Examples:\n"
      "  nacre serve --workspace ~/project --policy coding\n"
      "  nacre run --connect ~/.local/state/nacre/nacre.sock \"List the files here\"\n"
      "Only this user (and root) can connect. Clients choose a folder below --workspace; the "
      "policy is the server's. kill -HUP reads the policy again, for sessions that begin then; one "
      "that is wrong changes nothing.\n"
      "  nacre serve --approval-socket /run/nacre/approvals.sock --approval-group operator\n"
      "lets others than this user approve calls: the policy's rules say who (approvers).");
  auto socket = std::make_shared<std::string>();
  command->add_option("--socket", *socket,
                      "The Unix socket (default: nacre.sock in the state directory)");
  auto approvals = std::make_shared<server::ApprovalOptions>();
  command->add_flag("--approvals", approvals->wait,
                    "A call that a rule asks for waits for an answer (nacre approval), instead of "
                    "being refused");
  CLI::Option* approval_socket = command->add_option(
      "--approval-socket", approvals->socket_path,
      "A second Unix socket, where --approval-group may answer; the same as --approvals besides");
  CLI::Option* approval_group = command->add_option("--approval-group", approvals->group,
                                                    "A group of this host, for --approval-socket");
  approval_socket->needs(approval_group);
  approval_group->needs(approval_socket);
  AddPolicyFlag(*command, globals);
  AddWorkspaceFlag(*command, globals);
  AddEngineFlags(*command, globals);
  AddToolFlag(*command, globals);
  AddJsonFlag(*command, globals);
  command->callback([&globals, socket, approvals] {
    const Status served = Serve(globals, *socket, *approvals);
    globals.exit_code = served.ok() ? kExitOk : Fail(globals, served.error());
  });
}

}  // namespace nacre::cli
