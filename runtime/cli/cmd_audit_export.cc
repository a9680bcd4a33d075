// nacre audit export: the log for other systems, each record at least once.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "runtime/audit/log_export.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"
#include "runtime/export/log_sink.h"

namespace nacre::cli {
namespace {

struct ExportFlags {
  std::string format = "jsonl";
  std::string output;
  std::string cursor;
  std::string directory;
  bool follow = false;
  exporting::LogSinkOptions to;
  bool content = false;
};

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data()
                                                                             : "localhost";
}

// For appending. A line that a crash left unfinished is ended: its record is written again.
Result<UniqueFd> OpenOutput(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return SysError("open " + path, errno);
  }
  if (S_ISREG(info.st_mode) && info.st_size > 0) {
    const std::string last =
        NACRE_TRY(ReadAt(file.get(), static_cast<uint64_t>(info.st_size) - 1, 1));
    if (last != "\n") {
      NACRE_TRY(WriteAll(file.get(), "\n"));
    }
  }
  return file;
}

// Until the other side has taken the lines. With `follow` a server that cannot be reached is tried again,
// after one second, two, four, up to a minute: what it has not taken stays in the log.
Status TakeAll(exporting::LogSink& sink, std::string_view lines, bool follow,
               const CancelToken& cancel) {
  constexpr int kPauseMsMax = 60'000;
  for (int pause_ms = 1000;; pause_ms = std::min(2 * pause_ms, kPauseMsMax)) {
    Status taken = sink.Take(lines, cancel);
    if (taken.ok() && pause_ms > 1000) {
      std::fprintf(stderr, "nacre: records are taken again\n");
    }
    if (taken.ok() || !follow || cancel.cancelled() ||
        taken.error().code == ErrorCode::kInvalidArgument) {
      return taken;
    }
    std::fprintf(stderr, "nacre: %s; trying again in %d s\n",
                 SafeLine(taken.error().message, 300).c_str(), pause_ms / 1000);
    pollfd wait{cancel.poll_fd(), POLLIN, 0};
    ::poll(&wait, 1, pause_ms);
  }
}

void Pause(const CancelToken& cancel) {
  constexpr int kPollMs = 500;
  pollfd wait{cancel.poll_fd(), POLLIN, 0};
  ::poll(&wait, 1, kPollMs);
}

int Export(Globals& globals, const ExportFlags& flags) {
  if (globals.json && flags.output.empty() && flags.to.url.empty()) {
    return Fail(globals,
                {ErrorCode::kInvalidArgument,
                 "--json says how many records were exported and needs --output FILE or --to URL: "
                 "standard output has the records themselves"},
                kExitUsage);
  }
  App app(globals.app);
  const CancelToken cancel = flags.follow ? CancelOnSignal() : CancelToken();
  Result<std::string> log = LogToRead(app, flags.directory);
  // What is followed may begin later.
  while (flags.follow && !log.ok() && log.error().code == ErrorCode::kNotFound &&
         !cancel.cancelled()) {
    Pause(cancel);
    log = LogToRead(app, flags.directory);
  }
  if (!log.ok()) {
    return cancel.cancelled() ? kExitOk : FailBy(globals, log.error());
  }
  const std::string& directory = log.value();
  UniqueFd file;
  if (!flags.output.empty()) {
    Result<UniqueFd> opened = OpenOutput(flags.output);
    if (!opened.ok()) {
      return Fail(globals, opened.error(), kExitFailed);
    }
    file = std::move(opened).value();
  }
  const audit::ExportFormat format = audit::ParseExportFormat(flags.format).value();
  std::unique_ptr<exporting::LogSink> server;
  if (!flags.to.url.empty()) {
    exporting::LogSinkOptions to = flags.to;
    const char* token = std::getenv("NACRE_EXPORT_TOKEN");
    to.token = token == nullptr ? "" : token;
    Result<std::unique_ptr<exporting::LogSink>> made = exporting::MakeLogSink(to, format);
    if (!made.ok()) {
      return Fail(globals, made.error(), kExitUsage);
    }
    server = std::move(made).value();
  }
  const bool on_terminal = !file && Terminal(1).interactive();
  const auto sink = [&](std::string_view lines) -> Status {
    if (server != nullptr) {
      return TakeAll(*server, lines, flags.follow, cancel);
    }
    const Status written =
        file ? WriteAll(file.get(), lines)
             : WriteAll(1, on_terminal ? SafeForTerminal(lines) : std::string(lines));
    if (!written.ok()) {
      return WithContext(flags.output.empty() ? "standard output" : flags.output, written.error());
    }
    // A pipe or a device cannot be synced.
    if (file && ::fdatasync(file.get()) != 0 && errno != EINVAL && errno != EROFS) {
      return SysError("sync " + flags.output, errno);
    }
    return Ok();
  };
  audit::Erasures erasures(directory, IndexOf(app, directory), app.random());
  const audit::ExportOptions options{
      .format = format,
      .source = {.log = {}, .host = HostName(), .version = NACRE_VERSION},
      .cursor_file = flags.cursor,
      .open_contents = flags.content,
      .erasures = &erasures,
      .begins_after = [](const audit::Pruning& pruned) {
        std::fprintf(stderr, "nacre: note: %s\n", Describe(pruned).c_str());
      }};
  uint64_t exported = 0;
  do {
    const Result<uint64_t> more = audit::ExportLog(directory, options, sink);
    if (!more.ok() && cancel.cancelled()) {
      break;  // what the server did not take is handed on next time
    }
    if (!more.ok()) {
      const ErrorCode code = more.error().code;
      return Fail(globals, more.error(),
                  code == ErrorCode::kDataLoss ? kExitTampered
                  : code == ErrorCode::kFailedPrecondition || code == ErrorCode::kInvalidArgument
                      ? kExitFailed
                      : kExitBroken);
    }
    exported += more.value();
    if (flags.follow) {
      Pause(cancel);
    }
  } while (flags.follow && !cancel.cancelled());
  if (globals.json) {
    PrintJson(OrderedJson{{"exported", exported}});
  } else if (!flags.output.empty() || server != nullptr) {
    std::fprintf(stderr, "%llu records exported\n", static_cast<unsigned long long>(exported));
  }
  return kExitOk;
}

}  // namespace

