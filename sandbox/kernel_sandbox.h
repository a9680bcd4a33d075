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
#include "sandbox/zygote/warm_pool.h"

namespace nacre::sandbox {

// With a zygote, calls get sandboxes that were built before they came. It starts with the sandbox,
// which the runtime makes before its threads and its engine. A call that cannot have one starts cold,
// with the same layers, and its Outcome says why.
struct KernelSandboxOptions {
  std::string zygote_program;  // empty: every call starts cold
  uint32_t slots = 4;          // see WarmPool
};

// Thread-safe.
class KernelSandbox final : public Sandbox {
 public:
  // Compiles the first filters and removes cgroups that dead runtimes left. A host that lacks a layer is
  // no error here: each call then ends as kSetupFailed.
  static Result<std::unique_ptr<KernelSandbox>> Create(HostSupport host,
                                                       KernelSandboxOptions options = {});
  // ProbeHost(), then the above.
  static Result<std::unique_ptr<KernelSandbox>> Create(KernelSandboxOptions options = {});

  KernelSandbox(const KernelSandbox&) = delete;
  KernelSandbox& operator=(const KernelSandbox&) = delete;

  Result<Outcome> Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) override;
  void Expect(const SandboxSpec& spec) override;
  // The second half of Run(), for tests that change the plan between the two.
  Result<Outcome> RunPlan(const LaunchPlan& plan, CallIo& io, const CancelToken& cancel);

  // Builds warm sandboxes for calls like `spec` and waits for them; false: there are none.
  bool Prepare(const SandboxSpec& spec, std::chrono::milliseconds patience);
  // Until nothing of the calls that have returned is left on the host.
  void Settle();

  zygote::WarmPool* warm_pool() { return warm_.get(); }

  const HostSupport& host() const { return host_; }

 private:
  KernelSandbox(HostSupport host, seccomp::Filter reaper);

  // Compiled when a profile is first used; valid while this object lives.
  Result<const seccomp::ProfileFilters*> FiltersOf(const std::string& profile, bool observe);
  Result<LaunchContext> MakeContext(const LaunchPlan& plan);

  const HostSupport host_;
  const seccomp::Filter reaper_filter_;
  std::mutex mutex_;
  // By profile and whether it is observed. Guarded by mutex_; never erased.
  std::map<std::pair<std::string, bool>, seccomp::ProfileFilters> tool_filters_;
  kernel::IdMappings mappings_;
  std::atomic<uint64_t> calls_{0};  // tells calls with the same id apart
  Teardown teardown_;
  std::unique_ptr<zygote::WarmPool> warm_;  // nullptr: no zygote
};

}  // namespace nacre::sandbox
