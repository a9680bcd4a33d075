#include "sandbox/zygote/slot.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/launcher.h"
#include "sandbox/zygote/channel.h"
#include "sandbox/zygote/messages.h"

namespace nacre::sandbox::zygote {

// The zygote has one thread, so that its children may allocate.
int AwaitCall(const ChildInput& input, ChildState& state) {
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
