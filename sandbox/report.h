// Report: what the set-up child tells the launcher, over a socket pair that closes at execve.
//
// Only our own code ever holds the child's end: the tool's process until it executes, and PID 1,
// which runs nothing of the tool. One message per report; the first from the launcher is one byte:
// "your ids are mapped, go". Before that, a child that enters its cgroup itself says how: 0 or -errno.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "sandbox/kernel/user_namespace.h"
#include "sandbox/outcome.h"
#include "sandbox/plan.h"

namespace nacre::sandbox {

enum class ReportKind : uint32_t {
  kStepFailed = 1,  // index and error; nothing of the call runs
  kStepSkipped,     // an optional step: index and error
  kTmp,             // carries a descriptor of the call's /tmp
  kTerminal,        // carries our end of the call's terminal
  kCopying,         // error: why a transactional mount is no overlay but a copy
  kLayer,  // index: the LayerKind; carries the folder that a call's changes go to. To a copy
           // the launcher answers one byte, when it has read it
  kInterpreterUp,  // an interpreter that was started before its call waits for it
  kListener,       // carries the listener of the call's filter; without one: there is none
  kEvidence,       // what the kernel says of the process that is about to execute the tool
  kToolEnded,      // index: its wait status; all processes of the call but PID 1 are gone
};

inline constexpr size_t kNamespaceCount = 8;
inline constexpr std::array<const char*, kNamespaceCount> kNamespaceNames = {
    "user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};

inline constexpr size_t kResourceLimitCount = 16;  // RLIM_NLIMITS

// The only line of a uid_map or gid_map.
struct IdMap {
  uint32_t lines = 0;
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t count = 0;

  friend bool operator==(const IdMap&, const IdMap&) = default;
};

// What the kernel says of the process that is about to become the tool's, part by part.
enum class Evidence : uint32_t {
  kIdMaps = 0,  // one id, and the planned one
  kGroups,      // no supplementary groups
  kNamespaces,
  kNoNewPrivileges,
  kCapabilities,  // every set is empty
  kResourceLimits,
  kLandlock,
  kSeccomp,
};
inline constexpr uint32_t kEvidenceCount = 8;
const char* EvidenceName(Evidence evidence);  // "id maps", ...
constexpr uint64_t EvidenceBit(Evidence evidence) {
  return 1ULL << static_cast<uint32_t>(evidence);
}

// Indexes of what is no step of the plan.
inline constexpr int32_t kInheritedState = -1;
inline constexpr int32_t kFirstProcess = -2;

struct Report {
  ReportKind kind = ReportKind::kStepFailed;
  int32_t index = 0;
  int32_t error = 0;
  // kEvidence:
  int32_t landlock_denies = 0;  // a path outside of every rule was refused
  uint32_t mismatch = 0;        // kStepFailed: 1 + the Evidence that is not as planned; 0: none
  uint32_t status_bytes = 0;
  std::array<uint64_t, kNamespaceCount> namespaces = {};  // inode numbers
  IdMap uids;
  IdMap gids;
  std::array<uint64_t, kResourceLimitCount> soft_limits = {};  // by RLIMIT_ number; ~0: none
  std::array<uint64_t, kResourceLimitCount> hard_limits = {};
  uint64_t cpu_microseconds = 0;       // kToolEnded: of all of them
  std::array<char, 4096> status = {};  // the start of /proc/self/status
};

// Async-signal-safe. What cannot be sent is lost: the launcher then sees the socket close.
void SendReport(int socket, const Report& report, int descriptor = -1);

struct ReceivedReport {
  Report report;
  UniqueFd descriptor;  // kTmp, kTerminal, kLayer, kListener
};
// The next report, or nullopt when none waits (or none will come: `closed`).
std::optional<ReceivedReport> ReceiveReport(int socket, bool& closed);

// The inode numbers of the caller's own namespaces, in the order of kNamespaceNames; 0: unreadable.
// Async-signal-safe.
std::array<uint64_t, kNamespaceCount> OwnNamespaces();

// The bits, in the order of kNamespaceNames, of the namespaces that a process cloned with `flags` has of
// its own. Pure.
uint32_t SeparateNamespaces(uint64_t flags);

// "1000 65534 1\n" as a value; its count of lines is 0 for what is none. Async-signal-safe, pure.
IdMap ParseIdMap(std::string_view text);

// What the launcher knows of the process, besides its plan.
struct ExpectedEvidence {
  kernel::Ids outside;  // who it is on the host
  std::array<uint64_t, kNamespaceCount> launcher = {};
  uint32_t separate = 0;  // must differ from the launcher's: SeparateNamespaces()
};

// The first part of the evidence that is not as planned, of those that `checked` (EvidenceBits) names.
// Async-signal-safe: called before the tool's program is executed, which it then is not. Pure.
std::optional<Evidence> FindMismatch(const Report& evidence, const ExpectedEvidence& expected,
                                     const LaunchPlan& plan, uint64_t checked);

// What the evidence proves. Pure.
EnforcedLayers ReadEvidence(const Report& evidence,
                            const std::array<uint64_t, kNamespaceCount>& outside, int landlock_abi);

}  // namespace nacre::sandbox
