// nacre audit query: which records are there of this session, tool, decision, path ...
#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "base/ids.h"
#include "base/nearest.h"
#include "runtime/audit/event_names.h"
#include "runtime/audit/export_event.h"
#include "runtime/audit/log_query.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

struct QueryFlags {
  audit::RecordFilter filter;
  std::string since;
  std::string until;
  std::string directory;
  uint64_t limit = 0;
  bool no_index = false;
};

// What would find nothing, or everything, by mistake is refused.
Status CompleteFilter(const QueryFlags& flags, WallTime now, audit::RecordFilter* filter) {
  for (const auto& [text, instant] :
       {std::pair(&flags.since, &filter->since), std::pair(&flags.until, &filter->until)}) {
    if (!text->empty()) {
      *instant = NACRE_TRY(audit::ParseInstant(*text, now));
    }
  }
  NACRE_TRY(audit::CheckSpan(*filter));
  NACRE_TRY(audit::CheckLabel(filter->label));
  if (!filter->event.empty()) {
    NACRE_TRY(audit::CheckEventName(filter->event));
  }
  if (!filter->text.empty() && audit::WordsOf(filter->text).empty()) {
    return Error{ErrorCode::kInvalidArgument, "--text has no word in it"};
  }
  if (!filter->host.empty() && audit::WordsOf(filter->host).empty()) {
    return Error{ErrorCode::kInvalidArgument, "--host has no name in it"};
  }
  return Ok();
}

constexpr uint64_t kSuggestedRecordsMax = 1024;
constexpr size_t kSuggestedBytesMax = 64;
constexpr size_t kSuggestionsMax = 10;

// One of what is asked for, by itself.
struct AskedValue {
  const char* what;
  std::string audit::RecordFilter::*asked;
  const char* event;  // of records that have one
  std::string (*value_of)(const Json& record);
};

// That no record has it, and what was probably meant. Empty when some record has it, or it cannot be told.
std::string UnknownValue(App& app, const std::string& log, const AskedValue& value,
                         const std::string& asked) {
  audit::QueryOptions options;
  options.index_directory = IndexOf(app, log);
  options.newest = 1;
  audit::RecordFilter only;
  only.*value.asked = asked;
  const auto any = [](uint64_t, const Json&) { return true; };
  const auto found = audit::QueryAuditLog(log, only, options, app.random(), any);
  if (!found.ok() || found.value().found > 0) {
    return "";
  }
  std::set<std::string> known;
  options.newest = kSuggestedRecordsMax;
  audit::RecordFilter some;
  some.event = value.event;
  const auto take = [&](uint64_t, const Json& record) {
    if (std::string each = value.value_of(record); each.size() <= kSuggestedBytesMax) {
      known.insert(std::move(each));
    }
    return true;
  };
  if (!audit::QueryAuditLog(log, some, options, app.random(), take).ok()) {
    return "";
  }
  known.erase("");
  std::string text = std::string("no record has the ") + value.what + " \"" + asked + "\"";
  const std::string nearest = Nearest(asked, {known.begin(), known.end()});
  if (!nearest.empty()) {
    return text + "; did you mean \"" + nearest + "\"?";
  }
  const char* between = "; the newest have ";
  size_t named = 0;
  for (auto each = known.begin(); each != known.end() && named < kSuggestionsMax; ++each, ++named) {
    text += std::exchange(between, ", ") + *each;
  }
  return text;
}

// What was asked for and no record has at all.
std::vector<std::string> UnknownValues(App& app, const std::string& log,
                                       const audit::RecordFilter& filter) {
  const auto of_data = [](const Json& record) {
    const Json* data = FindMember(record, "data");
    return data == nullptr ? std::string() : StringMember(*data, "tool");
  };
  const std::array kValues = {
      AskedValue{"tool", &audit::RecordFilter::tool, "call.decided", of_data},
      AskedValue{"rule", &audit::RecordFilter::rule, "call.decided",
                 [](const Json& record) { return StringMember(record, "rule"); }},
      AskedValue{"tenant", &audit::RecordFilter::tenant, "log.opened",
                 [](const Json& record) { return StringMember(record, "tenant"); }},
  };
  std::vector<std::string> unknown;
  for (const AskedValue& value : kValues) {
    const std::string& asked = filter.*value.asked;
    if (const std::string text = asked.empty() ? asked : UnknownValue(app, log, value, asked);
        !text.empty()) {
      unknown.push_back(text);
    }
  }
  return unknown;
}

