// GvisorSandbox: runs a call in gVisor, a kernel in user space, through the program runsc.
//
// runsc itself runs enclosed: in the namespaces of a call, on a root of read-only system files, as an
// unprivileged user of the host, killed as a whole when PID 1 of its namespace goes. So neither a
// call nor a gVisor that a call has broken sees more of the host than an ordinary call does.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sandbox/kernel_sandbox.h"
#include "sandbox/sandbox.h"

namespace nacre::sandbox {

// Thread-safe. Borrows the kernel sandbox, which launches and watches the enclosures.
class GvisorSandbox final : public Sandbox {
 public:
  // kUnavailable, naming the package to install, when a program is missing.
  static Result<std::unique_ptr<GvisorSandbox>> Create(KernelSandbox& kernel,
                                                       const std::string& guest_program);

  Result<Outcome> Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) override;

 private:
  GvisorSandbox(KernelSandbox& kernel, std::string runsc, std::string guest_program)
      : kernel_(kernel), runsc_(std::move(runsc)), guest_program_(std::move(guest_program)) {}

  KernelSandbox& kernel_;
  const std::string runsc_;
  const std::string guest_program_;
};

}  // namespace nacre::sandbox
