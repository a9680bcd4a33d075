#include "runtime/agent/refusal_log.h"

#include <chrono>
#include <utility>

namespace nacre::agent {
namespace {

constexpr auto kMinute = std::chrono::minutes(1);

}  // namespace

RefusalLog::Bound& RefusalLog::BoundOf(const char* event, std::optional<uid_t> user,
                                       MonotonicTime now) {
  const Of own{event, user};
  if (const auto found = bounds_.find(own); found != bounds_.end()) {
    return found->second;
  }
  if (bounds_.size() >= kRefusedUsersMax) {
    ForgetOld(now);
  }
  const Of shared{event, std::nullopt};
  const bool room = bounds_.size() < kRefusedUsersMax;
  return bounds_.try_emplace(room ? own : shared, Bound{.minute = now}).first->second;
}

void RefusalLog::ForgetOld(MonotonicTime now) {
  std::map<std::string, uint64_t> left_out;
  std::erase_if(bounds_, [&](const auto& each) {
    const auto& [of, bound] = each;
    const bool old = of.second.has_value() && now - bound.minute >= kMinute;
    if (old && bound.left_out > 0) {
      left_out[of.first] += bound.left_out;
    }
    return old;
  });
  for (const auto& [event, count] : left_out) {
    bounds_.try_emplace(Of{event, std::nullopt}, Bound{.minute = now}).first->second.left_out +=
        count;
  }
}

void RefusalLog::Record(const char* event, std::optional<uid_t> user, const std::string& call,
                        const std::string& reason) {
  uint64_t left_out = 0;
  {
    const std::lock_guard lock(mutex_);
    const MonotonicTime now = clock_.Monotonic();
    Bound& bound = BoundOf(event, user, now);
    if (now - bound.minute >= kMinute) {
      bound.minute = now;
      bound.recorded = 0;
    }
    if (bound.recorded == kRefusalsPerMinute) {
      ++bound.left_out;
      return;
    }
    ++bound.recorded;
    left_out = std::exchange(bound.left_out, 0);
  }
  [[maybe_unused]] const Result<uint64_t> written =
      log_.Append({.event = event,
                   .call = call,
                   .data = {{"reason", reason}, {"left_out", left_out}},
                   .actor = user.has_value() ? "uid " + std::to_string(*user) : "nacre"});
}

}  // namespace nacre::agent
