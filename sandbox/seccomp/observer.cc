#include "sandbox/seccomp/observer.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "base/unique_fd.h"
#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox::seccomp {
namespace {

constexpr size_t kPathBytesMax = 4095;
constexpr size_t kPageBytes = 4096;
constexpr uint32_t kX32Bit = 0x40000000;

// Instead of the argument that says whether a call writes.
constexpr int kWrites = -1;
constexpr int kExecutes = -2;

// A call that names a file: in which argument, from which directory, and whether it changes it.
struct PathCall {
  long number;
  int path;
  int directory;  // -1: the working directory
  int flags;
};

// clang-format off
constexpr PathCall kPathCalls[] = {
#ifdef SYS_open
    {SYS_open, 0, -1, 1},           {SYS_creat, 0, -1, kWrites},   {SYS_unlink, 0, -1, kWrites},
    {SYS_rmdir, 0, -1, kWrites},    {SYS_mkdir, 0, -1, kWrites},   {SYS_rename, 0, -1, kWrites},
    {SYS_rename, 1, -1, kWrites},
#endif
    {SYS_openat, 1, 0, 2},          {SYS_unlinkat, 1, 0, kWrites}, {SYS_mkdirat, 1, 0, kWrites},
    {SYS_renameat, 1, 0, kWrites},  {SYS_renameat, 3, 2, kWrites}, {SYS_renameat2, 1, 0, kWrites},
    {SYS_renameat2, 3, 2, kWrites}, {SYS_truncate, 0, -1, kWrites}, {SYS_execve, 0, -1, kExecutes}};
// clang-format on

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

bool Writes(const PathCall& call, const seccomp_notif& notice) {
  if (call.flags < 0) {
    return call.flags == kWrites;
  }
  const auto flags = static_cast<int>(notice.data.args[call.flags]);
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

// Page by page: the name may end right before memory that is not there.
std::string ReadName(pid_t pid, uint64_t address) {
  const UniqueFd memory(
      ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::string name;
  while (memory.valid() && name.size() < kPathBytesMax) {
    char page[kPageBytes];
    const uint64_t at = address + name.size();
    const ssize_t size =
        ::pread(memory.get(), page, kPageBytes - at % kPageBytes, static_cast<off_t>(at));
    if (size <= 0) {
      return {};
    }
    const size_t length = ::strnlen(page, static_cast<size_t>(size));
    name.append(page, length);
    if (length < static_cast<size_t>(size)) {
      return name.size() <= kPathBytesMax ? name : std::string();
    }
  }
  return {};
}

std::string ReadLink(const std::string& link) {
  char target[kPageBytes];
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<size_t>(size)) : std::string();
}

std::string AbsolutePath(const seccomp_notif& notice, const PathCall& call) {
  const auto pid = static_cast<pid_t>(notice.pid);
  const std::string name = ReadName(pid, notice.data.args[call.path]);
  if (name.empty() || name.front() == '/') {
    return std::filesystem::path(name).lexically_normal();
  }
  const std::string process = "/proc/" + std::to_string(pid);
  const int directory =
      call.directory < 0 ? AT_FDCWD : static_cast<int>(notice.data.args[call.directory]);
  const std::string base = ReadLink(
      directory == AT_FDCWD ? process + "/cwd" : process + "/fd/" + std::to_string(directory));
  return base.empty() || base.front() != '/'
             ? std::string()
             : (std::filesystem::path(base) / name).lexically_normal().string();
}

// What is there, as the call would look it up; nothing is opened.
struct Found {
  bool missing = false;  // false too when that cannot be told
  bool noexec = false;
};

Found Find(pid_t pid, const std::string& path) {
  const UniqueFd root(
      ::open(("/proc/" + std::to_string(pid) + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root || path.size() < 2) {
    return {};
  }
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const UniqueFd found(kernel::OpenAt2(root.get(), path.c_str() + 1, how));
  struct statvfs info = {};
  return {.missing = !found && errno == ENOENT,
          .noexec = found && ::fstatvfs(found.get(), &info) == 0 && (info.f_flag & ST_NOEXEC) != 0};
}

}  // namespace

Filter Observing(const Filter& filter) {
  // Calls that name files are asked about first, if they are of our architecture at all.
  Filter observing;
  std::vector<long> numbers;
  for (const PathCall& call : kPathCalls) {
    if (numbers.empty() || numbers.back() != call.number) {
      numbers.push_back(call.number);
    }
  }
  const auto count = static_cast<uint8_t>(numbers.size());
  std::vector<sock_filter>& program = observing.instructions;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
  program.push_back(
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 0, static_cast<uint8_t>(count + 2)));
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  for (size_t i = 0; i < numbers.size(); ++i) {
    // To the answer behind the list; the last one that does not match goes past it.
    const auto ahead = static_cast<uint8_t>(numbers.size() - 1 - i);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(numbers[i]), ahead,
                               static_cast<uint8_t>(i + 1 == numbers.size() ? 1 : 0)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  for (sock_filter instruction : filter.instructions) {
    if (instruction.code == (BPF_RET | BPF_K) &&
        (instruction.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
      instruction.k = SECCOMP_RET_USER_NOTIF;
    }
    program.push_back(instruction);
  }
  return observing;
}

Observed Observe(const seccomp_notif& notice, const std::vector<SyscallRule>& rules) {
  Observed observed;
  if (notice.data.arch != kArchitecture || (static_cast<uint32_t>(notice.data.nr) & kX32Bit) != 0) {
    observed.kill = true;  // whatever it is, no honest program makes it here
    return observed;
  }
  const std::string name = SyscallName(notice.data);
  std::array<uint64_t, 6> arguments{};
  std::copy(std::begin(notice.data.args), std::end(notice.data.args), arguments.begin());
  const SyscallRule* rule = FindRule(rules, name, arguments);
  if (rule != nullptr && rule->verdict == Verdict::kKill) {
    observed.kill = true;
    return observed;
  }
  if (rule != nullptr && rule->verdict == Verdict::kAllow) {
    observed.proceed = true;
  } else {
    observed.error = rule != nullptr ? rule->error : ENOSYS;
    observed.observations.push_back(
        {.kind = Observation::Kind::kRefusedCall,
         .call = name,
         .arguments = arguments,
         .error = observed.error,
         .reason = rule != nullptr ? rule->reason : "no rule of the profile names it",
         .path = {},
         .writes = false,
         .missing = false,
         .noexec = false});
  }
  for (const PathCall& call : kPathCalls) {
    if (call.number == notice.data.nr) {
      std::string path = AbsolutePath(notice, call);
      if (!path.empty()) {
        const Found found = Find(static_cast<pid_t>(notice.pid), path);
        observed.observations.push_back({.kind = Observation::Kind::kPath,
                                         .call = name,
                                         .arguments = arguments,
                                         .error = 0,
                                         .reason = {},
                                         .path = std::move(path),
                                         .writes = Writes(call, notice),
                                         .missing = found.missing,
                                         .noexec = call.flags == kExecutes && found.noexec});
      }
    }
  }
  return observed;
}

}  // namespace nacre::sandbox::seccomp
