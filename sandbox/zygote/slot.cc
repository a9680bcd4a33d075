#include "sandbox/zygote/slot.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/launcher.h"
#include "sandbox/zygote/channel.h"
#include "sandbox/zygote/messages.h"

namespace nacre::sandbox::zygote {
namespace {

constexpr size_t kStackBytes = 32 * 1024;  // of the deepest step, with room to spare
constexpr size_t kStepsOfACall = 32;       // about

// This process shares its memory with the zygote until it writes to it, and each page that is copied
// then takes as long as several steps. So it goes the way of a call once before the call is there,
// with steps that it has: what that touches is touched, and what it frees is used again.
void Rehearse(const LaunchPlan& plan) {
  LaunchPlan call;
  const size_t count = std::min(plan.steps.size(), kStepsOfACall);
  call.steps.assign(plan.steps.end() - static_cast<std::ptrdiff_t>(count), plan.steps.end());
  (void)DecodePlan(EncodePlan(call));
  [[maybe_unused]] volatile char stack[kStackBytes];
  for (size_t at = 0; at < kStackBytes; at += 4096) {
    stack[at] = 0;
  }
}

}  // namespace

// The zygote has one thread, so that its children may allocate.
int AwaitCall(const ChildInput& input, ChildState& state) {
  Rehearse(*input.plan);
  Result<Received> received = ReceiveMessage(input.report, Waiting::kYes);
  if (!received.ok()) {
    return -EPROTO;
  }
  if (received.value().bytes.empty()) {
    ::_exit(0);
  }
  const Result<LaunchPlan> plan = DecodePlan(received.value().bytes);
  std::vector<UniqueFd>& trees = received.value().descriptors;
  if (!plan.ok() || trees.size() != plan.value().sources.size()) {
    return -EPROTO;
  }
  std::vector<OpenedSource> sources;
  for (UniqueFd& tree : trees) {
    struct stat info = {};
    if (::fstat(tree.get(), &info) != 0) {
      return -errno;
    }
    OpenedSource source;
    source.tree = tree.release();
    source.is_directory = S_ISDIR(info.st_mode);
    sources.push_back(source);
  }
  const std::vector<char*> argv = ExecPointers(plan.value().argv);
  const std::vector<char*> environment = ExecPointers(plan.value().environment);
  ChildInput call = input;
  call.plan = &plan.value();
  call.sources = sources.data();
  call.argv = argv.data();
  call.environment = environment.data();
  call.first_index = input.first_index + input.plan->steps.size();
  WalkSteps(call, state);
}

}  // namespace nacre::sandbox::zygote
