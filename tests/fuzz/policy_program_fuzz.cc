// A policy and a call from a fuzzer's choices: the compiled policy decides as the oracle does.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "policy/evaluator.h"
#include "policy/rate.h"
#include "tests/support/policy_oracle.h"
#include "tests/support/random_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre::policy;
  size_t at = 0;
  RandomPolicy source([&](size_t n) { return at < size ? bytes[at++] % n : 0; });
  PolicyDocument document = source.Document(size / 32);
  if (source.Coin()) {
    source.AddNarrowing(document);
  }
  const auto policy = Policy::Compile(document);
  for (int i = 0; i < 4; ++i) {
    const Request request = source.LabelledCall();
    const CallHistory history = source.History();
    Decision decision = Evaluate(*policy, request);
    NarrowByRate(policy->budgets, request, history, decision);
    const oracle::Expected expected = oracle::Judge(document, request, history);
    if (decision.rule != expected.rule || decision.verdict != expected.verdict ||
        !oracle::SameApprovers(decision, expected)) {
      std::abort();
    }
  }
  return 0;
}
