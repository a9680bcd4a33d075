// The tiers of isolation for tests that run the same case in each of them.
//
//   const Isolation tier = GENERATE(Isolation::kNamespace, Isolation::kGvisor);
//   if (const auto missing = MissingTier(tier)) {
//     SKIP_HERE(*missing);
//   }
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sandbox/tiered_sandbox.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {

inline TieredSandbox& SharedTiers() {
  static const std::unique_ptr<TieredSandbox> tiers = [] {
    auto made = TieredSandbox::Create(NACRE_BINARY_DIR "/nacre-guest");
    REQUIRE(made.ok());
    return std::move(made).value();
  }();
  return *tiers;
}

// Why calls cannot run in a tier here; empty if they can.
inline std::optional<std::string> MissingTier(Isolation tier) {
  const Status there = SharedTiers().CheckTier(tier, {.kvm = false});
  if (there.ok()) {
    return std::nullopt;
  }
  return there.error().message;
}

inline Outcome RunInTier(Isolation tier, SandboxSpec spec, CallIo& io,
                         const CancelToken& cancel = CancelToken()) {
  spec.isolation = tier;
  spec.require.kvm = false;
  auto outcome = SharedTiers().Run(spec, io, cancel);
  SharedTiers().kernel().Settle();
  if (!outcome.ok()) {
    FAIL(outcome.error().message);
  }
  INFO(Describe(outcome.value()));
  return std::move(outcome).value();
}

inline Outcome RunInTier(Isolation tier, SandboxSpec spec) {
  NoCallIo io;
  return RunInTier(tier, std::move(spec), io);
}

}  // namespace nacre::sandbox
