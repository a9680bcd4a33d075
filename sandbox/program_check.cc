#include "sandbox/program_check.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/unique_fd.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/plan.h"
#include "sandbox/seccomp/syscall_groups.h"
#include "sandbox/spec_check.h"
#include "sandbox/workspace/change.h"

namespace nacre::sandbox {
namespace {

const SystemPath* SystemPathOf(const HostSupport& host, const std::string& path) {
  for (const SystemPath& system : host.system_paths) {
    if (IsBelow(path, system.path)) {
      return &system;
    }
  }
  return nullptr;
}

struct Found {
  int error = 0;  // ELOOP: a link is on the way, which may lead elsewhere inside
  UniqueFd path;
  struct stat info = {};
};

Found Look(int folder, const std::string& path, uint64_t resolve) {
  Found found;
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = resolve;
  found.path.reset(kernel::OpenAt2(folder, path.c_str(), how));
  if (!found.path || ::fstat(found.path.get(), &found.info) != 0) {
    found.error = errno;
  }
  return found;
}

Found LookBelow(const std::string& folder, const std::string& path) {
  Found root = Look(AT_FDCWD, folder, 0);
  return root.error != 0 || path.empty()
             ? std::move(root)
             : Look(root.path.get(), path,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

// Of the "#!" line of a script, as the kernel reads it; empty: there is none, or it cannot be read.
std::string InterpreterOf(const Found& found) {
  if (found.error != 0 || !S_ISREG(found.info.st_mode)) {
    return {};
  }
  const std::string again = "/proc/self/fd/" + std::to_string(found.path.get());
  const UniqueFd file(::open(again.c_str(), O_RDONLY | O_CLOEXEC));
  char head[256];  // the kernel's BINPRM_BUF_SIZE
  const ssize_t size = file ? ::read(file.get(), head, sizeof head) : -1;
  std::string_view line(head, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  if (!line.starts_with("#!") || line.find('\n') == std::string_view::npos) {
    return {};
  }
  line = line.substr(2, line.find('\n') - 2);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

std::optional<std::string> Judge(const std::string& program, const std::string& where,
                                 const Found& found) {
  const int error = found.error;
  const struct stat& info = found.info;
  if (error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG) {
    return "there is no program " + program + ": it was looked for in " + where;
  }
  if (error == 0 && S_ISDIR(info.st_mode)) {
    return program + " is a folder, not a program; it was looked for in " + where;
  }
  if (error == 0 && (!S_ISREG(info.st_mode) || (info.st_mode & 0111) == 0)) {
    return program + " is no executable file; it was looked for in " + where;
  }
  return std::nullopt;
}

// The problem with the program at `path` in the sandbox; `interpreter`: of its script, where it is one.
std::optional<std::string> ProblemOf(const std::string& path, const SandboxSpec& spec,
                                     const HostSupport& host, std::string& interpreter) {
  const std::string program = EncodePath(path);
  if (const Mount* mount = MountOf(spec.mounts, path)) {
    const std::string below =
        path.size() > mount->target.size() ? path.substr(mount->target.size() + 1) : std::string();
    const Found found = LookBelow(mount->source, below);
    auto problem = Judge(program, "the mount " + mount->target, found);
    const auto profile = seccomp::FindProfile(spec.seccomp_profile);
    if (!problem && found.error == 0 && spec.isolation == Isolation::kNamespace && profile.ok() &&
        !IsExecutable(*mount, profile.value())) {
      problem =
          program + " lies in the mount " + mount->target +
          ", from which no program is executed (noexec). A script runs when its interpreter is "
          "named before it; what is in the workspace is executable under the profile build";
    }
    interpreter = InterpreterOf(found);
    return problem;
  }
  if (const SystemPath* system = SystemPathOf(host, path)) {
    const Found found = Look(AT_FDCWD, path, 0);
    interpreter = InterpreterOf(found);
    return Judge(program, "the host's " + system->path, found);
  }
  for (const char* made : {"/etc", "/dev", "/proc", "/tmp"}) {
    if (IsBelow(path, made)) {
      return std::nullopt;  // the sandbox's own
    }
  }
  std::string places;
  for (const SystemPath& system : host.system_paths) {
    places += IsBelow(system.path, "/etc") ? "" : system.path + ", ";
  }
  for (const Mount& mount : spec.mounts) {
    places += mount.target + ", ";
  }
  return "there is no program " + program + ": the sandbox has " +
         places.substr(0, places.size() - std::min<size_t>(places.size(), 2)) + " and no more";
}

}  // namespace

std::optional<std::string> FindProgramProblem(const SandboxSpec& spec, const HostSupport& host) {
  if (spec.argv.empty() || !IsNormalPath(spec.argv[0])) {
    return std::nullopt;  // CheckSpec() says more
  }
  std::string interpreter;
  auto problem = ProblemOf(spec.argv[0], spec, host, interpreter);
  if (problem || !IsNormalPath(interpreter)) {
    return problem;
  }
  std::string ignored;
  const auto missing = ProblemOf(interpreter, spec, host, ignored);
  return missing ? std::optional(EncodePath(spec.argv[0]) + " is a script of " +
                                 EncodePath(interpreter) + ", and " + *missing)
                 : std::nullopt;
}

}  // namespace nacre::sandbox
