// HostFacts: what this kernel lets this caller do, found by doing it.
//
//   const HostFacts facts = TryHost();
//   for (const Finding& finding : Diagnose(facts)) { ... }   // diagnosis.h: `nacre doctor`
//
// Each attempt is made in a child of its own, which it may ruin. Versions are never asked: kernels are
// patched, containers filter system calls, policies forbid what the version promises.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "sandbox/kernel/cgroup.h"

namespace nacre::sandbox {

// One for each thing that is tried. The order is that of the report.
enum class Attempt {
  kUserNamespace = 0,  // create one and map an id in it
  kUserNamespaceUse,   // use its privileges: mount something
  kMountNamespace,
  kPidNamespace,
  kNetNamespace,
  kIpcNamespace,
  kUtsNamespace,
  kCgroupNamespace,
  kTimeNamespace,
  kProc,            // mount a proc of its own
  kMountApi,        // make, configure, copy and move mounts by descriptor
  kIdMappedMounts,  // show a file system under other ids
  kOverlay,         // mount an overlay over a tmpfs in a user namespace
  kLandlockFiles,   // open what no rule allows
  kLandlockTruncate,
  kLandlockIoctl,
  kLandlockTcp,
  kLandlockScope,  // signals and abstract sockets
  kSeccompFilter,
  kSeccompNotify,  // a supervisor is asked, and answers
  kPidfd,          // clone3 with one, signal and wait through it
  kCgroupKill,
  kKvm,  // make a virtual machine
};
inline constexpr int kAttemptCount = static_cast<int>(Attempt::kKvm) + 1;

// "user namespace", "Landlock: truncate", ...
const char* AttemptName(Attempt attempt);

struct HostFacts {
  // 0: it works. Else the errno of the step that failed.
  std::map<Attempt, int> errors;
  int landlock_abi = 0;
  kernel::CgroupHost cgroup;
  uid_t uid = 0;
  // The switches of the host that forbid user namespaces, as their files say; -1: no such file.
  int apparmor_restricts_userns = -1;  // kernel.apparmor_restrict_unprivileged_userns
  int unprivileged_userns_clone = -1;  // kernel.unprivileged_userns_clone
  int64_t max_user_namespaces = -1;    // user.max_user_namespaces
  bool systemd = false;                // is PID 1: systemd-run can delegate a cgroup
  std::string runsc;                   // paths; empty: not installed
  std::string qemu;
  std::string guest_kernel;     // of a microVM: its image; empty: none
  std::string no_guest_kernel;  // why there is none

  friend bool operator==(const HostFacts&, const HostFacts&) = default;
};

// About a tenth of a second. Leaves nothing behind. To be called while no other thread runs.
HostFacts TryHost();

}  // namespace nacre::sandbox
