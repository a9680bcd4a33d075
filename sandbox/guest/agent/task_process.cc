#include "sandbox/guest/agent/task_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/file.h"

namespace nacre::sandbox::guest {
namespace {

constexpr int kLowestDescriptor = 10;  // below are the program's own
constexpr int kLastCapability = 40;
constexpr uint64_t kKernelThread = 0x00200000;  // include/linux/sched.h: PF_KTHREAD

// What the program's process says before it executes, over a pipe that then closes.
struct StartReport {
  char step[64] = {};
  int error = 0;
  bool seccomp = false;
  bool no_new_privs = false;
  bool capabilities_empty = false;
};

struct Ends {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<UniqueFd> MoveUp(UniqueFd fd) {
  UniqueFd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kLowestDescriptor));
  if (!high) {
    return SysError("duplicate a descriptor", errno);
  }
  return high;
}

Result<Ends> MakeEnds(bool to_program) {
  Pipe pipe = NACRE_TRY(MakePipe());
  Ends ends;
  ends.ours = NACRE_TRY(MoveUp(std::move(to_program ? pipe.write : pipe.read)));
  ends.theirs = NACRE_TRY(MoveUp(std::move(to_program ? pipe.read : pipe.write)));
  return ends;
}

[[noreturn]] void Fail(int report, const char* step, int error) {
  StartReport failure;
  std::strncpy(failure.step, step, sizeof failure.step - 1);
  failure.error = error == 0 ? EIO : error;
  (void)!::write(report, &failure, sizeof failure);
  ::_exit(127);
}

bool SetLimit(int resource, uint64_t soft, uint64_t hard) {
  const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

// The sets that the guest was started with may be empty already, and then cannot be made emptier.
void DropBoundingSet() {
  for (int capability = 0; capability <= kLastCapability; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

void DropCapabilities() {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[2] = {};
  ::syscall(SYS_capset, &header, none);
}

// "CapEff:\t0000000000000000" for all five sets, and "Seccomp:\t2".
void ReadStatus(StartReport& report) {
  const Result<std::string> status = ReadFile("/proc/self/status", 64 * 1024);
  if (!status.ok()) {
    return;
  }
  int empty_sets = 0;
  for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:"}) {
    empty_sets += status.value().find(std::string(set) + "\t0000000000000000") != std::string::npos;
  }
  report.capabilities_empty = empty_sets == 4;
  report.seccomp = status.value().find("Seccomp:\t2") != std::string::npos;
}

void CloseOthers(int keep) {
  for (int fd = 4; fd < 256; ++fd) {
    if (fd != keep) {
      ::close(fd);
    }
  }
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& each : strings) {
    pointers.push_back(const_cast<char*>(each.c_str()));  // execve(2) does not write to them
  }
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void BecomeProgram(const Task& task, int report, int input, int output,
                                int error_output, int channel) {
  ::setsid();
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGCHLD, SIG_DFL);
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(error_output, 2) < 0 ||
      ::dup2(channel, 3) < 0) {
    Fail(report, "descriptors", errno);
  }
  CloseOthers(report);
  const auto cpu = static_cast<uint64_t>(task.limits.cpu.count());
  if (!SetLimit(RLIMIT_CORE, 1, 1) || !SetLimit(RLIMIT_CPU, cpu + 1, cpu + 2) ||
      !SetLimit(RLIMIT_FSIZE, task.limits.disk_bytes, task.limits.disk_bytes) ||
      !SetLimit(RLIMIT_NOFILE, task.limits.files, task.limits.files)) {
    Fail(report, "limits", errno);
  }
  if (::chdir(task.working_directory.c_str()) != 0) {
    Fail(report, "working directory", errno);
  }
  DropBoundingSet();
  if (task.uid != 0 && (::syscall(SYS_setgroups, 0, nullptr) != 0 ||
                        ::syscall(SYS_setresgid, task.uid, task.uid, task.uid) != 0 ||
                        ::syscall(SYS_setresuid, task.uid, task.uid, task.uid) != 0)) {
    Fail(report, "identity", errno);
  }
  DropCapabilities();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    Fail(report, "no new privileges", errno);
  }
  StartReport started;
  started.no_new_privs = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  const std::vector<char*> argv = Pointers(task.argv);
  const std::vector<char*> environment = Pointers(task.environment);
  if (!task.filter.empty()) {
    std::vector<sock_filter> filter(task.filter.size() / sizeof(sock_filter));
    std::memcpy(filter.data(), task.filter.data(), filter.size() * sizeof(sock_filter));
    const struct sock_fprog program = {.len = static_cast<unsigned short>(filter.size()),
                                       .filter = filter.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
      Fail(report, "seccomp", errno);
    }
  }
  ReadStatus(started);
  if (::write(report, &started, sizeof started) != sizeof started) {
    ::_exit(127);
  }
  ::execve(argv[0], argv.data(), environment.data());
  Fail(report, "exec", errno);
}

