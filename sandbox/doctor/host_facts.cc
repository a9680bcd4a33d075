#include "sandbox/doctor/host_facts.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/temp_dir.h"
#include "sandbox/guest/host_programs.h"
#include "sandbox/host_support.h"
#include "sandbox/kernel/landlock.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/kernel/overlay.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/kernel/time_namespace.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/microvm/guest_kernel.h"

namespace nacre::sandbox {
namespace {

constexpr char kKvm[] = "/dev/kvm";
constexpr unsigned long kKvmGetApiVersion = 0xAE00;
constexpr unsigned long kKvmCreateVm = 0xAE01;
constexpr unsigned kAttemptSeconds = 10;  // what hangs does not work either
constexpr int kDiedOfSignal = 255;        // a child's answer is an errno, which is smaller
constexpr uint64_t kTruncateRight = 1ULL << 14;
constexpr uint64_t kReadFileRight = 1ULL << 2;
constexpr uint64_t kIoctlRight = 1ULL << 15;
constexpr uint64_t kBindTcpRight = 1;
constexpr uint64_t kScopeBoth = 3;

// What `attempt` answers in a child: 0 or an errno. A child that dies has found a wall too.
template <typename Function>
int InChild(const Function& attempt) {
  const pid_t pid = ::fork();
  if (pid < 0) {
    return errno;
  }
  if (pid == 0) {
    ::alarm(kAttemptSeconds);
    ::_exit(attempt());
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const int answer = WIFEXITED(status) ? WEXITSTATUS(status) : kDiedOfSignal;
  return answer == kDiedOfSignal ? EPERM : answer;
}

int WriteText(const char* path, const std::string& text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file) {
    return errno;
  }
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0
                                                                                            : errno;
}

// In a child: "root" of a new user namespace.
int EnterUserNamespace() {
  const std::string uid = "0 " + std::to_string(::geteuid()) + " 1\n";
  const std::string gid = "0 " + std::to_string(::getegid()) + " 1\n";
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (::unshare(CLONE_NEWUSER) != 0) {
    return errno;
  }
  int error = WriteText("/proc/self/setgroups", "deny");
  if (error == 0) {
    error = WriteText("/proc/self/uid_map", uid);
  }
  return error != 0 ? error : WriteText("/proc/self/gid_map", gid);
}

int EnterMountNamespace() {
  const int error = EnterUserNamespace();
  if (error != 0) {
    return error;
  }
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return errno;
  }
  return 0;
}

int TryNamespace(int flag) {
  const int error = EnterUserNamespace();
  if (error != 0) {
    return error;
  }
  return ::unshare(flag) == 0 ? 0 : errno;
}

// Makes a tmpfs by descriptor and puts it on `target`.
int MountTmpfsOn(const char* target) {
  const int tree = kernel::NewTmpfs(1 << 20, 64, "755", kernel::kNoDev);
  if (tree < 0) {
    return -tree;
  }
  const UniqueFd place(::open(target, O_PATH | O_CLOEXEC));
  const int result = kernel::Attach(tree, place.get());
  ::close(tree);
  return -result;
}

int TryMountApi(const char* scratch) {
  int error = EnterMountNamespace();
  if (error == 0) {
    error = MountTmpfsOn(scratch);
  }
  if (error != 0) {
    return error;
  }
  const int copy = kernel::CloneTree(AT_FDCWD, scratch);
  if (copy < 0) {
    return -copy;
  }
  const int set = kernel::SetAttributes(copy, kernel::kReadOnly | kernel::kNoExec);
  ::close(copy);
  return -set;
}

// A proc needs a pid namespace, in which the mounting process itself is not.
int TryProc(const char* scratch) {
  const int error = EnterMountNamespace();
  if (error != 0) {
    return error;
  }
  if (::unshare(CLONE_NEWPID) != 0) {
    return errno;
  }
  return InChild([&] {
    const int tree = kernel::NewProc(kernel::kReadOnly, kernel::ProcView::kOwnProcesses);
    if (tree < 0) {
      return -tree;
    }
    const UniqueFd place(::open(scratch, O_PATH | O_CLOEXEC));
    return -kernel::Attach(tree, place.get());
  });
}

int TryIdMappedMounts(const std::string& scratch) {
  if (kernel::OwnStanding() == kernel::Standing::kUser) {
    return 0;  // an ordinary user's calls are that user: they need none
  }
  kernel::IdMappings mappings;
  const auto mapping = mappings.Get({.uid = 0, .gid = 0}, {});
  if (!mapping.ok()) {
    return EPERM;
  }
  const UniqueFd tree(kernel::CloneTree(AT_FDCWD, scratch.c_str()));
  if (!tree) {
    return EPERM;
  }
  return -kernel::SetAttributesAndIds(tree.get(), 0, mapping.value());
}

int TryOverlay(const char* scratch) {
  int error = EnterMountNamespace();
  if (error == 0) {
    error = MountTmpfsOn(scratch);
  }
  if (error != 0) {
    return error;
  }
  if (::chdir(scratch) != 0) {
    return errno;
  }
  // As a call's is made: see kernel/overlay.h.
  for (const char* directory : {"workspace", ".nacre", ".nacre/lower", ".nacre/upper"}) {
    if (::mkdir(directory, 0755) != 0) {
      return errno;
    }
  }
  const UniqueFd lower(kernel::CloneTree(AT_FDCWD, "workspace"));
  const UniqueFd upper(kernel::NewTmpfs(1 << 20, 64, "700", kernel::kNoDev));
  if (!lower || !upper) {
    return lower ? -upper.get() : -lower.get();
  }
  const UniqueFd overlay(kernel::NewOverlay(lower.get(), upper.get(), kernel::kNoDev));
  return overlay ? 0 : -overlay.get();
}

int Restrict(const kernel::LandlockRulesetAttr& attr, size_t size) {
  const UniqueFd ruleset(kernel::LandlockCreateRuleset(&attr, size, 0));
  if (!ruleset || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      kernel::LandlockRestrictSelf(ruleset.get()) != 0) {
    return errno;
  }
  return 0;
}

// `act` must be refused under the ruleset. ENODATA: it was not.
template <typename Function>
int MustRefuse(const kernel::LandlockRulesetAttr& attr, size_t size, const Function& act) {
  const int error = Restrict(attr, size);
  if (error != 0) {
    return error;
  }
  return act() ? ENODATA : 0;
}

int TryLandlockFiles(const char* file) {
  return MustRefuse({.handled_access_fs = kReadFileRight}, 8,
                    [&] { return UniqueFd(::open(file, O_RDONLY | O_CLOEXEC)).valid(); });
}

int TryLandlockTruncate(const char* file) {
  return MustRefuse({.handled_access_fs = kTruncateRight}, 8,
                    [&] { return ::truncate(file, 0) == 0; });
}

int TryLandlockIoctl() {
  return MustRefuse({.handled_access_fs = kIoctlRight}, 8, [] {
    const UniqueFd device(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    int ignored = 0;
    // Not a command of this device: EACCES is Landlock's answer, ENOTTY the device's.
    return device.valid() && ::ioctl(device.get(), 0x5413 /* TIOCGWINSZ */, &ignored) != 0 &&
           errno != EACCES;
  });
}

int TryLandlockTcp() {
  return MustRefuse({.handled_access_fs = 0, .handled_access_net = kBindTcpRight}, 16, [] {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_in any = {};
    any.sin_family = AF_INET;
    return socket.valid() &&
           ::bind(socket.get(), reinterpret_cast<struct sockaddr*>(&any), sizeof any) == 0;
  });
}

int TryLandlockScope() {
  return MustRefuse({.handled_access_fs = 0, .handled_access_net = 0, .scoped = kScopeBoth}, 24,
                    [] { return ::kill(::getppid(), 0) == 0; });
}

// Answers ECANCELED for getppid and lets all else pass, or asks for it.
int LoadFilter(uint32_t answer, unsigned flags) {
  struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {.len = 4, .filter = instructions};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return -1;
  }
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

int TrySeccompFilter() {
  if (LoadFilter(SECCOMP_RET_ERRNO | ECANCELED, 0) < 0) {
    return errno;
  }
  return ::syscall(SYS_getppid) == -1 && errno == ECANCELED ? 0 : ENODATA;
}

int TrySeccompNotify() {
  const UniqueFd listener(LoadFilter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  if (!listener) {
    return errno;
  }
  const pid_t asker = ::fork();
  if (asker < 0) {
    return errno;
  }
  if (asker == 0) {
    ::_exit(::syscall(SYS_getppid) == 4711 ? 0 : ENODATA);
  }
  struct pollfd waits = {.fd = listener.get(), .events = POLLIN, .revents = 0};
  struct seccomp_notif asked = {};
  int error = 0;
  if (::poll(&waits, 1, 2000) != 1 ||
      ::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
    error = errno == 0 ? ETIMEDOUT : errno;
  } else {
    struct seccomp_notif_resp answer = {.id = asked.id, .val = 4711, .error = 0, .flags = 0};
    error = ::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 ? 0 : errno;
  }
  if (error != 0) {
    ::kill(asker, SIGKILL);
  }
  int status = 0;
  while (::waitpid(asker, &status, 0) < 0 && errno == EINTR) {
  }
  return error != 0 ? error : WIFEXITED(status) ? WEXITSTATUS(status) : ENODATA;
}

int TryPidfd() {
  int pidfd = -1;
  kernel::CloneArgs args;
  args.flags = CLONE_PIDFD | kernel::kCloneClearSignalHandlers;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = kernel::Clone3(args);
  if (pid < 0) {
    return errno;
  }
  if (pid == 0) {
    ::pause();
    ::_exit(0);
  }
  const UniqueFd descriptor(pidfd);
  int error = kernel::PidfdSendSignal(pidfd, SIGKILL) == 0 ? 0 : errno;
  if (error != 0) {
    ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
  siginfo_t info = {};
  if (::waitid(static_cast<idtype_t>(3 /* P_PIDFD */), static_cast<id_t>(pidfd), &info, WEXITED) !=
      0) {
    error = error != 0 ? error : errno;
    ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  }
  return error;
}

int TryCgroupKill(const kernel::CgroupHost& host) {
  if (host.version != kernel::CgroupVersion::kV2) {
    return ENOENT;
  }
  auto cgroup = kernel::Cgroup::Create(host, "nacre-doctor-" + std::to_string(::getpid()),
                                       {.memory_bytes = 64 << 20, .tasks = 8});
  if (!cgroup.ok()) {
    return EACCES;
  }
  const UniqueFd kill(::openat(cgroup.value().dir_fd(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
  if (!kill) {
    return errno;
  }
  kernel::CloneArgs args;
  args.flags = kernel::kCloneIntoCgroup | kernel::kCloneClearSignalHandlers;
  args.cgroup = static_cast<uint64_t>(cgroup.value().dir_fd());
  args.exit_signal = SIGCHLD;
  const long pid = kernel::Clone3(args);
  if (pid < 0) {
    return errno;
  }
  if (pid == 0) {
    ::pause();
    ::_exit(0);
  }
  const int error = ::write(kill.get(), "1", 1) == 1 ? 0 : errno;
  if (error != 0) {
    ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
  ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return error;
}

// As who encloses a microVM: for root that is nobody, in the device's group alone.
int TryKvm() {
  struct stat device = {};
  if (::stat(kKvm, &device) != 0) {
    return errno;
  }
  const auto [uid, gid] = kernel::IdsForDevice(device);
  if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setresgid(gid, gid, gid) != 0 ||
                           ::setresuid(uid, uid, uid) != 0)) {
    return errno;
  }
  const UniqueFd kvm(::open(kKvm, O_RDWR | O_CLOEXEC));
  if (!kvm) {
    return errno;
  }
  if (::ioctl(kvm.get(), kKvmGetApiVersion, 0) != 12) {
    return ENOSYS;
  }
  const UniqueFd machine(::ioctl(kvm.get(), kKvmCreateVm, 0));
  return machine.valid() ? 0 : errno;
}

int64_t Switch(const char* path) {
  const auto text = ReadFile(path, 64);
  return text.ok() ? std::strtoll(text.value().c_str(), nullptr, 10) : -1;
}

}  // namespace

const char* AttemptName(Attempt attempt) {
  static constexpr const char* kNames[kAttemptCount] = {"user namespace",
                                                        "user namespace: use",
                                                        "mount namespace",
                                                        "pid namespace",
                                                        "net namespace",
                                                        "ipc namespace",
                                                        "uts namespace",
                                                        "cgroup namespace",
                                                        "time namespace",
                                                        "proc",
                                                        "mount API",
                                                        "id-mapped mounts",
                                                        "overlay",
                                                        "Landlock: files",
                                                        "Landlock: truncate",
                                                        "Landlock: ioctl",
                                                        "Landlock: TCP",
                                                        "Landlock: scopes",
                                                        "seccomp filter",
                                                        "seccomp notification",
                                                        "pidfd",
                                                        "cgroup.kill",
                                                        "KVM"};
  return kNames[static_cast<int>(attempt)];
}

HostFacts TryHost() {
  HostFacts facts;
  facts.uid = ::geteuid();
  facts.landlock_abi = kernel::LandlockAbi();
  facts.cgroup = kernel::FindCgroupHost();
  facts.apparmor_restricts_userns =
      static_cast<int>(Switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"));
  facts.unprivileged_userns_clone =
      static_cast<int>(Switch("/proc/sys/kernel/unprivileged_userns_clone"));
  facts.max_user_namespaces = Switch("/proc/sys/user/max_user_namespaces");
  facts.systemd = IsSystemdHost();
  facts.runsc = guest::FindSystemProgram("runsc");
  facts.qemu = guest::FindSystemProgram("qemu-system-x86_64");
  const auto guest_kernel = microvm::FindGuestKernel();
  facts.guest_kernel = guest_kernel.ok() ? guest_kernel.value().image : "";
  facts.no_guest_kernel = guest_kernel.ok() ? "" : guest_kernel.error().message;

  const auto scratch = TempDir::Create();
  const std::string directory = scratch.ok() ? scratch.value().path() : "/tmp";
  const std::string file = directory + "/file";
  if (scratch.ok()) {
    (void)WriteFileAtomically(file, "text");
  }
  const auto attempt = [&](Attempt name, const auto& function) {
    facts.errors[name] = InChild(function);
  };
  attempt(Attempt::kUserNamespace, EnterUserNamespace);
  attempt(Attempt::kUserNamespaceUse, [] {
    const int error = EnterMountNamespace();
    return error != 0 ? error : ::mount("none", "/tmp", "tmpfs", 0, nullptr) == 0 ? 0 : errno;
  });
  attempt(Attempt::kMountNamespace, [] { return TryNamespace(CLONE_NEWNS); });
  attempt(Attempt::kPidNamespace, [] { return TryNamespace(CLONE_NEWPID); });
  attempt(Attempt::kNetNamespace, [] { return TryNamespace(CLONE_NEWNET); });
  attempt(Attempt::kIpcNamespace, [] { return TryNamespace(CLONE_NEWIPC); });
  attempt(Attempt::kUtsNamespace, [] { return TryNamespace(CLONE_NEWUTS); });
  attempt(Attempt::kCgroupNamespace, [] { return TryNamespace(CLONE_NEWCGROUP); });
  attempt(Attempt::kTimeNamespace, [] {
    const int error = EnterUserNamespace();
    return error != 0 ? error : -kernel::NewTimeNamespaceForChildren();
  });
  attempt(Attempt::kProc, [&] { return TryProc(directory.c_str()); });
  attempt(Attempt::kMountApi, [&] { return TryMountApi(directory.c_str()); });
  attempt(Attempt::kIdMappedMounts, [&] { return TryIdMappedMounts(directory); });
  attempt(Attempt::kOverlay, [&] { return TryOverlay(directory.c_str()); });
  attempt(Attempt::kLandlockFiles, [&] { return TryLandlockFiles(file.c_str()); });
  attempt(Attempt::kLandlockTruncate, [&] { return TryLandlockTruncate(file.c_str()); });
  attempt(Attempt::kLandlockIoctl, TryLandlockIoctl);
  attempt(Attempt::kLandlockTcp, TryLandlockTcp);
  attempt(Attempt::kLandlockScope, TryLandlockScope);
  attempt(Attempt::kSeccompFilter, TrySeccompFilter);
  attempt(Attempt::kSeccompNotify, TrySeccompNotify);
  attempt(Attempt::kPidfd, TryPidfd);
  attempt(Attempt::kCgroupKill, [&] { return TryCgroupKill(facts.cgroup); });
  attempt(Attempt::kKvm, TryKvm);
  return facts;
}

}  // namespace nacre::sandbox
