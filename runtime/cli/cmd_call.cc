// nacre call show|diff|undo: what one call was, what it did to the workspace, and taking that back.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <sstream>

#include "memory/session_store.h"
#include "runtime/agent/stored_labels.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"
#include "sandbox/workspace/line_diff.h"
#include "sandbox/workspace/transaction_log.h"

namespace nacre::cli {
namespace {

using sandbox::Change;
using sandbox::EntryState;
using sandbox::EntryType;
using sandbox::JournalChange;
using sandbox::StoredTransaction;

constexpr uint64_t kShownBytesMax = 1 << 20;  // of a file: larger ones are named only
constexpr size_t kPrefixMin = 4;

Error NoSuchChange(const std::string& id) {
  return {ErrorCode::kNotFound, "no call " + id +
                                    " changed a workspace, or it is no longer kept; " +
                                    "nacre call show says what a call was"};
}

// A call's id, a unique prefix, or "last": the newest that changed a workspace.
Result<StoredTransaction> FindTransaction(sandbox::TransactionLog& log, const std::string& given) {
  std::string id = given;
  const std::vector<std::string> ids = NACRE_TRY(log.List());
  if (given == "last") {
    if (ids.empty()) {
      return Error{ErrorCode::kNotFound, "no call has changed a workspace yet"};
    }
    id = ids.front();
  } else {
    std::transform(id.begin(), id.end(), id.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::vector<std::string> found;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(found),
                 [&id](const std::string& each) { return each.starts_with(id); });
    if (id.size() < kPrefixMin || found.empty()) {
      return NoSuchChange(SafeLine(given, 40));
    }
    if (found.size() > 1) {
      return Error{ErrorCode::kInvalidArgument, "call id " + id + " is ambiguous: " + found[0] +
                                                    " and " + found[1] + " begin with it"};
    }
    id = found.front();
  }
  std::optional<StoredTransaction> stored = NACRE_TRY(log.Find(id));
  if (!stored.has_value()) {
    return NoSuchChange(id);
  }
  return std::move(*stored);
}

const char* Verb(const Change& change) {
  return change.created() ? "created" : change.deleted() ? "deleted" : "changed";
}

std::string StateText(const EntryState& state) {
  char mode[16];
  std::snprintf(mode, sizeof mode, "%04o", state.mode);
  switch (state.type) {
    case EntryType::kFile:
      return "file, mode " + std::string(mode) + ", " + std::to_string(state.size) + " bytes";
    case EntryType::kDirectory:
      return "folder, mode " + std::string(mode);
    case EntryType::kSymlink:
      return "link to " + sandbox::EncodePath(state.target);
    default:
      return "nothing";
  }
}

// The lines of a file's change, or nothing where it is no text, or too large.
std::string Hunks(const StoredTransaction& stored, const JournalChange& each) {
  const auto before = stored.journal.Content(each.before, kShownBytesMax);
  const auto after = stored.journal.Content(each.after, kShownBytesMax);
  if (!before.ok() || !after.ok()) {
    return {};
  }
  const auto edits = sandbox::DiffLines(before.value(), after.value());
  return edits.has_value() ? sandbox::UnifiedHunks(*edits) : std::string();
}

OrderedJson ToJson(const StoredTransaction& stored, bool with_lines) {
  OrderedJson changes = OrderedJson::array();
  for (const JournalChange& each : stored.journal.header().changes) {
    if (each.change.touched()) {
      continue;
    }
    OrderedJson json = {{"path", sandbox::EncodePath(each.change.path)},
                        {"change", Verb(each.change)},
                        {"before", sandbox::EntryToJson(each.change.before)},
                        {"after", sandbox::EntryToJson(each.change.after)}};
    if (with_lines) {
      json["lines"] = Hunks(stored, each);
    }
    changes.push_back(std::move(json));
  }
  return {{"call", stored.id},
          {"workspace", stored.journal.header().workspace},
          {"state", sandbox::TransactionStateName(stored.state)},
          {"changes", std::move(changes)}};
}

void PrintDiff(const StoredTransaction& stored) {
  const Terminal terminal(STDOUT_FILENO);
  for (const JournalChange& each : stored.journal.header().changes) {
    const Change& change = each.change;
    if (change.touched()) {
      continue;
    }
    std::printf("%s\n",
                terminal
                    .Paint(Style::kBold, std::string(Verb(change)) + " " +
                                             SafeLine(sandbox::EncodePath(change.path), 400))
                    .c_str());
    const bool text =
        change.before.type == EntryType::kFile || change.after.type == EntryType::kFile;
    const std::string hunks = text ? Hunks(stored, each) : std::string();
    if (hunks.empty() || change.before.mode != change.after.mode) {
      std::printf("  %s -> %s\n", SafeLine(StateText(change.before), 300).c_str(),
                  SafeLine(StateText(change.after), 300).c_str());
    }
    for (size_t start = 0; start < hunks.size();) {
      const size_t end = std::min(hunks.find('\n', start), hunks.size());
      const std::string line = hunks.substr(start, end - start);
      const Style style = line[0] == '+'   ? Style::kGreen
                          : line[0] == '-' ? Style::kRed
                          : line[0] == '@' ? Style::kDim
                                           : Style::kPlain;
      std::printf("%s\n", terminal.Paint(style, SafeForTerminal(line)).c_str());
      start = end + 1;
    }
  }
  if (stored.state != sandbox::TransactionState::kDone) {
    std::printf("%s\n", stored.state == sandbox::TransactionState::kUndone
                            ? "(undone: the workspace is as before these changes)"
                            : "(not in the workspace: somebody changed the same files)");
  }
}

int ShowDiff(Globals& globals, const std::string& id) {
  App app(globals.app);
  Result<sandbox::TransactionLog*> log = app.Transactions();
  if (!log.ok()) {
    return Fail(globals, log.error());
  }
  Result<StoredTransaction> stored = FindTransaction(*log.value(), id);
  if (!stored.ok()) {
    return Fail(globals, stored.error(), kExitFailed);
  }
  if (globals.json) {
    PrintJson(ToJson(stored.value(), true));
  } else {
    PrintDiff(stored.value());
  }
  return kExitOk;
}

struct Undone {
  std::string id;
  std::vector<sandbox::Conflict> conflicts;  // none: it is undone
  std::vector<sandbox::Conflict> misowned;   // what came back, but not to its owner
};

Result<Undone> UndoCall(App& app, const std::string& given) {
  Undone undone;
  std::string& id = undone.id;
  sandbox::TransactionLog* transactions = NACRE_TRY(app.Transactions());
  audit::AuditLog* log = NACRE_TRY(app.Log());
  const StoredTransaction stored = NACRE_TRY(FindTransaction(*transactions, given));
  id = stored.id;
  memory::SessionStore* store = NACRE_TRY(app.Store());
  const auto record = [&](const char* event, Json data) -> Status {
    const auto call = store->LoadCall(id);  // of a session that was deleted nothing is known
    const Result<uint64_t> written =
        log->Append({.event = event,
                     .session = call.ok() ? call.value().session_id : "",
                     .turn = call.ok() ? call.value().turn_id : "",
                     .call = id,
                     .data = std::move(data)});
    return written.ok() ? Ok() : Status(written.error());
  };
  // The decision, a person's, is on disk before the workspace changes.
  NACRE_TRY(record("workspace.undo", {{"by", "uid " + std::to_string(::getuid())}}));
  // Files come back with the labels that they had.
  const int64_t now = UnixMillis(app.clock().Now());
  memory::FileLabels& labels = store->file_labels();
  const sandbox::JournalHeader& header = stored.journal.header();
  const Json note = NACRE_TRY(ParseJson(header.note.empty() ? "{}" : header.note));
  const std::vector<std::string> paths = agent::LabelledPaths(header);
  agent::LabelChange change;
  const auto before = [&]() -> Result<std::string> {
    change = NACRE_TRY(agent::BeforeUndo(labels, header.workspace, note, paths, id, now));
    return std::string();
  };
  undone.conflicts = NACRE_TRY(transactions->Undo(
      id, now,
      {.before = before,
       .after = [&] { return labels.Settle(id, change.after); },
       .misowned = [&](const std::vector<sandbox::Conflict>& all) { undone.misowned = all; }}));
  NACRE_TRY(record(undone.conflicts.empty() ? "workspace.undone" : "workspace.undo_refused",
                   {{"conflicts", undone.conflicts.size()}, {"misowned", undone.misowned.size()}}));
  NACRE_TRY(log->WriteCheckpoint());
  return undone;
}

OrderedJson PathsJson(const std::vector<sandbox::Conflict>& paths) {
  OrderedJson list = OrderedJson::array();
  for (const sandbox::Conflict& each : paths) {
    list.push_back({{"path", sandbox::EncodePath(each.path)}, {"reason", each.reason}});
  }
  return list;
}

void PrintPaths(const std::vector<sandbox::Conflict>& paths) {
  for (const sandbox::Conflict& each : paths) {
    std::fprintf(stderr, "  %s %s\n", SafeLine(sandbox::EncodePath(each.path), 300).c_str(),
                 each.reason.c_str());
  }
}

int Undo(Globals& globals, const std::string& given) {
  App app(globals.app);
  const Result<Undone> ended = UndoCall(app, given);
  if (!ended.ok()) {
    const ErrorCode code = ended.error().code;
    return Fail(globals, ended.error(),
                code == ErrorCode::kNotFound || code == ErrorCode::kFailedPrecondition ||
                        code == ErrorCode::kInvalidArgument
                    ? kExitFailed
                    : kExitBroken);
  }
  const Undone& undone = ended.value();
  const bool done = undone.conflicts.empty();
  if (globals.json) {
    PrintJson(OrderedJson{{"call", undone.id},
                          {"undone", done},
                          {"conflicts", PathsJson(undone.conflicts)},
                          {"misowned", PathsJson(undone.misowned)}});
    return done ? kExitOk : kExitFailed;
  }
  if (done) {
    std::printf("undone: what call %s changed is as before it\n", undone.id.c_str());
  } else {
    std::fprintf(stderr, "nacre: call %s was not undone, since later changes overlap:\n",
                 undone.id.c_str());
    PrintPaths(undone.conflicts);
    std::fprintf(stderr, "  what it changed: nacre call diff %s\n", undone.id.c_str());
  }
  if (!undone.misowned.empty()) {
    std::fprintf(stderr, "nacre: these could not be given to their owners:\n");
    PrintPaths(undone.misowned);
  }
  return done ? kExitOk : kExitFailed;
}

std::string Milliseconds(int64_t microseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(microseconds) / 1000);
  return text;
}

std::string Joined(const Json* list) {
  std::string text;
  for (const Json& each : list != nullptr && list->is_array() ? *list : Json::array()) {
    text += (text.empty() ? "" : ", ") + (each.is_string() ? each.get<std::string>() : "");
  }
  return text;
}

void PrintOutcome(const Json& outcome) {
  const auto line = [](const char* name, const std::string& value) {
    std::printf("%-11s%s\n", name, SafeLine(value, 400).c_str());
  };
  std::string ended = StringMember(outcome, "kind");
  for (const char* detail : {"exit_code", "signal", "setup_errno"}) {
    if (FindMember(outcome, detail) != nullptr) {
      ended += std::string(", ") + detail + " " + std::to_string(IntMember(outcome, detail));
    }
  }
  for (const char* detail : {"syscall", "disk", "setup_step"}) {
    if (FindMember(outcome, detail) != nullptr) {
      ended += std::string(", ") + detail + " " + StringMember(outcome, detail);
    }
  }
  line("outcome", ended);
  line("used", "time " + Milliseconds(IntMember(outcome, "wall_us")) + ", processor " +
                   Milliseconds(IntMember(outcome, "cpu_us")) + ", memory " +
                   std::to_string(IntMember(outcome, "memory_peak_bytes") / 1024) + " KiB");
  if (const Json* layers = FindMember(outcome, "layers")) {
    line("layers", "namespaces " + Joined(FindMember(*layers, "namespaces")) + "; Landlock ABI " +
                       std::to_string(IntMember(*layers, "landlock_abi")) + "; seccomp " +
                       (BoolMember(*layers, "seccomp") ? "yes" : "no") + "; no_new_privs " +
                       (BoolMember(*layers, "no_new_privs") ? "yes" : "no") + "; capabilities " +
                       (BoolMember(*layers, "capabilities_empty") ? "none" : "some") + "; cgroup " +
                       StringMember(*layers, "cgroup"));
    if (const std::string map = StringMember(*layers, "uid_map"); !map.empty()) {
      line("identity", "uid inside, on the host, how many: " + map + "; gid " +
                           StringMember(*layers, "gid_map"));
    }
    if (const std::string named = Joined(FindMember(*layers, "exceptions")); !named.empty()) {
      line("exceptions", named + " (not required by the policy)");
    }
    if (const std::string seen = StringMember(*layers, "workspace"); !seen.empty()) {
      line("view", seen == "copy" ? "a copy of the workspace" : seen);
    }
    if (const std::string weaker = Joined(FindMember(*layers, "weaker")); !weaker.empty()) {
      line("weaker", weaker);
    }
  }
  if (const Json* workspace = FindMember(outcome, "workspace")) {
    std::string text = StringMember(*workspace, "end");
    if (text != "unchanged") {
      text += ": " + std::to_string(IntMember(*workspace, "created")) + " created, " +
              std::to_string(IntMember(*workspace, "changed")) + " changed, " +
              std::to_string(IntMember(*workspace, "deleted")) + " deleted; lines +" +
              std::to_string(IntMember(*workspace, "lines_added")) + " -" +
              std::to_string(IntMember(*workspace, "lines_removed"));
    }
    line("workspace", text);
    if (const std::string reason = StringMember(*workspace, "reason"); !reason.empty()) {
      line("because", reason);
    }
  }
}

// Each line with a mark that no line of nacre's own has.
void PrintErrorOutput(const std::string& end) {
  std::istringstream lines(end);
  const char* name = "stderr";
  for (std::string line; std::getline(lines, line); name = "") {
    std::printf("%-11s│ %s\n", name, SafeLine(line, 400).c_str());
  }
}

int Show(Globals& globals, const std::string& id) {
  App app(globals.app);
  Result<memory::SessionStore*> store = app.Store();
  if (!store.ok()) {
    return Fail(globals, store.error());
  }
  Result<sandbox::TransactionLog*> log = app.Transactions();
  if (!log.ok()) {
    return Fail(globals, log.error());
  }
  const Result<memory::CallDetail> found = store.value()->LoadCall(id);
  if (!found.ok()) {
    return Fail(globals, found.error(), kExitFailed);
  }
  const memory::CallRecord& call = found.value().call;
  const Result<Json> parsed = ParseJson(call.outcome_json.empty() ? "{}" : call.outcome_json);
  const Json outcome = parsed.ok() ? parsed.value() : Json::object();
  const Result<std::optional<StoredTransaction>> stored = log.value()->Find(call.id);
  if (!stored.ok()) {
    return Fail(globals, stored.error());
  }
  if (globals.json) {
    const Result<OrderedJson> arguments = ParseOrderedJson(call.arguments_json);
    OrderedJson json = {{"call", call.id},
                        {"session", found.value().session_id},
                        {"turn", found.value().turn_id},
                        {"tool", call.tool},
                        {"arguments", arguments.ok() ? arguments.value() : OrderedJson()},
                        {"state", memory::CallStateName(call.state)},
                        {"verdict", call.verdict},
                        {"rule", call.rule},
                        {"reason", call.reason},
                        {"outcome", OrderedJson(outcome)},
                        {"result", call.result_text},
                        {"withheld", call.withheld},
                        {"error", call.result_error}};
    json["diff"] = stored.value().has_value() ? ToJson(*stored.value(), false) : OrderedJson();
    PrintJson(json);
    return kExitOk;
  }
  std::printf(
      "call       %s\nsession    %s\ntool       %s %s\ndecision   %s, rule %s: %s\nstate      %s\n",
      call.id.c_str(), found.value().session_id.c_str(), SafeLine(call.tool, 64).c_str(),
      SafeLine(call.arguments_json, 200).c_str(), call.verdict.c_str(),
      SafeLine(call.rule, 80).c_str(), SafeLine(call.reason, 200).c_str(),
      memory::CallStateName(call.state));
  if (!outcome.empty()) {
    PrintOutcome(outcome);
  }
  if (stored.value().has_value()) {
    for (const JournalChange& each : stored.value()->journal.header().changes) {
      if (!each.change.touched()) {
        std::printf("  %s %s\n", Verb(each.change),
                    SafeLine(sandbox::EncodePath(each.change.path), 300).c_str());
      }
    }
    std::printf("%s\n", stored.value()->state == sandbox::TransactionState::kDone
                            ? ("undo       nacre call undo " + call.id).c_str()
                            : sandbox::TransactionStateName(stored.value()->state));
  }
  if (!call.result_text.empty()) {
    std::printf("result     %s\n", SafeLine(call.result_text, 300).c_str());
  }
  PrintErrorOutput(StringMember(outcome, "error_output"));
  if (!call.withheld.empty()) {
    std::printf("withheld   %s\n", SafeLine(call.withheld, 300).c_str());
  }
  return kExitOk;
}

}  // namespace

void RegisterCall(CLI::App& root, Globals& globals) {
  CLI::App* command = root.add_subcommand("call", "What one call did, and taking it back");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  nacre call show last\n  nacre call diff 01K8\n  nacre call undo last\n"
      "An ID is a call's id or a unique prefix. \"last\" is the newest call; for diff and undo, "
      "the\n"
      "newest that changed a workspace.\n"
      "Exit codes: 0 done, 1 there is no such call, or later changes overlap.");
  struct Row {
    const char* name;
    const char* help;
    int (*run)(Globals&, const std::string&);
  };
  for (const Row& row :
       {Row{"show", "Decision, outcome, layers in force, resources and changes of a call", &Show},
        Row{"diff", "What a call changed, line by line", &ShowDiff},
        Row{"undo", "Puts the files that a call changed back as they were", &Undo}}) {
    CLI::App* each = command->add_subcommand(row.name, row.help);
    auto id = std::make_shared<std::string>("last");
    each->add_option("call", *id, "An id, a unique prefix, or \"last\"")->capture_default_str();
    AddJsonFlag(*each, globals);
    each->callback([&globals, id, run = row.run] { globals.exit_code = run(globals, *id); });
  }
}

}  // namespace nacre::cli
