// What the runtime and its zygote say to each other, and how a plan is taken apart for a warm sandbox.
#include <catch2/catch.hpp>

#include <algorithm>
#include <initializer_list>

#include "sandbox/zygote/messages.h"
#include "sandbox/zygote/openers.h"
#include "sandbox/zygote/warm_plan.h"
#include "tests/unit/sandbox/sandbox_test_host.h"

namespace nacre::sandbox::zygote {
namespace {

LaunchPlan SomePlan(uint32_t tasks = Limits().tasks) {
  SandboxSpec spec;
  spec.limits.tasks = tasks;
  spec.id = "call-1";
  spec.argv = {"/usr/bin/tool", "", "two words"};
  spec.environment = {{"A", "1"}};
  spec.mounts = {{.source = "/srv/work", .target = "/workspace", .access = Access::kReadWrite},
                 {.source = "/srv/data", .target = "/data"}};
  spec.hidden = {"/workspace/.env"};
  spec.network_group = "session-1";
  return MakePlan(spec, MadeUpHost()).value();
}

bool IsKind(const Step& step, std::initializer_list<StepKind> kinds) {
  return std::find(kinds.begin(), kinds.end(), step.kind) != kinds.end();
}

std::vector<Step> WithoutKinds(std::vector<Step> steps, std::initializer_list<StepKind> kinds) {
  std::erase_if(steps, [kinds](const Step& step) { return IsKind(step, kinds); });
  return steps;
}

TEST_CASE("with one task a warm sandbox takes the steps of a cold one in their order") {
  const LaunchPlan cold = SomePlan(kTasksOfASplit - 1);
  const LaunchPlan warm = MakeWarmPlan(cold);
  CHECK(WithoutKinds(warm.steps, {StepKind::kAwaitCall}) ==
        WithoutKinds(cold.steps, {StepKind::kOpenSource}));
}

TEST_CASE("a warm sandbox takes the steps of a cold one, the filter and capabilities first") {
  const LaunchPlan cold = SomePlan();
  const LaunchPlan warm = MakeWarmPlan(cold);
  const LaunchPlan prepared = TemplateOf(warm);
  const LaunchPlan call = CallOf(warm);
  std::vector<Step> steps = prepared.steps;
  steps.insert(steps.end(), call.steps.begin(), call.steps.end());
  CHECK(steps == warm.steps);
  CHECK(WithoutKinds(warm.steps,
                     {StepKind::kAwaitCall, StepKind::kSplit, StepKind::kHandOver,
                      StepKind::kCapabilities, StepKind::kSeccomp, StepKind::kIdentityEvidence}) ==
        WithoutKinds(cold.steps, {StepKind::kOpenSource, StepKind::kCapabilities,
                                  StepKind::kSeccomp, StepKind::kIdentityEvidence}));
  // Before there is a call: the process is split, and the tool's takes these three, and waits.
  std::vector<StepKind> early;
  for (const Step& step : prepared.steps) {
    if (!early.empty() || step.kind == StepKind::kSplit) {
      early.push_back(step.kind);
    }
  }
  CHECK(early == std::vector<StepKind>{StepKind::kSplit, StepKind::kCapabilities,
                                       StepKind::kSeccomp, StepKind::kIdentityEvidence,
                                       StepKind::kAwaitCall});
  CHECK(prepared.steps[prepared.steps.size() - early.size()].number == 3);
  // When it is there: all that takes a capability, and then what the tool's process does itself.
  std::vector<StepKind> handed_over;
  for (const Step& step : call.steps) {
    if (!handed_over.empty() || step.kind == StepKind::kHandOver) {
      handed_over.push_back(step.kind);
    }
  }
  CHECK(handed_over == std::vector<StepKind>{StepKind::kHandOver, StepKind::kLandlock,
                                             StepKind::kEvidence, StepKind::kExec});
  std::vector<kernel::LandlockRule> rules = prepared.landlock_rules;
  rules.insert(rules.end(), call.landlock_rules.begin(), call.landlock_rules.end());
  CHECK(rules == cold.landlock_rules);
}

LaunchPlan InterpretedPlan() {
  SandboxSpec spec;
  spec.id = "call-1";
  spec.argv = {"/usr/bin/python3", "-c", "start", "/nacre/tool/tool.py", "secret"};
  spec.interpreter_arguments = 3;
  spec.environment = {{"A", "1"}};
  spec.mounts = {{.source = "/srv/work", .target = "/workspace", .access = Access::kReadWrite}};
  return MakePlan(spec, MadeUpHost()).value();
}

TEST_CASE(
    "a started interpreter changes no step: it is started before the wait, and takes its part") {
  const LaunchPlan cold = InterpretedPlan();
  const LaunchPlan warm = MakeWarmPlan(cold);
  const LaunchPlan prepared = TemplateOf(warm);
  const LaunchPlan call = CallOf(warm);
  REQUIRE(prepared.steps.size() > 2);
  CHECK(prepared.steps[prepared.steps.size() - 2].kind == StepKind::kStartInterpreter);
  CHECK(prepared.steps.back().kind == StepKind::kAwaitCall);
  std::vector<Step> steps = prepared.steps;
  steps.insert(steps.end(), call.steps.begin(), call.steps.end());
  CHECK(steps == warm.steps);
  std::erase_if(steps, [](const Step& step) {
    return step.kind == StepKind::kAwaitCall || step.kind == StepKind::kStartInterpreter ||
           step.kind == StepKind::kHandOver;
  });
  std::vector<Step> expected = cold.steps;
  std::erase_if(expected, [](const Step& step) { return step.kind == StepKind::kOpenSource; });
  CHECK(steps == expected);
  // What needs privileges is done before the interpreter takes over, all the rest by it.
  bool handed_over = false;
  for (const Step& step : call.steps) {
    handed_over = handed_over || step.kind == StepKind::kHandOver;
    CHECK((step.kind != StepKind::kMountSource || !handed_over));
    CHECK((step.kind != StepKind::kReadOnlyRoot || !handed_over));
    CHECK((step.kind != StepKind::kLandlock || handed_over));
    CHECK((step.kind != StepKind::kSeccomp || handed_over));
    CHECK((step.kind != StepKind::kEvidence || handed_over));
  }
  CHECK(handed_over);
}

TEST_CASE("an interpreter is started with what all its calls share, and with nothing of one") {
  const LaunchPlan warm = MakeWarmPlan(InterpretedPlan());
  const LaunchPlan prepared = TemplateOf(warm);
  CHECK(prepared.interpreter == std::vector<std::string>{"/usr/bin/python3", "-c", "start"});
  CHECK(prepared.argv.empty());
  CHECK(prepared.environment.empty());
  CHECK(DecodePlan(EncodePlan(prepared)).value().interpreter == prepared.interpreter);
  const LaunchPlan call = CallOf(warm);
  CHECK(call.interpreter.empty());
  CHECK(call.argv == std::vector<std::string>{"/nacre/tool/tool.py", "secret"});
  LaunchPlan other = InterpretedPlan();
  other.interpreter.back() = "another start";
  CHECK_FALSE(TemplateOf(MakeWarmPlan(other)) == prepared);
  LaunchPlan wrong = prepared;
  wrong.interpreter.clear();
  CHECK_FALSE(DecodePlan(EncodePlan(wrong)).ok());
}

TEST_CASE("a call with sockets never shares its network") {
  SandboxSpec spec;
  spec.id = "x";
  spec.argv = {"/usr/bin/tool"};
  spec.network_group = "session";
  CHECK(MakePlan(spec, MadeUpHost()).value().network_group == "session");
  spec.seccomp_profile = "network-client";
  const auto refused = MakePlan(spec, MadeUpHost());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("network-client") != std::string::npos);
}

TEST_CASE("a spec whose interpreter leaves nothing to the call is refused") {
  SandboxSpec spec;
  spec.id = "x";
  spec.argv = {"/usr/bin/python3", "-c"};
  spec.interpreter_arguments = 2;
  CHECK_FALSE(MakePlan(spec, MadeUpHost()).ok());
}

TEST_CASE("what an interpreter is told arrives, or is refused") {
  const InterpreterSlot slot = {.launch_digest = LaunchDigest(),
                                .report = 10,
                                .standard_input = 11,
                                .standard_output = 12,
                                .standard_error = 13,
                                .channel = 14,
                                .ruleset = 15,
                                .expected = {.outside = {.uid = 1000, .gid = 100},
                                             .launcher = {1, 2, 3, 4, 5, 6, 7, 8},
                                             .separate = 0x81},
                                .tool_filter = {{1, 2, 3, 4}},
                                .killing_tool_filter = {{5, 6, 7, 8}}};
  const std::string bytes = Encode(slot);
  CHECK(Encode(DecodeInterpreterSlot(bytes).value()) == bytes);
  const ExpectedEvidence expected = DecodeInterpreterSlot(bytes).value().expected;
  CHECK(expected.outside == slot.expected.outside);
  CHECK(expected.launcher == slot.expected.launcher);
  CHECK(expected.separate == 0x81);
  const InterpreterPart part = {.first_index = 9, .plan = CallOf(MakeWarmPlan(InterpretedPlan()))};
  const std::string said = Encode(part);
  CHECK(Encode(DecodeInterpreterPart(said).value()) == said);
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(DecodeInterpreterSlot(bytes.substr(0, size)).ok());
  }
  for (size_t size = 0; size < said.size(); ++size) {
    CHECK_FALSE(DecodeInterpreterPart(said.substr(0, size)).ok());
  }
  CHECK_FALSE(DecodeInterpreterSlot(bytes + "x").ok());
  CHECK_FALSE(DecodeInterpreterPart(said + "x").ok());
}