void RegisterAuditExport(CLI::App& audit, Globals& globals) {
  CLI::App* command =
      audit.add_subcommand("export", "The records for other systems, each at least once");
  auto flags = std::make_shared<ExportFlags>();
  command
      ->add_option("--format", flags->format,
                   "jsonl, ocsf (1.8.0), cef, syslog (RFC 5424) or otlp (OpenTelemetry)")
      ->check(CLI::IsMember({"jsonl", "ocsf", "cef", "syslog", "otlp"}))
      ->capture_default_str();
  CLI::Option* output = command->add_option("--output", flags->output,
                                            "Appends to this file (default: standard output)");
  CLI::Option* to = command->add_option(
      "--to", flags->to.url,
      "Sends them to syslog+tls://HOST[:PORT] (RFC 5425), or to https://HOST/v1/logs (OTLP)");
  to->excludes(output);
  command
      ->add_option("--ca", flags->to.identity.ca_file,
                   "Of --to: the authorities to believe, in PEM (default: the host's)")
      ->needs(to);
  CLI::Option* certificate = command->add_option("--cert", flags->to.identity.certificate,
                                                 "Of --to: our own certificate, in PEM");
  CLI::Option* key =
      command->add_option("--key", flags->to.identity.key, "Of --to: its private key, in PEM");
  certificate->needs(to)->needs(key);
  key->needs(certificate);
  CLI::Option* cursor =
      command->add_option("--cursor", flags->cursor,
                          "Goes on after what this file says, and notes there how far it came");
  AddOfflineFlag(*command, &flags->directory);
  command->add_flag("-f,--follow", flags->follow, "Goes on with what is recorded, until Ctrl-C")
      ->needs(cursor);
  command->add_flag("--content", flags->content,
                    "Decrypts contents; what was handed on so cannot be erased any more");
  AddJsonFlag(*command, globals);
  command->footer(
      "Examples:\n  nacre audit export --format ocsf > events.json\n"
      "  nacre audit export --format syslog --cursor siem.cursor --follow | logger-of-yours\n"
      "  nacre audit export --format syslog --to syslog+tls://logs.example.org --cursor c "
      "--follow\n"
      "  nacre audit export --format otlp --to https://collector.example.org/v1/logs --cursor c "
      "-f\n"
      "A token for the collector stands in NACRE_EXPORT_TOKEN.\n"
      "What was handed on but not yet noted when it was killed is handed on again: index and leaf "
      "tell.");
  command->callback([&globals, flags] { globals.exit_code = Export(globals, *flags); });
}

}  // namespace nacre::cli
