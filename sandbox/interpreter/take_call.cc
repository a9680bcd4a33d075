// nacre-interpreter.so: what an interpreter that was started before its call loads to receive it.
//
//   const char* nacre_take_call(int socket, size_t* size)
//
// Comes back in a process that is locked down like any tool that is about to run, with what the call has
// for it: the number of arguments, the arguments and the variables, each ended by a NUL byte. Ends the
// process when there is no call, and when anything is not as it should be: a child or a thread that
// somebody left behind would be outside of what is locked here. Called once, from the only thread.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "sandbox/child_setup.h"
#include "sandbox/report.h"
#include "sandbox/zygote/channel.h"
#include "sandbox/zygote/messages.h"

namespace nacre::sandbox::interpreter {
namespace {

using zygote::InterpreterPart;
using zygote::InterpreterSlot;

[[noreturn]] void Fail(int report, uint64_t index, int error) {
  Report failure;
  failure.kind = ReportKind::kStepFailed;
  failure.index = static_cast<int32_t>(index);
  failure.error = error;
  SendReport(report, failure);
  ::_exit(1);
}

Result<std::string> Receive(int socket) {
  Result<zygote::Received> received = zygote::ReceiveMessage(socket, zygote::Waiting::kYes);
  if (!received.ok()) {
    return received.error();
  }
  if (received.value().bytes.empty()) {
    ::_exit(0);  // the slot was let go
  }
  return std::move(received.value().bytes);
}

// The process that mounted for us is our only child, and we have one thread.
int BecomeAlone() {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(-1, &status, __WALL);
  } while (ended < 0 && errno == EINTR);
  if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return ECHILD;
  }
  if (::waitpid(-1, &status, __WALL | WNOHANG) >= 0 || errno != ECHILD) {
    return EBUSY;
  }
  struct stat threads = {};
  if (::stat("/proc/self/task", &threads) != 0) {
    return errno;
  }
  return threads.st_nlink == 3 ? 0 : EBUSY;  // itself, its parent, and a folder per thread
}

sock_fprog ToProgram(std::vector<sock_filter>& filter) {
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(filter.size());
  program.filter = filter.data();
  return program;
}

std::string TakeCall(int socket) {
  const Result<std::string> first = Receive(socket);
  Result<InterpreterSlot> slot = first.ok() ? zygote::DecodeInterpreterSlot(first.value())
                                            : Result<InterpreterSlot>(first.error());
  if (!slot.ok() || slot.value().launch_digest != zygote::LaunchDigest()) {
    ::_exit(1);
  }
  InterpreterSlot& known = slot.value();
  const auto report = static_cast<int>(known.report);
  Report up;
  up.kind = ReportKind::kInterpreterUp;
  SendReport(report, up);
  const Result<std::string> second = Receive(socket);
  const Result<InterpreterPart> part = second.ok() ? zygote::DecodeInterpreterPart(second.value())
                                                   : Result<InterpreterPart>(second.error());
  if (!part.ok()) {
    ::_exit(1);
  }
  if (const int error = BecomeAlone(); error != 0) {
    Fail(report, part.value().first_index - 1, error);
  }
  const LaunchPlan& plan = part.value().plan;
  ChildInput input;
  input.plan = &plan;
  input.report = report;
  input.standard_input = static_cast<int>(known.standard_input);
  input.standard_output = static_cast<int>(known.standard_output);
  input.standard_error = static_cast<int>(known.standard_error);
  input.channel = static_cast<int>(known.channel);
  input.expected = known.expected;
  input.tool_filter = ToProgram(known.tool_filter);
  input.killing_tool_filter = ToProgram(known.killing_tool_filter);
  input.first_index = part.value().first_index;
  input.in_place = true;
  ChildState state;
  state.ruleset = known.ruleset == 0 ? -1 : static_cast<int>(known.ruleset);
  if (!TakeSteps(input, state, 0, plan.steps.size()) || ::close(report) != 0) {
    ::_exit(1);
  }
  input.expected = known.expected = {};  // of the host, which is none of the script's business
  std::string call = std::to_string(plan.argv.size()) + '\0';
  for (const auto* texts : {&plan.argv, &plan.environment}) {
    for (const std::string& text : *texts) {
      call += text + '\0';
    }
  }
  return call;
}

}  // namespace
}  // namespace nacre::sandbox::interpreter

extern "C" __attribute__((visibility("default"))) const char* nacre_take_call(int socket,
                                                                              size_t* size) {
  static std::string call;
  call = nacre::sandbox::interpreter::TakeCall(socket);
  *size = call.size();
  return call.data();
}
