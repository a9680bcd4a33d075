#include "sandbox/kernel/mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "sandbox/kernel/decimal.h"
#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox::kernel {
namespace {

int OrError(int result) {
  return result < 0 ? -errno : result;
}

int SetOption(int context, const char* key, const char* value) {
  return OrError(::fsconfig(context, FSCONFIG_SET_STRING, key, value, 0));
}

// Creates the superblock and its mount, and closes `context` whatever happens.
int MountContext(int context, uint64_t attributes) {
  int result = OrError(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
  if (result == 0) {
    result = OrError(::fsmount(context, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  }
  ::close(context);
  return result;
}

}  // namespace

int CloneTree(int directory, const char* path) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
  if (path[0] == '\0') {
    flags |= AT_EMPTY_PATH;
  }
  return OrError(::open_tree(directory, path, flags));
}

int SetAttributes(int tree, uint64_t attributes) {
  struct mount_attr attr = {};
  attr.attr_set = attributes;
  return OrError(::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
}

int SetAttributesAndIds(int tree, uint64_t attributes, int user_namespace) {
  struct mount_attr attr = {};
  attr.attr_set = attributes | MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<uint64_t>(user_namespace);
  return OrError(::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
}

int Attach(int tree, int target) {
  return OrError(
      ::move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int NewTmpfs(uint64_t size, uint64_t inodes, const char* mode, uint64_t attributes) {
  const int context = OrError(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (context < 0) {
    return context;
  }
  char number[kDecimalBytes];
  WriteDecimal(size, number);
  int result = SetOption(context, "size", number);
  if (result == 0) {
    WriteDecimal(inodes, number);
    result = SetOption(context, "nr_inodes", number);
  }
  if (result == 0) {
    result = SetOption(context, "mode", mode);
  }
  if (result < 0) {
    ::close(context);
    return result;
  }
  return MountContext(context, attributes);
}

int NewProc(uint64_t attributes, ProcView view) {
  const int context = OrError(::fsopen("proc", FSOPEN_CLOEXEC));
  if (context < 0) {
    return context;
  }
  int result = 0;
  if (view == ProcView::kOwnProcesses) {
    result = SetOption(context, "subset", "pid");
    if (result == 0) {
      result = SetOption(context, "hidepid", "invisible");
    }
  }
  if (result < 0) {
    ::close(context);
    return result;
  }
  return MountContext(context, attributes);
}

int NewTerminals(uint64_t attributes) {
  const int context = OrError(::fsopen("devpts", FSOPEN_CLOEXEC));
  if (context < 0) {
    return context;
  }
  int result = SetOption(context, "ptmxmode", "0600");
  if (result == 0) {
    result = SetOption(context, "mode", "0600");
  }
  if (result < 0) {
    ::close(context);
    return result;
  }
  return MountContext(context, attributes);
}

int OpenBeneath(const char* relative_path) {
  struct open_how how = {};
  // Without O_NOFOLLOW, which would open a final symlink itself instead of failing.
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return OrError(OpenAt2(AT_FDCWD, relative_path, how));
}

int OpenInRoot(const char* path) {
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return OrError(OpenAt2(AT_FDCWD, path, how));
}

}  // namespace nacre::sandbox::kernel
