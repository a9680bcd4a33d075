#include "sandbox/monitor.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>

#include "sandbox/kernel/process_tree.h"
#include "sandbox/kernel/tree_copy.h"
#include "sandbox/report.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How far a call can run past a limit before it is seen. Without a cgroup the watchdog alone stands
// between a memory hog and the host, so it looks more often.
constexpr milliseconds kTickWithCgroup{20};
constexpr milliseconds kTickWithoutCgroup{10};
// While this much waits to be read by the call, its channel is not read: it must take its replies.
constexpr size_t kPendingInputMax = 4 << 20;
constexpr size_t kReadBytes = 64 * 1024;

// write(2) to a pipe whose reader is gone sends SIGPIPE, which would end the host's process, or run
// a handler of its own: keeps the signal from this thread, and takes back the one that was sent.
ssize_t WriteWithoutSigpipe(int fd, const std::string& bytes) {
  sigset_t sigpipe;
  sigset_t before;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  const ssize_t written = ::write(fd, bytes.data(), bytes.size());
  const int write_errno = errno;
  if (written < 0 && write_errno == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const struct timespec no_wait = {};
    ::sigtimedwait(&sigpipe, nullptr, &no_wait);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = write_errno;
  return written;
}

// Why a copy of the workspace could not be had, and what to do.
std::string CopyProblem(int no_overlay, int error, const Limits& limits) {
  const std::string bytes = std::to_string(limits.disk_bytes);
  std::string what;
  switch (error) {
    case EFBIG:
    case ENOSPC:
      what = "it is larger than the call's disk limit of " + bytes +
             " bytes. Raise sandbox.limits.disk (and memory, which holds it)";
      break;
    case E2BIG:
      what = "it has more than " + std::to_string(kernel::kCopiedEntriesMax) + " entries";
      break;
    case ELOOP:
      what = "it is deeper than " + std::to_string(kernel::kCopiedDepthMax) + " folders";
      break;
    default:
      what = "copying failed" + SysError("", error).message;
      break;
  }
  const std::string why = no_overlay == EOVERFLOW ? "it holds files of other owners"
                                                  : "no overlay can be made of it here" +
                                                        SysError("", no_overlay).message;
  return "the workspace must be copied for the call, since " + why + ", and " + what +
         ". Or choose a smaller workspace, or workspace: {mode: direct} in the policy";
}

class CallMonitor {
 public:
  CallMonitor(RunningCall& call, const LaunchPlan& plan, CallIo& io, const CancelToken& cancel)
      : call_(call), plan_(plan), io_(io), cancel_(cancel), outside_(OwnNamespaces()) {}

  Outcome Run();

 private:
  enum class More { kNo = 0, kYes };

  void Kill(OutcomeKind why);
  void KillForPeer();
  void End();
  void Take(CallIo::Reply reply);
  void WriteInput();
  More ReadOutput(UniqueFd& from, int number, std::string& into);
  More ReadChannel();
  void ReadReports();
  void TakeLayer(LayerKind kind, UniqueFd folder);
  void TakeReport(ReceivedReport received);
  void ReadViolation();
  bool AnswerObserved(const struct seccomp_notif& notice);
  void Tick();
  DiskLimit FullDisk() const;
  void Poll(milliseconds tick);
  void Drain();
  void Classify();

  RunningCall& call_;
  const LaunchPlan& plan_;
  CallIo& io_;
  const CancelToken& cancel_;
  const std::array<uint64_t, kNamespaceCount> outside_;

  Outcome outcome_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  bool ended_ = false;
  bool killed_ = false;
  std::optional<OutcomeKind> killed_for_;  // empty with killed_: the peer broke the protocol
  std::optional<int> wait_status_;
  bool setup_failed_ = false;
  bool ready_ = false;  // the evidence was given: the tool is about to run, or does
  UniqueFd tmp_;
  UniqueFd upper_;  // the same folder that the caller was given
  std::optional<LayerKind> layer_kind_;
  int copying_because_ = 0;  // the errno of an overlay that could not be made
  UniqueFd listener_;
  std::vector<seccomp::SyscallRule> rules_;  // of an observed call, once one was asked about
  std::string pending_input_;
  bool close_input_ = false;
};

// All at once through the cgroup, where there is a version 2; else the end of PID 1 ends the others.
void CallMonitor::End() {
  if (call_.meter) {
    call_.meter->Kill();
  }
  call_.child.Kill();
}

void CallMonitor::Kill(OutcomeKind why) {
  if (!killed_) {
    killed_ = true;
    killed_for_ = why;
    End();
  }
}

void CallMonitor::KillForPeer() {
  if (!killed_) {
    killed_ = true;
    End();
  }
}

void CallMonitor::Take(CallIo::Reply reply) {
  if (reply.kill) {
    KillForPeer();
    return;
  }
  pending_input_ += reply.bytes;
  close_input_ = close_input_ || reply.close_input;
  WriteInput();
}

void CallMonitor::WriteInput() {
  while (call_.standard_input.valid() && !pending_input_.empty()) {
    const ssize_t written = WriteWithoutSigpipe(call_.standard_input.get(), pending_input_);
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno != EAGAIN) {
        call_.standard_input.reset();  // the call closed it: what is left is not wanted
      }
      break;
    }
    pending_input_.erase(0, static_cast<size_t>(written));
  }
  if (!call_.standard_input.valid()) {
    pending_input_.clear();
  } else if (pending_input_.empty() && close_input_) {
    call_.standard_input.reset();
  }
}

