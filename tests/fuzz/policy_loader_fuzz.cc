// A policy from hostile bytes: loading never crashes, and what loads is written out as a document
// that loads to the same digest, and decides without crashing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/evaluator.h"
#include "policy/explain.h"
#include "policy/policy_loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto policy = policy::LoadPolicyText("fuzz.yaml", text);
  if (!policy.ok()) {
    return 0;
  }
  const auto again = policy::LoadPolicyText("again.yaml", policy::ToYaml(*policy.value()));
  if (!again.ok() || again.value()->digest != policy.value()->digest) {
    std::abort();
  }
  const policy::Request request{
      .tool = "proc.run",
      .arguments = {{"argv", {"wc", "-l", "a.txt"}}, {"path", "/workspace/a.txt"}},
      .paths = {{"path", "/workspace/a.txt", policy::PathAccess::kWrite}}};
  policy::Decision decision = policy::Explain(*policy.value(), request).decision;
  policy::Decision decision_again = policy::Evaluate(*again.value(), request);
  decision.source = decision_again.source = {};  // the one thing that may differ
  if (decision != decision_again) {
    std::abort();
  }
  return 0;
}
