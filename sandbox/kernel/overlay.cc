#include "sandbox/kernel/overlay.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/kernel/mount.h"

namespace nacre::sandbox::kernel {
namespace {

constexpr char kWorkFolder[] = "work";
constexpr char kLowerPlace[] = ".nacre/lower";
constexpr char kUpperPlace[] = ".nacre/upper";
constexpr char kUpperPath[] = ".nacre/upper/upper";
constexpr char kWorkPath[] = ".nacre/upper/work";

int OrError(int result) {
  return result < 0 ? -errno : result;
}

// Both folders, the upper one as the lower root looks. 0, or -errno.
int MakeFolders(int lower_tree, int upper_tree) {
  struct stat lower = {};
  if (::fstat(lower_tree, &lower) != 0) {
    return -errno;
  }
  if (!S_ISDIR(lower.st_mode)) {
    return -ENOTDIR;
  }
  if (::mkdirat(upper_tree, kUpperFolder, 0700) != 0 ||
      ::mkdirat(upper_tree, kWorkFolder, 0700) != 0 ||
      ::fchmodat(upper_tree, kUpperFolder, lower.st_mode & 07777, 0) != 0) {
    return -errno;
  }
  const int upper = ::openat(upper_tree, kUpperFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (upper < 0) {
    return -errno;
  }
  // Without these attributes an overlay mounts, and fails at the first folder that replaces another.
  const int marked = OrError(::fsetxattr(upper, "user.nacre", "1", 1, 0));
  if (marked == 0) {
    ::fremovexattr(upper, "user.nacre");
  }
  ::close(upper);
  return marked;
}

int NewContext() {
  const int context = OrError(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (context < 0) {
    return context;
  }
  int result = OrError(::fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", nullptr, 0));
  // The default of both is the kernel builder's; with either, a change would be more than a file.
  if (result == 0) {
    result = OrError(::fsconfig(context, FSCONFIG_SET_STRING, "index", "off", 0));
  }
  if (result == 0) {
    result = OrError(::fsconfig(context, FSCONFIG_SET_STRING, "metacopy", "off", 0));
  }
  if (result < 0) {
    ::close(context);
    return result;
  }
  return context;
}

// Closes `context` whatever happens.
int Finish(int context, int so_far, uint64_t attributes) {
  int result = so_far;
  if (result == 0) {
    result = OrError(::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
  }
  if (result == 0) {
    result = OrError(::fsmount(context, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  }
  ::close(context);
  return result;
}

int ByDescriptor(int lower_tree, int upper_tree, uint64_t attributes) {
  const int context = NewContext();
  if (context < 0) {
    return context;
  }
  const int upper = ::openat(upper_tree, kUpperFolder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int work = ::openat(upper_tree, kWorkFolder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int result = upper < 0 || work < 0 ? -EBADF : 0;
  if (result == 0) {
    result = OrError(::fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", nullptr, lower_tree));
  }
  if (result == 0) {
    result = OrError(::fsconfig(context, FSCONFIG_SET_FD, "upperdir", nullptr, upper));
  }
  if (result == 0) {
    result = OrError(::fsconfig(context, FSCONFIG_SET_FD, "workdir", nullptr, work));
  }
  if (upper >= 0) {
    ::close(upper);
  }
  if (work >= 0) {
    ::close(work);
  }
  return Finish(context, result, attributes);
}

int AttachFor(int tree, const char* place) {
  const int target = OpenBeneath(place);
  const int result = target < 0 ? target : Attach(tree, target);
  if (target >= 0) {
    ::close(target);
  }
  return result;
}

int ByPath(int lower_tree, int upper_tree, uint64_t attributes) {
  int result = AttachFor(lower_tree, kLowerPlace);
  if (result < 0) {
    return result;
  }
  result = AttachFor(upper_tree, kUpperPlace);
  if (result == 0) {
    const int context = NewContext();
    result = context;
    if (context >= 0) {
      result = OrError(::fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", kLowerPlace, 0));
      if (result == 0) {
        result = OrError(::fsconfig(context, FSCONFIG_SET_STRING, "upperdir", kUpperPath, 0));
      }
      if (result == 0) {
        result = OrError(::fsconfig(context, FSCONFIG_SET_STRING, "workdir", kWorkPath, 0));
      }
      result = Finish(context, result, attributes);
    }
    ::umount2(kUpperPlace, MNT_DETACH);
  }
  ::umount2(kLowerPlace, MNT_DETACH);  // the overlay holds mounts of its own of both
  return result;
}

}  // namespace

bool IsNoOverlay(int result) {
  return result == -ENODEV || result == -EINVAL || result == -EOPNOTSUPP || result == -ENOSYS ||
         result == -EPERM || result == -EACCES;
}

int UpperTree(int layers) {
  const int attached = AttachFor(layers, kUpperPlace);
  if (attached < 0) {
    return attached;
  }
  const int tree = CloneTree(AT_FDCWD, kUpperPath);
  ::umount2(kUpperPlace, MNT_DETACH);
  return tree;
}

int NewOverlay(int lower_tree, int upper_tree, uint64_t attributes) {
  const int made = MakeFolders(lower_tree, upper_tree);
  if (made < 0) {
    return made;
  }
  const int overlay = ByDescriptor(lower_tree, upper_tree, attributes);
  return overlay >= 0 ? overlay : ByPath(lower_tree, upper_tree, attributes);
}

}  // namespace nacre::sandbox::kernel
