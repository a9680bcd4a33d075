// Warm sandboxes: as strong as cold ones, used once, and never silently something else.
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "base/temp_dir.h"
#include "sandbox/report.h"
#include "sandbox/zygote/openers.h"
#include "sandbox/zygote/warm_plan.h"
#include "tests/support/child.h"
#include "tests/support/fuse_folder.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

using std::chrono::seconds;

std::vector<pid_t> ChildrenOf(pid_t pid) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  std::istringstream text(ReadFile(path, 4096).value());
  return {std::istream_iterator<pid_t>(text), {}};
}

// Killed, and gone: until then a call may still meet it, which ends as a failed set-up.
void KillAll(std::vector<pid_t> pids) {
  for (const pid_t pid : pids) {
    ::kill(pid, SIGKILL);
  }
  for (const pid_t pid : pids) {
    for (int i = 0; i < 10'000; ++i) {
      const auto status = ReadFile("/proc/" + std::to_string(pid) + "/status", 4096);
      if (!status.ok() || status.value().find("State:\tZ") != std::string::npos) {
        break;
      }
      ::usleep(1000);
    }
  }
}

void KillZygote(KernelSandbox& sandbox) {
  const pid_t zygote = sandbox.warm_pool()->zygote_pid();
  if (zygote > 0) {
    std::vector<pid_t> all = ChildrenOf(zygote);
    all.insert(all.begin(), zygote);
    KillAll(std::move(all));
  }
}

TEST_CASE("the first call of a kind starts cold and says why, the next ones are warm") {
  const auto sandbox = MakeWarm(2);
  const Outcome first = RunIn(*sandbox, Shell("echo one"));
  CHECK_FALSE(first.warm);
  CHECK(first.cold_because == "no warm sandbox was ready");
  CHECK(first.output == "one\n");
  const Outcome second = RunWarm(*sandbox, Shell("echo two"));
  CHECK(second.output == "two\n");
  CHECK(second.cold_because.empty());
}

TEST_CASE("a warm sandbox has every layer of a cold one") {
  const auto warm = MakeWarm(2);
  const auto cold = KernelSandbox::Create().value();
  const SandboxSpec spec = Shell(
      "id; cat /proc/self/uid_map; grep -E 'Cap|Seccomp:|NoNewPrivs|Groups' /proc/self/status; "
      "ulimit "
      "-a; env; pwd; ls -a / /dev /proc/self/fd; cat /proc/1/environ 2>&1; mount 2>&1");
  const Outcome a = RunWarm(*warm, spec);
  const Outcome b = RunIn(*cold, spec);
  CHECK(a.layers == b.layers);
  CHECK(a.output == b.output);
  CHECK(a.error_output == b.error_output);
}

TEST_CASE("a warm sandbox serves one call: nothing of it is there for the next") {
  const auto sandbox = MakeWarm(1);
  std::set<std::string> namespaces;
  for (int i = 0; i < 4; ++i) {
    const Outcome outcome = RunWarm(
        *sandbox, Shell("ls /tmp /dev/shm; echo x > /tmp/left; echo x > /dev/shm/left; echo $$; "
                        "readlink /proc/self/ns/mnt /proc/self/ns/pid /proc/self/ns/net"));
    CHECK(outcome.output.find("left") == std::string::npos);
    CHECK(outcome.output.find("\n2\n") != std::string::npos);
    namespaces.insert(outcome.output);
  }
  // Inode numbers may be used again once a namespace is gone; all four the same they are not.
  CHECK(namespaces.size() > 1);
}

TEST_CASE("a slot that has died is not used") {
  const auto sandbox = MakeWarm(2);
  const SandboxSpec spec = Shell("echo ran");
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  KillAll(ChildrenOf(sandbox->warm_pool()->zygote_pid()));
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = RunIn(*sandbox, spec);
    CHECK(outcome.kind == OutcomeKind::kExited);
    CHECK(outcome.output == "ran\n");
    CHECK(outcome.warm == outcome.cold_because.empty());
  }
}

TEST_CASE("when the zygote dies calls go on, and it is started anew") {
  const auto sandbox = MakeWarm(1);
  const SandboxSpec spec = Shell("echo ran");
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  const pid_t first = sandbox->warm_pool()->zygote_pid();
  KillZygote(*sandbox);
  CHECK(RunIn(*sandbox, spec).output == "ran\n");
  CHECK(RunWarm(*sandbox, spec).output == "ran\n");
  CHECK(sandbox->warm_pool()->zygote_pid() != first);
  // Not for ever: a zygote that always dies is given up.
  for (int i = 0; i < zygote::WarmPool::kStartsMax + 1; ++i) {
    KillZygote(*sandbox);
    CHECK(RunIn(*sandbox, spec).output == "ran\n");
  }
  const Outcome last = RunIn(*sandbox, spec);
  CHECK_FALSE(last.warm);
  CHECK(last.cold_because == "the zygote has ended");
  CHECK(last.layers.seccomp);
}

