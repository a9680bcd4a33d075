// The kernel that a microVM boots: the newest one of the host that has what our guest needs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::sandbox::microvm {

struct GuestKernel {
  std::string version;               // "6.1.0-44-amd64"
  std::string image;                 // "/boot/vmlinuz-6.1.0-44-amd64"
  std::vector<std::string> modules;  // absolute paths, each after those that it depends on

  friend bool operator==(const GuestKernel&, const GuestKernel&) = default;
};

// The modules of `names` and those below them, in loading order, from the text of modules.dep. One
// that `builtin` (the text of modules.builtin) names is left out. kNotFound names the first that is in
// neither; kUnimplemented a compressed one. Pure.
Result<std::vector<std::string>> OrderModules(const std::string& dependencies,
                                              const std::string& builtin,
                                              const std::vector<std::string>& names);

// Looks for `boot`/vmlinuz-VERSION with `modules`/VERSION, the newest version first. kUnavailable with
// the reason for each kernel that was there, and the package to install.
Result<GuestKernel> FindGuestKernel(const std::string& boot = "/boot",
                                    const std::string& modules = "/lib/modules");

}  // namespace nacre::sandbox::microvm
