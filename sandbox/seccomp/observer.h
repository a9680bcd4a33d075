// Observer: what a call was refused, told to people who ask why it does not work.
//
// An observed call runs under the same profile: what the profile refuses is refused, with the same
// errno. But its filter asks the listener first, about everything that it would refuse and about calls
// that name files, so that each refusal can be named. Nothing is decided from memory that the call
// could change meanwhile: a verdict follows from the call's number and its registers alone.
//
// Source: seccomp_unotify(2).
#pragma once

#include <linux/seccomp.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/seccomp/filter.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox::seccomp {

// The filter that asks where `filter` answers with an errno. Pure.
Filter Observing(const Filter& filter);

struct Observation {
  enum class Kind { kRefusedCall = 0, kPath };
  Kind kind = Kind::kRefusedCall;
  std::string call;  // "socket"
  std::array<uint64_t, 6> arguments{};
  // kRefusedCall:
  int error = 0;
  std::string reason;  // of the profile's rule
  // kPath: the call named a file. Whether it got it, the kernel decides after us.
  std::string path;  // absolute, in the sandbox
  bool writes = false;
  bool missing = false;  // there is no such file in the sandbox
  bool noexec = false;   // it was to be executed, and lies on a mount from which nothing is

  friend bool operator==(const Observation&, const Observation&) = default;
};

// What a notice means under `rules`, and how to answer it. `kill`: the profile kills this call.
struct Observed {
  std::vector<Observation> observations;
  bool kill = false;
  bool proceed = false;  // the profile allows it
  int error = 0;         // else
};

// Reads names of files from the memory of the process that asks, which is hostile: at most 4095
// bytes each, and only to be shown.
Observed Observe(const seccomp_notif& notice, const std::vector<SyscallRule>& rules);

}  // namespace nacre::sandbox::seccomp
