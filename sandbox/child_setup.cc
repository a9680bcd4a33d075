#include "sandbox/child_setup.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "sandbox/kernel/capabilities.h"
#include "sandbox/kernel/cgroup.h"
#include "sandbox/kernel/landlock.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/kernel/overlay.h"
#include "sandbox/kernel/shared_child.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/kernel/time_namespace.h"
#include "sandbox/kernel/tree_copy.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/layer_kind.h"
#include "sandbox/reaper.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

constexpr uint64_t kRootInodes = 1024;
constexpr uint64_t kData = kernel::kNoSuid | kernel::kNoDev | kernel::kNoExec;
// Where the new root is assembled. It exists wherever /proc works, and the old one is not needed
// from then on.
constexpr char kAssembly[] = "/proc";

int OrError(long result) {
  return result < 0 ? -errno : 0;
}

int WriteFileAt(const char* path, int flags, const char* text, size_t size) {
  const int file = ::open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0444);
  if (file < 0) {
    return -errno;
  }
  const ssize_t written = size == 0 ? 0 : ::write(file, text, size);
  const int result = written < 0 ? -errno : static_cast<size_t>(written) == size ? 0 : -EIO;
  ::close(file);
  return result;
}

// By the child itself, and dumpable for that moment: the files of a process that is not dumpable
// belong to root, and a careful runtime is not.
int MapOwnIds(const Step& step) {
  if (::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
    return -errno;
  }
  int result = WriteFileAt("/proc/self/setgroups", O_WRONLY, "deny", 4);
  if (result == 0) {
    result = WriteFileAt("/proc/self/uid_map", O_WRONLY, step.text.data(), step.text.size());
  }
  if (result == 0) {
    result = WriteFileAt("/proc/self/gid_map", O_WRONLY, step.path.data(), step.path.size());
  }
  return result;
}