CallMonitor::More CallMonitor::ReadOutput(UniqueFd& from, int number, std::string& into) {
  char buffer[kReadBytes];
  const ssize_t size = ::read(from.get(), buffer, sizeof buffer);
  if (size <= 0) {
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
      from.reset();
    }
    return size < 0 && errno == EINTR ? More::kYes : More::kNo;
  }
  const size_t room = plan_.limits.output_bytes - into.size();
  const std::string_view fits(buffer, std::min(room, static_cast<size_t>(size)));
  if (!fits.empty()) {
    into.append(fits);
    io_.OnOutput(number, fits);
  }
  if (fits.size() < static_cast<size_t>(size)) {
    outcome_.output_truncated = true;
    Kill(OutcomeKind::kOutputExceeded);
  }
  return More::kYes;
}

CallMonitor::More CallMonitor::ReadChannel() {
  char buffer[kReadBytes];
  const ssize_t size = ::read(call_.channel.get(), buffer, sizeof buffer);
  if (size <= 0) {
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
      call_.channel.reset();
    }
    return size < 0 && errno == EINTR ? More::kYes : More::kNo;
  }
  if (!killed_) {
    Take(io_.OnChannelBytes(std::string_view(buffer, static_cast<size_t>(size))));
  }
  return More::kYes;
}

