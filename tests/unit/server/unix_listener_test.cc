#include "runtime/server/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "base/file.h"
#include "base/temp_dir.h"
#include "tests/support/skip.h"

namespace nacre::server {
namespace {

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

bool Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// Async-signal-safe: the test also uses it after fork(2).
int ConnectTo(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

Result<Connection> AcceptNext(UnixListener& listener) {
  pollfd waiting{listener.poll_fd(), POLLIN, 0};
  ::poll(&waiting, 1, -1);
  return listener.Accept();
}

TEST_CASE("a socket is private from its first moment and gone with its listener") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/deep/run/nacre.sock";
  const mode_t old_mask = ::umask(0);
  {
    auto listener = UnixListener::Listen(path);
    ::umask(old_mask);
    REQUIRE(listener.ok());
    CHECK(ModeOf(path) == 0600);
    CHECK(ModeOf(dir.path() + "/deep/run") == 0700);

    const UniqueFd client(ConnectTo(path.c_str()));
    REQUIRE(client);
    const auto connection = AcceptNext(listener.value());
    REQUIRE(connection.ok());
    REQUIRE(connection.value().valid());
    CHECK(connection.value().user == ::geteuid());
    const int fd = connection.value().socket.get();
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK_FALSE(listener.value().Accept().value().valid());  // nobody else waits
  }
  CHECK_FALSE(Exists(path));
}

TEST_CASE("a path that the kernel would cut off is refused, and so is a relative one") {
  const TempDir dir = TempDir::Create().value();
  const std::string longest = dir.path() + "/" + std::string(107 - dir.path().size() - 1, 's');
  CHECK(UnixListener::Listen(longest).ok());
  CHECK(UnixListener::Listen(longest + "s").error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(Exists(longest));
  CHECK(UnixListener::Listen("nacre.sock").error().code == ErrorCode::kInvalidArgument);
  CHECK(UnixListener::Listen("").error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a socket that a killed server left is replaced, one in use is not") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/nacre.sock";
  {
    // Bound and closed without unlink, as a kill leaves it.
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  REQUIRE(Exists(path));
  auto first = UnixListener::Listen(path);
  REQUIRE(first.ok());
  CHECK(UnixListener::Listen(path).error().code == ErrorCode::kAlreadyExists);
  const UniqueFd client(ConnectTo(path.c_str()));
  CHECK(client);  // the first one is unharmed
}

TEST_CASE("a file in the socket's place is never removed") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/nacre.sock";
  REQUIRE(WriteFileAtomically(path, "precious").ok());
  CHECK(UnixListener::Listen(path).error().code == ErrorCode::kAlreadyExists);
  CHECK(ReadFile(path, 100).value() == "precious");
}

TEST_CASE("a listener removes only its own socket") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/nacre.sock";
  {
    auto listener = UnixListener::Listen(path);
    REQUIRE(listener.ok());
    REQUIRE(::unlink(path.c_str()) == 0);
    REQUIRE(WriteFileAtomically(path, "another's").ok());
  }
  CHECK(Exists(path));
}

TEST_CASE("a directory in which others can replace the socket is refused") {
  const TempDir dir = TempDir::Create().value();
  const std::string shared = dir.path() + "/shared";
  REQUIRE(::mkdir(shared.c_str(), 0700) == 0);
  REQUIRE(::chmod(shared.c_str(), 0777) == 0);
  CHECK(UnixListener::Listen(shared + "/nacre.sock").error().code == ErrorCode::kPermissionDenied);
  REQUIRE(::chmod(shared.c_str(), 01777) == 0);  // sticky, as /tmp
  CHECK(UnixListener::Listen(shared + "/nacre.sock").ok());
}

// The file's mode is opened up on purpose: the peer's credentials must hold alone.
TEST_CASE("another user's connection is closed unread") {
  if (::geteuid() != 0) {
    SKIP_HERE("needs root, to become another user");
  }
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/nacre.sock";
  auto listener = UnixListener::Listen(path);
  REQUIRE(listener.ok());
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  for (const bool open_mode : {false, true}) {
    REQUIRE(::chmod(path.c_str(), open_mode ? 0666 : 0600) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
        ::_exit(9);
      }
      const int fd = ConnectTo(path.c_str());
      char byte = 0;
      ::_exit(fd < 0 ? 1 : (::read(fd, &byte, 1) == 0 ? 2 : 3));
    }
    if (open_mode) {
      const auto connection = AcceptNext(listener.value());
      REQUIRE(connection.ok());
      CHECK_FALSE(connection.value().valid());
      CHECK(connection.value().user == 65534);
      CHECK(connection.value().refused == "only the user of the gateway and root may connect");
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == (open_mode ? 2 : 1));
  }
}

TEST_CASE("connections leave half of the descriptors to turns") {
  const TempDir dir = TempDir::Create().value();
  auto listener = UnixListener::Listen(dir.path() + "/nacre.sock");
  REQUIRE(listener.ok());
  const UniqueFd client(ConnectTo((dir.path() + "/nacre.sock").c_str()));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // The client has the lowest free number, so the connection gets one above half of the limit.
  const rlimit few{2 * static_cast<rlim_t>(client.get()), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto connection = listener.value().Accept();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(connection.ok());
  CHECK(connection.error() == Error{ErrorCode::kResourceExhausted, "too many connections"});
}

}  // namespace
}  // namespace nacre::server