TEST_CASE("a call whose zygote dies under it ends as killed") {
  class KillOnOutput final : public CallIo {
   public:
    explicit KillOnOutput(KernelSandbox& sandbox) : sandbox_(sandbox) {}
    Reply OnStart() override { return {}; }
    Reply OnChannelBytes(std::string_view) override { return {}; }
    void OnOutput(int, std::string_view) override {
      ::kill(sandbox_.warm_pool()->zygote_pid(), SIGKILL);
    }

   private:
    KernelSandbox& sandbox_;
  };
  const auto sandbox = MakeWarm(1);
  const SandboxSpec spec = Shell("echo started; sleep 60");
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  KillOnOutput io(*sandbox);
  const Outcome outcome = sandbox->Run(spec, io, CancelToken()).value();
  CHECK(outcome.warm);
  CHECK(outcome.kind == OutcomeKind::kSignaled);
  CHECK(outcome.signal == SIGKILL);
}

TEST_CASE("a zygote that answers nonsense is ended, and calls start cold") {
  const std::string nonsense = GENERATE("printf x >&3", "head -c 300000 /dev/zero >&3", ":",
                                        "printf '\\003\\0\\0\\0\\0\\0\\0\\0' >&3");
  CAPTURE(nonsense);
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  const std::string program = folder.path() + "/zygote";
  std::ofstream(program) << "#!/bin/sh\nwhile :; do " << nonsense
                         << " 2>/dev/null; read x <&3 || exit; done\n";
  REQUIRE(::chmod(program.c_str(), 0755) == 0);
  auto sandbox = KernelSandbox::Create({.zygote_program = program, .slots = 1});
  REQUIRE(sandbox.ok());
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = RunIn(*sandbox.value(), Shell("echo ran"));
    CHECK_FALSE(outcome.warm);
    CHECK_FALSE(outcome.cold_because.empty());
    CHECK(outcome.output == "ran\n");
    CHECK(outcome.layers.seccomp);
  }
}

// Two builds can mean something else by the same plan: what one calls read-only the other may not.
TEST_CASE("a zygote of another build is not used") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  std::string program = ReadFile(NACRE_ZYGOTE, 64 << 20).value();
  const std::string digest = zygote::LaunchDigest();
  size_t found = 0;
  for (size_t at = program.find(digest); at != std::string::npos;
       at = program.find(digest, at + 1)) {
    program[at] = program[at] == '0' ? '1' : '0';
    ++found;
  }
  REQUIRE(found > 0);
  const std::string path = folder.path() + "/nacre-zygote";
  std::ofstream(path, std::ios::binary) << program;
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  const auto sandbox = KernelSandbox::Create({.zygote_program = path, .slots = 1});
  REQUIRE(sandbox.ok());
  CHECK_FALSE(sandbox.value()->Prepare(Shell("true"), seconds(10)));
  Outcome outcome;
  for (int i = 0; i < zygote::WarmPool::kStartsMax + 1; ++i) {
    outcome = RunIn(*sandbox.value(), Shell("echo ran"));
    CHECK_FALSE(outcome.warm);
    CHECK(outcome.output == "ran\n");
  }
  CHECK(outcome.cold_because == "the zygote is of another build");
}

// What the pool is told by a sandbox, for those who speak to the pool itself. Owns what a context borrows.
struct DefaultContext {
  const seccomp::ProfileFilters filters = seccomp::CompileProfile("default").value();
  const seccomp::Filter reaper =
      seccomp::CompileFilter(seccomp::ReaperRules(), seccomp::Otherwise::kKill).value();
  kernel::IdMappings mappings;

  LaunchContext Of(const KernelSandbox& sandbox) {
    return {.host = &sandbox.host(),
            .tool_filters = &filters,
            .reaper_filter = &reaper,
            .mappings = &mappings,
            .cgroup_name = "nacre-test"};
  }
};

