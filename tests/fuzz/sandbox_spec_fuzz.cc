// Any spec at all: it is refused, or its plan has the walls that every plan has, in their order.
//
// A seed is lines of a word and its arguments, separated by tabs, so that people can read it:
//   argv /usr/bin/tool | env NAME VALUE | mount SOURCE TARGET rw|ro|tx x | hide PATH | keep PATH |
//   cwd PATH | profile NAME | id ID | group NAME | limit NAME NUMBER | host FLAG | terminal
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/kernel/mount.h"
#include "sandbox/plan.h"
#include "sandbox/report.h"
#include "sandbox/seccomp/syscall_groups.h"
#include "sandbox/spec_check.h"
#include "sandbox/zygote/messages.h"
#include "sandbox/zygote/warm_plan.h"
#include "tests/unit/sandbox/sandbox_test_host.h"

namespace {

using namespace nacre::sandbox;  // NOLINT: all of it is about this module

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

void TakeLimit(const std::string& name, const std::string& text, Limits& limits) {
  const uint64_t value = std::strtoull(text.c_str(), nullptr, 10);
  if (name == "wall") {
    limits.wall = std::chrono::milliseconds(static_cast<int64_t>(value));
  } else if (name == "cpu") {
    limits.cpu = std::chrono::seconds(static_cast<int64_t>(value));
  } else if (name == "memory") {
    limits.memory_bytes = value;
  } else if (name == "tasks") {
    limits.tasks = static_cast<uint32_t>(value);
  } else if (name == "files") {
    limits.files = static_cast<uint32_t>(value);
  } else if (name == "output") {
    limits.output_bytes = value;
  } else if (name == "disk") {
    limits.disk_bytes = value;
  } else if (name == "inodes") {
    limits.inodes = static_cast<uint32_t>(value);
  }
}

void TakeLine(const std::vector<std::string>& words, SandboxSpec& spec, HostSupport& host) {
  const std::string& what = words[0];
  const auto word = [&](size_t i) { return i < words.size() ? words[i] : std::string(); };
  if (what == "argv") {
    spec.argv.push_back(word(1));
  } else if (what == "env") {
    spec.environment.emplace_back(word(1), word(2));
  } else if (what == "mount") {
    spec.mounts.push_back({.source = word(1),
                           .target = word(2),
                           .access = word(3) == "rw"   ? Access::kReadWrite
                                     : word(3) == "tx" ? Access::kTransactional
                                                       : Access::kRead,
                           .executable = word(4) == "x" ? Executable::kYes : Executable::kNo});
  } else if (what == "hide") {
    spec.hidden.push_back(word(1));
  } else if (what == "keep") {
    spec.read_only.push_back(word(1));
  } else if (what == "cwd") {
    spec.working_directory = word(1);
  } else if (what == "profile") {
    spec.seccomp_profile = word(1);
  } else if (what == "id") {
    spec.id = word(1);
  } else if (what == "group") {
    spec.network_group = word(1);
  } else if (what == "limit") {
    TakeLimit(word(1), word(2), spec.limits);
  } else if (what == "terminal") {
    spec.terminal.emplace();
  } else if (what == "host") {
    host.privileged = host.privileged || word(1) == "root";
    host.landlock_abi = word(1) == "old" ? 0 : host.landlock_abi;
    host.time_namespace = host.time_namespace && word(1) != "old";
  }
}

bool IsOneOf(StepKind kind, std::initializer_list<StepKind> kinds) {
  for (const StepKind each : kinds) {
    if (kind == each) {
      return true;
    }
  }
  return false;
}

// Where a step of each kind stands: the last one counts.
size_t Last(const LaunchPlan& plan, StepKind kind) {
  for (size_t i = plan.steps.size(); i > 0; --i) {
    if (plan.steps[i - 1].kind == kind) {
      return i;
    }
  }
  return 0;
}

void CheckPlan(const SandboxSpec& spec, const HostSupport& host, const LaunchPlan& plan) {
  using enum StepKind;
  const bool builds = seccomp::FindProfile(spec.seccomp_profile).value().runs_what_it_makes;
  for (const Source& source : plan.sources) {
    Require((source.attributes & kernel::kNoSuid) != 0 &&
            (source.attributes & kernel::kNoDev) != 0);
    Require(!source.writable || builds || (source.attributes & kernel::kNoExec) != 0);
    Require(source.writable || (source.attributes & kernel::kReadOnly) != 0);
  }
  for (const Step& step : plan.steps) {
    if (IsOneOf(step.kind, {kDirectory, kFile, kSymlink, kBindSystem, kBindDevice, kTmpfs, kProc,
                            kMountSource, kOverlay, kPin, kReadOnlyPath, kHiddenPath})) {
      Require(IsNormalPath("/" + step.path));  // beneath the new root
    }
    if (IsOneOf(step.kind, {kMountSource, kOverlay, kOpenSource})) {
      Require(step.source < plan.sources.size());
    }
    Require(!step.optional || step.kind == kWriteHostFile);
  }
  const size_t order[] = {Last(plan, kBecomeSandboxUser),
                          Last(plan, kPrivateMounts),
                          Last(plan, kPivot),
                          Last(plan, kLimitCapabilities),
                          Last(plan, kNoNewPrivileges),
                          Last(plan, kStartTool),
                          Last(plan, kReadOnlyRoot),
                          Last(plan, kCapabilities),
                          Last(plan, kDescriptors),
                          Last(plan, kResourceLimit),
                          Last(plan, kSeccomp),
                          Last(plan, kEvidence),
                          Last(plan, kExec)};
  for (size_t i = 0; i < std::size(order); ++i) {
    Require(order[i] > 0 && (i == 0 || order[i] > order[i - 1]));
  }
  Require(order[std::size(order) - 1] == plan.steps.size());
  Require((host.landlock_abi > 0) == (Last(plan, kLandlock) > 0));
  Require((host.landlock_abi > 0) == (Last(plan, kLandlockRules) > 0));
  const Step& evidence = plan.steps[Last(plan, kEvidence) - 1];
  Require((evidence.number & EvidenceBit(Evidence::kSeccomp)) != 0);
  Require((evidence.number & EvidenceBit(Evidence::kIdMaps)) != 0);
  Require((evidence.number & EvidenceBit(Evidence::kCapabilities)) != 0);

  const LaunchPlan warm = zygote::MakeWarmPlan(plan);
  Require(zygote::TemplateOf(warm).steps.size() + zygote::CallOf(warm).steps.size() ==
          warm.steps.size());
  Require(Last(warm, kAwaitCall) < Last(warm, kReadOnlyRoot) &&
          Last(warm, kReadOnlyRoot) < Last(warm, kEvidence) &&
          Last(warm, kSeccomp) < Last(warm, kIdentityEvidence) &&
          Last(warm, kIdentityEvidence) < Last(warm, kEvidence) &&
          Last(warm, kCapabilities) < Last(warm, kEvidence) &&
          Last(warm, kExec) == warm.steps.size());
  Require(zygote::TemplateOf(warm).argv.empty() && zygote::TemplateOf(warm).environment.empty());
  const std::string bytes = zygote::EncodePlan(zygote::CallOf(warm));
  const auto back = zygote::DecodePlan(bytes);
  Require(back.ok() && zygote::EncodePlan(back.value()) == bytes);
  Require(!DescribePlan(plan).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SandboxSpec spec;
  spec.id = "fuzz";
  HostSupport host = MadeUpHost();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string& line : Split(text, '\n')) {
    TakeLine(Split(line, '\t'), spec, host);
  }
  const auto plan = MakePlan(spec, host);
  Require(plan.ok() || !plan.error().message.empty());
  if (plan.ok()) {
    Require(CheckSpec(spec).ok());
    CheckPlan(spec, host, plan.value());
  }
  return 0;
}
