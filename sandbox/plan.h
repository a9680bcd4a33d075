// LaunchPlan: everything that the set-up child of a call does, in order, decided beforehand.
//
// Between clone3(2) and execve(2) the child of a threaded process may not allocate, lock or log. So
// MakePlan, a pure function, lays out every step and every string; child_setup.cc only walks them.
// The order is the security argument and reads like a table of contents: identity, system mounts,
// pivot, no_new_privs, [the tool's process], the call's mounts, capabilities, descriptors, rlimits,
// Landlock, seccomp, exec.
//
// The steps before `prepared_steps` know nothing of the call but its limits: a warm sandbox has
// taken them before the call came (sandbox/zygote).
//
// Source: design document section 6; reference "Recommended sequence".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sandbox/host_support.h"
#include "sandbox/kernel/landlock.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/sandbox_spec.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox {

// Of each file system that a call fills, for ourselves: its root, and the folders of an overlay.
inline constexpr uint64_t kOwnInodes = 8;

// With fewer, a call's cgroup has no room for a process that sets up what another one waits for.
inline constexpr uint32_t kTasksOfASplit = 2;

// The text of a transactional mount through which the call could not change what it should.
inline constexpr const char* kAsCopy = "copy";

// What a step does. The fields it uses are named in brackets. Paths of mount steps are relative to
// the new root; "host" means the path as the caller sees it.
enum class StepKind {
  kMapOwnIds = 0,      // [text: uid map, path: gid map] of an unprivileged caller
  kBecomeSandboxUser,  // plan.inside_id
  kDieWithParent,
  kPrivateMounts,
  kWriteHostFile,  // [path: host, text]
  kTimeNamespace,  // of the tool's process, which is forked later; a slot is born in its own
  kHostname,       // [text]
  kNewRoot,        // [number: bytes]
  kDirectory,      // [path, number: mode]
  kFile,           // [path, text]
  kSymlink,        // [path, text]
  kBindSystem,     // [path, text: host path, number: attributes]
  kBindDevice,     // [path, text: host path, number: device number]
  kTmpfs,          // [path, number: bytes, inodes]
  kShowTmp,        // [path] lets the monitor see how full it is
  kProc,           // [path, number: attributes, value: a ProcView]
  kOpenSource,     // [source, number: attributes] clones what an unprivileged launcher could not
  kPivot,
  kLimitCapabilities,  // none may ever be regained; what is held serves the mounts that follow
  kMountSource,        // [path, source, create] after the pivot, by the tool's process
  kOverlay,            // [path, number: attributes, value: inodes, source, create] a transactional
                       // mount: an overlay; where none can be made, or [text: kAsCopy], a copy
  kPin,                // [path] so that a directory above a protected path cannot be renamed
  kReadOnlyPath,       // [path]
  kHiddenPath,         // [path]
  kTerminal,           // [path, number: rows, value: columns] after the session
  kReadOnlyRoot,
  kCapabilities,
  kNoNewPrivileges,
  kStartTool,  // from here on it is the tool's process; the first one waits for it
  kSession,
  kDescriptors,       // [number: 1 makes the channel standard output]
  kResourceLimit,     // [number: resource, value]
  kWorkingDirectory,  // [path: in the sandbox]
  kPrepareLandlock,   // makes the ruleset with the rules that all calls share
  // Four of a warm sandbox only. The tool's process becomes the interpreter, without a capability; or
  // [number] it takes that many steps and waits. A child of it goes on after them, takes the steps that
  // need capabilities, and hands the rest over.
  kStartInterpreter,
  kSplit,
  kAwaitCall,      // the steps that follow come with the call
  kHandOver,       // the tool's process takes the steps that follow
  kLandlockRules,  // adds the call's own rules
  kLandlock,       // enforces them
  kSeccomp,
  kIdentityEvidence,  // reads what no later step changes: namespaces, id maps, /proc/self/status
  kEvidence,          // reads the rest. [number: EvidenceBits of report.h] fails if not as planned
  kExec,
};

struct Step {
  StepKind kind = StepKind::kExec;
  std::string name;  // "mount /workspace": named when it fails
  std::string path;
  std::string text;
  uint64_t number = 0;
  uint64_t value = 0;  // kResourceLimit: the limit; kTmpfs: inodes
  size_t source = 0;
  bool create = false;    // kMountSource: the mount point is made, on our own file system
  bool optional = false;  // a failure is reported as a weakness and the launch goes on

