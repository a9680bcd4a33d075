// nacre audit tail|verify: the evidence, and whether it is whole.
#include <cstdio>
#include <deque>
#include <memory>

#include "runtime/audit/audit_verifier.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

int Tail(Globals& globals, size_t count) {
  const App app(globals.app);
  std::deque<std::pair<uint64_t, Json>> newest;
  const Status read =
      audit::ReadAuditLog(app.audit_directory(), 0, [&](uint64_t index, const Json& record) {
        newest.emplace_back(index, record);
        if (newest.size() > count) {
          newest.pop_front();
        }
        return true;
      });
  for (const auto& [index, record] : newest) {
    if (globals.json) {
      std::printf("%s\n", DumpJson(record).c_str());
      continue;
    }
    const Json* data = FindMember(record, "data");
    std::printf("%6llu  %s  %-16s %s\n", static_cast<unsigned long long>(index),
                SafeLine(StringMember(record, "time"), 24).c_str(),
                SafeLine(StringMember(record, "event"), 24).c_str(),
                data != nullptr ? SafeLine(DumpJson(*data), 140).c_str() : "");
  }
  return read.ok() ? kExitOk : Fail(globals, read.error());
}

int Verify(Globals& globals, const std::string& directory) {
  const App app(globals.app);
  Result<audit::VerifyReport> verified =
      audit::VerifyAuditLog(directory.empty() ? app.audit_directory() : directory);
  if (!verified.ok()) {
    return Fail(globals, verified.error());
  }
  const audit::VerifyReport& report = verified.value();
  if (globals.json) {
    const OrderedJson json = {{"ok", report.ok},
                              {"records", report.records},
                              {"checkpoints", report.checkpoints},
                              {"covered", report.covered},
                              {"root", report.root},
                              {"problems", report.problems}};
    std::printf("%s\n", DumpJson(json).c_str());
  } else {
    const Terminal terminal(1);
    std::printf("%s  %llu records, %llu checkpoints, %llu records under the newest signature\n",
                report.ok ? terminal.Paint(Style::kGreen, "verified").c_str()
                          : terminal.Paint(Style::kRed, "NOT VERIFIED").c_str(),
                static_cast<unsigned long long>(report.records),
                static_cast<unsigned long long>(report.checkpoints),
                static_cast<unsigned long long>(report.covered));
    for (const std::string& problem : report.problems) {
      std::printf("  %s\n", SafeLine(problem, 300).c_str());
    }
  }
  return report.ok ? kExitOk : kExitFailed;
}

}  // namespace

void RegisterAudit(CLI::App& root, Globals& globals) {
  CLI::App* audit = root.add_subcommand("audit", "Read and verify the audit log");
  audit->require_subcommand(1);
  audit->footer(
      "Examples:\n  nacre audit verify\n  nacre audit tail --count 5\n  nacre audit tail --json | "
      "jq .event");

  CLI::App* tail = audit->add_subcommand("tail", "The newest records");
  auto count = std::make_shared<size_t>(20);
  tail->add_option("--count", *count, "So many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  AddJsonFlag(*tail, globals);
  tail->callback([&globals, count] { globals.exit_code = Tail(globals, *count); });

  CLI::App* verify =
      audit->add_subcommand("verify", "Is every record as it was written and signed?");
  auto directory = std::make_shared<std::string>();
  verify->add_option("directory", *directory, "A copied log (default: this machine's)");
  AddJsonFlag(*verify, globals);
  verify->callback([&globals, directory] { globals.exit_code = Verify(globals, *directory); });
}

}  // namespace nacre::cli
