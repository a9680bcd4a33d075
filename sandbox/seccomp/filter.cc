#include "sandbox/seccomp/filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
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

// What no rule decides.
constexpr char kForeignReason[] = "calls of a foreign architecture (32-bit, x32)";

uint32_t ActionOf(const SyscallRule& rule, uint32_t kill) {
  switch (rule.verdict) {
    case Verdict::kAllow:
      return SCMP_ACT_ALLOW;
    case Verdict::kKill:
      return kill;
    case Verdict::kDeny:
      break;
  }
  return SCMP_ACT_ERRNO(static_cast<unsigned>(rule.error));
}

bool IsNative(const seccomp_data& call) {
  constexpr int kX32Bit = 0x40000000;
  return call.arch == ::seccomp_arch_native() && (call.nr & kX32Bit) == 0;
}

}  // namespace

Result<Filter> CompileFilter(const std::vector<SyscallRule>& rules, Otherwise otherwise,
                             OnKill on_kill) {
  const uint32_t kill = on_kill == OnKill::kKill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_NOTIFY;
  const Context context(::seccomp_init(otherwise == Otherwise::kKill ? SCMP_ACT_KILL_PROCESS
                                                                     : SCMP_ACT_ERRNO(ENOSYS)),
                        &::seccomp_release);
  if (context == nullptr) {
    return Error{ErrorCode::kInternal, "seccomp_init failed"};
  }
  if (::seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, kill) != 0) {
    return Error{ErrorCode::kInternal, "libseccomp cannot end calls of a foreign architecture"};
  }
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
    const uint32_t action = ActionOf(rule, kill);
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

Result<ProfileFilters> CompileProfile(const std::string& profile) {
  const std::vector<SyscallRule> rules = NACRE_TRY(ProfileRules(profile));
  ProfileFilters filters;
  filters.reporting = NACRE_TRY(CompileFilter(rules, Otherwise::kNoSuchCall, OnKill::kReport));
  filters.killing = NACRE_TRY(CompileFilter(rules, Otherwise::kNoSuchCall, OnKill::kKill));
  return filters;
}

std::string SyscallName(const seccomp_data& call) {
  const char* prefix = call.arch == SCMP_ARCH_X86             ? "i386 "
                       : IsNative(call)                       ? ""
                       : call.arch == ::seccomp_arch_native() ? "x32 "
                                                              : "foreign ";
  const uint32_t arch = *prefix == 'x' ? static_cast<uint32_t>(SCMP_ARCH_X32) : call.arch;
  const std::unique_ptr<char, void (*)(void*)> name(
      ::seccomp_syscall_resolve_num_arch(arch, call.nr), &::free);
  return prefix + (name != nullptr ? std::string(name.get())
                                   : "syscall " + std::to_string(static_cast<unsigned>(call.nr)));
}

std::string KillReason(const std::string& profile, const seccomp_data& call) {
  if (!IsNative(call)) {
    return kForeignReason;
  }
  const auto rules = ProfileRules(profile);
  std::array<uint64_t, 6> arguments = {};
  std::copy(std::begin(call.args), std::end(call.args), arguments.begin());
  const SyscallRule* rule =
      rules.ok() ? FindRule(rules.value(), SyscallName(call), arguments) : nullptr;
  return rule != nullptr ? rule->reason : "a call that no rule names";
}

}  // namespace nacre::sandbox::seccomp
