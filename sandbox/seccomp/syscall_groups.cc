#include "sandbox/seccomp/syscall_groups.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include <cerrno>
#include <initializer_list>
#include <sstream>

namespace nacre::sandbox::seccomp {
namespace {

using Rules = std::vector<SyscallRule>;

constexpr uint64_t kLow32 = 0xffffffff;  // what the kernel reads of an int argument
constexpr uint64_t kSetIdBits = S_ISUID | S_ISGID;
constexpr uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
// Newer than Debian 12's headers.
constexpr uint64_t kPrSetMdwe = 65;
constexpr uint64_t kPrGetMdwe = 66;

void Allow(Rules& rules, const std::string& reason, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    rules.push_back({name, Verdict::kAllow, 0, {}, reason});
  }
}

void Deny(Rules& rules, int error, const std::string& reason,
          std::initializer_list<const char*> names) {
  for (const char* name : names) {
    rules.push_back({name, Verdict::kDeny, error, {}, reason});
  }
}

void AllowIf(Rules& rules, const char* name, std::vector<ArgumentCheck> checks,
             const std::string& reason) {
  rules.push_back({name, Verdict::kAllow, 0, std::move(checks), reason});
}

void DenyIf(Rules& rules, const char* name, std::vector<ArgumentCheck> checks,
            const std::string& reason) {
  rules.push_back({name, Verdict::kDeny, EPERM, std::move(checks), reason});
}

void AddFiles(Rules& rules) {
  Allow(rules, "read and write open files", {"read",        "write",     "readv",
                                             "writev",      "pread64",   "pwrite64",
                                             "preadv",      "pwritev",   "preadv2",
                                             "pwritev2",    "lseek",     "close",
                                             "close_range", "dup",       "dup2",
                                             "dup3",        "flock",     "fsync",
                                             "fdatasync",   "fadvise64", "sync_file_range",
                                             "readahead",   "sendfile",  "copy_file_range",
                                             "splice",      "tee",       "ftruncate",
                                             "fallocate",   "pipe",      "pipe2"});
  Allow(rules, "look at files; what exists is decided by the mounts",
        {"stat",      "fstat",      "lstat",     "newfstatat", "statx",     "access",
         "faccessat", "faccessat2", "readlink",  "readlinkat", "getdents",  "getdents64",
         "getcwd",    "chdir",      "fchdir",    "statfs",     "fstatfs",   "getxattr",
         "lgetxattr", "fgetxattr",  "listxattr", "llistxattr", "flistxattr"});
  Allow(rules, "change files; where is decided by mounts and Landlock",
        {"rename",    "renameat", "renameat2", "link",     "linkat", "symlink", "symlinkat",
         "unlink",    "unlinkat", "rmdir",     "truncate", "utime",  "utimes",  "utimensat",
         "futimesat", "umask",    "chown",     "fchown",   "lchown", "fchownat"});
  Allow(rules, "wait for descriptors, files and timers",
        {"poll",
         "ppoll",
         "select",
         "pselect6",
         "epoll_create",
         "epoll_create1",
         "epoll_ctl",
         "epoll_wait",
         "epoll_pwait",
         "epoll_pwait2",
         "eventfd",
         "eventfd2",
         "signalfd",
         "signalfd4",
         "timerfd_create",
         "timerfd_settime",
         "timerfd_gettime",
         "inotify_init",
         "inotify_init1",
         "inotify_add_watch",
         "inotify_rm_watch"});
}

// What is left out reaches others: a lease stalls whoever opens the file on the host, and the sizes
// of all pipes of a user are counted together, whatever their namespaces.
void AddDescriptorCommands(Rules& rules) {
  AllowIf(rules, "fcntl", {{1, kLow32 & ~uint64_t{0xf}, 0}}, "flags, locks and owners");
  for (const uint64_t command :
       {uint64_t{F_OFD_GETLK}, uint64_t{F_OFD_SETLK}, uint64_t{F_OFD_SETLKW},
        uint64_t{F_DUPFD_CLOEXEC}, uint64_t{F_GETPIPE_SZ}, uint64_t{F_GET_SEALS}}) {
    AllowIf(rules, "fcntl", {{1, kLow32, command}}, "locks, copies and questions");
  }
  for (const uint64_t command :
       {uint64_t{F_SETLEASE}, uint64_t{F_NOTIFY}, uint64_t{F_SETPIPE_SZ}}) {
    DenyIf(rules, "fcntl", {{1, kLow32, command}}, "leases, notices and large pipes reach others");
  }
}

// A set-uid file made in a mounted directory would be one on the host, outside of nosuid.
void AddModes(Rules& rules) {
  struct ModeCall {
    const char* name;
    unsigned mode_index;
  };
  for (const ModeCall& call :
       {ModeCall{"chmod", 1}, ModeCall{"fchmod", 1}, ModeCall{"fchmodat", 2}, ModeCall{"creat", 1},
        ModeCall{"mkdir", 1}, ModeCall{"mkdirat", 2}}) {
    AllowIf(rules, call.name, {{call.mode_index, kSetIdBits, 0}}, "never with set-id bits");
    DenyIf(rules, call.name, {{call.mode_index, S_ISUID, S_ISUID}}, "set-uid bit");
    DenyIf(rules, call.name, {{call.mode_index, kSetIdBits, S_ISGID}}, "set-gid bit");
  }
  // The mode argument counts only when the call may create the file.
  constexpr uint64_t kCreating = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
  struct OpenCall {
    const char* name;
    unsigned flags_index;
  };
  for (const OpenCall& call : {OpenCall{"open", 1}, OpenCall{"openat", 2}}) {
    const unsigned mode_index = call.flags_index + 1;
    AllowIf(rules, call.name, {{call.flags_index, kCreating, 0}}, "open what exists");
    AllowIf(rules, call.name, {{mode_index, kSetIdBits, 0}}, "create without set-id bits");
    for (const uint64_t flag : {uint64_t{O_CREAT}, kCreating & ~uint64_t{O_CREAT}}) {
      DenyIf(rules, call.name, {{call.flags_index, flag, flag}, {mode_index, S_ISUID, S_ISUID}},
             "set-uid bit");
      DenyIf(rules, call.name, {{call.flags_index, flag, flag}, {mode_index, kSetIdBits, S_ISGID}},
             "set-gid bit");
    }
  }
  struct NodeCall {
    const char* name;
    unsigned mode_index;
  };
  for (const NodeCall& call : {NodeCall{"mknod", 1}, NodeCall{"mknodat", 2}}) {
    for (const uint64_t type : {uint64_t{0}, uint64_t{S_IFREG}, uint64_t{S_IFIFO}}) {
      AllowIf(rules, call.name, {{call.mode_index, S_IFMT | kSetIdBits, type}},
              "plain files and fifos");
    }
    for (const uint64_t type : {uint64_t{S_IFCHR}, uint64_t{S_IFBLK}, uint64_t{S_IFSOCK}}) {
      DenyIf(rules, call.name, {{call.mode_index, S_IFMT, type}}, "devices and sockets");
    }
  }
}

void AddProcesses(Rules& rules) {
  Allow(rules, "memory of one's own",
        {"mmap", "mprotect", "munmap", "mremap", "brk", "madvise", "mincore", "msync", "mlock",
         "mlock2", "munlock", "membarrier"});
  Allow(rules, "processes and threads; their number is limited",
        {"fork",
         "vfork",
         "execve",
         "exit",
         "exit_group",
         "wait4",
         "waitid",
         "set_tid_address",
         "set_robust_list",
         "get_robust_list",
         "futex",
         "rseq",
         "arch_prctl",
         "sched_yield",
         "sched_getaffinity",
         "sched_setaffinity",
         "sched_getparam",
         "sched_getscheduler",
         "sched_getattr",
         "sched_get_priority_max",
         "sched_get_priority_min",
         "sched_rr_get_interval",
         "getpriority",
         "setpriority",
         "getcpu",
         "restart_syscall"});
  AllowIf(rules, "clone", {{0, kNamespaceFlags, 0}}, "threads and processes, no namespaces");
  for (uint64_t flag = 1; flag <= kNamespaceFlags; flag <<= 1) {
    if ((kNamespaceFlags & flag) != 0) {
      DenyIf(rules, "clone", {{0, flag, flag}}, "new namespaces reach much more of the kernel");
    }
  }
  Allow(rules, "identity, limits and session of one's own",
        {"getpid",
         "getppid",
         "gettid",
         "getpgid",
         "getpgrp",
         "setpgid",
         "setsid",
         "getsid",
         "getuid",
         "geteuid",
         "getgid",
         "getegid",
         "getresuid",
         "getresgid",
         "getgroups",
         "capget",
         "getrlimit",
         "setrlimit",
         "prlimit64",
         "getrusage",
         "times",
         "sysinfo",
         "uname",
         "landlock_create_ruleset",
         "landlock_add_rule",
         "landlock_restrict_self"});
  Allow(rules, "signals; only one's own processes are in reach",
        {"kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigpending",
         "rt_sigtimedwait", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "rt_sigsuspend", "rt_sigreturn",
         "sigaltstack", "pidfd_open", "pidfd_send_signal"});
  Allow(rules, "time, timers and randomness",
        {"gettimeofday", "time", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",
         "getitimer", "setitimer", "alarm", "pause", "timer_create", "timer_settime",
         "timer_gettime", "timer_getoverrun", "timer_delete", "getrandom"});
  Allow(rules, "talk over an anonymous pair of sockets",
        {"sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown",
         "getsockname", "getpeername", "getsockopt", "setsockopt"});
}

void AddChecked(Rules& rules) {
  // Datagram pairs could still send to a named socket in a mounted directory.
  for (const uint64_t type : {uint64_t{SOCK_STREAM}, uint64_t{SOCK_SEQPACKET}}) {
    AllowIf(rules, "socketpair", {{0, kLow32, AF_UNIX}, {1, 0xf, type}},
            "anonymous pairs between one's own processes");
  }
  for (const uint64_t request :
       {uint64_t{FIONREAD}, uint64_t{FIONBIO}, uint64_t{FIOASYNC}, uint64_t{FIOCLEX},
        uint64_t{FIONCLEX}, uint64_t{TCGETS}, uint64_t{TIOCGWINSZ}, uint64_t{TIOCGPGRP},
        uint64_t{FIGETBSZ}, uint64_t{FS_IOC_GETFLAGS}, uint64_t{FICLONE}, uint64_t{FICLONERANGE}}) {
    AllowIf(rules, "ioctl", {{1, kLow32, request}},
            "questions that programs ask of any descriptor, and file cloning");
  }
  // What terminal-injection tricks use; named so that the answer is EPERM, not ENOSYS.
  for (const uint64_t request : {uint64_t{TIOCSTI}, uint64_t{TIOCLINUX}, uint64_t{TIOCSETD},
                                 uint64_t{TIOCCONS}, uint64_t{TIOCSCTTY}}) {
    DenyIf(rules, "ioctl", {{1, kLow32, request}}, "terminal injection (CVE-2017-5226)");
  }
  for (const uint64_t option : {uint64_t{PR_SET_NAME},
                                uint64_t{PR_GET_NAME},
                                uint64_t{PR_SET_PDEATHSIG},
                                uint64_t{PR_GET_PDEATHSIG},
                                uint64_t{PR_GET_DUMPABLE},
                                uint64_t{PR_SET_DUMPABLE},
                                uint64_t{PR_GET_KEEPCAPS},
                                uint64_t{PR_GET_SECCOMP},
                                uint64_t{PR_CAPBSET_READ},
                                uint64_t{PR_GET_SECUREBITS},
                                uint64_t{PR_SET_TIMERSLACK},
                                uint64_t{PR_GET_TIMERSLACK},
                                uint64_t{PR_SET_CHILD_SUBREAPER},
                                uint64_t{PR_GET_CHILD_SUBREAPER},
                                uint64_t{PR_SET_NO_NEW_PRIVS},
                                uint64_t{PR_GET_NO_NEW_PRIVS},
                                uint64_t{PR_SET_THP_DISABLE},
                                uint64_t{PR_GET_THP_DISABLE},
                                uint64_t{PR_SET_VMA},
                                kPrSetMdwe,
                                kPrGetMdwe}) {
    AllowIf(rules, "prctl", {{0, kLow32, option}}, "names, timers and questions");
  }
  for (const uint64_t persona : {uint64_t{0}, uint64_t{0xffffffff}}) {
    AllowIf(rules, "personality", {{0, kLow32, persona}}, "ask, or keep the default");
  }
}

void AddDenied(Rules& rules) {
  Deny(rules, ENOSYS, "flags are behind a pointer, where a filter cannot see them",
       {"clone3", "openat2", "execveat"});
  Deny(rules, EAFNOSUPPORT, "no network, and no named unix sockets: Landlock does not cover those",
       {"socket"});
  Deny(rules, EPERM, "no named sockets", {"bind", "connect", "listen", "accept", "accept4"});
  Deny(rules, EPERM, "memory that no process maps would escape the watchdog; executable at that",
       {"memfd_create", "memfd_secret",  "shmget",  "shmat",     "shmctl",       "shmdt",
        "msgget",       "msgsnd",        "msgrcv",  "msgctl",    "semget",       "semop",
        "semctl",       "semtimedop",    "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive",
        "mq_notify",    "mq_getsetattr", "vmsplice"});
  Deny(
      rules, EPERM, "namespaces and mounts: the walls themselves",
      {"unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount",
       "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "sethostname", "setdomainname"});
  Deny(rules, EPERM, "other processes' memory and descriptors",
       {"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
        "pidfd_getfd", "kcmp", "move_pages", "migrate_pages"});
  Deny(rules, EPERM, "wide kernel attack surface that tools do without",
       {"bpf",
        "perf_event_open",
        "userfaultfd",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "io_setup",
        "io_submit",
        "io_cancel",
        "io_destroy",
        "io_getevents",
        "io_pgetevents",
        "keyctl",
        "add_key",
        "request_key",
        "fanotify_init",
        "fanotify_mark",
        "modify_ldt",
        "iopl",
        "ioperm",
        "seccomp",
        "lookup_dcookie",
        "uselib",
        "ustat",
        "sysfs",
        "_sysctl",
        "remap_file_pages",
        "set_mempolicy",
        "mbind",
        "get_mempolicy"});
  Deny(rules, EPERM, "files by inode, past every mount",
       {"open_by_handle_at", "name_to_handle_at"});
  Deny(rules, EOPNOTSUPP, "attributes that carry privileges; cp -a goes on without them",
       {"setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"});
  Deny(rules, EPERM, "identity and capabilities: there is one identity and no capability",
       {"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid",
        "setfsgid", "setgroups", "capset"});
  Deny(rules, EPERM, "priorities above others'",
       {"sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set", "mlockall"});
  Deny(rules, EPERM, "the host as a whole",
       {"reboot",        "kexec_load",    "kexec_file_load", "init_module", "finit_module",
        "delete_module", "swapon",        "swapoff",         "acct",        "quotactl",
        "quotactl_fd",   "nfsservctl",    "syslog",          "vhangup",     "settimeofday",
        "clock_settime", "clock_adjtime", "adjtimex",        "sync",        "syncfs"});
}

}  // namespace

Result<std::vector<SyscallRule>> ProfileRules(const std::string& profile) {
  if (profile != "default") {
    return Error{ErrorCode::kNotFound, "no seccomp profile '" + profile + "'; there is: default"};
  }
  Rules rules;
  AddFiles(rules);
  AddDescriptorCommands(rules);
  AddModes(rules);
  AddProcesses(rules);
  AddChecked(rules);
  AddDenied(rules);
  return rules;
}

std::vector<SyscallRule> ReaperRules() {
  Rules rules;
  Allow(rules, "wait for the tool, tell how it ended, end",
        {"wait4", "sendto", "exit_group", "rt_sigreturn", "restart_syscall"});
  rules.push_back({.name = "kill",
                   .verdict = Verdict::kAllow,
                   .error = 0,
                   .checks = {{.index = 0, .mask = 0xffff'ffff, .value = 0xffff'ffff},
                              {.index = 1, .mask = 0xffff'ffff, .value = 9}},
                   .reason = "end what the tool leaves behind: kill(-1, SIGKILL)"});
  return rules;
}

std::string DescribeRules(const std::vector<SyscallRule>& rules) {
  std::ostringstream text;
  for (const SyscallRule& rule : rules) {
    text << (rule.verdict == Verdict::kAllow ? "allow  "
                                             : "deny " + std::to_string(rule.error) + "  ")
         << rule.name;
    for (const ArgumentCheck& check : rule.checks) {
      text << std::hex << " [arg" << check.index << " & 0x" << check.mask << " == 0x" << check.value
           << "]" << std::dec;
    }
    text << "  (" << rule.reason << ")\n";
  }
  return text.str();
}

}  // namespace nacre::sandbox::seccomp
