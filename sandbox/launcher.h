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
#include "sandbox/child_setup.h"
#include "sandbox/kernel/cgroup.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/plan.h"
#include "sandbox/report.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox {

// Below are the numbers that a child's own descriptors get.
inline constexpr int kLowestDescriptor = 10;
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
  uint64_t namespaces = kCallNamespaces;
  // A zygote's:
  const SlotSteps* slot = nullptr;
  int interpreter_library = -1;
};

// PID 1 of a call, which is killed at the latest when this object dies: with it everything that it
// started. Our own child is reaped then too; another process's is its parent's to reap.
class ChildProcess final {
 public:
  enum class Parent { kUs = 0, kZygote };

  ChildProcess() = default;
  ChildProcess(pid_t pid, UniqueFd pidfd, Parent parent = Parent::kUs)
      : pid_(pid), pidfd_(std::move(pidfd)), parent_(parent) {}
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        pidfd_(std::move(other.pidfd_)),
        parent_(other.parent_) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess() { KillAndReap(); }

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  void Kill() const;
  // Waits for its end and gives the cpu time of it and all it waited for; zero when it is not ours.
  std::chrono::microseconds Reap();
  // Somebody else has reaped it.
  void Forget() { pid_ = -1; }

 private:
  void KillAndReap();

  pid_t pid_ = -1;  // -1: none, or reaped
  UniqueFd pidfd_;
  Parent parent_ = Parent::kUs;
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
  std::vector<ReceivedReport> reports;  // that were taken from `report` before the call
  // Of a warm sandbox: which one it is, and of which kind.
  uint32_t slot = 0;
  uint32_t slot_template = 0;
};

// The sources of a plan, opened, with the host id that the call runs as.
struct Sources {
  std::vector<OpenedSource> opened;
  std::vector<UniqueFd> descriptors;  // the trees, which a privileged caller can make
  kernel::Ids run_as;
  std::vector<std::string> weaker;
};

// A protection that could not be put in place: nothing of the call ran, nothing is left.
struct SetupFailure {
  std::string step;
  int error = 0;
};

using LaunchResult = std::variant<RunningCall, SetupFailure>;

std::variant<Sources, SetupFailure> OpenSources(const LaunchPlan& plan,
                                                const LaunchContext& context);

// NULL-terminated, as execve(2) wants it; points into `strings`.
std::vector<char*> ExecPointers(const std::vector<std::string>& strings);

// Whether a call of the plan has clocks of its own.
bool HasTimeNamespace(const LaunchPlan& plan);

// An Error when the runtime is out of descriptors, memory or processes.
Result<LaunchResult> Launch(const LaunchPlan& plan, const LaunchContext& context);

}  // namespace nacre::sandbox
