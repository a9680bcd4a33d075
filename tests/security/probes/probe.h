/* A probe is one attack in one small file. Its first comment is read by the build (registry.cmake):

     attack:   what it tries
     escaped:  what would show that it worked
     layer:    what is meant to stop it; "A or B" where hosts differ
     in NAME:  optional: the same under the profile NAME or in the isolation NAME, where it is another
               than in the profile default and in namespaces; or
               "allowed: " and why, which the suite then sees to, or "not tried: " and why
     control:  how it is known that the probe can succeed: "outside" of any sandbox, or "outside root";
               then perhaps files that must exist for it; or "none:" and why
     source:   a CVE, a technique, a catalogue entry
     calls:    optional: "together" or "in turn", with another call (OTHER_CALL) of the same file
     wall:     optional: milliseconds until the deadline of its call

   What happened goes to descriptor 3, a line each: every system call that had to fail, with its
   arguments and its errno (the judge asks the filter's emulator what seccomp answers to them), and
   findings that no errno tells. Exit codes: 0 stopped, 1 escaped, 2 this host cannot try it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The build names the functions of each file after it. */
#define PROBE()     \
  void Probe(void); \
  void Probe(void)
#define OTHER_CALL()    \
  void OtherCall(void); \
  void OtherCall(void)

/* The limits that every probe runs under: bombs go beyond them, and no further than twice. */
enum {
  kTasksLimit = 24,
  kFilesLimit = 64,
  kMemoryLimit = 64 << 20,
  kDiskLimit = 8 << 20,
  kOutputLimit = 256 << 10,
};

/* Where things are, in the sandbox and in control runs alike. The strings live until the end. */
const char* Workspace(const char* name); /* a path in the writable workspace */
const char* ReadOnly(const char* name);  /* a path in the read-only mount; "file" exists */
const char* HostFile(void);              /* a file of the host that all may read: "host secret" */
pid_t HostPid(void);                     /* a process of the host */
const char* HostValue(const char* name); /* what else the judge tells of the host, or NULL */

void Escaped(const char* format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void Cannot(const char* why) __attribute__((noreturn));
/* A layer held, by what the probe saw rather than by an errno. */
void Held(const char* layer, const char* what);
/* For OTHER_CALL: it is ready; waits until the probe has ended (or forever). */
void ReadyAndWait(void);

/* One raw system call, recorded. Returns its result, -1 with errno. */
long Attempt(const char* what, long number, const long arguments[6]);
#define SIX_(a, b, c, d, e, f, ...) \
  ((const long[6]){(long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)})
#define TRY(number, ...) Attempt(#number, number, SIX_(__VA_ARGS__, 0, 0, 0, 0, 0, 0))
/* The call must fail; its errno tells who stopped it. */
#define MUST_FAIL(number, ...)                                              \
  do {                                                                      \
    if (Attempt(#number, number, SIX_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)) >= 0) \
      Escaped("%s succeeded", #number "(" #__VA_ARGS__ ")");                \
  } while (0)

/* The file must not open, or not hold what the host's file holds. */
void MustNotRead(const char* path);
void MustNotOpen(const char* path, int flags);
/* Bombs, each bounded: Escaped() when all of it went through. */
void TouchMemory(size_t size, int flags);
void FillFolder(const char* folder, long bytes);
void FillInodes(const char* folder, int count);
void Flood(int descriptor);
/* The namespace must not be the host's; `layer` held it. */
void MustBeOwnNamespace(const char* name, const char* layer);
/* No socket, or no way from it to the address. */
void MustNotReach(int family, int type, const char* address, const char* port);
void MustNotReachUnix(int type, const char* name, int abstract);
/* Copies a program to a path, with mode 0755. */
void CopyProgram(const char* from, const char* to);
/* Runs a program in a child; its exit code, or -1 - errno when it could not be executed. */
int RunProgram(const char* path, char* const argv[]);
/* Reads up to size - 1 bytes and ends them with NUL; -1 when it cannot be opened. Not recorded. */
ssize_t ReadText(const char* path, char* text, size_t size);
int64_t NowMs(void);
/* How long to try to win a race: longer in control runs, where it must be won. */
int64_t PatienceMs(void);
