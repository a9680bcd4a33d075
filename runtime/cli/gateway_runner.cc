#include "runtime/cli/gateway_runner.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "runtime/agent/approver.h"
#include "runtime/cli/approval_prompt.h"
#include "runtime/cli/terminal.h"
#include "sdk/client/approval_client.h"
#include "sdk/client/session_client.h"

namespace nacre::cli {
namespace {

Result<std::string> OpenGatewaySession(client::SessionClient& gateway, const Globals& globals,
                                       const TurnRequest& request, EventPrinter& printer) {
  if (!request.session.empty()) {
    return request.session;
  }
  client::NewSession session{.workspace = {}, .policy = {}, .title = request.text.value_or("")};
  // The default, ".", means the gateway's own root: its folders are not necessarily ours.
  if (globals.app.workspace != ".") {
    std::error_code error;
    session.workspace = std::filesystem::canonical(globals.app.workspace, error).string();
    if (error) {
      return Error{ErrorCode::kNotFound,
                   "workspace " + globals.app.workspace + ": " + error.message()};
    }
  }
  const client::Event started = NACRE_TRY(gateway.CreateSession(session));
  printer.Print(started.data);
  return started.data.value("session", std::string());
}

// The turn waits for a yes. When it may be this person's, they are asked here; otherwise they are told
// whose it waits for. What goes wrong is said, and the turn goes on waiting.
void AnswerHere(const TurnRequest& request, const OrderedJson& asked, const CancelToken& cancel) {
  const std::string call = asked.value("call", std::string());
  const auto answer = [&]() -> Status {
    const auto gateway = NACRE_TRY(
        client::ApprovalClient::Connect(request.connect, client::ApprovalClient::Of::kUsOrRoot));
    const std::vector<client::PendingApproval> all = NACRE_TRY(gateway->List());
    const auto pending = std::find_if(
        all.begin(), all.end(), [&](const auto& candidate) { return candidate.call == call; });
    if (pending == all.end()) {
      std::vector<policy::Approvers> approvers;
      for (const OrderedJson& each : asked.value("approvers", OrderedJson::array())) {
        approvers.push_back({.users = each.value("users", std::vector<std::string>()),
                             .role = each.value("role", std::string()),
                             .count = each.value("count", 1)});
      }
      std::printf("  waiting for the yes of %s\n",
                  SafeLine(agent::DescribeApprovers(approvers), 200).c_str());
      return Ok();
    }
    PrintPending(*pending);
    const Said said = AskAtTerminal(
        QuestionOf(*pending), {.expires = pending->expires, .cancel = cancel, .still_asked = [&] {
                                 return IsAsked(*gateway, *pending);
                               }});
    if (said != Said::kYes && said != Said::kNo) {
      return Ok();
    }
    const int missing = NACRE_TRY(gateway->Answer(*pending, said == Said::kYes));
    if (missing > 0) {
      std::printf("  waiting for %d more to say yes\n", missing);
    }
    return Ok();
  };
  if (const Status answered = answer(); !answered.ok()) {
    std::printf("  not answered here: %s\n", SafeLine(answered.error().message, 200).c_str());
  }
  std::fflush(stdout);
}

}  // namespace

int RunThroughGateway(Globals& globals, const TurnRequest& request, EventPrinter& printer,
                      const CancelToken& cancel) {
  Result<std::unique_ptr<client::SessionClient>> gateway =
      client::SessionClient::Connect(request.connect);
  if (!gateway.ok()) {
    return Fail(globals, WithContext("the gateway on " + request.connect, gateway.error()));
  }
  const Result<std::string> session =
      OpenGatewaySession(*gateway.value(), globals, request, printer);
  if (!session.ok()) {
    return Fail(globals, session.error());
  }
  std::string state;
  const client::EventCallback print = [&](const client::Event& event) {
    // A session that was just created has announced itself already.
    if (event.name != "session.started" || !request.session.empty()) {
      printer.Print(event.data);
    }
    if (event.name == "call.asked" && !globals.json && PersonIsThere()) {
      AnswerHere(request, event.data, cancel);
    }
    if (event.name == "turn.finished") {
      state = event.data.value("state", std::string());
    }
  };
  const Status done = request.text.has_value()
                          ? gateway.value()->Send(session.value(), *request.text, print, cancel)
                          : gateway.value()->Resume(session.value(), print, cancel);
  if (!done.ok()) {
    return Fail(globals, done.error(),
                done.error().code == ErrorCode::kCancelled ? kExitCancelled : kExitBroken);
  }
  if (state == "cancelled" && !globals.json) {
    std::printf("  finish it: nacre session resume --connect %s %s\n",
                SafeForTerminal(ShellWord(request.connect)).c_str(), session.value().c_str());
  }
  return state == "finished" ? kExitOk : state == "cancelled" ? kExitCancelled : kExitFailed;
}

}  // namespace nacre::cli
