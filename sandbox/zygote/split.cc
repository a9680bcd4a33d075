#include "sandbox/zygote/split.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/interpreter/starter.h"
#include "sandbox/kernel/shared_child.h"
#include "sandbox/launcher.h"

namespace nacre::sandbox::zygote {
namespace {

// In the memory of both.
struct Shared {
  const ChildInput* input = nullptr;
  ChildState of_child;
  size_t next = 0;  // the first step of the child
  int locked = -1;  // an eventfd: the tool's process has taken its steps
  HandedOver handed_over;
};

// errno is shared too: so this waits without one, for a process that writes once and then waits itself.
int SetUp(void* argument) {
  auto& shared = *static_cast<Shared*>(argument);
  uint64_t word = 0;
  if (::read(shared.locked, &word, sizeof word) != sizeof word) {
    ::_exit(1);
  }
  ::close(shared.locked);
  WalkSteps(*shared.input, shared.of_child, shared.next);
}

}  // namespace

// The zygote has one thread, so that its children may allocate. What is allocated here lives until the
// program starts.
int Split(const ChildInput& input, ChildState& state, size_t at) {
  auto& shared = *new Shared;
  shared.input = &input;
  shared.next = at + 1 + input.plan->steps[at].number;
  shared.of_child.ruleset = state.ruleset;
  shared.of_child.tool = ::getpid();
  shared.of_child.handed_over = &shared.handed_over;
  shared.locked = ::eventfd(0, EFD_CLOEXEC);
  if (shared.locked < 0) {
    return -errno;
  }
  const pid_t child = kernel::StartSharedChild(&SetUp, &shared, CLONE_FILES | CLONE_FS);
  if (child < 0) {
    return child;
  }
  if (!TakeSteps(input, state, at + 1, shared.next)) {
    ::_exit(1);  // PID 1 ends the child with us
  }
  const uint64_t word = 1;
  int status = 0;
  if (::write(shared.locked, &word, sizeof word) != sizeof word ||
      ::waitpid(child, &status, __WALL) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 0) {
    ::_exit(1);
  }
  const HandedOver& rest = shared.handed_over;
  if (rest.input == nullptr) {
    ::_exit(0);  // the slot was let go
  }
  WalkSteps(*rest.input, state, rest.next);
}

int HandOver(const ChildInput& input, ChildState& state, size_t at) {
  if (state.handed_over == nullptr) {
    return interpreter::HandOver(input, state, at);
  }
  *state.handed_over = {.input = &input, .next = at + 1};
  ::_exit(0);
}

}  // namespace nacre::sandbox::zygote
