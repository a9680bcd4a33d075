// nacre audit watch: tells somebody when the log says something that a rule asks for. A process of its own, which
// reads the log like anybody: no call waits for it.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/regular_file.h"
#include "runtime/alert/alert_delivery.h"
#include "runtime/alert/alert_engine.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/record_format.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

using std::chrono::milliseconds;

struct WatchFlags {
  std::string rules;
  std::string cursor;
  bool once = false;
};

// Of the file of the state: rules times values.
constexpr size_t kWatchStateBytesMax = 512U << 20;

class Watcher final {
 public:
  Watcher(Globals& globals, App& app, const alert::AlertRules& rules, std::string cursor,
          CancelToken cancel)
      : globals_(globals),
        app_(app),
        rules_(rules),
        engine_(rules),
        cursor_(std::move(cursor)),
        cancel_(std::move(cancel)) {}

  Status Load() {
    const auto text = ReadRegularFile(StateFile(), kWatchStateBytesMax, Links::kFollow);
    if (!text.ok() && text.error().code == ErrorCode::kNotFound) {
      if (std::filesystem::exists(cursor_)) {
        return Error{ErrorCode::kFailedPrecondition,
                     StateFile() + " is not there, so what was counted up to " + cursor_ +
                         " is lost; remove that as well to begin anew"};
      }
      return Ok();
    }
    if (!text.ok()) {
      return text.error();
    }
    const Json state =
        NACRE_TRY(ParseJson(text.value(), {.bytes_max = kWatchStateBytesMax, .depth_max = 8}));
    const Json* engine = FindMember(state, "engine");
    const Json* at = FindMember(state, "at");
    auto cursor = at == nullptr
                      ? Result<audit::ExportCursor>(Error{ErrorCode::kInvalidArgument, {}})
                      : audit::ParseExportCursor(DumpJson(*at));
    if (engine == nullptr || !cursor.ok()) {
      return Error{ErrorCode::kInvalidArgument,
                   StateFile() + " is no state of a watch; remove it and " + cursor_};
    }
    // It may be a step before the cursor, or be there without one, so it must fit the log by itself: what it counted in
    // another log would be passed over in this one.
    if (const Status fits = audit::CheckExportCursor(app_.audit_directory(), cursor.value());
        !fits.ok()) {
      return WithContext(StateFile() + " (to begin anew remove it and " + cursor_ + ")",
                         fits.error());
    }
    const auto handed_on = audit::ReadExportCursor(cursor_);
    if (handed_on.ok() && handed_on.value().next > cursor.value().next) {
      return Error{ErrorCode::kFailedPrecondition,
                   cursor_ + " is ahead of " + StateFile() +
                       ", so records would be passed over uncounted: was it used by another "
                       "command, or the state "
                       "taken from an older copy? Remove both to begin anew"};
    }
    at_ = std::move(cursor).value();
    const Status taken = engine_.TakeState(*engine);
    return taken.ok() ? Ok() : Status(WithContext(StateFile(), taken.error()));
  }

  // Whole lines of records, in order, and where the log is after them. What was told before it failed is told again.
  Status Take(std::string_view lines, const audit::ExportCursor& after) {
    const uint64_t before = at_.next;
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      const Json record = NACRE_TRY(audit::ParseRecord(lines.substr(0, end)));
      lines.remove_prefix(end + 1);
      const auto index = static_cast<uint64_t>(IntMember(record, "index"));
      if (index < at_.next) {
        continue;  // counted already: the cursor was not moved any more
      }
      for (const alert::Alert& alert : engine_.Add(index, record)) {
        NACRE_TRY(Tell(alert));
      }
      at_.next = index + 1;
    }
    if (cursor_.empty() || at_.next == before) {
      return Ok();
    }
    at_ = after;
    return WriteFileAtomically(StateFile(),
                               DumpJson(Json{{"at", NACRE_TRY(ParseJson(ToText(at_), {}))},
                                             {"engine", engine_.ToState()}}) +
                                   "\n");
  }

  uint64_t next() const { return at_.next; }  // the first record that is not counted yet
  uint64_t raised() const { return raised_; }
  uint64_t failed() const { return failed_; }

 private:
  std::string StateFile() const { return cursor_ + ".state"; }

  Status Tell(const alert::Alert& alert) {
    ++raised_;
    NACRE_TRY(Record("alert.raised", alert,
                     {{"alert", alert.rule},
                      {"of", alert.index},
                      {"count", alert.count},
                      {"notify", alert.notify}}));
    const OrderedJson json = ToJson(alert);
    if (globals_.json) {
      PrintJson(json);
    } else {
      std::printf("%6llu  %s  %-20s %s %s %s\n", static_cast<unsigned long long>(alert.index),
                  SafeLine(alert.time, 24).c_str(), SafeLine(alert.rule, 40).c_str(),
                  SafeLine(alert.event, 24).c_str(), SafeLine(alert.tool, 40).c_str(),
                  SafeLine(alert.value, 60).c_str());
    }
    std::fflush(stdout);
    for (const std::string& name : alert.notify) {
      NACRE_TRY(Notify(
          alert, *std::find_if(rules_.sinks.begin(), rules_.sinks.end(),
                               [&](const alert::AlertSink& sink) { return sink.name == name; })));
    }
    return Ok();
  }

  Status Notify(const alert::Alert& alert, const alert::AlertSink& sink) {
    constexpr milliseconds kTimeout(10'000);
    Status told = Ok();
    for (int tries = 0; tries < alert::kDeliveryTriesMax; ++tries) {
      if (tries > 0) {
        pollfd wait{cancel_.poll_fd(), POLLIN, 0};
        ::poll(&wait, 1, 250 << (2 * tries));
      }
      told = alert::Deliver(alert, sink, kTimeout, cancel_);
      if (told.ok() || cancel_.cancelled()) {
        break;
      }
    }
    if (told.ok()) {
      return told;
    }
    if (cancel_.cancelled()) {
      return told.error();  // told again when it goes on
    }
    ++failed_;
    std::fprintf(stderr, "nacre: alert %s: %s: %s\n", SafeLine(alert.rule, 40).c_str(),
                 SafeLine(sink.name, 40).c_str(), SafeLine(told.error().message, 300).c_str());
    return Record("alert.failed", alert,
                  {{"alert", alert.rule},
                   {"of", alert.index},
                   {"sink", sink.name},
                   {"reason", told.error().message}});
  }

  // Opened when there is something to say: a watch that finds nothing writes nothing.
  Status Record(const char* event, const alert::Alert& alert, Json data) {
    if (log_ == nullptr) {
      log_ = NACRE_TRY(audit::OpenAuditLog(app_.audit_directory(), app_.clock(), app_.random(),
                                           audit::DiskStorage(), app_.SessionsBesideLog()));
    }
    audit::AuditRecord record;
    record.event = event;
    record.session = alert.session;
    record.tenant = alert.tenant;
    record.data = std::move(data);
    record.actor = "nacre";
    const Result<uint64_t> written = log_->Append(record);
    return written.ok() ? Ok() : Status(written.error());
  }

  Globals& globals_;
  App& app_;
  const alert::AlertRules& rules_;
  alert::AlertEngine engine_;
  const std::string cursor_;
  const CancelToken cancel_;
  std::unique_ptr<audit::AuditLog> log_;
  audit::ExportCursor at_;  // what is counted
  uint64_t raised_ = 0;
  uint64_t failed_ = 0;
};