// A slot that cannot be built is none, and leaves nothing; the calls start cold.
TEST_CASE("each step that is taken before the call is made to fail: there is no slot then") {
  const auto sandbox = MakeWarm(1);
  const SandboxSpec spec = Shell("echo ran");
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  zygote::WarmPool& pool = *sandbox->warm_pool();
  const pid_t zygote = pool.zygote_pid();
  DefaultContext parts;
  const LaunchContext context = parts.Of(*sandbox);
  LaunchPlan warm = zygote::MakeWarmPlan(MakePlan(spec, sandbox->host()).value());
  const std::vector<pid_t> whole = ChildrenOf(zygote);
  const auto only_whole = [&] {
    const std::vector<pid_t> now = ChildrenOf(zygote);
    return std::all_of(now.begin(), now.end(), [&](pid_t pid) {
      return std::find(whole.begin(), whole.end(), pid) != whole.end();
    });
  };
  for (size_t step = 0; step < warm.prepared_steps; ++step) {
    CAPTURE(step, warm.steps[step].name);
    if (warm.steps[step].optional) {
      continue;
    }
    warm.fail_at_step = step;
    pool.Prepare(warm, context, seconds(30));
    for (int i = 0; i < 10'000 && !only_whole(); ++i) {
      ::usleep(1000);
    }
    CHECK(only_whole());
    CHECK(pool.zygote_pid() == zygote);
  }
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  CHECK(RunIn(*sandbox, spec).output == "ran\n");
}

// The runtime may come to read why a call ended long after its processes have: what the cgroup
// counted must still be there.
TEST_CASE("what a warm sandbox counted stays until it is returned, and nothing after") {
  const auto sandbox = MakeWarm(1);
  const SandboxSpec spec = Shell("true");
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  const kernel::CgroupHost& host = sandbox->host().cgroup;
  if (host.version == kernel::CgroupVersion::kNone) {
    SKIP_HERE("no cgroup with the memory and pids controllers is delegated to this process");
  }
  zygote::WarmPool& pool = *sandbox->warm_pool();
  const std::string ours = "-" + std::to_string(pool.zygote_pid()) + "-warm-";
  const auto cgroups = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(host.memory_directory)) {
      const std::string name = entry.path().filename().string();
      if (name.find(ours) != std::string::npos) {
        names.insert(name);
      }
    }
    return names;
  };
  DefaultContext parts;
  const LaunchContext context = parts.Of(*sandbox);
  const LaunchPlan warm = zygote::MakeWarmPlan(MakePlan(spec, sandbox->host()).value());
  const std::set<std::string> before = cgroups();
  auto launched = pool.Launch(warm, context);
  auto* call = std::get_if<RunningCall>(&launched);
  REQUIRE(call != nullptr);
  const std::string process = "/proc/" + std::to_string(call->child.pid());
  for (int i = 0; i < 10'000 && std::filesystem::exists(process); ++i) {
    ::usleep(1000);
  }
  REQUIRE_FALSE(std::filesystem::exists(process));  // the zygote has waited for it
  pool.Prepare(warm, context, seconds(30));         // and had time for whatever it does then
  REQUIRE(call->meter);
  CHECK(call->meter->ReadState().limits.memory_bytes == spec.limits.memory_bytes);
  pool.Return(std::move(*call));
  sandbox->Settle();
  const std::set<std::string> after = cgroups();
  CHECK(before.size() == 1);
  CHECK(after.size() == 1);  // the slot that came in its place
  CHECK(after != before);
}

// ---- a workspace on a file system that hangs -----------------------------------------------------

enum class Caller { kRoot = 0, kOrdinaryUser };

bool OwnMounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool IsThreadOf(pid_t process, pid_t thread) {
  const std::string path = "/proc/" + std::to_string(process) + "/task/" + std::to_string(thread);
  return ::access(path.c_str(), F_OK) == 0;
}

bool BecomeOrdinaryUser() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(64321, 64321, 64321) == 0 &&
         ::setresuid(64321, 64321, 64321) == 0;
}

SandboxSpec OnWorkspace(const std::string& folder) {
  SandboxSpec spec = Shell("echo ran");
  spec.mounts = {{.source = folder + "/w", .target = "/workspace", .access = Access::kReadWrite}};
  return spec;
}

