#include "sandbox/kernel/user_namespace.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>

#include "base/file.h"
#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox::kernel {
namespace {

// A process that owns many namespaces would let one caller fill the host's table.
constexpr size_t kMappingsMax = 64;

int WriteProcFile(pid_t pid, const char* name, const std::string& content) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) {
    return -errno;
  }
  const ssize_t written = ::write(file.get(), content.data(), content.size());
  if (written < 0) {
    return -errno;
  }
  return static_cast<size_t>(written) == content.size() ? 0 : -EIO;
}

std::string MapLine(unsigned inside, unsigned outside) {
  return std::to_string(inside) + " " + std::to_string(outside) + " 1\n";
}

Result<UniqueFd> MakeNamespace(const Ids& on_disk, const Ids& seen_as) {
  int pidfd_number = -1;
  CloneArgs args;
  args.flags = CLONE_NEWUSER | CLONE_PIDFD | kCloneClearSignalHandlers;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd_number);
  args.exit_signal = SIGCHLD;
  const long pid = Clone3(args);
  if (pid < 0) {
    return SysError("clone3 for an id-mapped mount", errno);
  }
  if (pid == 0) {
    for (;;) {
      ::pause();  // until killed: it only keeps the namespace alive while it is set up
    }
  }
  const UniqueFd pidfd(pidfd_number);
  const int mapped = WriteIdMaps(static_cast<pid_t>(pid), on_disk, seen_as);
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/user";
  UniqueFd result(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int open_errno = errno;
  if (PidfdSendSignal(pidfd.get(), SIGKILL) != 0) {
    ::kill(static_cast<pid_t>(pid), SIGKILL);  // our own, not yet reaped: its pid is no other's
  }
  siginfo_t ignored = {};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &ignored, WEXITED) != 0 &&
         errno == EINTR) {
  }
  if (mapped != 0) {
    return SysError("id map for an id-mapped mount", -mapped);
  }
  if (!result) {
    return SysError("open " + path, open_errno);
  }
  return result;
}

// CAP_SYS_ADMIN to clone mounts, the others to map other ids.
bool HoldsRootsCapabilities() {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2] = {};
  constexpr uint32_t kNeeded = 1U << CAP_SETGID | 1U << CAP_SETUID | 1U << CAP_SYS_ADMIN;
  return ::syscall(SYS_capget, &header, data) == 0 && (data[0].effective & kNeeded) == kNeeded;
}

std::string ProcText(const char* path) {
  Result<std::string> text = ReadFile(path, 64 * 1024);
  return text.ok() ? std::move(text).value() : std::string();
}

// The kernel's default where it cannot be read.
uint32_t OverflowId(const char* path) {
  uint32_t id = kUnprivilegedId;
  std::istringstream(ProcText(path)) >> id;
  return id;
}

}  // namespace

Ids IdsForDevice(const struct stat& device) {
  const auto may_use = [&](mode_t needed) { return (device.st_mode & needed) == needed; };
  Ids ids;
  if (!may_use(S_IROTH | S_IWOTH) && may_use(S_IRGRP | S_IWGRP) && device.st_gid != 0) {
    ids.gid = device.st_gid;
  }
  return ids;
}

std::optional<uint32_t> OutsideOf(std::string_view map, uint32_t inside) {
  std::istringstream lines{std::string(map)};
  uint64_t first = 0;
  uint64_t outside = 0;
  uint64_t count = 0;
  while (lines >> first >> outside >> count) {
    if (inside >= first && inside - first < count) {
      return static_cast<uint32_t>(outside + (inside - first));
    }
  }
  return std::nullopt;
}

bool MapsEveryId(std::string_view map) {
  constexpr uint64_t kAll = 4'294'967'295;  // the last number is no id
  std::istringstream lines{std::string(map)};
  uint64_t first = 0;
  uint64_t outside = 0;
  uint64_t count = 0;
  uint64_t mapped = 0;
  while (lines >> first >> outside >> count) {
    mapped += count;  // no id is mapped twice
  }
  return mapped >= kAll;
}

Unmapped HowUnmappedLook() {
  Unmapped look;
  if (!MapsEveryId(ProcText("/proc/self/uid_map"))) {
    look.uid = OverflowId("/proc/sys/kernel/overflowuid");
  }
  if (!MapsEveryId(ProcText("/proc/self/gid_map"))) {
    look.gid = OverflowId("/proc/sys/kernel/overflowgid");
  }
  return look;
}

Standing OwnStanding() {
  if (::geteuid() != 0) {
    return Standing::kUser;
  }
  const std::string uids = ProcText("/proc/self/uid_map");
  const std::string gids = ProcText("/proc/self/gid_map");
  if (HoldsRootsCapabilities() && OutsideOf(uids, kUnprivilegedId) &&
      OutsideOf(gids, kUnprivilegedId)) {
    return Standing::kRoot;
  }
  const auto outside = OutsideOf(uids, 0);
  return outside && *outside != 0 && !OutsideOf(uids, 1) ? Standing::kUser
                                                         : Standing::kPowerlessRoot;
}

int WriteIdMaps(pid_t pid, const Ids& inside, const Ids& outside) {
  const int users = WriteProcFile(pid, "uid_map", MapLine(inside.uid, outside.uid));
  return users != 0 ? users : WriteProcFile(pid, "gid_map", MapLine(inside.gid, outside.gid));
}

Result<int> IdMappings::Get(const Ids& on_disk, const Ids& seen_as) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(on_disk, seen_as);
  const auto found = namespaces_.find(key);
  if (found != namespaces_.end()) {
    return found->second.get();
  }
  if (namespaces_.size() >= kMappingsMax) {
    return Error{ErrorCode::kResourceExhausted,
                 "more than 64 different owners of mounted directories"};
  }
  UniqueFd made = NACRE_TRY(MakeNamespace(on_disk, seen_as));
  const int number = made.get();
  namespaces_.emplace(key, std::move(made));
  return number;
}

}  // namespace nacre::sandbox::kernel