// Everything from the process until its end of the pipe closes: at execve, or at its death.
std::variant<Ready, Failed> ReadStart(int report) {
  StartReport received[2] = {};
  size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::read(report, reinterpret_cast<char*>(received) + size, sizeof received - size);
    size += got > 0 ? static_cast<size_t>(got) : 0;
  } while (size < sizeof received && (got > 0 || (got < 0 && errno == EINTR)));
  const size_t count = size / sizeof received[0];
  if (count == 0) {
    return Failed{.step = "start the program", .error = ECHILD};
  }
  const StartReport& last = received[count - 1];
  if (last.error != 0) {
    return Failed{.step = last.step, .error = last.error};
  }
  Ready ready{.kernel = {},
              .seccomp = last.seccomp,
              .no_new_privs = last.no_new_privs,
              .capabilities_empty = last.capabilities_empty};
  struct utsname name = {};
  if (::uname(&name) == 0) {
    ready.kernel = std::string(name.sysname) + " " + name.release;
  }
  return ready;
}

}  // namespace

Result<std::variant<TaskProcess, Failed>> StartTask(const Task& task) {
  using Started = std::variant<TaskProcess, Failed>;
  Ends input = NACRE_TRY(MakeEnds(true));
  Ends output = NACRE_TRY(MakeEnds(false));
  Ends error_output = NACRE_TRY(MakeEnds(false));
  Ends channel = NACRE_TRY(MakeEnds(false));
  Ends report = NACRE_TRY(MakeEnds(false));
  TaskProcess process;
  process.pid = ::fork();
  if (process.pid < 0) {
    return SysError("fork", errno);
  }
  if (process.pid == 0) {
    BecomeProgram(task, report.theirs.get(), input.theirs.get(), output.theirs.get(),
                  error_output.theirs.get(), channel.theirs.get());
  }
  report.theirs.reset();
  auto started = ReadStart(report.ours.get());
  if (auto* failed = std::get_if<Failed>(&started)) {
    ::kill(process.pid, SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
    return Started(*failed);
  }
  process.ready = std::get<Ready>(started);
  process.input = std::move(input.ours);
  process.output = std::move(output.ours);
  process.error_output = std::move(error_output.ours);
  process.channel = std::move(channel.ours);
  for (const UniqueFd* fd :
       {&process.input, &process.output, &process.error_output, &process.channel}) {
    ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  }
  return Started(std::move(process));
}

GuestUse MeasureGuest() {
  GuestUse use;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) {
    return use;
  }
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto ticks = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::string self = std::to_string(::getpid());
  while (const struct dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || self == entry->d_name) {
      continue;
    }
    const Result<std::string> stat =
        ReadFile(std::string("/proc/") + entry->d_name + "/stat", 4096);
    const size_t name_end = stat.ok() ? stat.value().rfind(')') : std::string::npos;
    if (name_end == std::string::npos) {
      continue;  // gone meanwhile
    }
    // Fields from the third one on: state, ..., 9 flags, 14 utime, 15 stime, 20 threads, 24 rss.
    std::vector<uint64_t> fields;
    const char* at = stat.value().c_str() + name_end + 1;
    while (*at == ' ' && at[1] != '\0') {
      char* end = nullptr;
      fields.push_back(std::strtoull(at + 1, &end, 10));
      at = end == at + 1 ? at + 2 : end;
    }
    if (fields.size() > 21 && (fields[6] & kKernelThread) == 0) {
      use.cpu += std::chrono::microseconds((fields[11] + fields[12]) * 1'000'000 / ticks);
      use.tasks += static_cast<uint32_t>(std::max<uint64_t>(1, fields[17]));
      use.memory_bytes += fields[21] * page;
    }
  }
  ::closedir(proc);
  return use;
}

}  // namespace nacre::sandbox::guest
