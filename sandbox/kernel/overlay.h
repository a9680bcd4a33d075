// The overlay that a transactional workspace is: the workspace below, untouched, and on top of it a
// small file system of the call's own that takes every change.
//
// Made in the call's user and mount namespace, as an ordinary user too (overlayfs since Linux 5.11,
// with its marks in user.overlay.* attributes). The upper file system is a tmpfs, whose size is the
// call's disk limit; it takes such attributes since Linux 6.6.
//
// Async-signal-safe: called between clone3(2) and execve(2). Answers a descriptor, or -errno.
//
// Source: Documentation/filesystems/overlayfs.rst.
#pragma once

#include <cstdint>

namespace nacre::sandbox::kernel {

// The folder of the upper file system that holds the changes.
inline constexpr char kUpperFolder[] = "upper";

// A detached overlay of two detached trees. The root of the overlay takes over the mode of the lower
// root. Where the kernel takes no detached layers (before Linux 6.15; and still when another user
// namespace made the tree, as a privileged launcher does), the two are attached for a moment at the
// folders `.nacre/lower` and `.nacre/upper` of the current directory.
// Both descriptors stay the caller's. -EOPNOTSUPP: the upper file system cannot hold the marks.
int NewOverlay(int lower_tree, int upper_tree, uint64_t attributes);

// Whether a failure of NewOverlay() says that none can be made here, of this file system: the kernel
// lacks overlayfs, may not mount it in a user namespace, or its tmpfs lacks what it needs.
bool IsNoOverlay(int result);

// A detached tree of the folder kUpperFolder of `layers`, a detached tmpfs, which is attached at
// `.nacre/upper` for that moment. What is mounted on it later does not show through `layers`.
int UpperTree(int layers);

}  // namespace nacre::sandbox::kernel
