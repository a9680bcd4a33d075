#include "runtime/cli/session_runner.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/account.h"
#include "base/file.h"
#include "runtime/agent/approver.h"
#include "runtime/agent/session_driver.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/layout.h"
#include "runtime/cli/approval_prompt.h"
#include "runtime/cli/event_printer.h"
#include "runtime/cli/gateway_runner.h"
#include "runtime/cli/policy_reload.h"
#include "runtime/cli/retention.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

// Asks on the terminal that the person sits at.
class TerminalApprover final : public agent::Approver {
 public:
  agent::Approval Ask(const agent::ApprovalRequest& request) override {
    const policy::Decision& decision = request.decision;
    const auto nobody = [](const char* since, std::string why) {
      return agent::Approval{
          .approved = false, .by = std::string("nobody, since ") + since, .why = std::move(why)};
    };
    const Account person = AccountOf(::getuid());
    for (const policy::Approvers& approvers : decision.approvers) {
      if (!agent::MayApprove(approvers, person, person.uid)) {
        return nobody("whom the policy means is not at this terminal",
                      "only " + agent::DescribeApprovers(approvers) + " may approve this");
      }
      if (approvers.count > 1) {
        return nobody(
            "a terminal asks one person",
            std::to_string(approvers.count) +
                " persons must approve this, and a terminal asks one: nacre serve --approvals "
                "can ask several");
      }
    }
    request.asked();
    ApprovalQuestion question = {.tool = request.call.tool->name,
                                 .arguments_json = DumpJson(request.call.request.arguments),
                                 .rule = decision.rule,
                                 .reason = decision.reason,
                                 .workspace = request.subject.workspace};
    for (const agent::ApprovedFile& file : request.subject.files) {
      question.files.emplace_back(file.path, file.digest);
    }
    const Said said =
        AskAtTerminal(question, {.expires = request.expires, .cancel = request.cancel});
    if (said == Said::kCancelled) {
      return nobody("the turn was cancelled", "the turn was cancelled while a person was asked");
    }
    if (said != Said::kYes && said != Said::kNo) {
      return nobody("no answer came in time", agent::WhyExpired(request));
    }
    return {.approved = said == Said::kYes,
            .by = "uid " + std::to_string(person.uid) + " on the terminal",
            .uid = person.uid};
  }
};

// A session keeps its policy: one that has become another since must not hold silently.
Error PolicyChanged(const std::string& session, const std::string& policy) {
  return {ErrorCode::kFailedPrecondition,
          "the policy " + policy + " is not what session " + session +
              " began under: it has changed since, or another --tenant-policy was put upon it; "
              "start a new session to work under it as it is now"};
}

// Who answers is the person's choice each time; that it is another model is said.
void NoteOtherModel(const memory::SessionRecord& session, const std::string& model) {
  if (!session.model.empty() && session.model != model) {
    std::fprintf(stderr, "nacre: note: session %s began with the model %s and goes on with %s\n",
                 session.id.c_str(), SafeLine(session.model, 80).c_str(),
                 SafeLine(model, 80).c_str());
  }
}

// Goes on with a session as this command did: what a session does not keep is said again.
std::string ResumeCommand(const std::string& session, const AppOptions& options) {
  std::string command = "nacre session resume " + session;
  const auto add = [&command](const char* flag, const std::string& value) {
    if (!value.empty()) {
      command += std::string(" ") + flag + " " + ShellWord(value);
    }
  };
  add("--state", options.state_directory);
  add("--tenant-policy", options.tenant_policy);
  add("--engine", options.engine_url);
  add("--model", options.model);
  for (const std::string& directory : options.tool_directories) {
    add("--tools", directory);
  }
  return command;
}

using PolicyPointer = std::shared_ptr<const policy::Policy>;

Result<std::unique_ptr<agent::SessionDriver>> OpenSession(App& app, const TurnRequest& request,
                                                          agent::Approver* approver,
                                                          agent::EventSink& sink,
                                                          PolicyPointer* policy) {
  agent::SessionOptions options;
  memory::SessionRecord session;  // empty for a new one
  if (request.session.empty()) {
    options.workspace = NACRE_TRY(app.Workspace());
    options.policy_name = app.options().policy;
  } else {
    memory::SessionStore* store = NACRE_TRY(app.Store());
    session = NACRE_TRY(store->LoadSession(request.session)).session;
    options.workspace = session.workspace;
    options.policy_name = session.policy;
    if (!request.text.has_value() && !session.unfinished) {
      return Error{ErrorCode::kFailedPrecondition,
                   "session " + session.id +
                       " has no unfinished turn; ask it something: nacre run --session " +
                       session.id + " \"...\""};
    }
  }
  std::string asked_workspace = options.workspace;
  if (request.workspace_given) {
    asked_workspace = NACRE_TRY(app.Workspace());
  }
  if (asked_workspace != options.workspace ||
      (request.policy_given && app.options().policy != options.policy_name)) {
    return Error{ErrorCode::kInvalidArgument,
                 "session " + session.id + " keeps its policy " + options.policy_name +
                     " and its workspace " + options.workspace +
                     "; start a new session, without --session, for others"};
  }
  options.policy =
      NACRE_TRY(RecordIfRefused(app, app.Policy(options.policy_name, options.workspace)));
  if (!session.policy_digest.empty() && session.policy_digest != options.policy->digest) {
    return PolicyChanged(session.id, options.policy_name);
  }
  *policy = options.policy;
  const agent::Services services = NACRE_TRY(app.SessionServices(approver));
  if (session.id.empty()) {
    return agent::SessionDriver::Create(services, std::move(options), request.text.value_or(""),
                                        sink);
  }
  NoteOtherModel(session, services.engine.Info().model);
  return agent::SessionDriver::Resume(services, std::move(options), session.id, sink);
}

