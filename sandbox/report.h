// Report: what the set-up child tells the launcher, over a socket pair that closes at execve.
//
// Only our own code ever holds the child's end: the tool's process until it executes, and PID 1,
// which runs nothing of the tool. One message per report; the first from the launcher is one byte:
// "your ids are mapped, go".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "sandbox/outcome.h"

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

inline constexpr size_t kNamespaceCount = 7;
inline constexpr std::array<const char*, kNamespaceCount> kNamespaceNames = {
    "user", "mnt", "pid", "net", "ipc", "uts", "cgroup"};

struct Report {
  ReportKind kind = ReportKind::kStepFailed;
  int32_t index = 0;
  int32_t error = 0;
  // kEvidence:
  int32_t landlock_denies = 0;  // a path outside of every rule was refused
  uint32_t status_bytes = 0;
  std::array<uint64_t, kNamespaceCount> namespaces = {};  // inode numbers
  uint64_t cpu_microseconds = 0;                          // kToolEnded: of all of them
  std::array<char, 4096> status = {};                     // the start of /proc/self/status
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

// What the evidence proves. Pure.
EnforcedLayers ReadEvidence(const Report& evidence,
                            const std::array<uint64_t, kNamespaceCount>& outside, int landlock_abi);

}  // namespace nacre::sandbox
