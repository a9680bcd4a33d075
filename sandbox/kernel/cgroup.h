// Cgroup: the leaf directories that bound one call's memory and tasks.
//
// A tool can fork out of its process group and its session, but not out of its cgroup, and only the
// kernel can count pages as they are touched. Version 2 where its controllers are delegated to us
// (a call is then born inside, by CLONE_INTO_CGROUP), else the version 1 hierarchies where we may
// create directories (a call is attached before it runs), else none: limits by rlimit and watchdog.
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
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sandbox::kernel {

enum class CgroupVersion { kNone = 0, kV1, kV2 };

// "none", "v1", "v2".
const char* CgroupVersionName(CgroupVersion version);

// Where this process may create cgroups.
struct CgroupHost {
  CgroupVersion version = CgroupVersion::kNone;
  std::string memory_directory;  // version 2: the one directory
  std::string pids_directory;
  std::string cpu_directory;  // version 1: cpuacct; may be empty
  std::string detail;         // why not, when kNone

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
};

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
  enum { kMemoryEvents = 0, kMemoryPeak, kTaskEvents, kCpu, kFiles };
  // In that order; a file that the kernel does not offer reads as zero.
  CgroupMeter(CgroupVersion version, std::array<UniqueFd, kFiles> files)
      : version_(version), files_(std::move(files)) {}

  CgroupEvents Read() const;
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
  // Removes the directories, waiting up to a second for the kernel to let go of dead tasks.
  ~Cgroup();

  // For clone3(2) with CLONE_INTO_CGROUP; -1 unless version 2.
  int dir_fd() const { return version_ == CgroupVersion::kV2 ? leaves_.front().fd.get() : -1; }
  // Version 1: moves a process in. 0 or -errno. No effect otherwise.
  int Attach(pid_t pid) const;
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

// Removes the empty cgroups "nacre-PID-..." of runtimes that are no longer alive.
void SweepCgroups(const CgroupHost& host);

}  // namespace nacre::sandbox::kernel
