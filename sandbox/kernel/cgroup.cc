#include "sandbox/kernel/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <sstream>

#include "base/file.h"

namespace nacre::sandbox::kernel {
namespace {

constexpr size_t kProcFileBytesMax = 1 << 20;

bool WriteControl(int directory, const char* name, const std::string& value) {
  const UniqueFd file(::openat(directory, name, O_WRONLY | O_CLOEXEC));
  if (!file) {
    return false;
  }
  return ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

UniqueFd OpenControl(int directory, const char* name, int flags = O_RDONLY) {
  return UniqueFd(::openat(directory, name, flags | O_CLOEXEC));
}

// From its start, however often it was read before.
std::string ReadOpen(const UniqueFd& file) {
  char buffer[4096];
  const ssize_t size = file.valid() ? ::pread(file.get(), buffer, sizeof buffer, 0) : 0;
  return size <= 0 ? std::string() : std::string(buffer, static_cast<size_t>(size));
}

std::string ReadControl(int directory, const char* name) {
  return ReadOpen(OpenControl(directory, name));
}

uint64_t ParseNumber(const std::string& text, size_t offset = 0) {
  uint64_t value = 0;
  std::from_chars(text.data() + offset, text.data() + text.size(), value);
  return value;
}

// The number behind "key " at the start of a line; 0 when there is none.
uint64_t ReadKeyed(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + " ")) {
      return ParseNumber(line, key.size() + 1);
    }
  }
  return 0;
}

bool HasItem(const std::string& list, const std::string& item, char separator) {
  std::istringstream items(list);
  for (std::string each; std::getline(items, each, separator);) {
    while (!each.empty() && each.back() == '\n') {
      each.pop_back();
    }
    if (each == item) {
      return true;
    }
  }
  return false;
}

// The directory of cgroup `path` in a hierarchy whose `root` is mounted at `mount_point`.
std::string JoinCgroup(const std::string& mount_point, const std::string& root,
                       const std::string& path) {
  if (path.find("..") != std::string::npos) {
    return {};
  }
  std::string below = path;
  if (root != "/") {
    if (!below.starts_with(root)) {
      return {};
    }
    below = below.substr(root.size());
  }
  return below == "/" ? mount_point : mount_point + below;
}

bool TryHost(const CgroupHost& host, std::string& why) {
  const auto made =
      Cgroup::Create(host, OwnCgroupName("probe"), {.memory_bytes = 64 << 20, .tasks = 8});
  if (!made.ok()) {
    why = made.error().message;
  }
  return made.ok();
}

}  // namespace

