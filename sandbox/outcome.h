// Outcome: how a call ended, as a value. A refusal, a kill or a non-zero exit is not an error of
// the runtime; an Error is returned only when the runtime itself could not do its job.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sandbox/isolation.h"

namespace nacre::sandbox {

enum class OutcomeKind {
  kSetupFailed = 0,  // a protection could not be put in place: nothing of the call ran
  kExited,           // exit_code
  kSignaled,         // signal
  kViolation,        // a system call that its profile forbids: violated_syscall and violated_rule
  kTimedOut,         // wall-clock deadline
  kCpuExceeded,
  kOutOfMemory,
  kTasksExceeded,
  kDiskExceeded,
  kOutputExceeded,
  kCancelled,  // the caller's CancelToken
};

// What of the disk a call ran out of (kDiskExceeded).
enum class DiskLimit { kNone = 0, kBytes, kInodes };
// "", "bytes", "inodes".
const char* DiskLimitName(DiskLimit limit);

// "exited", "timed_out", ...: stable names, used in the log, the store and --json output.
const char* OutcomeKindName(OutcomeKind kind);

struct ResourceUse {
  std::chrono::microseconds wall{0};
  std::chrono::microseconds cpu{0};
  uint64_t memory_peak_bytes = 0;  // 0: not measured on this host

  friend bool operator==(const ResourceUse&, const ResourceUse&) = default;
};

// What was really in force, read back from the kernel for this call, not assumed from the request.
struct EnforcedLayers {
  std::string isolation = "namespace";  // the tier's name: see isolation.h
  // The kernel that answers the call's system calls, as it names itself; empty: the host's.
  std::string guest_kernel;
  std::vector<std::string>
      namespaces;        // "user", "mount", ... : those that differ from the runtime's
  int landlock_abi = 0;  // 0: none
  bool seccomp = false;
  bool no_new_privs = false;
  bool capabilities_empty = false;
  std::string uid_map;  // "1000 65534 1": inside, outside, count; what gid_map says is alike
  std::string gid_map;
  std::vector<uint32_t> groups;                     // supplementary, as seen inside
  std::map<std::string, uint64_t> resource_limits;  // soft ones, by prlimit(1)'s names: "nofile"
  std::string cgroup;                               // "v2", "v1" or "none"
  uint64_t cgroup_memory_bytes = 0;                 // its limits; 0: there is none
  uint64_t cgroup_tasks = 0;                        // our PID 1 among them
  // What the call did not require, by the names of Requirements: "landlock", "cgroup", "id_maps", "kvm".
  std::vector<std::string> exceptions;
  std::string workspace;            // of a transactional mount: "overlay" or "copy"; else empty
  std::vector<std::string> weaker;  // each stated weakness of this host, one sentence each

  friend bool operator==(const EnforcedLayers&, const EnforcedLayers&) = default;
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::kSetupFailed;
  int exit_code = -1;
  int signal = 0;
  std::string violated_syscall;  // its name, "syscall 999" or "i386 getpid"; empty: not learned
  std::string
      violated_rule;  // why the profile forbids it: "pure: files by inode, past every mount"
  DiskLimit disk = DiskLimit::kNone;
  std::string setup_step;    // the step that failed ...
  int setup_errno = 0;       // ... and why; 0: setup_step is a whole clause
  std::string output;        // standard output, capped at Limits::output_bytes
  std::string error_output;  // standard error, likewise
  bool output_truncated = false;
  ResourceUse use;
  EnforcedLayers layers;
  bool warm = false;         // in a sandbox that was built before the call came
  std::string cold_because;  // with a zygote, but not warm: why
};

// Of a call that its tier could not begin; `why` in place of a step.
Outcome NotStarted(Isolation isolation, std::string why);

// One line for the model and for people: "the call timed out after 30 s". Never quotes output.
std::string Describe(const Outcome& outcome);

}  // namespace nacre::sandbox
