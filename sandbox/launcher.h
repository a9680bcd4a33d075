// Launcher: makes the process of a call. Opens what the plan mounts, creates the cgroup and the
// namespaces, maps the ids, lets the set-up child go.
//
//   LaunchResult result = NACRE_TRY(Launch(plan, context));
//   if (auto* running = std::get_if<RunningCall>(&result)) { ... Monitor ... }
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/kernel/cgroup.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/plan.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox {

inline constexpr uint64_t kCallNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
                                            CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                                            CLONE_NEWCGROUP;

// What all launches of a sandbox share. Borrowed for the call; thread-safe.
struct LaunchContext {
  const HostSupport* host = nullptr;
  const seccomp::ProfileFilters* tool_filters = nullptr;  // of the plan's profile
  const seccomp::Filter* reaper_filter = nullptr;
  kernel::IdMappings* mappings = nullptr;
  std::string cgroup_name;
};

// A child process that is killed and reaped at the latest when this object dies: with it, being
// PID 1 of its namespace, everything that it started.
class ChildProcess final {
 public:
  ChildProcess() = default;
  ChildProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess() { KillAndReap(); }

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  void Kill() const;
  // Waits for its end and gives the cpu time of it and all it waited for.
  std::chrono::microseconds Reap();

 private:
  void KillAndReap();

  pid_t pid_ = -1;  // -1: none, or reaped
  UniqueFd pidfd_;
};

// Members in order of acquisition: the processes are gone before the cgroup is removed.
struct RunningCall {
  std::optional<kernel::Cgroup> cgroup;
  std::optional<kernel::CgroupMeter> meter;  // of that cgroup
  ChildProcess child;                        // PID 1 of the call
  UniqueFd report;
  UniqueFd standard_input;
  UniqueFd standard_output;
  UniqueFd standard_error;
  UniqueFd channel;
  std::vector<std::string> weaker;
};

// A protection that could not be put in place: nothing of the call ran, nothing is left.
struct SetupFailure {
  std::string step;
  int error = 0;
};

using LaunchResult = std::variant<RunningCall, SetupFailure>;

// An Error when the runtime is out of descriptors, memory or processes.
Result<LaunchResult> Launch(const LaunchPlan& plan, const LaunchContext& context);

}  // namespace nacre::sandbox
