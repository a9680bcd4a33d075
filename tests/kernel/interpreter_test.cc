// Interpreters that were started before their call: locked like any other tool before anything of the
// call reaches them, used once, and never silently something else.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "base/temp_dir.h"
#include "sandbox/interpreter/python.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

using std::chrono::seconds;

// A folder with a script, which the sandbox mounts.
class Script final {
 public:
  explicit Script(const std::string& code) : folder_(TempDir::Create().value()) {
    REQUIRE(::chmod(folder_.path().c_str(), 0755) == 0);
    std::ofstream(folder_.path() + "/tool.py") << code;
  }
  const std::string& folder() const { return folder_.path(); }

 private:
  TempDir folder_;
};

SandboxSpec PythonSpec(const Script& script, std::vector<std::string> arguments = {},
                       const std::string& module = "") {
  SandboxSpec spec = MakeSpec(interpreter::PythonCommand(module));
  spec.environment.emplace_back("LANG",
                                "C.UTF-8");  // as every tool has it; else Python adds a name
  spec.interpreter_arguments = spec.argv.size();
  spec.argv.push_back("/nacre/tool/tool.py");
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.mounts.push_back({script.folder(), "/nacre/tool"});
  return spec;
}

void NeedPython() {
  if (::access(interpreter::kPythonProgram, X_OK) != 0) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
}

TEST_CASE("a script sees the same in an interpreter that was started before its call") {
  NeedPython();
  const Script script(
      "import os, resource, sys, helper\n"
      "print(sys.argv, __name__, __file__, sys.path, sys.flags.isolated, helper.value)\n"
      "print(sorted(os.environ.items()), os.getcwd(), os.getpid(), os.getppid(), os.getsid(0))\n"
      "print(sorted(set(os.listdir('/proc/self/fd')) - {'4'}))\n"
      "print([resource.getrlimit(each) for each in range(16)])\n"
      "print([x for x in open('/proc/self/status') if x.startswith(('Cap', 'Sec', 'NoN', 'Uid', "
      "'Groups', 'Threads'))])\n"
      "print(open('/proc/self/mountinfo').read().count('\\n'), os.listdir('/'))\n"
      "print(sys.stdin.read())\n"
      "print('bad', file=sys.stderr)\nsys.exit(3)\n");
  const SandboxSpec spec = PythonSpec(script, {"a", "two words", ""}, "helper\nvalue = 42\n");
  const Outcome warm = RunWarm(*MakeWarm(1), spec);
  const Outcome cold = RunIn(*KernelSandbox::Create().value(), spec);
  CHECK(warm.exit_code == 3);
  CHECK(warm.layers == cold.layers);
  CHECK(warm.output == cold.output);
  CHECK(warm.error_output == cold.error_output);
  CHECK(warm.kind == cold.kind);
}

TEST_CASE("the layers of a call in a started interpreter are read back, and hold") {
  NeedPython();
  // Each line: what must fail, tried by a script.
  const Script script(
      "import ctypes, os, socket, sys\n"
      "def tried(name, act):\n"
      "  try:\n    act()\n    print('DONE', name)\n"
      "  except OSError as problem:\n    print('refused', name)\n"
      "libc = ctypes.CDLL(None, use_errno=True)\n"
      "def call(*numbers):\n"
      "  if libc.syscall(*numbers) < 0: raise OSError(ctypes.get_errno(), 'x')\n"
      "tried('mount', lambda: call(165, b'a', b'/tmp', b'tmpfs', 0, 0))\n"
      "tried('unshare', lambda: call(272, 0x10000000))\n"
      "tried('setns', lambda: call(308, 0, 0))\n"
      "tried('ptrace', lambda: call(101, 16, 1, 0, 0))\n"
      "tried('socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))\n"
      "tried('memfd', lambda: os.memfd_create('x'))\n"
      "tried('write root', lambda: open('/x', 'w'))\n"
      "tried('write tool', lambda: open('/nacre/tool/x', 'w'))\n"
      "tried('outside of Landlock', lambda: open('/.nacre/file'))\n"
      "tried('capset', lambda: os.setgroups([0]))\n"
      "tried('environment of pid 1', lambda: open('/proc/1/environ').read())\n"
      "tried('memory of pid 1', lambda: open('/proc/1/mem', 'rb'))\n"
      "tried('chroot', lambda: os.chroot('/tmp'))\n"
      "open('/tmp/x', 'w').write('x')\nprint('end')\n");
  const Outcome outcome = RunWarm(*MakeWarm(1), PythonSpec(script));
  CAPTURE(outcome.output, outcome.error_output);
  CHECK(outcome.output.find("DONE") == std::string::npos);
  CHECK(outcome.output.ends_with("end\n"));
  CHECK(outcome.layers.seccomp);
  CHECK(outcome.layers.no_new_privs);
  CHECK(outcome.layers.capabilities_empty);
  CHECK(outcome.layers.landlock_abi == SharedSandbox().host().landlock_abi);
  CHECK(outcome.layers.namespaces.size() == 8);
}

