// How calls end: each kind of end, quickly, with nothing left behind.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "base/temp_dir.h"
#include "sandbox/workspace/call_layer.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a program's exit code is the outcome, not confused with signals") {
  for (const int code : {0, 1, 7, 127, 128, 137, 255}) {
    const Outcome outcome = RunSpec(Shell("exit " + std::to_string(code)));
    CHECK(outcome.kind == OutcomeKind::kExited);
    CHECK(outcome.exit_code == code);
  }
}

TEST_CASE("a program that a signal ends is reported with that signal") {
  for (const int signal : {1, 6, 9, 11, 15}) {
    const Outcome outcome = RunSpec(Shell("kill -" + std::to_string(signal) + " $$"));
    CHECK(outcome.kind == OutcomeKind::kSignaled);
    CHECK(outcome.signal == signal);
  }
}

TEST_CASE("standard output and error are kept apart") {
  const Outcome outcome = RunSpec(Shell("echo out; echo err >&2"));
  CHECK(outcome.output == "out\n");
  CHECK(outcome.error_output == "err\n");
  CHECK_FALSE(outcome.output_truncated);
}

// Told before anything is built: the plan's first step has not been taken.
TEST_CASE("a program that does not exist is told by name, with where it was looked for") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(WriteFileAtomically(folder.path() + "/text", "text").ok());
  REQUIRE(::symlink("/nowhere", (folder.path() + "/link").c_str()) == 0);
  std::ofstream(folder.path() + "/script") << "#!/no/such/interpreter\n";
  std::ofstream(folder.path() + "/spaced") << "#! \t/usr/bin/none -x y\n";
  std::ofstream(folder.path() + "/relative") << "#!none\n";
  for (const char* script : {"/script", "/spaced", "/relative"}) {
    REQUIRE(::chmod((folder.path() + script).c_str(), 0755) == 0);
  }
  struct Row {
    std::string program;
    const char* says;
  };
  const auto describe = [&](const std::string& program) {
    SandboxSpec spec = MakeSpec({program});
    spec.mounts = {{.source = folder.path(), .target = "/data", .executable = Executable::kYes},
                   {.source = folder.path(),
                    .target = "/writable",
                    .access = Access::kReadWrite,
                    .executable = Executable::kYes},
                   {.source = folder.path(), .target = "/plain"}};
    const Outcome outcome = RunSpec(spec);
    CHECK(outcome.kind == OutcomeKind::kSetupFailed);
    return Describe(outcome);
  };
  const Row row = GENERATE(values<Row>({
      {"/usr/bin/no-such-program",
       "there is no program /usr/bin/no-such-program: it was looked for in the host's /usr"},
      {"/data/missing", "there is no program /data/missing: it was looked for in the mount /data"},
      {"/data/text/x", "there is no program /data/text/x"},
      {"/data/text", "/data/text is no executable file"},
      {"/data", "/data is a folder, not a program"},
      {"/usr", "/usr is a folder, not a program"},
      {"/no\xff/such", "there is no program /no%FF/such: the sandbox has /usr"},
      {"/" + std::string(255, 'x'), "there is no program /xxx"},
      {"/data/link", "step 'exec' failed"},  // only the sandbox knows where that leads
      {"/data/script",
       "/data/script is a script of /no/such/interpreter, and there is no program "
       "/no/such/interpreter: the sandbox has /usr"},
      {"/data/spaced", "/data/spaced is a script of /usr/bin/none, and there is no program"},
      {"/data/relative", "what it needs to be run is not"},
      {"/etc/passwd", "or lies in a place from which none is executed (noexec)"},
      {"/writable/script",
       "/writable/script lies in the mount /writable, from which no program is executed"},
      {"/plain/script", "/plain/script lies in the mount /plain, from which no program"},
  }));
  CHECK_THAT(describe(row.program), Catch::Contains(row.says));
}

TEST_CASE("a call that sleeps is ended at its deadline") {
  SandboxSpec spec = Shell("trap '' TERM INT; sleep 60");
  spec.limits.wall = milliseconds(200);
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kTimedOut);
  CHECK(outcome.use.wall >= milliseconds(200));
  CHECK(outcome.use.wall < seconds(5));
}

TEST_CASE("a call that stops itself and all it can is ended at its deadline") {
  SandboxSpec spec = Shell("kill -STOP -1; kill -STOP $$; sleep 60");
  spec.limits.wall = milliseconds(300);
  CHECK(RunSpec(spec).kind == OutcomeKind::kTimedOut);
}

