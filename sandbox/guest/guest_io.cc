#include "sandbox/guest/guest_io.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

namespace nacre::sandbox::guest {
namespace {

constexpr size_t kComplaintBytesMax = 200;

// The limits that an agent may name. It cannot claim a violation or a cancellation.
std::optional<OutcomeKind> LimitOf(const std::string& name) {
  for (const OutcomeKind kind :
       {OutcomeKind::kTimedOut, OutcomeKind::kCpuExceeded, OutcomeKind::kOutOfMemory,
        OutcomeKind::kTasksExceeded, OutcomeKind::kDiskExceeded}) {
    if (name == OutcomeKindName(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

// What was kept from outside whatever the guest says: our own limits, and the filter of what runs it.
bool IsFromOutside(OutcomeKind kind) {
  return kind == OutcomeKind::kTimedOut || kind == OutcomeKind::kCpuExceeded ||
         kind == OutcomeKind::kOutOfMemory || kind == OutcomeKind::kTasksExceeded ||
         kind == OutcomeKind::kDiskExceeded || kind == OutcomeKind::kViolation ||
         kind == OutcomeKind::kCancelled;
}

// The last line that has something to say.
std::string LastLine(const std::string& text) {
  const size_t end = text.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) {
    return {};
  }
  const size_t line_break = text.find_last_of('\n', end);
  const size_t start = line_break == std::string::npos ? 0 : line_break + 1;
  return text.substr(start, std::min(end + 1 - start, kComplaintBytesMax));
}

void ClassifyStatus(int status, Outcome& outcome) {
  if (WIFEXITED(status)) {
    outcome.kind = OutcomeKind::kExited;
    outcome.exit_code = WEXITSTATUS(status);
    return;
  }
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;
  outcome.kind = outcome.signal == SIGSYS    ? OutcomeKind::kViolation
                 : outcome.signal == SIGXCPU ? OutcomeKind::kCpuExceeded
                 : outcome.signal == SIGXFSZ ? OutcomeKind::kDiskExceeded
                                             : OutcomeKind::kSignaled;
}

}  // namespace

GuestIo::GuestIo(CallIo& inner, Task task, uint64_t output_bytes, AtEnd at_end)
    : inner_(inner),
      task_(std::move(task)),
      output_bytes_(output_bytes),
      at_end_(at_end),
      decoder_(std::max(kDataBytesMax, kReportBytesMax) + kTokenBytes + 1) {}

CallIo::Reply GuestIo::OnStart() {
  Reply reply;
  reply.bytes = EncodeTask(task_) + Wrap(inner_.OnStart());
  reply.kill = kill_;
  return reply;
}

CallIo::Reply GuestIo::OnChannelBytes(std::string_view bytes) {
  Reply reply;
  decoder_.Feed(bytes);
  std::string payload;
  while (!kill_) {
    const Result<bool> next = decoder_.Next(&payload);
    if (!next.ok()) {
      Breach(next.error().message);
      break;
    }
    if (!next.value()) {
      break;
    }
    reply.bytes += OnFrame(payload);
  }
  reply.kill = kill_;
  return reply;
}

std::string GuestIo::OnFrame(std::string_view payload) {
  if (payload.empty() || end_ || failed_) {
    Breach("a frame that is empty or follows the end");
    return {};
  }
  const auto kind = static_cast<FrameKind>(payload.front());
  if (task_.token.size() != kTokenBytes || payload.substr(1, kTokenBytes) != task_.token) {
    Breach("a frame that is not its agent's");
    return {};
  }
  const std::string_view body = payload.substr(1 + kTokenBytes);
  const bool first = kind == FrameKind::kReady || kind == FrameKind::kFailed;
  if (first == ready_.has_value()) {
    Breach("frames out of order");
    return {};
  }
  const auto keep = [this](auto parsed, auto& into) {
    if (parsed.ok()) {
      into = std::move(parsed).value();
    } else {
      Breach(parsed.error().message);
    }
  };
  switch (kind) {
    case FrameKind::kReady:
      keep(ParseReady(body), ready_);
      break;
    case FrameKind::kFailed:
      keep(ParseFailed(body), failed_);
      break;
    case FrameKind::kEnd:
      keep(ParseEnd(body), end_);
      break;
    case FrameKind::kOutput:
      TakeOutput(1, body, output_);
      break;
    case FrameKind::kErrorOutput:
      TakeOutput(2, body, error_output_);
      break;
    case FrameKind::kChannel:
      return Wrap(inner_.OnChannelBytes(body));
    default:
      Breach("a frame of an unknown kind");
  }
  kill_ = kill_ || (at_end_ == AtEnd::kKill && (end_ || failed_));
  return {};
}

void GuestIo::TakeOutput(int number, std::string_view bytes, std::string& into) {
  const std::string_view fits = bytes.substr(0, output_bytes_ - into.size());
  if (!fits.empty()) {
    into += fits;
    inner_.OnOutput(number, fits);
  }
  if (fits.size() < bytes.size()) {
    truncated_ = true;
    kill_ = true;
  }
}

std::string GuestIo::Wrap(Reply reply) {
  std::string frames;
  std::string_view left = reply.bytes;
  while (!left.empty()) {
    frames += EncodeFrame(FrameKind::kInput, left.substr(0, kDataBytesMax));
    left.remove_prefix(std::min<size_t>(left.size(), kDataBytesMax));
  }
  if (reply.close_input) {
    frames += EncodeFrame(FrameKind::kEndOfInput, {});
  }
  kill_ = kill_ || reply.kill;
  return frames;
}

void GuestIo::Breach(const std::string& what) {
  breach_ = what;
  kill_ = true;
}

Outcome GuestIo::Conclude(const std::string& tier, Outcome enclosed) {
  Outcome outcome = enclosed;
  outcome.layers.isolation = tier;
  outcome.layers.seccomp = ready_ && ready_->seccomp;
  outcome.layers.no_new_privs = ready_ && ready_->no_new_privs;
  outcome.layers.capabilities_empty = ready_ && ready_->capabilities_empty;
  outcome.layers.guest_kernel = ready_ ? ready_->kernel : "";
  const std::string complaint = LastLine(enclosed.error_output);
  outcome.output = std::move(output_);
  outcome.error_output = std::move(error_output_);
  outcome.output_truncated = truncated_;
  outcome.exit_code = -1;
  outcome.signal = 0;
  if (end_) {
    outcome.use.wall = std::min(enclosed.use.wall, end_->wall);
    outcome.use.memory_peak_bytes =
        std::max(outcome.use.memory_peak_bytes,
                 std::min(end_->memory_peak_bytes, task_.limits.memory_bytes));
  }
  if (truncated_) {
    outcome.kind = OutcomeKind::kOutputExceeded;
  } else if (end_ && breach_.empty() && !IsFromOutside(enclosed.kind)) {
    const auto limit = LimitOf(end_->limit);
    ClassifyStatus(end_->wait_status, outcome);
    if (limit) {
      outcome.kind = *limit;
    }
  } else if (IsFromOutside(enclosed.kind)) {
    outcome.kind = enclosed.kind;
  } else if (ready_) {
    // It runs no more and what it said of it counts for nothing: the kernel or our kill ended it, or
    // it broke the protocol, perhaps after its end.
    outcome.kind = OutcomeKind::kSignaled;
    outcome.signal = SIGKILL;
    if (!breach_.empty()) {
      outcome.layers.weaker.push_back("the guest broke the protocol and was killed: " + breach_);
    }
  } else {
    outcome.kind = OutcomeKind::kSetupFailed;
    if (failed_) {
      outcome.setup_step = failed_->step;
      outcome.setup_errno = failed_->error;
    } else if (enclosed.kind != OutcomeKind::kSetupFailed) {
      outcome.setup_step = tier + (complaint.empty() ? " (it ended without a word)"
                                                     : " (it said: " + complaint + ")");
      outcome.setup_errno = 0;
    }
  }
  return outcome;
}

}  // namespace nacre::sandbox::guest