Result<alert::AlertRules> LoadRules(const std::string& file) {
  const std::string text = NACRE_TRY(ReadFile(file, alert::kRulesBytesMax));
  auto rules = alert::ParseAlertRules(text);
  return rules.ok() ? std::move(rules)
                    : Result<alert::AlertRules>(WithContext(file, rules.error()));
}

int Watch(Globals& globals, const WatchFlags& flags) {
  App app(globals.app);
  const Result<alert::AlertRules> rules = LoadRules(flags.rules);
  if (!rules.ok()) {
    return Fail(globals, rules.error(), kExitUsage);
  }
  const CancelToken cancel = CancelOnSignal();
  Watcher watcher(globals, app, rules.value(), flags.cursor, cancel);
  if (const Status loaded = watcher.Load(); !loaded.ok()) {
    return Fail(globals, loaded.error(),
                loaded.error().code == ErrorCode::kDataLoss ? kExitTampered : kExitFailed);
  }
  audit::ExportCursor after;
  const audit::ExportOptions options{.format = audit::ExportFormat::kJsonl,
                                     .source = {},
                                     .cursor_file = flags.cursor,
                                     .open_contents = true,
                                     .after_lines = &after};
  const auto take = [&](std::string_view lines) { return watcher.Take(lines, after); };
  do {
    const Result<uint64_t> more = audit::ExportLog(app.audit_directory(), options, take);
    if (!more.ok() && !cancel.cancelled()) {
      const ErrorCode code = more.error().code;
      const bool nobody_wrote =
          watcher.next() == 0 &&
          !std::filesystem::exists(app.audit_directory() + "/" + audit::kHeadFile);
      if (const auto log = LogToRead(app, ""); !log.ok() && flags.once) {
        return FailBy(globals, log.error());
      }
      if (flags.once || !nobody_wrote) {
        return Fail(globals, more.error(),
                    code == ErrorCode::kDataLoss             ? kExitTampered
                    : code == ErrorCode::kFailedPrecondition ? kExitFailed
                                                             : kExitBroken);
      }
    }
    constexpr int kPollMs = 500;
    pollfd wait{cancel.poll_fd(), POLLIN, 0};
    if (!flags.once) {
      ::poll(&wait, 1, kPollMs);
    }
  } while (!flags.once && !cancel.cancelled());
  return watcher.failed() == 0 ? kExitOk : kExitFailed;
}

}  // namespace

void RegisterAuditWatch(CLI::App& audit, Globals& globals) {
  CLI::App* command =
      audit.add_subcommand("watch", "Tells somebody when the log says what a rule asks for");
  auto flags = std::make_shared<WatchFlags>();
  command->add_option("--rules", flags->rules, "A JSON file of alerts and sinks: docs/audit-log.md")
      ->required();
  command
      ->add_option("--cursor", flags->cursor,
                   "Goes on after what this file says, and notes there how far it came, with "
                   "FILE.state beside it")
      ->required();
  command->add_flag("--once", flags->once, "Ends with the log instead of following it");
  AddJsonFlag(*command, globals);
  command->footer(
      "Example:\n  nacre audit watch --rules alerts.json --cursor alerts.cursor\n"
      "An alert that was told but not yet noted when it was killed is told again: alert and index "
      "tell.");
  command->callback([&globals, flags] { globals.exit_code = Watch(globals, *flags); });
}

}  // namespace nacre::cli
