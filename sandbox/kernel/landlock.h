// Landlock: the kernel's own file access rules, a second wall behind the mounts.
//
// Every right up to ABI 7 that this kernel knows is handled, so that what no rule allows is denied; no
// TCP port is allowed; abstract unix sockets and signals do not leave the domain (ABI 6); what is
// denied does not fill the host's audit log (ABI 7).
// Constants are ours: Debian 12's headers stop at ABI 2.
//
// Source: Documentation/userspace-api/landlock.rst, Linux 6.18.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace nacre::sandbox::kernel {

// What a rule grants below its path.
enum class LandlockGrant {
  kList = 0,     // list directories
  kRead,         // and read files
  kReadExecute,  // and execute them
  kReadWrite,    // read, and everything that changes files; never execute, never make devices
  kReadWriteExecute,
  kUseDevice,      // read and write, nothing else
  kControlDevice,  // and its commands
};

struct LandlockRule {
  std::string path;
  LandlockGrant grant = LandlockGrant::kList;

  friend bool operator==(const LandlockRule&, const LandlockRule&) = default;
};

// The newest ABI whose rights and flags stand in this file. What a later one adds is not used.
inline constexpr int kLandlockNewestAbi = 7;

// The newest ABI of this kernel; 0: Landlock is missing or disabled at boot.
int LandlockAbi();
// The one that is used: the newest that both know. Pure.
int UsedLandlockAbi(int of_kernel);

// The rights that `grant` means under `abi`, for a directory or for a single file. Pure.
uint64_t LandlockRights(LandlockGrant grant, int abi, bool is_directory);

// The first that keeps abstract sockets and signals inside of a domain.
inline constexpr int kLandlockScopesAbi = 6;

// Whether the domain may send signals to processes outside of it (ABI 6).
enum class LandlockScope { kAll = 0, kSignalsOut };

// All below are async-signal-safe and answer 0 or -errno, or a descriptor.

// A ruleset without rules: who is restricted by it may touch nothing that is not already open.
int MakeLandlockRuleset(int abi, LandlockScope scope);
int AddLandlockRules(int ruleset, int abi, const LandlockRule* rules, size_t count);
// Restricts the calling thread and what it becomes. Needs no_new_privs.
int RestrictByLandlock(int ruleset, int abi);

}  // namespace nacre::sandbox::kernel
