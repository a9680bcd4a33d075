// The mount operations of a launch, over the file-descriptor based mount API (Linux 5.12).
//
// Async-signal-safe: called between clone3(2) and execve(2). Answers 0 (or a descriptor), or -errno,
// so that a step's failure can be reported without errno being overwritten on the way.
//
// Source: Documentation/filesystems/mount_api.rst; open_tree(2), mount_setattr(2), move_mount(2).
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace nacre::sandbox::kernel {

// Attribute bits of mount_setattr(2), as a set.
inline constexpr uint64_t kReadOnly = 0x1;
inline constexpr uint64_t kNoSuid = 0x2;
inline constexpr uint64_t kNoDev = 0x4;
inline constexpr uint64_t kNoExec = 0x8;

// A detached copy of the mounts below `path` (or of `directory` itself when path is ""). The final
// symlink is not followed.
int CloneTree(int directory, const char* path);
// Sets attributes on a detached tree and everything mounted below it.
int SetAttributes(int tree, uint64_t attributes);
// The same, and presents the tree's files under other ids: see user_namespace.h.
int SetAttributesAndIds(int tree, uint64_t attributes, int user_namespace);
// Puts a detached tree where `target`, an O_PATH descriptor, is.
int Attach(int tree, int target);
// A detached tmpfs. `size` in bytes.
int NewTmpfs(uint64_t size, uint64_t inodes, const char* mode, uint64_t attributes);
// A detached proc of the caller's pid namespace: of processes only, and only one's own; or of everything,
// for a program that is trusted to look and for tests that ask what is behind that.
enum class ProcView { kOwnProcesses = 0, kEverything };
int NewProc(uint64_t attributes, ProcView view);
// A detached devpts of its own: terminals that no other mount shows.
int NewTerminals(uint64_t attributes);
// O_PATH descriptor of a path below the current directory, through no symlink at all.
int OpenBeneath(const char* relative_path);
// O_PATH descriptor of a path, resolved as if the current directory were the root.
int OpenInRoot(const char* path);

}  // namespace nacre::sandbox::kernel
