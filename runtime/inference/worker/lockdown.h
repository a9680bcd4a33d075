// Lockdown: what the worker takes from itself before it reads the first byte of a model.
//
// A GGUF file and its Jinja template are hostile input to a parser with a history of memory-safety
// bugs. After LockDown() this process can compute, allocate, start threads, read and map the one
// open file, and talk on its channel; it cannot open a file, make a socket, start a program, see
// another process or become anyone.
//
// Linux only; works as root and as an ordinary user. Call once, before the first thread starts.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::inference {

struct LockdownReport {
  std::vector<std::string> layers;   // in force
  std::vector<std::string> missing;  // "landlock: Function not implemented", ...
};

struct LockdownOptions {
  // Every descriptor above this one is closed.
  int descriptor_max = 4;
  // A GPU's driver opens its devices and libraries when it is first used, and talks by ioctl.
  enum class Device { kCpu = 0, kGpu } device = Device::kCpu;
};

// kFailedPrecondition when a layer that nacre requires (no_new_privs, capabilities, seccomp,
// rlimits, descriptors) cannot be had. Network namespace and Landlock may be missing: seccomp alone
// refuses sockets and files.
Result<LockdownReport> LockDown(const LockdownOptions& options);

}  // namespace nacre::inference