namespace v2 {

bool EnableControllers(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    return false;
  }
  const std::string available = ReadControl(fd.get(), "cgroup.controllers");
  if (!HasItem(available, "memory", ' ') || !HasItem(available, "pids", ' ')) {
    return false;
  }
  const std::string enabled = ReadControl(fd.get(), "cgroup.subtree_control");
  if (HasItem(enabled, "memory", ' ') && HasItem(enabled, "pids", ' ')) {
    return true;
  }
  if (WriteControl(fd.get(), "cgroup.subtree_control", "+memory +pids")) {
    return true;
  }
  const std::string own = path + "/nacre-runtime";
  if (errno != EBUSY || (::mkdir(own.c_str(), 0755) != 0 && errno != EEXIST)) {
    return false;
  }
  const UniqueFd own_fd(::open(own.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return own_fd.valid() && WriteControl(own_fd.get(), "cgroup.procs", "0") &&
         WriteControl(fd.get(), "cgroup.subtree_control", "+memory +pids");
}

bool Kill(int directory) {
  const UniqueFd file(::openat(directory, "cgroup.kill", O_WRONLY | O_CLOEXEC));
  return file.valid() && ::write(file.get(), "1", 1) == 1;
}

std::optional<bool> IsPopulated(int directory) {
  const std::string events = ReadControl(directory, "cgroup.events");
  if (events.find("populated ") == std::string::npos) {
    return std::nullopt;
  }
  return ReadKeyed(events, "populated") != 0;
}

}  // namespace v2

const char* CgroupVersionName(CgroupVersion version) {
  switch (version) {
    case CgroupVersion::kNone:
      return "none";
    case CgroupVersion::kV1:
      return "v1";
    case CgroupVersion::kV2:
      return "v2";
  }
  return "none";
}

CgroupPaths ParseCgroupPaths(const std::string& cgroup, const std::string& mountinfo) {
  std::string v2_path;
  std::string memory_path;
  std::string pids_path;
  std::string cpuacct_path;
  std::istringstream lines(cgroup);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      v2_path = path;
    }
    if (HasItem(controllers, "memory", ',')) {
      memory_path = path;
    }
    if (HasItem(controllers, "pids", ',')) {
      pids_path = path;
    }
    if (HasItem(controllers, "cpuacct", ',')) {
      cpuacct_path = path;
    }
  }
  CgroupPaths paths;
  std::istringstream mounts(mountinfo);
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skip;
    std::string root;
    std::string mount_point;
    std::string word;
    fields >> skip >> skip >> skip >> root >> mount_point;
    while (fields >> word && word != "-") {
    }
    std::string type;
    std::string source;
    std::string options;
    fields >> type >> source >> options;
    if (type == "cgroup2" && !v2_path.empty() && paths.v2.empty()) {
      paths.v2 = JoinCgroup(mount_point, root, v2_path);
    }
    if (type != "cgroup") {
      continue;
    }
    if (HasItem(options, "memory", ',') && !memory_path.empty()) {
      paths.v1_memory = JoinCgroup(mount_point, root, memory_path);
    }
    if (HasItem(options, "pids", ',') && !pids_path.empty()) {
      paths.v1_pids = JoinCgroup(mount_point, root, pids_path);
    }
    if (HasItem(options, "cpuacct", ',') && !cpuacct_path.empty()) {
      paths.v1_cpuacct = JoinCgroup(mount_point, root, cpuacct_path);
    }
  }
  return paths;
}

CgroupHost FindCgroupHost() {
  CgroupHost none;
  const auto cgroup = ReadFile("/proc/self/cgroup", kProcFileBytesMax);
  const auto mountinfo = ReadFile("/proc/self/mountinfo", kProcFileBytesMax);
  if (!cgroup.ok() || !mountinfo.ok()) {
    none.detail = "/proc/self/cgroup or mountinfo cannot be read";
    return none;
  }
  const CgroupPaths paths = ParseCgroupPaths(cgroup.value(), mountinfo.value());
  // A controller is in one of them: beside a version 1 for memory, a version 2 is empty.
  none.mounted = !paths.v1_memory.empty() ? CgroupVersion::kV1
                 : !paths.v2.empty()      ? CgroupVersion::kV2
                                          : CgroupVersion::kNone;
  if (!paths.v2.empty() && v2::EnableControllers(paths.v2)) {
    const CgroupHost host{.version = CgroupVersion::kV2,
                          .memory_directory = paths.v2,
                          .pids_directory = paths.v2,
                          .cpu_directory = paths.v2,
                          .detail = {},
                          .mounted = CgroupVersion::kNone};
    if (TryHost(host, none.detail)) {
      return host;
    }
  }
  if (!paths.v1_memory.empty() && !paths.v1_pids.empty()) {
    CgroupHost host{.version = CgroupVersion::kV1,
                    .memory_directory = paths.v1_memory,
                    .pids_directory = paths.v1_pids,
                    .cpu_directory = paths.v1_cpuacct,
                    .detail = {},
                    .mounted = CgroupVersion::kNone};
    if (TryHost(host, none.detail)) {
      return host;
    }
  }
  if (none.detail.empty()) {
    none.detail = "no cgroup with the memory and pids controllers is delegated to this process";
  }
  return none;
}

Cgroup::Leaf* Cgroup::FindLeaf(const std::string& parent, const std::string& name) {
  const std::string path = parent + "/" + name;
  const auto found = std::find_if(leaves_.begin(), leaves_.end(),
                                  [&](const Leaf& leaf) { return leaf.path == path; });
  return found == leaves_.end() ? nullptr : &*found;
}

