#include "sandbox/host_support.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/file.h"
#include "base/unique_fd.h"
#include "sandbox/kernel/landlock.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/kernel/time_namespace.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/launcher.h"

namespace nacre::sandbox {
namespace {

struct Tried {
  int namespaces = 0;  // 0, or the errno of the attempt
  int use = 0;         // of what they are made for
  int pidfd = 0;
  bool time_namespace = false;
  bool hidden = false;  // from us, in /proc
};

// What the child says.
struct Told {
  int use = 0;
  bool time_namespace = false;
};

// A host can give a user namespace and, by its security module, none of the privileges in it.
int UseNamespaces() {
  constexpr char kName[] = "sandbox";
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 ::sethostname(kName, sizeof kName - 1) == 0
             ? 0
             : errno;
}

// A child in all the namespaces of a call, which is then ended as a call is.
Tried TryChild() {
  Tried tried;
  int pidfd = -1;
  kernel::CloneArgs args;
  args.flags = kCallNamespaces | kernel::kCloneClearSignalHandlers | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  auto told = MakePipe();
  const long pid = kernel::Clone3(args);
  if (pid < 0) {
    tried.namespaces = errno;
    return tried;
  }
  if (pid == 0) {
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // or its files in /proc are root's
    const Told telling{.use = UseNamespaces(),
                       .time_namespace = kernel::NewTimeNamespaceForChildren() == 0};
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // as a call's first process
    const bool sent = told.ok() && ::write(told.value().write.get(), &telling, sizeof telling) ==
                                       static_cast<ssize_t>(sizeof telling);
    while (sent) {
      ::pause();
    }
    ::_exit(0);
  }
  const UniqueFd owner(pidfd);
  Told heard{.use = EPIPE};
  if (told.ok()) {
    told.value().write.reset();
    while (::read(told.value().read.get(), &heard, sizeof heard) < 0 && errno == EINTR) {
    }
  }
  tried.use = heard.use;
  tried.time_namespace = heard.time_namespace;
  const std::string process = "/proc/" + std::to_string(pid);
  tried.hidden =
      ::access((process + "/task/" + std::to_string(pid) + "/children").c_str(), R_OK) != 0;
  siginfo_t info = {};
  if (kernel::PidfdSendSignal(pidfd, SIGKILL) != 0) {
    tried.pidfd = errno;
    ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) != 0) {
    if (errno != EINTR) {
      tried.pidfd = errno;
      ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
      break;
    }
  }
  return tried;
}

bool HasMountApi() {
  // Without a descriptor the calls fail with EBADF where they exist, with ENOSYS where not.
  return kernel::SetAttributes(-1, 0) != -ENOSYS && kernel::Attach(-1, -1) != -ENOSYS &&
         kernel::CloneTree(-1, "") != -ENOSYS;
}

bool HasSeccompFilter() {
  const uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::vector<SystemPath> FindSystemPaths() {
  std::vector<SystemPath> found;
  for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
                           "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"}) {
    struct stat info = {};
    if (::lstat(path, &info) != 0) {
      continue;
    }
    SystemPath entry{.kind = SystemPath::Kind::kDirectory, .path = path, .link_target = {}};
    if (S_ISLNK(info.st_mode)) {
      char target[4096];
      const ssize_t size = ::readlink(path, target, sizeof target);
      if (size <= 0 || static_cast<size_t>(size) == sizeof target) {
        continue;
      }
      entry.kind = SystemPath::Kind::kSymlink;
      entry.link_target.assign(target, static_cast<size_t>(size));
    } else if (S_ISREG(info.st_mode)) {
      entry.kind = SystemPath::Kind::kFile;
    } else if (!S_ISDIR(info.st_mode)) {
      continue;
    }
    found.push_back(std::move(entry));
  }
  return found;
}

std::string NamespacesProblem(const Tried& tried) {
  if (kernel::OwnStanding() == kernel::Standing::kPowerlessRoot) {
    return "nacre runs as a root that cannot run a call as anybody else: give it CAP_SETUID, "
           "CAP_SETGID, CAP_SYS_ADMIN and more ids than root's, or run it as an ordinary user";
  }
  if (tried.namespaces == 0 && tried.use != 0) {
    return "a new user namespace has no privileges here: mount and sethostname in it: " +
           std::string(std::strerror(tried.use)) +
           "; as with AppArmor's kernel.apparmor_restrict_unprivileged_userns=1: see nacre doctor";
  }
  return "";
}

HostLayer NamespaceLayer(int error, const std::string& problem) {
  HostLayer layer{.name = "namespaces",
                  .state = LayerState::kPresent,
                  .required = true,
                  .detail = "user, mount, pid, net, ipc, uts and cgroup",
                  .advice = {}};
  if (error != 0) {
    layer.state = LayerState::kMissing;
    layer.detail = std::string("clone3 with new namespaces: ") + std::strerror(error);
    layer.advice =
        error == EPERM
            ? "allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1 "
              "(Debian) or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); in a "
              "container, a seccomp profile that allows clone3"
            : "raise user.max_user_namespaces and the other user.max_*_namespaces";
  } else if (!problem.empty()) {
    layer.state = LayerState::kMissing;
    layer.detail = "of no use";
    layer.advice = problem;
  }
  return layer;
}

