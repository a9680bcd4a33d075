#include "sandbox/selftest/probe_runner.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace nacre::sandbox {
namespace {

constexpr std::chrono::milliseconds kWall{5000};
// A system call in another tier takes many times as long.
constexpr int kPatience = 4;
constexpr size_t kReportBytesMax = 256 << 10;
constexpr char kProgram[] = "/probes/nacre-probes";

// The limits of tests/security/probes/probe.h.
Limits ProbeLimits(const Probe& probe) {
  Limits limits;
  limits.wall = probe.wall.count() > 0 ? probe.wall : kWall;
  limits.cpu = std::chrono::seconds(2);
  limits.memory_bytes = 64ULL << 20;
  limits.tasks = 24;
  limits.files = 64;
  limits.output_bytes = 256ULL << 10;
  limits.disk_bytes = 8ULL << 20;
  limits.inodes = 4096;
  return limits;
}

// By which a probe names what it expects elsewhere than in the profile default.
std::string KeyOf(const ProbeSetting& setting) {
  return setting.isolation == Isolation::kNamespace ? setting.profile
                                                    : IsolationName(setting.isolation);
}

// Keeps what comes on the channel, up to a bound, and tells when the call says that it is ready.
class ReportIo final : public CallIo {
 public:
  Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
  Reply OnChannelBytes(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    text_.append(bytes.substr(0, kReportBytesMax - std::min(kReportBytesMax, text_.size())));
    if (text_.find("ready\n") != std::string::npos) {
      ready_ = true;
      changed_.notify_all();
    }
    return {};
  }

  void End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  // True: ready. False: it ended before it was.
  bool WaitUntilReady() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_ || ended_; });
    return ready_;
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool ready_ = false;
  bool ended_ = false;
};

// Another call, beside the probe's. Ended at the latest with this object.
class OtherCall final {
 public:
  using Call = std::function<void(CallIo&, const CancelToken&)>;
  explicit OtherCall(Call call)
      : thread_([this, call = std::move(call)] {
          call(io_, cancel_.token());
          io_.End();
        }) {}
  ~OtherCall() {
    cancel_.Cancel();
    thread_.join();
  }

  ReportIo& io() { return io_; }

 private:
  ReportIo io_;
  CancelSource cancel_;
  std::thread thread_;
};

}  // namespace

ProbeRunner::ProbeRunner(KernelSandbox& sandbox, std::string directory, ProbeSetting setting,
                         std::vector<Probe> probes, seccomp::Filter filter, HostBait bait)
    : sandbox_(&sandbox),
      directory_(std::move(directory)),
      setting_(std::move(setting)),
      probes_(std::move(probes)),
      filter_(std::move(filter)),
      bait_(std::move(bait)) {}

Result<ProbeRunner> ProbeRunner::Create(KernelSandbox& sandbox, const std::string& directory,
                                        ProbeSetting setting) {
  std::vector<Probe> probes = NACRE_TRY(LoadProbes(directory));
  if (setting.isolation != Isolation::kNamespace && setting.tiers == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "no sandbox for the probes' isolation is given"};
  }
  for (Probe& probe : probes) {
    const auto own = probe.elsewhere.find(KeyOf(setting));
    if (own != probe.elsewhere.end() && !own->second.layers.empty()) {
      probe.layers = own->second.layers;
    }
    // It allows the fewest calls: much of what another layer stops elsewhere does not get that far.
    if (setting.profile == "pure") {
      probe.layers.push_back(Layer::kSeccomp);
    }
    if (setting.isolation != Isolation::kNamespace) {
      std::transform(probe.layers.begin(), probe.layers.end(), probe.layers.begin(), InTier);
    }
  }
  const auto rules = NACRE_TRY(seccomp::ProfileRules(setting.profile));
  seccomp::Filter filter =
      NACRE_TRY(seccomp::CompileFilter(rules, seccomp::Otherwise::kNoSuchCall));
  HostBait bait = NACRE_TRY(HostBait::Create());
  return ProbeRunner(sandbox, directory, std::move(setting), std::move(probes), std::move(filter),
                     std::move(bait));
}

std::vector<std::pair<std::string, std::string>> ProbeRunner::Environment(
    const Arena& arena) const {
  auto variables = bait_.variables();
  variables.emplace_back("PATH", "/usr/bin:/bin");
  variables.emplace_back("PROBE_HOST_FILE", arena.host_file());
  return variables;
}

