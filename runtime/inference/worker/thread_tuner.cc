#include "runtime/inference/worker/thread_tuner.h"

#include <algorithm>

namespace nacre::inference {

ThreadTuner::ThreadTuner(uint32_t threads_max, uint64_t parameters) {
  for (uint32_t rung = 1; rung < threads_max; rung *= 2) {
    ladder_.push_back(rung);
  }
  ladder_.push_back(std::max(1U, threads_max));
  if (parameters < kTinyParameters) {
    ladder_.resize(1);
  }
  rung_ = ladder_.size() - 1;
}

void ThreadTuner::Record(double seconds) {
  if (ladder_.size() == 1) {
    return;
  }
  sum_ += seconds;
  ++count_;
  if (probing_) {
    if (count_ == kProbe) {
      EndProbe();
    }
    return;
  }
  // A collapse is seen after a few tokens: waiting for the window would cost seconds.
  const double average = sum_ / count_;
  const bool collapsed = best_cost_ > 0 && count_ >= kProbe && average > kCollapse * best_cost_;
  const int window = best_cost_ == 0 ? kFirstWindow : kWindow;
  if (count_ < window && !collapsed) {
    return;
  }
  settled_cost_ = average;
  best_cost_ = best_cost_ == 0 ? average : std::min(average, best_cost_ * 1.1);
  count_ = 0;
  sum_ = 0;
  if (collapsed && rung_ > 0) {
    StartProbe(0);
    return;
  }
  const bool can_go_up = rung_ + 1 < ladder_.size();
  const bool down = rung_ > 0 && (probe_down_next_ || !can_go_up);
  probe_down_next_ = !probe_down_next_;
  StartProbe(down ? rung_ - 1 : rung_ + 1);
}

void ThreadTuner::StartProbe(size_t rung) {
  probing_ = true;
  probe_rung_ = rung;
}

void ThreadTuner::EndProbe() {
  const double cost = sum_ / count_;
  if (cost < settled_cost_ * kGain) {
    rung_ = probe_rung_;
    best_cost_ = cost;
  }
  probing_ = false;
  count_ = 0;
  sum_ = 0;
}

}  // namespace nacre::inference
