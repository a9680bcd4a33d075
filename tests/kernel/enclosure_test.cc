// What stands around the program of a tier with a kernel of its own, with a program of ours in its place.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <catch2/catch.hpp>

#include "base/temp_dir.h"
#include "sandbox/seccomp/syscall_groups.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

struct Enclosed {
  Outcome outcome;
  std::string said;  // on its standard output, which is the call's channel
};

Enclosed RunEnclosed(const Enclosure& enclosure, SandboxSpec spec = Shell("")) {
  class Listener final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
    Reply OnChannelBytes(std::string_view bytes) override {
      said += bytes;
      return {};
    }
    void OnCallLayer(CallLayer given) override { layer.emplace(std::move(given)); }
    std::string said;
    std::optional<CallLayer> layer;
  } io;
  spec.require.id_maps = false;
  const LaunchPlan plan = MakeEnclosurePlan(spec, SharedSandbox().host(), enclosure).value();
  Outcome outcome = SharedSandbox().RunPlan(plan, io, CancelToken()).value();
  SharedSandbox().Settle();
  return {std::move(outcome), std::move(io.said)};
}

Enclosure Python(const std::string& script) {
  Enclosure enclosure;
  enclosure.argv = {kPython, "-c", script};
  enclosure.allowance.disk_bytes = 1ULL << 20;
  enclosure.allowance.output_bytes = 64 << 10;
  return enclosure;
}

#define PYTHON_OR_SKIP()                     \
  if (::access(kPython, X_OK) != 0) {        \
    SKIP_HERE("no " + std::string(kPython)); \
  }                                          \
  static_assert(true)

TEST_CASE("an enclosure of root's uses a device of the host as nobody, in the device's group") {
  PYTHON_OR_SKIP();
  struct stat device = {};
  if (::geteuid() != 0 || ::stat("/dev/kvm", &device) != 0) {
    SKIP_HERE("this is not root, or there is no /dev/kvm");
  }
  const kernel::Ids ids = kernel::IdsForDevice(device);
  if (ids.gid != device.st_gid) {
    SKIP_HERE("/dev/kvm is open to all, or to no group");
  }
  Enclosure enclosure = Python(
      "import os; os.close(os.open('/dev/kvm', os.O_RDWR)); print(os.getgid(), os.getgroups())");
  const Enclosed without = RunEnclosed(enclosure);
  CHECK(without.said.empty());  // there is none
  CHECK(without.outcome.layers.gid_map == "1000 65534 1");
  enclosure.devices = {{"/dev/kvm", device.st_rdev}};
  const Enclosed with = RunEnclosed(enclosure);
  CAPTURE(Describe(with.outcome), with.outcome.error_output);
  CHECK(with.said == "1000 []\n");
  CHECK(with.outcome.layers.uid_map == "1000 65534 1");
  CHECK(with.outcome.layers.gid_map == "1000 " + std::to_string(ids.gid) + " 1");
}

// Tries each of them and says which errno it met.
constexpr char kAttempts[] = R"(
import ctypes, mmap, os, resource, socket
def attempt(name, act):
  try:
    act()
    print(name, 'done')
  except OSError as error:
    print(name, error.errno)
attempt('process', os.fork)
attempt('network', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt('file of ours', lambda: open('/.nacre/file'))
attempt('guest file', lambda: open('/guest/workspace/notes').read())
attempt('guest program', lambda: os.execv('/guest/workspace/program', ['program']))
attempt('write', lambda: open('/guest/workspace/made', 'w').write('made'))
attempt('write beside', lambda: open('/guest/made', 'w'))
attempt('code', lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC))
print('files', resource.getrlimit(resource.RLIMIT_NOFILE)[1])
)";

SandboxSpec WithWorkspace(const TempDir& folder) {
  REQUIRE(WriteFileAtomically(folder.path() + "/notes", "notes").ok());
  REQUIRE(WriteFileAtomically(folder.path() + "/program", "#!/bin/sh\n", 0755).ok());
  SandboxSpec spec = Shell("");
  spec.mounts = {{folder.path(), "/workspace", Access::kReadWrite, Executable::kYes}};
  spec.limits.files = 100;
  return spec;
}

TEST_CASE(
    "what runs a machine has a call's walls around it, and code of its own making only to "
    "emulate") {
  PYTHON_OR_SKIP();
  const bool emulated = GENERATE(false, true);
  const TempDir folder = TempDir::Create().value();
  Enclosure enclosure = Python(kAttempts);
  enclosure.seccomp_profile = emulated ? seccomp::kEmulatedMachine : seccomp::kMachine;
  enclosure.allowance.files = 28;
  const Enclosed enclosed = RunEnclosed(enclosure, WithWorkspace(folder));
  CAPTURE(Describe(enclosed.outcome), enclosed.outcome.error_output);
  const bool landlock = SharedSandbox().host().landlock_abi > 0;
  CHECK(enclosed.said ==
        std::string("process 1\nnetwork 97\nfile of ours ") + (landlock ? "13" : "done") +
            "\nguest file done\nguest program 13\nwrite done\nwrite beside 30\ncode " +
            (emulated ? "done" : "13") + "\nfiles 128\n");
  CHECK(enclosed.outcome.layers.seccomp);
  CHECK(enclosed.outcome.layers.capabilities_empty);
  CHECK(enclosed.outcome.layers.landlock_abi == SharedSandbox().host().landlock_abi);
}

TEST_CASE("what runs a machine and reaches for the walls is ended, and the outcome names it") {
  PYTHON_OR_SKIP();
  Enclosure enclosure = Python("import ctypes; ctypes.CDLL(None).unshare(0); print('went on')");
  enclosure.seccomp_profile = seccomp::kMachine;
  const Enclosed enclosed = RunEnclosed(enclosure);
  CAPTURE(Describe(enclosed.outcome), enclosed.outcome.error_output);
  CHECK(enclosed.said.empty());
  CHECK(enclosed.outcome.kind == OutcomeKind::kViolation);
  CHECK(enclosed.outcome.violated_syscall == "unshare");
  CHECK_THAT(enclosed.outcome.violated_rule, Catch::StartsWith("machine: namespaces and mounts"));
}

TEST_CASE("a call cannot have the filter of what runs a machine") {
  for (const char* name : {seccomp::kMachine, seccomp::kEmulatedMachine}) {
    SandboxSpec spec = Shell("true");
    spec.seccomp_profile = name;
    CHECK_FALSE(MakePlan(spec, SharedSandbox().host()).ok());
  }
}

}  // namespace
}  // namespace nacre::sandbox
