// The seccomp profiles under the real kernel, with real programs: what each runs, what each refuses,
// and how a violation is told.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "base/temp_dir.h"
#include "sandbox/seccomp/syscall_groups.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

bool Has(const char* program) {
  return ::access(program, X_OK) == 0;
}

SandboxSpec Under(const std::string& profile, std::vector<std::string> argv) {
  SandboxSpec spec = MakeSpec(std::move(argv));
  spec.seccomp_profile = profile;
  spec.environment.emplace_back("LC_ALL", "C.UTF-8");
  return spec;
}

SandboxSpec Python(const std::string& profile, const std::string& script) {
  return Under(profile, {kPython, "-c", script});
}

void Put(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
}

// Calls a system call by its x86-64 number and prints the errno that it failed with.
std::string CallScript(const std::string& call) {
  return "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
         "libc.syscall.restype = ctypes.c_long\n"
         "r = libc.syscall(" +
         call + ")\nprint(r, ctypes.get_errno() if r < 0 else 0, flush=True)\n";
}

TEST_CASE("every profile runs a C program and Python") {
  for (const seccomp::Profile& profile : seccomp::Profiles()) {
    CAPTURE(profile.name);
    const Outcome echo = RunSpec(Under(profile.name, {"/bin/echo", "hello"}));
    CHECK(echo.kind == OutcomeKind::kExited);
    CHECK(echo.output == "hello\n");
    CHECK(echo.error_output.empty());
    CHECK(echo.layers.seccomp);
    if (!Has(kPython)) {
      continue;
    }
    const Outcome python = RunSpec(Python(profile.name,
                                          "import json, threading\n"
                                          "t = threading.Thread(target=lambda: None)\n"
                                          "t.start(); t.join()\n"
                                          "print(json.dumps(open('/etc/passwd').read()[:4]))"));
    CHECK(python.output == "\"root\"\n");
    CHECK(python.error_output.empty());
  }
}

TEST_CASE("a pure tool changes no file and starts no process") {
  if (!Has(kPython)) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const Outcome outcome = RunSpec(Python("pure",
                                         "import os\n"
                                         "def attempt(f, *a):\n"
                                         "  try: f(*a); print('done', f.__name__)\n"
                                         "  except OSError as e: print(f.__name__, e.errno)\n"
                                         "attempt(os.open, '/tmp/x', os.O_CREAT | os.O_WRONLY)\n"
                                         "attempt(os.mkdir, '/tmp/d')\n"
                                         "attempt(os.unlink, '/etc/passwd')\n"
                                         "attempt(os.fork)\n"));
  CHECK(outcome.output == "open 30\nmkdir 38\nunlink 38\nfork 1\n");
  CHECK(outcome.kind == OutcomeKind::kExited);
}

TEST_CASE("a violation names the system call and the rule that forbids it") {
  if (!Has(kPython)) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  struct Row {
    const char* call;
    const char* name;
    const char* rule;
  };
  const auto row = GENERATE(values<Row>(
      {{"272, 0x10000000", "unshare", "pure: namespaces and mounts: the walls themselves"},
       {"321, 0, 0, 0", "bpf", "pure: wide kernel attack surface that tools do without"},
       {"304, -100, 0, 0", "open_by_handle_at", "pure: files by inode, past every mount"},
       {"101, 0, 1, 0, 0", "ptrace", "pure: other processes' memory and descriptors"}}));
  const Outcome outcome = RunSpec(Python("pure", CallScript(row.call)));
  CHECK(outcome.kind == OutcomeKind::kViolation);
  CHECK(outcome.violated_syscall == row.name);
  CHECK(outcome.violated_rule == row.rule);
  CHECK(outcome.output.empty());
  CHECK(Describe(outcome) == "the call was killed for a system call that its profile forbids: " +
                                 std::string(row.name) + " (" + row.rule + ")");
  // In a wider profile the same call fails, and the program goes on.
  CHECK(RunSpec(Python("default", CallScript(row.call))).output == "-1 1\n");
}

