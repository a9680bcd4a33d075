#include "sandbox/kernel/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace nacre::sandbox::kernel {
namespace {

std::string ReadSmall(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string content;
  char buffer[4096];
  while (file.valid() && content.size() < 64 * 1024) {
    const ssize_t size = ::read(file.get(), buffer, sizeof buffer);
    if (size <= 0) {
      break;
    }
    content.append(buffer, static_cast<size_t>(size));
  }
  return content;
}

std::vector<std::string> ThreadsOf(const std::string& process) {
  std::vector<std::string> threads;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir((process + "/task").c_str()),
                                                      &::closedir);
  while (directory != nullptr) {
    const struct dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) {
      break;
    }
    if (entry->d_name[0] != '.') {
      threads.push_back(process + "/task/" + entry->d_name);
    }
  }
  return threads;
}

std::chrono::microseconds CpuOf(const std::string& process) {
  const std::string stat = ReadSmall(process + "/stat");
  const size_t name_end = stat.rfind(')');  // the name may hold spaces and brackets
  if (name_end == std::string::npos) {
    return {};
  }
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skip;
  for (int i = 0; i < 11; ++i) {
    fields >> skip;
  }
  int64_t user = 0;
  int64_t system = 0;
  int64_t children_user = 0;
  int64_t children_system = 0;
  fields >> user >> system >> children_user >> children_system;
  const int64_t ticks = user + system + children_user + children_system;
  return std::chrono::microseconds(ticks * (1'000'000 / ::sysconf(_SC_CLK_TCK)));
}

uint64_t ResidentOf(const std::string& process) {
  std::istringstream fields(ReadSmall(process + "/statm"));
  uint64_t total = 0;
  uint64_t resident = 0;
  fields >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Shared pages divided among their users; the resident size where the kernel does not tell.
uint64_t ProportionalOf(const std::string& process) {
  const std::string rollup = ReadSmall(process + "/smaps_rollup");
  const size_t at = rollup.find("\nPss:");
  if (at == std::string::npos) {
    return ResidentOf(process);
  }
  return std::strtoull(rollup.c_str() + at + 5, nullptr, 10) * 1024;
}

}  // namespace

TreeUse MeasureTree(pid_t root, uint64_t memory_limit_bytes, uint32_t tasks_max) {
  TreeUse use;
  std::vector<std::string> processes = {"/proc/" + std::to_string(root)};
  for (size_t i = 0; i < processes.size() && use.tasks < tasks_max; ++i) {
    use.cpu += CpuOf(processes[i]);
    if (i > 0) {
      use.memory_bytes += ResidentOf(processes[i]);
    }
    for (const std::string& thread : ThreadsOf(processes[i])) {
      use.tasks += i > 0 ? 1 : 0;
      std::istringstream children(ReadSmall(thread + "/children"));
      for (std::string child; children >> child;) {
        processes.push_back("/proc/" + child);
      }
    }
  }
  if (use.memory_bytes > memory_limit_bytes) {
    use.memory_bytes = 0;
    for (size_t i = 1; i < processes.size(); ++i) {
      use.memory_bytes += ProportionalOf(processes[i]);
    }
  }
  return use;
}

}  // namespace nacre::sandbox::kernel
