#include "sandbox/selftest/arena.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

constexpr char kHostSecret[] = "host secret\n";
constexpr char kUntouched[] = "untouched\n";
// Where a probe that gets out leaves a file of this name.
constexpr const char* kMarks[] = {"/nacre-probe-mark",         "/tmp/nacre-probe-mark",
                                  "/var/tmp/nacre-probe-mark", "/usr/bin/nacre-probe-mark",
                                  "/etc/nacre-probe-mark",     "/usr/local/bin/nacre-probe-mark",
                                  "/dev/nacre-probe-mark",     "/dev/shm/nacre-probe-mark"};

Status Put(const std::string& path, const char* content) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  const auto size = static_cast<ssize_t>(std::strlen(content));
  if (!file || ::write(file.get(), content, static_cast<size_t>(size)) != size ||
      ::fchmod(file.get(), 0644) != 0) {
    return SysError(path, errno);
  }
  return Ok();
}

bool Holds(const std::string& path, const char* content) {
  const auto read = ReadFile(path, 64);
  return read.ok() && read.value() == content;
}

// Bound and, for streams, listening. Abstract when the name begins with NUL.
Result<UniqueFd> UnixSocket(int type, const std::string& name) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalidArgument, "the temporary folder's path is too long: " + name};
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + name.size() +
                                           (name.front() == '\0' ? 0 : 1));
  UniqueFd made(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!made || ::bind(made.get(), reinterpret_cast<struct sockaddr*>(&address), size) != 0 ||
      (type == SOCK_STREAM && ::listen(made.get(), 64) != 0)) {
    return SysError("unix socket", errno);
  }
  if (name.front() != '\0') {
    ::chmod(name.c_str(), 0777);
  }
  return made;
}

// On the loopback interface, with the port that the kernel chose.
Result<std::pair<UniqueFd, int>> LoopbackSocket(int type) {
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  UniqueFd made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!made || ::bind(made.get(), reinterpret_cast<struct sockaddr*>(&address), size) != 0 ||
      (type == SOCK_STREAM && ::listen(made.get(), 64) != 0) ||
      ::getsockname(made.get(), reinterpret_cast<struct sockaddr*>(&address), &size) != 0) {
    return SysError("loopback socket", errno);
  }
  return std::make_pair(std::move(made), static_cast<int>(ntohs(address.sin_port)));
}

}  // namespace

Result<Arena> Arena::Create() {
  TempDir root = NACRE_TRY(TempDir::Create());
  auto elsewhere = TempDir::CreateIn("/var/tmp");
  TempDir host = elsewhere.ok() ? std::move(elsewhere).value() : NACRE_TRY(TempDir::Create());
  Arena arena(std::move(root), std::move(host));
  for (const std::string& folder :
       {arena.workspace(), arena.workspace() + "/guarded", arena.read_only()}) {
    if (::mkdir(folder.c_str(), 0755) != 0) {
      return SysError("mkdir " + folder, errno);
    }
  }
  for (const std::string& folder : {arena.workspace(), arena.read_only(), arena.host()}) {
    if (::chmod(folder.c_str(), 0755) != 0) {
      return SysError("chmod " + folder, errno);
    }
  }
  NACRE_TRY(Put(arena.host_file(), kHostSecret));
  NACRE_TRY(Put(arena.workspace() + "/guarded/secret", kHostSecret));
  NACRE_TRY(Put(arena.workspace() + "/guarded/kept", kUntouched));
  NACRE_TRY(Put(arena.read_only() + "/file", kUntouched));
  arena.stream_ = NACRE_TRY(UnixSocket(SOCK_STREAM, arena.workspace() + "/host.stream"));
  arena.datagram_ = NACRE_TRY(UnixSocket(SOCK_DGRAM, arena.workspace() + "/host.datagram"));
  return arena;
}

std::optional<std::string> Arena::Damage() const {
  if (!Holds(host_file(), kHostSecret)) {
    return "a file of the host was changed";
  }
  if (!Holds(read_only() + "/file", kUntouched)) {
    return "a file of a read-only mount was changed";
  }
  if (!Holds(workspace() + "/guarded/kept", kUntouched)) {
    return "a protected file was changed";
  }
  if (!Holds(workspace() + "/guarded/secret", kHostSecret)) {
    return "a hidden file was changed";
  }
  struct stat info = {};
  for (const char* mark : kMarks) {
    if (::lstat(mark, &info) == 0) {
      ::unlink(mark);
      return std::string(mark) + " is on the host";
    }
  }
  std::error_code error;
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk each(workspace(), std::filesystem::directory_options::skip_permission_denied, error);
       !error && each != Walk(); each.increment(error)) {
    const std::filesystem::directory_entry& entry = *each;
    if (::lstat(entry.path().c_str(), &info) != 0) {
      continue;
    }
    if ((S_ISREG(info.st_mode) && (info.st_mode & (S_ISUID | S_ISGID)) != 0) ||
        S_ISBLK(info.st_mode) || S_ISCHR(info.st_mode)) {
      return entry.path().filename().string() + " in the workspace has a dangerous mode";
    }
    if (entry.path().filename().string().starts_with("core")) {
      return "a core dump is in the workspace";
    }
  }
  // A process that outlived its call writes here for as long as it lives.
  const std::string alive = workspace() + "/alive";
  if (::lstat(alive.c_str(), &info) == 0) {
    const off_t before = info.st_size;
    ::usleep(50'000);
    if (::lstat(alive.c_str(), &info) == 0 && info.st_size != before) {
      return "a process of the call is still alive";
    }
  }
  return std::nullopt;
}

Result<HostBait> HostBait::Create() {
  HostBait bait;
  ::setenv("NACRE_PROBE_SECRET", "host secret", 1);
  const std::string name = "nacre-probe-" + std::to_string(::getpid());
  bait.sockets_.push_back(NACRE_TRY(UnixSocket(SOCK_STREAM, std::string(1, '\0') + name)));
  bait.sockets_.push_back(
      NACRE_TRY(UnixSocket(SOCK_DGRAM, std::string(1, '\0') + name + "-datagram")));
  auto stream = NACRE_TRY(LoopbackSocket(SOCK_STREAM));
  auto datagram = NACRE_TRY(LoopbackSocket(SOCK_DGRAM));
  bait.variables_ = {{"PROBE_ABSTRACT", name},
                     {"PROBE_TCP_PORT", std::to_string(stream.second)},
                     {"PROBE_UDP_PORT", std::to_string(datagram.second)},
                     {"PROBE_HOST_PID", std::to_string(::getpid())}};
  bait.sockets_.push_back(std::move(stream.first));
  bait.sockets_.push_back(std::move(datagram.first));
  struct timespec up = {};
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  bait.variables_.emplace_back("PROBE_HOST_UP_S", std::to_string(up.tv_sec));
  const auto namespaces = OwnNamespaces();
  for (size_t i = 0; i < kNamespaceCount; ++i) {
    bait.variables_.emplace_back("PROBE_NS_" + std::string(kNamespaceNames[i]),
                                 std::to_string(namespaces[i]));
  }
  return bait;
}

}  // namespace nacre::sandbox
