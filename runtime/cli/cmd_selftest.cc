// nacre selftest: the escape suite on the user's own kernel, and a signed report of it.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/ids.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/checkpoint_files.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/signed_note.h"
#include "runtime/cli/command.h"
#include "runtime/cli/selftest_report.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

// Probes wait more than they compute.
constexpr size_t kWorkersMax = 4;
constexpr size_t kBarWidth = 40;
constexpr size_t kKeyBytesMax = 4096;

struct Options {
  std::string report;  // where to write it; empty: the state directory
  std::string verify;  // a report to verify instead
  std::string key;     // a public key to verify with; empty: this machine's
};

std::string KernelName() {
  struct utsname name = {};
  ::uname(&name);
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

// A bar on a terminal, else a line for each probe.
class Progress final {
 public:
  Progress(const Globals& globals, size_t total)
      : json_(globals.json), terminal_(STDOUT_FILENO), total_(total) {}

  void Show(const sandbox::Probe& probe, const sandbox::ProbeResult& result) {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (json_) {
      PrintJson(ProbeJson(probe, result));
      return;
    }
    const sandbox::Judgement& judgement = result.judgement;
    const bool wanted = judgement.verdict == sandbox::Verdict::kStopped && judgement.as_expected;
    if (!terminal_.interactive()) {
      std::printf("%s\n", ProbeLine(probe, result).c_str());
      return;
    }
    if (!wanted) {
      const Style style =
          judgement.verdict == sandbox::Verdict::kEscaped ? Style::kRed : Style::kYellow;
      std::printf("\r\x1b[K%s\n", terminal_.Paint(style, ProbeLine(probe, result)).c_str());
    }
    const size_t full = kBarWidth * done_ / total_;
    std::printf("\r\x1b[K[%s%s] %zu of %zu  %s", std::string(full, '#').c_str(),
                std::string(kBarWidth - full, ' ').c_str(), done_, total_, probe.name.c_str());
    std::fflush(stdout);
  }

  void End() {
    if (!json_ && terminal_.interactive()) {
      std::printf("\r\x1b[K");
    }
  }

 private:
  const bool json_;
  const Terminal terminal_;
  const size_t total_;
  std::mutex mutex_;
  size_t done_ = 0;
};

// All probes, several at a time, in the order of the catalogue.
Result<std::vector<sandbox::ProbeResult>> RunProbes(const sandbox::ProbeRunner& runner,
                                                    Progress& progress, const CancelToken& cancel) {
  const std::vector<sandbox::Probe>& probes = runner.probes();
  std::vector<sandbox::ProbeResult> results(probes.size());
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::optional<Error> failed;
  const auto work = [&] {
    for (size_t i = next++; i < probes.size() && !cancel.cancelled(); i = next++) {
      auto result = runner.Run(probes[i]);
      if (!result.ok()) {
        const std::lock_guard lock(mutex);
        failed = result.error();
        return;
      }
      results[i] = std::move(result).value();
      progress.Show(probes[i], results[i]);
    }
  };
  {
    std::vector<std::jthread> workers;
    const size_t count = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kWorkersMax);
    for (size_t i = 0; i < count; ++i) {
      workers.emplace_back(work);
    }
  }
  progress.End();
  if (failed) {
    return *failed;
  }
  if (cancel.cancelled()) {
    return Error{ErrorCode::kCancelled, "the self-test was cancelled; there is no report"};
  }
  return results;
}

// Where the report will lie. That it can't be written shows now, not after a minute.
Result<std::string> ReportFile(App& app, const std::string& path) {
  std::string file = path;
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (path.empty()) {
    folder = app.state_directory() + "/selftest";
    NACRE_TRY(MakeDirectories(folder));
    file = folder + "/" + NewUlid(app.clock(), app.random()) + ".txt";
  }
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0) {
    return SysError("write the report " + file, errno);
  }
  return file;
}

// The report, signed with the log's key and named in the log.
Status KeepReport(App& app, const SelftestRun& run, const std::string& file) {
  audit::AuditLog* log = NACRE_TRY(app.Log());
  const audit::SigningKey key =
      NACRE_TRY(audit::LoadSigningKey(app.audit_directory(), false, app.clock(), app.random()));
  const std::string note = NACRE_TRY(audit::SignNote(ReportText(run), key));
  NACRE_TRY(WriteFileAtomically(file, note));
  const SelftestSummary summary = Summarise(run);
  NACRE_TRY(log->Append({"selftest.finished",
                         {},
                         {},
                         {},
                         {},
                         {{"report_digest", Sha256Text(note)},
                          {"probes", summary.probes},
                          {"stopped", summary.stopped},
                          {"escaped", summary.escaped},
                          {"skipped", summary.skipped}}}));
  return log->WriteCheckpoint();
}