TEST_CASE("a call finds nothing of another one, nor of who started its interpreter") {
  NeedPython();
  const Script script(
      "import gc, json, os, random, socket, sys, stat\n"
      "print('marked' if hasattr(json, 'mark') else 'clean')\n"
      "json.mark = True\nsys.modules['left'] = json\n"
      "print('LEFT' in os.environ, os.path.exists('/tmp/left'), os.path.exists('/dev/shm/left'))\n"
      "os.environ['LEFT'] = 'x'\nopen('/tmp/left', 'w').close()\nopen('/dev/shm/left', "
      "'w').close()\n"
      "print('socket' if any(stat.S_ISSOCK(os.fstat(int(fd)).st_mode) for fd in "
      "os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + fd)) else 'no socket')\n"
      "print([pid for pid in os.listdir('/proc') if pid.isdigit()])\n"
      "print(os.environ.get('TOKEN'), os.environ.get('NACRE_SLOT'))\n"
      "print('token', random.random(), hash('x'), hex(id(json)))\n");
  const auto sandbox = MakeWarm(2);
  std::set<std::string> tokens;
  for (int i = 0; i < 3; ++i) {
    SandboxSpec spec = PythonSpec(script);
    if (i == 0) {
      spec.environment.emplace_back("TOKEN", "other");
    }
    const Outcome outcome = RunWarm(*sandbox, spec);
    CAPTURE(outcome.output, outcome.error_output);
    const size_t at = outcome.output.find("token");
    REQUIRE(at != std::string::npos);
    CHECK(outcome.output.substr(0, at) == "clean\nFalse False False\nno socket\n['2']\n" +
                                              std::string(i == 0 ? "other" : "None") + " None\n");
    tokens.insert(outcome.output.substr(at));
  }
  CHECK(tokens.size() == 3);  // neither a seed nor a layout of memory is shared
}

TEST_CASE("what comes with a call is there in a started interpreter: workspace, masks, limits") {
  NeedPython();
  const TempDir workspace = TempDir::Create().value();
  REQUIRE(::chmod(workspace.path().c_str(), 0777) == 0);
  std::ofstream(workspace.path() + "/.env") << "s3cr3t";
  std::ofstream(workspace.path() + "/kept") << "kept";
  // A module of the workspace is no module of the script.
  std::ofstream(workspace.path() + "/helper.py") << "print('HIJACKED')\n";
  std::ofstream(workspace.path() + "/json.py") << "print('HIJACKED')\n";
  const Script script(
      "import json, os, sys\n"
      "try:\n  import helper\nexcept ImportError:\n  print('no helper')\n"
      "print(os.getcwd(), repr(open('.env').read()), open('kept').read())\n"
      "try:\n  open('kept', 'w')\nexcept OSError as problem:\n  print(problem.errno)\n"
      "open('made', 'w').write('x')\n"
      "while True: pass\n");
  SandboxSpec spec = PythonSpec(script);
  spec.mounts.push_back({workspace.path(), "/workspace", Access::kReadWrite});
  spec.hidden = {"/workspace/.env"};
  spec.read_only = {"/workspace/kept"};
  spec.working_directory = "/workspace";
  spec.limits.wall = std::chrono::milliseconds(3000);
  const Outcome outcome = RunWarm(*MakeWarm(1), spec);
  CHECK(outcome.kind == OutcomeKind::kTimedOut);
  // Buffered output of a killed program is lost, so that only what is on disk tells.
  CHECK(::access((workspace.path() + "/made").c_str(), F_OK) == 0);
  CHECK(outcome.output.find("HIJACKED") == std::string::npos);
  const Script short_script(
      "import json, os, sys\n"
      "try:\n  import helper\nexcept ImportError:\n  print('no helper')\n"
      "print(os.getcwd(), repr(open('.env').read()), open('kept').read())\n"
      "try:\n  open('kept', 'w')\nexcept OSError as problem:\n  print(problem.errno)\n");
  spec.mounts[0].source = short_script.folder();
  const Outcome ended = RunWarm(*MakeWarm(1), spec);
  CAPTURE(ended.error_output);
  CHECK(ended.output == "no helper\n/workspace '' kept\n30\n");
}

