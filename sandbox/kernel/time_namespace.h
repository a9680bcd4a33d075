// The time namespace of a call: its clocks of elapsed time begin when the call does, so that they do
// not tell how long the host has been up.
//
// Async-signal-safe. Answers 0 or -errno. Source: time_namespaces(7).
#pragma once

namespace nacre::sandbox::kernel {

// For the children of the calling process that do not share its memory; the process itself stays where it
// is. Linux allows nothing else. Needs the privileges of its user namespace. `offsets` is the process's own
// file of that name, opened before; -1: it is opened here, which needs the process's files in /proc.
int NewTimeNamespaceForChildren(int offsets = -1);

// The file, open, or -errno.
int OpenTimeOffsets();

}  // namespace nacre::sandbox::kernel
