// What every tier of isolation must do, one case for all of them. A tier that this host does not
// have is skipped, and counted.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "base/temp_dir.h"
#include "tests/support/tiers.h"

namespace nacre::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// An emulated machine takes seconds to start, so a run of its own has it: NACRE_TEST_TIER=microvm.
std::vector<Isolation> TiersToTest() {
  const char* name = std::getenv("NACRE_TEST_TIER");
  const auto only = ParseIsolation(name == nullptr ? "" : name);
  return only ? std::vector<Isolation>{*only}
              : std::vector<Isolation>{Isolation::kNamespace, Isolation::kGvisor};
}

#define TIER_OR_SKIP()                                        \
  const Isolation tier = GENERATE(from_range(TiersToTest())); \
  CAPTURE(IsolationName(tier));                               \
  if (const auto missing = MissingTier(tier)) {               \
    SKIP_HERE(*missing);                                      \
  }                                                           \
  static_assert(true)

// With a workspace to write to, something hidden and something protected.
class Folder {
 public:
  Folder() : directory_(TempDir::Create().value()) {
    ::mkdir((path() + "/a").c_str(), 0755);
    ::mkdir((path() + "/a/b").c_str(), 0755);
    Write("notes.md", "notes");
    Write(".env", "SECRET=1");
    Write("a/b/protected", "kept");
  }

  const std::string& path() const { return directory_.path(); }
  std::string Read(const std::string& name) const {
    auto content = ReadFile(path() + "/" + name, 1000);
    return content.ok() ? content.value() : "(" + content.error().message + ")";
  }
  SandboxSpec Script(const std::string& script) const {
    SandboxSpec spec = Shell(script);
    spec.mounts = {{path(), "/workspace", Access::kReadWrite, Executable::kNo}};
    spec.working_directory = "/workspace";
    spec.hidden = {"/workspace/.env"};
    spec.read_only = {"/workspace/a/b/protected"};
    return spec;
  }

 private:
  void Write(const std::string& name, const std::string& content) {
    std::ofstream(path() + "/" + name) << content;
  }
  TempDir directory_;
};

TEST_CASE("tiers: exit codes and signals are the outcome") {
  TIER_OR_SKIP();
  for (const int code : {0, 7, 255}) {
    const Outcome outcome = RunInTier(tier, Shell("exit " + std::to_string(code)));
    CAPTURE(Describe(outcome));
    CHECK(outcome.kind == OutcomeKind::kExited);
    CHECK(outcome.exit_code == code);
  }
  const Outcome outcome = RunInTier(tier, Shell("kill -11 $$"));
  CHECK(outcome.kind == OutcomeKind::kSignaled);
  CHECK(outcome.signal == 11);
}

// The processor's own word, as a call's /proc has no cpuinfo: VMX is bit 5 of leaf 1, SVM bit 2 of leaf
// 0x80000001, both in ecx.
TEST_CASE("tiers: a microVM offers its guest no virtualisation") {
  if (const auto missing = MissingTier(Isolation::kMicrovm)) {
    SKIP_HERE(*missing);
  }
  const Folder folder;
  // push rbx; mov eax, edi; xor ecx, ecx; cpuid; mov eax, ecx; pop rbx; ret
  std::ofstream(folder.path() + "/code") << "\x53\x89\xf8\x31\xc9\x0f\xa2\x89\xc8\x5b\xc3";
  SandboxSpec spec = Shell(R"(exec python3 -c '
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
code = os.open("/code/code", os.O_RDONLY)
start = libc.mmap(None, ctypes.c_size_t(11), 5, 2, code, ctypes.c_long(0))  # read and execute, private
ecx = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)(start)
print(ecx(1) >> 5 & 1, ecx(0x80000001) >> 2 & 1)')");
  spec.mounts = {{folder.path(), "/code", Access::kRead, Executable::kYes}};
  const Outcome outcome = RunInTier(Isolation::kMicrovm, spec);
  CAPTURE(Describe(outcome), outcome.error_output);
  CHECK(outcome.output == "0 0\n");
}

TEST_CASE("tiers: output and error are kept apart, and a call's channel carries both ways") {
  TIER_OR_SKIP();
  class Echo final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = "ping\n", .close_input = false, .kill = false}; }
    Reply OnChannelBytes(std::string_view bytes) override {
      heard += bytes;
      return {.bytes = "pong\n", .close_input = true, .kill = false};
    }
    std::string heard;
  };
  Echo io;
  const Outcome outcome = RunInTier(
      tier, Shell("read a; echo \"$a\" >&3; read b; cat; echo out \"$b\"; echo err >&2"), io);
  CHECK(outcome.kind == OutcomeKind::kExited);
  CHECK(io.heard == "ping\n");
  CHECK(outcome.output == "out pong\n");
  CHECK(outcome.error_output == "err\n");
}

