#include "sandbox/selftest/judge.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "sandbox/isolation.h"
#include "sandbox/seccomp/emulator.h"

namespace nacre::sandbox {
namespace {

using Layers = std::vector<Layer>;

std::string ErrnoText(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : "errno " + std::to_string(error);
}

bool IsFilters(const seccomp::Filter& filter, const Attempt& attempt) {
  seccomp_data call = {};
  call.nr = static_cast<int>(attempt.number);
  call.arch = AUDIT_ARCH_X86_64;
  std::copy(attempt.arguments.begin(), attempt.arguments.end(), call.args);
  const auto answer = seccomp::Emulate(filter, call);
  return answer.ok() &&
         answer.value() == (SECCOMP_RET_ERRNO | static_cast<uint32_t>(attempt.error));
}

// Who refuses with this errno, once the filter has let the call through. The kernel does not say;
// the probe's own expectation decides among them, and the run without that layer checks it.
Layers Refusers(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EROFS:
    case EXDEV:
    case ENXIO:
    case ENODEV:
    case EBUSY:
    case ELOOP:
      return {Layer::kMount};
    case EACCES:
      return {Layer::kLandlock, Layer::kMount, Layer::kDumpable, Layer::kUserNamespace,
              Layer::kRlimit};
    case EPERM:
      return {Layer::kCapabilities, Layer::kLandlock, Layer::kUserNamespace,
              Layer::kMount,        Layer::kRlimit,   Layer::kDumpable};
    case ESRCH:
      return {Layer::kPidNamespace};
    case ENETUNREACH:
    case ENETDOWN:
    case ECONNREFUSED:
    case EADDRNOTAVAIL:
      return {Layer::kNetworkNamespace};
    case EAGAIN:
    case EMFILE:
    case ENOMEM:
    case EFBIG:
      return {Layer::kRlimit, Layer::kCgroup};
    case ENOSPC:
    case EDQUOT:
      return {Layer::kMount, Layer::kUserNamespace};
    case EBADF:
      return {Layer::kDescriptors};
    case EINVAL:
      return {Layer::kKernel, Layer::kUserNamespace, Layer::kNoNewPrivileges};
    default:
      return {Layer::kKernel};
  }
}

// Who ended the call, when the end is the evidence.
Layers Enders(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::kViolation:
      return {Layer::kSeccomp};
    case OutcomeKind::kOutOfMemory:
    case OutcomeKind::kTasksExceeded:
      return {outcome.layers.cgroup == "none" ? Layer::kMonitor : Layer::kCgroup};
    case OutcomeKind::kTimedOut:
    case OutcomeKind::kCpuExceeded:
    case OutcomeKind::kOutputExceeded:
      return {Layer::kMonitor};
    case OutcomeKind::kDiskExceeded:
      return {outcome.signal != 0 ? Layer::kRlimit : Layer::kMonitor};
    default:
      return {};
  }
}

// The expected one of those that it can have been, else the likeliest.
Layer Choose(Layers possible, const Layers& expected, Layer off) {
  std::erase(possible, off);
  if (possible.empty()) {
    return Layer::kKernel;
  }
  for (const Layer layer : expected) {
    if (std::find(possible.begin(), possible.end(), layer) != possible.end()) {
      return layer;
    }
  }
  return possible.front();
}

}  // namespace

ProbeReport ParseReport(std::string_view text) {
  ProbeReport report;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      break;  // cut off
    }
    std::istringstream line{std::string(text.substr(0, end))};
    text.remove_prefix(end + 1);
    std::string word;
    line >> word;
    const auto rest = [&line] {
      std::string all;
      std::getline(line >> std::ws, all);
      return all;
    };
    if (word == "try") {
      Attempt attempt;
      line >> attempt.number >> std::hex;
      for (uint64_t& argument : attempt.arguments) {
        line >> argument;
      }
      line >> std::dec >> attempt.result >> attempt.error;
      if (line) {
        attempt.what = rest();
        report.attempts.push_back(std::move(attempt));
      }
    } else if (word == "held") {
      line >> word;
      if (const auto layer = ParseLayer(word)) {
        report.held.emplace_back(*layer, rest());
      }
    } else if (word == "escaped") {
      report.escaped = rest();
    } else if (word == "cannot") {
      report.cannot = rest();
    } else if (word == "done") {
      report.done = true;
    }
  }
  return report;
}

Judgement Judge(const Probe& probe, const ProbeReport& report, const Outcome& outcome,
                const seccomp::Filter* filter, Layer off) {
  Judgement judgement;
  if (report.escaped) {
    judgement.detail = *report.escaped;
    return judgement;
  }
  if (report.cannot) {
    judgement.verdict = Verdict::kSkipped;
    judgement.detail = *report.cannot;
    return judgement;
  }
  if (outcome.kind == OutcomeKind::kSetupFailed) {
    judgement.verdict = Verdict::kSkipped;
    judgement.detail = Describe(outcome);
    return judgement;
  }
  const bool in_tier = outcome.layers.isolation != IsolationName(Isolation::kNamespace);
  const auto stopped_by = [&](Layer found, const std::string& detail) {
    const Layer layer = in_tier ? InTier(found) : found;
    const bool expected =
        std::find(probe.layers.begin(), probe.layers.end(), layer) != probe.layers.end();
    // The first evidence counts, unless a later one is not as it should be.
    if (judgement.verdict != Verdict::kStopped || (judgement.as_expected && !expected)) {
      judgement = {Verdict::kStopped, layer, expected, detail};
    }
  };
  if (const Layers enders = Enders(outcome); !enders.empty()) {
    stopped_by(Choose(enders, probe.layers, off), OutcomeKindName(outcome.kind));
    return judgement;
  }
  if (outcome.kind != OutcomeKind::kExited || outcome.exit_code != 0 || !report.done) {
    judgement.detail = "unclear: " + Describe(outcome);
    return judgement;
  }
  for (const Attempt& attempt : report.attempts) {
    if (attempt.result >= 0) {
      continue;  // the probe saw that it was of no use
    }
    const bool by_filter = filter != nullptr && IsFilters(*filter, attempt);
    stopped_by(by_filter ? Layer::kSeccomp : Choose(Refusers(attempt.error), probe.layers, off),
               attempt.what + ": " + ErrnoText(attempt.error));
  }
  for (const auto& [layer, what] : report.held) {
    stopped_by(layer, what);
  }
  if (judgement.verdict != Verdict::kStopped) {
    judgement.detail = "unclear: it reported nothing";
  }
  return judgement;
}

}  // namespace nacre::sandbox
