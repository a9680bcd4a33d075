#include "runtime/server/unix_listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace nacre::server {
namespace {

constexpr int kBacklog = 64;

Result<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "the socket path must be absolute: '" + path + "'"};
  }
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalidArgument, "the socket path has " + std::to_string(path.size()) +
                                                  " bytes; the kernel takes at most " +
                                                  std::to_string(sizeof address.sun_path - 1) +
                                                  ": " + path};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* AsSockaddr(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: the sockets API's own idiom
}

// Who could put another socket in the place of ours? Only those who may write the directory.
Status CheckDirectory(const UniqueFd& directory, const std::string& name) {
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) {
    return SysError("stat " + name, errno);
  }
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return Error{ErrorCode::kPermissionDenied,
                 name + " belongs to another user; choose a directory of your own for the socket"};
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info.st_mode & S_ISVTX) == 0) {
    return Error{
        ErrorCode::kPermissionDenied,
        name + " is writable by other users; choose a directory of your own for the socket"};
  }
  return Ok();
}

// Removes a socket on which nobody listens. Called with the directory locked: of two servers that
// start at once neither may take the other's fresh socket for a stale one.
Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Ok() : Status(SysError("stat " + path, errno));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error{ErrorCode::kAlreadyExists, path + " exists and is not a socket"};
  }
  if (info.st_uid != ::geteuid()) {
    return Error{ErrorCode::kAlreadyExists, path + " is a socket of another user"};
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) {
    return SysError("socket", errno);
  }
  // EAGAIN: it listens, with a full backlog.
  if (::connect(probe.get(), AsSockaddr(address), sizeof address) == 0 || errno == EAGAIN) {
    return Error{ErrorCode::kAlreadyExists, "a server is already listening on " + path};
  }
  if (errno != ECONNREFUSED) {
    return SysError("connect " + path, errno);
  }
  if (::unlink(path.c_str()) != 0) {
    return SysError("remove the stale socket " + path, errno);
  }
  return Ok();
}

std::optional<ucred> PeerOf(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) {
    return std::nullopt;
  }
  return peer;
}

// Is it among the lowest 1/share of all that there may be?
bool LeavesRoom(int descriptor, rlim_t share) {
  rlimit limit{};
  // The kernel hands out the lowest free number, so the number tells how many are in use.
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         static_cast<rlim_t>(descriptor) < limit.rlim_cur / share;
}

// Only the folder itself: those above it are for whoever made them.
bool MayEnter(const struct stat& folder, gid_t group) {
  return (folder.st_mode & S_IXOTH) != 0 ||
         (folder.st_gid == group && (folder.st_mode & S_IXGRP) != 0);
}

// For the members of the group to connect to. By the open folder, so that nothing on the way there can
// become something else.
Status GiveTo(gid_t group, int folder, const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  struct stat info {};
  if (::fstat(folder, &info) != 0) {
    return SysError("stat the folder of " + path, errno);
  }
  if (!MayEnter(info, group)) {
    return Error{ErrorCode::kPermissionDenied,
                 "the group cannot enter the folder of " + path +
                     "; make it before, with install -d -m 0750 -g GROUP FOLDER"};
  }
  // The group first, then what it may: never another group.
  if (::fchownat(folder, name.c_str(), static_cast<uid_t>(-1), group, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(folder, name.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP, 0) != 0) {
    return SysError("give " + path + " to group " + std::to_string(group), errno);
  }
  return Ok();
}

}  // namespace

UnixListener::UnixListener(UniqueFd socket, std::string path, bool for_group, dev_t device,
                           ino_t inode)
    : socket_(std::move(socket)),
      path_(std::move(path)),
      for_group_(for_group),
      device_(device),
      inode_(inode) {}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : socket_(std::move(other.socket_)),
      path_(std::exchange(other.path_, {})),
      for_group_(other.for_group_),
      device_(other.device_),
      inode_(other.inode_) {}

UnixListener::~UnixListener() {
  struct stat info {};
  if (!path_.empty() && ::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

Result<UnixListener> UnixListener::Listen(const std::string& path, std::optional<gid_t> group) {
  const sockaddr_un address = NACRE_TRY(AddressOf(path));
  const std::string parent = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  NACRE_TRY(MakeDirectories(parent));
  const UniqueFd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) {
    return SysError("open " + parent, errno);
  }
  NACRE_TRY(CheckDirectory(directory, parent));
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    return SysError("another server is starting in " + parent, errno);
  }
  NACRE_TRY(RemoveStale(path, address));

  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return SysError("socket", errno);
  }
  // Before bind(2): the file gets the socket's mode, so there is no moment when others can connect.
  if (::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0) {
    return SysError("fchmod of the socket", errno);
  }
  if (::bind(socket.get(), AsSockaddr(address), sizeof address) != 0) {
    return SysError("bind " + path, errno);
  }
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    const Error error = SysError("stat " + path, errno);
    ::unlink(path.c_str());
    return error;
  }
  UnixListener listener(std::move(socket), path, group.has_value(), info.st_dev, info.st_ino);
  if (group.has_value()) {
    NACRE_TRY(GiveTo(*group, directory.get(), path));
  }
  if (::listen(listener.socket_.get(), kBacklog) != 0) {
    return SysError("listen on " + path, errno);
  }
  return listener;
}

Result<Connection> UnixListener::Accept() {
  Connection connection;
  connection.socket =
      UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.valid()) {
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) {
      return Connection();
    }
    return SysError("accept", errno);
  }
  // What comes from a group must not keep our own clients out.
  if (!LeavesRoom(connection.socket.get(), for_group_ ? 4 : 2)) {
    return Error{ErrorCode::kResourceExhausted, "too many connections"};
  }
  const std::optional<ucred> peer = PeerOf(connection.socket.get());
  if (!peer.has_value()) {
    return Connection();
  }
  if (!for_group_ && peer->uid != ::geteuid() && peer->uid != 0) {
    return Connection{.socket = {},
                      .user = peer->uid,
                      .process = peer->pid,
                      .refused = "only the user of the gateway and root may connect"};
  }
  connection.user = peer->uid;
  connection.process = peer->pid;
  return connection;
}

}  // namespace nacre::server