Status Cgroup::AddLeaf(const std::string& parent, const std::string& name) {
  const std::string path = parent + "/" + name;
  if (::mkdir(path.c_str(), 0755) != 0) {
    return SysError("mkdir " + path, errno);
  }
  leaves_.push_back({.path = path});  // from here on the destructor removes it
  leaves_.back().fd.reset(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!leaves_.back().fd) {
    return SysError("open " + path, errno);
  }
  return Ok();
}

Status WriteCgroupLimits(CgroupVersion version, int memory_directory, int pids_directory,
                         const CgroupLimits& limits) {
  const std::string bytes = std::to_string(limits.memory_bytes);
  const bool v2 = version == CgroupVersion::kV2;
  if (!WriteControl(memory_directory, v2 ? "memory.max" : "memory.limit_in_bytes", bytes)) {
    return SysError("memory limit of a cgroup", errno);
  }
  // Swap would only delay the kill. Absent on a kernel without swap accounting: nothing to limit.
  WriteControl(memory_directory, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
               v2 ? "0" : bytes);
  if (!WriteControl(pids_directory, "pids.max", std::to_string(limits.tasks))) {
    return SysError("tasks limit of a cgroup", errno);
  }
  return Ok();
}

Result<Cgroup> Cgroup::Create(const CgroupHost& host, const std::string& name,
                              const CgroupLimits& limits) {
  Cgroup cgroup(host.version);
  if (host.version == CgroupVersion::kNone) {
    return Error{ErrorCode::kUnavailable, "cgroups: " + host.detail};
  }
  for (const std::string* parent :
       {&host.memory_directory, &host.pids_directory, &host.cpu_directory}) {
    if (!parent->empty() && cgroup.FindLeaf(*parent, name) == nullptr) {
      NACRE_TRY(cgroup.AddLeaf(*parent, name));
    }
  }
  Leaf* memory = cgroup.FindLeaf(host.memory_directory, name);
  Leaf* pids = cgroup.FindLeaf(host.pids_directory, name);
  Leaf* cpu = cgroup.FindLeaf(host.cpu_directory, name);
  memory->has_memory = true;
  pids->has_pids = true;
  if (cpu != nullptr) {
    cpu->has_cpu = true;
  }
  NACRE_TRY(WriteCgroupLimits(host.version, memory->fd.get(), pids->fd.get(), limits));
  return cgroup;
}

Cgroup::~Cgroup() {
  for (const Leaf& leaf : leaves_) {
    if (version_ == CgroupVersion::kV2 && leaf.fd.valid() &&
        v2::IsPopulated(leaf.fd.get()).value_or(false)) {
      v2::Kill(leaf.fd.get());
    }
    for (int attempt = 0; ::rmdir(leaf.path.c_str()) != 0 && errno == EBUSY && attempt < 1000;
         ++attempt) {
      ::poll(nullptr, 0, 1);
    }
  }
}

Result<std::vector<UniqueFd>> Cgroup::OpenEntrances() const {
  std::vector<UniqueFd> entrances;
  if (version_ != CgroupVersion::kV1) {
    return entrances;
  }
  for (const Leaf& leaf : leaves_) {
    entrances.push_back(OpenControl(leaf.fd.get(), "tasks", O_WRONLY));
    if (!entrances.back()) {
      return SysError("open " + leaf.path + "/tasks", errno);
    }
  }
  return entrances;
}

