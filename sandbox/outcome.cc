#include "sandbox/outcome.h"

#include <cerrno>
#include <cstring>

#include "base/result.h"

namespace nacre::sandbox {
namespace {

// "1.5 s", "30 ms".
std::string DurationText(std::chrono::microseconds duration) {
  const int64_t milliseconds = duration.count() / 1000;
  if (milliseconds < 1000) {
    return std::to_string(milliseconds) + " ms";
  }
  const int64_t tenths = milliseconds / 100;
  const std::string fraction = tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10);
  return std::to_string(tenths / 10) + fraction + " s";
}

std::string SetupText(const Outcome& outcome) {
  std::string text = "the sandbox could not be set up, so nothing ran: ";
  if (outcome.setup_errno == 0) {
    return text + outcome.setup_step;
  }
  text += "step '" + outcome.setup_step + "'" + SysError(" failed", outcome.setup_errno).message;
  if (outcome.setup_step == "exec" && outcome.setup_errno == ENOENT) {
    text +=
        ": the program is there, but what it needs to be run is not (the interpreter of its #! "
        "line, or its loader)";
  }
  if (outcome.setup_step == "exec" && outcome.setup_errno == EACCES) {
    text +=
        ": the program, or the interpreter of its #! line, is no executable file or lies in a "
        "place "
        "from which none is executed (noexec)";
  }
  if (outcome.setup_step == "namespaces") {
    text += "; this host does not allow user namespaces: run `nacre doctor`";
  }
  if (outcome.setup_step == "cgroup") {
    text +=
        "; no cgroup is delegated to nacre: `nacre doctor` names the command that does it, or name "
        "the exception: sandbox: {require: {cgroup: false}}";
  }
  return text;
}

}  // namespace

const char* DiskLimitName(DiskLimit limit) {
  return limit == DiskLimit::kBytes ? "bytes" : limit == DiskLimit::kInodes ? "inodes" : "";
}

const char* OutcomeKindName(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kSetupFailed:
      return "setup_failed";
    case OutcomeKind::kExited:
      return "exited";
    case OutcomeKind::kSignaled:
      return "signaled";
    case OutcomeKind::kViolation:
      return "violation";
    case OutcomeKind::kTimedOut:
      return "timed_out";
    case OutcomeKind::kCpuExceeded:
      return "cpu_exceeded";
    case OutcomeKind::kOutOfMemory:
      return "out_of_memory";
    case OutcomeKind::kTasksExceeded:
      return "tasks_exceeded";
    case OutcomeKind::kDiskExceeded:
      return "disk_exceeded";
    case OutcomeKind::kOutputExceeded:
      return "output_exceeded";
    case OutcomeKind::kCancelled:
      return "cancelled";
  }
  return "setup_failed";
}

Outcome NotStarted(Isolation isolation, std::string why) {
  Outcome outcome;
  outcome.setup_step = std::move(why);
  outcome.layers.isolation = IsolationName(isolation);
  outcome.layers.cgroup = "none";
  return outcome;
}

std::string Describe(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::kSetupFailed:
      return SetupText(outcome);
    case OutcomeKind::kExited:
      return "the call exited with code " + std::to_string(outcome.exit_code);
    case OutcomeKind::kSignaled: {
      const char* name = ::sigabbrev_np(outcome.signal);
      return "the call was ended by signal " + std::to_string(outcome.signal) +
             (name == nullptr ? "" : std::string(" (SIG") + name + ")");
    }
    case OutcomeKind::kViolation:
      return "the call was killed for a system call that its profile forbids" +
             (outcome.violated_syscall.empty()
                  ? ""
                  : ": " + outcome.violated_syscall + " (" + outcome.violated_rule + ")");
    case OutcomeKind::kTimedOut:
      return "the call timed out after " + DurationText(outcome.use.wall);
    case OutcomeKind::kCpuExceeded:
      return "the call used more processor time than it may (" + DurationText(outcome.use.cpu) +
             ")";
    case OutcomeKind::kOutOfMemory:
      return "the call used more memory than it may";
    case OutcomeKind::kTasksExceeded:
      return "the call started more processes and threads than it may";
    case OutcomeKind::kDiskExceeded:
      return outcome.disk == DiskLimit::kInodes
                 ? "the call made more files, folders and links than it may"
                 : "the call wrote more bytes to disk than it may";
    case OutcomeKind::kOutputExceeded:
      return "the call printed more than it may; its output is cut";
    case OutcomeKind::kCancelled:
      return "the call was cancelled after " + DurationText(outcome.use.wall);
  }
  return OutcomeKindName(outcome.kind);
}

}  // namespace nacre::sandbox
