// The agent as the first program of a machine (a microVM): everything between the kernel's start and
// the call. It loads the modules that the host chose, opens the stream to the host, and makes the
// call's tree, which the host serves by 9p, the root of all.
//
// The host's kernel keeps what is read-only, hidden and protected in that tree; what only a guest's
// kernel can keep (noexec, nosuid, nodev), this one does.
#pragma once

namespace nacre::sandbox::guest {

// Does not return: at the end the host ends the machine, or, if it does not, it ends itself.
[[noreturn]] void RunMachine();

}  // namespace nacre::sandbox::guest
