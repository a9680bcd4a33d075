// Isolation: which wall stands between a call and the host's kernel. One interface, three tiers.
//
//   namespace   the host's own kernel, seen through namespaces, seccomp and Landlock
//   gvisor      a kernel in user space (runsc): the call's system calls end there
//   microvm     a kernel of its own in a virtual machine (qemu's microvm machine)
//
// A tier that the host does not have is refused. It is never replaced by another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nacre::sandbox {

enum class Isolation { kNamespace = 0, kGvisor, kMicrovm };

const char* IsolationName(Isolation isolation);  // "namespace", "gvisor", "microvm"
std::optional<Isolation> ParseIsolation(std::string_view name);

}  // namespace nacre::sandbox
