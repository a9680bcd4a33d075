// The time namespace of a call: its clocks of elapsed time begin when the call does, so that they do
// not tell how long the host has been up.
//
// Async-signal-safe. Answers 0 or -errno. Source: time_namespaces(7).
#pragma once

namespace nacre::sandbox::kernel {

// For the children of the calling process, which itself stays where it is; Linux allows nothing else.
// Needs the privileges of its user namespace, and its own files in /proc.
int NewTimeNamespaceForChildren();

}  // namespace nacre::sandbox::kernel
