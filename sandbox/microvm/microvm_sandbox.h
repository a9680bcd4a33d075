// MicrovmSandbox: runs a call in a virtual machine of its own, through QEMU's machine "microvm": no
// network, no disk, no firmware beyond a loader; a kernel of the host, our agent, a serial port to the
// host, and the call's tree by 9p.
//
// QEMU itself runs enclosed like a call: no capability, the limits, a list of the system calls that it
// may use and, where the host has it, Landlock. A guest that has broken its kernel and QEMU sees no more
// files than an ordinary call; of the host's kernel it sees KVM besides.
//
// Source: QEMU's docs/system/i386/microvm.rst.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "sandbox/kernel_sandbox.h"
#include "sandbox/microvm/guest_kernel.h"
#include "sandbox/microvm/kept_trial.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"

namespace nacre::sandbox {

// Thread-safe. Borrows the kernel sandbox, which launches and watches the enclosures.
class MicrovmSandbox final : public Sandbox {
 public:
  // kUnavailable, naming the package to install, when QEMU or a kernel for the guest is missing.
  static Result<std::unique_ptr<MicrovmSandbox>> Create(KernelSandbox& kernel,
                                                        const std::string& guest_program);

  Result<Outcome> Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) override;

  // Whether a call that requires this could start. The first time, and again some minutes after it
  // failed, a machine is started on KVM to see: there are hosts that offer it and boot nothing.
  Status Check(const Requirements& require);

 private:
  enum class Processor { kVirtual = 0, kEmulated };

  MicrovmSandbox(KernelSandbox& kernel, std::string qemu, microvm::GuestKernel guest_kernel,
                 std::string initramfs);

  Result<Processor> Choose(const Requirements& require);
  Status TryKvm();
  Result<Outcome> Boot(const Enclosure& enclosure, const SandboxSpec& spec, CallIo& io,
                       const CancelToken& cancel);
  Result<Outcome> RunOn(Processor processor, const SandboxSpec& spec, CallIo& io,
                        const CancelToken& cancel);
  Enclosure MakeEnclosure(Processor processor, const SandboxSpec& spec) const;

  KernelSandbox& kernel_;
  const std::string qemu_;
  const microvm::GuestKernel guest_kernel_;
  const std::string initramfs_;
  const uint64_t tsc_khz_;  // of this processor's time stamp counter, which an emulated one shows
  std::mutex mutex_;
  microvm::KeptTrial kvm_;  // guarded by mutex_
};

}  // namespace nacre::sandbox
