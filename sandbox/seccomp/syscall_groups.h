// The system calls that a profile allows, each with its reason: the table that people review.
//
// Three kinds of answer. What the table allows goes on to the kernel, with arguments checked where
// they decide what the call does. What is known and dangerous fails with the errno that honest
// programs handle, so that a program that only probes goes on. Everything else, above all calls
// newer than this table, fails with ENOSYS, so that libc falls back to older ones. A foreign
// architecture's calls (32-bit, x32) kill: no honest program makes them here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::sandbox::seccomp {

// Holds when (argument[index] & mask) == value.
struct ArgumentCheck {
  unsigned index = 0;
  uint64_t mask = ~0ULL;
  uint64_t value = 0;

  friend bool operator==(const ArgumentCheck&, const ArgumentCheck&) = default;
};

enum class Verdict { kDeny = 0, kAllow };

// One rule: all its checks hold. Several rules for one call: any of them. No two rules of one call
// with different verdicts may hold for the same arguments.
struct SyscallRule {
  std::string name;
  Verdict verdict = Verdict::kDeny;
  int error = 0;  // kDeny: what the call fails with
  std::vector<ArgumentCheck> checks;
  std::string reason;

  friend bool operator==(const SyscallRule&, const SyscallRule&) = default;
};

// The rules of a profile; kNotFound for an unknown name. Today there is one: "default".
Result<std::vector<SyscallRule>> ProfileRules(const std::string& profile);

// What the process that waits for a call's tool, its PID 1, may still do. All else kills it.
std::vector<SyscallRule> ReaperRules();

// One line per rule, for review and for golden tests: "allow  read  (read and write open files)".
std::string DescribeRules(const std::vector<SyscallRule>& rules);

}  // namespace nacre::sandbox::seccomp
