#include "sandbox/tiered_sandbox.h"

namespace nacre::sandbox {

Result<std::unique_ptr<TieredSandbox>> TieredSandbox::Create(std::string guest_program,
                                                             KernelSandboxOptions options) {
  std::unique_ptr<KernelSandbox> kernel = NACRE_TRY(KernelSandbox::Create(std::move(options)));
  return std::unique_ptr<TieredSandbox>(
      new TieredSandbox(std::move(kernel), std::move(guest_program)));
}

Result<Sandbox*> TieredSandbox::Tier(Isolation isolation) {
  const std::lock_guard lock(mutex_);
  switch (isolation) {
    case Isolation::kNamespace:
      return static_cast<Sandbox*>(kernel_.get());
    case Isolation::kGvisor:
      if (gvisor_ == nullptr) {
        gvisor_ = NACRE_TRY(GvisorSandbox::Create(*kernel_, guest_program_));
      }
      return static_cast<Sandbox*>(gvisor_.get());
    case Isolation::kMicrovm:
      if (microvm_ == nullptr) {
        microvm_ = NACRE_TRY(MicrovmSandbox::Create(*kernel_, guest_program_));
      }
      return static_cast<Sandbox*>(microvm_.get());
  }
  return Error{ErrorCode::kUnavailable, "there is no such isolation"};
}

Status TieredSandbox::CheckTier(Isolation isolation, const Requirements& require) {
  const Result<Sandbox*> tier = Tier(isolation);
  if (!tier.ok()) {
    return tier.error();
  }
  return isolation == Isolation::kMicrovm ? microvm_->Check(require) : Ok();
}

void TieredSandbox::Expect(const SandboxSpec& spec) {
  if (spec.isolation == Isolation::kNamespace) {
    kernel_->Expect(spec);
  }
}

Result<Outcome> TieredSandbox::Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) {
  const Result<Sandbox*> tier = Tier(spec.isolation);
  if (!tier.ok()) {
    return NotStarted(spec.isolation, tier.error().message);
  }
  return tier.value()->Run(spec, io, cancel);
}

}  // namespace nacre::sandbox