// `before`: the newest checkpoint when the session was opened. What it covers is not read again.
void PrintAuditState(const App& app, const std::optional<std::string>& before) {
  const Terminal terminal(STDOUT_FILENO);
  const Result<audit::VerifyReport> report =
      audit::VerifyAuditLog(app.audit_directory(), {.since = before});
  if (report.ok() && report.value().ok) {
    const bool all = report.value().read == report.value().records;
    std::printf(
        "  %s\n",
        terminal
            .Paint(Style::kDim, "audit log verified · " +
                                    (all ? "" : std::to_string(report.value().read) + " new of ") +
                                    std::to_string(report.value().records) + " records")
            .c_str());
  } else {
    std::printf("  %s nacre audit verify says why\n",
                terminal.Paint(Style::kRed, "the audit log does not verify:").c_str());
  }
}

}  // namespace

Status RefuseFlagsOfGateway(const CLI::App& command) {
  if (command.count("--connect") == 0) {
    return Ok();
  }
  for (const char* flag : {"--policy", "--tenant-policy", "--model", "--engine", "--tools"}) {
    const CLI::Option* option = command.get_option_no_throw(flag);
    if (option != nullptr && option->count() > 0) {
      return Error{ErrorCode::kInvalidArgument,
                   std::string("the gateway has its own policies, engine and tools; leave out ") +
                       flag + ", or give it to nacre serve"};
    }
  }
  return Ok();
}

int RunTurnCommand(Globals& globals, const TurnRequest& request) {
  const CancelToken cancel = CancelOnSignal();
  const std::unique_ptr<EventPrinter> printer =
      globals.json ? MakeJsonPrinter() : MakeTerminalPrinter();
  if (!request.connect.empty()) {
    return RunThroughGateway(globals, request, *printer, cancel);
  }
  PrintingSink sink(*printer);
  App app(globals.app);
  const Result<std::string> checkpoint =
      ReadFile(app.audit_directory() + "/" + audit::kCheckpointFile, audit::kCheckpointBytesMax);
  TerminalApprover terminal_approver;
  const bool person_there = PersonIsThere() && !globals.json;
  PolicyPointer policy;
  auto driver =
      OpenSession(app, request, person_there ? &terminal_approver : nullptr, sink, &policy);
  if (!driver.ok()) {
    const ErrorCode code = driver.error().code;
    const bool unmet = code == ErrorCode::kFailedPrecondition || code == ErrorCode::kNotFound;
    if (code == ErrorCode::kInvalidArgument && !request.session.empty()) {
      return Fail(globals, driver.error(), kExitUsage);
    }
    return Fail(globals, driver.error(),
                unmet && !request.session.empty() ? kExitFailed : kExitBroken);
  }
  Result<agent::TurnFinished> finished = request.text.has_value()
                                             ? driver.value()->RunTurn(*request.text, cancel)
                                             : driver.value()->ContinueTurn(cancel);
  if (!finished.ok()) {
    return Fail(globals, finished.error());
  }
  const std::string& state = finished.value().state;
  if (!globals.json) {
    PrintAuditState(app, checkpoint.ok() ? std::optional(checkpoint.value()) : std::nullopt);
    if (state == "cancelled") {
      std::printf("  finish it: %s\n",
                  SafeForTerminal(ResumeCommand(finished.value().session, globals.app)).c_str());
    }
  }
  // What was done is done: the log being longer than it should be does not change how it ended.
  const Result<audit::AuditLog*> log = app.Log();
  const Result<std::string> pruned =
      log.ok() ? ApplyRetention(app, *policy, *log.value()) : Result<std::string>(log.error());
  if (const std::string& text = pruned.ok() ? pruned.value() : pruned.error().message;
      !text.empty()) {
    std::fprintf(stderr, "nacre: %s\n", SafeForTerminal(text).c_str());
  }
  return state == "finished" ? kExitOk : state == "cancelled" ? kExitCancelled : kExitFailed;
}

}  // namespace nacre::cli