TEST_CASE("a violation in a thread or a child ends the whole call") {
  if (!Has(kPython)) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const Outcome outcome =
      RunSpec(Python("pure",
                     "import threading, time\n"
                     "def f():\n  import ctypes\n  ctypes.CDLL(None).syscall(321, 0, 0, 0)\n"
                     "threading.Thread(target=f).start()\ntime.sleep(60)"));
  CHECK(outcome.kind == OutcomeKind::kViolation);
  CHECK(outcome.violated_syscall == "bpf");
  CHECK(outcome.use.wall < std::chrono::seconds(10));
}

TEST_CASE("code is made at run time only where the profile says so") {
  if (!Has(kPython)) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const std::string script =
      "import mmap\n"
      "try: mmap.mmap(-1, 4096, prot=7); print('made')\n"
      "except OSError as e: print(e.errno)\n";
  for (const seccomp::Profile& profile : seccomp::Profiles()) {
    CAPTURE(profile.name);
    CHECK(RunSpec(Python(profile.name, script)).output ==
          (profile.runs_what_it_makes ? "made\n" : "13\n"));
  }
  // What compiles when it can goes on without.
  const Outcome grep = RunSpec(Under("shell", {"/bin/sh", "-c", "echo abc | grep -P 'a.c'"}));
  CHECK(grep.output == "abc\n");
}

TEST_CASE("the shell profile runs bash, coreutils and pipelines") {
  if (!Has("/bin/bash")) {
    SKIP_HERE("no /bin/bash on this host");
  }
  SandboxSpec spec =
      Under("shell", {"/bin/bash", "-c",
                      "set -euo pipefail; cd /tmp; mkdir -p a/b; "
                      "for i in 3 1 2; do echo $i > a/b/$i; done; "
                      "cat a/b/* | sort -rn | paste -sd, ; "
                      "cp -a a c; mv c d; ls d/b | wc -l; rm -r a d; "
                      "(sleep 0.01 & wait); printf '%s\\n' {x,y} | tr x z | head -1; "
                      "echo done | tee /tmp/copy | sha256sum | cut -c1-8; "
                      "awk 'BEGIN {print 6*7}'; date -d @0 +%Y; stat -c %a /tmp; "
                      "ulimit -n 64; ulimit -n"});
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.error_output == "");
  CHECK(outcome.output == "3,2,1\n3\nz\nd117fa00\n42\n1970\n1777\n64\n");
}

TEST_CASE("the build profile compiles with make and runs what it made in the workspace") {
  if (!Has("/usr/bin/gcc") || !Has("/usr/bin/make")) {
    SKIP_HERE("no gcc or make on this host");
  }
  const TempDir folder = TempDir::Create().value();
  Put(folder.path() + "/main.c", "#include <stdio.h>\nint main(void) { puts(\"built\"); }\n");
  Put(folder.path() + "/Makefile", "check: main\n\t./main\nmain: main.c\n\t$(CC) -O1 -o $@ $<\n");
  SandboxSpec spec = Under("build", {"/usr/bin/make", "-s", "-j2", "check"});
  spec.mounts = {{.source = folder.path(),
                  .target = "/workspace",
                  .access = Access::kReadWrite,
                  .executable = Executable::kYes}};
  spec.working_directory = "/workspace";
  spec.limits.memory_bytes = 1ULL << 30;
  const Outcome built = RunSpec(spec);
  CHECK(built.error_output == "");
  CHECK(built.output == "built\n");

  // Everything else that can be written stays as it was.
  SandboxSpec elsewhere = spec;
  elsewhere.argv = {"/bin/sh", "-c",
                    "for d in /tmp /dev/shm; do cp main $d/m; $d/m 2>/dev/null; done; echo end"};
  CHECK(RunSpec(elsewhere).output == "end\n");
  // And no other profile relaxes it, whatever the spec asks for.
  for (const char* profile : {"default", "shell", "network-client"}) {
    SandboxSpec other = spec;
    other.seccomp_profile = profile;
    other.argv = {"/bin/sh", "-c", "./main; echo $?"};
    CHECK(RunSpec(other).output == "126\n");
  }
  SandboxSpec unasked = spec;
  unasked.mounts[0].executable = Executable::kNo;
  unasked.argv = {"/bin/sh", "-c", "./main; echo $?"};
  CHECK(RunSpec(unasked).output == "126\n");
}

