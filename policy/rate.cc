#include "policy/rate.h"

#include <algorithm>

#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

uint64_t CallsOf(const CallRate& rate, const CallHistory& history) {
  uint64_t calls = 0;
  const auto counts = history.find(rate.per);
  if (counts != history.end()) {
    for (const auto& [tool, count] : counts->second) {
      calls += RateCovers(rate, tool) ? count : 0;
    }
  }
  return calls;
}

}  // namespace

bool RateCovers(const CallRate& rate, const std::string& tool) {
  return std::any_of(rate.tools.begin(), rate.tools.end(),
                     [&](const std::string& pattern) { return ToolCovers(pattern, tool); });
}

void NarrowByRate(const Budgets& budgets, const std::string& tool, const CallHistory& history,
                  Decision& decision) {
  if (decision.verdict == Verdict::kDeny) {
    return;
  }
  for (const CallRate& rate : budgets.rates) {
    if (!RateCovers(rate, tool)) {
      continue;
    }
    const uint64_t calls = CallsOf(rate, history);
    if (calls >= rate.calls) {
      decision = {.verdict = Verdict::kDeny,
                  .rule = "budgets." + rate.id,
                  .reason = rate.reason + ": " + std::to_string(calls) + " of " +
                            std::to_string(rate.calls) + " calls in this " + PerName(rate.per) +
                            " have run",
                  .source = rate.source};
      return;
    }
  }
}

bool AsksForSpan(const Budgets& budgets, const std::string& tool, CallRate::Per span) {
  return std::any_of(budgets.rates.begin(), budgets.rates.end(), [&](const CallRate& rate) {
    return rate.per == span && RateCovers(rate, tool);
  });
}

}  // namespace nacre::policy
