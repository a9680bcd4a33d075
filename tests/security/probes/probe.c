/* The helpers of the probes, and the program that holds them all: nacre-probes NAME. */
#include "probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>

#include "registry.h"

static const char* Variable(const char* name, const char* fallback) {
  const char* value = getenv(name);
  return value != NULL ? value : fallback;
}

static const char* Join(const char* directory, const char* name) {
  char* path = malloc(strlen(directory) + strlen(name) + 2);
  if (path == NULL) Cannot("out of memory");
  sprintf(path, "%s/%s", directory, name);
  return path;
}

const char* Workspace(const char* name) {
  return Join(Variable("PROBE_WORKSPACE", "/workspace"), name);
}
const char* ReadOnly(const char* name) {
  return Join(Variable("PROBE_READONLY", "/readonly"), name);
}
const char* HostFile(void) { return Variable("PROBE_HOST_FILE", "/nowhere"); }
pid_t HostPid(void) { return (pid_t)atoi(Variable("PROBE_HOST_PID", "0")); }
const char* HostValue(const char* name) { return getenv(name); }

void Escaped(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  dprintf(3, "escaped ");
  vdprintf(3, format, arguments);
  dprintf(3, "\n");
  va_end(arguments);
  _exit(1);
}

void Cannot(const char* why) {
  dprintf(3, "cannot %s\n", why);
  _exit(2);
}

void Held(const char* layer, const char* what) { dprintf(3, "held %s %s\n", layer, what); }

void ReadyAndWait(void) {
  dprintf(3, "ready\n");
  for (;;) pause();
}

long Attempt(const char* what, long number, const long a[6]) {
  errno = 0;
  const long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  const int error = errno;
  dprintf(3, "try %ld %lx %lx %lx %lx %lx %lx %ld %d %s\n", number, a[0], a[1], a[2], a[3], a[4], a[5],
          result, result < 0 ? error : 0, what);
  errno = error;
  return result;
}

void MustNotOpen(const char* path, int flags) {
  if (TRY(SYS_openat, AT_FDCWD, path, flags, (flags & O_CREAT) != 0 ? 0600 : 0) >= 0)
    Escaped("opened %s", path);
}

void MustNotRead(const char* path) {
  char text[64] = {0};
  const long fd = TRY(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return;
  const ssize_t size = read((int)fd, text, sizeof text - 1);
  close((int)fd);
  if (size > 0 && strstr(text, "host secret") != NULL) Escaped("read %s", path);
  Held("mount", "another file is there");
}

ssize_t ReadText(const char* path, char* text, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t have = 0;
  ssize_t got = 0;
  while (have + 1 < size && (got = read(fd, text + have, size - 1 - have)) > 0) have += (size_t)got;
  close(fd);
  text[have] = 0;
  return (ssize_t)have;
}

void TouchMemory(size_t size, int flags) {
  for (size_t have = 0; have < size; have += 1 << 20) {
    char* memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) Cannot("mmap failed before the limit");
    memset(memory, 1, 1 << 20);
  }
  usleep(100000); /* the watchdog's chance */
  Escaped("%zu bytes are there", size);
}

void FillFolder(const char* folder, long bytes) {
  static char block[65536];
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/nacre-probe-XXXXXX", folder);
  if (mkdtemp(path) == NULL) Cannot("cannot make a folder");
  const int at = open(path, O_PATH);
  int failed = 0;
  for (long i = 0; i < bytes / (1 << 20) && !failed; ++i) {
    char name[32];
    snprintf(name, sizeof name, "%ld", i);
    const int fd = openat(at, name, O_WRONLY | O_CREAT, 0600);
    failed = fd < 0;
    for (int j = 0; j < 16 && !failed; ++j) failed = TRY(SYS_write, fd, block, sizeof block) < (long)sizeof block;
    if (fd >= 0) close(fd);
  }
  usleep(failed ? 100000 : 0); /* the watchdog's chance */
  for (long i = 0; i < bytes / (1 << 20); ++i) {
    char name[32];
    snprintf(name, sizeof name, "%ld", i);
    unlinkat(at, name, 0);
  }
  rmdir(path);
  if (!failed) Escaped("%ld bytes are there", bytes);
}

