// nacre approval list|watch|allow|deny: the calls of a gateway that wait for a person's yes.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "runtime/cli/approval_prompt.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"
#include "sdk/client/approval_client.h"

namespace nacre::cli {
namespace {

using client::ApprovalClient;
using client::PendingApproval;

constexpr std::chrono::milliseconds kLookAgain{500};

OrderedJson ToJson(const PendingApproval& pending) {
  const Result<Json> arguments = ParseJson(pending.arguments_json);
  return {{"call", pending.call},
          {"session", pending.session},
          {"tool", pending.tool},
          {"arguments",
           arguments.ok() ? OrderedJson(arguments.value()) : OrderedJson(pending.arguments_json)},
          {"rule", pending.rule},
          {"reason", pending.reason},
          {"workspace", pending.workspace},
          {"files", pending.files},
          {"digest", pending.digest},
          {"wanted", pending.wanted},
          {"given", pending.given},
          {"expires_ms", pending.expires.count()},
          {"answered", pending.answered}};
}

std::string SocketOf(const Globals& globals, const std::string& given) {
  return given.empty() ? App(globals.app).state_directory() + "/nacre.sock" : given;
}

Result<std::unique_ptr<ApprovalClient>> Connect(const Globals& globals, const std::string& socket) {
  Result<std::unique_ptr<ApprovalClient>> client =
      ApprovalClient::Connect(SocketOf(globals, socket));
  return client.ok()
             ? std::move(client)
             : Result<std::unique_ptr<ApprovalClient>>(WithContext("the gateway", client.error()));
}

// A gateway that refuses such calls does not know the service.
int FailAnswer(const Globals& globals, const Error& error) {
  if (error.code == ErrorCode::kUnimplemented) {
    return Fail(globals, {ErrorCode::kFailedPrecondition,
                          "this gateway asks nobody; start it with nacre serve --approvals"});
  }
  const bool refused = error.code == ErrorCode::kNotFound ||
                       error.code == ErrorCode::kFailedPrecondition ||
                       error.code == ErrorCode::kAlreadyExists;
  return Fail(globals, error, refused ? kExitFailed : kExitBroken);
}

struct Waiting {
  std::unique_ptr<ApprovalClient> client;
  std::vector<PendingApproval> waiting;
};

// What waits there for this person's answer.
Result<Waiting> Ask(const Globals& globals, const std::string& socket) {
  Waiting answer;
  answer.client = NACRE_TRY(Connect(globals, socket));
  answer.waiting = NACRE_TRY(answer.client->List());
  return answer;
}

int List(const Globals& globals, const std::string& socket) {
  const auto gateway = Ask(globals, socket);
  if (!gateway.ok()) {
    return FailAnswer(globals, gateway.error());
  }
  const std::vector<PendingApproval>& all = gateway.value().waiting;
  for (const PendingApproval& pending : all) {
    if (globals.json) {
      PrintJson(ToJson(pending));
    } else {
      PrintPending(pending);
      PrintQuestion(QuestionOf(pending));
    }
  }
  if (!globals.json) {
    std::printf(all.empty() ? "  no call waits for your answer\n"
                            : "\n  nacre approval allow CALL, or deny CALL\n");
  }
  return kExitOk;
}

int AnswerOne(const Globals& globals, const std::string& socket, const std::string& call,
              bool approved) {
  // A part of an id may come to mean another call than the one that was looked at.
  if (approved && !IsUlid(call)) {
    return Fail(globals,
                {ErrorCode::kInvalidArgument, "give the whole id of the call that you saw"},
                kExitUsage);
  }
  const auto gateway = Ask(globals, socket);
  if (!gateway.ok()) {
    return FailAnswer(globals, gateway.error());
  }
  const PendingApproval* found = nullptr;
  for (const PendingApproval& pending : gateway.value().waiting) {
    if (pending.call.starts_with(call)) {
      if (found != nullptr) {
        return Fail(globals,
                    {ErrorCode::kInvalidArgument,
                     "more than one call that waits begins with " + call + "; give more of its id"},
                    kExitUsage);
      }
      found = &pending;
    }
  }
  if (found == nullptr) {
    return Fail(globals, {ErrorCode::kNotFound, "no call " + call + " waits for your answer"},
                kExitFailed);
  }
  if (!globals.json) {
    PrintPending(*found);
    PrintQuestion(QuestionOf(*found));
  }
  const Result<int> missing = gateway.value().client->Answer(*found, approved);
  if (!missing.ok()) {
    return FailAnswer(globals, missing.error());
  }
  if (globals.json) {
    const OrderedJson json = {{"call", found->call},
                              {"digest", found->digest},
                              {"approved", approved},
                              {"missing", missing.value()}};
    PrintJson(json);
  } else if (!approved) {
    std::printf("  refused\n");
  } else if (missing.value() > 0) {
    std::printf("  noted; %d more must say yes\n", missing.value());
  } else {
    std::printf("  approved\n");
  }
  return kExitOk;
}

// Asks for each call at this terminal as it comes, until Ctrl-C or the gateway's end.
int Watch(const Globals& globals, const std::string& socket) {
  if (!PersonIsThere() || globals.json) {
    return Fail(globals,
                {ErrorCode::kInvalidArgument,
                 "watch asks at a terminal, and here is none; use nacre approval list --json"},
                kExitUsage);
  }
  const auto client = Connect(globals, socket);
  if (!client.ok()) {
    return Fail(globals, client.error());
  }
  const CancelToken cancel = CancelOnSignal();
  std::printf("  waiting for calls that need your yes; Ctrl-C ends\n");
  std::fflush(stdout);
  std::set<std::string> passed_over;  // asked, and not answered in time
  while (!cancel.cancelled()) {
    const Result<std::vector<PendingApproval>> all = client.value()->List();
    if (!all.ok() && all.error().code != ErrorCode::kResourceExhausted) {
      return FailAnswer(globals, all.error());
    }
    for (const PendingApproval& pending : all.ok() ? all.value() : std::vector<PendingApproval>()) {
      if (pending.answered || passed_over.contains(pending.call)) {
        continue;
      }
      PrintPending(pending);
      const Said said = AskAtTerminal(
          QuestionOf(pending), {.expires = pending.expires, .cancel = cancel, .still_asked = [&] {
                                  return IsAsked(*client.value(), pending);
                                }});
      if (said == Said::kCancelled) {
        return kExitOk;
      }
      passed_over.insert(pending.call);
      if (said == Said::kNothingInTime || said == Said::kNoLongerAsked) {
        std::printf("  it is no longer asked\n");
        continue;
      }
      const Result<int> missing = client.value()->Answer(pending, said == Said::kYes);
      std::printf("  %s\n", !missing.ok()         ? SafeLine(missing.error().message, 200).c_str()
                            : said == Said::kNo   ? "refused"
                            : missing.value() > 0 ? "noted; others must say yes too"
                                                  : "approved");
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return kExitOk;
}

}  // namespace

void RegisterApproval(CLI::App& root, Globals& globals) {
  CLI::App* approval =
      root.add_subcommand("approval", "The calls of a gateway that wait for a person's yes");
  approval->require_subcommand(1);
  approval->footer(
      "Examples:\n"
      "  nacre serve --approvals --policy team.yaml\n"
      "  nacre approval watch\n"
      "  nacre approval list --connect /run/nacre/approvals.sock\n"
      "  nacre approval allow 01J8ZC5M0T3K9Q7W2E4R6Y8U1P\n"
      "Who may answer which call, the policy says (approvers). Only these calls are shown.");
  auto socket = std::make_shared<std::string>();
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = approval->add_subcommand(name, help);
    command->add_option("--connect", *socket,
                        "The gateway's Unix socket, or its approval socket (default: nacre.sock in "
                        "the state directory)");
    AddJsonFlag(*command, globals);
    return command;
  };
  add("list", "The calls that wait for your answer")->callback([&globals, socket] {
    globals.exit_code = List(globals, *socket);
  });
  add("watch", "Asks for each call at this terminal as it comes")->callback([&globals, socket] {
    globals.exit_code = Watch(globals, *socket);
  });
  for (const bool approved : {true, false}) {
    CLI::App* command =
        add(approved ? "allow" : "deny",
            approved ? "Says yes to one call, as it is shown" : "Says no to one call");
    auto call = std::make_shared<std::string>();
    command->add_option("call", *call, approved ? "Its whole id" : "Its id, or a unique prefix")
        ->required();
    command->callback([&globals, socket, call, approved] {
      globals.exit_code = AnswerOne(globals, *socket, *call, approved);
    });
  }
}

}  // namespace nacre::cli
