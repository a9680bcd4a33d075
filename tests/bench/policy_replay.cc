#include "tests/bench/policy_replay.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/temp_dir.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/content_seal.h"

namespace nacre::bench {
namespace {

constexpr uint64_t kCallsOfSession = 100;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "policy_bench: replay: %s\n", what.c_str());
  std::exit(1);
}

// A disk that is not waited for: what is measured comes after the writing.
class UnsyncedStorage final : public audit::Storage {
 public:
  Status Sync(int) override { return Ok(); }
  Status SyncDirectory(const std::string&) override { return Ok(); }
};

std::string Ulid(char kind, uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string("01J") + kind + std::string(22 - digits.size(), '0') + digits;
}

// Reading, writing and running by turns, as an agent that works on a program does.
audit::AuditRecord Decision(uint64_t number) {
  const std::string file = "/workspace/src/part" + std::to_string(number % 997) + ".c";
  Json arguments = {{"path", file}};
  std::string tool = "fs.read";
  if (number % 4 == 1) {
    tool = "fs.write";
    arguments["content"] = "int part(void) { return " + std::to_string(number) + "; }\n";
  } else if (number % 4 == 2) {
    tool = "proc.run";
    arguments = {{"argv", {"grep", "-n", "part", file}}};
  } else if (number % 4 == 3) {
    arguments["path"] = "/etc/shadow";
  }
  const std::string text = DumpJson(arguments);
  audit::AuditRecord record;
  record.event = "call.decided";
  record.session = Ulid('0', number / kCallsOfSession);
  record.turn = Ulid('1', number / kCallsOfSession);
  record.call = Ulid('2', number);
  record.policy_digest = "sha256:" + std::string(64, 'a');
  record.data = {
      {"tool", tool},
      {"arguments",
       {{"digest", Sha256Text(text)}, {"bytes", text.size()}, {"content", text}, {"cut", false}}},
      {"verdict", number % 4 == 3 ? "deny" : "allow"},
      {"reason", "the agent works on this workspace"},
      {"source", "builtin/coding:12:5"}};
  record.rule = number % 4 == 3 ? "default" : "tools.workspace";
  record.step = static_cast<int64_t>(number % kCallsOfSession) + 1;
  record.actor = "agent";
  return record;
}

double ChildSeconds() {
  rusage use{};
  ::getrusage(RUSAGE_CHILDREN, &use);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

}  // namespace

OrderedJson MeasureReplay(const std::string& program, uint64_t records) {
  const auto state = TempDir::Create();
  if (!state.ok()) {
    Die(state.error().message);
  }
  const SystemClock clock;
  SystemRandom random;
  UnsyncedStorage storage;
  const std::string directory = state.value().path() + "/audit";
  {
    auto opened = audit::OpenAuditLog(directory, clock, random, storage);
    if (!opened.ok()) {
      Die(opened.error().message);
    }
    const auto log = audit::SealingLog(std::move(opened).value(), directory, random, storage);
    for (uint64_t i = 0; i < records; ++i) {
      if (const auto written = log->Append(Decision(i)); !written.ok()) {
        Die(written.error().message);
      }
    }
    if (const Status signed_now = log->WriteCheckpoint(); !signed_now.ok()) {
      Die(signed_now.error().message);
    }
  }
  const double cpu = ChildSeconds();
  const auto began = std::chrono::steady_clock::now();
  FILE* replay = ::popen(("NACRE_STATE_DIR='" + state.value().path() + "' '" + program +
                          "' policy replay --json coding")
                             .c_str(),
                         "r");
  std::string said;
  char buffer[4096];
  for (size_t got = 0;
       replay != nullptr && (got = std::fread(buffer, 1, sizeof buffer, replay)) > 0;) {
    said.append(buffer, got);
  }
  if (replay == nullptr || ::pclose(replay) != 0) {
    Die("nacre policy replay failed: " + said);
  }
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const double used = ChildSeconds() - cpu;
  const Result<Json> report = ParseJson(said);
  const Json* not_judged = report.ok() ? FindMember(report.value(), "not_judged") : nullptr;
  if (not_judged == nullptr || !not_judged->empty() ||
      IntMember(report.value(), "calls") != static_cast<int64_t>(records)) {
    Die("not every call was judged: " + said);
  }
  return {{"replay_records", records},
          {"replay_records_per_minute", static_cast<double>(records) / used * 60},
          {"replay_wall_s", wall}};
}

}  // namespace nacre::bench
