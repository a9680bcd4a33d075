// The judge of a probe: from what it reported and how its call ended, whether it was stopped, and
// by which layer. Pure.
//
// What is not clearly stopped counts as escaped: a probe that dies before it has tried anything
// proves nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/outcome.h"
#include "sandbox/seccomp/filter.h"
#include "sandbox/selftest/probe_catalogue.h"

namespace nacre::sandbox {

// A system call that had to fail, as the probe made it.
struct Attempt {
  int64_t number = 0;
  std::array<uint64_t, 6> arguments{};
  int64_t result = 0;
  int error = 0;
  std::string what;
};

// What a probe wrote to its channel.
struct ProbeReport {
  std::vector<Attempt> attempts;
  std::vector<std::pair<Layer, std::string>> held;
  std::optional<std::string> escaped;
  std::optional<std::string> cannot;
  bool done = false;
};

// Lines that are none of a report are left out: nothing that a probe could gain by.
ProbeReport ParseReport(std::string_view text);

// kAllowed: it did what the profile of its call is meant to allow.
enum class Verdict { kEscaped = 0, kStopped, kSkipped, kAllowed };

struct Judgement {
  Verdict verdict = Verdict::kEscaped;
  Layer layer = Layer::kNone;  // kStopped: who did
  bool as_expected = false;    // kStopped: one of the layers that the probe names
  std::string detail;          // "SYS_mount: EPERM", "timed_out"
};

// `filter` is the one in force, nullptr when the call ran without: it tells the errno that seccomp
// gives from the kernel's own. `off` is a layer that the call ran without: it cannot have been that.
Judgement Judge(const Probe& probe, const ProbeReport& report, const Outcome& outcome,
                const seccomp::Filter* filter, Layer off = Layer::kNone);

}  // namespace nacre::sandbox
