#include "sandbox/zygote/warm_plan.h"

#include <algorithm>

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
  const auto add = [&](StepKind kind, const char* name) -> Step& {
    Step& step = warm.steps.emplace_back();
    step.kind = kind;
    step.name = name;
    return step;
  };
  const auto take = [&](size_t i) {
    if (plan.fail_at_step == i) {
      warm.fail_at_step = warm.steps.size();
    }
    warm.steps.push_back(plan.steps[i]);
  };
  const size_t prepared = plan.prepared_steps;
  for (size_t i = 0; i < prepared; ++i) {
    if (plan.steps[i].kind != StepKind::kOpenSource) {
      take(i);
    }
  }
  const bool interpreter = !plan.interpreter.empty();
  const bool split = !interpreter && plan.limits.tasks >= kTasksOfASplit;
  const auto is_early = [split](const Step& step) {
    return split && (step.kind == StepKind::kCapabilities || step.kind == StepKind::kSeccomp ||
                     step.kind == StepKind::kIdentityEvidence);
  };
  if (interpreter) {
    add(StepKind::kStartInterpreter, "start the interpreter");
  }
  if (split) {
    add(StepKind::kSplit, "lock the tool's process").number = static_cast<uint64_t>(
        std::count_if(plan.steps.begin() + Offset(prepared), plan.steps.end(), is_early));
    for (size_t i = prepared; i < plan.steps.size(); ++i) {
      if (is_early(plan.steps[i])) {
        take(i);
      }
    }
  }
  warm.prepared_steps = warm.steps.size();
  add(StepKind::kAwaitCall, "wait for the call");
  bool handed_over = false;
  for (size_t i = prepared; i < plan.steps.size(); ++i) {
    const StepKind kind = plan.steps[i].kind;
    if (!handed_over && ((interpreter && kind == StepKind::kCapabilities) ||
                         (split && (kind == StepKind::kLandlock || kind == StepKind::kEvidence)))) {
      add(StepKind::kHandOver,
          interpreter ? "hand over to the interpreter" : "hand over to the tool's process");
      handed_over = true;
    }
    if (!is_early(plan.steps[i])) {
      take(i);
    }
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
