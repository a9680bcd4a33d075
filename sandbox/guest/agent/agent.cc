#include "sandbox/guest/agent/agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "base/frame.h"
#include "sandbox/guest/agent/task_process.h"
#include "sandbox/guest/guest_protocol.h"

namespace nacre::sandbox::guest {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{25};
// After the program's end: as long as its last bytes may take to come out of the pipes.
constexpr milliseconds kDrainTime{2000};
// While this much waits for the program to read, no more is taken from the host.
constexpr size_t kPendingInputMax = 4 << 20;

int wake_descriptor = -1;

void OnChildSignal(int) {
  const int before = errno;
  (void)!::write(wake_descriptor, "", 1);
  errno = before;
}

class Agent final {
 public:
  Agent(int input, int output, Task task, TaskProcess process, UniqueFd wake)
      : input_(input),
        output_(output),
        task_(std::move(task)),
        process_(std::move(process)),
        wake_(std::move(wake)),
        from_host_(kTaskBytesMax) {}

  int Run();

 private:
  void Say(const std::string& frame) {
    if (!WriteAll(output_, frame).ok()) {
      ::_exit(1);  // the host is gone, or does not want to hear: nothing is left to do
    }
  }
  void ReadHost();
  void WriteProgram();
  bool Carry(UniqueFd& from, FrameKind kind);
  void Reap();
  void Tick();
  void End(const char* limit);
  void Poll();

  const int input_;
  const int output_;
  const Task task_;
  TaskProcess process_;
  UniqueFd wake_;
  FrameDecoder from_host_;
  std::string pending_;
  bool end_of_input_ = false;
  bool host_open_ = true;
  guest::End end_;
  std::optional<int> status_;
  const SteadyClock::time_point start_ = SteadyClock::now();
};

void KillAll() {
  // Everything but ourselves: we are PID 1.
  ::kill(-1, SIGKILL);
}

void Agent::End(const char* limit) {
  if (end_.limit.empty()) {
    end_.limit = limit;
  }
  KillAll();
}

void Agent::ReadHost() {
  char buffer[kDataBytesMax];
  const ssize_t size = ::read(input_, buffer, sizeof buffer);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
    host_open_ = false;
    return;
  }
  from_host_.Feed(std::string_view(buffer, size < 0 ? 0 : static_cast<size_t>(size)));
  std::string payload;
  for (;;) {
    const Result<bool> next = from_host_.Next(&payload);
    if (!next.ok()) {
      ::_exit(1);
    }
    if (!next.value()) {
      return;
    }
    if (!payload.empty() && payload[0] == static_cast<char>(FrameKind::kInput)) {
      pending_.append(payload, 1);
    } else if (!payload.empty() && payload[0] == static_cast<char>(FrameKind::kEndOfInput)) {
      end_of_input_ = true;
    }
  }
}

void Agent::WriteProgram() {
  while (process_.input.valid() && !pending_.empty()) {
    const ssize_t written = ::write(process_.input.get(), pending_.data(), pending_.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno != EAGAIN) {
        process_.input.reset();  // it closed it: what is left is not wanted
      }
      break;
    }
    pending_.erase(0, static_cast<size_t>(written));
  }
  if (!process_.input.valid()) {
    pending_.clear();
  } else if (pending_.empty() && end_of_input_) {
    process_.input.reset();
  }
}

// True if there may be more.
bool Agent::Carry(UniqueFd& from, FrameKind kind) {
  char buffer[kDataBytesMax];
  const ssize_t size = ::read(from.get(), buffer, sizeof buffer);
  if (size > 0) {
    Say(guest::EncodeFrame(kind, task_.token, std::string_view(buffer, static_cast<size_t>(size))));
    return true;
  }
  if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
    from.reset();
  }
  return size < 0 && errno == EINTR;
}

void Agent::Reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == process_.pid) {
      status_ = status;
    }
  }
}

bool IsTmpFull() {
  struct statfs tmp = {};
  return ::statfs("/tmp", &tmp) == 0 && tmp.f_blocks > 0 && tmp.f_bavail == 0;
}

void Agent::Tick() {
  const GuestUse use = MeasureGuest();
  struct rusage waited = {};
  ::getrusage(RUSAGE_CHILDREN, &waited);
  const auto cpu = use.cpu + std::chrono::seconds(waited.ru_utime.tv_sec + waited.ru_stime.tv_sec) +
                   std::chrono::microseconds(waited.ru_utime.tv_usec + waited.ru_stime.tv_usec);
  end_.cpu = std::max(end_.cpu, std::chrono::microseconds(cpu));
  end_.memory_peak_bytes = std::max(end_.memory_peak_bytes, use.memory_bytes);
  if (SteadyClock::now() - start_ >= task_.limits.wall) {
    End("timed_out");
  } else if (use.tasks > task_.limits.tasks) {
    End("tasks_exceeded");
  } else if (use.memory_bytes > task_.limits.memory_bytes) {
    End("out_of_memory");
  } else if (cpu > task_.limits.cpu) {
    End("cpu_exceeded");
  } else if (IsTmpFull()) {
    End("disk_exceeded");
  }
}

