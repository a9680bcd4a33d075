#include "runtime/alert/alert_delivery.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/unique_fd.h"
#include "runtime/net/webhook.h"

namespace nacre::alert {
namespace {

using std::chrono::milliseconds;

// JSON in printable ASCII: it may end up on a terminal.
std::string LineOf(const Alert& alert) {
  return ToJson(alert).dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
}

// Kills it when it is still there.
class Child final {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);  // with what it started: it leads a group of its own
      ::waitpid(pid_, nullptr, 0);
    }
  }
  int Reap() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

Status RunCommand(const AlertSink& sink, const std::string& line, milliseconds timeout,
                  const CancelToken& cancel) {
  Pipe input = NACRE_TRY(MakePipe());
  // It fits into the pipe, so writing does not wait for the program.
  if (::fcntl(input.write.get(), F_SETFL, O_NONBLOCK) != 0) {
    return SysError("pipe", errno);
  }
  NACRE_TRY(WriteAll(input.write.get(), line + "\n"));
  input.write.reset();  // the program reads to the end
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read.get(), 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigfillset(&defaults);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = sink.argv;
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
  char* environment[] = {path.data(), nullptr};
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, arguments[0].c_str(), &actions, &attributes, argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return SysError("start " + arguments[0], error);
  }
  Child child(pid);
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    return SysError("pidfd_open", errno);
  }
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready[] = {{process.get(), POLLIN, 0}, {cancel.poll_fd(), POLLIN, 0}};
    const int count = left.count() <= 0 ? 0 : ::poll(ready, 2, static_cast<int>(left.count()));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0 || ready[0].revents == 0) {
      return Error{ErrorCode::kDeadlineExceeded, arguments[0] + ": it did not end within " +
                                                     std::to_string(timeout.count() / 1000) + " s"};
    }
    break;
  }
  const int status = child.Reap();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error{
        ErrorCode::kUnavailable,
        arguments[0] + (WIFEXITED(status) ? ": exit code " + std::to_string(WEXITSTATUS(status))
                                          : ": signal " + std::to_string(WTERMSIG(status)))};
  }
  return Ok();
}

Status SendSyslog(const AlertSink& sink, const std::string& line) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (sink.target.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalidArgument, sink.target + ": the path is too long for a socket"};
  }
  std::memcpy(address.sun_path, sink.target.c_str(), sink.target.size() + 1);
  const UniqueFd out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Facility 13, log audit; severity 1, alert.
  const std::string message = "<105>nacre: " + line;
  if (!out || ::sendto(out.get(), message.data(), message.size(), MSG_NOSIGNAL,
                       reinterpret_cast<const sockaddr*>(&address),
                       sizeof address) != static_cast<ssize_t>(message.size())) {
    return SysError(sink.target, errno);
  }
  return Ok();
}

}  // namespace

Status Deliver(const Alert& alert, const AlertSink& sink, milliseconds timeout,
               const CancelToken& cancel) {
  const std::string line = LineOf(alert);
  switch (sink.kind) {
    case AlertSink::Kind::kCommand:
      return RunCommand(sink, line, timeout, cancel);
    case AlertSink::Kind::kWebhook:
      return net::PostWebhook({.url = sink.target}, line, timeout, cancel);
    case AlertSink::Kind::kSyslog:
      return SendSyslog(sink, line);
  }
  return Error{ErrorCode::kInternal, "no such sink"};
}

}  // namespace nacre::alert
