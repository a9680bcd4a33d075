#include "sandbox/spec_check.h"

#include <algorithm>
#include <set>

namespace nacre::sandbox {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kArgumentsMax = 1024;
constexpr size_t kArgumentBytesMax = 128 * 1024;  // the kernel's MAX_ARG_STRLEN
constexpr size_t kArgumentBytesTotalMax = 1 << 20;
constexpr size_t kVariablesMax = 256;
constexpr size_t kMountsMax = 64;
constexpr size_t kPathsMax = 4096;
constexpr size_t kPathBytesMax = 4095;
constexpr size_t kIdBytesMax = 64;
constexpr uint64_t kMemoryBytesMin = 8ULL << 20;
constexpr uint64_t kMemoryBytesMax = 1ULL << 42;
constexpr uint32_t kTasksMax = 4096;
constexpr uint32_t kFilesMin = 8;
constexpr uint32_t kFilesMax = 65536;
constexpr uint64_t kOutputBytesMax = 64ULL << 20;
constexpr uint64_t kDiskBytesMin = 64ULL << 10;
constexpr uint64_t kDiskBytesMax = 1ULL << 40;
constexpr uint32_t kInodesMin = 16;
constexpr uint32_t kInodesMax = 1U << 24;

Error Invalid(const std::string& message) {
  return {ErrorCode::kInvalidArgument, message};
}

bool HasNul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsVariableName(const std::string& name) {
  if (name.empty() || name.size() > 256 || (name[0] >= '0' && name[0] <= '9')) {
    return false;
  }
  for (const char c : name) {
    if (!IsWordCharacter(c) && c != '_') {
      return false;
    }
  }
  return true;
}

Status CheckProgram(const SandboxSpec& spec) {
  if (spec.id.empty() || spec.id.size() > kIdBytesMax) {
    return Invalid("id must have 1 to 64 characters");
  }
  for (const char c : spec.id) {
    if (!IsWordCharacter(c) && c != '-') {
      return Invalid("id must be letters, digits and '-'");
    }
  }
  if (spec.network_group.size() > kIdBytesMax ||
      !std::all_of(spec.network_group.begin(), spec.network_group.end(),
                   [](char c) { return IsWordCharacter(c) || c == '-'; })) {
    return Invalid("network_group must be at most 64 letters, digits and '-'");
  }
  if (!spec.network_group.empty() && spec.seccomp_profile == "network-client") {
    return Invalid("a call with sockets (network-client) shares its network with no other call");
  }
  if (spec.argv.empty() || spec.argv.size() > kArgumentsMax) {
    return Invalid("argv must have 1 to 1024 entries");
  }
  if (!IsNormalPath(spec.argv[0])) {
    return Invalid("argv[0] must be an absolute, normalised path");
  }
  if (spec.interpreter_arguments >= spec.argv.size()) {
    return Invalid("interpreter_arguments must leave an entry of argv to the call");
  }
  size_t total = 0;
  for (const std::string& argument : spec.argv) {
    total += argument.size() + 1;
    if (HasNul(argument) || argument.size() >= kArgumentBytesMax) {
      return Invalid("an argument holds a NUL byte or is longer than 128 KiB");
    }
  }
  if (spec.environment.size() > kVariablesMax) {
    return Invalid("more than 256 environment variables");
  }
  std::set<std::string> names;
  for (const auto& [name, value] : spec.environment) {
    total += name.size() + value.size() + 2;
    if (!IsVariableName(name)) {
      return Invalid("an environment name must be letters, digits and '_'");
    }
    if (HasNul(value) || value.size() >= kArgumentBytesMax) {
      return Invalid("the value of " + name + " holds a NUL byte or is longer than 128 KiB");
    }
    if (!names.insert(name).second) {
      return Invalid("environment variable " + name + " is given twice");
    }
  }
  if (total > kArgumentBytesTotalMax) {
    return Invalid("arguments and environment are longer than 1 MiB together");
  }
  if (!IsNormalPath(spec.working_directory)) {
    return Invalid("working_directory must be an absolute, normalised path");
  }
  return Ok();
}

Status CheckPaths(const SandboxSpec& spec) {
  if (spec.mounts.size() > kMountsMax) {
    return Invalid("more than 64 mounts");
  }
  std::set<std::string> targets;
  for (const Mount& mount : spec.mounts) {
    if (!IsNormalPath(mount.source) || !IsNormalPath(mount.target)) {
      return Invalid("source and target of a mount must be absolute, normalised paths");
    }
    if (mount.target == "/") {
      return Invalid("a mount cannot replace the root");
    }
    for (const char* reserved : {"/proc", "/dev", "/sys", "/.nacre"}) {
      if (IsBelow(mount.target, reserved)) {
        return Invalid("nothing can be mounted at or below " + std::string(reserved));
      }
    }
    if (!targets.insert(mount.target).second) {
      return Invalid("two mounts have the target " + mount.target);
    }
  }
  for (const auto* paths : {&spec.hidden, &spec.read_only}) {
    if (paths->size() > kPathsMax) {
      return Invalid("more than " + std::to_string(kPathsMax) +
                     " hidden or read-only paths; narrow the policy's hide and protect "
                     "globs, or choose a smaller workspace");
    }
    for (const std::string& path : *paths) {
      if (!IsNormalPath(path) || path == "/" || IsBelow(path, "/proc")) {
        return Invalid("hidden and read-only paths must be absolute and normalised, outside /proc");
      }
    }
  }
  return Ok();
}

Status CheckLimits(const Limits& limits) {
  if (limits.wall < milliseconds(1) || limits.wall > hours(24)) {
    return Invalid("limits.wall must be 1 ms to 24 h");
  }
  if (limits.cpu < seconds(1) || limits.cpu > hours(24)) {
    return Invalid("limits.cpu must be 1 s to 24 h");
  }
  if (limits.memory_bytes < kMemoryBytesMin || limits.memory_bytes > kMemoryBytesMax) {
    return Invalid("limits.memory_bytes must be 8 MiB to 4 TiB");
  }
  if (limits.tasks < 1 || limits.tasks > kTasksMax) {
    return Invalid("limits.tasks must be 1 to 4096");
  }
  if (limits.files < kFilesMin || limits.files > kFilesMax) {
    return Invalid("limits.files must be 8 to 65536");
  }
  if (limits.output_bytes < 1 || limits.output_bytes > kOutputBytesMax) {
    return Invalid("limits.output_bytes must be 1 to 64 MiB");
  }
  if (limits.disk_bytes < kDiskBytesMin || limits.disk_bytes > kDiskBytesMax) {
    return Invalid("limits.disk_bytes must be 64 KiB to 1 TiB");
  }
  if (limits.inodes < kInodesMin || limits.inodes > kInodesMax) {
    return Invalid("limits.inodes must be 16 to 16777216");
  }
  return Ok();
}

}  // namespace

bool IsNormalPath(const std::string& path) {
  if (path.empty() || path[0] != '/' || path.size() > kPathBytesMax || HasNul(path)) {
    return false;
  }
  if (path == "/") {
    return true;
  }
  size_t start = 1;
  while (start <= path.size()) {
    const size_t slash = path.find('/', start);
    const size_t end = slash == std::string::npos ? path.size() : slash;
    const std::string component = path.substr(start, end - start);
    if (component.empty() || component == "." || component == ".." || component.size() > 255) {
      return false;
    }
    start = end + 1;
  }
  return path.back() != '/';
}

bool IsBelow(const std::string& path, const std::string& directory) {
  return path == directory || directory == "/" ||
         (path.size() > directory.size() && path.starts_with(directory) &&
          path[directory.size()] == '/');
}

const Mount* MountOf(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (IsBelow(path, mount.target) &&
        (best == nullptr || mount.target.size() > best->target.size())) {
      best = &mount;
    }
  }
  return best;
}

Status CheckSpec(const SandboxSpec& spec) {
  NACRE_TRY(CheckProgram(spec));
  NACRE_TRY(CheckPaths(spec));
  return CheckLimits(spec.limits);
}

}  // namespace nacre::sandbox
