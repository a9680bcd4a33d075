// Filter: a profile's rules as the BPF program that the kernel runs on every system call.
//
// libseccomp builds it, once per process, shaped as a binary tree: the kernel emulates the program
// for every call number when it is loaded, so that a linear one costs half a millisecond per call
// of a tool. What is kept is the exported program.
//
// Source: seccomp(2); seccomp_attr_set(3), SCMP_FLTATR_CTL_OPTIMIZE.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox::seccomp {

// What happens to a call that no rule names.
enum class Otherwise { kKill = 0, kNoSuchCall };

// What a rule that kills does. kReport: the call waits, undone, for whoever holds the filter's
// listener, who learns which call it was and ends the process. Without a listener it fails with
// ENOSYS, so such a filter is only ever loaded together with one.
enum class OnKill { kKill = 0, kReport };

struct Filter {
  std::vector<sock_filter> instructions;
};

// Names that this architecture does not have are left out. Calls of a foreign architecture kill.
Result<Filter> CompileFilter(const std::vector<SyscallRule>& rules, Otherwise otherwise,
                             OnKill on_kill = OnKill::kKill);

// The two forms of a profile's filter: the second where the kernel gives no listener, because a
// filter that this process was started under has taken the only one.
struct ProfileFilters {
  Filter reporting;
  Filter killing;
};
Result<ProfileFilters> CompileProfile(const std::string& profile);

// "bpf", "syscall 999", "i386 getpid": a call as the kernel reports it. Pure.
std::string SyscallName(const seccomp_data& call);

// Why `profile` kills that call: the rule's reason. Pure.
std::string KillReason(const std::string& profile, const seccomp_data& call);

}  // namespace nacre::sandbox::seccomp