void Agent::Poll() {
  enum { kHost, kWake, kOut, kErr, kChannel, kIn, kCount };
  std::array<struct pollfd, kCount> polled = {};
  const auto watch = [&](int at, int fd, short events) {
    polled[static_cast<size_t>(at)] = {.fd = fd, .events = events, .revents = 0};
  };
  watch(kHost, host_open_ && pending_.size() < kPendingInputMax ? input_ : -1, POLLIN);
  watch(kWake, wake_.get(), POLLIN);
  watch(kOut, process_.output.get(), POLLIN);
  watch(kErr, process_.error_output.get(), POLLIN);
  watch(kChannel, process_.channel.get(), POLLIN);
  watch(kIn, pending_.empty() ? -1 : process_.input.get(), POLLOUT);
  ::poll(polled.data(), polled.size(), static_cast<int>(kTick.count()));
  const auto ready = [&](int at) { return polled[static_cast<size_t>(at)].revents != 0; };
  if (ready(kWake)) {
    char drained[64];
    (void)!::read(wake_.get(), drained, sizeof drained);
  }
  if (ready(kHost)) {
    ReadHost();
  }
  WriteProgram();
  if (ready(kOut)) {
    Carry(process_.output, FrameKind::kOutput);
  }
  if (ready(kErr)) {
    Carry(process_.error_output, FrameKind::kErrorOutput);
  }
  if (ready(kChannel)) {
    Carry(process_.channel, FrameKind::kChannel);
  }
}

int Agent::Run() {
  Say(EncodeReady(task_.token, process_.ready));
  SteadyClock::time_point next_tick = start_ + kTick;
  while (!status_) {
    Poll();
    Reap();
    if (!status_ && SteadyClock::now() >= next_tick) {
      Tick();
      next_tick = SteadyClock::now() + kTick;
    }
  }
  end_.wall = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start_);
  if (end_.limit.empty() && IsTmpFull()) {
    end_.limit = "disk_exceeded";  // what ran into it gave up before the next tick
  }
  KillAll();
  const SteadyClock::time_point deadline = SteadyClock::now() + kDrainTime;
  while ((process_.output.valid() || process_.error_output.valid() || process_.channel.valid()) &&
         SteadyClock::now() < deadline) {
    Poll();
    Reap();
  }
  struct rusage waited = {};
  ::getrusage(RUSAGE_CHILDREN, &waited);
  end_.cpu = std::max<std::chrono::microseconds>(
      end_.cpu, std::chrono::seconds(waited.ru_utime.tv_sec + waited.ru_stime.tv_sec) +
                    std::chrono::microseconds(waited.ru_utime.tv_usec + waited.ru_stime.tv_usec));
  end_.wait_status = *status_;
  Say(EncodeEnd(task_.token, end_));
  return 0;
}

}  // namespace

int RunAgent(int input, int output, Preparation prepare) {
  ::signal(SIGPIPE, SIG_IGN);
  // The token in our memory is what tells us from the program, which may run as the same user.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return 1;
  }
  auto pipe = MakePipe();
  const Result<std::string> payload = ReadFrame(input, kTaskBytesMax);
  if (!pipe.ok() || !payload.ok() || payload.value().empty() ||
      payload.value()[0] != static_cast<char>(FrameKind::kTask)) {
    return 1;
  }
  Result<Task> task = ParseTask(std::string_view(payload.value()).substr(1));
  if (!task.ok()) {
    return 1;
  }
  if (const auto failed = prepare != nullptr ? prepare(task.value()) : std::nullopt) {
    (void)WriteAll(output, EncodeFailed(task.value().token, *failed));
    return 1;
  }
  wake_descriptor = pipe.value().write.get();
  ::fcntl(wake_descriptor, F_SETFL, O_NONBLOCK);
  ::fcntl(pipe.value().read.get(), F_SETFL, O_NONBLOCK);
  struct sigaction on_child = {};
  on_child.sa_handler = OnChildSignal;
  on_child.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  ::sigaction(SIGCHLD, &on_child, nullptr);
  auto started = StartTask(task.value());
  if (!started.ok()) {
    (void)WriteAll(output, EncodeFailed(task.value().token,
                                        {.step = started.error().message, .error = EAGAIN}));
    return 1;
  }
  if (const auto* failed = std::get_if<Failed>(&started.value())) {
    (void)WriteAll(output, EncodeFailed(task.value().token, *failed));
    return 1;
  }
  return Agent(input, output, std::move(task).value(),
               std::move(std::get<TaskProcess>(started.value())), std::move(pipe.value().read))
      .Run();
}

}  // namespace nacre::sandbox::guest