Result<int> Run(Globals& globals, const Options& options) {
  App app(globals.app);
  NACRE_TRY(app.Log());
  const std::string file = NACRE_TRY(ReportFile(app, options.report));
  auto sandbox = NACRE_TRY(sandbox::KernelSandbox::Create());
  const sandbox::ProbeRunner runner =
      NACRE_TRY(sandbox::ProbeRunner::Create(*sandbox, FindInstallPaths().probes));
  SelftestRun run;
  run.time = FormatRfc3339(app.clock().Now());
  run.version = NACRE_VERSION;
  run.kernel = KernelName();
  run.host = sandbox->host();
  run.probes = runner.probes();
  Progress progress(globals, run.probes.size());
  const MonotonicTime start = app.clock().Monotonic();
  run.results = NACRE_TRY(RunProbes(runner, progress, CancelOnSignal()));
  run.took = std::chrono::duration_cast<std::chrono::milliseconds>(app.clock().Monotonic() - start);
  NACRE_TRY(KeepReport(app, run, file));
  const SelftestSummary summary = Summarise(run);
  if (globals.json) {
    PrintJson(SummaryJson(run));
  } else {
    const Terminal terminal(STDOUT_FILENO);
    std::printf("%s  %zu probes, %zu stopped, %zu escaped, %zu skipped in %.1f s\n",
                summary.escaped == 0 ? terminal.Paint(Style::kGreen, "contained").c_str()
                                     : terminal.Paint(Style::kRed, "NOT CONTAINED").c_str(),
                summary.probes, summary.stopped, summary.escaped, summary.skipped,
                static_cast<double>(run.took.count()) / 1000);
    if (summary.unexpected > 0) {
      std::printf("%zu were stopped by another layer than is meant to: see the report\n",
                  summary.unexpected);
    }
    std::printf("report %s\n", SafeLine(file, 300).c_str());
  }
  return summary.escaped == 0 ? kExitOk : kExitFailed;
}

Result<audit::KeyChain> LoadKey(const std::string& file) {
  const std::string text = NACRE_TRY(ReadFile(file, kKeyBytesMax));
  return audit::KeyChain::Parse(text, {});
}

Result<int> Verify(Globals& globals, const Options& options) {
  const App app(globals.app);
  const std::string note = NACRE_TRY(ReadFile(options.verify, kReportBytesMax));
  // Without --key the log's own, the present one or one before it.
  audit::KeyChain keys = NACRE_TRY(
      options.key.empty() ? audit::KeyChain::Load(app.audit_directory()) : LoadKey(options.key));
  const audit::VerifyingKey& key = keys.current();
  const Result<std::string> text = keys.OpenNote(note);
  const Result<Json> report = text.ok() ? ParseReport(text.value()) : Result<Json>(text.error());
  if (globals.json) {
    OrderedJson json = {{"ok", report.ok()}, {"key", key.name()}};
    if (report.ok()) {
      json["time"] = StringMember(report.value(), "time");
      json["kernel"] = StringMember(report.value(), "kernel");
      json["summary"] = *FindMember(report.value(), "summary");
    } else {
      json["problem"] = report.error().message;
    }
    PrintJson(json);
  } else {
    const Terminal terminal(STDOUT_FILENO);
    if (report.ok()) {
      std::printf("%s  signed by %s\n%s, %s: %s\n",
                  terminal.Paint(Style::kGreen, "verified").c_str(), key.name().c_str(),
                  SafeLine(StringMember(report.value(), "time"), 40).c_str(),
                  SafeLine(StringMember(report.value(), "kernel"), 100).c_str(),
                  SafeLine(DumpJson(*FindMember(report.value(), "summary")), 200).c_str());
    } else {
      std::printf("%s  %s\n", terminal.Paint(Style::kRed, "NOT VERIFIED").c_str(),
                  SafeLine(report.error().message, 300).c_str());
    }
  }
  return report.ok() ? kExitOk : kExitFailed;
}

}  // namespace

void RegisterSelftest(CLI::App& root, Globals& globals) {
  CLI::App* command = root.add_subcommand(
      "selftest", "Try every known escape on this kernel, and sign what came of it");
  command->footer(
      "Examples:\n"
      "  nacre selftest\n"
      "  nacre selftest --json | tail -1\n"
      "  nacre selftest --report kernel.txt && nacre selftest --verify kernel.txt\n"
      "Exit codes: 0 every attack was stopped (or cannot be tried here), 1 one escaped or the "
      "report "
      "does not verify, 3 the suite could not run.");
  auto options = std::make_shared<Options>();
  command->add_option("--report", options->report,
                      "Where to write the report (default: selftest/ in the state directory)");
  CLI::Option* verify =
      command->add_option("--verify", options->verify, "Run nothing: verify this report");
  command
      ->add_option("--key", options->key,
                   "The public key to verify with (default: that of this machine's log)")
      ->needs(verify);
  AddJsonFlag(*command, globals);
  command->callback([&globals, options] {
    const Result<int> done =
        options->verify.empty() ? Run(globals, *options) : Verify(globals, *options);
    globals.exit_code =
        done.ok() ? done.value()
                  : Fail(globals, done.error(),
                         done.error().code == ErrorCode::kCancelled ? kExitCancelled : kExitBroken);
  });
}

}  // namespace nacre::cli