int Query(Globals& globals, QueryFlags& flags) {
  App app(globals.app);
  if (const Status complete = CompleteFilter(flags, app.clock().Now(), &flags.filter);
      !complete.ok()) {
    return FailBy(globals, complete.error());
  }
  const Result<std::string> log = LogToRead(app, flags.directory);
  if (!log.ok()) {
    return FailBy(globals, log.error());
  }
  const std::string& directory = log.value();
  if (!flags.filter.session.empty() && !IsUlid(flags.filter.session)) {
    const Result<std::string> session = FindSession(app, directory, flags.filter.session);
    if (!session.ok()) {
      return FailBy(globals, session.error());
    }
    flags.filter.session = session.value();
  }
  const Terminal errors(2);
  bool progress_shown = false;
  audit::QueryOptions options;
  options.newest = flags.limit;
  if (!flags.no_index) {
    options.index_directory = IndexOf(app, directory);
  }
  if (errors.interactive()) {
    options.progress = [&](uint64_t records) {
      std::fprintf(stderr, "\r  making the index: %llu records ",
                   static_cast<unsigned long long>(records));
      progress_shown = true;
    };
  }
  const auto end_progress = [&] {
    if (std::exchange(progress_shown, false)) {
      std::fputs("\r\x1b[K", stderr);
    }
  };
  const Result<audit::QueryReport> result = audit::QueryAuditLog(
      directory, flags.filter, options, app.random(), [&](uint64_t index, const Json& record) {
        end_progress();
        PrintAuditRecord(globals, index, record);
        return true;
      });
  end_progress();
  if (!result.ok()) {
    return Fail(globals, result.error());
  }
  const audit::QueryReport& report = result.value();
  if (report.pruned.has_value()) {
    std::fprintf(stderr, "nacre: note: %s\n", Describe(*report.pruned).c_str());
  }
  for (const std::string& note : report.notes) {
    std::fprintf(stderr, "nacre: note: %s\n", SafeLine(note, 2000).c_str());
  }
  const audit::RecordFilter& asked = flags.filter;
  if (report.found == 0 && !(asked.path.empty() && asked.host.empty() && asked.text.empty())) {
    std::fprintf(stderr,
                 "nacre: note: the log has what a call's arguments name, and what people and "
                 "models wrote, only with the policy's audit: {content: full}\n");
  }
  if (report.found == 0 && report.problems.empty()) {
    for (const std::string& unknown : UnknownValues(app, directory, asked)) {
      std::fprintf(stderr, "nacre: note: %s\n", SafeLine(unknown, 600).c_str());
    }
  }
  int exit_code = kExitOk;
  for (const std::string& problem : report.problems) {
    exit_code = Fail(globals, {ErrorCode::kDataLoss, "the answer may lack records: " + problem},
                     kExitTampered);
  }
  if (!globals.json && report.problems.empty()) {
    std::printf("%s\n", Terminal(1)
                            .Paint(Style::kDim, std::to_string(report.found) +
                                                    " found; the log is signed up to record " +
                                                    std::to_string(report.signed_records))
                            .c_str());
  }
  return exit_code;
}

}  // namespace

Result<std::string> FindSession(App& app, const std::string& log, const std::string& which) {
  std::string found;
  bool twice = false;
  audit::RecordFilter filter;
  filter.event = "session.created";
  audit::QueryOptions options;
  options.newest = which == "last" ? 1 : 0;
  options.index_directory = IndexOf(app, log);
  const auto look = [&](uint64_t, const Json& record) {
    const std::string session = StringMember(record, "session");
    if (!session.empty() && session != found && (which == "last" || session.starts_with(which))) {
      twice = twice || (!found.empty() && which != "last");
      found = session;
    }
    return true;
  };
  audit::QueryReport report =
      NACRE_TRY(audit::QueryAuditLog(log, filter, options, app.random(), look));
  if (found.empty() && report.problems.empty() && report.pruned.has_value()) {
    // The record of its beginning may be gone, and others of it there: all are looked at.
    report = NACRE_TRY(audit::QueryAuditLog(
        log, {}, {.index_directory = {}, .explain_erased = false, .progress = {}}, app.random(),
        look));
  }
  if (!report.problems.empty()) {
    return Error{ErrorCode::kDataLoss, report.problems.front()};
  }
  if (twice) {
    return Error{ErrorCode::kInvalidArgument,
                 "several sessions begin with " + which + "; give more of the id"};
  }
  if (found.empty()) {
    return Error{ErrorCode::kNotFound,
                 "the audit log has no session " + which + "; nacre session list shows the newest"};
  }
  return found;
}

