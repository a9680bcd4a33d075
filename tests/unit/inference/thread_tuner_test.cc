#include "runtime/inference/worker/thread_tuner.h"

#include <catch2/catch.hpp>
#include <functional>

namespace nacre::inference {
namespace {

constexpr uint64_t kParameters = 500'000'000;

// Runs `tokens` tokens whose cost depends on the number of threads; returns their total.
double Run(ThreadTuner* tuner, int tokens, const std::function<double(uint32_t)>& cost) {
  double total = 0;
  for (int i = 0; i < tokens; ++i) {
    const double seconds = cost(tuner->threads());
    total += seconds;
    tuner->Record(seconds);
  }
  return total;
}

}  // namespace

TEST_CASE("a tiny model runs on one thread whatever the machine has") {
  ThreadTuner tuner(64, 10'000'000);
  CHECK(tuner.threads() == 1);
  Run(&tuner, 500, [](uint32_t) { return 0.001; });
  CHECK(tuner.threads() == 1);
}

TEST_CASE("when threads help they are kept") {
  ThreadTuner tuner(8, kParameters);
  const double total = Run(&tuner, 2000, [](uint32_t threads) { return 0.1 / threads; });
  CHECK(total < 2000 * 0.1 / 8 * 1.25);  // the probes cost something, but not much
}

// The measured case: two threads on two cores, one of them taken by another process.
TEST_CASE("when two threads collapse, one is used, and two again when the machine is free") {
  ThreadTuner tuner(2, kParameters);
  Run(&tuner, 100, [](uint32_t threads) { return 0.04 / threads; });
  const auto contended = [](uint32_t threads) { return threads == 2 ? 0.30 : 0.05; };
  const double during = Run(&tuner, 400, contended);
  CHECK(during < 400 * 0.05 * 1.8);
  CHECK(during < 400 * 0.30 / 3);
  const double after = Run(&tuner, 400, [](uint32_t threads) { return 0.04 / threads; });
  CHECK(after < 400 * 0.02 * 1.4);
}

TEST_CASE("a machine that is contended from the start is noticed") {
  ThreadTuner tuner(2, kParameters);
  const double total =
      Run(&tuner, 300, [](uint32_t threads) { return threads == 2 ? 0.30 : 0.05; });
  CHECK(total < 300 * 0.05 * 1.8);
}

TEST_CASE("tokens that become dearer with the context do not look like a collapse") {
  ThreadTuner tuner(4, kParameters);
  int token = 0;
  const double total =
      Run(&tuner, 3000, [&](uint32_t threads) { return (0.04 + 0.0001 * token++) / threads; });
  const double ideal = (3000 * 0.04 + 0.0001 * 3000 * 3000 / 2) / 4;
  CHECK(total < ideal * 1.25);
}

}  // namespace nacre::inference