// Ids are set by raw calls: glibc's would signal other threads, which this process does not have.
int BecomeSandboxUser(const LaunchPlan& plan) {
  if (plan.privileged && ::syscall(SYS_setgroups, 0, nullptr) != 0) {
    return -errno;
  }
  const gid_t gid = plan.inside_id;
  const uid_t uid = plan.inside_id;
  if (::syscall(SYS_setresgid, gid, gid, gid) != 0 ||
      ::syscall(SYS_setresuid, uid, uid, uid) != 0) {
    return -errno;
  }
  // Our memory is a copy of the launcher's: nobody in the sandbox may look into it.
  return OrError(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

// After the change of ids, which would have cleared it.
int DieWithParent(int report) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    return -errno;
  }
  char byte = 0;
  // It may have died before the line above: then the socket is closed.
  return ::recv(report, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 ? -ECANCELED : 0;
}

int AttachAndClose(int tree, int target) {
  const int result = target < 0 ? target : kernel::Attach(tree, target);
  ::close(tree);
  if (target >= 0) {
    ::close(target);
  }
  return result;
}

// Puts a detached tree at a path of the new root. `tree` may be the -errno of its making.
int AttachAt(int tree, const char* path) {
  return tree < 0 ? tree : AttachAndClose(tree, kernel::OpenBeneath(path));
}

int MakeNewRoot(const Step& step) {
  const int tree = kernel::NewTmpfs(step.number, kRootInodes, "755", kData);
  if (tree < 0) {
    return tree;
  }
  const int result = AttachAndClose(tree, ::open(kAssembly, O_PATH | O_DIRECTORY | O_CLOEXEC));
  return result != 0 ? result : OrError(::chdir(kAssembly));
}

int WithAttributes(int tree, uint64_t attributes) {
  const int result = tree < 0 ? tree : kernel::SetAttributes(tree, attributes);
  if (tree >= 0 && result < 0) {
    ::close(tree);
    return result;
  }
  return tree;
}

int BindDevice(const Step& step) {
  const int tree = WithAttributes(kernel::CloneTree(AT_FDCWD, step.text.c_str()),
                                  kernel::kNoSuid | kernel::kNoExec | kernel::kReadOnly);
  struct stat info = {};
  if (tree >= 0 && (::fstat(tree, &info) != 0 || !S_ISCHR(info.st_mode) ||
                    info.st_rdev != static_cast<dev_t>(step.number))) {
    ::close(tree);
    return -ENODEV;
  }
  return AttachAt(tree, step.path.c_str());
}

int OpenSource(const Step& step, OpenedSource& source, const char* host_path) {
  int tree = kernel::CloneTree(AT_FDCWD, host_path);
  struct stat info = {};
  if (tree >= 0 &&
      (::fstat(tree, &info) != 0 || info.st_dev != source.device || info.st_ino != source.inode)) {
    ::close(tree);
    return -ESTALE;  // replaced since the launcher opened it
  }
  tree = WithAttributes(tree, step.number);
  source.tree = tree;
  return tree < 0 ? tree : 0;
}

// `tree` may be the -errno of its making.
int AttachSource(const Step& step, const OpenedSource& source, int tree) {
  if (tree >= 0 && step.create) {
    const int made = source.is_directory
                         ? OrError(::mkdir(step.path.c_str(), 0755))
                         : WriteFileAt(step.path.c_str(), O_WRONLY | O_CREAT | O_EXCL, "", 0);
    if (made != 0 && made != -EEXIST) {
      ::close(tree);
      return made;
    }
  }
  return AttachAt(tree, step.path.c_str());
}

int TakeTree(OpenedSource& source) {
  const int tree = source.tree;
  source.tree = -1;
  return tree < 0 ? -EBADF : tree;
}

int OpenUpper(int layers) {
  const int upper = ::openat(layers, kernel::kUpperFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return upper < 0 ? -errno : upper;
}

void GiveLayer(const ChildInput& input, LayerKind kind, int upper) {
  Report message;
  message.kind = ReportKind::kLayer;
  message.index = static_cast<int32_t>(kind);
  SendReport(input.report, message, upper);
}

int MakeOverlay(const ChildInput& input, const Step& step, int lower) {
  const UniqueFd layers(kernel::NewTmpfs(input.plan->limits.disk_bytes, step.value, "700", kData));
  if (!layers) {
    return layers.get();
  }
  UniqueFd overlay(kernel::NewOverlay(lower, layers.get(), step.number));
  if (!overlay) {
    return overlay.get();
  }
  const UniqueFd upper(OpenUpper(layers.get()));
  if (!upper) {
    return upper.get();
  }
  GiveLayer(input, LayerKind::kOverlay, upper.get());
  return overlay.release();
}

// What is hidden below a transactional mount, as the plan's steps say, which are sorted by path.
struct HiddenPaths {
  const Step* first = nullptr;
  size_t count = 0;
  const char* target = nullptr;  // of the mount
};

// Compares "TARGET/PATH" with a step's path.
int CompareBelow(const char* target, const char* path, const char* with) {
  for (; *target != '\0'; ++target, ++with) {
    if (*target != *with) {
      return static_cast<unsigned char>(*target) < static_cast<unsigned char>(*with) ? -1 : 1;
    }
  }
  return *with == '/' ? std::strcmp(path, with + 1) : '/' < *with ? -1 : 1;
}

bool IsHidden(const void* context, const char* path) {
  const auto* hidden = static_cast<const HiddenPaths*>(context);
  size_t low = 0;
  size_t high = hidden->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = CompareBelow(hidden->target, path, hidden->first[middle].path.c_str());
    if (order == 0) {
      return true;
    }
    (order < 0 ? high : low) = order < 0 ? middle : middle + 1;
  }
  return false;
}

// Where no overlay can be made: all of the workspace, within the same limits. The launcher looks at it
// before the call can change it.
int MakeCopy(const ChildInput& input, const Step& step, int lower) {
  const LaunchPlan& plan = *input.plan;
  HiddenPaths hidden;
  hidden.target = step.path.c_str();
  for (const Step& each : plan.steps) {
    if (each.kind == StepKind::kHiddenPath) {
      hidden.first = hidden.count == 0 ? &each : hidden.first;
      ++hidden.count;
    }
  }
  const UniqueFd layers(kernel::NewTmpfs(
      plan.limits.disk_bytes, step.value + kernel::kCopiedEntriesMax, "700", step.number));
  if (!layers) {
    return layers.get();
  }
  if (::mkdirat(layers.get(), kernel::kUpperFolder, 0700) != 0) {
    return -errno;
  }
  const UniqueFd upper(OpenUpper(layers.get()));
  if (!upper) {
    return upper.get();
  }
  const int copied = kernel::CopyTree(
      lower, upper.get(),
      {.bytes = plan.limits.disk_bytes, .is_hidden = IsHidden, .context = &hidden});
  if (copied != 0) {
    return copied;
  }
  GiveLayer(input, LayerKind::kCopy, upper.get());
  char seen = 0;
  ssize_t got = 0;
  do {
    got = ::recv(input.report, &seen, 1, 0);
  } while (got < 0 && errno == EINTR);
  return got == 1 ? kernel::UpperTree(layers.get()) : -ECANCELED;
}

int MountTransactional(const ChildInput& input, const Step& step) {
  OpenedSource& source = input.sources[step.source];
  const UniqueFd lower(TakeTree(source));
  if (!lower) {
    return lower.get();
  }
  // What is another owner's cannot be changed through an overlay: see workspace/ownership.h.
  const bool as_copy = step.text == kAsCopy;
  int tree = as_copy ? -EOVERFLOW : MakeOverlay(input, step, lower.get());
  if (as_copy || kernel::IsNoOverlay(tree)) {
    Report message;
    message.kind = ReportKind::kCopying;
    message.error = -tree;
    SendReport(input.report, message);
    tree = MakeCopy(input, step, lower.get());
  }
  return AttachSource(step, source, tree);
}

// A terminal on a devpts that nobody else has. Our end goes to the launcher; the call's end takes the
// place of its standard descriptors. The call may not open the devpts itself: no Landlock rule
// names it.
int GiveTerminal(const ChildInput& input, const Step& step) {
  if (::mkdir(step.path.c_str(), 0755) != 0) {
    return -errno;
  }
  const int attached =
      AttachAt(kernel::NewTerminals(kernel::kNoSuid | kernel::kNoExec), step.path.c_str());
  if (attached != 0) {
    return attached;
  }
  const int directory = kernel::OpenBeneath(step.path.c_str());
  if (directory < 0) {
    return directory;
  }
  Report message;
  message.kind = ReportKind::kTerminal;
  const int unlocked = 0;
  struct winsize size = {};
  size.ws_row = static_cast<unsigned short>(step.number);
  size.ws_col = static_cast<unsigned short>(step.value);
  const int ours = ::openat(directory, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  int theirs = -1;
  int result = 0;
  if (ours < 0 || ::ioctl(ours, TIOCSPTLCK, &unlocked) != 0 ||
      ::ioctl(ours, TIOCSWINSZ, &size) != 0 ||
      (theirs = ::ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
      ::ioctl(theirs, TIOCSCTTY, 0) != 0 || ::dup3(theirs, input.standard_input, O_CLOEXEC) < 0 ||
      ::dup3(theirs, input.standard_output, O_CLOEXEC) < 0 ||
      ::dup3(theirs, input.standard_error, O_CLOEXEC) < 0) {
    result = -errno;
  } else {
    SendReport(input.report, message, ours);
  }
  ::close(ours);
  ::close(theirs);
  ::close(directory);
  return result;
}

int ShowTmp(const Step& step, int report) {
  const int directory = kernel::OpenBeneath(step.path.c_str());
  if (directory < 0) {
    return directory;
  }
  Report message;
  message.kind = ReportKind::kTmp;
  SendReport(report, message, directory);
  ::close(directory);
  return 0;
}

int Pivot() {
  if (kernel::PivotRoot(".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0) {
    return -errno;
  }
  return OrError(::chdir("/"));
}

// Mounts the path onto itself. A path that does not exist needs no guard.
int Rebind(const Step& step, uint64_t attributes) {
  const int target = kernel::OpenBeneath(step.path.c_str());
  if (target < 0) {
    return target == -ENOENT || target == -ENOTDIR ? 0 : target;
  }
  int tree = kernel::CloneTree(target, "");
  if (attributes != 0) {
    tree = WithAttributes(tree, attributes);
  }
  ::close(target);
  return AttachAt(tree, step.path.c_str());
}

int Hide(const Step& step) {
  const int target = kernel::OpenInRoot(step.path.c_str());
  if (target < 0) {
    return target == -ENOENT || target == -ENOTDIR ? 0 : target;
  }
  struct stat info = {};
  if (::fstat(target, &info) != 0) {
    return -errno;
  }
  const char* mask = S_ISDIR(info.st_mode) ? "/.nacre/directory" : "/.nacre/file";
  const int tree = WithAttributes(kernel::CloneTree(AT_FDCWD, mask), kData | kernel::kReadOnly);
  if (tree < 0) {
    ::close(target);
    return tree;
  }
  return AttachAndClose(tree, target);
}

int MakeRootReadOnly() {
  struct mount_attr attr = {};
  attr.attr_set = kData | kernel::kReadOnly;
  return OrError(::mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof attr));
}

// The tool's program must not run beside a PID 1 that could still do more than wait. By now it has
// long been ready. Once.
int AwaitFirstProcess(ChildState& state) {
  if (state.locked < 0) {
    return 0;
  }
  char word = 0;
  ssize_t got = 0;
  do {
    got = ::recv(state.locked, &word, 1, 0);
  } while (got < 0 && errno == EINTR);
  const int result = got == 1 ? 0 : got < 0 ? -errno : -ECANCELED;
  ::close(state.locked);
  state.locked = -1;
  return result;
}

int ArrangeDescriptors(const ChildInput& input, ChildState& state, bool channel_is_output) {
  if (const int locked = AwaitFirstProcess(state); locked != 0) {
    return locked;
  }
  const int output = channel_is_output ? input.channel : input.standard_output;
  if (::dup2(input.standard_input, 0) < 0 || ::dup2(output, 1) < 0 ||
      ::dup2(input.standard_error, 2) < 0) {
    return -errno;
  }
  if (!channel_is_output && ::dup2(input.channel, 3) < 0) {
    return -errno;
  }
  const auto report = static_cast<unsigned>(input.report);
  if (kernel::CloseRange(channel_is_output ? 3 : 4, report - 1) != 0) {
    return -errno;
  }
  unsigned next = report + 1;
  if (state.ruleset >= 0) {
    const auto ruleset = static_cast<unsigned>(state.ruleset);
    if (ruleset > next && kernel::CloseRange(next, ruleset - 1) != 0) {
      return -errno;
    }
    next = ruleset + 1;
  }
  return OrError(kernel::CloseRange(next, ~0U));
}

int SetLimit(const Step& step, pid_t process) {
  const auto resource = static_cast<__rlimit_resource>(step.number);
  struct rlimit limit = {};
  limit.rlim_cur = step.value;
  // SIGXCPU first, then SIGKILL.
  limit.rlim_max = step.number == RLIMIT_CPU ? step.value + 1 : step.value;
  struct rlimit current = {};
  if (::prlimit(process, resource, nullptr, &current) == 0 && current.rlim_max < limit.rlim_max) {
    limit.rlim_max = current.rlim_max;  // already stricter
    limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  }
  return OrError(::prlimit(process, resource, &limit, nullptr));
}

// Bytes read, or -errno.
int ReadSome(const char* path, char* into, size_t room) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return -errno;
  }
  const ssize_t size = ::read(file, into, room);
  const int read_errno = errno;
  ::close(file);
  return size > 0 ? static_cast<int>(size) : size == 0 ? -EIO : -read_errno;
}

int ReadIdMap(const char* path, IdMap& map) {
  char text[512];
  const int size = ReadSome(path, text, sizeof text);
  if (size >= 0) {
    map = ParseIdMap({text, static_cast<size_t>(size)});
  }
  return size;
}

// What the kernel says of this process, which becomes the tool's with the next step, unless something
// is not as planned. Of identity first, which takes longest to read.
int ReadIdentity(ChildState& state) {
  Report& evidence = state.evidence;
  evidence.kind = ReportKind::kEvidence;
  evidence.namespaces = OwnNamespaces();
  const int size = ReadSome("/proc/self/status", evidence.status.data(), evidence.status.size());
  const int uids = ReadIdMap("/proc/self/uid_map", evidence.uids);
  const int gids = ReadIdMap("/proc/self/gid_map", evidence.gids);
  if (size < 0 || uids < 0 || gids < 0) {
    return size < 0 ? size : uids < 0 ? uids : gids;
  }
  evidence.status_bytes = static_cast<uint32_t>(size);
  return 0;
}

int GiveEvidence(const ChildInput& input, ChildState& state, uint64_t checked) {
  Report& evidence = state.evidence;
  if (evidence.kind != ReportKind::kEvidence) {
    return -EINVAL;
  }
  for (size_t i = 0; i < kResourceLimitCount; ++i) {
    struct rlimit limit = {};
    if (::getrlimit(static_cast<__rlimit_resource>(i), &limit) != 0) {
      return -errno;
    }
    evidence.soft_limits[i] = limit.rlim_cur;
    evidence.hard_limits[i] = limit.rlim_max;
  }
  const int outside = ::open("/.nacre/file", O_RDONLY | O_CLOEXEC);
  evidence.landlock_denies = outside < 0 && errno == EACCES ? 1 : 0;
  if (outside >= 0) {
    ::close(outside);
  }
  state.mismatch = FindMismatch(evidence, input.expected, *input.plan, checked);
  if (state.mismatch) {
    return -EPROTO;
  }
  SendReport(input.report, evidence);
  return 0;
}

// What the tool's process goes on with, in the memory of the first one.
struct ToolStart {
  const ChildInput* input = nullptr;
  ChildState* state = nullptr;
  size_t next = 0;  // of the plan's steps
  int locks[2];     // ours, and the first process's
};

int RunTool(void* argument) {
  auto& start = *static_cast<ToolStart*>(argument);
  ::close(start.locks[1]);
  start.state->locked = start.locks[0];
  WalkSteps(*start.input, *start.state, start.next);
}

// The tool's process. In a slot it shares memory with PID 1 until it becomes a program: a copy costs more
// than most steps, and a slot was born in its time namespace, which only a copy could enter. PID 1 makes no
// call that fails from here on, unless the call ends with it: errno is the tool's.
int StartTool(const ChildInput& input, ChildState& state, size_t at) {
  ToolStart start{.input = &input, .state = &state, .next = at + 1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, start.locks) != 0) {
    return -errno;
  }
  long pid = -1;
  if (input.slot != nullptr) {
    pid = kernel::StartSharedChild(&RunTool, &start, SIGCHLD);
  } else {
    pid = kernel::RawFork();
    if (pid == 0) {
      RunTool(&start);
    }
    pid = pid < 0 ? -errno : pid;
  }
  if (pid < 0) {
    return static_cast<int>(pid);
  }
  RunReaper(static_cast<pid_t>(pid), input.report, start.locks[1], input.plan->landlock_abi,
            input.reaper_filter);
}

