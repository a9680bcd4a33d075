/* Executes, and maps executable, what it wrote itself: in each place where it can write. */
#include "tests/security/probes/probe.h"
int main(void) {
  static const char* const kPaths[] = {"/tmp/x", "/dev/shm/x", "/workspace/x"};
  for (size_t i = 0; i < 3; ++i) {
    int from = open("/proc/self/exe", O_RDONLY);
    int to = open(kPaths[i], O_RDWR | O_CREAT | O_TRUNC, 0755);
    if (from < 0 || to < 0) CANNOT_TRY("cannot copy");
    char buffer[65536];
    ssize_t size;
    while ((size = read(from, buffer, sizeof buffer)) > 0)
      if (write(to, buffer, (size_t)size) != size) CANNOT_TRY("cannot write");
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, to, 0) != MAP_FAILED)
      ESCAPED("mapped %s executable", kPaths[i]);
    close(to);
    char* argv[] = {"x", NULL};
    MUST_FAIL(execv(kPaths[i], argv));
    unlink(kPaths[i]);
  }
  CONTAINED();
}