TEST_CASE("a template knows nothing of a call") {
  const LaunchPlan prepared = TemplateOf(MakeWarmPlan(SomePlan()));
  CHECK(prepared.argv.empty());
  CHECK(prepared.environment.empty());
  CHECK(prepared.sources.empty());
  CHECK(prepared.id == "warm");
}

TEST_CASE("calls with other limits have other templates") {
  SandboxSpec spec;
  spec.id = "x";
  spec.argv = {"/usr/bin/tool"};
  const auto make = [&] { return TemplateOf(MakeWarmPlan(MakePlan(spec, MadeUpHost()).value())); };
  const LaunchPlan first = make();
  CHECK(make() == first);
  spec.argv = {"/usr/bin/other"};
  spec.limits.wall = std::chrono::seconds(1);
  CHECK(make() == first);
  spec.limits.memory_bytes *= 2;
  CHECK_FALSE(make() == first);
  spec.limits = {};
  spec.limits.disk_bytes *= 2;
  CHECK_FALSE(make() == first);
  spec.limits = {};
  spec.network_group = "session";
  CHECK_FALSE(make() == first);
}

TEST_CASE("a plan that was sent is the plan that arrives") {
  LaunchPlan call = CallOf(MakeWarmPlan(SomePlan()));
  call.fail_at_step = 3;
  const LaunchPlan got = DecodePlan(EncodePlan(call)).value();
  REQUIRE(got.steps.size() == call.steps.size());
  for (size_t i = 0; i < got.steps.size(); ++i) {
    Step expected = call.steps[i];
    expected.name.clear();  // names stay with the runtime
    CHECK(got.steps[i] == expected);
  }
  CHECK(got.argv == call.argv);
  CHECK(got.environment == call.environment);
  CHECK(got.landlock_rules == call.landlock_rules);
  CHECK(got.sources.size() == call.sources.size());
  CHECK(got.inside_id == call.inside_id);
  CHECK(got.limits.disk_bytes == call.limits.disk_bytes);
  CHECK(got.fail_at_step == call.fail_at_step);
}