// Whoever holds the listener learns which call a violation was. A process can have one only, and a
// filter that the runtime was started under may have taken it: then a violation kills unnamed.
int LoadFilter(const ChildInput& input) {
  Report report;
  report.kind = ReportKind::kListener;
  const int listener = static_cast<int>(::syscall(
      SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &input.tool_filter));
  if (listener < 0) {
    if (errno != EBUSY) {
      return -errno;
    }
    SendReport(input.report, report);
    return OrError(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &input.killing_tool_filter));
  }
  SendReport(input.report, report, listener);
  ::close(listener);
  return 0;
}

int PrepareLandlock(const ChildInput& input, ChildState& state) {
  const LaunchPlan& plan = *input.plan;
  const int ruleset = kernel::MakeLandlockRuleset(plan.landlock_abi, kernel::LandlockScope::kAll);
  if (ruleset < 0) {
    return ruleset;
  }
  state.ruleset = ::fcntl(ruleset, F_DUPFD_CLOEXEC, input.report + 1);
  ::close(ruleset);
  if (state.ruleset < 0) {
    return -errno;
  }
  return kernel::AddLandlockRules(state.ruleset, plan.landlock_abi, plan.landlock_rules.data(),
                                  plan.prepared_rules);
}

int EnforceLandlock(const LaunchPlan& plan, ChildState& state) {
  const int result = kernel::RestrictByLandlock(state.ruleset, plan.landlock_abi);
  ::close(state.ruleset);
  state.ruleset = -1;
  return result;
}

