// Giving up every capability for good: the bounding, inheritable, permitted, effective and ambient
// sets become empty and the secure bits are locked, so that no later execve(2) can bring one back.
//
// Async-signal-safe. Answers 0 or -errno. Source: capabilities(7).
#pragma once

namespace nacre::sandbox::kernel {

int DropAllCapabilities();

}  // namespace nacre::sandbox::kernel