SandboxSpec ProbeRunner::Spec(const Probe& probe, const Arena& arena, bool other) const {
  SandboxSpec spec;
  spec.id = "probe";
  spec.argv = {kProgram};
  if (other) {
    spec.argv.emplace_back("--other");
  }
  spec.argv.push_back(probe.name);
  spec.environment = Environment(arena);
  spec.mounts = {{.source = directory_,
                  .target = "/probes",
                  .access = Access::kRead,
                  .executable = Executable::kYes},
                 {.source = arena.workspace(),
                  .target = "/workspace",
                  .access = setting_.workspace,
                  .executable = Executable::kYes},
                 {.source = arena.read_only(), .target = "/readonly"}};
  spec.seccomp_profile = setting_.profile;
  spec.working_directory = "/workspace";
  spec.hidden = {"/workspace/guarded/secret"};
  spec.read_only = {"/workspace/guarded/kept"};
  spec.limits = ProbeLimits(probe);
  spec.require.cgroup = false;  // the suite tells what holds on this host, with what it has
  spec.require.id_maps = false;
  spec.isolation = setting_.isolation;
  if (spec.isolation != Isolation::kNamespace) {
    spec.limits.wall *= kPatience;
    spec.limits.cpu *= kPatience;
  }
  return spec;
}

Result<Outcome> ProbeRunner::RunCall(const SandboxSpec& spec, Layer without, CallIo& io,
                                     const CancelToken& cancel) const {
  if (spec.isolation != Isolation::kNamespace) {
    return setting_.tiers->Run(spec, io, cancel);
  }
  LaunchPlan plan = NACRE_TRY(MakePlan(spec, sandbox_->host()));
  return sandbox_->RunPlan(without == Layer::kNone ? plan : Without(std::move(plan), without), io,
                           cancel);
}

const Probe::Elsewhere* ProbeRunner::Elsewhere(const Probe& probe) const {
  const auto found = probe.elsewhere.find(KeyOf(setting_));
  return found == probe.elsewhere.end() ? nullptr : &found->second;
}

Result<ProbeResult> ProbeRunner::RunWithout(const Probe& probe, Layer layer) const {
  const Probe::Elsewhere* elsewhere = Elsewhere(probe);
  if (elsewhere != nullptr && !elsewhere->not_tried.empty()) {
    return ProbeResult{{Verdict::kSkipped, Layer::kNone, false, elsewhere->not_tried}, {}, {}};
  }
  const Arena arena = NACRE_TRY(Arena::Create());
  std::optional<Arena> others_arena;
  std::optional<OtherCall> other;
  if (probe.calls != Probe::Calls::kOne) {
    others_arena.emplace(NACRE_TRY(Arena::Create()));
    const SandboxSpec spec = Spec(probe, *others_arena, true);
    if (probe.calls == Probe::Calls::kInTurn) {
      NoCallIo io;
      NACRE_TRY(RunCall(spec, layer, io, CancelToken()));
    } else {
      other.emplace([this, spec, layer](CallIo& io, const CancelToken& cancel) {
        RunCall(spec, layer, io, cancel).ok();
      });
      if (!other->io().WaitUntilReady()) {
        const ProbeReport report = ParseReport(other->io().text());
        ProbeResult result;
        result.judgement.verdict = report.cannot ? Verdict::kSkipped : Verdict::kEscaped;
        result.judgement.detail = report.cannot.value_or("unclear: the other call was not ready");
        return result;
      }
    }
  }
  const SandboxSpec spec = Spec(probe, arena, false);
  ReportIo io;
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = NACRE_TRY(RunCall(spec, layer, io, CancelToken()));
  ProbeResult result;
  result.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  result.output = outcome.output + outcome.error_output;
  result.judgement = Judge(probe, ParseReport(io.text()), outcome,
                           layer == Layer::kSeccomp ? nullptr : &filter_, layer);
  if (elsewhere != nullptr && !elsewhere->allowed.empty()) {
    const bool did = result.judgement.verdict == Verdict::kEscaped;
    result.judgement.verdict = did ? Verdict::kAllowed : result.judgement.verdict;
    // In another tier it may also be too slow to get that far.
    result.judgement.as_expected =
        did || (setting_.isolation != Isolation::kNamespace && result.judgement.as_expected);
  }
  if (const auto damage = arena.Damage()) {
    result.judgement = {Verdict::kEscaped, Layer::kNone, false, *damage};
  }
  return result;
}

}  // namespace nacre::sandbox
