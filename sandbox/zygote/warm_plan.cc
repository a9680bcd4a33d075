#include "sandbox/zygote/warm_plan.h"

namespace nacre::sandbox::zygote {
namespace {

std::ptrdiff_t Offset(size_t index) {
  return static_cast<std::ptrdiff_t>(index);
}

}  // namespace

LaunchPlan MakeWarmPlan(const LaunchPlan& plan) {
  LaunchPlan warm = plan;
  warm.steps.clear();
  warm.fail_at_step.reset();
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    if (i == plan.prepared_steps) {
      warm.prepared_steps = warm.steps.size();
      Step wait;
      wait.kind = StepKind::kAwaitCall;
      wait.name = "wait for the call";
      warm.steps.push_back(std::move(wait));
    }
    if (plan.steps[i].kind == StepKind::kOpenSource) {
      continue;
    }
    if (plan.fail_at_step == i) {
      warm.fail_at_step = warm.steps.size();
    }
    warm.steps.push_back(plan.steps[i]);
  }
  return warm;
}

LaunchPlan TemplateOf(const LaunchPlan& warm) {
  const size_t end = warm.prepared_steps + 1;
  LaunchPlan result = warm;
  result.sources.clear();
  result.argv.clear();
  result.environment.clear();
  result.may_be_root = false;
  result.exceptions.clear();
  result.weaker.clear();
  result.fail_at_step.reset();
  result.limits = {};
  result.steps.assign(warm.steps.begin(), warm.steps.begin() + Offset(end));
  result.landlock_rules.assign(warm.landlock_rules.begin(),
                               warm.landlock_rules.begin() + Offset(warm.prepared_rules));
  result.id = "warm";
  result.limits.memory_bytes = warm.limits.memory_bytes;
  result.limits.tasks = warm.limits.tasks;
  if (warm.fail_at_step && *warm.fail_at_step < end) {
    result.fail_at_step = warm.fail_at_step;
  }
  return result;
}

LaunchPlan CallOf(const LaunchPlan& warm) {
  const size_t begin = warm.prepared_steps + 1;
  LaunchPlan result = warm;
  result.steps.assign(warm.steps.begin() + Offset(begin), warm.steps.end());
  result.prepared_steps = 0;
  result.landlock_rules.assign(warm.landlock_rules.begin() + Offset(warm.prepared_rules),
                               warm.landlock_rules.end());
  result.prepared_rules = 0;
  result.fail_at_step.reset();
  if (warm.fail_at_step && *warm.fail_at_step >= begin) {
    result.fail_at_step = *warm.fail_at_step - begin;
  }
  return result;
}

}  // namespace nacre::sandbox::zygote
