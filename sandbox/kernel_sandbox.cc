#include "sandbox/kernel_sandbox.h"

#include <unistd.h>

#include "sandbox/launcher.h"
#include "sandbox/monitor.h"

namespace nacre::sandbox {

KernelSandbox::KernelSandbox(HostSupport host, seccomp::Filter tool, seccomp::Filter reaper)
    : host_(std::move(host)), tool_filter_(std::move(tool)), reaper_filter_(std::move(reaper)) {}

Result<std::unique_ptr<KernelSandbox>> KernelSandbox::Create(HostSupport host) {
  const auto rules = NACRE_TRY(seccomp::ProfileRules("default"));
  seccomp::Filter tool = NACRE_TRY(seccomp::CompileFilter(rules, seccomp::Otherwise::kNoSuchCall));
  seccomp::Filter reaper =
      NACRE_TRY(seccomp::CompileFilter(seccomp::ReaperRules(), seccomp::Otherwise::kKill));
  kernel::SweepCgroups(host.cgroup);
  return std::unique_ptr<KernelSandbox>(
      new KernelSandbox(std::move(host), std::move(tool), std::move(reaper)));
}

Result<std::unique_ptr<KernelSandbox>> KernelSandbox::Create() {
  HostSupport host = NACRE_TRY(ProbeHost());
  return Create(std::move(host));
}

Result<Outcome> KernelSandbox::Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) {
  const LaunchPlan plan = NACRE_TRY(MakePlan(spec, host_));
  return RunPlan(plan, io, cancel);
}

Result<Outcome> KernelSandbox::RunPlan(const LaunchPlan& plan, CallIo& io,
                                       const CancelToken& cancel) {
  const uint64_t number = calls_.fetch_add(1);
  const LaunchContext context{.host = &host_,
                              .tool_filter = &tool_filter_,
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