void FillInodes(const char* folder, int count) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/nacre-probe-XXXXXX", folder);
  if (mkdtemp(path) == NULL) Cannot("cannot make a folder");
  const int at = open(path, O_PATH);
  char name[32];
  int made = 0;
  for (; made < count; ++made) {
    snprintf(name, sizeof name, "%d", made);
    const int fd = openat(at, name, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) break;
    close(fd);
  }
  snprintf(name, sizeof name, "%d", made);
  if (made < count) TRY(SYS_openat, at, name, O_WRONLY | O_CREAT, 0600);
  usleep(made < count ? 100000 : 0);
  for (int i = 0; i < made; ++i) {
    snprintf(name, sizeof name, "%d", i);
    unlinkat(at, name, 0);
  }
  rmdir(path);
  if (made == count) Escaped("%d files are there", made);
}

void Flood(int descriptor) {
  static char block[4096];
  memset(block, 'x', sizeof block);
  for (int sent = 0; sent < 2 * kOutputLimit; sent += (int)sizeof block)
    if (write(descriptor, block, sizeof block) < 0) Cannot("nobody reads it");
  Escaped("all of it was taken");
}

void MustBeOwnNamespace(const char* name, const char* layer) {
  char path[64];
  char variable[64];
  struct stat info;
  snprintf(path, sizeof path, "/proc/self/ns/%s", name);
  snprintf(variable, sizeof variable, "PROBE_NS_%s", name);
  const char* host = HostValue(variable);
  if (host == NULL || stat(path, &info) != 0) Cannot("the namespace cannot be looked at");
  if (strtoull(host, NULL, 10) == info.st_ino) Escaped("it is the host's %s namespace", name);
  Held(layer, "it is not the host's");
}

static void MustNotSend(long fd, const void* address, socklen_t size) {
  if (TRY(SYS_connect, fd, address, size) >= 0) Escaped("connected");
  if (TRY(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL, address, size) >= 0) Escaped("sent");
}

void MustNotReach(int family, int type, const char* address, const char* port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port ? port : "9"))};
  inet_pton(AF_INET, address, &to.sin_addr);
  const long fd = TRY(SYS_socket, family, type, 0);
  if (fd >= 0) MustNotSend(fd, &to, sizeof to);
}

void MustNotReachUnix(int type, const char* name, int abstract) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (name == NULL) Cannot("the host has no such socket");
  strncpy(to.sun_path + abstract, name, sizeof to.sun_path - 2);
  const long fd = TRY(SYS_socket, AF_UNIX, type, 0);
  if (fd >= 0)
    MustNotSend(fd, &to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract + strlen(name) + !abstract));
}

void CopyProgram(const char* from, const char* to) {
  static char block[65536];
  unlink(to);
  const int in = open(from, O_RDONLY | O_CLOEXEC);
  const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  if (in < 0 || out < 0) Cannot("cannot copy a program");
  ssize_t size;
  while ((size = read(in, block, sizeof block)) > 0)
    if (write(out, block, (size_t)size) != size) Cannot("cannot write a program");
  close(in);
  close(out);
}

int RunProgram(const char* path, char* const argv[]) {
  const pid_t child = fork();
  if (child < 0) Cannot("cannot fork");
  if (child == 0) {
    char* none[] = {NULL};
    TRY(SYS_execve, path, argv, none);
    _exit(200 + (errno < 50 ? errno : 49));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return 128 + WTERMSIG(status);
  return WEXITSTATUS(status) >= 200 ? -1 - (WEXITSTATUS(status) - 200) : WEXITSTATUS(status);
}

int64_t NowMs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t PatienceMs(void) { return atoi(Variable("PROBE_PATIENCE_MS", "60")); }

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--exit-42") == 0) return 42; /* what copies of it are run for */
  const int other = argc == 3 && strcmp(argv[1], "--other") == 0;
  const char* name = argc >= 2 ? argv[argc - 1] : "";
  for (size_t i = 0; i < kProbeCount; ++i) {
    if (strcmp(kProbes[i].name, name) != 0) continue;
    if (other && kProbes[i].other == NULL) return 64;
    (other ? kProbes[i].other : kProbes[i].probe)();
    dprintf(3, "done\n");
    return 0;
  }
  fprintf(stderr, "usage: nacre-probes [--other] NAME\n");
  return 64;
}
