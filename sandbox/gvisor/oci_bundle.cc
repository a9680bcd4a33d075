#include "sandbox/gvisor/oci_bundle.h"

#include <algorithm>

#include "sandbox/plan.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox::gvisor {
namespace {

constexpr uint64_t kShmBytes = 64ULL << 20;

Json Tmpfs(const char* target, uint64_t bytes) {
  return {{"destination", target},
          {"type", "tmpfs"},
          {"source", "tmpfs"},
          {"options", {"nosuid", "nodev", "noexec", "mode=1777", "size=" + std::to_string(bytes)}}};
}

Json Bind(const Mount& mount, const seccomp::Profile& profile) {
  const bool writable = mount.access != Access::kRead;
  const bool executable =
      mount.executable == Executable::kYes && (!writable || profile.runs_what_it_makes);
  return {{"destination", mount.target},
          {"type", "bind"},
          {"source", kGuestTree + mount.target},
          {"options",
           {"rbind", "nosuid", "nodev", writable ? "rw" : "ro", executable ? "exec" : "noexec"}}};
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
  std::vector<Mount> binds = spec.mounts;
  std::sort(binds.begin(), binds.end(), [](const Mount& a, const Mount& b) {
    return std::make_pair(a.target.size(), a.target) < std::make_pair(b.target.size(), b.target);
  });
  for (const Mount& mount : binds) {
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
