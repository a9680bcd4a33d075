// The tiers with a kernel of their own, without one: bundle, enclosure, protocol.
#include <signal.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "sandbox/guest/guest_io.h"
#include "sandbox/guest/host_programs.h"
#include "sandbox/gvisor/oci_bundle.h"
#include "sandbox/plan.h"
#include "sandbox/report.h"
#include "tests/unit/sandbox/sandbox_test_host.h"

namespace nacre::sandbox {
namespace {

using guest::EncodeFrame;
using guest::FrameKind;

const std::string kToken(guest::kTokenBytes, 't');

guest::Task TaskWithToken() {
  guest::Task task;
  task.token = kToken;
  task.limits.memory_bytes = 1000;
  return task;
}

SandboxSpec WorkspaceSpec() {
  SandboxSpec spec;
  spec.id = "call-1";
  spec.argv = {"/nacre/tool/x"};
  spec.mounts = {{"/srv/work", "/workspace", Access::kReadWrite, Executable::kNo},
                 {"/srv/tool", "/nacre/tool", Access::kRead, Executable::kYes}};
  spec.hidden = {"/workspace/.env"};
  spec.read_only = {"/workspace/a/b/protected"};
  spec.limits.disk_bytes = 7 << 20;
  return spec;
}

class Recorder final : public CallIo {
 public:
  Reply OnStart() override { return {.bytes = "start", .close_input = false, .kill = false}; }
  Reply OnChannelBytes(std::string_view bytes) override {
    channel += bytes;
    return {.bytes = "answer", .close_input = true, .kill = false};
  }
  void OnOutput(int descriptor, std::string_view bytes) override {
    output += std::to_string(descriptor) + ":" + std::string(bytes) + ";";
  }
  std::string channel;
  std::string output;
};

std::string ReadyFrame() {
  return guest::EncodeReady(
      kToken,
      {.kernel = "Linux 4.4.0", .seccomp = true, .no_new_privs = true, .capabilities_empty = true});
}

std::string EndFrame(int status, const std::string& limit = "") {
  return guest::EncodeEnd(kToken, {.wait_status = status,
                                   .limit = limit,
                                   .cpu = {},
                                   .wall = std::chrono::milliseconds(5),
                                   .memory_peak_bytes = 1});
}

// What a call's end is, if the guest has said `bytes` and the enclosed program ended like `enclosed`.
Outcome After(const std::string& bytes, OutcomeKind enclosed = OutcomeKind::kExited) {
  Recorder io;
  guest::GuestIo guest(io, TaskWithToken(), 10);
  guest.OnStart();
  guest.OnChannelBytes(bytes);
  Outcome outcome;
  outcome.kind = enclosed;
  outcome.exit_code = 0;
  outcome.error_output = "starting\nrunsc: no such thing\n";
  return guest.Conclude("gvisor", std::move(outcome));
}

TEST_CASE("tiers have stable names, and no other text is one") {
  for (const Isolation each : {Isolation::kNamespace, Isolation::kGvisor, Isolation::kMicrovm}) {
    CHECK(ParseIsolation(IsolationName(each)) == each);
  }
  CHECK_FALSE(ParseIsolation("none").has_value());
  CHECK_FALSE(ParseIsolation("").has_value());
}

TEST_CASE(
    "the bundle of gVisor grants no capability, no network and no writable or executable mount "
    "that the spec does not") {
  const Json config = gvisor::MakeOciConfig(WorkspaceSpec()).value();
  for (const char* set : {"bounding", "effective", "inheritable", "permitted", "ambient"}) {
    CHECK(config["process"]["capabilities"][set].empty());
  }
  CHECK(config["process"]["noNewPrivileges"] == true);
  CHECK(config["process"]["env"].empty());
  CHECK(config["root"]["readonly"] == true);
  const std::string text = config["linux"]["namespaces"].dump();
  CHECK(text.find("network") != std::string::npos);
  CHECK(text.find("path") == std::string::npos);
  for (const Json& mount : config["mounts"]) {
    const auto has = [&](const char* option) {
      return mount.contains("options") &&
             std::find(mount["options"].begin(), mount["options"].end(), option) !=
                 mount["options"].end();
    };
    const std::string target = mount["destination"];
    CAPTURE(target);
    if (target == "/workspace") {
      CHECK((has("rw") && has("noexec") && has("nosuid") && has("nodev")));
      CHECK(mount["source"] == "/guest/workspace");
    } else if (target == "/nacre/tool") {
      CHECK((has("ro") && has("exec")));
    } else if (target == "/tmp") {
      CHECK((has("size=7340032") && has("noexec")));
    } else {
      CHECK_FALSE(has("rw"));
    }
  }
}

TEST_CASE(
    "an enclosure maps one id, shows the guest's tree only below it, and masks it before it "
    "runs") {
  Enclosure enclosure;
  enclosure.argv = {"/usr/bin/runsc"};
  enclosure.files = {{"/bundle/config.json", "{}"}};
  enclosure.devices = {{"/dev/kvm", makedev(10, 232)}};
  enclosure.guest_directories = {"/tmp"};
  const LaunchPlan plan = MakeEnclosurePlan(WorkspaceSpec(), MadeUpHost(), enclosure).value();
  const auto find = [&](const std::string& name) {
    const auto step = std::find_if(plan.steps.begin(), plan.steps.end(),
                                   [&](const Step& each) { return each.name == name; });
    REQUIRE(step != plan.steps.end());
    return step;
  };
  CHECK(plan.inside_id == kernel::kInsideId);
  CHECK(find("new root")->number == (1 << 20) + 2);  // its file fits
  CHECK(find("device /dev/kvm")->number == makedev(10, 232));
  CHECK(find("system /usr")->path == "usr");
  CHECK(find("enter the guest's tree") < find("mount /workspace"));
  CHECK(find("file /bundle/config.json")->path == "bundle/config.json");
  CHECK(find("pin /workspace/a") < find("read-only /workspace/a/b/protected"));
  CHECK(find("enter the guest's tree") < find("hide /workspace/.env"));
  CHECK(find("hide /workspace/.env") < find("leave the guest's tree"));
  CHECK(find("leave the guest's tree") < find("read-only root"));
  CHECK(find("drop capabilities") < find("exec"));
  CHECK(find("descriptors")->number == 1);
  CHECK(find("limit core")->value == 1);  // as in a call's own sandbox: 0 lets a handler have it
  CHECK(plan.landlock_abi == 0);
}

TEST_CASE(
    "an enclosed program with a filter of its own keeps limits and rules of Landlock as a call "
    "does") {
  Enclosure enclosure;
  enclosure.argv = {"/usr/bin/qemu"};
  enclosure.files = {{"/machine/initramfs", ""}};
  enclosure.host_files = {"/boot/vmlinuz"};
  enclosure.devices = {{"/dev/kvm", makedev(10, 232)}};
  enclosure.seccomp_profile = seccomp::kMachine;
  enclosure.allowance.tasks = 100;
  SandboxSpec spec = WorkspaceSpec();
  spec.mounts.push_back({"/home/ada/lib", "/lib2", Access::kRead, Executable::kYes});
  const LaunchPlan plan = MakeEnclosurePlan(spec, MadeUpHost(), enclosure).value();
  const std::string text = DescribePlan(plan);
  CAPTURE(text);
  CHECK(plan.seccomp_profile == seccomp::kMachine);
  CHECK(plan.landlock_abi == MadeUpHost().landlock_abi);
  CHECK_THAT(text,
             Catch::Contains("limit tasks " + std::to_string(spec.limits.tasks + 102)) &&
                 Catch::Contains("limit file size " + std::to_string(spec.limits.disk_bytes)) &&
                 Catch::Contains("Landlock\nseccomp\nevidence of identity\nevidence\nexec\n"));
  CHECK_THAT(text, Catch::EndsWith("Landlock /tmp read-write\n"
                                   "Landlock /machine/initramfs read\n"
                                   "Landlock /boot/vmlinuz read\n"
                                   "Landlock /dev/kvm control-device\n"
                                   "Landlock /guest read\n"
                                   "Landlock /guest/lib2 read\n"
                                   "Landlock /guest/workspace read-write\n"
                                   "Landlock /guest/nacre/tool read\n"));
  const uint64_t evidence = (plan.steps.end() - 2)->number;
  CHECK((evidence & EvidenceBit(Evidence::kSeccomp)) != 0);
  CHECK((evidence & EvidenceBit(Evidence::kLandlock)) != 0);
  // Without Landlock on the host: the rest, and it is said.
  HostSupport host = MadeUpHost();
  host.landlock_abi = 0;
  const LaunchPlan bare = MakeEnclosurePlan(spec, host, enclosure).value();
  CHECK(std::none_of(bare.steps.begin(), bare.steps.end(), [](const Step& step) {
    return step.kind == StepKind::kLandlock || step.kind == StepKind::kPrepareLandlock;
  }));
  CHECK(((bare.steps.end() - 2)->number & EvidenceBit(Evidence::kLandlock)) == 0);
  CHECK_FALSE(bare.weaker.empty());
}

TEST_CASE("an enclosed program that makes namespaces keeps its capabilities, and no other does") {
  Enclosure enclosure;
  enclosure.argv = {"/usr/bin/runsc"};
  enclosure.makes_namespaces = true;
  const LaunchPlan plan = MakeEnclosurePlan(WorkspaceSpec(), MadeUpHost(), enclosure).value();
  CHECK(plan.inside_id == 0);
  CHECK(std::none_of(plan.steps.begin(), plan.steps.end(),
                     [](const Step& step) { return step.kind == StepKind::kCapabilities; }));
}

TEST_CASE("a task reaches the agent byte for byte") {
  guest::Task task;
  task.argv = {"/bin/x", std::string("\xff\x00\n", 3)};
  task.environment = {"A=\xfe"};
  task.working_directory = "/w";
  task.filter = std::string(16, '\x81');
  task.token = std::string(guest::kTokenBytes, '\xfd');
  task.uid = 1000;
  task.mounts = {{.target = "/work\xff", .writable = true, .executable = false}};
  task.limits.tasks = 3;
  const std::string frame = guest::EncodeTask(task);
  CHECK(guest::ParseTask(frame.substr(5)).value() == task);
}

TEST_CASE("what a guest reports becomes the outcome") {
  const Outcome exited =
      After(ReadyFrame() + EncodeFrame(FrameKind::kOutput, kToken, "hi") +
            EncodeFrame(FrameKind::kErrorOutput, kToken, "oh") + EndFrame(7 << 8));
  CHECK(exited.kind == OutcomeKind::kExited);
  CHECK(exited.exit_code == 7);
  CHECK(exited.output == "hi");
  CHECK(exited.error_output == "oh");
  CHECK(exited.layers.isolation == "gvisor");
  CHECK(exited.layers.guest_kernel == "Linux 4.4.0");
  CHECK(exited.layers.seccomp);
  CHECK(After(ReadyFrame() + EndFrame(SIGSEGV)).signal == SIGSEGV);
  CHECK(After(ReadyFrame() + EndFrame(SIGSYS)).kind == OutcomeKind::kViolation);
  CHECK(After(ReadyFrame() + EndFrame(SIGKILL, "tasks_exceeded")).kind ==
        OutcomeKind::kTasksExceeded);
  CHECK(After(ReadyFrame(), OutcomeKind::kTimedOut).kind == OutcomeKind::kTimedOut);
  CHECK(After(ReadyFrame() + EncodeFrame(FrameKind::kOutput, kToken, "12345678901")).kind ==
        OutcomeKind::kOutputExceeded);
}

TEST_CASE("a guest that never came up is a failed set-up with its last words") {
  const Outcome outcome = After("");
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(Describe(outcome).find("(it said: runsc: no such thing)") != std::string::npos);
  const Outcome failed = After(guest::EncodeFailed(kToken, {.step = "exec", .error = ENOENT}));
  CHECK(failed.kind == OutcomeKind::kSetupFailed);
  CHECK(failed.setup_step == "exec");
  CHECK(failed.setup_errno == ENOENT);
}

// One row per way a guest, taken over by its call, could lie. None may look like an orderly end.
TEST_CASE("a guest that breaks the protocol is killed and never believed") {
  const std::string lie = GENERATE(
      std::string("\xff\xff\xff\xff", 4),                        // a huge frame
      EndFrame(0),                                               // an end before it began
      ReadyFrame() + ReadyFrame() + EndFrame(0),                 // two beginnings
      ReadyFrame() + EncodeFrame(FrameKind::kEnd, kToken, "{"),  // no JSON
      ReadyFrame() + EncodeFrame(FrameKind::kEnd, kToken, R"({"status":-1})"),   // no status
      ReadyFrame() + EncodeFrame(FrameKind::kTask, kToken, "{}") + EndFrame(0),  // a host's frame
      ReadyFrame() + std::string("\0\0\0\0", 4) + EndFrame(0),                   // an empty frame
      ReadyFrame() + EndFrame(0) + EndFrame(0),                                  // after its end
      // A number that no log takes, and a time before the beginning.
      ReadyFrame() +
          EncodeFrame(FrameKind::kEnd, kToken, R"({"status":0,"wall_us":9007199254740992})"),
      ReadyFrame() + EncodeFrame(FrameKind::kEnd, kToken, R"({"status":0,"memory_peak_bytes":-1})"),
      // What the program writes to its agent's stream: it does not know the token.
      ReadyFrame() + EncodeFrame(FrameKind::kEnd, R"({"status":0})"),
      ReadyFrame() +
          EncodeFrame(FrameKind::kEnd, std::string(guest::kTokenBytes, 'u'), R"({"status":0})"),
      ReadyFrame() + EncodeFrame(FrameKind::kEnd, kToken.substr(1), ""));
  Recorder io;
  guest::GuestIo guest(io, TaskWithToken(), 10);
  guest.OnStart();
  CHECK(guest.OnChannelBytes(lie).kill);
  Outcome enclosed;
  enclosed.kind = OutcomeKind::kSignaled;
  const Outcome outcome = guest.Conclude("gvisor", std::move(enclosed));
  CHECK(outcome.kind != OutcomeKind::kExited);
}

TEST_CASE("a task without a token takes no guest's word") {
  Recorder io;
  guest::GuestIo guest(io, {}, 10);
  guest.OnStart();
  CHECK(guest.OnChannelBytes(guest::EncodeFailed("", {.step = "exec", .error = ENOENT})).kill);
  CHECK_FALSE(guest::ParseTask(guest::EncodeTask({.argv = {"/bin/x"}}).substr(5)).ok());
}

TEST_CASE("each call has a token of its own") {
  const std::string first = guest::MakeTask(WorkspaceSpec()).value().token;
  CHECK(first.size() == guest::kTokenBytes);
  CHECK(first != guest::MakeTask(WorkspaceSpec()).value().token);
}

TEST_CASE("a guest's numbers stay within what the host measured and allowed") {
  Recorder io;
  guest::GuestIo guest(io, TaskWithToken(), 10);
  guest.OnStart();
  guest.OnChannelBytes(ReadyFrame() + guest::EncodeEnd(kToken, {.wait_status = 0,
                                                                .limit = "timed_out",
                                                                .cpu = {},
                                                                .wall = std::chrono::hours(1000),
                                                                .memory_peak_bytes = 1ULL << 50}));
  Outcome enclosed;
  enclosed.kind = OutcomeKind::kExited;
  enclosed.use.wall = std::chrono::milliseconds(7);
  enclosed.use.memory_peak_bytes = 10;
  const Outcome outcome = guest.Conclude("gvisor", std::move(enclosed));
  CHECK(outcome.kind == OutcomeKind::kTimedOut);
  CHECK(outcome.use.wall == std::chrono::milliseconds(7));
  CHECK(outcome.use.memory_peak_bytes == 1000);
}

TEST_CASE("a guest that says it ended and runs on until a limit of the host has not exited") {
  // What runs it asked for what no machine needs: it is not believed either.
  CHECK(After(ReadyFrame() + EndFrame(0), OutcomeKind::kViolation).kind == OutcomeKind::kViolation);
  CHECK(After(ReadyFrame(), OutcomeKind::kDiskExceeded).kind == OutcomeKind::kDiskExceeded);
  CHECK(After(ReadyFrame() + EndFrame(0), OutcomeKind::kTimedOut).kind == OutcomeKind::kTimedOut);
  CHECK(After(ReadyFrame() + EndFrame(0), OutcomeKind::kOutOfMemory).kind ==
        OutcomeKind::kOutOfMemory);
}

TEST_CASE("bytes for the call's input and channel pass in both directions") {
  Recorder io;
  guest::GuestIo guest(io, TaskWithToken(), 100);
  const std::string start = guest.OnStart().bytes;
  CHECK(start.ends_with(EncodeFrame(FrameKind::kInput, "start")));
  const CallIo::Reply reply =
      guest.OnChannelBytes(ReadyFrame() + EncodeFrame(FrameKind::kChannel, kToken, "question") +
                           EncodeFrame(FrameKind::kOutput, kToken, "out"));
  CHECK(io.channel == "question");
  CHECK(io.output == "1:out;");
  CHECK(reply.bytes ==
        EncodeFrame(FrameKind::kInput, "answer") + EncodeFrame(FrameKind::kEndOfInput, ""));
  CHECK_FALSE(reply.kill);
}

}  // namespace
}  // namespace nacre::sandbox