HostLayer LandlockLayer(int abi) {
  HostLayer layer{
      .name = "Landlock",
      .state = LayerState::kPresent,
      .required = true,
      .detail = "ABI " + std::to_string(abi) +
                (abi > kernel::kLandlockNewestAbi
                     ? ", of which " + std::to_string(kernel::kLandlockNewestAbi) + " is used"
                     : ""),
      .advice = {}};
  if (abi == 0) {
    layer.state = LayerState::kMissing;
    layer.detail = "not offered";
    layer.advice = "Linux 5.13 or later with 'landlock' in the lsm= boot parameter";
  } else if (abi < 6) {
    layer.state = LayerState::kWeaker;
    layer.detail += abi < 4 ? ": no network rules, no scopes" : ": no scopes";
    layer.advice = "Linux 6.12 or later; what is missing is still held by namespaces and seccomp";
  }
  return layer;
}

HostLayer CgroupLayer(const HostSupport& host) {
  const bool present = host.cgroup.version != kernel::CgroupVersion::kNone;
  return {.name = "cgroup",
          .state = present ? LayerState::kPresent : LayerState::kWeaker,
          .required = false,
          .detail = present ? kernel::CgroupVersionName(host.cgroup.version)
                            : host.cgroup.detail +
                                  ", so that rlimits and a watchdog limit memory and tasks",
          .advice = present ? "" : CgroupAdvice(host.uid, IsSystemdHost(), host.cgroup.mounted)};
}

HostLayer SimpleLayer(const char* name, bool present, const char* advice) {
  return {.name = name,
          .state = present ? LayerState::kPresent : LayerState::kMissing,
          .required = true,
          .detail = present ? "offered" : "not offered",
          .advice = present ? "" : advice};
}

}  // namespace

bool IsSystemdHost() {
  return ::access("/run/systemd/system", F_OK) == 0;
}

std::string CgroupAdvice(uid_t uid, bool systemd, kernel::CgroupVersion mounted) {
  const std::string id = std::to_string(uid);
  if (mounted == kernel::CgroupVersion::kV1) {  // which systemd delegates to nobody but root
    return uid == 0
               ? "make the cgroup file systems writable: for c in memory pids cpuacct; do mount "
                 "-o remount,rw /sys/fs/cgroup/$c; done"
               : "as root: for c in memory pids cpuacct; do mkdir -p /sys/fs/cgroup/$c/nacre; "
                 "chown -R " +
                     id +
                     " /sys/fs/cgroup/$c/nacre; done; sh -c 'for c in memory pids cpuacct; do "
                     "echo $$ > /sys/fs/cgroup/$c/nacre/cgroup.procs; done; exec setpriv "
                     "--reuid=" +
                     id + " --clear-groups nacre ...'";
  }
  if (uid == 0) {
    return systemd ? "systemd-run --scope -p Delegate=yes nacre ..."
                   : "mount the cgroup file system writable, with its memory and pids "
                     "controllers: mount -t cgroup2 none /sys/fs/cgroup";
  }
  if (systemd) {
    return "systemd-run --user --scope -p Delegate=yes nacre ...; if its controllers lack memory, "
           "as root: mkdir -p /etc/systemd/system/user@.service.d && printf "
           "'[Service]\\nDelegate=cpu cpuset io memory pids\\n' > "
           "/etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload";
  }
  return "without systemd, as root: echo '+memory +pids' > /sys/fs/cgroup/cgroup.subtree_control; "
         "mkdir /sys/fs/cgroup/nacre; chown -R " +
         id +
         " /sys/fs/cgroup/nacre; sh -c 'echo $$ > /sys/fs/cgroup/nacre/cgroup.procs; exec setpriv "
         "--reuid=" +
         id + " --clear-groups nacre ...'";
}

namespace {

bool CrashesReachHost() {
  struct rlimit core = {};
  const auto pattern = ReadFile("/proc/sys/kernel/core_pattern", 4096);
  return ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max < 1 && pattern.ok() &&
         pattern.value().starts_with("|");
}

}  // namespace

Result<HostSupport> ProbeHost() {
  HostSupport host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  host.privileged = kernel::OwnStanding() == kernel::Standing::kRoot;
  std::vector<gid_t> groups(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  if (count < 0) {
    return SysError("getgroups", errno);
  }
  groups.resize(static_cast<size_t>(count));
  host.has_other_groups =
      std::any_of(groups.begin(), groups.end(), [&](gid_t group) { return group != host.gid; });
  host.crashes_reach_host = CrashesReachHost();
  const Tried tried = TryChild();
  host.namespaces_problem = NamespacesProblem(tried);
  host.namespaces = tried.namespaces == 0 && host.namespaces_problem.empty();
  host.time_namespace = tried.time_namespace;
  host.hides_processes = tried.hidden;
  host.lists_no_children =
      tried.hidden && ::access("/proc/thread-self/children", F_OK) != 0 && errno == ENOENT;
  host.pidfd = host.namespaces && tried.pidfd == 0;
  host.seccomp = HasSeccompFilter();
  host.mount_api = HasMountApi();
  const int landlock_abi = kernel::LandlockAbi();
  host.landlock_abi = kernel::UsedLandlockAbi(landlock_abi);
  host.cgroup = kernel::FindCgroupHost();
  host.system_paths = FindSystemPaths();
  host.layers = {NamespaceLayer(tried.namespaces, host.namespaces_problem),
                 SimpleLayer("mount API", host.mount_api, "Linux 5.12 or later"),
                 SimpleLayer("pidfd", host.pidfd,
                             "Linux 5.5 or later; in a container, a seccomp "
                             "profile that allows clone3 and pidfd_send_signal"),
                 SimpleLayer("seccomp", host.seccomp, "a kernel with CONFIG_SECCOMP_FILTER"),
                 LandlockLayer(landlock_abi),
                 CgroupLayer(host)};
  return host;
}

}  // namespace nacre::sandbox
