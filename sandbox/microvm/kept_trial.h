// KeptTrial: what a costly trial said, so that it is not made for every call. A success is kept for
// good. A failure is kept for a while: a module may be loaded, a group joined, memory become free.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/result.h"

namespace nacre::sandbox::microvm {

// Not thread-safe.
class KeptTrial final {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit KeptTrial(std::chrono::seconds failure_kept) : failure_kept_(failure_kept) {}

  // What is kept at `now`, else what `attempt` says.
  const Status& Get(Time now, const std::function<Status()>& attempt) {
    if (!said_ || (!said_->ok() && now - made_ >= failure_kept_)) {
      said_ = attempt();
      made_ = now;
    }
    return *said_;
  }

 private:
  const std::chrono::seconds failure_kept_;
  std::optional<Status> said_;
  Time made_;
};

}  // namespace nacre::sandbox::microvm
