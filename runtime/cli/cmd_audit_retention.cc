// nacre audit prune, hold, holds and release: what is kept how long, and what must stay.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/units.h"
#include "memory/sqlite_session_store.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/log_compress.h"
#include "runtime/audit/log_prune.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

// "10GiB", "500MB"; "4096" is of bytes.
std::optional<uint64_t> SizeOf(const std::string& text) {
  const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
  return ParseSize(bare ? text + "B" : text);
}

struct PruneFlags {
  std::string older_than;
  std::string keep_bytes;
  std::optional<uint64_t> before;
  std::string unless_exported;
  bool dry_run = false;
};

Result<audit::PruneRequest> RequestOf(const PruneFlags& flags, WallTime now) {
  const Error unclear{ErrorCode::kInvalidArgument,
                      "say what goes: one of --older-than 90d, --keep-bytes 10GiB, --before INDEX"};
  const int rules = static_cast<int>(!flags.older_than.empty()) +
                    static_cast<int>(!flags.keep_bytes.empty()) +
                    static_cast<int>(flags.before.has_value());
  if (rules != 1) {
    return unclear;
  }
  audit::PruneRequest request;
  request.dry_run = flags.dry_run;
  if (!flags.older_than.empty()) {
    request.older_than = NACRE_TRY(audit::ParseInstant(flags.older_than, now));
    request.rule = "older-than " + flags.older_than;
  } else if (!flags.keep_bytes.empty()) {
    request.keep_bytes = SizeOf(flags.keep_bytes);
    if (!request.keep_bytes.has_value()) {
      return Error{ErrorCode::kInvalidArgument,
                   "'" + flags.keep_bytes + "' is no size: write 4096, 500MB or 10GiB"};
    }
    request.rule = "keep-bytes " + flags.keep_bytes;
  } else {
    request.before = flags.before;
    request.rule = "before " + std::to_string(*flags.before);
  }
  if (!flags.unless_exported.empty()) {
    request.exported = NACRE_TRY(audit::ReadExportCursor(flags.unless_exported));
  }
  return request;
}

int Prune(Globals& globals, const PruneFlags& flags) {
  App app(globals.app);
  const Result<audit::PruneRequest> request = RequestOf(flags, app.clock().Now());
  if (!request.ok()) {
    return FailBy(globals, request.error());
  }
  if (const auto log = LogToRead(app, ""); !log.ok()) {
    return FailBy(globals, log.error());
  }
  const Result<audit::PruneReport> pruned = audit::PruneLog(ChangeOf(app), request.value());
  if (!pruned.ok()) {
    return FailBy(globals, pruned.error());
  }
  const audit::PruneReport& report = pruned.value();
  if (globals.json) {
    PrintJson(OrderedJson{
        {"from", report.from},
        {"before", report.before},
        {"bundles", report.bundles},
        {"bytes", report.bytes},
        {"record", report.record.has_value() ? OrderedJson(*report.record) : OrderedJson(nullptr)},
        {"resumed", report.resumed},
        {"dry_run", flags.dry_run}});
    return kExitOk;
  }
  if (report.bundles == 0) {
    std::printf("nothing to prune: the log begins with record %llu\n",
                static_cast<unsigned long long>(report.from));
    return kExitOk;
  }
  std::printf(
      "%s%llu bundles of 256 records, %llu bytes: the log %s with record %llu",
      flags.dry_run ? "would prune " : "pruned ", static_cast<unsigned long long>(report.bundles),
      static_cast<unsigned long long>(report.bytes), flags.dry_run ? "would begin" : "begins",
      static_cast<unsigned long long>(report.before));
  if (report.record.has_value()) {
    std::printf(", and record %llu says so", static_cast<unsigned long long>(*report.record));
  }
  std::printf("\n");
  return kExitOk;
}

void PrintHold(const Globals& globals, const audit::Hold& hold) {
  if (globals.json) {
    PrintJson(ToJson(hold));
    return;
  }
  const std::string what = hold.session.empty() ? "records " + std::to_string(hold.from) + " to " +
                                                      std::to_string(hold.to)
                                                : "session " + hold.session;
  std::printf("%s  %s  %s  %s\n", SafeLine(hold.id, 26).c_str(), SafeLine(hold.time, 24).c_str(),
              SafeLine(what, 60).c_str(), SafeLine(hold.reason, 256).c_str());
}

int Place(Globals& globals, const audit::Hold& hold) {
  App app(globals.app);
  const Result<audit::Hold> placed = audit::PlaceHold(ChangeOf(app), hold);
  if (!placed.ok()) {
    return FailBy(globals, placed.error());
  }
  PrintHold(globals, placed.value());
  return kExitOk;
}

