#include "sandbox/teardown.h"

#include <optional>

namespace nacre::sandbox {

Teardown::~Teardown() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Teardown::Add(RunningCall call) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { Loop(); });
  }
  changed_.wait(lock, [this] { return waiting_.size() < kTeardownBacklogMax; });
  waiting_.push_back(std::move(call));
  changed_.notify_all();
}

void Teardown::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

void Teardown::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    std::optional<RunningCall> call(std::move(waiting_.front()));
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    call.reset();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace nacre::sandbox
