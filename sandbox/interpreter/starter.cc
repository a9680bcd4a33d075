#include "sandbox/interpreter/starter.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "sandbox/kernel/capabilities.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/launcher.h"
#include "sandbox/zygote/channel.h"
#include "sandbox/zygote/messages.h"

namespace nacre::sandbox::interpreter {
namespace {

std::vector<sock_filter> Instructions(const sock_fprog& program) {
  return {program.filter, program.filter + program.len};
}

int KeepAcrossExec(int descriptor) {
  return ::fcntl(descriptor, F_SETFD, 0) == 0 ? 0 : -errno;
}

// -errno: the interpreter could not be started.
int BecomeInterpreter(const ChildInput& input, const ChildState& state, int socket) {
  if (const int dropped = kernel::DropCapabilities(); dropped != 0) {
    return dropped;
  }
  // Its standard streams are the call's, so that what it makes of them at its start stays true.
  if (::dup2(input.standard_input, 0) < 0 || ::dup2(input.standard_output, 1) < 0 ||
      ::dup2(input.standard_error, 2) < 0) {
    return -errno;
  }
  for (const int descriptor :
       {input.report, input.standard_input, input.standard_output, input.standard_error,
        input.channel, input.interpreter_library, socket, state.ruleset}) {
    if (const int kept = descriptor < 0 ? 0 : KeepAcrossExec(descriptor); kept != 0) {
      return kept;
    }
  }
  const std::string slot = std::string(kSlotVariable) + "=" +
                           std::to_string(input.interpreter_library) + " " + std::to_string(socket);
  const std::vector<std::string> environment = {"LANG=C.UTF-8", slot};
  const std::vector<char*> argv = ExecPointers(input.plan->interpreter);
  ::execve(argv[0], argv.data(), ExecPointers(environment).data());
  return -errno;
}

}  // namespace

// The zygote has one thread, so that its children may allocate.
int StartInterpreter(const ChildInput& input, ChildState& state) {
  if (input.interpreter_library < 0) {
    return -ENOENT;
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return -errno;
  }
  for (int& end : ends) {  // the numbers below are to be the call's
    const UniqueFd low(end);
    end = ::fcntl(low.get(), F_DUPFD_CLOEXEC, kLowestDescriptor);
    if (end < 0) {
      return -errno;
    }
  }
  const long pid = kernel::RawFork();
  if (pid < 0) {
    return -errno;
  }
  if (pid > 0) {
    ::close(ends[0]);
    return BecomeInterpreter(input, state, ends[1]);
  }
  ::close(ends[1]);
  state.interpreter = ends[0];
  const auto number = [](int descriptor) { return static_cast<uint32_t>(std::max(descriptor, 0)); };
  const zygote::InterpreterSlot slot = {
      .launch_digest = zygote::LaunchDigest(),
      .report = number(input.report),
      .standard_input = number(input.standard_input),
      .standard_output = number(input.standard_output),
      .standard_error = number(input.standard_error),
      .channel = number(input.channel),
      .ruleset = number(state.ruleset),
      .expected = input.expected,
      .tool_filter = Instructions(input.tool_filter),
      .killing_tool_filter = Instructions(input.killing_tool_filter)};
  return zygote::SendMessage(state.interpreter, zygote::Encode(slot), {}, zygote::Waiting::kYes);
}

int HandOver(const ChildInput& input, ChildState& state, size_t at) {
  const LaunchPlan& plan = *input.plan;
  const size_t taken = at + 1;
  zygote::InterpreterPart part = {.first_index = input.first_index + taken, .plan = plan};
  part.plan.steps.assign(plan.steps.begin() + static_cast<std::ptrdiff_t>(taken), plan.steps.end());
  part.plan.sources.clear();
  part.plan.fail_at_step.reset();
  if (plan.fail_at_step && *plan.fail_at_step >= taken) {
    part.plan.fail_at_step = *plan.fail_at_step - taken;
  }
  const int sent =
      zygote::SendMessage(state.interpreter, zygote::Encode(part), {}, zygote::Waiting::kYes);
  if (sent != 0) {
    return sent;
  }
  ::_exit(0);
}

}  // namespace nacre::sandbox::interpreter
