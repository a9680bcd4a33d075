// A policy and a call from a fuzzer's choices: the compiled policy decides as the oracle does.
#include <cstdint>
#include <cstdlib>

#include "policy/evaluator.h"
#include "tests/support/policy_oracle.h"
#include "tests/support/random_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre::policy;
  size_t at = 0;
  RandomPolicy source([&](size_t n) { return at < size ? bytes[at++] % n : 0; });
  const PolicyDocument document = source.Document(size / 16);
  const auto policy = Policy::Compile(document);
  for (int i = 0; i < 4; ++i) {
    const Request request = source.Call();
    const Decision decision = Evaluate(*policy, request);
    const oracle::Expected expected = oracle::Judge(document, request);
    if (decision.rule != expected.rule || decision.verdict != expected.verdict) {
      std::abort();
    }
  }
  return 0;
}
