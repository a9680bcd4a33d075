#include "sandbox/doctor/diagnosis.h"

#include <cerrno>
#include <cstring>
#include <string_view>

namespace nacre::sandbox {
namespace {

struct Row {
  Attempt attempt;
  bool required;
  const char* why;
  const char* advice;  // where errno and switches say no more
};

// clang-format off
constexpr Row kRows[] = {
    {Attempt::kUserNamespace, true, "every call is in one: in it a call is a user that owns nothing on the host", ""},
    {Attempt::kUserNamespaceUse, true, "the sandbox is built with the privileges that a user namespace gives inside of itself", ""},
    {Attempt::kMountNamespace, true, "a call sees a file system of its own", "raise the limit: sysctl -w user.max_mnt_namespaces=10000"},
    {Attempt::kPidNamespace, true, "a call sees no other process, and all of its own end with it", "raise the limit: sysctl -w user.max_pid_namespaces=10000"},
    {Attempt::kNetNamespace, true, "a call has no network", "raise the limit: sysctl -w user.max_net_namespaces=10000; if it says Invalid argument, use a kernel with CONFIG_NET_NS"},
    {Attempt::kIpcNamespace, true, "a call shares no memory or queues with the host", "raise the limit: sysctl -w user.max_ipc_namespaces=10000; if it says Invalid argument, use a kernel with CONFIG_IPC_NS"},
    {Attempt::kUtsNamespace, true, "a call does not learn or change the host's name", "raise the limit: sysctl -w user.max_uts_namespaces=10000; if it says Invalid argument, use a kernel with CONFIG_UTS_NS"},
    {Attempt::kCgroupNamespace, true, "a call does not see where in the host's cgroups it is", "raise the limit: sysctl -w user.max_cgroup_namespaces=10000; if it says Invalid argument, use a kernel with CONFIG_CGROUPS"},
    {Attempt::kTimeNamespace, false, "a call does not learn how long the host has been up", "use a kernel with CONFIG_TIME_NS"},
    {Attempt::kProc, true, "a call sees its own processes in /proc and nobody else's", "in a container the host's /proc is masked: start it with the whole of it (podman run --security-opt unmask=/proc/*, docker run --security-opt systempaths=unconfined)"},
    {Attempt::kMountApi, true, "mounts are made by descriptor, so that no path can be swapped underway", "use Linux 5.12 or later; in a container, a seccomp profile that allows open_tree, fsopen, fsmount, move_mount and mount_setattr"},
    {Attempt::kIdMappedMounts, false, "for root: a call runs as nobody and still writes files as their owner. Without them it runs as the owner of the workspace; where that is root, only with sandbox.require: {id_maps: false} in the policy, and else not at all", "put the workspace on a file system that has them: ext4, xfs, btrfs, tmpfs (Linux 6.3)"},
    {Attempt::kOverlay, false, "a transactional workspace is seen through a layer that takes what a call changes; without it a call works on a copy of the workspace, with the same guarantees: it costs time and memory, and the workspace must fit into sandbox.limits.disk", "load it: modprobe overlay; and use Linux 6.6 or later, whose tmpfs can be its upper layer"},
    {Attempt::kLandlockFiles, true, "a second wall in front of files, should the mounts fail", "use Linux 5.13 or later and name landlock in the boot parameter lsm= (see /sys/kernel/security/lsm); where it cannot be had, sandbox.require: {landlock: 0} in the policy does without it"},
    {Attempt::kLandlockTruncate, false, "files that a call may not write cannot be cut short either, by this wall too", "use Linux 6.2 or later (Landlock ABI 3)"},
    {Attempt::kLandlockIoctl, false, "commands to devices are refused by this wall too", "use Linux 6.10 or later (Landlock ABI 5)"},
    {Attempt::kLandlockTcp, false, "TCP is refused by a second wall; the first is an empty network", "use Linux 6.7 or later (Landlock ABI 4)"},
    {Attempt::kLandlockScope, false, "signals and abstract sockets stop at a second wall; the first are namespaces", "use Linux 6.12 or later (Landlock ABI 6)"},
    {Attempt::kSeccompFilter, true, "a call may use the system calls of its profile and no others", "use a kernel with CONFIG_SECCOMP_FILTER; in a container, a seccomp profile that allows seccomp and prctl"},
    {Attempt::kSeccompNotify, false, "nacre sandbox exec --why names what was refused; calls run without it", "use Linux 5.9 or later; nothing else on the host may supervise nacre by seccomp notification"},
    {Attempt::kPidfd, true, "a call is killed and waited for by descriptor, so that no other process can be hit", "use Linux 5.5 or later; in a container, a seccomp profile that allows clone3, pidfd_open and pidfd_send_signal"},
    {Attempt::kCgroupKill, false, "all of a call is killed at once; without it, by the end of its pid namespace", "use Linux 5.14 or later with cgroup v2, delegated: see cgroup"},
    {Attempt::kKvm, false, "isolation: microvm at full speed; without it a microVM is emulated, many times slower", "load it: modprobe kvm_intel || modprobe kvm_amd; in a virtual machine, its host must offer nested virtualisation"},
};
// clang-format on

int ErrorOf(const HostFacts& facts, Attempt attempt) {
  const auto found = facts.errors.find(attempt);
  return found == facts.errors.end() ? ENOSYS : found->second;
}

// The switch that is thrown, else what the error may come from.
std::string UserNamespaceAdvice(const HostFacts& facts, int error) {
  if (facts.unprivileged_userns_clone == 0 && facts.uid != 0) {
    return "sysctl -w kernel.unprivileged_userns_clone=1; to keep it: echo "
           "kernel.unprivileged_userns_clone=1 > /etc/sysctl.d/60-nacre.conf";
  }
  if (facts.max_user_namespaces == 0 || error == ENOSPC) {
    return "sysctl -w user.max_user_namespaces=10000; to keep it: echo "
           "user.max_user_namespaces=10000 > /etc/sysctl.d/60-nacre.conf";
  }
  if (facts.apparmor_restricts_userns == 1 && facts.uid != 0) {
    return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; to keep it: echo "
           "kernel.apparmor_restrict_unprivileged_userns=0 > /etc/sysctl.d/60-nacre.conf. Or for "
           "nacre "
           "alone: a profile for its programs in /etc/apparmor.d, with flags=(unconfined) and the "
           "rule "
           "userns,";
  }
  if (error == EINVAL) {
    return "use a kernel with CONFIG_USER_NS";
  }
  return "no switch of the host forbids it, so a container around us does: start it with a seccomp "
         "profile that allows clone, clone3, unshare and mount (podman run or docker run "
         "--security-opt seccomp=unconfined; docker also --security-opt apparmor=unconfined)";
}

// Who is kept out, else what the row says.
std::string KvmAdvice(const HostFacts& facts, int error, const char* otherwise) {
  if (error != EACCES && error != EPERM) {
    return otherwise;
  }
  return facts.uid != 0 ? "join its group: usermod -aG kvm $USER, then log in again"
                        : "root's calls run as nobody in the device's group, which must not be "
                          "root's: chgrp kvm /dev/kvm && chmod 0660 /dev/kvm; to keep it: a udev "
                          "rule, KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\"";
}

Finding Program(const char* part, const std::string& path, const char* why, const char* package) {
  Finding finding{.part = part,
                  .state = path.empty() ? LayerState::kWeaker : LayerState::kPresent,
                  .found = path.empty() ? "not installed" : path,
                  .why = why,
                  .advice = {}};
  if (path.empty()) {
    finding.advice = std::string("apt-get install ") + package;
  }
  return finding;
}

}  // namespace

std::vector<Finding> Diagnose(const HostFacts& facts) {
  std::vector<Finding> findings;
  const bool no_userns = ErrorOf(facts, Attempt::kUserNamespace) != 0;
  const bool no_use = no_userns || ErrorOf(facts, Attempt::kUserNamespaceUse) != 0;
  for (const Row& row : kRows) {
    const int error = ErrorOf(facts, row.attempt);
    Finding finding{.part = AttemptName(row.attempt),
                    .state = LayerState::kPresent,
                    .found = "works",
                    .why = row.why,
                    .advice = {}};
    if (error != 0) {
      const bool first =
          row.attempt == Attempt::kUserNamespace || row.attempt == Attempt::kUserNamespaceUse;
      const bool in_userns = row.attempt > Attempt::kUserNamespaceUse &&
                             row.attempt <= Attempt::kOverlay &&
                             row.attempt != Attempt::kIdMappedMounts;
      finding.state = row.required ? LayerState::kMissing : LayerState::kWeaker;
      finding.found = std::strerror(error);
      finding.advice = first                 ? UserNamespaceAdvice(facts, error)
                       : in_userns && no_use ? "mend the user namespace first, then run this again"
                       : row.attempt == Attempt::kKvm ? KvmAdvice(facts, error, row.advice)
                                                      : row.advice;
    }
    findings.push_back(std::move(finding));
  }
  const bool cgroup = facts.cgroup.version != kernel::CgroupVersion::kNone;
  findings.push_back(
      {.part = "cgroup",
       .state = cgroup ? LayerState::kPresent : LayerState::kWeaker,
       .found = cgroup ? std::string(kernel::CgroupVersionName(facts.cgroup.version)) +
                             ", memory and tasks"
                       : facts.cgroup.detail,
       .why = "the kernel counts a call's memory and tasks; without it rlimits and a watchdog do, "
              "which see "
              "an excess up to a hundredth of a second late, and only where the policy says "
              "sandbox.require: {cgroup: false}, as the shipped ones do",
       .advice = cgroup ? "" : CgroupAdvice(facts.uid, facts.systemd, facts.cgroup.mounted)});
  findings.push_back(Program("runsc", facts.runsc,
                             "isolation: gvisor runs calls on a kernel in user space", "runsc"));
  findings.push_back(Program("qemu", facts.qemu,
                             "isolation: microvm runs calls in a virtual machine of their own",
                             "qemu-system-x86"));
  findings.push_back(Program("guest kernel", facts.guest_kernel,
                             "isolation: microvm boots the newest kernel of /boot that has what a "
                             "guest needs",
                             "linux-image-amd64"));
  if (facts.guest_kernel.empty() && !facts.no_guest_kernel.empty()) {
    findings.back().found = facts.no_guest_kernel;
  }
  return findings;
}

}  // namespace nacre::sandbox
