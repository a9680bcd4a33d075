// nacre audit copy: the log for an auditor, without what signs it.
#include <cstdio>
#include <memory>

#include "runtime/audit/log_copy.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

struct CopyFlags {
  std::string destination;
  std::string directory;
  bool damaged = false;
};

int Copy(Globals& globals, const CopyFlags& flags) {
  App app(globals.app);
  const Result<std::string> log = LogToRead(app, flags.directory);
  if (!log.ok()) {
    return FailBy(globals, log.error());
  }
  const Result<audit::CopyReport> copied =
      flags.damaged ? audit::CopyDamagedLog(log.value(), flags.destination)
                    : audit::CopyLog(log.value(), flags.destination);
  if (!copied.ok() && copied.error().code == ErrorCode::kDataLoss) {
    return FailBy(
        globals, {ErrorCode::kDataLoss,
                  "nothing was copied, since the copy would not verify: " + copied.error().message +
                      "; --damaged copies what there is, as evidence"});
  }
  if (!copied.ok()) {
    return copied.error().code == ErrorCode::kAlreadyExists
               ? Fail(globals, copied.error(), kExitUsage)
               : FailBy(globals, copied.error());
  }
  const audit::CopyReport& report = copied.value();
  if (globals.json) {
    PrintJson(OrderedJson{{"directory", flags.destination},
                          {"records", report.records},
                          {"files", report.files},
                          {"bytes", report.bytes},
                          {"problems", report.problems}});
  } else {
    std::printf(
        flags.damaged
            ? "copied the %llu files of the log to %s as they are, without its private key\n"
            : "copied the log of %llu records to %s, without its private key\n",
        static_cast<unsigned long long>(flags.damaged ? report.files : report.records),
        SafeLine(flags.destination, 200).c_str());
    for (const std::string& problem : report.problems) {
      std::printf("  %s\n", SafeLine(problem, 600).c_str());
    }
  }
  return report.problems.empty() ? kExitOk : kExitTampered;
}

}  // namespace

void RegisterAuditCopy(CLI::App& audit, Globals& globals) {
  CLI::App* command = audit.add_subcommand(
      "copy", "A copy of the log that verifies, also while it is written, without its private key");
  auto flags = std::make_shared<CopyFlags>();
  command->add_option("destination", flags->destination, "A folder that is made, or empty")
      ->required();
  command->add_flag(
      "--damaged", flags->damaged,
      "Copies a log that does not verify as it is, as evidence; what is wrong with it "
      "is said, and the exit code is 2");
  AddOfflineFlag(*command, &flags->directory);
  AddJsonFlag(*command, globals);
  command->footer(
      "Examples:\n  nacre audit copy /mnt/auditor/audit && nacre-verify /mnt/auditor/audit\n"
      "  nacre audit copy --damaged --offline old/audit /mnt/evidence/audit\n"
      "The copy is verified; where it would not verify, nothing is copied.\n"
      "Keep key.pub and a checkpoint apart from it: whoever could change the copy could not change "
      "these.");
  command->callback([&globals, flags] { globals.exit_code = Copy(globals, *flags); });
}

}  // namespace nacre::cli
