#include "runtime/inference/worker/lockdown.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <functional>
#include <thread>

namespace nacre::inference {
namespace {

// Runs `probe` in a child that has locked itself down; its answer, or 200 when it could not.
int InLockdown(const std::function<int()>& probe) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(LockDown({}).ok() ? probe() : 200);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int Refused(long result) {
  return result < 0 ? errno : 0;
}

}  // namespace

// Each row is a way out that was closed. Add a row for each new one.
TEST_CASE("after the lockdown there is no way out of the process") {
  struct Row {
    const char* what;
    std::function<int()> attempt;  // the errno, 0 when it worked
  };
  const std::vector<Row> rows = {
      {"read a file", [] { return Refused(::open("/etc/passwd", O_RDONLY)); }},
      {"create a file", [] { return Refused(::open("/tmp/x", O_WRONLY | O_CREAT, 0600)); }},
      {"open by openat2",
       [] { return Refused(::syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0)); }},
      {"look at a path",
       [] {
         struct stat status {};
         return Refused(::syscall(SYS_stat, "/etc", &status));
       }},
      {"internet socket", [] { return Refused(::socket(AF_INET, SOCK_STREAM, 0)); }},
      {"unix socket", [] { return Refused(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"socket pair",
       [] {
         int pair[2];
         return Refused(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
       }},
      {"run a program",
       [] {
         char* const arguments[] = {nullptr};
         return Refused(::execve("/bin/true", arguments, arguments));
       }},
      {"fork", [] { return Refused(::syscall(SYS_fork)); }},
      {"a new process by clone", [] { return Refused(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
      {"trace", [] { return Refused(::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0)); }},
      {"signal another process", [] { return Refused(::kill(::getppid(), 0)); }},
      {"signal by tgkill", [] { return Refused(::syscall(SYS_tgkill, 1, 1, 0)); }},
      {"executable memory",
       [] {
         return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                        MAP_FAILED
                    ? errno
                    : 0;
       }},
      {"make memory executable",
       [] {
         void* page =
             ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return page == MAP_FAILED ? 0 : Refused(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
       }},
      {"read another process' memory",
       [] { return Refused(::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0)); }},
      {"new namespaces", [] { return Refused(::syscall(SYS_unshare, 0x10000000)); }},
      {"io_uring", [] { return Refused(::syscall(SYS_io_uring_setup, 1, nullptr)); }},
      {"bpf", [] { return Refused(::syscall(SYS_bpf, 0, nullptr, 0)); }},
      {"a file in memory", [] { return Refused(::syscall(SYS_memfd_create, "x", 0)); }},
      {"become root", [] { return Refused(::syscall(SYS_setuid, 0)); }},
      {"mount", [] { return Refused(::syscall(SYS_mount, "a", "/", "tmpfs", 0, nullptr)); }},
      {"an inherited descriptor", [] { return Refused(::fcntl(9, F_GETFD)); }},
  };
  // Something above the allowed descriptors, that must not survive.
  REQUIRE(::dup2(0, 9) == 9);
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const int answer = InLockdown(row.attempt);
    CHECK(answer != 0);
    CHECK(answer != 200);
  }
  ::close(9);
}

TEST_CASE("after the lockdown a process can still compute, allocate and start threads") {
  CHECK(InLockdown([] {
          int sum = 0;
          std::thread worker([&sum] {
            const std::string text(10 << 20, 'x');
            sum = static_cast<int>(text.size() >> 20);
          });
          worker.join();
          return sum == 10 ? 7 : 8;
        }) == 7);
}

TEST_CASE("the lockdown tells what it did") {
  CHECK(InLockdown([] { return 0; }) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<LockdownReport> report = LockDown({});
    const bool complete =
        report.ok() && report.value().layers.size() + report.value().missing.size() == 6;
    ::_exit(complete ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace nacre::inference