TEST_CASE("a template has all of a plan that shapes its first steps") {
  LaunchPlan plan = SomePlan();
  plan.inside_id = 7;
  plan.privileged = !plan.privileged;
  const LaunchPlan prepared = TemplateOf(MakeWarmPlan(plan));
  CHECK(prepared.inside_id == 7);
  CHECK(prepared.privileged == plan.privileged);
  CHECK(prepared.network_group == plan.network_group);
  CHECK(prepared.seccomp_profile == plan.seccomp_profile);
  CHECK(DecodePlan(EncodePlan(prepared)).value().inside_id == 7);
}

TEST_CASE("who waits for one file system leaves room for who waits for another") {
  Openers openers;
  pid_t pid = 100;
  for (size_t i = 0; i < Openers::kPerDeviceMax; ++i) {
    REQUIRE(openers.HasRoomFor(7));
    openers.Add(++pid, 7);
  }
  CHECK_FALSE(openers.HasRoomFor(7));
  CHECK(openers.HasRoomFor(8));
  openers.Remove(1);  // some other child
  CHECK_FALSE(openers.HasRoomFor(7));
  openers.Remove(pid);
  CHECK(openers.HasRoomFor(7));
  // All of them together are bounded too.
  Openers many;
  for (uint64_t device = 0; device < Openers::kAllMax; ++device) {
    REQUIRE(many.HasRoomFor(device));
    many.Add(static_cast<pid_t>(1000 + device), device);
  }
  CHECK_FALSE(many.HasRoomFor(Openers::kAllMax));
}

