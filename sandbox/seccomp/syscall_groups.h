// The system calls that a profile allows, each with its reason: the table that people review.
//
// Four kinds of answer. What the table allows goes on to the kernel, with arguments checked where
// they decide what the call does. What is known and dangerous fails with the errno that honest
// programs handle, so that a program that only probes goes on. What no honest program of the
// profile asks for ends the call, as a violation that names it: calls of a foreign architecture
// (32-bit, x32) in every profile, and in `pure` whatever reaches for the walls. Everything else,
// above all calls newer than this table, fails with ENOSYS, so that libc falls back to older ones.
#pragma once

#include <array>
#include <cstddef>
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

enum class Verdict { kDeny = 0, kAllow, kKill };

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

// What a profile is for, and what it relaxes beyond system calls.
struct Profile {
  std::string name;
  std::string purpose;  // one line
  // Memory may be made executable, and a writable workspace that asks for it is not noexec.
  bool runs_what_it_makes = false;
};

// "pure", "default", "shell", "build", "network-client".
const std::vector<Profile>& Profiles();

// kNotFound for an unknown name; the message lists what there is.
Result<Profile> FindProfile(const std::string& name);

// What may run a machine (QEMU) on KVM, or emulate its processor. No profiles of calls: of the functions
// here only ProfileRules() knows them.
inline constexpr char kMachine[] = "machine";
inline constexpr char kEmulatedMachine[] = "emulated-machine";

// The rules of a profile; kNotFound for an unknown name.
Result<std::vector<SyscallRule>> ProfileRules(const std::string& profile);

// The rule that decides a call, or nullptr when none names it. The table read by hand: what the
// compiled filter answers (see emulator.h) follows from it.
const SyscallRule* FindRule(const std::vector<SyscallRule>& rules, const std::string& name,
                            const std::array<uint64_t, 6>& arguments);

// How many different calls the rules allow, some of them only with certain arguments.
size_t CountAllowed(const std::vector<SyscallRule>& rules);

// What the process that waits for a call's tool, its PID 1, may still do. All else kills it.
std::vector<SyscallRule> ReaperRules();

// One line per rule, for review and for golden tests: "allow  read  (read and write open files)".
std::string DescribeRules(const std::vector<SyscallRule>& rules);

}  // namespace nacre::sandbox::seccomp
