#include "sandbox/program_check.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.h"
#include "sandbox/kernel/syscalls.h"
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

// 0 with what is there, or an errno. ELOOP: a link is on the way, which may lead elsewhere inside.
int LookBelow(const std::string& folder, const std::string& path, struct stat& info) {
  const UniqueFd root(::open(folder.c_str(), O_PATH | O_CLOEXEC));
  if (!root) {
    return errno;
  }
  if (path.empty()) {
    return ::fstat(root.get(), &info) == 0 ? 0 : errno;
  }
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const UniqueFd found(kernel::OpenAt2(root.get(), path.c_str(), how));
  if (!found) {
    return errno;
  }
  return ::fstat(found.get(), &info) == 0 ? 0 : errno;
}

std::optional<std::string> Judge(const std::string& program, const std::string& where, int error,
                                 const struct stat& info) {
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

}  // namespace

std::optional<std::string> FindProgramProblem(const SandboxSpec& spec, const HostSupport& host) {
  if (spec.argv.empty() || !IsNormalPath(spec.argv[0])) {
    return std::nullopt;  // CheckSpec() says more
  }
  const std::string& path = spec.argv[0];
  const std::string program = EncodePath(path);
  struct stat info = {};
  if (const Mount* mount = MountOf(spec.mounts, path)) {
    const std::string below =
        path.size() > mount->target.size() ? path.substr(mount->target.size() + 1) : std::string();
    const int error = LookBelow(mount->source, below, info);
    return Judge(program, "the mount " + mount->target, error, info);
  }
  if (const SystemPath* system = SystemPathOf(host, path)) {
    const int error = ::stat(path.c_str(), &info) == 0 ? 0 : errno;
    return Judge(program, "the host's " + system->path, error, info);
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

}  // namespace nacre::sandbox
