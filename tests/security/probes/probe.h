/* The one exit protocol of the probes: 0 contained, 1 escaped (with a line that says how), 2 this
   host cannot try it. A probe is a small static program that does one hostile thing. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ESCAPED(...)     \
  do {                   \
    printf("ESCAPED: "); \
    printf(__VA_ARGS__); \
    printf("\n");        \
    fflush(stdout);      \
    _exit(1);            \
  } while (0)
#define CONTAINED() _exit(0)
#define CANNOT_TRY(why)          \
  do {                           \
    printf("CANNOT: %s\n", why); \
    fflush(stdout);              \
    _exit(2);                    \
  } while (0)

/* The call must fail; with which errno is its own business. */
#define MUST_FAIL(call)               \
  do {                                \
    errno = 0;                        \
    if ((long)(call) >= 0)            \
      ESCAPED("%s succeeded", #call); \
  } while (0)

static inline void MustNotOpen(const char* path, int flags) {
  int fd = open(path, flags, 0600);
  if (fd >= 0)
    ESCAPED("opened %s", path);
}
