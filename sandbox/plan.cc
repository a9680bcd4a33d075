#include "sandbox/plan.h"

#include <sys/resource.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "sandbox/call_devices.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/report.h"
#include "sandbox/seccomp/syscall_groups.h"
#include "sandbox/spec_check.h"

namespace nacre::sandbox {
namespace {

constexpr uint64_t kPlain = kernel::kNoSuid | kernel::kNoDev;
constexpr uint64_t kSystem = kPlain | kernel::kReadOnly;
constexpr uint32_t kShmInodesMax = 1024;
constexpr uint64_t kEnclosureTmpInodes = 16384;
constexpr uint64_t kRootBytes = 1 << 20;  // our own files; what an enclosure gets comes on top
// The host counts them per user, for all calls and all else together: 128 by default.
constexpr uint64_t kInotifyInstancesMax = 16;
// Timers are counted among them, and all calls of a user together against the user's own limit.
constexpr uint64_t kPendingSignalsMax = 1024;
// An address space far above the memory limit: reserving is no use, and the watchdog or the cgroup
// gives the clearer outcome. It only keeps page tables and overcommit in bounds.
constexpr uint64_t kAddressSpaceFactor = 8;
constexpr uint64_t kAddressSpaceMin = 4ULL << 30;

constexpr char kPasswd[] =
    "root:x:0:0:root:/:/usr/sbin/nologin\n"
    "sandbox:x:1000:1000:sandbox:/tmp:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
constexpr char kGroup[] = "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n";
constexpr char kHosts[] = "127.0.0.1 localhost sandbox\n::1 localhost\n";
constexpr char kNsswitch[] = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n";

std::string Relative(const std::string& path) {
  return path.substr(1);
}

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Adds steps to a plan and remembers which directories it has made.
class Builder {
 public:
  explicit Builder(LaunchPlan& plan) : plan_(plan) {}

  Step& Add(StepKind kind, std::string name) {
    Step step;
    step.kind = kind;
    step.name = std::move(name);
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back();
  }

  Step& AddAt(StepKind kind, const std::string& verb, const std::string& path) {
    Step& step = Add(kind, verb + " " + path);
    step.path = Relative(prefix_ + path);
    return step;
  }

  // From here on paths are in `tree` ("": the root of all), which the steps see at `prefix`.
  void Enter(const std::string& tree, const std::string& prefix) {
    tree_ = tree;
    prefix_ = prefix;
  }

  // The directory and those above it, on the new root.
  void Directory(const std::string& path) {
    if (path == "/" || made_[tree_].contains(path)) {
      return;
    }
    Directory(Parent(path));
    made_[tree_].insert(path);
    AddAt(StepKind::kDirectory, "directory", path).number = 0755;
  }

  void File(const std::string& path, std::string content) {
    Directory(Parent(path));
    AddAt(StepKind::kFile, "file", path).text = std::move(content);
  }

  void Symlink(const std::string& path, std::string target) {
    Directory(Parent(path));
    AddAt(StepKind::kSymlink, "symlink", path).text = std::move(target);
  }

  // Once: later steps name the same directory for other reasons.
  void Pin(const std::string& path) {
    if (pinned_.insert(path).second) {
      AddAt(StepKind::kPin, "pin", path);
    }
  }

