#include "sandbox/kernel_sandbox.h"

#include <unistd.h>

#include "sandbox/launcher.h"
#include "sandbox/monitor.h"

namespace nacre::sandbox {

KernelSandbox::KernelSandbox(HostSupport host, seccomp::Filter reaper)
    : host_(std::move(host)), reaper_filter_(std::move(reaper)) {}

Result<std::unique_ptr<KernelSandbox>> KernelSandbox::Create(HostSupport host) {
  seccomp::Filter reaper =
      NACRE_TRY(seccomp::CompileFilter(seccomp::ReaperRules(), seccomp::Otherwise::kKill));
  kernel::SweepCgroups(host.cgroup);
  return std::unique_ptr<KernelSandbox>(new KernelSandbox(std::move(host), std::move(reaper)));
}

Result<std::unique_ptr<KernelSandbox>> KernelSandbox::Create() {
  HostSupport host = NACRE_TRY(ProbeHost());
  return Create(std::move(host));
}

Result<const seccomp::ProfileFilters*> KernelSandbox::FiltersOf(const std::string& profile) {
  const std::lock_guard lock(mutex_);
  const auto found = tool_filters_.find(profile);
  if (found != tool_filters_.end()) {
    return &found->second;
  }
  seccomp::ProfileFilters made = NACRE_TRY(seccomp::CompileProfile(profile));
  return &tool_filters_.emplace(profile, std::move(made)).first->second;
}

Result<Outcome> KernelSandbox::Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) {
  const LaunchPlan plan = NACRE_TRY(MakePlan(spec, host_));
  return RunPlan(plan, io, cancel);
}

Result<Outcome> KernelSandbox::RunPlan(const LaunchPlan& plan, CallIo& io,
                                       const CancelToken& cancel) {
  const uint64_t number = calls_.fetch_add(1);
  const LaunchContext context{.host = &host_,
                              .tool_filters = NACRE_TRY(FiltersOf(plan.seccomp_profile)),
                              .reaper_filter = &reaper_filter_,
                              .mappings = &mappings_,
                              .cgroup_name = "nacre-" + std::to_string(::getpid()) + "-" +
                                             std::to_string(number) + "-" + plan.id};
  LaunchResult launched = NACRE_TRY(Launch(plan, context));
  if (const auto* failure = std::get_if<SetupFailure>(&launched)) {
    Outcome outcome;
    outcome.setup_step = failure->step;
    outcome.setup_errno = failure->error;
    outcome.layers.cgroup = "none";
    outcome.layers.weaker = plan.weaker;
    return outcome;
  }
  RunningCall& call = std::get<RunningCall>(launched);
  Outcome outcome = Monitor(call, plan, io, cancel);
  teardown_.Add(std::move(call));
  return outcome;
}

}  // namespace nacre::sandbox
