// SandboxRunner: real sandboxes for tests, with the host's state compared before and after.
#pragma once

#include <dirent.h>
#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "sandbox/kernel_sandbox.h"
#include "tests/support/missing_call.h"

namespace nacre::sandbox {

// The same cases run twice: NACRE_TEST_WARM=1 in the environment means from warm sandboxes.
inline bool IsWarmRun() {
  const char* const warm = std::getenv("NACRE_TEST_WARM");
  return warm != nullptr && std::string(warm) == "1";
}

// And again where no overlay can be made: NACRE_TEST_WITHOUT=overlay.
inline bool IsRunWithoutOverlay() {
  const char* const without = std::getenv("NACRE_TEST_WITHOUT");
  return without != nullptr && std::string(without) == "overlay";
}

inline KernelSandbox& SharedSandbox() {
  static const std::unique_ptr<KernelSandbox> sandbox = [] {
    if (IsRunWithoutOverlay()) {
      REQUIRE(TakeAwayOverlay());
    }
    auto made =
        KernelSandbox::Create({.zygote_program = IsWarmRun() ? NACRE_ZYGOTE : "", .slots = 2});
    REQUIRE(made.ok());
    return std::move(made).value();
  }();
  return *sandbox;
}

inline SandboxSpec MakeSpec(std::vector<std::string> argv) {
  SandboxSpec spec;
  spec.id = "test";
  spec.argv = std::move(argv);
  spec.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}};
  spec.limits.wall = std::chrono::seconds(20);
  spec.require.cgroup =
      false;  // whatever host runs the tests; what is required has tests of its own
  return spec;
}

inline SandboxSpec Shell(const std::string& script) {
  return MakeSpec({"/bin/sh", "-c", script});
}

inline Outcome RunSpec(const SandboxSpec& spec) {
  NoCallIo io;
  const bool prepared = IsWarmRun() && SharedSandbox().Prepare(spec, std::chrono::seconds(30));
  auto outcome = SharedSandbox().Run(spec, io, CancelToken());
  if (!outcome.ok()) {
    FAIL(outcome.error().message);
  }
  INFO(Describe(outcome.value()));
  INFO(outcome.value().cold_because);
  if (prepared && outcome.value().kind != OutcomeKind::kSetupFailed) {
    CHECK(outcome.value().warm);  // or the run proves nothing of warm sandboxes
  }
  return std::move(outcome).value();
}

// A sandbox of its own with `slots` slots of each kind.
inline std::unique_ptr<KernelSandbox> MakeWarm(uint32_t slots) {
  auto made = KernelSandbox::Create({.zygote_program = NACRE_ZYGOTE, .slots = slots});
  REQUIRE(made.ok());
  return std::move(made).value();
}

inline Outcome RunIn(KernelSandbox& sandbox, const SandboxSpec& spec) {
  NoCallIo io;
  auto outcome = sandbox.Run(spec, io, CancelToken());
  REQUIRE(outcome.ok());
  return std::move(outcome).value();
}

inline Outcome RunWarm(KernelSandbox& sandbox, const SandboxSpec& spec) {
  REQUIRE(sandbox.Prepare(spec, std::chrono::seconds(30)));
  Outcome outcome = RunIn(sandbox, spec);
  INFO(Describe(outcome));
  INFO(outcome.error_output);
  INFO(outcome.cold_because);
  REQUIRE(outcome.warm);
  return outcome;
}

// What a call could have left on the host.
struct HostState {
  std::string mounts;
  size_t descriptors = 0;
  size_t cgroups = 0;
  bool children = false;

  friend bool operator==(const HostState&, const HostState&) = default;
  friend std::ostream& operator<<(std::ostream& out, const HostState& state) {
    return out << state.descriptors << " descriptors, " << state.cgroups
               << " cgroups, children: " << state.children << ", mounts:\n"
               << state.mounts;
  }
};

inline HostState LookAtHost() {
  SharedSandbox().Settle();
  HostState state;
  state.mounts = ReadFile("/proc/self/mountinfo", 1 << 20).value();
  state.descriptors =
      static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
  const kernel::CgroupHost& cgroup = SharedSandbox().host().cgroup;
  const std::string ours = kernel::OwnCgroupName("");
  for (const std::string& directory : {cgroup.memory_directory, cgroup.pids_directory}) {
    if (directory.empty()) {
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      state.cgroups += entry.path().filename().string().starts_with(ours) ? 1 : 0;
    }
  }
  state.children = ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD;
  return state;
}

}  // namespace nacre::sandbox
