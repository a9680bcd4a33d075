#include "policy/rate.h"

#include <algorithm>

#include "base/units.h"
#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

CallUse UseOf(const CallRate& rate, const CallHistory& history) {
  CallUse sum;
  const auto used = history.find(rate.per);
  if (used != history.end()) {
    for (const auto& [tool, use] : used->second) {
      if (RateCovers(rate, tool)) {
        sum += use;
      }
    }
  }
  return sum;
}

}  // namespace

CallUse& CallUse::operator+=(const CallUse& other) {
  calls += other.calls;
  wall += other.wall;
  bytes_out += other.bytes_out;
  return *this;
}

uint64_t ArgumentBytes(const Json& arguments) {
  return DumpJson(arguments).size();
}

bool RateCovers(const CallRate& rate, const std::string& tool) {
  return std::any_of(rate.tools.begin(), rate.tools.end(),
                     [&](const std::string& pattern) { return ToolCovers(pattern, tool); });
}

std::optional<std::string> RateUsedUp(const CallRate& rate, const Request& request,
                                      const CallHistory& history) {
  const CallUse use = UseOf(rate, history);
  const std::string span = std::string(" in this ") + PerName(rate.per);
  if (rate.calls.has_value() && use.calls >= *rate.calls) {
    return std::to_string(use.calls) + " of " + std::to_string(*rate.calls) + " calls" + span +
           " have run";
  }
  if (rate.wall.has_value() && use.wall >= *rate.wall) {
    return "calls" + span + " have run for " +
           FormatDuration(std::chrono::duration_cast<std::chrono::milliseconds>(use.wall)) +
           " of " + FormatDuration(*rate.wall);
  }
  if (rate.bytes_out.has_value()) {
    const uint64_t bytes = ArgumentBytes(request.arguments);
    const uint64_t left = *rate.bytes_out - std::min(*rate.bytes_out, use.bytes_out);
    if (bytes > left) {
      return "calls" + span + " have taken " + std::to_string(use.bytes_out) + " of " +
             std::to_string(*rate.bytes_out) + " bytes out, and this one has " +
             std::to_string(bytes);
    }
  }
  return std::nullopt;
}

void NarrowByRate(const Budgets& budgets, const Request& request, const CallHistory& history,
                  Decision& decision) {
  if (decision.verdict == Verdict::kDeny) {
    return;
  }
  for (const CallRate& rate : budgets.rates) {
    if (!RateCovers(rate, request.tool)) {
      continue;
    }
    if (const auto used_up = RateUsedUp(rate, request, history)) {
      decision = {.verdict = Verdict::kDeny,
                  .rule = "budgets." + rate.id,
                  .reason = rate.reason + ": " + *used_up,
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