CgroupMeter Cgroup::OpenMeter() const {
  const bool v2 = version_ == CgroupVersion::kV2;
  std::array<UniqueFd, CgroupMeter::kFiles> files;
  for (const Leaf& leaf : leaves_) {
    if (leaf.has_memory) {
      files[CgroupMeter::kMemoryEvents] =
          OpenControl(leaf.fd.get(), v2 ? "memory.events" : "memory.oom_control");
      files[CgroupMeter::kMemoryPeak] =
          OpenControl(leaf.fd.get(), v2 ? "memory.peak" : "memory.max_usage_in_bytes");
      files[CgroupMeter::kMemoryLimit] =
          OpenControl(leaf.fd.get(), v2 ? "memory.max" : "memory.limit_in_bytes");
    }
    if (leaf.has_pids) {
      files[CgroupMeter::kTaskEvents] = OpenControl(leaf.fd.get(), "pids.events");
      files[CgroupMeter::kTaskLimit] = OpenControl(leaf.fd.get(), "pids.max");
      files[CgroupMeter::kTasks] = OpenControl(leaf.fd.get(), "pids.current");
    }
    if (leaf.has_cpu) {
      files[CgroupMeter::kCpu] = OpenControl(leaf.fd.get(), v2 ? "cpu.stat" : "cpuacct.usage");
    }
    if (v2) {
      files[CgroupMeter::kKill] = OpenControl(leaf.fd.get(), "cgroup.kill", O_WRONLY);
    }
  }
  return {version_, std::move(files)};
}

CgroupEvents CgroupMeter::Read() const {
  const bool v2 = version_ == CgroupVersion::kV2;
  CgroupEvents events;
  events.out_of_memory = ReadKeyed(ReadOpen(files_[kMemoryEvents]), "oom_kill");
  events.memory_peak_bytes = ParseNumber(ReadOpen(files_[kMemoryPeak]));
  events.task_refusals = ReadKeyed(ReadOpen(files_[kTaskEvents]), "max");
  events.has_cpu = files_[kCpu].valid();
  const std::string cpu = ReadOpen(files_[kCpu]);
  const uint64_t microseconds = v2 ? ReadKeyed(cpu, "usage_usec") : ParseNumber(cpu) / 1000;
  events.cpu = std::chrono::microseconds(static_cast<int64_t>(microseconds));
  return events;
}

CgroupState CgroupMeter::ReadState() const {
  return {.limits = {.memory_bytes = ParseNumber(ReadOpen(files_[kMemoryLimit])),
                     .tasks = ParseNumber(ReadOpen(files_[kTaskLimit]))},
          .tasks = ParseNumber(ReadOpen(files_[kTasks]))};
}

bool CgroupMeter::Kill() const {
  return files_[kKill].valid() && ::pwrite(files_[kKill].get(), "1", 1, 0) == 1;
}

bool HoldsCgroup(const CgroupState& state, const CgroupLimits& wanted) {
  constexpr uint64_t kLargestPage = 64 << 10;
  return state.limits.memory_bytes <= wanted.memory_bytes &&
         state.limits.memory_bytes + kLargestPage > wanted.memory_bytes &&
         state.limits.tasks == wanted.tasks && state.tasks > 0;
}

int EnterCgroup(const int* entrances, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const ssize_t written = ::write(entrances[i], "0", 1);
    if (written != 1) {
      return written < 0 ? -errno : -EIO;
    }
  }
  return 0;
}

namespace {

const std::string& OwnNamespacePrefix() {
  static const std::string prefix = [] {
    struct stat pid_namespace = {};
    return ::stat("/proc/self/ns/pid", &pid_namespace) == 0
               ? "nacre-" + std::to_string(pid_namespace.st_ino) + "-"
               : std::string("nacre-unknown-");
  }();
  return prefix;
}

}  // namespace

std::string OwnCgroupName(std::string_view rest) {
  return OwnNamespacePrefix() + std::to_string(::getpid()) + "-" + std::string(rest);
}

void SweepCgroups(const CgroupHost& host) {
  const std::string& prefix = OwnNamespacePrefix();
  for (const std::string* parent :
       {&host.memory_directory, &host.pids_directory, &host.cpu_directory}) {
    if (parent->empty()) {
      continue;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(parent->c_str()), &::closedir);
    while (directory != nullptr) {
      const struct dirent* entry = ::readdir(directory.get());
      if (entry == nullptr) {
        break;
      }
      const std::string name = entry->d_name;
      if (!name.starts_with(prefix)) {
        continue;
      }
      const uint64_t pid = ParseNumber(name, prefix.size());
      if (pid > 0 && ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) {
        ::rmdir((*parent + "/" + name).c_str());
      }
    }
  }
}

}  // namespace nacre::sandbox::kernel
