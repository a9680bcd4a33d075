// SandboxSpec: everything that one call may touch, as a value. The zero value grants nothing.
// The sandbox has never heard of policy, sessions or models: runtime/agent/spec_builder translates.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/isolation.h"

namespace nacre::sandbox {

// kTransactional: seen as writable, while every change goes to a private layer that Run() hands over
// through CallIo::OnCallLayer; the source itself is not touched.
enum class Access { kRead = 0, kReadWrite, kTransactional };
enum class Executable { kNo = 0, kYes };

// A read-only system tree (/usr and what links into it) is always there; these come on top.
// The most specific target wins, whatever the order.
struct Mount {
  std::string
      source;  // on the host: absolute, an existing file or directory; its last component is not a symlink
  std::string target;  // in the sandbox: absolute, normalised
  Access access = Access::kRead;
  // A writable mount is executable only under a profile that runs what it makes ("build").
  Executable executable = Executable::kNo;

  friend bool operator==(const Mount&, const Mount&) = default;
};

struct Limits {
  std::chrono::milliseconds wall{30'000};
  std::chrono::seconds cpu{10};
  uint64_t memory_bytes = 512ULL << 20;
  uint32_t tasks = 64;                 // processes and threads
  uint32_t files = 256;                // open descriptors per process
  uint64_t output_bytes = 1ULL << 20;  // standard output and error, each
  // One file; all of /tmp and of what a transactional mount takes, together. What is written to a
  // kReadWrite mount is not summed up: the call's EnforcedLayers say so.
  uint64_t disk_bytes = 256ULL << 20;
  // Files, folders and links there, together. In isolation gvisor: in transactional mounts only.
  uint32_t inodes = 65'536;

  friend bool operator==(const Limits&, const Limits&) = default;
};

// What the host must offer or the call does not start. Each that is not required is an exception,
// which the call's EnforcedLayers name. Everything else that nacre uses (namespaces, seccomp,
// no_new_privs, empty capabilities, rlimits) is required always.
struct Requirements {
  int landlock_abi = 1;
  bool cgroup = true;  // memory and task limits by cgroup, not by rlimit and watchdog
  // For a privileged caller: what root owns is seen through an id mapping, so that no call has to
  // run as the host's root, without capabilities, where a file system has no such mounts.
  bool id_maps = true;
  // In isolation microvm: the processor's own virtualisation. Without it QEMU emulates a processor, many
  // times slower, and its emulation is no wall by itself; what encloses QEMU still is.
  bool kvm = true;

  friend bool operator==(const Requirements&, const Requirements&) = default;
};

struct TerminalSize {
  uint16_t rows = 24;
  uint16_t columns = 80;

  friend bool operator==(const TerminalSize&, const TerminalSize&) = default;
};

struct SandboxSpec {
  std::string id;                 // names the cgroup: letters, digits and '-'
  std::vector<std::string> argv;  // argv[0] is an absolute path inside the sandbox
  std::vector<std::pair<std::string, std::string>> environment;  // all of it: nothing is inherited
  // Not 0: so many entries of argv, from the first, start an interpreter and hold nothing of a call
  // (interpreter/python.h). A warm sandbox starts it before the call is there.
  size_t interpreter_arguments = 0;
  std::string working_directory = "/";
  std::vector<Mount> mounts;
  // Paths in the sandbox that read as an empty file or directory, or as a read-only copy of
  // themselves. Paths that do not exist are ignored.
  std::vector<std::string> hidden;
  std::vector<std::string> read_only;
  std::string seccomp_profile = "default";  // see seccomp/syscall_groups.h: Profiles()
  // Not empty: names the calls (letters, digits and '-'; those of one session) that may share one
  // network namespace, which is empty. Cheaper; stated as a weakness of the call. Only where Landlock
  // keeps their abstract sockets apart (ABI 6), otherwise each has its own.
  std::string network_group;
  Isolation isolation = Isolation::kNamespace;
  // Standard input, output and error are a terminal of the call's own, whose other end goes to
  // CallIo::OnTerminal. In isolation namespace only.
  std::optional<TerminalSize> terminal;
  // What the profile refuses, and which files are named, is told to CallIo::OnObserved. Slow; nothing
  // is allowed that is not allowed otherwise. In isolation namespace only.
  bool observe = false;
  Limits limits;
  Requirements require;

  friend bool operator==(const SandboxSpec&, const SandboxSpec&) = default;
};

}  // namespace nacre::sandbox