int List(Globals& globals, const std::string& offline) {
  App app(globals.app);
  const Result<std::string> log = LogToRead(app, offline);
  if (!log.ok()) {
    return FailBy(globals, log.error());
  }
  std::vector<audit::Hold> holds;
  if (const Status loaded =
          audit::LoadHolds(log.value(), IndexOf(app, log.value()), app.random(), 0, &holds);
      !loaded.ok()) {
    return FailBy(globals, loaded.error());
  }
  for (const audit::Hold& hold : holds) {
    PrintHold(globals, hold);
  }
  if (holds.empty() && !globals.json) {
    std::printf("no hold is in force\n");
  }
  return kExitOk;
}

int Release(Globals& globals, const std::string& id, const std::string& reason) {
  App app(globals.app);
  if (const Status released = audit::ReleaseHold(ChangeOf(app), id, reason); !released.ok()) {
    return FailBy(globals, released.error());
  }
  if (globals.json) {
    PrintJson(OrderedJson{{"released", id}});
  } else {
    std::printf("released %s\n", SafeLine(id, 26).c_str());
  }
  return kExitOk;
}

int Compress(Globals& globals, const std::string& older_than) {
  App app(globals.app);
  std::string instant;
  if (!older_than.empty()) {
    const Result<std::string> parsed = audit::ParseInstant(older_than, app.clock().Now());
    if (!parsed.ok()) {
      return FailBy(globals, parsed.error());
    }
    instant = parsed.value();
  }
  if (const auto log = LogToRead(app, ""); !log.ok()) {
    return FailBy(globals, log.error());
  }
  const Result<audit::CompressReport> done = audit::CompressLog(ChangeOf(app), instant);
  if (!done.ok()) {
    return FailBy(globals, done.error());
  }
  const audit::CompressReport& report = done.value();
  if (globals.json) {
    PrintJson(OrderedJson{{"bundles", report.bundles},
                          {"bytes_before", report.bytes_before},
                          {"bytes_after", report.bytes_after}});
  } else {
    std::printf("compressed %llu bundles of 256 records: %llu bytes are %llu now\n",
                static_cast<unsigned long long>(report.bundles),
                static_cast<unsigned long long>(report.bytes_before),
                static_cast<unsigned long long>(report.bytes_after));
  }
  return kExitOk;
}

void RegisterCompress(CLI::App& audit, Globals& globals) {
  CLI::App* compress = audit.add_subcommand(
      "compress",
      "Compresses old records, in bundles of 256, with zstd; all commands read them as before");
  auto older_than = std::make_shared<std::string>();
  compress->add_option("--older-than", *older_than,
                       "Records from before: 30d ago, or 2026-08-01 (default: all but the newest)");
  AddJsonFlag(*compress, globals);
  compress->footer("Example:\n  nacre audit compress --older-than 30d");
  compress->callback(
      [&globals, older_than] { globals.exit_code = Compress(globals, *older_than); });
}

void RegisterHolds(CLI::App& audit, Globals& globals) {
  CLI::App* place = audit.add_subcommand(
      "hold",
      "Keeps a session, or some records, from being pruned or erased, until it is released");
  auto hold = std::make_shared<audit::Hold>();
  CLI::Option* session =
      place->add_option("--session", hold->session, "All records of this session");
  CLI::Option* from = place->add_option("--from", hold->from, "From this record on");
  CLI::Option* to = place->add_option("--to", hold->to, "To this one");
  from->needs(to)->excludes(session);
  to->needs(from)->excludes(session);
  place->add_option("--reason", hold->reason, "Why; it is recorded")->required();
  AddJsonFlag(*place, globals);
  place->footer(
      "Examples:\n  nacre audit hold --session 01K3V5T0Q4X6Z8B2D4F6H8J0M2 --reason 'case 17'\n"
      "  nacre audit hold --from 1200 --to 1900 --reason 'incident of 26 November'");
  place->callback([&globals, hold, session, from] {
    if (session->count() + from->count() == 0) {
      globals.exit_code =
          Fail(globals,
               {ErrorCode::kInvalidArgument, "say what is held: --session ID, or --from and --to"},
               kExitUsage);
      return;
    }
    globals.exit_code = Place(globals, *hold);
  });

  CLI::App* list = audit.add_subcommand("holds", "The holds that are in force");
  auto offline = std::make_shared<std::string>();
  AddOfflineFlag(*list, offline.get());
  AddJsonFlag(*list, globals);
  list->footer("Example:\n  nacre audit holds --json | jq -r .hold");
  list->callback([&globals, offline] { globals.exit_code = List(globals, *offline); });

  CLI::App* release = audit.add_subcommand("release", "Ends a hold");
  auto id = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  release->add_option("hold", *id, "Its id, as nacre audit holds shows it")->required();
  release->add_option("--reason", *reason, "Why; it is recorded")->required();
  AddJsonFlag(*release, globals);
  release->footer(
      "Example:\n  nacre audit release 01K3V5T0Q4X6Z8B2D4F6H8J0M2 --reason 'case closed'");
  release->callback([&globals, id, reason] { globals.exit_code = Release(globals, *id, *reason); });
}

}  // namespace