// Calls on a workspace whose file system answers nobody but (for an ordinary user) the runtime itself, and
// beside them calls without one. What went wrong, a line each.
std::string RunBesideHangingCalls(const std::string& folder, Caller caller) {
  if (!OwnMounts()) {
    return "no mount namespace\n";
  }
  const bool ordinary = caller == Caller::kOrdinaryUser;
  const pid_t runtime = ::getpid();
  FuseFolder hanging(folder, [=](pid_t thread) { return ordinary && IsThreadOf(runtime, thread); });
  if (!hanging.mounted()) {
    return "SKIPPED: no FUSE here\n";
  }
  if (ordinary && !BecomeOrdinaryUser()) {
    return "no other user\n";
  }
  auto made = KernelSandbox::Create({.zygote_program = NACRE_ZYGOTE, .slots = 3});
  if (!made.ok()) {
    return made.error().message + "\n";
  }
  KernelSandbox& sandbox = *made.value();
  const SandboxSpec plain = Shell("echo ran");
  if (!sandbox.Prepare(plain, seconds(30))) {
    return "not prepared\n";
  }
  const pid_t zygote = sandbox.warm_pool()->zygote_pid();
  const auto run = [&](const SandboxSpec& spec) {
    return std::async(std::launch::async, [&sandbox, spec] {
      NoCallIo io;
      return sandbox.Run(spec, io, CancelToken()).value();
    });
  };
  SandboxSpec stuck = OnWorkspace(folder);
  stuck.limits.wall = std::chrono::milliseconds(500);
  std::future<Outcome> waiting = run(stuck);
  if (!hanging.AwaitWaiter()) {
    return "nobody waited\n";
  }
  std::string wrong;
  for (int i = 0; i < 3; ++i) {
    sandbox.Prepare(plain, seconds(30));
    std::future<Outcome> beside = run(plain);
    if (beside.wait_for(seconds(60)) != std::future_status::ready) {
      hanging.End();
      return wrong + "a call waited for another one's workspace\n";
    }
    const Outcome outcome = beside.get();
    if (!outcome.warm || outcome.output != "ran\n") {
      wrong += "not warm: " + outcome.cold_because + "\n";
    }
  }
  hanging.End();
  const Outcome ended = waiting.get();
  if (ended.warm || !ended.output.empty()) {
    wrong += "the stuck call did run\n";
  }
  if (sandbox.warm_pool()->zygote_pid() != zygote) {
    wrong += "the zygote was ended\n";
  }
  return wrong;
}

TEST_CASE("a workspace whose file system hangs keeps no other call from its warm sandbox") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root can mount a file system that others see");
  }
  const Caller caller = GENERATE(Caller::kRoot, Caller::kOrdinaryUser);
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(std::filesystem::create_directory(folder.path() + "/mount"));
  const std::string wrong =
      InChild([&] { return RunBesideHangingCalls(folder.path() + "/mount", caller); });
  if (wrong.starts_with("SKIPPED")) {
    SKIP_HERE("no FUSE here");
  }
  CHECK(wrong == "");
}

// As many calls as the zygote waits for at most on a workspace that hangs, and then one on another that
// must be asked for too: its file system lets nobody remember a name. What went wrong.
std::string RunBesideAllOpeners(const std::string& place) {
  if (!OwnMounts()) {
    return "no mount namespace\n";
  }
  const pid_t runtime = ::getpid();
  FuseFolder calm(place + "/calm", [](pid_t) { return true; });
  FuseFolder hanging(place + "/hanging", [=](pid_t thread) { return IsThreadOf(runtime, thread); });
  if (!hanging.mounted() || !calm.mounted()) {
    return "SKIPPED: no FUSE here\n";
  }
  if (!BecomeOrdinaryUser()) {
    return "no other user\n";
  }
  constexpr size_t kSlots = 3;
  auto made = KernelSandbox::Create({.zygote_program = NACRE_ZYGOTE, .slots = kSlots});
  if (!made.ok() || !made.value()->Prepare(Shell("true"), seconds(30))) {
    return "not prepared\n";
  }
  KernelSandbox& sandbox = *made.value();
  const pid_t zygote = sandbox.warm_pool()->zygote_pid();
  SandboxSpec stuck = OnWorkspace(place + "/hanging");
  stuck.limits.wall = std::chrono::milliseconds(500);
  std::vector<std::future<void>> waiting;
  for (size_t i = 0; i < zygote::Openers::kPerDeviceMax; ++i) {
    waiting.push_back(std::async(std::launch::async, [&] {
      NoCallIo io;
      (void)sandbox.Run(stuck, io, CancelToken());
    }));
  }
  for (int i = 0; i < 60'000; ++i) {
    if (ChildrenOf(zygote).size() >= kSlots + zygote::Openers::kPerDeviceMax) {
      break;
    }
    ::usleep(1000);
  }
  std::string wrong;
  if (ChildrenOf(zygote).size() < kSlots + zygote::Openers::kPerDeviceMax) {
    wrong += "nobody waited\n";
  }
  NoCallIo io;
  const Outcome beside = sandbox.Run(OnWorkspace(place + "/calm"), io, CancelToken()).value();
  if (!beside.warm || beside.output != "ran\n") {
    wrong += "not warm: " + beside.cold_because + " " + Describe(beside) + "\n";
  }
  hanging.End();
  return wrong;
}

