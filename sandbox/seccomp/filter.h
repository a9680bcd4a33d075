// Filter: a profile's rules as the BPF program that the kernel runs on every system call.
//
// libseccomp builds it, once per process, shaped as a binary tree: the kernel emulates the program
// for every call number when it is loaded, so that a linear one costs half a millisecond per call
// of a tool. What is kept is the exported program.
//
// Source: seccomp(2); seccomp_attr_set(3), SCMP_FLTATR_CTL_OPTIMIZE.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/result.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox::seccomp {

// What happens to a call that no rule names.
enum class Otherwise { kKill = 0, kNoSuchCall };

struct Filter {
  std::vector<sock_filter> instructions;
};

// Names that this architecture does not have are left out. Calls of a foreign architecture kill.
Result<Filter> CompileFilter(const std::vector<SyscallRule>& rules, Otherwise otherwise);

}  // namespace nacre::sandbox::seccomp