TEST_CASE("tiers: a program that does not exist is a failed set-up that names it") {
  TIER_OR_SKIP();
  const Outcome outcome = RunInTier(tier, MakeSpec({"/usr/bin/no-such-program"}));
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK_THAT(Describe(outcome), Catch::Contains("there is no program /usr/bin/no-such-program"));
}

TEST_CASE("tiers: the environment is the spec's and nothing else") {
  TIER_OR_SKIP();
  ::setenv("NACRE_TEST_SECRET", "secret", 1);
  const Outcome outcome = RunInTier(tier, MakeSpec({"/usr/bin/env"}));
  CHECK(outcome.output == "PATH=/usr/bin:/bin\nHOME=/tmp\n");
}

TEST_CASE("tiers: the workspace is written, as its owner, and nothing else is") {
  TIER_OR_SKIP();
  const Folder folder;
  const Outcome outcome = RunInTier(
      tier, folder.Script("cat notes.md; echo new > made && echo made; echo x > /etc/x || echo no; "
                          "echo x > /usr/x || echo no; echo x > /x || echo no"));
  CAPTURE(outcome.error_output, Describe(outcome));
  CHECK(outcome.output == "notesmade\nno\nno\nno\n");
  CHECK(folder.Read("made") == "new\n");
  struct stat made = {};
  struct stat owner = {};
  REQUIRE(::stat((folder.path() + "/made").c_str(), &made) == 0);
  REQUIRE(::stat(folder.path().c_str(), &owner) == 0);
  CHECK(made.st_uid == owner.st_uid);
}

TEST_CASE("tiers: a transactional workspace takes changes and leaves the source as it was",
          "[transaction]") {
  TIER_OR_SKIP();
  class TakeLayer final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
    Reply OnChannelBytes(std::string_view) override { return {}; }
    void OnCallLayer(CallLayer given) override { layer.emplace(std::move(given)); }
    std::optional<CallLayer> layer;
  };
  const Folder folder;
  SandboxSpec spec = folder.Script("echo new > made && echo changed > notes.md && cat notes.md");
  spec.mounts[0].access = Access::kTransactional;
  TakeLayer io;
  const Outcome outcome = RunInTier(tier, spec, io);
  CAPTURE(Describe(outcome), outcome.error_output);
  CHECK(outcome.output == "changed\n");
  CHECK(folder.Read("notes.md") == "notes");
  struct stat made = {};
  CHECK(::stat((folder.path() + "/made").c_str(), &made) != 0);
  REQUIRE(io.layer.has_value());
  CHECK(::fstatat(io.layer->tree().fd(), "made", &made, 0) == 0);
}

TEST_CASE("tiers: what is hidden and what is protected stays, also when a folder above is moved") {
  TIER_OR_SKIP();
  const Folder folder;
  const Outcome outcome =
      RunInTier(tier, folder.Script("cat .env; echo x > .env; rm -f .env; echo x > a/b/protected; "
                                    "rm -f a/b/protected; mv a/b a/c; mv a z; mkdir -p a/b; "
                                    "echo bad > a/b/protected; echo end"));
  CHECK(outcome.output == "end\n");
  CHECK(folder.Read(".env") == "SECRET=1");
  CHECK(folder.Read("a/b/protected") == "kept");
}

TEST_CASE("tiers: files of the host that are not mounted are not there") {
  TIER_OR_SKIP();
  const TempDir host = TempDir::Create().value();
  ::chmod(host.path().c_str(), 0755);
  std::ofstream(host.path() + "/canary") << "host secret";
  const Folder folder;
  const Outcome outcome = RunInTier(
      tier, folder.Script("cat " + host.path() + "/canary; ln -s " + host.path() +
                          "/canary link; cat link; cat /workspace/../" + host.path() +
                          "/canary; cat /proc/1/root" + host.path() + "/canary; echo end"));
  CHECK(outcome.output == "end\n");
}

