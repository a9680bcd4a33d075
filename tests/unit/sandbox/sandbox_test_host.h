// A made-up host for tests of pure code.
#pragma once

#include "sandbox/host_support.h"

namespace nacre::sandbox {

inline HostSupport MadeUpHost() {
  HostSupport host;
  host.namespaces = true;
  host.seccomp = true;
  host.mount_api = true;
  host.landlock_abi = 7;
  host.time_namespace = true;
  host.pidfd = true;
  host.cgroup = {.version = kernel::CgroupVersion::kV2,
                 .memory_directory = "/sys/fs/cgroup/nacre",
                 .pids_directory = "/sys/fs/cgroup/nacre",
                 .cpu_directory = "/sys/fs/cgroup/nacre",
                 .detail = {}};
  host.uid = 1234;
  host.gid = 1234;
  host.system_paths = {
      {.kind = SystemPath::Kind::kDirectory, .path = "/usr", .link_target = {}},
      {.kind = SystemPath::Kind::kSymlink, .path = "/bin", .link_target = "usr/bin"},
      {.kind = SystemPath::Kind::kDirectory, .path = "/lib64", .link_target = {}},
      {.kind = SystemPath::Kind::kFile, .path = "/etc/ld.so.cache", .link_target = {}}};
  return host;
}

}  // namespace nacre::sandbox