// The copy waits, still, for our answer.
void CallMonitor::TakeLayer(LayerKind kind, UniqueFd folder) {
  layer_kind_ = kind;
  upper_.reset(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
  if (kind == LayerKind::kOverlay) {
    io_.OnCallLayer(CallLayer::OfOverlay(std::move(folder)));
    return;
  }
  Result<CallLayer> layer = CallLayer::OfCopy(std::move(folder));
  if (!layer.ok()) {
    setup_failed_ = true;
    outcome_.setup_step = "read the copy of the workspace: " + layer.error().message;
    KillForPeer();
    return;
  }
  io_.OnCallLayer(std::move(layer).value());
  const char seen = 1;
  ::send(call_.report.get(), &seen, 1, MSG_NOSIGNAL);  // fails when the child is gone
}

void CallMonitor::ReadReports() {
  bool closed = false;
  while (call_.report.valid()) {
    auto received = ReceiveReport(call_.report.get(), closed);
    if (!received) {
      if (closed) {
        call_.report.reset();
      }
      return;
    }
    TakeReport(std::move(*received));
  }
}

void CallMonitor::TakeReport(ReceivedReport received) {
  const Report& report = received.report;
  const auto index = static_cast<size_t>(report.index);
  const std::string step = index < plan_.steps.size()      ? plan_.steps[index].name
                           : report.index == kFirstProcess ? "lock the first process"
                                                           : "clean inherited state";
  switch (report.kind) {
    case ReportKind::kStepFailed:
      if (!setup_failed_) {
        setup_failed_ = true;
        outcome_.setup_step = step;
        if (report.mismatch > 0 && report.mismatch <= kEvidenceCount) {
          outcome_.setup_step +=
              std::string(" (") + EvidenceName(static_cast<Evidence>(report.mismatch - 1)) + ")";
        }
        outcome_.setup_errno = report.error;
        if (index < plan_.steps.size() && plan_.steps[index].kind == StepKind::kOverlay &&
            copying_because_ != 0) {
          outcome_.setup_step = CopyProblem(copying_because_, report.error, plan_.limits);
          outcome_.setup_errno = 0;
        }
      }
      break;
    case ReportKind::kStepSkipped:
      call_.weaker.push_back("could not " + step + ": " +
                             SysError("", report.error).message.substr(2));
      break;
    case ReportKind::kTmp:
      tmp_ = std::move(received.descriptor);
      break;
    case ReportKind::kTerminal:
      io_.OnTerminal(std::move(received.descriptor));
      break;
    case ReportKind::kCopying:
      copying_because_ = report.error;
      break;
    case ReportKind::kLayer:
      TakeLayer(static_cast<LayerKind>(report.index), std::move(received.descriptor));
      break;
    case ReportKind::kInterpreterUp:
      break;
    case ReportKind::kListener:
      listener_ = std::move(received.descriptor);
      if (!listener_) {
        call_.weaker.push_back(
            "a seccomp filter outside of this sandbox has taken the listener: a violation is not "
            "named");
      }
      break;
    case ReportKind::kEvidence:
      ready_ = true;
      outcome_.layers = ReadEvidence(report, outside_, plan_.landlock_abi);
      if (call_.meter) {
        const kernel::CgroupState state = call_.meter->ReadState();
        outcome_.layers.cgroup_memory_bytes = state.limits.memory_bytes;
        outcome_.layers.cgroup_tasks = state.limits.tasks;
      }
      break;
    case ReportKind::kToolEnded:
      wait_status_ = report.index;
      outcome_.use.cpu = std::max(
          outcome_.use.cpu, std::chrono::microseconds(std::min<uint64_t>(
                                report.cpu_microseconds, std::numeric_limits<int64_t>::max())));
      ended_ = true;
      break;
  }
}

// True when the call is answered; false when the profile kills it.
bool CallMonitor::AnswerObserved(const struct seccomp_notif& notice) {
  if (rules_.empty()) {
    auto rules = seccomp::ProfileRules(plan_.seccomp_profile);
    if (!rules.ok()) {
      return false;
    }
    rules_ = std::move(rules).value();
  }
  const seccomp::Observed observed = seccomp::Observe(notice, rules_);
  if (observed.kill) {
    return false;
  }
  if (ready_) {  // before, it is our own set-up that asks
    for (const seccomp::Observation& each : observed.observations) {
      io_.OnObserved(each);
    }
  }
  struct seccomp_notif_resp answer = {};
  answer.id = notice.id;
  if (observed.proceed) {
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    answer.error = -observed.error;
  }
  ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);  // fails when the asker is gone
  return true;
}

// A system call that the profile forbids waits, undone, for its judge: the call ends.
void CallMonitor::ReadViolation() {
  // The kernel writes as much as it knows of, and wants the room zeroed.
  alignas(struct seccomp_notif) std::array<char, 1024> room = {};
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, room.data()) != 0) {
    if (errno != EINTR) {
      listener_.reset();  // its process is gone, or its last user is
    }
    return;
  }
  struct seccomp_notif notice = {};
  std::memcpy(&notice, room.data(), sizeof notice);
  if (plan_.observe && AnswerObserved(notice)) {
    return;
  }
  if (!killed_) {
    outcome_.violated_syscall = seccomp::SyscallName(notice.data);
    outcome_.violated_rule =
        plan_.seccomp_profile + ": " + seccomp::KillReason(plan_.seccomp_profile, notice.data);
    Kill(OutcomeKind::kViolation);
  }
}

