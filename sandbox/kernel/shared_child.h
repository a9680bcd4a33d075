// A child that shares its parent's memory, as one of vfork(2) does, while both of them go on: it costs no
// copy of page tables, nor of the pages that either of them writes to.
//
// errno and all that is thread-local is shared too: while one of the two may need its errno, the other one
// makes no call that fails. Async-signal-safe. Source: clone(2), CLONE_VM.
#pragma once

#include <sys/types.h>

namespace nacre::sandbox::kernel {

// Runs `entry` in the child, on a stack of its own that takes what a process's own would: the child may
// copy a tree of folders (tree_copy.h). `flags` are clone(2)'s, with the signal that the parent gets.
// The child's pid, or -errno. The stack is never given back: both processes end or become a program.
pid_t StartSharedChild(int (*entry)(void*), void* argument, int flags);

}  // namespace nacre::sandbox::kernel