TEST_CASE("cancelling ends the call") {
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
  const Outcome outcome =
      SharedSandbox().Run(Shell("echo started; sleep 60"), io, source.token()).value();
  CHECK(outcome.kind == OutcomeKind::kCancelled);
  CHECK(outcome.use.wall < seconds(10));
}

TEST_CASE("a call that was cancelled before it started runs to no end of its own") {
  CancelSource source;
  source.Cancel();
  NoCallIo io;
  CHECK(SharedSandbox().Run(Shell("sleep 60"), io, source.token()).value().kind ==
        OutcomeKind::kCancelled);
}

TEST_CASE("a flood of output ends the call and keeps the first bytes") {
  SandboxSpec spec = Shell("yes nacre");
  spec.limits.output_bytes = 100'000;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kOutputExceeded);
  CHECK(outcome.output_truncated);
  CHECK(outcome.output.size() == 100'000);
  CHECK(outcome.output.starts_with("nacre\nnacre\n"));
}

TEST_CASE("a flood on standard error counts too") {
  SandboxSpec spec = Shell("yes nacre >&2");
  spec.limits.output_bytes = 5000;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kOutputExceeded);
  CHECK(outcome.error_output.size() == 5000);
}

TEST_CASE("output of exactly the limit is no excess") {
  SandboxSpec spec = Shell("printf 12345");
  spec.limits.output_bytes = 5;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kExited);
  CHECK(outcome.output == "12345");
}

TEST_CASE("one process more than allowed ends as tasks exceeded") {
  SandboxSpec spec = Shell("i=0; while [ $i -lt 16 ]; do sleep 10 & i=$((i+1)); done; wait");
  spec.limits.tasks = 16;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kTasksExceeded);
  CHECK(outcome.use.wall < seconds(10));
}

TEST_CASE("as many processes as allowed are no excess") {
  SandboxSpec spec = Shell("sleep 0.3 & sleep 0.3 & sleep 0.3 & wait");
  spec.limits.tasks = 4;
  CHECK(RunSpec(spec).kind == OutcomeKind::kExited);
}

TEST_CASE("a memory hog ends as out of memory") {
  SandboxSpec spec = Shell("x=$(head -c 400000000 /dev/zero | tr '\\0' 'x'); echo done");
  spec.limits.memory_bytes = 64ULL << 20;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kOutOfMemory);
}

TEST_CASE("a file that grows without end ends as disk exceeded") {
  SandboxSpec spec = Shell("cat /dev/zero > /tmp/big");
  spec.limits.disk_bytes = 8ULL << 20;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kDiskExceeded);
  CHECK(outcome.disk == DiskLimit::kBytes);
}

TEST_CASE("what a call writes in place is limited file by file, and its outcome says so") {
  const TempDir folder = TempDir::Create().value();
  SandboxSpec spec = Shell(
      "for i in 1 2 3; do head -c 700000 /dev/zero > $i || exit 1; done; echo all;"
      "head -c 1100000 /dev/zero > 4");
  spec.mounts = {{.source = folder.path(), .target = "/workspace", .access = Access::kReadWrite}};
  spec.working_directory = "/workspace";
  spec.limits.disk_bytes = 1 << 20;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.output == "all\n");
  CHECK(std::filesystem::file_size(folder.path() + "/4") <= 1 << 20);
  CHECK(std::any_of(outcome.layers.weaker.begin(), outcome.layers.weaker.end(),
                    [](const std::string& each) {
                      return each.find("file by file and not in sum") != std::string::npos;
                    }));
}

TEST_CASE("more files, folders and links than allowed end as disk exceeded, and it says of what") {
  const std::string make =
      "i=0; while :; do : > $d/f$i; mkdir $d/d$i; ln -s x $d/l$i; i=$((i+1)); done";
  const TempDir folder = TempDir::Create().value();
  for (const char* directory : {"/tmp", "/workspace"}) {
    CAPTURE(directory);
    SandboxSpec spec = Shell("d=" + std::string(directory) + "; " + make + " 2>/dev/null");
    spec.mounts = {
        {.source = folder.path(), .target = "/workspace", .access = Access::kTransactional}};
    spec.limits.inodes = 100;
    const Outcome outcome = RunSpec(spec);
    CHECK(outcome.kind == OutcomeKind::kDiskExceeded);
    CHECK(outcome.disk == DiskLimit::kInodes);
    CHECK(Describe(outcome) == "the call made more files, folders and links than it may");
  }
}

TEST_CASE("as many files as allowed are no excess") {
  SandboxSpec spec = Shell("for i in 0 1 2 3 4 5 6 7 8 9; do : > /tmp/a$i; : > /tmp/b$i; done");
  spec.limits.inodes = 20;
  CHECK(RunSpec(spec).kind == OutcomeKind::kExited);
}

