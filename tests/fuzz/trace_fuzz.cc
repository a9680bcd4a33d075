// Recorded runs and goals of attackers from hostile bytes: reading never crashes, and a run that is
// read is judged without crashing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/policy_loader.h"
#include "runtime/redteam/harm.h"
#include "runtime/redteam/replay.h"
#include "runtime/redteam/trace_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre;
  static const auto policy = policy::LoadPolicyText("p.yaml", R"(nacre: policy/1
name: p
tools:
  - {id: all, reason: r, tool: "*", decision: allow}
data:
  flows:
    - {id: f, reason: r, when: {argument: {roles: [recipient, link, setting], origin: [stranger]}}, to: {effects: [send, pay]}, decision: ask}
)");
  static const auto tools = policy::ParseToolTraits("t.yaml", R"(nacre: tools/1
tools:
  - {tool: send_money, effects: [pay], args: {recipient: recipient}, result: untrusted}
  - {tool: read_file, effects: [read], result: {format: yaml, trusted: [id]}}
)");
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto goals = redteam::Goals::Parse(text);
  const auto trace = redteam::ParseTrace(text);
  if (!trace.ok()) {
    return 0;
  }
  const auto calls = redteam::Replay(
      *policy.value(), tools.value(),
      goals.ok() ? goals.value() : redteam::Goals::Parse("[]").value(), trace.value());
  size_t recorded = 0;
  for (const auto& step : trace.value().steps) {
    recorded += std::holds_alternative<redteam::RecordedCall>(step) ? 1U : 0U;
  }
  if (calls.size() != recorded) {
    std::abort();  // a call that was not judged
  }
  return 0;
}
