#include "sandbox/launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "sandbox/child_setup.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

Result<UniqueFd> MoveUp(UniqueFd fd) {
  UniqueFd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kLowestDescriptor));
  if (!high) {
    return SysError("duplicate a descriptor", errno);
  }
  return high;
}

Status SetNonBlocking(const UniqueFd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) {
    return SysError("fcntl O_NONBLOCK", errno);
  }
  return Ok();
}

// Our end does not block; the child's does.
struct CallPipe {
  UniqueFd ours;
  UniqueFd theirs;
};

enum class Direction { kToChild, kFromChild };

Result<CallPipe> MakeCallPipe(Direction direction) {
  Pipe pipe = NACRE_TRY(MakePipe());
  CallPipe result;
  const bool to_child = direction == Direction::kToChild;
  result.ours = std::move(to_child ? pipe.write : pipe.read);
  result.theirs = NACRE_TRY(MoveUp(std::move(to_child ? pipe.read : pipe.write)));
  NACRE_TRY(SetNonBlocking(result.ours));
  return result;
}

struct PathInfo {
  UniqueFd path;
  struct stat info = {};
};

std::variant<PathInfo, SetupFailure> OpenPath(const Source& source) {
  PathInfo result;
  result.path.reset(::open(source.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!result.path || ::fstat(result.path.get(), &result.info) != 0) {
    return SetupFailure{"open " + source.path, errno};
  }
  if (S_ISLNK(result.info.st_mode)) {
    return SetupFailure{"open " + source.path, ELOOP};
  }
  if (!S_ISDIR(result.info.st_mode) && !S_ISREG(result.info.st_mode)) {
    return SetupFailure{"open " + source.path + " (neither file nor directory)", EINVAL};
  }
  return result;
}

// A detached mount of the source in which its owner is seen as `run_as`. -errno when the file
// system cannot do that.
int MakeTree(const PathInfo& path, const Source& source, const kernel::Ids& run_as,
             kernel::IdMappings& mappings) {
  const kernel::Ids owner{.uid = path.info.st_uid, .gid = path.info.st_gid};
  const int tree = kernel::CloneTree(path.path.get(), "");
  if (tree < 0) {
    return tree;
  }
  int result = -EINVAL;
  if (owner == run_as) {
    result = kernel::SetAttributes(tree, source.attributes);
  } else if (const auto user_namespace = mappings.Get(owner, run_as); user_namespace.ok()) {
    result = kernel::SetAttributesAndIds(tree, source.attributes, user_namespace.value());
  }
  if (result < 0) {
    ::close(tree);
    return result;
  }
  return tree;
}

int MakePlainTree(const PathInfo& path, const Source& source) {
  const int tree = kernel::CloneTree(path.path.get(), "");
  if (tree < 0) {
    return tree;
  }
  const int result = kernel::SetAttributes(tree, source.attributes);
  if (result < 0) {
    ::close(tree);
    return result;
  }
  return tree;
}

// The first source, writable ones first, that cannot be seen through an id mapping.
std::optional<size_t> FindUnmappable(const LaunchPlan& plan, const std::vector<PathInfo>& paths,
                                     const kernel::Ids& run_as, kernel::IdMappings& mappings) {
  std::optional<size_t> found;
  for (size_t i = 0; i < paths.size(); ++i) {
    const UniqueFd tree(MakeTree(paths[i], plan.sources[i], run_as, mappings));
    if (!tree && (!found || plan.sources[i].writable)) {
      found = i;
      if (plan.sources[i].writable) {
        break;
      }
    }
  }
  return found;
}

bool MayOthersUse(const PathInfo& path) {
  const mode_t needed = S_ISDIR(path.info.st_mode) ? S_IROTH | S_IXOTH : S_IROTH;
  return (path.info.st_mode & needed) == needed;
}

// Nobody, in the group of the devices.
kernel::Ids IdsForDevices(const std::vector<std::string>& devices) {
  kernel::Ids ids;
  for (const std::string& path : devices) {
    struct stat info = {};
    if (ids == kernel::Ids{} && ::stat(path.c_str(), &info) == 0) {
      ids = kernel::IdsForDevice(info);
    }
  }
  return ids;
}

// Who a privileged caller's call is on the host: nobody, as long as what is mounted can be used so.
// Never root, unless the plan names that exception; nor root's group.
std::optional<SetupFailure> ChooseIdentity(const LaunchPlan& plan,
                                           const std::vector<PathInfo>& paths,
                                           kernel::IdMappings& mappings, Sources& sources) {
  sources.run_as = IdsForDevices(plan.devices);
  const auto unmappable = FindUnmappable(plan, paths, sources.run_as, mappings);
  if (!unmappable) {
    return std::nullopt;
  }
  const PathInfo& path = paths[*unmappable];
  const Source& source = plan.sources[*unmappable];
  if (path.info.st_uid != 0) {
    sources.run_as.uid = path.info.st_uid;
    // With a device the group is the one that may use it: the owner needs none.
    if (path.info.st_gid != 0 && plan.devices.empty()) {
      sources.run_as.gid = path.info.st_gid;
    }
    sources.weaker.emplace_back(
        "a mounted file system has no id-mapped mounts: the call runs as the mount's owner");
    return std::nullopt;
  }
  if (plan.may_be_root) {
    sources.run_as = {.uid = path.info.st_uid, .gid = path.info.st_gid};
    sources.weaker.emplace_back(
        "a mounted file system has no id-mapped mounts: the call runs as the host's root, without "
        "capabilities");
    return std::nullopt;
  }
  if (!source.writable && MayOthersUse(path)) {
    sources.weaker.emplace_back(
        "a mounted file system has no id-mapped mounts: the call cannot read what only root may");
    return std::nullopt;
  }
  return SetupFailure{
      "id map of " + source.path +
          " (it belongs to root and its file system has no id-mapped mounts, so the call would run "
          "as root: let another user own it, move it to ext4, xfs or btrfs, or name the exception: "
          "sandbox: {require: {id_maps: false}})",
      EPERM};
}

sock_fprog ToProgram(const seccomp::Filter& filter) {
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(filter.instructions.size());
  program.filter = const_cast<sock_filter*>(filter.instructions.data());
  return program;
}

// clone3 with all signals blocked, so that none of our handlers runs in the child.
long CloneChild(const kernel::CloneArgs& args, const ChildInput& input) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const long pid = kernel::Clone3(args);
  if (pid == 0) {
    RunChild(input);
  }
  const int clone_errno = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = clone_errno;
  return pid;
}