TEST_CASE("many files that fill /tmp end as disk exceeded") {
  SandboxSpec spec =
      Shell("i=0; while :; do head -c 1000000 /dev/zero > /tmp/f$i 2>/dev/null; i=$((i+1)); done");
  spec.limits.disk_bytes = 8ULL << 20;
  CHECK(RunSpec(spec).kind == OutcomeKind::kDiskExceeded);
}

TEST_CASE("using more processor time than allowed is its own outcome") {
  SandboxSpec spec = Shell("while :; do :; done");
  spec.limits.cpu = seconds(1);
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kCpuExceeded);
  CHECK(outcome.use.cpu >= milliseconds(900));
}

TEST_CASE("processor time is counted over all processes of a call") {
  SandboxSpec spec = Shell("for i in 1 2 3 4; do (while :; do :; done) & done; wait");
  spec.limits.cpu = seconds(1);
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kCpuExceeded);
  CHECK(outcome.use.cpu < seconds(3));
}

TEST_CASE("a background process does not outlive the program that started it") {
  const HostState before = LookAtHost();
  const Outcome outcome =
      RunSpec(Shell("(setsid sleep 60 >/dev/null 2>&1 &) ; (sleep 60 &) ; echo end"));
  CHECK(outcome.kind == OutcomeKind::kExited);
  CHECK(outcome.output == "end\n");
  CHECK(outcome.use.wall < seconds(20));
  CHECK(LookAtHost() == before);
}

