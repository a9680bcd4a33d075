// Cgroup: the leaf directories that bound one call's memory and tasks.
//
// A tool can fork out of its process group and its session, but not out of its cgroup, and only the
// kernel can count pages as they are touched. Version 2 where its controllers are delegated to us
// (a call is then born inside, by CLONE_INTO_CGROUP), else the version 1 hierarchies where we may
// create directories (a call's first act is to move in), else none: limits by rlimit and watchdog.
//
//   const CgroupHost host = FindCgroupHost();
//   Cgroup cgroup = NACRE_TRY(Cgroup::Create(host, "nacre-1-call", {.memory_bytes = 256 << 20}));
//   clone_args.cgroup = cgroup.dir_fd();
//
// Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{memory,pids}.rst, Linux 6.18.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sandbox::kernel {

enum class CgroupVersion { kNone = 0, kV1, kV2 };

// The operations on one version 2 directory. `directory` is its descriptor. They ask nothing of the
// file system but the files that cgroup-v2.rst names, so that they are tested on a made-up tree too.
namespace v2 {

// Makes the memory and pids controllers available to the children of a cgroup. One other than the
// root may not have processes then: we move ourselves into a child "nacre-runtime" first.
bool EnableControllers(const std::string& path);
// SIGKILL to every process in it and below, at once and for good. False before Linux 5.14.
bool Kill(int directory);
// Whether a process is in it or below; nullopt: it does not say.
std::optional<bool> IsPopulated(int directory);

}  // namespace v2

// "none", "v1", "v2".
const char* CgroupVersionName(CgroupVersion version);

// Where this process may create cgroups.
struct CgroupHost {
  CgroupVersion version = CgroupVersion::kNone;
  std::string memory_directory;  // version 2: the one directory
  std::string pids_directory;
  std::string cpu_directory;  // version 1: cpuacct; may be empty
  std::string detail;         // why not, when kNone
  // When kNone: the version in which this host has the memory controller; kNone again where it has not.
  CgroupVersion mounted = CgroupVersion::kNone;

  friend bool operator==(const CgroupHost&, const CgroupHost&) = default;
};

// Where a process is, from the texts of /proc/self/cgroup and /proc/self/mountinfo. Pure.
struct CgroupPaths {
  std::string v2;
  std::string v1_memory;
  std::string v1_pids;
  std::string v1_cpuacct;

  friend bool operator==(const CgroupPaths&, const CgroupPaths&) = default;
};
CgroupPaths ParseCgroupPaths(const std::string& cgroup, const std::string& mountinfo);

// Tries what it reports: creates a cgroup, sets its limits, removes it. For version 2 it enables the
// memory and pids controllers for our own cgroup's children, where that is allowed.
CgroupHost FindCgroupHost();

struct CgroupLimits {
  uint64_t memory_bytes = 0;
  uint64_t tasks = 0;  // processes and threads

  friend bool operator==(const CgroupLimits&, const CgroupLimits&) = default;
};

// Writes the limits of a cgroup whose memory and task files lie in these two directories (in version
// 2 the same).
Status WriteCgroupLimits(CgroupVersion version, int memory_directory, int pids_directory,
                         const CgroupLimits& limits);

// As the kernel has them now.
struct CgroupState {
  CgroupLimits limits;  // 0: unreadable or unlimited
  uint64_t tasks = 0;   // in it
};

// Whether a cgroup that somebody entered is as `wanted`. The kernel keeps whole pages. Pure.
bool HoldsCgroup(const CgroupState& state, const CgroupLimits& wanted);

struct CgroupEvents {
  uint64_t out_of_memory = 0;  // tasks that the kernel killed for memory
  uint64_t task_refusals = 0;  // forks that it refused for the tasks limit
  uint64_t memory_peak_bytes = 0;
  std::chrono::microseconds cpu{0};
  bool has_cpu = false;
};

// Reads what a cgroup has seen. Its descriptors are opened once: a call is looked at every tick, and
// once more in the moment in which its caller waits for it. Thread-compatible.
class CgroupMeter final {
 public:
  enum {
    kMemoryEvents = 0,
    kMemoryPeak,
    kTaskEvents,
    kCpu,
    kMemoryLimit,
    kTaskLimit,
    kTasks,
    kKill,
    kFiles
  };
  // In that order; a file that the kernel does not offer reads as zero.
  CgroupMeter(CgroupVersion version, std::array<UniqueFd, kFiles> files)
      : version_(version), files_(std::move(files)) {}

  CgroupEvents Read() const;
  CgroupState ReadState() const;
  // Version 2: ends all that is in it at once. False where that cannot be had.
  bool Kill() const;
  // To be handed to another process.
  std::array<UniqueFd, kFiles>& files() { return files_; }

 private:
  CgroupVersion version_ = CgroupVersion::kNone;
  std::array<UniqueFd, kFiles> files_;
};

// Thread-compatible. A default-made one bounds nothing.
class Cgroup final {
 public:
  // Writes every limit before returning, so nothing enters an unlimited cgroup. On failure nothing
  // is left on disk.
  static Result<Cgroup> Create(const CgroupHost& host, const std::string& name,
                               const CgroupLimits& limits);

  Cgroup() = default;
  Cgroup(Cgroup&&) noexcept = default;
  Cgroup& operator=(Cgroup&&) = delete;
  // Ends what is still in it (version 2) and removes the directories, waiting up to a second for the
  // kernel to let go of dead tasks.
  ~Cgroup();

  // For clone3(2) with CLONE_INTO_CGROUP; -1 unless version 2.
  int dir_fd() const { return version_ == CgroupVersion::kV2 ? leaves_.front().fd.get() : -1; }
  // Version 1: what a process passes to EnterCgroup(). Empty otherwise.
  Result<std::vector<UniqueFd>> OpenEntrances() const;
  CgroupMeter OpenMeter() const;

 private:
  struct Leaf {
    std::string path;
    UniqueFd fd;
    bool has_memory = false;
    bool has_pids = false;
    bool has_cpu = false;
  };
  explicit Cgroup(CgroupVersion version) : version_(version) {}
  Status AddLeaf(const std::string& parent, const std::string& name);
  Leaf* FindLeaf(const std::string& parent, const std::string& name);

  CgroupVersion version_ = CgroupVersion::kNone;
  std::vector<Leaf> leaves_;
};

// Moves the calling process, which has one thread, into the cgroup with these entrances. 0 or -errno.
// Async-signal-safe. Whoever moves itself alone does not keep the host's other forks waiting; to move
// another process the kernel does, and waits for an RCU grace period first: 10 ms and more.
//
// Source: kernel/cgroup/cgroup.c, cgroup_procs_write_start(), since Linux 5.5.
int EnterCgroup(const int* entrances, size_t count);

// What this process calls a cgroup of its own: "nacre-PIDNS-PID-REST". The number of the PID namespace
// keeps apart what runtimes in several containers make in the same place: none can tell by a PID
// whether another's is alive.
std::string OwnCgroupName(std::string_view rest);

// Removes the empty cgroups of runtimes of this PID namespace that are no longer alive.
void SweepCgroups(const CgroupHost& host);

}  // namespace nacre::sandbox::kernel