TEST_CASE("tiers: a writable mount is not executable") {
  TIER_OR_SKIP();
  const Folder folder;
  const Outcome outcome = RunInTier(
      tier,
      folder.Script("cp /usr/bin/true t && chmod +x t && ./t && echo ran; "
                    "cp /usr/bin/true /tmp/t && chmod +x /tmp/t && /tmp/t && echo ran; echo end"));
  CHECK(outcome.output == "end\n");
}

TEST_CASE("tiers: there is no network") {
  TIER_OR_SKIP();
  const Outcome outcome =
      RunInTier(tier, MakeSpec({"/usr/bin/python3", "-c",
                                "import socket\n"
                                "try:\n"
                                "  socket.create_connection(('192.0.2.1', 80), 1)\n"
                                "  print('connected')\n"
                                "except OSError:\n"
                                "  print('no')\n"}));
  if (::access("/usr/bin/python3", X_OK) != 0) {
    SKIP_HERE("no /usr/bin/python3");
  }
  CHECK(outcome.output == "no\n");
}

TEST_CASE("tiers: the deadline, the output and the processor time of a call end it") {
  TIER_OR_SKIP();
  SandboxSpec sleeper = Shell("trap '' TERM INT; sleep 60");
  sleeper.limits.wall = milliseconds(300);
  CHECK(RunInTier(tier, sleeper).kind == OutcomeKind::kTimedOut);
  SandboxSpec flood = Shell("yes nacre");
  flood.limits.output_bytes = 10'000;
  const Outcome flooded = RunInTier(tier, flood);
  CHECK(flooded.kind == OutcomeKind::kOutputExceeded);
  CHECK(flooded.output.size() == 10'000);
  SandboxSpec spin = Shell("while :; do :; done");
  spin.limits.cpu = seconds(1);
  CHECK(RunInTier(tier, spin).kind == OutcomeKind::kCpuExceeded);
}

TEST_CASE("tiers: the tasks, the memory and the disk of a call end it") {
  TIER_OR_SKIP();
  SandboxSpec bomb = Shell("i=0; while [ $i -lt 16 ]; do sleep 100 & i=$((i+1)); done; wait");
  bomb.limits.wall =
      std::chrono::minutes(2);  // a kernel in user space starts slowly when all is busy
  bomb.limits.cpu = seconds(120);
  bomb.limits.tasks = 16;
  CHECK(RunInTier(tier, bomb).kind == OutcomeKind::kTasksExceeded);
  SandboxSpec hog = Shell("dd if=/dev/zero of=/dev/null bs=300M count=4");
  hog.limits.memory_bytes = 64ULL << 20;
  CHECK(RunInTier(tier, hog).kind == OutcomeKind::kOutOfMemory);
  SandboxSpec fill = Shell("cat /dev/zero > /tmp/big");
  fill.limits.disk_bytes = 8ULL << 20;
  CHECK(RunInTier(tier, fill).kind == OutcomeKind::kDiskExceeded);
}

TEST_CASE("tiers: cancelling ends the call") {
  TIER_OR_SKIP();
  class CancelOnOutput final : public CallIo {
   public:
    explicit CancelOnOutput(CancelSource& source) : source_(source) {}
    Reply OnStart() override { return {}; }
    Reply OnChannelBytes(std::string_view) override { return {}; }
    void OnOutput(int, std::string_view) override { source_.Cancel(); }

   private:
    CancelSource& source_;
  };
  CancelSource source;
  CancelOnOutput io(source);
  CHECK(RunInTier(tier, Shell("echo started; sleep 60"), io, source.token()).kind ==
        OutcomeKind::kCancelled);
}

TEST_CASE("tiers: whatever the end, nothing of a call is left") {
  TIER_OR_SKIP();
  RunInTier(tier, Shell("true"));  // what is made once, is made
  const HostState before = LookAtHost();
  SandboxSpec timed = Shell("(setsid sleep 60 &); sleep 60 & sleep 60");
  timed.limits.wall = milliseconds(300);
  for (const SandboxSpec& spec : {Shell("(setsid sleep 60 >/dev/null 2>&1 &)"), Shell("kill -9 $$"),
                                  timed, MakeSpec({"/nothing"})}) {
    RunInTier(tier, spec);
    CHECK(LookAtHost() == before);
  }
}

TEST_CASE("tiers: calls run side by side") {
  TIER_OR_SKIP();
  std::vector<Outcome> outcomes(3);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    threads.emplace_back([&outcomes, tier, i] {
      NoCallIo io;
      SandboxSpec spec = Shell("echo " + std::to_string(i));
      spec.isolation = tier;
      spec.require.kvm = false;
      auto outcome = SharedTiers().Run(spec, io, CancelToken());
      if (outcome.ok()) {
        outcomes[i] = std::move(outcome).value();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (size_t i = 0; i < outcomes.size(); ++i) {
    CHECK(outcomes[i].output == std::to_string(i) + "\n");
  }
}

TEST_CASE("tiers: the layers in force are read back and name the tier") {
  TIER_OR_SKIP();
  const Outcome outcome = RunInTier(tier, Shell("true"));
  CHECK(outcome.layers.isolation == IsolationName(tier));
  CHECK(outcome.layers.seccomp);
  CHECK(outcome.layers.no_new_privs);
  CHECK(outcome.layers.capabilities_empty);
  CHECK(outcome.layers.guest_kernel.empty() == (tier == Isolation::kNamespace));
  std::vector<std::string> namespaces = {"user", "mount", "pid", "net", "ipc", "uts", "cgroup"};
  if (tier != Isolation::kGvisor && SharedSandbox().host().time_namespace) {
    namespaces.emplace_back("time");  // what makes namespaces of its own is not given one
  }
  CHECK(outcome.layers.namespaces == namespaces);
}

// Nothing of the call may run in another tier in its place.
TEST_CASE("tiers: a tier whose parts are missing is refused with what to install") {
  auto tiers = TieredSandbox::Create("/no/such/nacre-guest").value();
  SandboxSpec spec = Shell("echo ran");
  spec.isolation = Isolation::kGvisor;
  NoCallIo io;
  const Outcome outcome = tiers->Run(spec, io, CancelToken()).value();
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.output.empty());
  CHECK(outcome.layers.isolation == "gvisor");
  const std::string text = Describe(outcome);
  CHECK((text.find("apt-get install runsc") != std::string::npos ||
         text.find(".ci/setup release nacre-guest") != std::string::npos));
}

// Both hidden: the run in a microVM has them.
// Emulation is no wall: it is not what a policy means by a machine, unless it says so.
TEST_CASE("tiers: a machine without KVM is refused, unless the exception is named and recorded",
          "[.][microvm]") {
  if (const auto missing = MissingTier(Isolation::kMicrovm)) {
    SKIP_HERE(*missing);
  }
  if (SharedTiers().CheckTier(Isolation::kMicrovm).ok()) {
    SUCCEED("KVM works here");  // and the rest of this run is not to count as skipped
    return;
  }
  SandboxSpec spec = Shell("echo ran");
  spec.isolation = Isolation::kMicrovm;
  NoCallIo io;
  const Outcome refused = SharedTiers().Run(spec, io, CancelToken()).value();
  CHECK(refused.kind == OutcomeKind::kSetupFailed);
  CHECK(refused.output.empty());
  CHECK_THAT(Describe(refused), Catch::Contains("/dev/kvm") || Catch::Contains("KVM"));
  CHECK_THAT(Describe(refused), Catch::Contains("require: {kvm: false}"));
  const Outcome named = RunInTier(Isolation::kMicrovm, spec);
  CHECK(named.output == "ran\n");
  CHECK(std::count(named.layers.exceptions.begin(), named.layers.exceptions.end(), "kvm") == 1);
  CHECK(std::any_of(named.layers.weaker.begin(), named.layers.weaker.end(),
                    [](const auto& each) { return each.find("emulated") != std::string::npos; }));
}

// What the machine's own kernel keeps: a user of its own, and nothing of the kernel to change.
TEST_CASE("tiers: in a machine a program is no root and reaches no device or switch of its kernel",
          "[.][microvm]") {
  if (const auto missing = MissingTier(Isolation::kMicrovm)) {
    SKIP_HERE(*missing);
  }
  const Folder folder;
  const Outcome outcome = RunInTier(
      Isolation::kMicrovm,
      folder.Script("id -u; echo x > /proc/sys/kernel/core_pattern || echo no; ls /sys; "
                    "ls /dev/vport0p1 /dev/kmsg /dev/mem || echo none; echo x > /dev/x || echo no; "
                    "ls /modules /init || echo gone; echo x > notes.md; cat .env; "
                    "echo x > a/b/protected || echo kept"));
  CAPTURE(outcome.error_output, Describe(outcome));
  CHECK(outcome.output == "1000\nno\nnone\nno\ngone\nkept\n");
  CHECK(folder.Read("notes.md") == "x\n");
  CHECK(outcome.layers.guest_kernel.starts_with("Linux "));
}

}  // namespace
}  // namespace nacre::sandbox
