// TieredSandbox: the one sandbox that the runtime holds. Each call runs in the tier that its spec
// names, or not at all.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "sandbox/gvisor/gvisor_sandbox.h"
#include "sandbox/kernel_sandbox.h"
#include "sandbox/microvm/microvm_sandbox.h"
#include "sandbox/sandbox.h"

namespace nacre::sandbox {

// Thread-safe.
class TieredSandbox final : public Sandbox {
 public:
  // `options`: of the namespace tier. `guest_program`: our agent for the tiers with a kernel of their own; they are looked for when a
  // call first asks for them.
  static Result<std::unique_ptr<TieredSandbox>> Create(std::string guest_program,
                                                       KernelSandboxOptions options = {});

  // A tier that this host does not have is the Outcome kSetupFailed with the reason as its step.
  Result<Outcome> Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) override;
  void Expect(const SandboxSpec& spec) override;

  // Whether a call in this tier that requires this could start: kUnavailable with the reason and what
  // to install.
  Status CheckTier(Isolation isolation, const Requirements& require = {});

  KernelSandbox& kernel() { return *kernel_; }

 private:
  TieredSandbox(std::unique_ptr<KernelSandbox> kernel, std::string guest_program)
      : kernel_(std::move(kernel)), guest_program_(std::move(guest_program)) {}

  Result<Sandbox*> Tier(Isolation isolation);

  const std::unique_ptr<KernelSandbox> kernel_;
  const std::string guest_program_;
  std::mutex mutex_;
  // Guarded by mutex_ while they are made; then constant.
  std::unique_ptr<GvisorSandbox> gvisor_;
  std::unique_ptr<MicrovmSandbox> microvm_;
};

}  // namespace nacre::sandbox