int FailBy(const Globals& globals, const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return Fail(globals, error, kExitUsage);
    case ErrorCode::kDataLoss:
      return Fail(globals, error, kExitTampered);
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kNotFound:
    case ErrorCode::kAborted:
      return Fail(globals, error, kExitFailed);
    default:
      return Fail(globals, error);
  }
}

Result<std::string> LogToRead(const App& app, const std::string& offline) {
  const std::string log = offline.empty() ? app.audit_directory() : offline;
  // Before the log itself, which may grow meanwhile.
  const auto latest = audit::LatestSeen(log).Read();
  // What is there and cannot be read says so itself, when it is read.
  struct stat info {};
  const bool there = ::stat(log.c_str(), &info) == 0 ? S_ISDIR(info.st_mode) : errno != ENOENT;
  const bool readable = there && ::access(log.c_str(), R_OK | X_OK) == 0;
  if (there && (!readable || audit::HasLog(log))) {
    const uint64_t records = readable ? audit::RecordsHint(log) : 0;
    if (offline.empty() && latest.ok() && latest.value().has_value() && records > 0 &&
        records < latest.value()->checkpoint.size) {
      return Error{ErrorCode::kDataLoss,
                   latest.value()->Missing(records) +
                       " are missing, so an older copy of the log lies here; see nacre audit "
                       "verify, or read what there is with --offline " +
                       log};
    }
    return log;
  }
  if (offline.empty()) {
    const auto seen = NACRE_TRY(latest);
    if (seen.has_value()) {
      return Error{
          ErrorCode::kDataLoss,
          seen->Missing(0) + " are missing: there is no log any more; see nacre audit verify"};
    }
    const auto sessions = memory::SqliteSessionStore::CountSessions(app.database_path());
    if (!sessions.ok()) {
      return Error{ErrorCode::kDataLoss,
                   "there is no audit log, and whether sessions were recorded cannot be told: " +
                       sessions.error().message};
    }
    if (sessions.value() > 0) {
      return Error{ErrorCode::kDataLoss, "there is no audit log any more: the store has " +
                                             audit::SessionsWithoutRecords(sessions.value()) +
                                             "; put the log back, or go on, and the first "
                                             "record of a new one will say so"};
    }
  }
  return offline.empty()
             ? Error{ErrorCode::kNotFound, "no audit log here yet; nacre run begins one"}
             : Error{ErrorCode::kDataLoss, offline + ": there is no audit log"};
}

void AddOfflineFlag(CLI::App& command, std::string* offline) {
  command.add_option("--offline", *offline, "A copied log (default: this machine's)");
}

std::string IndexOf(const App& app, const std::string& log) {
  return audit::IndexDirectory(app.state_directory() + "/audit-index", log);
}

audit::LogChange ChangeOf(App& app) {
  return {.directory = app.audit_directory(),
          .index_directory = IndexOf(app, app.audit_directory()),
          .clock = app.clock(),
          .random = app.random(),
          .storage = audit::DiskStorage(),
          .sessions = app.SessionsBesideLog()};
}

void RegisterAuditRetention(CLI::App& audit, Globals& globals) {
  CLI::App* prune = audit.add_subcommand(
      "prune",
      "Removes the oldest records, in bundles of 256; their hashes stay, and all verifies");
  auto flags = std::make_shared<PruneFlags>();
  prune->add_option("--older-than", flags->older_than,
                    "Records from before: 90d ago, or 2026-08-01");
  prune->add_option("--keep-bytes", flags->keep_bytes, "The oldest beyond so much of them: 10GiB");
  prune->add_option("--before", flags->before, "Records before this one");
  prune->add_option("--unless-exported", flags->unless_exported,
                    "Refuses what the export with this cursor has not handed on");
  prune->add_flag("--dry-run", flags->dry_run, "Only says what would go");
  AddJsonFlag(*prune, globals);
  prune->footer(
      "A signed record says what went and why, before it goes. What is held, or is not as it was "
      "signed, is refused.\n"
      "Examples:\n  nacre audit prune --older-than 90d --dry-run\n"
      "  nacre audit prune --keep-bytes 10GiB --unless-exported siem.cursor");
  prune->callback([&globals, flags] { globals.exit_code = Prune(globals, *flags); });
  RegisterHolds(audit, globals);
  RegisterCompress(audit, globals);
}

}  // namespace nacre::cli