 private:
  LaunchPlan& plan_;
  std::string tree_;
  std::string prefix_;
  std::map<std::string, std::set<std::string>> made_;
  std::set<std::string> pinned_;
};

enum class Nested { kForbidden = 0, kAllowed };

void PlanIdentity(Builder& builder, const HostSupport& host, uid_t inside_id, Nested namespaces) {
  if (!host.privileged) {
    const std::string inside = std::to_string(inside_id) + " ";
    Step& map = builder.Add(StepKind::kMapOwnIds, "id map");
    map.text = inside + std::to_string(host.uid) + " 1\n";
    map.path = inside + std::to_string(host.gid) + " 1\n";
  }
  // Before the change of identity, after which these files would be another user's.
  if (namespaces == Nested::kForbidden) {
    Step& nested = builder.Add(StepKind::kWriteHostFile, "forbid nested user namespaces");
    nested.path = "/proc/sys/user/max_user_namespaces";
    nested.text = "0";
    nested.optional = true;
  }
  Step& watches = builder.Add(StepKind::kWriteHostFile, "leave file watches to others");
  watches.path = "/proc/sys/user/max_inotify_instances";
  watches.text = std::to_string(kInotifyInstancesMax);
  watches.optional = true;
  Step& first_to_die = builder.Add(StepKind::kWriteHostFile, "first to die when memory is short");
  first_to_die.path = "/proc/self/oom_score_adj";
  first_to_die.text = "1000";
  first_to_die.optional = true;
  if (namespaces == Nested::kForbidden && host.time_namespace) {
    builder.Add(StepKind::kTimeNamespace, "time namespace");
  }
  builder.Add(StepKind::kBecomeSandboxUser, "identity");
  builder.Add(StepKind::kDieWithParent, "die with parent");
  builder.Add(StepKind::kPrivateMounts, "private mounts");
  builder.Add(StepKind::kHostname, "hostname").text = "sandbox";
}

// See kernel/overlay.h: they are looked for in the directory that the mounts are made in.
void PlanOverlayFolders(Builder& builder) {
  builder.Directory("/.nacre/lower");
  builder.Directory("/.nacre/upper");
}

void PlanNewRoot(Builder& builder, uint64_t bytes = kRootBytes) {
  builder.Add(StepKind::kNewRoot, "new root").number = bytes;
  builder.Directory("/.nacre/directory");
  builder.File("/.nacre/file", "");
  PlanOverlayFolders(builder);
}

void PlanSystemTree(Builder& builder, const HostSupport& host) {
  builder.File("/etc/passwd", kPasswd);
  builder.File("/etc/group", kGroup);
  builder.File("/etc/hosts", kHosts);
  builder.File("/etc/nsswitch.conf", kNsswitch);
  for (const SystemPath& entry : host.system_paths) {
    if (entry.kind == SystemPath::Kind::kSymlink) {
      builder.Symlink(entry.path, entry.link_target);
      continue;
    }
    if (entry.kind == SystemPath::Kind::kDirectory) {
      builder.Directory(entry.path);
    } else {
      builder.File(entry.path, "");
    }
    Step& bind = builder.AddAt(StepKind::kBindSystem, "system", entry.path);
    bind.text = entry.path;
    bind.number = IsBelow(entry.path, "/etc") ? kSystem | kernel::kNoExec : kSystem;
  }
}

void PlanDevice(Builder& builder, const std::string& path, uint64_t number) {
  builder.File(path, "");
  Step& bind = builder.AddAt(StepKind::kBindDevice, "device", path);
  bind.text = path;
  bind.number = number;
}

void PlanDevices(Builder& builder) {
  for (const CallDevice& device : kCallDevices) {
    PlanDevice(builder, device.path, makedev(kCallDeviceMajor, device.minor));
  }
  for (const CallDeviceLink& link : kCallDeviceLinks) {
    builder.Symlink(link.path, link.target);
  }
}

void PlanFileSystems(Builder& builder, const Limits& limits) {
  builder.Directory("/dev/shm");
  Step& shm = builder.AddAt(StepKind::kTmpfs, "tmpfs", "/dev/shm");
  shm.number = std::min(kShmBytes, limits.disk_bytes);
  shm.value = std::min(kShmInodesMax, limits.inodes);
  builder.Directory("/tmp");
  Step& tmp = builder.AddAt(StepKind::kTmpfs, "tmpfs", "/tmp");
  tmp.number = limits.disk_bytes;
  tmp.value = limits.inodes + kOwnInodes;
  builder.AddAt(StepKind::kShowTmp, "watch", "/tmp");
  builder.Directory("/proc");
  builder.AddAt(StepKind::kProc, "proc", "/proc").number = kSystem | kernel::kNoExec;
}

// The writable mount that a path lies strictly below, or nullptr: the most specific one counts.
const Mount* WritableAbove(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (path != mount.target && IsBelow(path, mount.target) &&
        (best == nullptr || mount.target.size() > best->target.size())) {
      best = &mount;
    }
  }
  return best != nullptr && best->access != Access::kRead ? best : nullptr;
}

// A mount keeps its own directory from being renamed, but not the directories above it: a tool could
// move those aside and put its own in their place, for the host to find.
void PinAbove(Builder& builder, const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* writable = WritableAbove(mounts, path);
  if (writable == nullptr) {
    return;
  }
  std::vector<std::string> between;
  for (std::string each = Parent(path); each != writable->target; each = Parent(each)) {
    between.push_back(each);
  }
  for (auto each = between.rbegin(); each != between.rend(); ++each) {
    builder.Pin(*each);
  }
}

uint64_t MountAttributes(const Mount& mount, const seccomp::Profile& profile) {
  uint64_t attributes = kPlain;
  if (mount.access == Access::kRead) {
    attributes |= kernel::kReadOnly;
  }
  if (!IsExecutable(mount, profile)) {
    attributes |= kernel::kNoExec;
  }
  return attributes;
}

kernel::LandlockGrant MountGrant(const Mount& mount, const seccomp::Profile& profile) {
  using kernel::LandlockGrant;
  const bool executable = IsExecutable(mount, profile);
  if (mount.access != Access::kRead) {
    return executable ? LandlockGrant::kReadWriteExecute : LandlockGrant::kReadWrite;
  }
  return executable ? LandlockGrant::kReadExecute : LandlockGrant::kRead;
}

// Before the pivot, after which the host's paths are gone.
void PlanSources(Builder& builder, LaunchPlan& plan, const std::vector<Mount>& mounts,
                 const seccomp::Profile& profile) {
  for (const Mount& mount : mounts) {
    const bool lower = mount.access == Access::kTransactional;  // of an overlay
    const uint64_t attributes = MountAttributes(mount, profile) | (lower ? kernel::kReadOnly : 0);
    if (!plan.privileged) {
      Step& step = builder.Add(StepKind::kOpenSource, "open " + mount.source);
      step.source = plan.sources.size();
      step.number = attributes;
    }
    plan.sources.push_back({.path = mount.source,
                            .attributes = attributes,
                            .writable = mount.access != Access::kRead});
  }
}

void PlanMounts(Builder& builder, LaunchPlan& plan, const std::vector<Mount>& mounts,
                const HostSupport& host, const seccomp::Profile& profile) {
  for (const Mount& mount : mounts) {
    const bool on_foreign_tree =
        std::any_of(mounts.begin(), mounts.end(),
                    [&](const Mount& other) {
                      return other.target != mount.target && IsBelow(mount.target, other.target);
                    }) ||
        std::any_of(host.system_paths.begin(), host.system_paths.end(),
                    [&](const SystemPath& system) { return IsBelow(mount.target, system.path); });
    PinAbove(builder, mounts, mount.target);
    if (!on_foreign_tree) {
      builder.Directory(Parent(mount.target));
    }
    const bool overlay = mount.access == Access::kTransactional;
    Step& step = builder.AddAt(overlay ? StepKind::kOverlay : StepKind::kMountSource,
                               overlay ? "overlay" : "mount", mount.target);
    step.number = MountAttributes(mount, profile);
    step.value = overlay ? plan.limits.inodes + kOwnInodes : 0;
    step.source = static_cast<size_t>(&mount - mounts.data());  // as PlanSources() numbers them
    step.create = !on_foreign_tree;
    plan.landlock_rules.push_back({mount.target, MountGrant(mount, profile)});
  }
}

void PlanProtectedPaths(Builder& builder, const SandboxSpec& spec,
                        const std::vector<Mount>& mounts) {
  for (const std::string& path : spec.read_only) {
    PinAbove(builder, mounts, path);
    builder.AddAt(StepKind::kReadOnlyPath, "read-only", path);
  }
  for (const std::string& path : spec.hidden) {
    PinAbove(builder, mounts, path);
  }
  // One after the other, and sorted: a transactional mount looks them up (child_setup.cc).
  std::vector<std::string> hidden = spec.hidden;
  std::sort(hidden.begin(), hidden.end());
  for (const std::string& path : hidden) {
    builder.AddAt(StepKind::kHiddenPath, "hide", path);
  }
}

// Exactly 1: not even to a program that core_pattern names, which 0 does not stop (fs/coredump.c).
constexpr uint64_t kCoreBytes = 1;

void PlanLimits(Builder& builder, const Limits& limits) {
  struct Limit {
    const char* name;
    int resource;
    uint64_t value;
  };
  const uint64_t address_space =
      std::max(kAddressSpaceMin, limits.memory_bytes * kAddressSpaceFactor);
  for (const Limit& limit :
       {Limit{"core", RLIMIT_CORE, kCoreBytes}, Limit{"files", RLIMIT_NOFILE, limits.files},
        Limit{"file size", RLIMIT_FSIZE, limits.disk_bytes},
        // One for PID 1, and one so that the watchdog can see the limit exceeded.
        Limit{"tasks", RLIMIT_NPROC, limits.tasks + 2ULL},
        // One more than the watchdog's, whose outcome is the clearer one.
        Limit{"cpu", RLIMIT_CPU, static_cast<uint64_t>(limits.cpu.count()) + 1},
        Limit{"address space", RLIMIT_AS, address_space},
        Limit{"locked memory", RLIMIT_MEMLOCK, 64 * 1024}, Limit{"nice", RLIMIT_NICE, 0},
        Limit{"real time", RLIMIT_RTPRIO, 0},
        Limit{"pending signals", RLIMIT_SIGPENDING, kPendingSignalsMax},
        Limit{"message queues", RLIMIT_MSGQUEUE, 0}}) {
    Step& step = builder.Add(StepKind::kResourceLimit, std::string("limit ") + limit.name);
    step.number = static_cast<uint64_t>(limit.resource);
    step.value = limit.value;
  }
}

void PlanSystemRules(LaunchPlan& plan, const HostSupport& host) {
  using kernel::LandlockGrant;
  // Names may be listed everywhere: what must not be seen is not mounted.
  plan.landlock_rules.push_back({"/", LandlockGrant::kList});
  for (const SystemPath& entry : host.system_paths) {
    if (entry.kind == SystemPath::Kind::kDirectory && !IsBelow(entry.path, "/etc")) {
      plan.landlock_rules.push_back({entry.path, LandlockGrant::kReadExecute});
    }
  }
  plan.landlock_rules.push_back({"/etc", LandlockGrant::kRead});
  plan.landlock_rules.push_back({"/proc", LandlockGrant::kRead});
  for (const CallDevice& device : kCallDevices) {
    plan.landlock_rules.push_back({device.path, LandlockGrant::kUseDevice});
  }
}

// What the enclosed program itself may do with files. It executes none of the call's.
void PlanEnclosureRules(LaunchPlan& plan, const HostSupport& host, const Enclosure& enclosure,
                        const std::vector<Mount>& mounts) {
  using kernel::LandlockGrant;
  PlanSystemRules(plan, host);
  plan.landlock_rules.push_back({"/tmp", LandlockGrant::kReadWrite});
  for (const auto& [path, content] : enclosure.files) {
    plan.landlock_rules.push_back({path, LandlockGrant::kRead});
  }
  for (const std::string& path : enclosure.host_files) {
    plan.landlock_rules.push_back({path, LandlockGrant::kRead});
  }
  for (const auto& [path, number] : enclosure.devices) {
    plan.landlock_rules.push_back({path, LandlockGrant::kControlDevice});
  }
  plan.landlock_rules.push_back({kGuestTree, LandlockGrant::kRead});
  for (const Mount& mount : mounts) {
    plan.landlock_rules.push_back({kGuestTree + mount.target, mount.access == Access::kRead
                                                                  ? LandlockGrant::kRead
                                                                  : LandlockGrant::kReadWrite});
  }
}

uint64_t CommonEvidence(const HostSupport& host) {
  return EvidenceBit(Evidence::kIdMaps) | EvidenceBit(Evidence::kNamespaces) |
         EvidenceBit(Evidence::kNoNewPrivileges) | EvidenceBit(Evidence::kResourceLimits) |
         // An ordinary user's groups cannot be dropped; that is said.
         (host.privileged || !host.has_other_groups ? EvidenceBit(Evidence::kGroups) : 0);
}

std::optional<std::string> FindUnmet(const SandboxSpec& spec, const HostSupport& host) {
  if (!host.namespaces) {
    return host.namespaces_problem.empty() ? "namespaces"
                                           : "namespaces (" + host.namespaces_problem + ")";
  }
  if (!host.pidfd) {
    return "pidfd";
  }
  if (!host.mount_api) {
    return "mount API";
  }
  if (!host.seccomp) {
    return "seccomp";
  }
  if (host.landlock_abi < spec.require.landlock_abi) {
    return "Landlock ABI " + std::to_string(spec.require.landlock_abi);
  }
  if (spec.require.cgroup && host.cgroup.version == kernel::CgroupVersion::kNone) {
    return "cgroup";
  }
  if (host.hides_processes && host.cgroup.version == kernel::CgroupVersion::kNone) {
    return std::string("limits of memory, tasks and cpu (there is no cgroup, and ") +
           (host.lists_no_children
                ? "this kernel does not list a process's children: delegate a cgroup, see nacre "
                  "doctor, or use a kernel with CONFIG_PROC_CHILDREN)"
                : "/proc does not show a call's processes: delegate a cgroup, see nacre doctor, or "
                  "mount /proc without hidepid)");
  }
  return std::nullopt;
}

std::vector<std::string> FindExceptions(const Requirements& require) {
  std::vector<std::string> exceptions;
  if (require.landlock_abi == 0) {
    exceptions.emplace_back("landlock");
  }
  if (!require.cgroup) {
    exceptions.emplace_back("cgroup");
  }
  if (!require.id_maps) {
    exceptions.emplace_back("id_maps");
  }
  return exceptions;
}

std::vector<std::string> FindWeaker(const SandboxSpec& spec, const HostSupport& host) {
  std::vector<std::string> weaker;
  if (host.cgroup.version == kernel::CgroupVersion::kNone) {
    weaker.push_back("memory and tasks are limited by rlimits and a watchdog, not by a cgroup");
  }
  if (host.landlock_abi == 0) {
    weaker.push_back("files are guarded by mounts only: this kernel offers no Landlock");
  }
  if (!host.time_namespace) {
    weaker.push_back("the call sees how long the host has been up: it has no time namespace");
  }
  if (host.crashes_reach_host) {
    weaker.push_back(
        "a call that crashes is shown to the program in kernel.core_pattern: start nacre with a "
        "hard "
        "limit for core files of at least 1 (LimitCORE=1)");
  }
  if (!host.privileged && host.has_other_groups) {
    weaker.push_back("the caller's supplementary groups cannot be dropped without privilege");
  }
  // Only file systems of the call's own have a quota.
  if (std::any_of(spec.mounts.begin(), spec.mounts.end(),
                  [](const Mount& mount) { return mount.access == Access::kReadWrite; })) {
    weaker.push_back(
        "what the call writes in place, to files of the host, is limited file by file and not in "
        "sum, neither bytes nor files");
  }
  return weaker;
}

}  // namespace

