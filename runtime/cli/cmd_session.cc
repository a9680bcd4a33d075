// nacre session list|show|resume|delete: what was done, finishing what was interrupted, and forgetting it.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/ids.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/command.h"
#include "runtime/cli/session_deletion.h"
#include "runtime/cli/session_runner.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

using memory::SessionDetail;
using memory::SessionRecord;

OrderedJson ToJson(const SessionRecord& session) {
  return {{"session", session.id},
          {"created_ms", session.created_ms},
          {"updated_ms", session.updated_ms},
          {"workspace", session.workspace},
          {"policy", session.policy},
          {"policy_digest", session.policy_digest},
          {"model", session.model},
          {"title", session.title},
          {"turns", session.turns},
          {"unfinished", session.unfinished}};
}

// Stored as text; shown as the object that it is.
OrderedJson ObjectOf(const std::string& text) {
  const Result<Json> parsed = ParseJson(text);
  return parsed.ok() ? OrderedJson(parsed.value()) : OrderedJson(text);
}

std::string Indented(const std::string& text) {
  constexpr size_t kShownBytesMax = 2000;
  std::string lines = SafeForTerminal(text.substr(0, kShownBytesMax));
  lines += text.size() > kShownBytesMax ? "..." : "";
  for (size_t at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 1)) {
    lines.insert(at + 1, "     ");
  }
  return lines;
}

OrderedJson ToJson(const memory::CallRecord& call) {
  return {{"call", call.id},
          {"tool", call.tool},
          {"arguments", ObjectOf(call.arguments_json)},
          {"state", memory::CallStateName(call.state)},
          {"verdict", call.verdict},
          {"rule", call.rule},
          {"reason", call.reason},
          {"started_ms", call.started_ms},
          {"finished_ms", call.finished_ms},
          {"outcome", ObjectOf(call.outcome_json)},
          {"result", call.result_text},
          {"withheld", call.withheld},
          {"error", call.result_error}};
}

OrderedJson ToJson(const SessionDetail& detail) {
  OrderedJson json = ToJson(detail.session);
  OrderedJson turns = OrderedJson::array();
  for (const memory::TurnRecord& turn : detail.turns) {
    OrderedJson steps = OrderedJson::array();
    for (const memory::StepRecord& step : turn.steps) {
      OrderedJson entry = {{"index", step.index},
                           {"prompt_tokens", step.prompt_tokens},
                           {"generated_tokens", step.generated_tokens},
                           {"wall_ms", step.wall_ms},
                           {"bytes_out", step.bytes_out},
                           {"energy_uj", step.energy_uj}};
      if (step.call.has_value()) {
        entry["call"] = ToJson(*step.call);
      } else if (!step.malformed_reason.empty()) {
        entry[step.unanswered() ? "unanswered" : "malformed"] = step.malformed_reason;
      } else {
        entry["answer"] = step.answer;
      }
      steps.push_back(std::move(entry));
    }
    turns.push_back({{"turn", turn.id},
                     {"state", memory::TurnStateName(turn.state)},
                     {"request", turn.request},
                     {"answer", turn.answer},
                     {"error", turn.error},
                     {"steps", std::move(steps)}});
  }
  json["turn_list"] = std::move(turns);
  return json;
}

std::string Date(int64_t unix_ms) {
  return FormatRfc3339(WallTime(std::chrono::milliseconds(unix_ms))).substr(0, 19);
}

int List(Globals& globals, int64_t limit) {
  App app(globals.app);
  Result<memory::SessionStore*> store = app.Store();
  if (!store.ok()) {
    return Fail(globals, store.error());
  }
  Result<std::vector<SessionRecord>> sessions = store.value()->ListSessions(limit);
  if (!sessions.ok()) {
    return Fail(globals, sessions.error());
  }
  if (sessions.value().empty() && !globals.json) {
    std::printf("No sessions yet. Start one: nacre run \"List the files here\"\n");
  }
  for (const SessionRecord& session : sessions.value()) {
    if (globals.json) {
      PrintJson(ToJson(session));
    } else {
      std::printf("%s  %s  %2lld turn%s%s  %s\n", session.id.c_str(),
                  Date(session.created_ms).c_str(), static_cast<long long>(session.turns),
                  session.turns == 1 ? " " : "s", session.unfinished ? "  unfinished" : "",
                  SafeLine(session.title, 60).c_str());
    }
  }
  return kExitOk;
}

