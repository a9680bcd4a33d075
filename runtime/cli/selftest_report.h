// The report of `nacre selftest`: lines for people, then one line of JSON with the same and more. As
// a signed note (runtime/audit/signed_note.h) it is evidence of what this kernel stopped.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sandbox/host_support.h"
#include "sandbox/selftest/probe_runner.h"

namespace nacre::cli {

struct SelftestRun {
  std::string time;     // RFC 3339
  std::string version;  // of nacre
  std::string kernel;   // "Linux 6.18.0 x86_64"
  sandbox::HostSupport host;
  std::vector<sandbox::Probe> probes;
  std::vector<sandbox::ProbeResult> results;  // one for each probe
  std::chrono::milliseconds took{0};
};

struct SelftestSummary {
  size_t probes = 0;
  size_t stopped = 0;
  size_t escaped = 0;
  size_t skipped = 0;
  size_t unexpected = 0;  // stopped, by another layer than is meant to

  friend bool operator==(const SelftestSummary&, const SelftestSummary&) = default;
};

// All pure.
const char* VerdictName(sandbox::Verdict verdict);
SelftestSummary Summarise(const SelftestRun& run);
// {"probes":…,"stopped":…,"escaped":…,"skipped":…,"seconds":…}
OrderedJson SummaryJson(const SelftestRun& run);
OrderedJson ProbeJson(const sandbox::Probe& probe, const sandbox::ProbeResult& result);
// "stopped  mount  files/dot_dot  3.1 ms  SYS_openat: ENOENT"
std::string ProbeLine(const sandbox::Probe& probe, const sandbox::ProbeResult& result);
// The text to sign: printable lines, the last of them JSON.
std::string ReportText(const SelftestRun& run);

// The JSON of a report's text; kDataLoss when it is none. Its bytes are hostile until the signature
// over them was checked, and bounded here all the same.
constexpr size_t kReportBytesMax = 4 << 20;
Result<Json> ParseReport(std::string_view text);

}  // namespace nacre::cli
