// ThreadTuner: chooses how many threads generate tokens, from what the tokens cost.
//
// ggml's threads spin at a barrier after every operation, so when another process takes one of their
// cores all of them wait for the one that lost it: measured, 2 threads on a contended 2-core machine
// give a fifth of what 1 thread gives. Tools that run beside the engine make that the normal case.
//
// So the tuner stays on a ladder 1, 2, 4, ... threads_max and compares neighbours by measurement:
//  - after each window of kWindow tokens (the first is shorter) it tries one neighbouring rung for kProbe tokens and moves
//    there when that was faster by more than kGain;
//  - when a window costs more than kCollapse times the best known, it tries one thread at once.
// The best known cost drifts up slowly, because tokens cost more as the context grows.
//
// Pure: times are given to it. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nacre::inference {

class ThreadTuner final {
 public:
  static constexpr int kFirstWindow = 8;
  static constexpr int kWindow = 48;
  static constexpr int kProbe = 4;
  static constexpr double kGain = 0.87;
  static constexpr double kCollapse = 3.0;

  // Below this a model is so small that a barrier costs more than a second core gives.
  static constexpr uint64_t kTinyParameters = 20'000'000;

  ThreadTuner(uint32_t threads_max, uint64_t parameters);

  // For the next token.
  uint32_t threads() const { return ladder_[probing_ ? probe_rung_ : rung_]; }
  // A token took `seconds` with threads().
  void Record(double seconds);

 private:
  void StartProbe(size_t rung);
  void EndProbe();

  std::vector<uint32_t> ladder_;
  size_t rung_;
  size_t probe_rung_ = 0;
  bool probing_ = false;
  bool probe_down_next_ = true;
  int count_ = 0;
  double sum_ = 0;
  double settled_cost_ = 0;  // average of the window before the probe
  double best_cost_ = 0;     // 0: not known
};

}  // namespace nacre::inference