TEST_CASE("a sandbox whose interpreter has died is not used") {
  NeedPython();
  const Script script("print('ran')\n");
  const auto sandbox = MakeWarm(1);
  REQUIRE(sandbox->Prepare(PythonSpec(script), seconds(30)));
  // Its module ends the interpreter at once: no warm sandbox of this kind ever comes up.
  const SandboxSpec spec =
      PythonSpec(script, {}, "helper\nimport os\nif 'NACRE_SLOT' in os.environ: os._exit(1)\n");
  Outcome outcome;
  for (int i = 0; i < 1000; ++i) {
    outcome = RunIn(*sandbox, spec);
    CAPTURE(i, Describe(outcome));
    CHECK_FALSE(outcome.warm);
    CHECK(outcome.output == "ran\n");
    if (outcome.cold_because.ends_with("does not start")) {
      break;
    }
  }
  CHECK(outcome.cold_because == "no warm sandbox was ready: its interpreter does not start");
}

TEST_CASE("an interpreter that left a thread or a process behind gets no call") {
  NeedPython();
  const std::string left = GENERATE(
      "import threading, time\n"
      "if 'NACRE_SLOT' in os.environ: threading.Thread(target=time.sleep, args=(60,), "
      "daemon=True).start()\n",
      "if 'NACRE_SLOT' in os.environ and os.fork() == 0:\n  import time\n  time.sleep(60)\n");
  CAPTURE(left);
  const Script script("print('ran')\n");
  const auto sandbox = MakeWarm(1);
  const SandboxSpec spec = PythonSpec(script, {}, "helper\nimport os\n" + left);
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  const Outcome outcome = RunIn(*sandbox, spec);
  CHECK(outcome.warm);
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_step == "hand over to the interpreter");
  CHECK(outcome.setup_errno == EBUSY);
  CHECK(outcome.output.empty());
}

TEST_CASE("every step of a call in a started interpreter is made to fail: nothing runs") {
  NeedPython();
  const Script script("print('ran')\n");
  const auto sandbox = MakeWarm(2);
  const SandboxSpec spec = PythonSpec(script);
  const LaunchPlan plan = MakePlan(spec, sandbox->host()).value();
  for (size_t step = plan.prepared_steps; step < plan.steps.size(); ++step) {
    LaunchPlan failing = plan;
    failing.fail_at_step = step;
    if (plan.steps[step].optional) {
      continue;
    }
    REQUIRE(sandbox->Prepare(spec, seconds(30)));
    NoCallIo io;
    const Outcome outcome = sandbox->RunPlan(failing, io, CancelToken()).value();
    CAPTURE(plan.steps[step].name, outcome.cold_because);
    CHECK(outcome.warm);
    CHECK(outcome.kind == OutcomeKind::kSetupFailed);
    CHECK(outcome.setup_step == plan.steps[step].name);
    CHECK(outcome.output.empty());
  }
  CHECK(RunWarm(*sandbox, spec).output == "ran\n");
}

TEST_CASE("one task is too few to start an interpreter beforehand: the call is warm without one") {
  NeedPython();
  const Script script("print('ran')\n");
  SandboxSpec spec = PythonSpec(script);
  spec.limits.tasks = 1;
  const Outcome outcome = RunWarm(*MakeWarm(1), spec);
  CHECK(outcome.output == "ran\n");
}

TEST_CASE("scripts run in each profile that can, and a violation is named") {
  NeedPython();
  const std::string profile = GENERATE("pure", "default", "shell", "build", "network-client");
  CAPTURE(profile);
  const Script script(
      "import ctypes, sys\nprint('ran', flush=True)\n"
      "ctypes.CDLL(None).syscall(165, 0, 0, 0, 0, 0)\nprint('went on')\n");
  SandboxSpec spec = PythonSpec(script);
  spec.seccomp_profile = profile;
  const Outcome warm = RunWarm(*MakeWarm(1), spec);
  const Outcome cold = RunIn(*KernelSandbox::Create().value(), spec);
  CHECK(warm.kind == cold.kind);
  CHECK(warm.output == cold.output);
  CHECK(warm.violated_syscall == cold.violated_syscall);
  CHECK(warm.output.starts_with("ran\n"));
}

TEST_CASE("started interpreters leave nothing but what stands ready") {
  NeedPython();
  const Script script("pass\n");
  const auto sandbox = MakeWarm(1);
  const SandboxSpec spec = PythonSpec(script);
  RunWarm(*sandbox, spec);
  sandbox->Settle();
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto descriptors = count();
  for (int i = 0; i < 5; ++i) {
    CHECK(RunWarm(*sandbox, spec).kind == OutcomeKind::kExited);
  }
  sandbox->Settle();
  CHECK(count() == descriptors);
}

}  // namespace
}  // namespace nacre::sandbox
