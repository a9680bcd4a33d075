// HostSupport: which layers of the sandbox this kernel and this caller can have, found by trying.
//
//   const HostSupport host = NACRE_TRY(ProbeHost());
//   for (const HostLayer& layer : host.layers) { ... }   // `nacre doctor`
//
// A value: plans are made from it, and tests make their own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/kernel/cgroup.h"

namespace nacre::sandbox {

// A part of the host's system that every call sees read-only.
struct SystemPath {
  enum class Kind { kDirectory = 0, kFile, kSymlink };
  Kind kind = Kind::kDirectory;
  std::string path;         // absolute, the same on the host and in the sandbox
  std::string link_target;  // kSymlink

  friend bool operator==(const SystemPath&, const SystemPath&) = default;
};

enum class LayerState { kMissing = 0, kWeaker, kPresent };

// One line of `nacre doctor`.
struct HostLayer {
  std::string name;  // "user namespaces"
  LayerState state = LayerState::kMissing;
  bool required = true;  // no call starts without it
  std::string detail;    // what was found
  std::string advice;    // what to do about it; empty when present

  friend bool operator==(const HostLayer&, const HostLayer&) = default;
};

struct HostSupport {
  bool namespaces =
      false;  // user, mount, pid, net, ipc, uts and cgroup at once, and they can be used
  std::string namespaces_problem;  // where they can be made: why they are of no use, and what to do
  bool seccomp = false;
  bool mount_api = false;  // open_tree, mount_setattr, move_mount
  int landlock_abi = 0;    // the one that is used: see kernel/landlock.h
  bool time_namespace = false;
  bool pidfd = false;  // processes are signalled and waited for by descriptor
  kernel::CgroupHost cgroup;
  // Who calls. A privileged caller can map any id, so its calls run as nobody.
  uid_t uid = 0;
  gid_t gid = 0;
  bool privileged = false;
  bool has_other_groups = false;  // supplementary groups that an unprivileged caller cannot drop
  // /proc shows us nothing of a call's processes: without a cgroup nobody could tell what they use.
  bool hides_processes = false;
  bool lists_no_children = false;  // that, since the kernel has no CONFIG_PROC_CHILDREN
  // A crash is passed to the program that core_pattern names: only a limit of exactly 1 keeps it from that,
  // and we were started with 0.
  bool crashes_reach_host = false;
  std::vector<SystemPath> system_paths;
  std::vector<HostLayer> layers;

  friend bool operator==(const HostSupport&, const HostSupport&) = default;
};

// Whether PID 1 is systemd: systemd-run can delegate a cgroup.
bool IsSystemdHost();

// The command that gives nacre a cgroup on such a host; `mounted` as CgroupHost has it. Pure.
std::string CgroupAdvice(uid_t uid, bool systemd, kernel::CgroupVersion mounted);

// Tries each layer once (about five milliseconds). Fails only when the host cannot be looked at;
// a missing layer is an answer. In a cgroup v2 that is delegated to us it enables the controllers.
Result<HostSupport> ProbeHost();

}  // namespace nacre::sandbox