TEST_CASE("a workspace that hangs, however often it is asked for, keeps no other one cold") {
  if (::geteuid() != 0) {
    SKIP_HERE("only root can mount a file system that others see");
  }
  const TempDir folder = TempDir::Create().value();
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  for (const char* name : {"/calm", "/hanging"}) {
    REQUIRE(std::filesystem::create_directory(folder.path() + name));
  }
  const std::string wrong = InChild([&] { return RunBesideAllOpeners(folder.path()); });
  if (wrong.starts_with("SKIPPED")) {
    SKIP_HERE("no FUSE here");
  }
  CHECK(wrong == "");
}

TEST_CASE("a zygote that is not there is an error, not a sandbox without one") {
  const auto sandbox = KernelSandbox::Create({.zygote_program = "/no/such/zygote"});
  REQUIRE_FALSE(sandbox.ok());
  CHECK(sandbox.error().message.find("/no/such/zygote") != std::string::npos);
}

TEST_CASE("a zygote and its slots end with their runtime") {
  pid_t zygote = -1;
  std::vector<pid_t> slots;
  {
    const auto sandbox = MakeWarm(2);
    REQUIRE(sandbox->Prepare(Shell("true"), seconds(30)));
    zygote = sandbox->warm_pool()->zygote_pid();
    slots = ChildrenOf(zygote);
    REQUIRE(slots.size() == 2);
  }
  CHECK(::kill(zygote, 0) != 0);
  for (const pid_t slot : slots) {
    for (int i = 0; ::kill(slot, 0) == 0 && i < 5000; ++i) {
      ::usleep(1000);  // init reaps it
    }
    CHECK(::kill(slot, 0) != 0);
  }
}

TEST_CASE("more calls at once than there are slots all run, warm or cold") {
  const auto sandbox = MakeWarm(2);
  REQUIRE(sandbox->Prepare(Shell("true"), seconds(30)));
  std::vector<std::thread> threads;
  std::vector<Outcome> outcomes(8);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    threads.emplace_back([&, i] {
      NoCallIo io;
      auto outcome = sandbox->Run(Shell("echo " + std::to_string(i)), io, CancelToken());
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

TEST_CASE("a call with more arguments than the zygote takes starts cold and says so") {
  const auto sandbox = MakeWarm(1);
  SandboxSpec spec = Shell("echo $#");
  REQUIRE(sandbox->Prepare(spec, seconds(30)));
  spec.argv.resize(40, std::string(10'000, 'x'));
  const Outcome outcome = RunIn(*sandbox, spec);
  CHECK_FALSE(outcome.warm);
  CHECK(outcome.cold_because == "its arguments are too long for the zygote");
  CHECK(outcome.output == "36\n");
}

TEST_CASE("calls of one group share an empty network and say so, others do not") {
  if (SharedSandbox().host().landlock_abi < kernel::kLandlockScopesAbi) {
    SKIP_HERE("Landlock of this kernel has no scopes");
  }
  const auto sandbox = MakeWarm(1);
  const auto network = [&](const std::string& group) {
    SandboxSpec spec =
        Shell("readlink /proc/self/ns/net; cut -d: -f1 /proc/self/net/dev | tail -n 1");
    spec.network_group = group;
    const Outcome outcome = RunWarm(*sandbox, spec);
    CHECK(outcome.layers.namespaces.size() ==
          (sandbox->host().time_namespace ? kNamespaceCount : kNamespaceCount - 1));
    CHECK(outcome.output.ends_with("lo\n"));
    const bool said = !outcome.layers.weaker.empty() &&
                      outcome.layers.weaker.back().find("network") != std::string::npos;
    CHECK(said == !group.empty());
    return outcome.output;
  };
  const std::string a = network("a");
  CHECK(network("a") == a);
  CHECK(network("b") != a);
  CHECK(network("") != a);
}

TEST_CASE("many calls leave nothing but what stands ready") {
  const auto sandbox = MakeWarm(2);
  const SandboxSpec spec = Shell("true");
  RunWarm(*sandbox, spec);
  sandbox->Settle();
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto descriptors = count();
  const size_t slots = ChildrenOf(sandbox->warm_pool()->zygote_pid()).size();
  for (int i = 0; i < 50; ++i) {
    CHECK(RunIn(*sandbox, spec).kind == OutcomeKind::kExited);
  }
  sandbox->Settle();
  CHECK(count() == descriptors);
  CHECK(ChildrenOf(sandbox->warm_pool()->zygote_pid()).size() == slots);
}

}  // namespace
}  // namespace nacre::sandbox
