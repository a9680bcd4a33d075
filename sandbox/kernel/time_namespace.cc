#include "sandbox/kernel/time_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "sandbox/kernel/decimal.h"
#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox::kernel {
namespace {

struct Line {
  char text[96] = {};
  size_t size = 0;

  void Add(const char* words) {
    while (*words != '\0' && size < sizeof text) {
      text[size++] = *words++;
    }
  }
  void AddDecimal(uint64_t value) {
    char number[kDecimalBytes];
    WriteDecimal(value, number);
    Add(number);
  }
};

// Whole seconds, so that what is left is below one and never negative.
int AddOffset(Line& line, const char* name, clockid_t clock) {
  struct timespec now = {};
  if (::clock_gettime(clock, &now) != 0) {
    return -errno;
  }
  line.Add(name);
  line.Add(" -");
  line.AddDecimal(static_cast<uint64_t>(now.tv_sec));
  line.Add(" 0\n");
  return 0;
}

}  // namespace

int OpenTimeOffsets() {
  const int file = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  return file < 0 ? -errno : file;
}

int NewTimeNamespaceForChildren(int offsets) {
  if (::unshare(kCloneNewTime) != 0) {
    return -errno;
  }
  Line line;
  int result = AddOffset(line, "monotonic", CLOCK_MONOTONIC);
  if (result == 0) {
    result = AddOffset(line, "boottime", CLOCK_BOOTTIME);
  }
  if (result != 0) {
    return result;
  }
  const int file = offsets >= 0 ? offsets : OpenTimeOffsets();
  if (file < 0) {
    return file;
  }
  const ssize_t written = ::write(file, line.text, line.size);
  result = written < 0 ? -errno : static_cast<size_t>(written) == line.size ? 0 : -EIO;
  if (offsets < 0) {
    ::close(file);
  }
  return result;
}

}  // namespace nacre::sandbox::kernel