// The limits that no descriptor announces.
void CallMonitor::Tick() {
  std::chrono::microseconds cpu{0};
  if (call_.meter) {
    const kernel::CgroupEvents events = call_.meter->Read();
    if (events.out_of_memory > 0) {
      Kill(OutcomeKind::kOutOfMemory);
    }
    if (events.task_refusals > 0) {
      Kill(OutcomeKind::kTasksExceeded);
    }
    cpu = events.cpu;
  } else {
    const kernel::TreeUse use =
        kernel::MeasureTree(call_.child.pid(), plan_.limits.memory_bytes, plan_.limits.tasks + 1);
    outcome_.use.memory_peak_bytes = std::max(outcome_.use.memory_peak_bytes, use.memory_bytes);
    if (ready_ && use.memory_bytes > plan_.limits.memory_bytes) {
      Kill(OutcomeKind::kOutOfMemory);
    }
    if (use.tasks > plan_.limits.tasks) {
      Kill(OutcomeKind::kTasksExceeded);
    }
    cpu = use.cpu;
  }
  if (cpu > plan_.limits.cpu) {
    Kill(OutcomeKind::kCpuExceeded);
  }
  outcome_.use.cpu = std::max(outcome_.use.cpu, cpu);
  if (const DiskLimit full = FullDisk(); full != DiskLimit::kNone) {
    outcome_.disk = full;
    Kill(OutcomeKind::kDiskExceeded);
  }
}

DiskLimit CallMonitor::FullDisk() const {
  uint64_t bytes = 0;
  uint64_t inodes = 0;
  for (const UniqueFd* each : {&tmp_, &upper_}) {
    struct statfs disk = {};
    if (!each->valid() || ::fstatfs(each->get(), &disk) != 0) {
      continue;
    }
    if (disk.f_bavail == 0) {
      return DiskLimit::kBytes;
    }
    if (disk.f_ffree == 0) {
      return DiskLimit::kInodes;
    }
    bytes += (disk.f_blocks - disk.f_bfree) * static_cast<uint64_t>(disk.f_bsize);
    const uint64_t used = disk.f_files - disk.f_ffree;
    inodes += used - std::min(used, kOwnInodes);
  }
  return bytes > plan_.limits.disk_bytes ? DiskLimit::kBytes
         : inodes > plan_.limits.inodes  ? DiskLimit::kInodes
                                         : DiskLimit::kNone;
}

void CallMonitor::Poll(milliseconds tick) {
  const bool take_channel = pending_input_.size() < kPendingInputMax;
  const bool want_input = !pending_input_.empty();
  enum { kPidfd, kReport, kOutput, kError, kChannel, kInput, kViolation, kCancel, kCount };
  std::array<struct pollfd, kCount> polled = {};
  const auto watch = [&](int at, int fd, short events) {
    polled[static_cast<size_t>(at)] = {.fd = fd, .events = events, .revents = 0};
  };
  watch(kPidfd, call_.child.pidfd(), POLLIN);
  watch(kReport, call_.report.get(), POLLIN);
  watch(kOutput, call_.standard_output.get(), POLLIN);
  watch(kError, call_.standard_error.get(), POLLIN);
  watch(kChannel, take_channel ? call_.channel.get() : -1, POLLIN);
  watch(kInput, want_input ? call_.standard_input.get() : -1, POLLOUT);
  watch(kViolation, killed_ ? -1 : listener_.get(), POLLIN);
  watch(kCancel, killed_ ? -1 : cancel_.poll_fd(), POLLIN);
  const auto left =
      std::chrono::duration_cast<milliseconds>(start_ + plan_.limits.wall - SteadyClock::now()) +
      milliseconds(1);
  const milliseconds wait = killed_ ? tick : std::clamp(left, milliseconds(0), tick);
  if (::poll(polled.data(), polled.size(), static_cast<int>(wait.count())) < 0) {
    return;  // EINTR, or a shortage of memory that the next round meets again
  }
  const auto ready = [&](int at) { return polled[static_cast<size_t>(at)].revents != 0; };
  if (ready(kReport)) {
    ReadReports();
  }
  if (ready(kOutput)) {
    ReadOutput(call_.standard_output, 1, outcome_.output);
  }
  if (ready(kError)) {
    ReadOutput(call_.standard_error, 2, outcome_.error_output);
  }
  if (ready(kChannel)) {
    ReadChannel();
  }
  if (ready(kInput)) {
    WriteInput();
  }
  if (ready(kViolation)) {
    ReadViolation();
  }
  if (ready(kCancel)) {
    Kill(OutcomeKind::kCancelled);
  }
  ended_ = ended_ || ready(kPidfd);
}