// What the child says of its way into its cgroup: 0 or -errno.
int AwaitEntered(const UniqueFd& report, int pidfd) {
  struct pollfd polled[] = {{.fd = report.get(), .events = POLLIN, .revents = 0},
                            {.fd = pidfd, .events = POLLIN, .revents = 0}};
  while (::poll(polled, 2, -1) < 0 && errno == EINTR) {
  }
  int entered = -ECHILD;
  const ssize_t size = ::recv(report.get(), &entered, sizeof entered, MSG_DONTWAIT);
  return size == sizeof entered ? entered : -ECHILD;
}

bool IsOurShortage(int error) {
  return error == EAGAIN || error == ENOMEM;
}

}  // namespace

std::variant<Sources, SetupFailure> OpenSources(const LaunchPlan& plan,
                                                const LaunchContext& context) {
  Sources sources;
  sources.run_as = {.uid = context.host->uid, .gid = context.host->gid};
  std::vector<PathInfo> paths;
  for (const Source& source : plan.sources) {
    auto opened = OpenPath(source);
    if (auto* failure = std::get_if<SetupFailure>(&opened)) {
      return *failure;
    }
    paths.push_back(std::move(std::get<PathInfo>(opened)));
  }
  if (plan.privileged) {
    if (auto failure = ChooseIdentity(plan, paths, *context.mappings, sources)) {
      return *failure;
    }
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    OpenedSource opened{.tree = -1,
                        .is_directory = S_ISDIR(paths[i].info.st_mode),
                        .device = paths[i].info.st_dev,
                        .inode = paths[i].info.st_ino};
    if (plan.privileged) {
      int tree = MakeTree(paths[i], plan.sources[i], sources.run_as, *context.mappings);
      if (tree < 0) {
        tree = MakePlainTree(paths[i], plan.sources[i]);
      }
      if (tree < 0) {
        return SetupFailure{"mount " + plan.sources[i].path, -tree};
      }
      auto high = MoveUp(UniqueFd(tree));
      if (!high.ok()) {
        return SetupFailure{"mount " + plan.sources[i].path, EMFILE};
      }
      sources.descriptors.push_back(std::move(high).value());
      opened.tree = sources.descriptors.back().get();
    }
    sources.opened.push_back(opened);
  }
  return sources;
}

