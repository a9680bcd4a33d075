// KernelSandbox: the Sandbox of this process's kernel.
//
//   const HostSupport host = NACRE_TRY(ProbeHost());
//   auto sandbox = NACRE_TRY(KernelSandbox::Create(host));
//   Outcome outcome = NACRE_TRY(sandbox->Run(spec, io, cancel));
//
// When Run() returns, PID 1 of the call's namespace has killed and reaped all its other processes.
// PID 1 itself (our code, under a filter that lets it only end), the call's mounts, which live in its
// own namespace, and its cgroup go soon after, in the background and in bounded number; Settle()
// waits for that.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "sandbox/host_support.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp/filter.h"
#include "sandbox/teardown.h"

namespace nacre::sandbox {

// Thread-safe.
class KernelSandbox final : public Sandbox {
 public:
  // Compiles the first filters and removes cgroups that dead runtimes left. A host that lacks a layer is
  // no error here: each call then ends as kSetupFailed.
  static Result<std::unique_ptr<KernelSandbox>> Create(HostSupport host);
  // ProbeHost(), then the above.
  static Result<std::unique_ptr<KernelSandbox>> Create();

  KernelSandbox(const KernelSandbox&) = delete;
  KernelSandbox& operator=(const KernelSandbox&) = delete;

  Result<Outcome> Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) override;
  // The second half of Run(), for tests that change the plan between the two.
  Result<Outcome> RunPlan(const LaunchPlan& plan, CallIo& io, const CancelToken& cancel);

  // Until nothing of the calls that have returned is left on the host.
  void Settle() { teardown_.Wait(); }

  const HostSupport& host() const { return host_; }

 private:
  KernelSandbox(HostSupport host, seccomp::Filter reaper);

  // Compiled when a profile is first used; valid while this object lives.
  Result<const seccomp::ProfileFilters*> FiltersOf(const std::string& profile);

  const HostSupport host_;
  const seccomp::Filter reaper_filter_;
  std::mutex mutex_;
  std::map<std::string, seccomp::ProfileFilters> tool_filters_;  // guarded by mutex_; never erased
  kernel::IdMappings mappings_;
  std::atomic<uint64_t> calls_{0};  // tells calls with the same id apart
  Teardown teardown_;
};

}  // namespace nacre::sandbox
