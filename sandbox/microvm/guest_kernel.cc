#include "sandbox/microvm/guest_kernel.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"

namespace nacre::sandbox::microvm {
namespace {

constexpr char kImagePrefix[] = "vmlinuz-";
constexpr size_t kListBytesMax = 16U << 20;  // Debian's modules.dep: 0.6 MB
constexpr size_t kDepthMax = 16;
constexpr char kAdvice[] = "; install one that has it: apt-get install linux-image-amd64";

// Devices, the stream to the host, and the call's tree. Debian's "cloud" kernels have no 9p.
const std::vector<std::string>& NeededModules() {
  static const std::vector<std::string> needed = {"virtio_mmio", "virtio_console", "9pnet_virtio",
                                                  "9p"};
  return needed;
}

// "kernel/fs/9p/9p.ko.xz" -> "9p", with '-' and '_' the same as for modprobe(8).
std::string ModuleName(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.find(".ko"));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

struct ModuleTable {
  std::map<std::string, std::string> paths;               // by name
  std::map<std::string, std::vector<std::string>> needs;  // by path
  std::set<std::string> builtin;                          // names
};

ModuleTable ParseModules(const std::string& dependencies, const std::string& builtin) {
  ModuleTable table;
  std::istringstream lines(dependencies);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) {
      continue;
    }
    const std::string path = line.substr(0, colon);
    table.paths.emplace(ModuleName(path), path);
    std::istringstream rest(line.substr(colon + 1));
    for (std::string each; rest >> each;) {
      table.needs[path].push_back(each);
    }
  }
  std::istringstream names(builtin);
  for (std::string line; std::getline(names, line);) {
    table.builtin.insert(ModuleName(line));
  }
  return table;
}

void AddAfterNeeds(const ModuleTable& table, const std::string& path, size_t depth,
                   std::vector<std::string>& order) {
  if (depth > kDepthMax || std::find(order.begin(), order.end(), path) != order.end()) {
    return;
  }
  const auto needs = table.needs.find(path);
  if (needs != table.needs.end()) {
    for (const std::string& each : needs->second) {
      AddAfterNeeds(table, each, depth + 1, order);
    }
  }
  order.push_back(path);
}

std::vector<std::string> VersionsIn(const std::string& boot) {
  std::vector<std::string> versions;
  DIR* folder = ::opendir(boot.c_str());
  if (folder == nullptr) {
    return versions;
  }
  while (const struct dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name.starts_with(kImagePrefix)) {
      versions.push_back(name.substr(sizeof kImagePrefix - 1));
    }
  }
  ::closedir(folder);
  std::sort(versions.begin(), versions.end(), [](const std::string& a, const std::string& b) {
    return ::strverscmp(a.c_str(), b.c_str()) > 0;
  });
  return versions;
}

Result<GuestKernel> Examine(const std::string& version, const std::string& boot,
                            const std::string& modules) {
  GuestKernel kernel;
  kernel.version = version;
  kernel.image = boot + "/" + kImagePrefix + version;
  if (::access(kernel.image.c_str(), R_OK) != 0) {
    return SysError(kernel.image, errno);
  }
  const std::string folder = modules + "/" + version + "/";
  const std::string dependencies = NACRE_TRY(ReadFile(folder + "modules.dep", kListBytesMax));
  const std::string builtin = NACRE_TRY(ReadFile(folder + "modules.builtin", kListBytesMax));
  for (const std::string& path : NACRE_TRY(OrderModules(dependencies, builtin, NeededModules()))) {
    kernel.modules.push_back(folder + path);
    if (::access(kernel.modules.back().c_str(), R_OK) != 0) {
      return SysError(kernel.modules.back(), errno);
    }
  }
  return kernel;
}

}  // namespace

Result<std::vector<std::string>> OrderModules(const std::string& dependencies,
                                              const std::string& builtin,
                                              const std::vector<std::string>& names) {
  const ModuleTable table = ParseModules(dependencies, builtin);
  std::vector<std::string> order;
  for (const std::string& name : names) {
    if (table.builtin.contains(name)) {
      continue;
    }
    const auto path = table.paths.find(name);
    if (path == table.paths.end()) {
      return Error{ErrorCode::kNotFound, "it has no module " + name};
    }
    AddAfterNeeds(table, path->second, 0, order);
  }
  for (const std::string& path : order) {
    if (!path.ends_with(".ko")) {
      return Error{ErrorCode::kUnimplemented, "its module " + path + " is compressed"};
    }
  }
  return order;
}

Result<GuestKernel> FindGuestKernel(const std::string& boot, const std::string& modules) {
  std::string reasons;
  for (const std::string& version : VersionsIn(boot)) {
    Result<GuestKernel> kernel = Examine(version, boot, modules);
    if (kernel.ok()) {
      return kernel;
    }
    reasons += (reasons.empty() ? "" : "; ") + version + ": " + kernel.error().message;
  }
  return Error{
      ErrorCode::kUnavailable,
      "isolation microvm: " +
          (reasons.empty() ? "there is no kernel in " + boot
                           : "no kernel in " + boot + " can be its guest (" + reasons + ")") +
          kAdvice};
}

}  // namespace nacre::sandbox::microvm
