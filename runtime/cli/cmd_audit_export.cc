// nacre audit export: the log for other systems, each record at least once.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/file.h"
#include "runtime/audit/log_export.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

struct ExportFlags {
  std::string format = "jsonl";
  std::string output;
  std::string cursor;
  std::string directory;
  bool follow = false;
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

int Export(Globals& globals, const ExportFlags& flags) {
  if (globals.json && flags.output.empty()) {
    return Fail(
        globals,
        {ErrorCode::kInvalidArgument,
         "--json says how many records were exported and needs --output FILE: standard output "
         "has the records themselves"},
        kExitUsage);
  }
  const App app(globals.app);
  UniqueFd file;
  if (!flags.output.empty()) {
    Result<UniqueFd> opened = OpenOutput(flags.output);
    if (!opened.ok()) {
      return Fail(globals, opened.error(), kExitFailed);
    }
    file = std::move(opened).value();
  }
  const bool on_terminal = !file && Terminal(1).interactive();
  const auto sink = [&](std::string_view lines) -> Status {
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
  const audit::ExportOptions options{
      .format = audit::ParseExportFormat(flags.format).value(),
      .source = {.log = {}, .host = HostName(), .version = NACRE_VERSION},
      .cursor_file = flags.cursor};
  const std::string directory = flags.directory.empty() ? app.audit_directory() : flags.directory;
  const CancelToken cancel = flags.follow ? CancelOnSignal() : CancelToken();
  uint64_t exported = 0;
  do {
    const Result<uint64_t> more = audit::ExportLog(directory, options, sink);
    if (!more.ok()) {
      const ErrorCode code = more.error().code;
      return Fail(globals, more.error(),
                  code == ErrorCode::kDataLoss             ? kExitTampered
                  : code == ErrorCode::kFailedPrecondition ? kExitFailed
                                                           : kExitBroken);
    }
    exported += more.value();
    constexpr int kPollMs = 500;
    pollfd wait{cancel.poll_fd(), POLLIN, 0};
    if (flags.follow) {
      ::poll(&wait, 1, kPollMs);
    }
  } while (flags.follow && !cancel.cancelled());
  if (globals.json) {
    std::printf("%s\n", DumpJson(OrderedJson{{"exported", exported}}).c_str());
  } else if (!flags.output.empty()) {
    std::fprintf(stderr, "%llu records exported\n", static_cast<unsigned long long>(exported));
  }
  return kExitOk;
}

}  // namespace

void RegisterAuditExport(CLI::App& audit, Globals& globals) {
  CLI::App* command =
      audit.add_subcommand("export", "The records for other systems, each at least once");
  auto flags = std::make_shared<ExportFlags>();
  command->add_option("--format", flags->format, "jsonl, ocsf (1.8.0), cef or syslog (RFC 5424)")
      ->check(CLI::IsMember({"jsonl", "ocsf", "cef", "syslog"}))
      ->capture_default_str();
  command->add_option("--output", flags->output, "Appends to this file (default: standard output)");
  CLI::Option* cursor =
      command->add_option("--cursor", flags->cursor,
                          "Goes on after what this file says, and notes there how far it came");
  command->add_option("--offline", flags->directory, "A copied log (default: this machine's)");
  command->add_flag("-f,--follow", flags->follow, "Goes on with what is recorded, until Ctrl-C")
      ->needs(cursor);
  AddJsonFlag(*command, globals);
  command->footer(
      "Examples:\n  nacre audit export --format ocsf > events.json\n"
      "  nacre audit export --format syslog --cursor siem.cursor --follow | logger-of-yours\n"
      "What was handed on but not yet noted when it was killed is handed on again: index and leaf "
      "tell.");
  command->callback([&globals, flags] { globals.exit_code = Export(globals, *flags); });
}

}  // namespace nacre::cli
