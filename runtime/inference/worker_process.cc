#include "runtime/inference/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <future>

#include "base/file.h"

namespace nacre::inference {
namespace {

constexpr int kChannelNumber = 3;
constexpr int kModelNumber = 4;
// Above every number that the child's descriptors take, so that none is overwritten before it moves.
constexpr int kSafeNumber = 10;

Result<UniqueFd> DuplicateHigh(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, kSafeNumber));
  if (!copy) {
    return SysError("duplicate a descriptor", errno);
  }
  return copy;
}

// Waits for `events` on fd, or for `cancel`.
Status WaitFor(int fd, int16_t events, WorkerProcess::Deadline deadline,
               const CancelToken& cancel) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return Error{ErrorCode::kDeadlineExceeded, "the engine did not answer in time"};
    }
    pollfd waits[2] = {{fd, events, 0}, {cancel.poll_fd(), POLLIN, 0}};
    const int ready = ::poll(waits, 2, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
    if (ready < 0 && errno != EINTR) {
      return SysError("poll", errno);
    }
    if (ready > 0 && waits[0].revents != 0) {
      return Ok();
    }
    if (ready > 0 && waits[1].revents != 0) {
      return Error{ErrorCode::kCancelled, "cancelled"};
    }
  }
}

Error Gone() {
  return {ErrorCode::kUnavailable, "the engine stopped"};
}

// The attributes and descriptors of a spawn, freed on every path.
struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnPlan(int channel, int model, int errors) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    posix_spawn_file_actions_adddup2(&actions, channel, kChannelNumber);
    posix_spawn_file_actions_adddup2(&actions, model, kModelNumber);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& program,
                                                            const UniqueFd& model) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return SysError("socketpair", errno);
  }
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess);
  worker->channel_.reset(pair[0]);
  const UniqueFd other(pair[1]);
  Pipe errors = NACRE_TRY(MakePipe());
  // Neither end may ever wait for the other: a worker that floods it loses the rest.
  for (const int fd : {worker->channel_.get(), errors.read.get(), errors.write.get()}) {
    if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
      return SysError("fcntl", errno);
    }
  }
  worker->errors_ = std::move(errors.read);
  const UniqueFd channel_copy = NACRE_TRY(DuplicateHigh(other.get()));
  const UniqueFd model_copy = NACRE_TRY(DuplicateHigh(model.get()));
  const UniqueFd errors_copy = NACRE_TRY(DuplicateHigh(errors.write.get()));

  std::promise<void> started;
  std::future<void> when_started = started.get_future();
  worker->keeper_ =
      std::thread([&started, &program, keeper = worker.get(), channel = channel_copy.get(),
                   model_fd = model_copy.get(), errors_fd = errors_copy.get()]() mutable {
        const SpawnPlan plan(channel, model_fd, errors_fd);
        std::string name = "nacre-engine";
        std::string no_backtrace = "GGML_NO_BACKTRACE=1";  // ggml would fork and run a debugger
        // A model and its cache are large and touched at once: in pages of 2 MiB where the kernel has
        // them (glibc's manual, "Memory Allocation Tunables").
        std::string huge_pages = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";
        std::string devices;
        if (const char* visible = ::getenv("CUDA_VISIBLE_DEVICES"); visible != nullptr) {
          devices = std::string("CUDA_VISIBLE_DEVICES=") + visible;
        }
        char* arguments[] = {name.data(), nullptr};
        char* environment[] = {no_backtrace.data(), huge_pages.data(),
                               devices.empty() ? nullptr : devices.data(), nullptr};
        keeper->start_errno_ = ::posix_spawn(&keeper->pid_, program.c_str(), &plan.actions,
                                             &plan.attributes, arguments, environment);
        const bool running = keeper->start_errno_ == 0;
        started.set_value();  // from here on the references are gone
        if (!running) {
          return;
        }
        // Waits without reaping, so that the pid stays taken until nobody can send it a signal any more.
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(keeper->pid_), &info, WEXITED | WNOWAIT) != 0 &&
               errno == EINTR) {
        }
        const std::lock_guard<std::mutex> lock(keeper->mutex_);
        ::waitpid(keeper->pid_, &keeper->wait_status_, 0);
        keeper->reaped_ = true;
      });
  when_started.wait();
  if (worker->start_errno_ != 0) {
    return SysError("cannot start the engine " + program, worker->start_errno_);
  }
  return worker;
}

WorkerProcess::~WorkerProcess() {
  Stop();
}

std::string WorkerProcess::Stop() {
  if (!keeper_.joinable()) {
    return "";
  }
  if (start_errno_ == 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!reaped_) {
      ::kill(pid_, SIGKILL);
    }
  }
  keeper_.join();
  return WIFSIGNALED(wait_status_) ? "signal " + std::to_string(WTERMSIG(wait_status_))
                                   : "exit status " + std::to_string(WEXITSTATUS(wait_status_));
}

Status WorkerProcess::Send(const WorkerCommand& command, Deadline deadline) {
  const std::string payload = NACRE_TRY(EncodeCommand(command));
  const std::string frame = EncodeFrame(payload);
  for (size_t sent = 0; sent < frame.size();) {
    const ssize_t put =
        ::send(channel_.get(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (put >= 0) {
      sent += static_cast<size_t>(put);
    } else if (errno == EAGAIN) {
      NACRE_TRY(WaitFor(channel_.get(), POLLOUT, deadline, CancelToken()));
    } else if (errno != EINTR) {
      return Gone();
    }
  }
  return Ok();
}

Result<WorkerEvent> WorkerProcess::Receive(Deadline deadline, const CancelToken& cancel) {
  while (true) {
    std::string payload;
    const bool complete = NACRE_TRY(decoder_.Next(&payload));
    if (complete) {
      return ParseEvent(payload);
    }
    char bytes[64 << 10];
    const ssize_t got = ::recv(channel_.get(), bytes, sizeof bytes, 0);
    if (got > 0) {
      decoder_.Feed({bytes, static_cast<size_t>(got)});
    } else if (got < 0 && errno == EAGAIN) {
      NACRE_TRY(WaitFor(channel_.get(), POLLIN, deadline, cancel));
    } else if (got == 0 || errno != EINTR) {
      return Gone();
    }
  }
}

std::string WorkerProcess::LastWords() const {
  std::string text(64 << 10, '\0');
  const ssize_t got = ::read(errors_.get(), text.data(), text.size());
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  text.erase(text.find_last_not_of(" \r\n") + 1);
  const size_t line = text.rfind('\n');
  return Printable(line == std::string::npos ? text : text.substr(line + 1), 200);
}

}  // namespace nacre::inference