int Show(Globals& globals, const std::string& id) {
  App app(globals.app);
  Result<memory::SessionStore*> store = app.Store();
  if (!store.ok()) {
    return Fail(globals, store.error());
  }
  Result<SessionDetail> detail = store.value()->LoadSession(id);
  if (!detail.ok()) {
    return Fail(globals, detail.error(), kExitFailed);
  }
  if (globals.json) {
    PrintJson(ToJson(detail.value()));
    return kExitOk;
  }
  const Terminal terminal(STDOUT_FILENO);
  const SessionRecord& session = detail.value().session;
  std::printf("session    %s\ncreated    %s\nworkspace  %s\npolicy     %s\nmodel      %s\n",
              session.id.c_str(), Date(session.created_ms).c_str(),
              SafeLine(session.workspace, 200).c_str(), SafeLine(session.policy, 200).c_str(),
              SafeLine(session.model, 80).c_str());
  for (const memory::TurnRecord& turn : detail.value().turns) {
    std::printf("\n%s %s\n", terminal.Paint(Style::kBold, ">").c_str(),
                SafeForTerminal(turn.request).c_str());
    for (const memory::StepRecord& step : turn.steps) {
      if (step.call.has_value()) {
        const memory::CallRecord& call = *step.call;
        std::printf("  %lld  %s %s  %s  rule %s  %s\n", static_cast<long long>(step.index + 1),
                    call.tool.c_str(), SafeLine(call.arguments_json, 120).c_str(),
                    call.verdict.c_str(), call.rule.c_str(), memory::CallStateName(call.state));
        if (!call.result_text.empty()) {
          std::printf("     %s\n", terminal.Paint(Style::kDim, Indented(call.result_text)).c_str());
        }
      } else if (!step.malformed_reason.empty()) {
        std::printf("  %lld  %s%s\n", static_cast<long long>(step.index + 1),
                    step.unanswered() ? "" : "malformed call: ",
                    SafeLine(step.malformed_reason, 160).c_str());
      }
    }
    if (turn.state == memory::TurnState::kFinished) {
      std::printf("  %s\n", Indented(turn.answer).c_str());
    } else if (turn.state == memory::TurnState::kRunning) {
      std::printf("  not finished: running now, or interrupted (then: nacre session resume %s)\n",
                  session.id.c_str());
    } else {
      std::printf("  %s%s\n", memory::TurnStateName(turn.state),
                  turn.error.empty() ? "" : (": " + SafeLine(turn.error, 200)).c_str());
    }
  }
  return kExitOk;
}

int Delete(Globals& globals, const std::string& id, const std::string& reason) {
  App app(globals.app);
  // A session that runs would go on writing; a wrong id is refused by DeleteSession().
  Result<memory::SessionStore*> store = app.Store();
  if (!store.ok()) {
    return Fail(globals, store.error());
  }
  if (!IsUlid(id)) {
    return Fail(globals,
                {ErrorCode::kInvalidArgument,
                 "name the session by its whole id: nacre session list shows it"},
                kExitUsage);
  }
  const auto lease = store.value()->LockSession(id);
  if (!lease.ok()) {
    return Fail(globals, lease.error(), kExitFailed);
  }
  const Result<DeletedSession> deleted = DeleteSession(app, id, reason);
  if (!deleted.ok()) {
    return FailBy(globals, deleted.error());
  }
  if (globals.json) {
    OrderedJson json = {{"session", id}};
    json.update(ToJson(deleted.value()));
    PrintJson(json);
    return kExitOk;
  }
  const memory::ErasedSession& rows = deleted.value().rows;
  std::printf(
      "deleted session %s: %lld turns, %lld calls, %lld notes; what %llu calls changed can no more "
      "be taken back. Record %llu says so\n",
      id.c_str(), static_cast<long long>(rows.turns), static_cast<long long>(rows.calls),
      static_cast<long long>(rows.notes),
      static_cast<unsigned long long>(deleted.value().transactions),
      static_cast<unsigned long long>(deleted.value().record));
  return kExitOk;
}

}  // namespace

void RegisterSession(CLI::App& root, Globals& globals) {
  CLI::App* session = root.add_subcommand("session", "List, show, resume and delete sessions");
  session->require_subcommand(1);
  session->footer(
      "Examples:\n  nacre session list\n  nacre session show last\n  nacre session resume 01K\n"
      "  nacre session show last --json | jq .turn_list");

  CLI::App* list = session->add_subcommand("list", "The newest sessions, one a line");
  auto limit = std::make_shared<int64_t>(50);
  list->add_option("--limit", *limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  AddJsonFlag(*list, globals);
  list->callback([&globals, limit] { globals.exit_code = List(globals, *limit); });

  CLI::App* show = session->add_subcommand("show", "Everything a session did");
  auto shown = std::make_shared<std::string>("last");
  show->add_option("session", *shown, "An id, a unique prefix, or \"last\"")->capture_default_str();
  AddJsonFlag(*show, globals);
  show->callback([&globals, shown] { globals.exit_code = Show(globals, *shown); });

  CLI::App* deletion = session->add_subcommand(
      "delete", "Deletes a session's texts, notes and undo data; the audit log keeps its records");
  auto deleted = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  deletion->add_option("session", *deleted, "The whole id")->required();
  deletion->add_option("--reason", *reason, "Why; it is recorded");
  AddJsonFlag(*deletion, globals);
  deletion->footer(
      "Refused while the session runs or a legal hold is on it. Contents in the audit log are "
      "erased by nacre audit erase, which does both with --everywhere.\n"
      "Example:\n  nacre session delete 01K3V5T0Q4X6Z8B2D4F6H8J0M2 --reason 'asked for'");
  deletion->callback(
      [&globals, deleted, reason] { globals.exit_code = Delete(globals, *deleted, *reason); });

  CLI::App* resume =
      session->add_subcommand("resume", "Finish a turn that was killed or cancelled");
  auto resumed = std::make_shared<TurnRequest>();
  resumed->session = "last";
  resume->add_option("session", resumed->session, "An id, a unique prefix, or \"last\"")
      ->capture_default_str();
  AddTenantFlag(*resume, globals);
  AddEngineFlags(*resume, globals);
  AddToolFlag(*resume, globals);
  resume->add_option("--connect", resumed->connect,
                     "Through the gateway on this Unix socket, with its engine and tools");
  AddJsonFlag(*resume, globals);
  resume->callback([&globals, resume, resumed] {
    const Status refused = RefuseFlagsOfGateway(*resume);
    globals.exit_code = refused.ok() ? RunTurnCommand(globals, *resumed)
                                     : Fail(globals, refused.error(), kExitUsage);
  });
}

}  // namespace nacre::cli