// Without waiting for the background: what the call started must be gone when its caller goes on.
TEST_CASE("when a call returns none of its processes is left, whoever started them") {
  const std::string marker = "7" + std::to_string(::getpid());  // seconds that nobody else sleeps
  const auto is_running = [&] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const auto command = ReadFile(entry.path() / "cmdline", 4096);
      if (command.ok() && command.value().find(marker) != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  for (int i = 0; i < 20; ++i) {
    const Outcome outcome = RunSpec(Shell("setsid sleep " + marker + " & (sleep " + marker +
                                          " &); read x < /proc/self/stat; exit 5"));
    CHECK_FALSE(is_running());
    CHECK(outcome.kind == OutcomeKind::kExited);
    CHECK(outcome.exit_code == 5);
  }
}

TEST_CASE("every kind of end leaves the host as it was") {
  RunSpec(Shell("true"));  // what is made once, is made
  const HostState before = LookAtHost();
  SandboxSpec timed = Shell("sleep 60 & sleep 60");
  timed.limits.wall = milliseconds(100);
  SandboxSpec flood = Shell("yes");
  flood.limits.output_bytes = 100;
  for (const SandboxSpec& spec :
       {Shell("true"), Shell("kill -9 $$"), timed, flood, MakeSpec({"/nothing"})}) {
    RunSpec(spec);
    CHECK(LookAtHost() == before);
  }
}

TEST_CASE("calls run side by side") {
  std::vector<std::thread> threads;
  std::vector<Outcome> outcomes(8);
  SharedSandbox();
  for (size_t i = 0; i < outcomes.size(); ++i) {
    threads.emplace_back([&outcomes, i] {
      NoCallIo io;
      auto outcome = SharedSandbox().Run(Shell("echo " + std::to_string(i)), io, CancelToken());
      if (outcome.ok()) {
        outcomes[i] = std::move(outcome).value();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (size_t i = 0; i < outcomes.size(); ++i) {
    CHECK(outcomes[i].kind == OutcomeKind::kExited);
    CHECK(outcomes[i].output == std::to_string(i) + "\n");
  }
}

TEST_CASE("the layers in force are read back from the kernel") {
  const Outcome outcome = RunSpec(Shell("true"));
  std::vector<std::string> namespaces = {"user", "mount", "pid", "net", "ipc", "uts", "cgroup"};
  if (SharedSandbox().host().time_namespace) {
    namespaces.emplace_back("time");
  }
  CHECK(outcome.layers.namespaces == namespaces);
  const std::string outside = std::to_string(::geteuid() == 0 ? 65534 : ::geteuid());
  CHECK(outcome.layers.uid_map == "1000 " + outside + " 1");
  CHECK(outcome.layers.groups.empty());
  const auto& limits = outcome.layers.resource_limits;
  CHECK(limits.at("nofile") == 256);
  CHECK(limits.at("core") == 1);
  CHECK(limits.at("cpu") == 11);
  if (outcome.layers.cgroup != "none") {
    CHECK(outcome.layers.cgroup_memory_bytes == Limits().memory_bytes);
    CHECK(outcome.layers.cgroup_tasks == Limits().tasks + 1);
  }
  CHECK(outcome.layers.landlock_abi == SharedSandbox().host().landlock_abi);
  CHECK(outcome.layers.seccomp);
  CHECK(outcome.layers.no_new_privs);
  CHECK(outcome.layers.capabilities_empty);
  CHECK(outcome.layers.cgroup == kernel::CgroupVersionName(SharedSandbox().host().cgroup.version));
  CHECK(outcome.layers.weaker.empty() == (outcome.layers.cgroup != "none"));
}

TEST_CASE("a Landlock ABI that the kernel does not have refuses the call") {
  SandboxSpec spec = Shell("echo ran");
  spec.require.landlock_abi = 1000;
  const Outcome outcome = RunSpec(spec);
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_step == "Landlock ABI 1000");
  CHECK(outcome.output.empty());
}

TEST_CASE("a required cgroup that the host cannot give refuses the call") {
  HostSupport host = SharedSandbox().host();
  host.cgroup = {};
  const auto sandbox = KernelSandbox::Create(host).value();
  SandboxSpec spec = Shell("echo ran");
  spec.require = {};  // a cgroup among them
  NoCallIo io;
  const Outcome outcome = sandbox->Run(spec, io, CancelToken()).value();
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_step == "cgroup");
  CHECK(Describe(outcome).find("require: {cgroup: false}") != std::string::npos);
  CHECK(outcome.output.empty());
}

// The same limits by rlimit and watchdog, whatever this host offers.
TEST_CASE("without a cgroup the limits hold and the outcome says what is weaker") {
  HostSupport host = SharedSandbox().host();
  host.cgroup = {};
  const auto sandbox = KernelSandbox::Create(host).value();
  NoCallIo io;
  const auto run = [&](SandboxSpec spec) { return sandbox->Run(spec, io, CancelToken()).value(); };
  SandboxSpec bomb = Shell("i=0; while [ $i -lt 16 ]; do sleep 10 & i=$((i+1)); done; wait");
  bomb.limits.tasks = 16;
  const Outcome outcome = run(bomb);
  CHECK(outcome.kind == OutcomeKind::kTasksExceeded);
  CHECK(outcome.layers.cgroup == "none");
  CHECK(outcome.layers.weaker.size() == 1);
  CHECK(outcome.layers.exceptions == std::vector<std::string>{"cgroup"});
  SandboxSpec hog = Shell("x=$(head -c 400000000 /dev/zero | tr '\\0' 'x'); echo done");
  hog.limits.memory_bytes = 64ULL << 20;
  CHECK(run(hog).kind == OutcomeKind::kOutOfMemory);
  SandboxSpec spin = Shell("for i in 1 2 3 4; do (while :; do :; done) & done; wait");
  spin.limits.cpu = seconds(1);
  CHECK(run(spin).kind == OutcomeKind::kCpuExceeded);
}

// The step that would have put a layer in place is left out, and the evidence notices.
TEST_CASE("a layer that is not in force as planned stops the call before its program starts") {
  struct Row {
    StepKind left_out;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({{StepKind::kSeccomp, "evidence (seccomp)"},
                                         {StepKind::kLandlock, "evidence (Landlock)"},
                                         {StepKind::kCapabilities, "evidence (capabilities)"},
                                         {StepKind::kTimeNamespace, nullptr}}));
  LaunchPlan plan = MakePlan(Shell("echo ran"), SharedSandbox().host()).value();
  const auto left_out = [&](const Step& step) { return step.kind == row.left_out; };
  if (std::none_of(plan.steps.begin(), plan.steps.end(), left_out)) {
    SKIP_HERE("this host lacks the layer that the case leaves out");
  }
  const auto prepared = plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.prepared_steps);
  plan.prepared_steps -= static_cast<size_t>(std::count_if(plan.steps.begin(), prepared, left_out));
  std::erase_if(plan.steps, left_out);
  NoCallIo io;
  const Outcome outcome = SharedSandbox().RunPlan(plan, io, CancelToken()).value();
  if (row.says == nullptr) {  // then it is not planned either
    CHECK(outcome.output == "ran\n");
    return;
  }
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_step == row.says);
  CHECK(outcome.setup_errno == EPROTO);
  CHECK(outcome.output.empty());
}

TEST_CASE("a limit that a plan asks for and the process does not have stops the call") {
  LaunchPlan plan = MakePlan(Shell("echo ran"), SharedSandbox().host()).value();
  // Set first to 256 and then asked to have been 8: as if somebody had raised it in between.
  Step lower;
  lower.kind = StepKind::kResourceLimit;
  lower.number = RLIMIT_NOFILE;
  lower.value = 8;
  lower.optional = true;
  lower.name = "limit files again";
  plan.steps.push_back(lower);  // behind exec: never taken, but planned
  NoCallIo io;
  const Outcome outcome = SharedSandbox().RunPlan(plan, io, CancelToken()).value();
  CHECK(outcome.kind == OutcomeKind::kSetupFailed);
  CHECK(outcome.setup_step == "evidence (resource limits)");
  CHECK(outcome.output.empty());
}

// Keeps what a call is given, and whatever it says.
class KeepingIo final : public CallIo {
 public:
  Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
  Reply OnChannelBytes(std::string_view bytes) override {
    said += bytes;
    return {};
  }
  void OnTerminal(UniqueFd given) override { terminal = std::move(given); }
  void OnCallLayer(CallLayer given) override { layer.emplace(std::move(given)); }

  bool HasWritten() const {
    return layer && layer->tree().Look("ran").value().state.type != EntryType::kNone;
  }

  std::string said;
  UniqueFd terminal;
  std::optional<CallLayer> layer;
};

// Fails each step of a launch in turn: whichever one fails, the program must not have run.
void FailEachStep(LaunchPlan plan) {
  {
    KeepingIo io;
    const Outcome whole = SharedSandbox().RunPlan(plan, io, CancelToken()).value();
    INFO(Describe(whole) << whole.error_output);
    REQUIRE(whole.kind == OutcomeKind::kExited);
    REQUIRE((whole.output == "ran\n" || io.said == "ran\n" || io.HasWritten()));
  }
  const HostState before = LookAtHost();
  for (size_t step = 0; step < plan.steps.size(); ++step) {
    CAPTURE(step, plan.steps[step].name);
    plan.fail_at_step = step;
    {
      KeepingIo io;
      const Outcome outcome = SharedSandbox().RunPlan(plan, io, CancelToken()).value();
      if (plan.steps[step].optional) {
        CHECK(outcome.kind == OutcomeKind::kExited);
        CHECK_FALSE(outcome.layers.weaker.empty());
      } else {
        CHECK(outcome.kind == OutcomeKind::kSetupFailed);
        CHECK(outcome.setup_step == plan.steps[step].name);
        CHECK(outcome.setup_errno == EIO);
        CHECK(outcome.output.empty());
        CHECK(io.said.empty());
        CHECK_FALSE(io.HasWritten());
      }
    }
    CHECK(LookAtHost() == before);
  }
}

TEST_CASE("a launch that fails at any step runs nothing and leaves nothing") {
  SandboxSpec spec = Shell("echo ran");
  spec.hidden = {"/usr/share"};
  spec.read_only = {"/usr/lib"};
  FailEachStep(MakePlan(spec, SharedSandbox().host()).value());
}

TEST_CASE("so does one with a terminal and a transaction, seen through an overlay or in a copy") {
  const bool as_copy = GENERATE(false, true);
  const TempDir workspace = TempDir::Create().value();
  REQUIRE(WriteFileAtomically(workspace.path() + "/before", "text").ok());
  SandboxSpec spec = Shell("echo ran > ran");
  spec.mounts = {
      {.source = workspace.path(), .target = "/workspace", .access = Access::kTransactional}};
  spec.working_directory = "/workspace";
  spec.terminal = TerminalSize{};
  LaunchPlan plan = MakePlan(spec, SharedSandbox().host()).value();
  for (Step& step : plan.steps) {
    if (as_copy && step.kind == StepKind::kOverlay) {
      step.text = kAsCopy;
    }
  }
  FailEachStep(std::move(plan));
  CHECK(std::distance(std::filesystem::directory_iterator(workspace.path()), {}) == 1);
}

TEST_CASE("so does the enclosure of a guest") {
  const TempDir workspace = TempDir::Create().value();
  const bool makes_namespaces = GENERATE(false, true);
  SandboxSpec spec = Shell("echo not this");
  spec.mounts = {
      {.source = workspace.path(), .target = "/workspace", .access = Access::kTransactional}};
  Enclosure enclosure;
  enclosure.argv = {"/bin/sh", "-c", "echo ran"};
  enclosure.files = {{"/bundle/config", "text"}};
  enclosure.makes_namespaces = makes_namespaces;
  FailEachStep(MakeEnclosurePlan(spec, SharedSandbox().host(), enclosure).value());
}

}  // namespace
}  // namespace nacre::sandbox
