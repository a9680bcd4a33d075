#include "sandbox/seccomp/syscall_groups.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <set>
#include <sstream>

#include "sandbox/kernel/user_namespace.h"

namespace nacre::sandbox::seccomp {
namespace {

using Rules = std::vector<SyscallRule>;

constexpr uint64_t kLow32 = 0xffffffff;  // what the kernel reads of an int argument
constexpr uint64_t kSetIdBits = S_ISUID | S_ISGID;
constexpr uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
// Flags of open(2) that change a file or the directory it is in. O_TMPFILE without O_DIRECTORY.
constexpr uint64_t kWriting =
    O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
constexpr uint64_t kKvmRequests = 0xae;  // KVMIO of linux/kvm.h
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
            const std::string& reason, int error = EPERM) {
  rules.push_back({name, Verdict::kDeny, error, std::move(checks), reason});
}

// What no honest tool asks for: an error where tools are many and old, the end where they are few.
enum class Strict { kNo = 0, kYes };

void Refuse(Rules& rules, Strict strict, const std::string& reason,
            std::initializer_list<const char*> names) {
  for (const char* name : names) {
    rules.push_back({name,
                     strict == Strict::kYes ? Verdict::kKill : Verdict::kDeny,
                     strict == Strict::kYes ? 0 : EPERM,
                     {},
                     reason});
  }
}

void AddQuestionsOfFiles(Rules& rules) {
  Allow(rules, "look at files; what exists is decided by the mounts",
        {"stat",      "fstat",      "lstat",     "newfstatat", "statx",     "access",
         "faccessat", "faccessat2", "readlink",  "readlinkat", "getdents",  "getdents64",
         "getcwd",    "chdir",      "fchdir",    "statfs",     "fstatfs",   "getxattr",
         "lgetxattr", "fgetxattr",  "listxattr", "llistxattr", "flistxattr"});
}

void AddChangesOfFiles(Rules& rules) {
  Allow(rules, "change files; where is decided by mounts and Landlock",
        {"rename",    "renameat", "renameat2", "link",     "linkat", "symlink", "symlinkat",
         "unlink",    "unlinkat", "rmdir",     "truncate", "utime",  "utimes",  "utimensat",
         "futimesat", "umask",    "chown",     "fchown",   "lchown", "fchownat"});
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
  AddQuestionsOfFiles(rules);
  AddChangesOfFiles(rules);
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

enum class MadeCode { kForbidden = 0, kAllowed };

// Code comes from files, whose mounts say whether it may run; code that a program writes into its
// own memory comes from nowhere that anybody reviewed. Compilers at run time need the latter.
void AddMemory(Rules& rules, MadeCode made_code) {
  Allow(rules, "memory of one's own", {"munmap", "mremap", "brk", "madvise"});
  if (made_code == MadeCode::kAllowed) {
    Allow(rules, "memory of one's own, also code that is made at run time", {"mmap", "mprotect"});
    return;
  }
  AllowIf(rules, "mmap", {{2, PROT_EXEC, 0}}, "memory that holds no code");
  AllowIf(rules, "mmap", {{2, PROT_WRITE | PROT_EXEC, PROT_EXEC}, {3, MAP_ANONYMOUS, 0}},
          "code from a file; its mount says whether it may run");
  DenyIf(rules, "mmap", {{2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC}},
         "code that can still be written", EACCES);
  DenyIf(rules, "mmap", {{2, PROT_EXEC, PROT_EXEC}, {3, MAP_ANONYMOUS, MAP_ANONYMOUS}},
         "code that is in no file", EACCES);
  AllowIf(rules, "mprotect", {{2, PROT_EXEC, 0}}, "memory that holds no code");
  DenyIf(rules, "mprotect", {{2, PROT_EXEC, PROT_EXEC}}, "memory that becomes code", EACCES);
}

// A core dump may be piped to a program of the host (core_pattern) whatever its size limit is, except
// when that is exactly 1, as the launcher sets it. So that limit alone cannot be changed.
void AddLimits(Rules& rules) {
  static_assert(RLIMIT_CORE == 4);  // the four masks below hold for every other number up to 15
  struct LimitCall {
    const char* name;
    unsigned index;
  };
  for (const LimitCall& call : {LimitCall{"prlimit64", 1}, LimitCall{"setrlimit", 0}}) {
    for (const ArgumentCheck& other :
         {ArgumentCheck{call.index, 1, 1}, ArgumentCheck{call.index, 2, 2},
          ArgumentCheck{call.index, 4, 0}, ArgumentCheck{call.index, 8, 8}}) {
      AllowIf(rules, call.name, {other}, "limits of one's own, downwards; not that of core dumps");
    }
  }
  AllowIf(rules, "prlimit64", {{1, kLow32, RLIMIT_CORE}, {2, ~0ULL, 0}}, "ask for a limit");
}

void AddProcesses(Rules& rules) {
  Allow(rules, "memory of one's own",
        {"mincore", "msync", "mlock", "mlock2", "munlock", "membarrier"});
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
  // posix_spawn(3) of GNU make asks for the identity that it has.
  for (const char* name : {"setresuid", "setresgid"}) {
    AllowIf(rules, name, {{0, kLow32, kLow32}, {1, kLow32, kernel::kInsideId}, {2, kLow32, kLow32}},
            "become who one is");
  }
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

// For programs that own a terminal: `nacre sandbox exec` on one gives them a new pseudo-terminal.
void AddTerminals(Rules& rules) {
  for (const uint64_t request :
       {uint64_t{TCSETS}, uint64_t{TCSETSW}, uint64_t{TCSETSF}, uint64_t{TIOCSPGRP},
        uint64_t{TIOCGSID}, uint64_t{TIOCSWINSZ}, uint64_t{TCFLSH}, uint64_t{TCSBRK}}) {
    AllowIf(rules, "ioctl", {{1, kLow32, request}}, "line editing and job control");
  }
}

// Where such a socket leads is decided by the network namespace and by Landlock: without a grant,
// nowhere. Only TCP and UDP over IP; raw, packet, netlink, vsock, SCTP, MPTCP and the rest are much
// more kernel than a client needs.
void AddNetwork(Rules& rules) {
  constexpr uint64_t kType = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
  for (const uint64_t family : {uint64_t{AF_INET}, uint64_t{AF_INET6}}) {
    for (const uint64_t protocol : {uint64_t{0}, uint64_t{IPPROTO_TCP}}) {
      AllowIf(rules, "socket",
              {{0, kLow32, family}, {1, kType, SOCK_STREAM}, {2, kLow32, protocol}},
              "TCP over IPv4 and IPv6");
    }
    for (const uint64_t protocol : {uint64_t{0}, uint64_t{IPPROTO_UDP}}) {
      AllowIf(rules, "socket", {{0, kLow32, family}, {1, kType, SOCK_DGRAM}, {2, kLow32, protocol}},
              "UDP over IPv4 and IPv6");
    }
  }
  Allow(rules, "reach a server", {"connect"});
  Allow(rules, "the local end of a datagram socket; Landlock allows no TCP port", {"bind"});
  Deny(rules, EPERM, "a client takes no connections", {"listen", "accept", "accept4"});
}

void AddNoNetwork(Rules& rules) {
  Deny(rules, EAFNOSUPPORT, "no network, and no named unix sockets: Landlock does not cover those",
       {"socket"});
  Deny(rules, EPERM, "no named sockets", {"bind", "connect", "listen", "accept", "accept4"});
}

void RefuseWalls(Rules& rules, Strict strict) {
  Refuse(
      rules, strict, "namespaces and mounts: the walls themselves",
      {"unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount",
       "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "sethostname", "setdomainname"});
}

void RefuseOtherProcesses(Rules& rules, Strict strict) {
  Refuse(rules, strict, "other processes' memory and descriptors",
         {"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
          "pidfd_getfd", "kcmp", "move_pages", "migrate_pages"});
}

void DenyAttributes(Rules& rules) {
  Deny(rules, EOPNOTSUPP, "attributes that carry privileges; cp -a goes on without them",
       {"setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"});
}

void AddDenied(Rules& rules, Strict strict) {
  Deny(rules, ENOSYS, "flags are behind a pointer, where a filter cannot see them",
       {"clone3", "openat2", "execveat"});
  Deny(rules, EPERM, "memory that no process maps would escape the watchdog; executable at that",
       {"memfd_create", "memfd_secret",  "shmget",  "shmat",     "shmctl",       "shmdt",
        "msgget",       "msgsnd",        "msgrcv",  "msgctl",    "semget",       "semop",
        "semctl",       "semtimedop",    "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive",
        "mq_notify",    "mq_getsetattr", "vmsplice"});
  RefuseWalls(rules, strict);
  RefuseOtherProcesses(rules, strict);
  Refuse(rules, strict, "wide kernel attack surface that tools do without",
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
          "remap_file_pages"});
  Deny(rules, EPERM, "placement of memory: for the host to decide",
       {"set_mempolicy", "mbind", "get_mempolicy"});
  Refuse(rules, strict, "files by inode, past every mount",
         {"open_by_handle_at", "name_to_handle_at"});
  DenyAttributes(rules);
  Deny(rules, EPERM, "identity and capabilities: there is one identity and no capability",
       {"setuid", "setgid", "setreuid", "setregid", "setfsuid", "setfsgid", "setgroups", "capset"});
  Deny(rules, EPERM, "priorities above others'",
       {"sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set", "mlockall"});
  Refuse(rules, strict, "the host as a whole",
         {"reboot",        "kexec_load",    "kexec_file_load", "init_module", "finit_module",
          "delete_module", "swapon",        "swapoff",         "acct",        "quotactl",
          "quotactl_fd",   "nfsservctl",    "syslog",          "vhangup",     "settimeofday",
          "clock_settime", "clock_adjtime", "adjtimex",        "sync",        "syncfs"});
}

void AddThreads(Rules& rules, const char* no_process) {
  constexpr uint64_t kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  AllowIf(rules, "clone", {{0, kThread | kNamespaceFlags, kThread}}, "threads");
  DenyIf(rules, "clone", {{0, CLONE_THREAD, 0}}, no_process);
  Deny(rules, EPERM, no_process, {"fork", "vfork"});
}

// A function of what it is given: reads files, answers on the descriptors it has. It changes no file,
// starts no process and makes no descriptor that leads anywhere.
void AddPure(Rules& rules) {
  Allow(rules, "read files; write to what is open: standard output, error and the channel",
        {"read", "readv", "pread64", "write", "writev", "lseek", "close", "close_range", "dup",
         "dup2", "dup3", "fadvise64"});
  AddDescriptorCommands(rules);
  for (const char* name : {"open", "openat"}) {
    const unsigned index = name == std::string("open") ? 1 : 2;
    AllowIf(rules, name, {{index, kWriting, 0}}, "open to read");
    for (uint64_t flag = 1; flag <= kWriting; flag <<= 1) {
      if ((kWriting & flag) != 0) {
        DenyIf(rules, name, {{index, flag, flag}}, "a pure tool changes no file", EROFS);
      }
    }
  }
  Allow(rules, "look at files; what exists is decided by the mounts",
        {"stat", "fstat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
         "readlink", "readlinkat", "getdents64", "getcwd", "chdir", "fchdir"});
  Allow(rules, "wait for descriptors", {"poll", "ppoll", "pselect6"});
  Allow(rules, "threads, and an end",
        {"execve", "exit", "exit_group", "set_tid_address", "set_robust_list", "futex", "rseq",
         "arch_prctl", "sched_yield", "sched_getaffinity", "restart_syscall"});
  AddThreads(rules, "a pure tool starts no process");
  Allow(rules, "questions about oneself",
        {"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getrlimit",
         "getrusage", "sysinfo", "uname"});
  Allow(rules, "signals of one's own",
        {"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill"});
  Allow(rules, "time and randomness",
        {"gettimeofday", "time", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",
         "getrandom"});
  // The set-up's last steps are taken behind this filter. Of the tool's own there is no child, no
  // ruleset and no socket.
  Allow(rules, "the launcher's last steps: the end of its helper, Landlock, the evidence",
        {"wait4", "landlock_restrict_self", "sendmsg"});
  for (const uint64_t request : {uint64_t{FIONREAD}, uint64_t{FIOCLEX}, uint64_t{FIONCLEX},
                                 uint64_t{TCGETS}, uint64_t{TIOCGWINSZ}}) {
    AllowIf(rules, "ioctl", {{1, kLow32, request}},
            "questions that programs ask of any descriptor");
  }
  for (const uint64_t option : {uint64_t{PR_SET_NAME}, uint64_t{PR_GET_NAME},
                                uint64_t{PR_GET_DUMPABLE}, uint64_t{PR_SET_VMA}}) {
    AllowIf(rules, "prctl", {{0, kLow32, option}}, "names and questions");
  }
  AllowIf(rules, "prctl", {{0, kLow32, PR_SET_DUMPABLE}, {1, kLow32, 0}},
          "a tool shuts its memory to its siblings");
  AddMemory(rules, MadeCode::kForbidden);
  AddLimits(rules);
  AddNoNetwork(rules);
  AddDenied(rules, Strict::kYes);
}

// What QEMU 7.2 and later ask for while they run one machine: its memory, the call's files over 9p, a
// stream, and KVM or code of their own making. Not io_uring, which they do without.
void AddMachine(Rules& rules, MadeCode made_code) {
  Allow(rules, "read and write open files",
        {"read",        "write",     "readv",     "writev",   "pread64", "pwrite64",
         "preadv",      "preadv2",   "pwritev",   "pwritev2", "lseek",   "close",
         "close_range", "dup",       "dup2",      "dup3",     "flock",   "fsync",
         "fdatasync",   "ftruncate", "fallocate", "pipe2"});
  AddQuestionsOfFiles(rules);
  AddChangesOfFiles(rules);
  AddDescriptorCommands(rules);
  AddModes(rules);
  DenyAttributes(rules);
  Allow(rules, "wait for descriptors and timers",
        {"poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
         "epoll_pwait", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime"});
  AddMemory(rules, made_code);
  Allow(rules, "memory of one's own",
        {"mincore", "msync", "mlock", "mlock2", "munlock", "membarrier"});
  Allow(rules, "threads, and an end",
        {"execve", "exit", "exit_group", "set_tid_address", "set_robust_list", "futex", "rseq",
         "arch_prctl", "sched_yield", "sched_getaffinity", "getcpu", "restart_syscall"});
  AddThreads(rules, "a machine starts no process");
  Allow(rules, "questions about oneself",
        {"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
         "getresgid", "getgroups", "getrlimit", "getrusage", "sysinfo", "uname"});
  AddLimits(rules);
  Allow(rules, "signals of one's own",
        {"rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigtimedwait", "rt_sigreturn",
         "sigaltstack", "tgkill"});
  Allow(rules, "time and randomness",
        {"gettimeofday", "time", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep",
         "getrandom"});
  Allow(rules, "the launcher's last step: the evidence", {"sendmsg"});
  for (const uint64_t request :
       {uint64_t{FIONREAD}, uint64_t{FIONBIO}, uint64_t{FIOCLEX}, uint64_t{FIONCLEX},
        uint64_t{TCGETS}, uint64_t{TIOCGWINSZ}, uint64_t{FS_IOC_GETVERSION}}) {
    AllowIf(rules, "ioctl", {{1, kLow32, request}},
            "questions that programs ask of any descriptor");
  }
  if (made_code == MadeCode::kForbidden) {
    AllowIf(rules, "ioctl", {{1, 0xff00, kKvmRequests << 8}}, "KVM, on the descriptors it gives");
  }
  for (const uint64_t option :
       {uint64_t{PR_SET_NAME}, uint64_t{PR_GET_NAME}, uint64_t{PR_SET_TIMERSLACK},
        uint64_t{PR_GET_DUMPABLE}, uint64_t{PR_SET_NO_NEW_PRIVS}, uint64_t{PR_GET_NO_NEW_PRIVS},
        uint64_t{PR_SET_VMA}, uint64_t{PR_GET_SECCOMP}}) {
    AllowIf(rules, "prctl", {{0, kLow32, option}}, "names, timers and questions");
  }
  AllowIf(rules, "seccomp", {{1, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0}},
          "a filter of its own on top");
  AddNoNetwork(rules);
  RefuseWalls(rules, Strict::kYes);
  RefuseOtherProcesses(rules, Strict::kYes);
}

void AddTool(Rules& rules, MadeCode made_code) {
  AddFiles(rules);
  AddDescriptorCommands(rules);
  AddModes(rules);
  AddMemory(rules, made_code);
  AddProcesses(rules);
  AddLimits(rules);
  AddChecked(rules);
  AddDenied(rules, Strict::kNo);
}

}  // namespace

const std::vector<Profile>& Profiles() {
  static const std::vector<Profile> profiles = {
      {.name = "pure",
       .purpose = "a function of its input: reads files, starts nothing, changes nothing"},
      {.name = "default", .purpose = "a tool: files, threads and processes of its own, no network"},
      {.name = "shell", .purpose = "as default, with terminals: shells and what they run"},
      {.name = "build",
       .purpose = "as shell, and may run what it makes: the workspace is executable",
       .runs_what_it_makes = true},
      {.name = "network-client",
       .purpose = "as default, with TCP and UDP sockets, which lead where a grant says"}};
  return profiles;
}

Result<Profile> FindProfile(const std::string& name) {
  std::string names;
  for (const Profile& profile : Profiles()) {
    if (profile.name == name) {
      return profile;
    }
    names += (names.empty() ? "" : ", ") + profile.name;
  }
  return Error{ErrorCode::kNotFound, "no sandbox profile '" + name + "'; there are: " + names};
}

Result<std::vector<SyscallRule>> ProfileRules(const std::string& name) {
  if (name == kMachine || name == kEmulatedMachine) {
    Rules rules;
    AddMachine(rules, name == kMachine ? MadeCode::kForbidden : MadeCode::kAllowed);
    return rules;
  }
  const Profile profile = NACRE_TRY(FindProfile(name));
  Rules rules;
  if (name == "pure") {
    AddPure(rules);
    return rules;
  }
  AddTool(rules, profile.runs_what_it_makes ? MadeCode::kAllowed : MadeCode::kForbidden);
  if (name == "shell" || name == "build") {
    AddTerminals(rules);
  }
  if (name == "network-client") {
    AddNetwork(rules);
  } else {
    AddNoNetwork(rules);
  }
  return rules;
}

const SyscallRule* FindRule(const std::vector<SyscallRule>& rules, const std::string& name,
                            const std::array<uint64_t, 6>& arguments) {
  for (const SyscallRule& rule : rules) {
    if (rule.name == name &&
        std::all_of(rule.checks.begin(), rule.checks.end(), [&](const ArgumentCheck& check) {
          return (arguments.at(check.index) & check.mask) == check.value;
        })) {
      return &rule;
    }
  }
  return nullptr;
}

size_t CountAllowed(const std::vector<SyscallRule>& rules) {
  std::set<std::string> names;
  for (const SyscallRule& rule : rules) {
    if (rule.verdict == Verdict::kAllow) {
      names.insert(rule.name);
    }
  }
  return names.size();
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
    switch (rule.verdict) {
      case Verdict::kAllow:
        text << "allow  ";
        break;
      case Verdict::kDeny:
        text << "deny " << rule.error << "  ";
        break;
      case Verdict::kKill:
        text << "kill  ";
        break;
    }
    text << rule.name;
    for (const ArgumentCheck& check : rule.checks) {
      text << std::hex << " [arg" << check.index << " & 0x" << check.mask << " == 0x" << check.value
           << "]" << std::dec;
    }
    text << "  (" << rule.reason << ")\n";
  }
  return text.str();
}

}  // namespace nacre::sandbox::seccomp