TEST_CASE("messages that were sent are the messages that arrive") {
  for (const Command& command : std::vector<Command>{
           SetUp{.launch_digest = LaunchDigest(),
 .cgroup = {.version = kernel::CgroupVersion::kV1,
           .memory_directory = "/a",
           .pids_directory = "/b",
           .cpu_directory = "",
           .detail = "why"}},
           DropTemplate{7}, MakeSlots{1, 4}, OpenTree{"/srv/work", 3, 4, 5}, ReturnSlot{9}}) {
    const std::string bytes = Encode(command);
    const Result<Command> got = DecodeCommand(bytes);
    REQUIRE(got.ok());
    CHECK(Encode(got.value()) == bytes);
  }
  const AddTemplate add{.number = 1,
                        .plan = TemplateOf(MakeWarmPlan(SomePlan())),
                        .tool_filter = {{1, 2, 3, 4}, {5, 6, 7, 8}},
                        .killing_tool_filter = {{1, 1, 1, 1}},
                        .reaper_filter = {{9, 1, 2, 3}}};
  const Result<Command> got = DecodeCommand(Encode(Command(add)));
  REQUIRE(got.ok());
  CHECK(std::get<AddTemplate>(got.value()).tool_filter.size() == 2);
  for (const Event& event : std::vector<Event>{SlotMade{1, 2, 3, 15}, SlotFailed{1, 22, "cgroup"},
                                               TreeOpened{116}, SlotEnded{4}, SlotGone{4}}) {
    const Result<Event> back = DecodeEvent(Encode(event));
    REQUIRE(back.ok());
    CHECK(back.value() == event);
  }
}

TEST_CASE("what is cut off, too long or incoherent is refused") {
  const std::string plan = EncodePlan(CallOf(MakeWarmPlan(SomePlan())));
  for (size_t size = 0; size < plan.size(); ++size) {
    CHECK_FALSE(DecodePlan(plan.substr(0, size)).ok());
  }
  CHECK_FALSE(DecodePlan(plan + "x").ok());
  LaunchPlan wrong = CallOf(MakeWarmPlan(SomePlan()));
  wrong.sources.clear();  // its mounts name sources
  CHECK_FALSE(DecodePlan(EncodePlan(wrong)).ok());
  wrong = CallOf(MakeWarmPlan(SomePlan()));
  wrong.argv.clear();  // it executes
  CHECK_FALSE(DecodePlan(EncodePlan(wrong)).ok());
  wrong = CallOf(MakeWarmPlan(SomePlan()));
  wrong.steps[0].path = std::string("a\0b", 3);
  CHECK_FALSE(DecodePlan(EncodePlan(wrong)).ok());
  LaunchPlan split = TemplateOf(MakeWarmPlan(SomePlan()));
  split.steps.pop_back();  // all its own are there, and none behind them for the other process
  CHECK(DecodePlan(EncodePlan(split)).ok());
  split.steps.pop_back();
  CHECK_FALSE(DecodePlan(EncodePlan(split)).ok());
  const std::string gone = Encode(Event(SlotGone{4}));
  CHECK_FALSE(DecodeEvent(gone.substr(0, gone.size() - 1)).ok());
  CHECK_FALSE(DecodeEvent(gone + gone).ok());
  CHECK_FALSE(DecodeEvent("").ok());
  CHECK_FALSE(DecodeCommand(std::string(64, '\xff')).ok());
  const AddTemplate no_filter{
      .number = 1, .plan = {}, .tool_filter = {}, .killing_tool_filter = {}, .reaper_filter = {}};
  CHECK_FALSE(DecodeCommand(Encode(Command(no_filter))).ok());
}

}  // namespace
}  // namespace nacre::sandbox::zygote
