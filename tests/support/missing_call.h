// A host that lacks something: from here on a system call fails, for this thread and all that it
// starts. An outer seccomp filter answers in the kernel's place.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <vector>

namespace nacre {

inline bool LoadOuterFilter(std::vector<sock_filter> instructions) {
  const struct sock_fprog program = {.len = static_cast<unsigned short>(instructions.size()),
                                     .filter = instructions.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

inline bool TakeAwayCall(int call, int error) {
  return LoadOuterFilter(
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)});
}

// With this second argument only.
inline bool TakeAwayCallWith(int call, unsigned second_argument, int error) {
  return LoadOuterFilter(
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 3),
       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second_argument, 0, 1),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)});
}

// Overlays in user namespaces: their one option that is a flag, userxattr, is not known, as before
// Linux 5.11. What else the sandbox mounts has no flags.
inline bool TakeAwayOverlay() {
  return TakeAwayCallWith(SYS_fsconfig, FSCONFIG_SET_FLAG, EINVAL);
}

}  // namespace nacre
