#include "runtime/agent/refusal_log.h"

#include <utility>

namespace nacre::agent {

void RefusalLog::Record(const char* event, std::optional<uid_t> user, const std::string& call,
                        const std::string& reason) {
  uint64_t left_out = 0;
  {
    const std::lock_guard lock(mutex_);
    const MonotonicTime now = clock_.Monotonic();
    if (!minute_.has_value() || now - *minute_ >= std::chrono::minutes(1)) {
      minute_ = now;
      recorded_ = 0;
    }
    if (recorded_ == kRefusalsPerMinute) {
      ++left_out_;
      return;
    }
    ++recorded_;
    left_out = std::exchange(left_out_, 0);
  }
  [[maybe_unused]] const Result<uint64_t> written =
      log_.Append({.event = event,
                   .call = call,
                   .data = {{"reason", reason}, {"left_out", left_out}},
                   .actor = user.has_value() ? "uid " + std::to_string(*user) : "nacre"});
}

}  // namespace nacre::agent
