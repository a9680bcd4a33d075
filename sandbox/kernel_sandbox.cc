#include "sandbox/kernel_sandbox.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "sandbox/kernel/tree_copy.h"
#include "sandbox/launcher.h"
#include "sandbox/monitor.h"
#include "sandbox/program_check.h"
#include "sandbox/seccomp/observer.h"
#include "sandbox/workspace/ownership.h"
#include "sandbox/zygote/warm_plan.h"

namespace nacre::sandbox {
namespace {

using SteadyClock = std::chrono::steady_clock;

Outcome NotBegun(OutcomeKind kind, const LaunchPlan& plan) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.layers.cgroup = "none";
  outcome.layers.exceptions = plan.exceptions;
  outcome.layers.weaker = plan.weaker;
  return outcome;
}

Outcome Failed(const SetupFailure& failure, const LaunchPlan& plan) {
  Outcome outcome = NotBegun(OutcomeKind::kSetupFailed, plan);
  outcome.setup_step = failure.step;
  outcome.setup_errno = failure.error;
  return outcome;
}

// As whom a call sees the files of a source that are its own.
std::optional<kernel::Ids> SeenAsOwn(const std::string& source, const HostSupport& host) {
  struct stat info = {};
  if (!host.privileged) {
    return kernel::Ids{.uid = host.uid, .gid = host.gid};
  }
  if (::lstat(source.c_str(), &info) != 0) {
    return std::nullopt;  // the launch will say so
  }
  return kernel::Ids{.uid = info.st_uid, .gid = info.st_gid};
}

// The plan with copies where an overlay would keep a call from changing what it should; nullopt: there
// are no such.
std::optional<LaunchPlan> WithCopies(const LaunchPlan& plan, const HostSupport& host,
                                     const Patience& patience) {
  std::optional<LaunchPlan> result;
  // Half, so that there is room for what the call adds.
  const CopyRoom room{.bytes = std::min(plan.limits.disk_bytes, plan.limits.memory_bytes) / 2,
                      .entries = kernel::kCopiedEntriesMax};
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.kind != StepKind::kOverlay) {
      continue;
    }
    const std::string& source = plan.sources[step.source].path;
    const auto seen = SeenAsOwn(source, host);
    if (seen && IsBetterCopied(source, *seen, GivableOwners::OfThisProcess(), room, patience)) {
      result = result ? std::move(result) : plan;
      result->steps[i].text = kAsCopy;
    }
  }
  return result;
}

}  // namespace

KernelSandbox::KernelSandbox(HostSupport host, seccomp::Filter reaper)
    : host_(std::move(host)), reaper_filter_(std::move(reaper)) {}

Result<std::unique_ptr<KernelSandbox>> KernelSandbox::Create(HostSupport host,
                                                             KernelSandboxOptions options) {
  seccomp::Filter reaper =
      NACRE_TRY(seccomp::CompileFilter(seccomp::ReaperRules(), seccomp::Otherwise::kKill));
  kernel::SweepCgroups(host.cgroup);
  std::unique_ptr<KernelSandbox> sandbox(new KernelSandbox(std::move(host), std::move(reaper)));
  // Without namespaces there is nothing that it could build, and each call says why.
  if (!options.zygote_program.empty() && sandbox->host_.namespaces) {
    sandbox->warm_ = NACRE_TRY(zygote::WarmPool::Start(
        {.program = std::move(options.zygote_program), .slots = options.slots},
        sandbox->host_.cgroup));
  }
  return sandbox;
}

Result<std::unique_ptr<KernelSandbox>> KernelSandbox::Create(KernelSandboxOptions options) {
  HostSupport host = NACRE_TRY(ProbeHost());
  return Create(std::move(host), std::move(options));
}

void KernelSandbox::Settle() {
  teardown_.Wait();
  if (warm_ != nullptr) {
    warm_->Settle();
  }
}

bool KernelSandbox::Prepare(const SandboxSpec& spec, std::chrono::milliseconds patience) {
  const auto plan = MakePlan(spec, host_);
  if (warm_ == nullptr || !plan.ok() || plan.value().unmet || plan.value().cold) {
    return false;
  }
  const auto context = MakeContext(plan.value());
  return context.ok() &&
         warm_->Prepare(zygote::MakeWarmPlan(plan.value()), context.value(), patience);
}

void KernelSandbox::Expect(const SandboxSpec& spec) {
  Prepare(spec, std::chrono::milliseconds(0));
}

Result<LaunchContext> KernelSandbox::MakeContext(const LaunchPlan& plan) {
  return LaunchContext{
      .host = &host_,
      .tool_filters = NACRE_TRY(FiltersOf(plan.seccomp_profile, plan.observe)),
      .reaper_filter = &reaper_filter_,
      .mappings = &mappings_,
      .cgroup_name = kernel::OwnCgroupName(std::to_string(calls_.fetch_add(1)) + "-" + plan.id)};
}

Result<const seccomp::ProfileFilters*> KernelSandbox::FiltersOf(const std::string& profile,
                                                                bool observe) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(profile, observe);
  const auto found = tool_filters_.find(key);
  if (found != tool_filters_.end()) {
    return &found->second;
  }
  seccomp::ProfileFilters made = NACRE_TRY(seccomp::CompileProfile(profile));
  if (observe) {
    made.reporting = seccomp::Observing(made.reporting);
  }
  return &tool_filters_.emplace(key, std::move(made)).first->second;
}

Result<Outcome> KernelSandbox::Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) {
  const LaunchPlan plan = NACRE_TRY(MakePlan(spec, host_));
  if (auto problem = FindProgramProblem(spec, host_)) {
    return Failed({std::move(*problem), 0}, plan);
  }
  return RunPlan(plan, io, cancel);
}

Result<Outcome> KernelSandbox::RunPlan(const LaunchPlan& given, CallIo& io,
                                       const CancelToken& cancel) {
  const SteadyClock::time_point start = SteadyClock::now();
  const Patience patience{.cancel = cancel, .until = start + given.limits.wall};
  const std::optional<LaunchPlan> copying = WithCopies(given, host_, patience);
  if (patience.ended()) {
    Outcome outcome =
        NotBegun(cancel.cancelled() ? OutcomeKind::kCancelled : OutcomeKind::kTimedOut, given);
    outcome.use.wall =
        std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
    return outcome;
  }
  const LaunchPlan& plan = copying ? *copying : given;
  const LaunchContext context = NACRE_TRY(MakeContext(plan));
  std::string cold_because;
  if (warm_ != nullptr && !plan.unmet && !plan.cold) {
    const LaunchPlan warm_plan = zygote::MakeWarmPlan(plan);
    zygote::WarmPool::Launched launched = warm_->Launch(warm_plan, context);
    if (const auto* failure = std::get_if<SetupFailure>(&launched)) {
      return Failed(*failure, plan);
    }
    if (auto* call = std::get_if<RunningCall>(&launched)) {
      Outcome outcome = Monitor(*call, warm_plan, io, cancel);
      warm_->Return(std::move(*call));
      outcome.warm = true;
      return outcome;
    }
    cold_because = std::move(std::get<zygote::NotWarm>(launched).why);
  }
  LaunchResult launched = NACRE_TRY(Launch(plan, context));
  if (const auto* failure = std::get_if<SetupFailure>(&launched)) {
    return Failed(*failure, plan);
  }
  RunningCall& call = std::get<RunningCall>(launched);
  Outcome outcome = Monitor(call, plan, io, cancel);
  outcome.cold_because = std::move(cold_because);
  teardown_.Add(std::move(call));
  return outcome;
}

}  // namespace nacre::sandbox