int DoStep(const ChildInput& input, ChildState& state, size_t at) {
  const LaunchPlan& plan = *input.plan;
  const Step& step = plan.steps[at];
  const char* path = step.path.c_str();
  switch (step.kind) {
    case StepKind::kMapOwnIds:
      return MapOwnIds(step);
    case StepKind::kBecomeSandboxUser:
      return BecomeSandboxUser(plan);
    case StepKind::kDieWithParent:
      return DieWithParent(input.report);
    case StepKind::kPrivateMounts:
      return OrError(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
    case StepKind::kWriteHostFile:
      return WriteFileAt(path, O_WRONLY, step.text.data(), step.text.size());
    case StepKind::kTimeNamespace:
      return input.slot != nullptr ? 0 : kernel::NewTimeNamespaceForChildren();
    case StepKind::kHostname:
      return OrError(::sethostname(step.text.data(), step.text.size()));
    case StepKind::kNewRoot:
      return MakeNewRoot(step);
    case StepKind::kDirectory:
      return OrError(::mkdir(path, static_cast<mode_t>(step.number)));
    case StepKind::kFile:
      return WriteFileAt(path, O_WRONLY | O_CREAT | O_EXCL, step.text.data(), step.text.size());
    case StepKind::kSymlink:
      return OrError(::symlink(step.text.c_str(), path));
    case StepKind::kBindSystem:
      return AttachAt(WithAttributes(kernel::CloneTree(AT_FDCWD, step.text.c_str()), step.number),
                      path);
    case StepKind::kBindDevice:
      return BindDevice(step);
    case StepKind::kTmpfs:
      return AttachAt(kernel::NewTmpfs(step.number, step.value, "1777", kData), path);
    case StepKind::kShowTmp:
      return ShowTmp(step, input.report);
    case StepKind::kProc:
      return AttachAt(kernel::NewProc(step.number, static_cast<kernel::ProcView>(step.value)),
                      path);
    case StepKind::kOpenSource:
      return OpenSource(step, input.sources[step.source], plan.sources[step.source].path.c_str());
    case StepKind::kPivot:
      return Pivot();
    case StepKind::kLimitCapabilities:
      return kernel::LimitCapabilities();
    case StepKind::kMountSource:
      return AttachSource(step, input.sources[step.source], TakeTree(input.sources[step.source]));
    case StepKind::kOverlay:
      return MountTransactional(input, step);
    case StepKind::kPin:
      return Rebind(step, 0);
    case StepKind::kReadOnlyPath:
      return Rebind(step, kernel::kReadOnly);
    case StepKind::kHiddenPath:
      return Hide(step);
    case StepKind::kTerminal:
      return GiveTerminal(input, step);
    case StepKind::kReadOnlyRoot:
      return MakeRootReadOnly();
    case StepKind::kCapabilities: {
      const int locked = AwaitFirstProcess(state);
      return locked != 0 ? locked : kernel::DropCapabilities();
    }
    case StepKind::kNoNewPrivileges:
      return OrError(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    case StepKind::kStartTool:
      return StartTool(input, state, at);
    case StepKind::kSession:
      return OrError(::setsid());
    case StepKind::kDescriptors:
      return ArrangeDescriptors(input, state, step.number == 1);
    case StepKind::kResourceLimit:
      return SetLimit(step, state.tool);
    case StepKind::kWorkingDirectory:
      return OrError(::chdir(path));
    case StepKind::kPrepareLandlock:
      return PrepareLandlock(input, state);
    case StepKind::kStartInterpreter:
      return input.slot == nullptr ? -EINVAL : input.slot->start_interpreter(input, state);
    case StepKind::kSplit: {
      const int locked = AwaitFirstProcess(state);
      return locked != 0             ? locked
             : input.slot == nullptr ? -EINVAL
                                     : input.slot->split(input, state, at);
    }
    case StepKind::kAwaitCall:
      return input.slot == nullptr ? -EINVAL : input.slot->await_call(input, state);
    case StepKind::kHandOver:
      return input.slot == nullptr ? -EINVAL : input.slot->hand_over(input, state, at);
    case StepKind::kLandlockRules:
      return kernel::AddLandlockRules(state.ruleset, plan.landlock_abi,
                                      plan.landlock_rules.data() + plan.prepared_rules,
                                      plan.landlock_rules.size() - plan.prepared_rules);
    case StepKind::kLandlock:
      return EnforceLandlock(plan, state);
    case StepKind::kSeccomp:
      return LoadFilter(input);
    case StepKind::kIdentityEvidence:
      return ReadIdentity(state);
    case StepKind::kEvidence:
      return GiveEvidence(input, state, step.number);
    case StepKind::kExec:
      if (input.in_place) {
        return 0;
      }
      ::execve(input.argv[0], input.argv, input.environment);
      return -errno;
  }
  return -EINVAL;
}

// What the launcher's threads had open, and how it took signals, is none of the call's business.
int CleanInheritedState(const ChildInput& input) {
  unsigned next = 0;
  for (size_t i = 0; i < input.kept_count; ++i) {
    const auto kept = static_cast<unsigned>(input.kept[i]);
    if (kept > next && kernel::CloseRange(next, kept - 1) != 0) {
      return -errno;
    }
    next = kept + 1;
  }
  if (kernel::CloseRange(next, ~0U) != 0) {
    return -errno;
  }
  // What was ignored is so still. A zygote is our own, and ignores one.
  const int first_signal = input.slot != nullptr ? SIGPIPE : 1;
  const int last_signal = input.slot != nullptr ? SIGPIPE : SIGRTMAX;
  for (int signal = first_signal; signal <= last_signal; ++signal) {
    ::signal(signal, SIG_DFL);  // SIGKILL, SIGSTOP and libc's own cannot be set, nor need to
  }
  sigset_t none;
  sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) {
    return -errno;
  }
  ::umask(022);
  return 0;
}

}  // namespace

