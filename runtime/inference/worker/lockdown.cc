#include "runtime/inference/worker/lockdown.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

namespace nacre::inference {
namespace {

constexpr rlim_t kDescriptorsMax = 32;
constexpr rlim_t kDescriptorsMaxGpu = 1024;

Error Missing(const std::string& layer, int errnum) {
  Error error = SysError("cannot lock down the engine: " + layer, errnum);
  error.code = ErrorCode::kFailedPrecondition;
  return error;
}

Status SetLimits(const LockdownOptions& options) {
  const bool gpu = options.device == LockdownOptions::Device::kGpu;
  const struct {
    __rlimit_resource resource;
    rlim_t value;
  } limits[] = {{RLIMIT_CORE, 0},
                {RLIMIT_NOFILE, gpu ? kDescriptorsMaxGpu : kDescriptorsMax},
                {RLIMIT_FSIZE, 0},
                {RLIMIT_MSGQUEUE, 0}};
  for (const auto& limit : limits) {
    const rlimit value{limit.value, limit.value};
    if (::setrlimit(limit.resource, &value) != 0) {
      return Missing("rlimits", errno);
    }
  }
  return Ok();
}

Status DropCapabilities() {
  for (int capability = 0; capability <= 63; ++capability) {
    // EPERM: we never had CAP_SETPCAP; then nothing in the bounding set can be gained either, since
    // no_new_privs is set and exec is refused. EINVAL: past the kernel's last capability.
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM && errno != EINVAL) {
      return Missing("capabilities", errno);
    }
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Missing("capabilities", errno);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) {
    return Missing("capabilities", errno);
  }
  return Ok();
}

// An empty network namespace, with a user namespace around it where we may not make one otherwise.
int LeaveNetwork() {
  constexpr int kFlags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  if (::unshare(kFlags) == 0 || ::unshare(CLONE_NEWUSER | kFlags) == 0) {
    return 0;
  }
  return errno;
}

// Landlock's structures, spelled out: Debian 12's header ends at ABI 2 (linux/landlock.h, 6.12).
struct LandlockRuleset {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;  // since ABI 4
  uint64_t scoped;              // since ABI 6
};

int RestrictFiles() {
  constexpr uint32_t kQueryVersion = 1;
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kQueryVersion);
  if (abi < 1) {
    return errno;
  }
  // Rights by ABI: 13 bits in the first, then refer, truncate and (since 5) ioctl on devices.
  const int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  const LandlockRuleset ruleset{(uint64_t{1} << bits) - 1, abi >= 4 ? uint64_t{3} : 0,
                                abi >= 6 ? uint64_t{3} : 0};
  const size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  const long fd = ::syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
  if (fd < 0) {
    return errno;
  }
  const int result = ::syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? 0 : errno;
  ::close(static_cast<int>(fd));
  return result;
}

struct FilterDeleter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