TEST_CASE("a network client has sockets, which lead nowhere") {
  if (!Has(kPython)) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const Outcome outcome = RunSpec(Python("network-client", R"(
import socket
def attempt(name, f):
  try: f(); print(name, 'ok')
  except OSError as e: print(name, e.errno)
attempt('tcp', lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt('udp6', lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
attempt('unix', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt('sctp', lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))
s = socket.socket()
attempt('listen', lambda: s.listen())
try: socket.create_connection(('127.0.0.1', 1), 1); print('connected')
except OSError: print('no way out')
)"));
  CHECK(outcome.output ==
        "tcp ok\nudp6 ok\nunix 38\nraw 38\nnetlink 38\nsctp 38\nvsock 38\nlisten 1\nno way out\n");
  for (const char* profile : {"pure", "default", "shell", "build"}) {
    CHECK(RunSpec(Python(profile,
                         "import socket\ntry: socket.socket()\n"
                         "except OSError as e: print(e.errno)"))
              .output == "97\n");
  }
}

// A core dump goes to a program of the host where core_pattern says so, except when its size limit
// is exactly 1.
TEST_CASE("core dumps stay off, and a call cannot turn them on") {
  if (!Has(kPython)) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  for (const char* profile : {"pure", "default", "build"}) {
    CAPTURE(profile);
    CHECK(RunSpec(Python(profile,
                         "import resource as r\nprint(r.getrlimit(r.RLIMIT_CORE))\n"
                         "try: r.setrlimit(r.RLIMIT_CORE, (0, 0)); print('changed')\n"
                         "except OSError as e: print(e.errno)\n"
                         "print(r.getrlimit(r.RLIMIT_CORE))"))
              .output == "(1, 1)\n38\n(1, 1)\n");
  }
}

// What --why tells people. A link that leads elsewhere is no such program.
TEST_CASE("an observed call tells which programs it could not execute where nothing is") {
  class Watching final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
    Reply OnChannelBytes(std::string_view) override { return {}; }
    void OnObserved(const seccomp::Observation& observation) override {
      if (observation.noexec) {
        noexec.insert(observation.path);
      }
    }
    std::set<std::string> noexec;
  };
  const bool build = GENERATE(false, true);
  const TempDir workspace = TempDir::Create().value();
  SandboxSpec spec =
      Under(build ? "build" : "default",
            {"/bin/sh", "-c",
             "cp /bin/true copy; ln -s /bin/true link; cp /bin/true /tmp/copy; ./copy && echo ran; "
             "./link && echo linked; /tmp/copy; exit 0"});
  spec.mounts = {{.source = workspace.path(),
                  .target = "/workspace",
                  .access = Access::kReadWrite,
                  .executable = Executable::kYes}};
  spec.working_directory = "/workspace";
  spec.observe = true;
  Watching io;
  const Outcome outcome = SharedSandbox().Run(spec, io, CancelToken()).value();
  INFO(Describe(outcome) << outcome.error_output);
  CHECK(outcome.output == (build ? "ran\nlinked\n" : "linked\n"));
  if (::geteuid() == 0 || !io.noexec.empty()) {
    CHECK(io.noexec == (build ? std::set<std::string>{"/tmp/copy"}
                              : std::set<std::string>{"/tmp/copy", "/workspace/copy"}));
  }
}

}  // namespace
}  // namespace nacre::sandbox
