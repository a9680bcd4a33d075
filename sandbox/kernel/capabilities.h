// Giving up capabilities for good.
//
// Async-signal-safe. Answers 0 or -errno. Source: capabilities(7).
#pragma once

namespace nacre::sandbox::kernel {

// Empties the bounding, inheritable and ambient sets and locks the secure bits: no later execve(2)
// can bring a capability back. What the process holds now it keeps.
int LimitCapabilities();

// Empties the permitted, effective and inheritable sets too.
int DropCapabilities();

}  // namespace nacre::sandbox::kernel
