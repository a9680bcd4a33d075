#include "sandbox/kernel/shared_child.h"

#include <sched.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>

namespace nacre::sandbox::kernel {
namespace {

// Only what is touched is memory. The guard is more than one function takes without touching it.
constexpr size_t kStackBytes = 8 << 20;
constexpr size_t kGuardBytes = 256 * 1024;

}  // namespace

pid_t StartSharedChild(int (*entry)(void*), void* argument, int flags) {
  void* const mapped = ::mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    return -errno;
  }
  auto* const low = static_cast<char*>(mapped);
  if (::mprotect(low, kGuardBytes, PROT_NONE) != 0) {
    return -errno;
  }
  const pid_t child = ::clone(entry, low + kGuardBytes + kStackBytes, CLONE_VM | flags, argument);
  return child < 0 ? -errno : child;
}

}  // namespace nacre::sandbox::kernel
