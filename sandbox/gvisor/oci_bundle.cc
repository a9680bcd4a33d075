#include "sandbox/gvisor/oci_bundle.h"

#include <algorithm>

#include "sandbox/call_devices.h"
#include "sandbox/plan.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox::gvisor {
namespace {

Json Tmpfs(const char* target, uint64_t bytes) {
  return {{"destination", target},
          {"type", "tmpfs"},
          {"source", "tmpfs"},
          {"options", {"nosuid", "nodev", "noexec", "mode=1777", "size=" + std::to_string(bytes)}}};
}

Json Bind(const Mount& mount, const seccomp::Profile& profile) {
  const bool writable = mount.access != Access::kRead;
  return {{"destination", mount.target},
          {"type", "bind"},
          {"source", kGuestTree + mount.target},
          {"options",
           {"rbind", "nosuid", "nodev", writable ? "rw" : "ro",
            IsExecutable(mount, profile) ? "exec" : "noexec"}}};
}

}  // namespace

std::vector<std::string> GuestDirectories() {
  return {"/dev", "/dev/shm", "/proc", "/tmp"};
}

Result<Json> MakeOciConfig(const SandboxSpec& spec) {
  const seccomp::Profile profile = NACRE_TRY(seccomp::FindProfile(spec.seccomp_profile));
  Json mounts = Json::array();
  mounts.push_back({{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}});
  mounts.push_back(Tmpfs("/dev/shm", std::min(kShmBytes, spec.limits.disk_bytes)));
  mounts.push_back(Tmpfs("/tmp", spec.limits.disk_bytes));
  for (const Mount& mount : InMountOrder(spec.mounts)) {
    mounts.push_back(Bind(mount, profile));
  }
  const Json none = Json::array();
  Json namespaces = Json::array();
  for (const char* type : {"pid", "mount", "network", "ipc", "uts"}) {
    namespaces.push_back({{"type", type}});
  }
  Json config = {{"ociVersion", "1.0.2"},
                 {"process",
                  {{"terminal", false},
                   {"user", {{"uid", 0}, {"gid", 0}}},
                   {"args", {kAgentTarget}},
                   {"env", none},
                   {"cwd", "/"},
                   {"noNewPrivileges", true},
                   {"capabilities",
                    {{"bounding", none},
                     {"effective", none},
                     {"inheritable", none},
                     {"permitted", none},
                     {"ambient", none}}}}},
                 {"root", {{"path", kGuestTree}, {"readonly", true}}},
                 {"hostname", "sandbox"},
                 {"mounts", std::move(mounts)},
                 {"linux", {{"namespaces", std::move(namespaces)}}}};
  return config;
}

}  // namespace nacre::sandbox::gvisor