std::vector<Mount> InMountOrder(std::vector<Mount> mounts) {
  std::sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) {
    return std::make_pair(a.target.size(), a.target) < std::make_pair(b.target.size(), b.target);
  });
  return mounts;
}

bool IsExecutable(const Mount& mount, const seccomp::Profile& profile) {
  return mount.executable == Executable::kYes &&
         (mount.access == Access::kRead || profile.runs_what_it_makes);
}

Result<LaunchPlan> MakePlan(const SandboxSpec& spec, const HostSupport& host) {
  NACRE_TRY(CheckSpec(spec));
  const seccomp::Profile profile = NACRE_TRY(seccomp::FindProfile(spec.seccomp_profile));
  LaunchPlan plan;
  plan.id = spec.id;
  plan.argv = spec.argv;
  if (spec.limits.tasks >= kTasksOfASplit) {
    plan.interpreter.assign(spec.argv.begin(),
                            spec.argv.begin() + static_cast<long>(spec.interpreter_arguments));
  }
  for (const auto& [name, value] : spec.environment) {
    plan.environment.push_back(name + "=" + value);
  }
  plan.limits = spec.limits;
  plan.seccomp_profile = spec.seccomp_profile;
  plan.observe = spec.observe;
  // What is prepared beforehand knows neither the filter that asks nor a terminal.
  plan.cold = plan.cold || spec.observe || spec.terminal.has_value();
  if (host.landlock_abi >= kernel::kLandlockScopesAbi) {
    plan.network_group = spec.network_group;
  }
  plan.landlock_abi = host.landlock_abi;
  plan.cgroup_version = host.cgroup.version;
  plan.privileged = host.privileged;
  plan.unmet = FindUnmet(spec, host);
  plan.may_be_root = !spec.require.id_maps;
  plan.exceptions = FindExceptions(spec.require);
  plan.weaker = FindWeaker(spec, host);

  const std::vector<Mount> mounts = InMountOrder(spec.mounts);
  Builder builder(plan);
  PlanIdentity(builder, host, plan.inside_id, Nested::kForbidden);
  PlanNewRoot(builder);
  PlanSystemTree(builder, host);
  PlanDevices(builder);
  PlanFileSystems(builder, spec.limits);
  PlanSources(builder, plan, mounts, profile);
  builder.Add(StepKind::kPivot, "pivot");
  builder.Add(StepKind::kLimitCapabilities, "limit capabilities");
  builder.Add(StepKind::kNoNewPrivileges, "no new privileges");
  builder.Add(StepKind::kStartTool, "start the tool's process");
  builder.Add(StepKind::kSession, "new session");
  PlanSystemRules(plan, host);
  for (const char* own : {"/dev/shm", "/tmp"}) {
    plan.landlock_rules.push_back({own, kernel::LandlockGrant::kReadWrite});
  }
  plan.prepared_rules = plan.landlock_rules.size();
  if (plan.landlock_abi > 0) {
    builder.Add(StepKind::kPrepareLandlock, "Landlock ruleset");
  }
  plan.prepared_steps = plan.steps.size();
  PlanMounts(builder, plan, mounts, host, profile);
  PlanProtectedPaths(builder, spec, mounts);
  if (spec.terminal) {
    Step& terminal = builder.AddAt(StepKind::kTerminal, "terminal", "/dev/pts");
    terminal.number = spec.terminal->rows;
    terminal.value = spec.terminal->columns;
  }
  builder.Add(StepKind::kReadOnlyRoot, "read-only root");
  builder.Add(StepKind::kCapabilities, "drop capabilities");
  builder.Add(StepKind::kDescriptors, "descriptors");
  PlanLimits(builder, spec.limits);
  builder.Add(StepKind::kWorkingDirectory, "working directory").path = spec.working_directory;
  if (plan.landlock_abi > 0) {
    builder.Add(StepKind::kLandlockRules, "Landlock rules");
    builder.Add(StepKind::kLandlock, "Landlock");
  }
  builder.Add(StepKind::kSeccomp, "seccomp");
  builder.Add(StepKind::kIdentityEvidence, "evidence of identity");
  builder.Add(StepKind::kEvidence, "evidence").number =
      CommonEvidence(host) | EvidenceBit(Evidence::kCapabilities) |
      EvidenceBit(Evidence::kSeccomp) |
      (plan.landlock_abi > 0 ? EvidenceBit(Evidence::kLandlock) : 0);
  builder.Add(StepKind::kExec, "exec");
  return plan;
}

