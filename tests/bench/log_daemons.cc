#include "tests/bench/log_daemons.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/unique_fd.h"

namespace nacre::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kStartTimeout{10};
constexpr std::chrono::seconds kRsyslogTimeout{60};

// Mounts are seen by this process and its children only.
constexpr const char* kJournaldScript = R"(
set -e
mount --bind "$1/run" /run
mount --bind "$1/log" /var/log
mount --bind "$1/etc" /etc/systemd
exec /lib/systemd/systemd-journald
)";
constexpr std::string_view kJournaldConfig =
    "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nRateLimitBurst=0\nForwardToSyslog=no\n"
    "ForwardToWall=no\nReadKMsg=no\nAudit=no\n";

Result<pid_t> Spawn(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &quiet, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (error != 0) {
    return SysError(arguments[0], error);
  }
  return pid;
}

void End(pid_t process) {
  ::kill(process, SIGTERM);
  ::waitpid(process, nullptr, 0);
}

Result<UniqueFd> ConnectTo(const std::string& path, int type) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalidArgument, path + ": too long for a socket"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd out(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!out ||
      ::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return SysError(path, errno);
  }
  return out;
}

// Once somebody listens there.
Result<UniqueFd> WaitFor(const std::string& path, int type, pid_t process) {
  for (const auto end = steady_clock::now() + kStartTimeout;;) {
    auto out = ConnectTo(path, type);
    if (out.ok() || steady_clock::now() > end) {
      return out;
    }
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == process) {
      return Error{ErrorCode::kUnavailable, "it did not start"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Status SendAll(int out, std::string_view message) {
  while (::send(out, message.data(), message.size(), MSG_NOSIGNAL) !=
         static_cast<ssize_t>(message.size())) {
    if (errno != EINTR && errno != ENOBUFS) {
      return SysError("send", errno);
    }
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<Journald>> Journald::Start(const std::string& directory) {
  if (::access("/lib/systemd/systemd-journald", X_OK) != 0) {
    return Error{ErrorCode::kNotFound, "not installed"};
  }
  if (::geteuid() != 0) {
    return Error{ErrorCode::kPermissionDenied, "needs root"};
  }
  for (const char* made : {"/run/systemd/journal", "/log/journal", "/etc"}) {
    fs::create_directories(directory + made);
  }
  NACRE_TRY(WriteFileAtomically(directory + "/etc/journald.conf", kJournaldConfig, 0644));
  // Without it, it would keep its records in /run.
  NACRE_TRY(WriteFileAtomically(directory + "/run/systemd/journal/flushed", "", 0644));
  const pid_t process = NACRE_TRY(Spawn({"unshare", "--mount", "--propagation", "private", "sh",
                                         "-c", kJournaldScript, "sh", directory}));
  std::unique_ptr<Journald> daemon(new Journald(directory, process));
  NACRE_TRY(WaitFor(directory + "/run/systemd/journal/io.systemd.journal", SOCK_STREAM, process));
  return daemon;
}

Journald::~Journald() {
  End(process_);
}

Result<Journald::Sender> Journald::Connect() const {
  const std::string at = directory_ + "/run/systemd/journal/";
  UniqueFd records = NACRE_TRY(ConnectTo(at + "socket", SOCK_DGRAM));
  UniqueFd control = NACRE_TRY(ConnectTo(at + "io.systemd.journal", SOCK_STREAM));
  Sender sender;
  sender.records_ = records.release();  // as long as the measurement
  sender.control_ = control.release();
  return sender;
}

Status Journald::Sender::Append(const std::string& line) {
  NACRE_TRY(SendAll(records_, "MESSAGE=" + line + "\nPRIORITY=6\n"));
  static constexpr char kSynchronize[] =
      "{\"method\":\"io.systemd.Journal.Synchronize\",\"parameters\":{}}";
  NACRE_TRY(SendAll(control_, {kSynchronize, sizeof kSynchronize}));  // with the zero at its end
  char answer[512];
  const ssize_t count = ::recv(control_, answer, sizeof answer, 0);
  const std::string_view text(answer, count > 0 ? static_cast<size_t>(count) : 0);
  if (!text.ends_with('\0') || text.find("\"error\"") != std::string_view::npos) {
    return Error{ErrorCode::kUnavailable, "Synchronize: " + std::string(text)};
  }
  return Ok();
}

Result<double> RsyslogRate(const std::string& directory, const std::string& line, int records) {
  fs::create_directories(directory);
  const std::string file = directory + "/out";
  NACRE_TRY(WriteFileAtomically(
      directory + "/conf",
      "global(workDirectory=\"" + directory + "\" maxMessageSize=\"8k\")\n" +
          "module(load=\"imuxsock\" SysSock.Use=\"off\")\n" + "input(type=\"imuxsock\" Socket=\"" +
          directory + "/in\" RateLimit.Interval=\"0\")\n" +
          "template(name=\"line\" type=\"string\" string=\"%msg%\\n\")\n" +
          "action(type=\"omfile\" file=\"" + file + "\" template=\"line\" sync=\"on\")\n",
      0600));
  auto started = Spawn({"rsyslogd", "-n", "-f", directory + "/conf", "-i", directory + "/pid"});
  if (!started.ok()) {
    return Error{ErrorCode::kNotFound, "not installed"};
  }
  const pid_t process = started.value();
  const auto measure = [&]() -> Result<double> {
    const UniqueFd out = NACRE_TRY(WaitFor(directory + "/in", SOCK_DGRAM, process));
    const auto begin = steady_clock::now();
    for (int i = 0; i < records; ++i) {
      NACRE_TRY(SendAll(out.get(), "<14>nacre: " + line));
    }
    const uint64_t bytes = static_cast<uint64_t>(records) * line.size();
    std::error_code error;
    while (!fs::exists(file, error) || fs::file_size(file, error) < bytes) {
      if (steady_clock::now() - begin > kRsyslogTimeout) {
        return Error{ErrorCode::kDeadlineExceeded, "its file does not get them"};
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return records / std::chrono::duration<double>(steady_clock::now() - begin).count();
  };
  auto rate = measure();
  End(process);
  return rate;
}

}  // namespace nacre::bench
