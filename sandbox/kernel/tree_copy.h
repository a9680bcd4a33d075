// CopyTree: a copy of a folder and all below it, for a workspace that no overlay can be made of.
//
// The source may be changed by others while it is read: each name is opened beneath its own folder
// and through no link, on the source's own mount only, so that the copy holds what was in the folder
// and nothing else. Types, permission bits, times and holes are kept; owners, attributes and the
// sharing of one file by several names are not. A FIFO, socket or device is left out.
//
// What its owner may not read, what we may not read, another mount, and what the caller hides are
// *withheld*: an empty file or folder stands there whose owner may not read it either.
//
// Async-signal-safe: called between clone3(2) and execve(2). Answers 0, or -errno.
#pragma once

#include <cstdint>

namespace nacre::sandbox::kernel {

inline constexpr uint64_t kCopiedEntriesMax = 65'536;
inline constexpr int kCopiedDepthMax = 128;

struct TreeCopyOptions {
  uint64_t bytes = 0;  // of all files together, holes counted
  // Whether the content of a path, relative to the folder, is withheld.
  bool (*is_hidden)(const void* context, const char* path) = nullptr;
  const void* context = nullptr;
};

// Into the empty folder `to`. -EFBIG: more than `bytes`; -ENOSPC: they do not fit; -E2BIG: more than
// kCopiedEntriesMax entries; -ELOOP: deeper than kCopiedDepthMax; -EAGAIN: an entry changes so fast
// that no copy of it can be had.
int CopyTree(int from, int to, const TreeCopyOptions& options);

}  // namespace nacre::sandbox::kernel