Result<LaunchPlan> MakeEnclosurePlan(const SandboxSpec& spec, const HostSupport& host,
                                     const Enclosure& enclosure) {
  NACRE_TRY(CheckSpec(spec));
  if (spec.terminal || spec.observe) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string(spec.terminal ? "a terminal" : "an explanation of what was refused") +
                     " can be had in isolation namespace only, not in " +
                     std::string(IsolationName(spec.isolation))};
  }
  const seccomp::Profile profile = NACRE_TRY(seccomp::FindProfile(spec.seccomp_profile));
  LaunchPlan plan;
  plan.id = spec.id;
  plan.argv = enclosure.argv;
  plan.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LANG=C.UTF-8"};
  const Limits& more = enclosure.allowance;
  plan.limits = {.wall = spec.limits.wall + more.wall,
                 .cpu = spec.limits.cpu + more.cpu,
                 .memory_bytes = spec.limits.memory_bytes + more.memory_bytes,
                 .tasks = spec.limits.tasks + more.tasks,
                 .files = spec.limits.files + more.files,
                 .output_bytes = more.output_bytes,  // of the program itself: its complaints
                 .disk_bytes = spec.limits.disk_bytes,
                 .inodes = spec.limits.inodes};
  const bool locked = !enclosure.seccomp_profile.empty();
  plan.seccomp_profile = locked ? enclosure.seccomp_profile : spec.seccomp_profile;
  plan.landlock_abi = locked ? host.landlock_abi : 0;
  plan.cgroup_version = host.cgroup.version;
  plan.privileged = host.privileged;
  // Who makes namespaces is "root" of its own, where it maps one id that owns nothing on the host.
  plan.inside_id = enclosure.makes_namespaces ? 0 : kernel::kInsideId;
  plan.cold = true;
  SandboxSpec required = spec;
  required.require.landlock_abi = 0;  // guards the host's kernel, which the call does not reach
  plan.unmet = FindUnmet(required, host);
  plan.may_be_root = !spec.require.id_maps;
  plan.exceptions = FindExceptions(spec.require);
  plan.weaker = FindWeaker(spec, host);

  HostSupport with_files = host;
  for (const std::string& file : enclosure.host_files) {
    with_files.system_paths.push_back(
        {.kind = SystemPath::Kind::kFile, .path = file, .link_target = {}});
  }
  std::vector<Mount> mounts = spec.mounts;
  mounts.insert(mounts.end(), enclosure.guest_mounts.begin(), enclosure.guest_mounts.end());
  mounts = InMountOrder(std::move(mounts));

  Builder builder(plan);
  PlanIdentity(builder, host, plan.inside_id,
               enclosure.makes_namespaces ? Nested::kAllowed : Nested::kForbidden);
  uint64_t root_bytes = kRootBytes;
  for (const auto& [path, content] : enclosure.files) {
    root_bytes += content.size();
  }
  PlanNewRoot(builder, root_bytes);
  PlanSystemTree(builder, with_files);
  PlanDevices(builder);
  for (const auto& [path, number] : enclosure.devices) {
    PlanDevice(builder, path, number);
    plan.devices.push_back(path);
  }
  builder.Directory("/tmp");
  Step& tmp = builder.AddAt(StepKind::kTmpfs, "tmpfs", "/tmp");
  tmp.number = more.disk_bytes;
  tmp.value = kEnclosureTmpInodes;
  for (const auto& [path, content] : enclosure.files) {
    builder.File(path, content);
  }
  builder.Directory("/proc");
  Step& proc = builder.AddAt(StepKind::kProc, "proc", "/proc");
  proc.number = kPlain | kernel::kNoExec;
  proc.value = static_cast<uint64_t>(kernel::ProcView::kEverything);
  builder.Directory(kGuestTree);
  builder.Enter(kGuestTree, kGuestTree);
  PlanOverlayFolders(builder);
  PlanSystemTree(builder, host);
  for (const std::string& directory : enclosure.guest_directories) {
    builder.Directory(directory);
  }
  builder.Enter("", "");
  PlanSources(builder, plan, mounts, profile);
  builder.Add(StepKind::kPivot, "pivot");
  if (!enclosure.makes_namespaces) {
    builder.Add(StepKind::kLimitCapabilities, "limit capabilities");
  }
  builder.Add(StepKind::kNoNewPrivileges, "no new privileges");
  builder.Add(StepKind::kStartTool, "start the enclosed program");
  builder.Add(StepKind::kSession, "new session");
  plan.prepared_steps = plan.steps.size();
  // Mounts, hidden and read-only paths are looked up as if the tree were the root.
  builder.Add(StepKind::kWorkingDirectory, "enter the guest's tree").path = kGuestTree;
  builder.Enter(kGuestTree, "");
  PlanMounts(builder, plan, mounts, host, profile);
  PlanProtectedPaths(builder, spec, mounts);
  plan.landlock_rules.clear();  // of the call, which talks to a kernel of its own
  builder.Enter("", "");
  builder.Add(StepKind::kWorkingDirectory, "leave the guest's tree").path = "/";
  builder.Add(StepKind::kReadOnlyRoot, "read-only root");
  if (!enclosure.makes_namespaces) {
    builder.Add(StepKind::kCapabilities, "drop capabilities");
  }
  builder.Add(StepKind::kDescriptors, "descriptors").number = 1;
  if (locked) {
    PlanLimits(builder, plan.limits);
    PlanEnclosureRules(plan, host, enclosure, mounts);
  } else {
    Step& core = builder.Add(StepKind::kResourceLimit, "limit core");
    core.number = RLIMIT_CORE;
    core.value = kCoreBytes;
  }
  if (plan.landlock_abi > 0) {
    builder.Add(StepKind::kPrepareLandlock, "Landlock ruleset");
    builder.Add(StepKind::kLandlockRules, "Landlock rules");
    builder.Add(StepKind::kLandlock, "Landlock");
  }
  if (locked) {
    builder.Add(StepKind::kSeccomp, "seccomp");
  }
  builder.Add(StepKind::kIdentityEvidence, "evidence of identity");
  builder.Add(StepKind::kEvidence, "evidence").number =
      CommonEvidence(host) |
      (enclosure.makes_namespaces ? 0 : EvidenceBit(Evidence::kCapabilities)) |
      (locked ? EvidenceBit(Evidence::kSeccomp) : 0) |
      (plan.landlock_abi > 0 ? EvidenceBit(Evidence::kLandlock) : 0);
  builder.Add(StepKind::kExec, "exec");
  return plan;
}

