#include "sandbox/seccomp/filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/unique_fd.h"

namespace nacre::sandbox::seccomp {
namespace {

using Context = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

Result<Filter> Export(const Context& context) {
  const UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) {
    return SysError("memfd_create", errno);
  }
  const int exported = ::seccomp_export_bpf(context.get(), file.get());
  if (exported != 0) {
    return SysError("seccomp_export_bpf", -exported);
  }
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  Filter filter;
  filter.instructions.resize(static_cast<size_t>(size) / sizeof(sock_filter));
  const ssize_t got = ::pread(file.get(), filter.instructions.data(), static_cast<size_t>(size), 0);
  if (got != size || filter.instructions.empty()) {
    return Error{ErrorCode::kInternal, "libseccomp exported no whole program"};
  }
  return filter;
}

}  // namespace

Result<Filter> CompileFilter(const std::vector<SyscallRule>& rules, Otherwise otherwise) {
  const Context context(::seccomp_init(otherwise == Otherwise::kKill ? SCMP_ACT_KILL_PROCESS
                                                                     : SCMP_ACT_ERRNO(ENOSYS)),
                        &::seccomp_release);
  if (context == nullptr) {
    return Error{ErrorCode::kInternal, "seccomp_init failed"};
  }
  ::seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  ::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const SyscallRule& rule : rules) {
    const int number = ::seccomp_syscall_resolve_name(rule.name.c_str());
    if (number < 0) {
      continue;  // this architecture, or this libseccomp, does not have it: it gets `otherwise`
    }
    std::vector<scmp_arg_cmp> checks;
    for (const ArgumentCheck& check : rule.checks) {
      checks.push_back({.arg = check.index,
                        .op = SCMP_CMP_MASKED_EQ,
                        .datum_a = check.mask,
                        .datum_b = check.value});
    }
    const uint32_t action = rule.verdict == Verdict::kAllow
                                ? SCMP_ACT_ALLOW
                                : SCMP_ACT_ERRNO(static_cast<unsigned>(rule.error));
    if (action ==
        (otherwise == Otherwise::kKill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS))) {
      continue;  // libseccomp refuses rules that say what the default says
    }
    const int added = ::seccomp_rule_add_array(context.get(), action, number,
                                               static_cast<unsigned>(checks.size()), checks.data());
    if (added != 0) {
      return SysError("seccomp rule for " + rule.name, -added);
    }
  }
  return Export(context);
}

}  // namespace nacre::sandbox::seccomp