namespace {

// First what one looks for: "deny fs.write by workspace.protect: ...".
std::string WhatItSays(const Json& record) {
  const Json* found = FindMember(record, "data");
  if (found == nullptr || !found->is_object()) {
    return "";
  }
  Json data = *found;
  std::string text;
  const auto add = [&text](const std::string& words) {
    text += (text.empty() || words.empty() ? "" : " ") + words;
  };
  const auto take = [&data](const char* key) {
    std::string words = StringMember(data, key);
    if (!words.empty()) {
      data.erase(key);
    }
    return words;
  };
  if (const Json* approved = FindMember(data, "approved");
      approved != nullptr && approved->is_boolean()) {
    add(approved->get<bool>() ? "approved" : "refused");
    data.erase("approved");
  }
  for (const char* key : {"verdict", "state", "tool"}) {
    add(take(key));
  }
  if (StringMember(record, "event").starts_with("client.")) {
    add(StringMember(record, "actor"));
    const std::string as = take("as");
    add(as.empty() ? as : "as " + as);
  }
  if (const Json* outcome = FindMember(data, "outcome"); outcome != nullptr) {
    add(StringMember(*outcome, "kind"));
  }
  const std::string rule = StringMember(record, "rule");
  add(rule.empty() ? rule : "by " + rule);
  const std::string reason = take("reason");
  text += text.empty() || reason.empty() ? "" : ":";
  add(reason);
  add(data.empty() ? std::string() : DumpJson(data));
  return text;
}

}  // namespace

void PrintAuditRecord(const Globals& globals, uint64_t index, const Json& record) {
  if (globals.json) {
    // Through a pipe it may reach a terminal as well.
    PrintJson(record);
    return;
  }
  std::printf("%6llu  %s  %-16s %s\n", static_cast<unsigned long long>(index),
              SafeLine(StringMember(record, "time"), 24).c_str(),
              SafeLine(StringMember(record, "event"), 24).c_str(),
              SafeLine(WhatItSays(record), 140).c_str());
}

void RegisterAuditQuery(CLI::App& audit, Globals& globals) {
  CLI::App* query = audit.add_subcommand("query", "The records of a session, tool, decision ...");
  auto flags = std::make_shared<QueryFlags>();
  audit::RecordFilter& filter = flags->filter;
  query->add_option(
      "--since", flags->since,
      "From then on: 2026-11-26, 2026-11-26T12:30:00Z (UTC), or 90s, 15m, 2h, 7d ago");
  query->add_option("--until", flags->until, "Before then");
  query->add_option("--tenant", filter.tenant, "Of this tenant");
  query->add_option("--session", filter.session,
                    "Of the session with this id, the beginning of it, or last");
  query->add_option("--turn", filter.turn, "Of the turn with this id");
  query->add_option("--call", filter.call, "Of the call with this id");
  query->add_option("--tool", filter.tool, "About a call of this tool");
  query->add_option("--decision", filter.decision, "Decisions, and persons' answers, that say this")
      ->check(CLI::IsMember({"allow", "deny", "ask", "approved", "refused"}));
  query->add_option("--rule", filter.rule, "Decided by the rule with this id");
  query->add_option("--event", filter.event, "With this name, such as call.finished");
  query->add_option("--actor", filter.actor, "By agent, nacre, or a person: uid 1000");
  query->add_option("--label", filter.label,
                    "About data with this label: integrity:untrusted, or untrusted");
  query->add_option("--path", filter.path, "That name this file, or one in this folder");
  query->add_option("--host", filter.host,
                    "That name this host, or one below it, also in a URL or address");
  query->add_option("--text", filter.text, "With all of these words, in whatever case");
  query->add_option("--limit", flags->limit, "Only the newest so many")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}));
  AddOfflineFlag(*query, &flags->directory);
  query->add_flag("--no-index", flags->no_index, "Reads the whole log");
  AddJsonFlag(*query, globals);
  query->footer(
      "All that is asked must hold. The records are read from the log and compared with its "
      "signature.\n"
      "Examples:\n  nacre audit query --decision deny --since 7d\n"
      "  nacre audit query --path src/main.cc --limit 5\n"
      "  nacre audit query --session last --json | jq .event");
  query->callback([&globals, flags] { globals.exit_code = Query(globals, *flags); });
}

}  // namespace nacre::cli