std::string DescribePlan(const LaunchPlan& plan) {
  std::ostringstream text;
  for (const Step& step : plan.steps) {
    text << step.name;
    if (step.kind == StepKind::kBindSystem || step.kind == StepKind::kMountSource ||
        step.kind == StepKind::kOverlay) {
      text << ((step.number & kernel::kReadOnly) != 0 ? " ro" : " rw")
           << ((step.number & kernel::kNoExec) != 0 ? " noexec" : " exec");
    }
    if (step.kind == StepKind::kMountSource || step.kind == StepKind::kOverlay) {
      text << " from " << plan.sources[step.source].path
           << (step.create ? "" : " (onto what exists)");
    }
    if (step.kind == StepKind::kResourceLimit) {
      text << " " << step.value;
    }
    if (step.kind == StepKind::kTmpfs) {
      text << " " << step.number << " bytes " << step.value << " inodes";
    }
    text << (step.optional ? " (optional)\n" : "\n");
  }
  for (const kernel::LandlockRule& rule : plan.landlock_rules) {
    static constexpr const char* kGrants[] = {
        "list",   "read",          "read-execute", "read-write", "read-write-execute",
        "device", "control-device"};
    text << "Landlock " << rule.path << " " << kGrants[static_cast<int>(rule.grant)] << "\n";
  }
  return text.str();
}

}  // namespace nacre::sandbox