bool TakeSteps(const ChildInput& input, ChildState& state, size_t first, size_t end) {
  const LaunchPlan& plan = *input.plan;
  Report failure;
  for (size_t i = first; i < end; ++i) {
    const Step& step = plan.steps[i];
    const int result = plan.fail_at_step == i ? -EIO : DoStep(input, state, i);
    if (result == 0) {
      continue;
    }
    failure.kind = step.optional ? ReportKind::kStepSkipped : ReportKind::kStepFailed;
    failure.index = static_cast<int32_t>(input.first_index + i);
    failure.error = -result;
    failure.mismatch = state.mismatch ? 1 + static_cast<uint32_t>(*state.mismatch) : 0;
    SendReport(input.report, failure);
    if (!step.optional) {
      return false;
    }
  }
  return true;
}

void WalkSteps(const ChildInput& input, ChildState& state, size_t first) {
  TakeSteps(input, state, first, input.plan->steps.size());
  ::_exit(1);
}

void RunChild(const ChildInput& input) {
  if (input.entrance_count > 0) {
    const int entered = kernel::EnterCgroup(input.entrances, input.entrance_count);
    ::send(input.report, &entered, sizeof entered, MSG_NOSIGNAL);
  }
  const int cleaned = CleanInheritedState(input);
  char go = 0;
  ssize_t got = 0;
  do {
    got = ::recv(input.report, &go, 1, 0);
  } while (got < 0 && errno == EINTR);
  if (got != 1) {
    ::_exit(1);  // the launcher gave up, or is gone
  }
  if (cleaned != 0) {
    Report failure;
    failure.kind = ReportKind::kStepFailed;
    failure.index = kInheritedState;
    failure.error = -cleaned;
    SendReport(input.report, failure);
    ::_exit(1);
  }
  ChildState state;
  WalkSteps(input, state);
}

}  // namespace nacre::sandbox