// What computing needs. Everything else answers EPERM: no open of files, no socket, no exec, no new
// process, no ptrace, no mount, no bpf, no io_uring, no executable memory.
Status FilterSystemCalls(const LockdownOptions& options) {
  const std::unique_ptr<void, FilterDeleter> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (filter == nullptr) {
    return Missing("seccomp", ENOMEM);
  }
  const auto allow = [&](int call) {
    return seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  };
  const int calls[] = {
      // memory
      SCMP_SYS(brk),
      SCMP_SYS(munmap),
      SCMP_SYS(mremap),
      SCMP_SYS(madvise),
      SCMP_SYS(mincore),
      // the descriptors that are open already
      SCMP_SYS(read),
      SCMP_SYS(readv),
      SCMP_SYS(pread64),
      SCMP_SYS(write),
      SCMP_SYS(writev),
      SCMP_SYS(lseek),
      SCMP_SYS(close),
      SCMP_SYS(fstat),
      SCMP_SYS(fadvise64),
      SCMP_SYS(readahead),
      SCMP_SYS(poll),
      SCMP_SYS(ppoll),
      // threads and time
      SCMP_SYS(futex),
      SCMP_SYS(set_robust_list),
      SCMP_SYS(rseq),
      SCMP_SYS(sched_yield),
      SCMP_SYS(sched_getaffinity),
      SCMP_SYS(set_tid_address),
      SCMP_SYS(gettid),
      SCMP_SYS(getpid),
      SCMP_SYS(clock_gettime),
      SCMP_SYS(clock_nanosleep),
      SCMP_SYS(nanosleep),
      SCMP_SYS(gettimeofday),
      SCMP_SYS(exit),
      SCMP_SYS(exit_group),
      SCMP_SYS(restart_syscall),
      SCMP_SYS(getrandom),
      // signals to ourselves: abort()
      SCMP_SYS(rt_sigaction),
      SCMP_SYS(rt_sigprocmask),
      SCMP_SYS(rt_sigreturn),
      SCMP_SYS(sigaltstack),
  };
  int error = 0;
  for (const int call : calls) {
    error = error != 0 ? error : allow(call);
  }
  const bool gpu = options.device == LockdownOptions::Device::kGpu;
  const auto add = [&](uint32_t action, int call, scmp_arg_cmp compare) {
    error = error != 0 ? error : seccomp_rule_add(filter.get(), action, call, 1, compare);
  };
  // A page is never both written and run: the filter lets no mapping be executable.
  add(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  add(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // Threads of this process only. clone3 hides its flags behind a pointer: glibc falls back to clone.
  constexpr uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  add(SCMP_ACT_ALLOW, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, kThread, kThread));
  error = error != 0 ? error
                     : seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
      SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
  add(SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
  add(SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA));
  add(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL));
  add(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD));
  // fstat as newer C libraries spell it: of a descriptor, not of a path.
  constexpr int kEmptyPath = 0x1000;  // AT_EMPTY_PATH
  add(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), SCMP_A3(SCMP_CMP_EQ, kEmptyPath));
  if (gpu) {
    for (const int call :
         {SCMP_SYS(openat), SCMP_SYS(ioctl), SCMP_SYS(access), SCMP_SYS(readlink),
          SCMP_SYS(getdents64), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(mlock),
          SCMP_SYS(stat), SCMP_SYS(sysinfo), SCMP_SYS(get_mempolicy), SCMP_SYS(sched_setaffinity),
          SCMP_SYS(geteuid), SCMP_SYS(getuid)}) {
      error = error != 0 ? error : allow(call);
    }
    // Drivers compile kernels for the device into executable pages of this process.
    error = error != 0 ? error : allow(SCMP_SYS(mmap));
    error = error != 0 ? error : allow(SCMP_SYS(mprotect));
  }
  error = error != 0 ? error : seccomp_load(filter.get());
  return error == 0 ? Ok() : Status(Missing("seccomp", -error));
}

}  // namespace

Result<LockdownReport> LockDown(const LockdownOptions& options) {
  LockdownReport report;
  const auto optional = [&](const char* layer, int errnum) {
    if (errnum == 0) {
      report.layers.emplace_back(layer);
    } else {
      report.missing.push_back(std::string(layer) + ": " + ::strerror(errnum));
    }
  };
  if (::syscall(SYS_close_range, options.descriptor_max + 1, ~0U, 0) != 0) {
    return Missing("descriptors", errno);
  }
  NACRE_TRY(SetLimits(options));
  report.layers.emplace_back("rlimits");
  optional("network namespace", LeaveNetwork());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Missing("no_new_privs", errno);
  }
  report.layers.emplace_back("no_new_privs");
  NACRE_TRY(DropCapabilities());
  report.layers.emplace_back("no capabilities");
  // After the last change of credentials, which would reset both. Our supervisor's death ends us; so
  // does the end of the channel, in case it is dead already.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return Missing("process flags", errno);
  }
  if (options.device == LockdownOptions::Device::kCpu) {
    optional("landlock", RestrictFiles());
  } else {
    report.missing.emplace_back("landlock: a GPU's driver opens files");
  }
  NACRE_TRY(FilterSystemCalls(options));
  report.layers.emplace_back("seccomp");
  return report;
}

}  // namespace nacre::inference