// After the end: what the pipes still hold. No writer is left, so each of them ends.
void CallMonitor::Drain() {
  ReadReports();
  while (call_.standard_output.valid() &&
         ReadOutput(call_.standard_output, 1, outcome_.output) == More::kYes) {
  }
  while (call_.standard_error.valid() &&
         ReadOutput(call_.standard_error, 2, outcome_.error_output) == More::kYes) {
  }
  while (call_.channel.valid() && ReadChannel() == More::kYes) {
  }
}

void CallMonitor::Classify() {
  kernel::CgroupEvents events;
  if (call_.meter) {
    events = call_.meter->Read();
    outcome_.use.memory_peak_bytes = events.memory_peak_bytes;
    outcome_.use.cpu = std::max(outcome_.use.cpu, events.cpu);
  }
  if (setup_failed_) {
    outcome_.kind = OutcomeKind::kSetupFailed;
    return;
  }
  if (killed_for_ && *killed_for_ != OutcomeKind::kOutputExceeded) {
    outcome_.kind = *killed_for_;
    return;
  }
  if (outcome_.output_truncated) {
    outcome_.kind = OutcomeKind::kOutputExceeded;
    return;
  }
  if (events.out_of_memory > 0) {
    outcome_.kind = OutcomeKind::kOutOfMemory;
    return;
  }
  if (events.task_refusals > 0) {
    outcome_.kind = OutcomeKind::kTasksExceeded;
    return;
  }
  if (const DiskLimit full = FullDisk(); full != DiskLimit::kNone) {
    outcome_.kind = OutcomeKind::kDiskExceeded;
    outcome_.disk = full;
    return;
  }
  if (!ready_) {
    outcome_.kind = OutcomeKind::kSetupFailed;
    outcome_.setup_step = "set-up process";
    outcome_.setup_errno = ECHILD;
    return;
  }
  if (wait_status_ && WIFEXITED(*wait_status_)) {
    outcome_.kind = OutcomeKind::kExited;
    outcome_.exit_code = WEXITSTATUS(*wait_status_);
    return;
  }
  outcome_.signal = wait_status_ && WIFSIGNALED(*wait_status_) ? WTERMSIG(*wait_status_) : SIGKILL;
  switch (outcome_.signal) {
    case SIGSYS:
      outcome_.kind = OutcomeKind::kViolation;
      break;
    case SIGXCPU:
      outcome_.kind = OutcomeKind::kCpuExceeded;
      break;
    case SIGXFSZ:
      outcome_.kind = OutcomeKind::kDiskExceeded;
      outcome_.disk = DiskLimit::kBytes;
      break;
    default:
      outcome_.kind =
          outcome_.use.cpu > plan_.limits.cpu ? OutcomeKind::kCpuExceeded : OutcomeKind::kSignaled;
      break;
  }
}

Outcome CallMonitor::Run() {
  const milliseconds tick = call_.meter ? kTickWithCgroup : kTickWithoutCgroup;
  SteadyClock::time_point next_tick = start_ + tick;
  for (ReceivedReport& early : call_.reports) {
    TakeReport(std::move(early));
  }
  call_.reports.clear();
  Take(io_.OnStart());
  while (!ended_) {
    Poll(tick);
    if (killed_ || ended_) {
      continue;
    }
    const SteadyClock::time_point now = SteadyClock::now();
    if (now >= start_ + plan_.limits.wall) {
      Kill(OutcomeKind::kTimedOut);
    } else if (now >= next_tick) {
      next_tick = now + tick;
      Tick();
    }
  }
  outcome_.use.wall =
      std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start_);
  Drain();
  if (!wait_status_) {
    // Of what PID 1 waited for: what died with it counts only in the cgroup and in the last tick.
    outcome_.use.cpu = std::max(outcome_.use.cpu, call_.child.Reap());
  }
  Classify();
  outcome_.layers.cgroup = call_.meter ? kernel::CgroupVersionName(plan_.cgroup_version) : "none";
  outcome_.layers.exceptions = plan_.exceptions;
  outcome_.layers.workspace = layer_kind_ ? LayerKindName(*layer_kind_) : "";
  outcome_.layers.weaker = call_.weaker;
  return std::move(outcome_);
}

}  // namespace

Outcome Monitor(RunningCall& call, const LaunchPlan& plan, CallIo& io, const CancelToken& cancel) {
  return CallMonitor(call, plan, io, cancel).Run();
}

}  // namespace nacre::sandbox
