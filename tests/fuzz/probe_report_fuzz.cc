// What a probe writes to its channel: bytes from inside of a sandbox, judged outside of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sandbox/selftest/judge.h"

using nacre::sandbox::Judge;
using nacre::sandbox::Layer;
using nacre::sandbox::Outcome;
using nacre::sandbox::OutcomeKind;
using nacre::sandbox::Probe;
using nacre::sandbox::ProbeReport;
using nacre::sandbox::Verdict;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ProbeReport report = nacre::sandbox::ParseReport(text);
  Probe probe;
  probe.layers = {Layer::kMount};
  Outcome outcome;
  outcome.kind = OutcomeKind::kExited;
  outcome.exit_code = 0;
  const auto judgement = Judge(probe, report, outcome, nullptr);
  // Stopped is only what says so, is whole, and says by whom.
  if (judgement.verdict == Verdict::kStopped &&
      (!report.done || report.escaped || judgement.layer == Layer::kNone)) {
    std::abort();
  }
  return 0;
}