std::vector<char*> ExecPointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& each : strings) {
    pointers.push_back(const_cast<char*>(each.c_str()));  // execve(2) does not write to them
  }
  pointers.push_back(nullptr);
  return pointers;
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    KillAndReap();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    parent_ = other.parent_;
  }
  return *this;
}

bool HasTimeNamespace(const LaunchPlan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(),
                     [](const Step& step) { return step.kind == StepKind::kTimeNamespace; });
}

void ChildProcess::Kill() const {
  if (pid_ > 0 && kernel::PidfdSendSignal(pidfd_.get(), SIGKILL) != 0 && parent_ == Parent::kUs) {
    ::kill(pid_, SIGKILL);  // our own, not yet reaped: its pid is no other's
  }
}

std::chrono::microseconds ChildProcess::Reap() {
  if (parent_ == Parent::kZygote) {
    pid_ = -1;
    return {};
  }
  struct rusage use = {};
  while (pid_ > 0 && ::wait4(pid_, nullptr, 0, &use) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  const auto to_microseconds = [](const struct timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return to_microseconds(use.ru_utime) + to_microseconds(use.ru_stime);
}

void ChildProcess::KillAndReap() {
  if (pid_ > 0) {
    Kill();
    Reap();
  }
}

Result<LaunchResult> Launch(const LaunchPlan& plan, const LaunchContext& context) {
  if (plan.unmet) {
    return LaunchResult(SetupFailure{*plan.unmet, ENOTSUP});
  }
  CallPipe input = NACRE_TRY(MakeCallPipe(Direction::kToChild));
  CallPipe output = NACRE_TRY(MakeCallPipe(Direction::kFromChild));
  CallPipe error = NACRE_TRY(MakeCallPipe(Direction::kFromChild));
  CallPipe channel = NACRE_TRY(MakeCallPipe(Direction::kFromChild));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return SysError("socketpair", errno);
  }
  UniqueFd report(ends[0]);
  const UniqueFd child_report = NACRE_TRY(MoveUp(UniqueFd(ends[1])));

  auto opened = OpenSources(plan, context);
  if (auto* failure = std::get_if<SetupFailure>(&opened)) {
    return LaunchResult(*failure);
  }
  Sources& sources = std::get<Sources>(opened);

  RunningCall call;
  // One task more: PID 1 is ours.
  const kernel::CgroupLimits bounds{.memory_bytes = plan.limits.memory_bytes,
                                    .tasks = plan.limits.tasks + 1ULL};
  std::vector<UniqueFd> entrances;
  if (plan.cgroup_version != kernel::CgroupVersion::kNone) {
    auto cgroup = kernel::Cgroup::Create(context.host->cgroup, context.cgroup_name, bounds);
    if (!cgroup.ok()) {
      return LaunchResult(SetupFailure{"cgroup (" + cgroup.error().message + ")", EPERM});
    }
    call.cgroup.emplace(std::move(cgroup).value());
    call.meter.emplace(call.cgroup->OpenMeter());
    entrances = NACRE_TRY(call.cgroup->OpenEntrances());
  }

  std::vector<int> kept = {input.theirs.get(), output.theirs.get(), error.theirs.get(),
                           channel.theirs.get(), child_report.get()};
  for (const UniqueFd& descriptor : sources.descriptors) {
    kept.push_back(descriptor.get());
  }
  if (context.interpreter_library >= 0) {
    kept.push_back(context.interpreter_library);
  }
  std::sort(kept.begin(), kept.end());
  std::vector<int> entrance_numbers;
  for (const UniqueFd& entrance : entrances) {
    entrance_numbers.push_back(entrance.get());
  }
  const std::vector<char*> argv = ExecPointers(plan.argv);
  const std::vector<char*> environment = ExecPointers(plan.environment);
  ChildInput child;
  child.plan = &plan;
  child.sources = sources.opened.data();
  child.report = child_report.get();
  child.standard_input = input.theirs.get();
  child.standard_output = output.theirs.get();
  child.standard_error = error.theirs.get();
  child.channel = channel.theirs.get();
  child.kept = kept.data();
  child.kept_count = kept.size();
  child.entrances = entrance_numbers.data();
  child.entrance_count = entrance_numbers.size();
  child.tool_filter = ToProgram(context.tool_filters->reporting);
  child.killing_tool_filter = ToProgram(context.tool_filters->killing);
  child.reaper_filter = ToProgram(*context.reaper_filter);
  child.argv = argv.data();
  child.environment = environment.data();
  child.slot = context.slot;
  child.interpreter_library = context.interpreter_library;

  child.expected.outside = sources.run_as;
  child.expected.launcher = OwnNamespaces();
  child.expected.separate =
      SeparateNamespaces((context.namespaces & ~plan.shared_namespaces) |
                         (HasTimeNamespace(plan) ? kernel::kCloneNewTime : 0));

  int pidfd = -1;
  kernel::CloneArgs args;
  args.flags = (context.namespaces & ~plan.shared_namespaces) | CLONE_PIDFD |
               kernel::kCloneClearSignalHandlers;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (call.cgroup && call.cgroup->dir_fd() >= 0) {
    args.flags |= kernel::kCloneIntoCgroup;
    args.cgroup = static_cast<uint64_t>(call.cgroup->dir_fd());
  }
  const long pid = CloneChild(args, child);
  if (pid < 0) {
    if (IsOurShortage(errno)) {
      return SysError("clone3", errno);
    }
    return LaunchResult(SetupFailure{"namespaces", errno});
  }
  call.child = ChildProcess(static_cast<pid_t>(pid), UniqueFd(pidfd));
  if (plan.privileged) {
    const int mapped = kernel::WriteIdMaps(
        call.child.pid(), {.uid = plan.inside_id, .gid = plan.inside_id}, sources.run_as);
    if (mapped != 0) {
      return LaunchResult(SetupFailure{"id map", -mapped});
    }
  }
  const int entered = entrances.empty() ? 0 : AwaitEntered(report, call.child.pidfd());
  if (entered != 0) {
    return LaunchResult(SetupFailure{"enter cgroup", -entered});
  }
  if (call.meter && !kernel::HoldsCgroup(call.meter->ReadState(), bounds)) {
    return LaunchResult(SetupFailure{"evidence (cgroup limits)", EPROTO});
  }
  const char go = 1;
  if (::send(report.get(), &go, 1, MSG_NOSIGNAL) != 1) {
    return LaunchResult(SetupFailure{"start", errno});
  }
  call.report = std::move(report);
  call.standard_input = std::move(input.ours);
  call.standard_output = std::move(output.ours);
  call.standard_error = std::move(error.ours);
  call.channel = std::move(channel.ours);
  call.weaker = plan.weaker;
  call.weaker.insert(call.weaker.end(), sources.weaker.begin(), sources.weaker.end());
  return LaunchResult(std::move(call));
}

}  // namespace nacre::sandbox