  friend bool operator==(const Step&, const Step&) = default;
};

// A mount of the spec, opened by the launcher before the child exists.
struct Source {
  std::string path;  // on the host
  uint64_t attributes = 0;
  bool writable = false;  // seen as writable: the call had better own it

  friend bool operator==(const Source&, const Source&) = default;
};

struct LaunchPlan {
  std::vector<Step> steps;
  size_t prepared_steps = 0;
  std::vector<Source> sources;
  std::vector<kernel::LandlockRule> landlock_rules;
  size_t prepared_rules = 0;  // those before it are the same for all calls of this host
  int landlock_abi = 0;
  std::string seccomp_profile;
  bool observe = false;
  std::string id;
  // Not empty: the calls of this group share one empty network namespace, where the launcher has one.
  std::string network_group;
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "NAME=value"
  // The entries of argv that start an interpreter before the call, in a warm sandbox; or none.
  std::vector<std::string> interpreter;
  Limits limits;
  kernel::CgroupVersion cgroup_version = kernel::CgroupVersion::kNone;
  bool privileged = false;  // run as nobody, see mounts through id mappings
  // Of the host, that an enclosure uses: a privileged caller's is in their group (IdsForDevice).
  std::vector<std::string> devices;
  uid_t inside_id = kernel::kInsideId;  // the one id that the call's user namespace maps
  bool may_be_root = false;             // on the host, where nothing else can use what is mounted
  std::vector<std::string> exceptions;  // what the spec does not require
  std::vector<std::string> weaker;      // known from the host
  bool cold = false;  // too rare to be kept ready: an enclosure, a terminal, an observed call
  // A layer that the spec requires and the host lacks: nothing is started.
  std::optional<std::string> unmet;
  // Tests only: clone flags of namespaces that the call shares with the host.
  uint64_t shared_namespaces = 0;
  // Tests only: this step fails with EIO instead of being done.
  std::optional<size_t> fail_at_step;

  friend bool operator==(const LaunchPlan&, const LaunchPlan&) = default;
};

// Shorter targets first, so that the more specific one lies on top. Pure.
std::vector<Mount> InMountOrder(std::vector<Mount> mounts);

// Whether a program in the mount can be executed: else it is noexec. Pure.
bool IsExecutable(const Mount& mount, const seccomp::Profile& profile);

// Pure. kInvalidArgument for a spec outside of its bounds (see spec_check.h); a host that lacks a
// layer is not an error but a plan with `unmet`.
Result<LaunchPlan> MakePlan(const SandboxSpec& spec, const HostSupport& host);

// What runs a call in a kernel of its own (runsc, qemu): a host program that is itself enclosed in the
// namespaces of a call. It finds the call's tree, with all its mounts and masks, at kGuestTree.
struct Enclosure {
  std::vector<std::string> argv;                           // argv[0] lies below a system path
  std::vector<std::pair<std::string, std::string>> files;  // path and content, made for it
  std::vector<std::string> host_files;                     // for it, read-only, at their own paths
  std::vector<std::pair<std::string, uint64_t>> devices;   // of the host, with their numbers
  // Not empty: it keeps the limits, the filter of this name (seccomp/syscall_groups.h) and the rules of
  // Landlock that follow from the rest, as a call does. Not for what makes namespaces.
  std::string seccomp_profile;
  std::vector<std::string> guest_directories;  // that the guest mounts something on
  std::vector<Mount> guest_mounts;             // in the tree, on top of the spec's
  // It makes namespaces of its own: keeps its capabilities, which count in its user namespace only.
  bool makes_namespaces = false;
  // What it takes for itself, on top of the spec's limits.
  Limits allowance;

  friend bool operator==(const Enclosure&, const Enclosure&) = default;
};

inline constexpr const char* kGuestTree = "/guest";

// Pure. The plan of the enclosure: its standard input and output are the call's input and channel.
Result<LaunchPlan> MakeEnclosurePlan(const SandboxSpec& spec, const HostSupport& host,
                                     const Enclosure& enclosure);

// One line per step, for review and golden tests. Pure.
std::string DescribePlan(const LaunchPlan& plan);

}  // namespace nacre::sandbox
