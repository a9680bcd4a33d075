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
  const auto add = [&](StepKind kind, const char* name) {
    Step step;
    step.kind = kind;
    step.name = name;
    warm.steps.push_back(std::move(step));
  };
  const bool interpreter = !plan.interpreter.empty();
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    if (i == plan.prepared_steps) {
      if (interpreter) {
        add(StepKind::kStartInterpreter, "start the interpreter");
      }
      warm.prepared_steps = warm.steps.size();
      add(StepKind::kAwaitCall, "wait for the call");
    }
    if (interpreter && plan.steps[i].kind == StepKind::kCapabilities) {
      add(StepKind::kHandOver, "hand over to the interpreter");
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
  result.argv.erase(result.argv.begin(), result.argv.begin() + Offset(warm.interpreter.size()));
  result.interpreter.clear();
  result.fail_at_step.reset();
  if (warm.fail_at_step && *warm.fail_at_step >= begin) {
    result.fail_at_step = *warm.fail_at_step - begin;
  }
  return result;
}

}  // namespace nacre::sandbox::zygote
