#include "sandbox/plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "base/file.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/spec_check.h"
#include "tests/unit/sandbox/sandbox_test_host.h"

namespace nacre::sandbox {
namespace {

SandboxSpec MinimalSpec() {
  SandboxSpec spec;
  spec.id = "call-1";
  spec.argv = {"/usr/bin/tool"};
  return spec;
}

SandboxSpec FullSpec() {
  SandboxSpec spec = MinimalSpec();
  spec.environment = {{"HOME", "/tmp"}};
  spec.working_directory = "/workspace";
  spec.mounts = {{.source = "/srv/cache", .target = "/workspace/a/b/cache"},
                 {.source = "/srv/work",
                  .target = "/workspace",
                  .access = Access::kReadWrite,
                  .executable = Executable::kYes},
                 {.source = "/srv/tools",
                  .target = "/opt/tools",
                  .access = Access::kRead,
                  .executable = Executable::kYes},
                 {.source = "/srv/local", .target = "/usr/local"}};
  spec.hidden = {"/workspace/.env"};
  spec.read_only = {"/workspace/.git/hooks"};
  return spec;
}

size_t IndexOf(const LaunchPlan& plan, const std::string& name) {
  const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [&](const Step& step) { return step.name == name; });
  REQUIRE(found != plan.steps.end());
  return static_cast<size_t>(found - plan.steps.begin());
}

TEST_CASE("a spec outside of its bounds is refused and the field named") {
  struct Row {
    const char* claim;
    std::function<void(SandboxSpec&)> change;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"no id", [](SandboxSpec& s) { s.id.clear(); }, "id"},
      {"an id with a slash", [](SandboxSpec& s) { s.id = "../x"; }, "id"},
      {"a long id", [](SandboxSpec& s) { s.id = std::string(65, 'a'); }, "id"},
      {"a network group with a slash", [](SandboxSpec& s) { s.network_group = "a/b"; },
       "network_group"},
      {"no argv", [](SandboxSpec& s) { s.argv.clear(); }, "argv"},
      {"a relative program", [](SandboxSpec& s) { s.argv[0] = "tool"; }, "argv[0]"},
      {"a program with ..", [](SandboxSpec& s) { s.argv[0] = "/usr/../bin/tool"; }, "argv[0]"},
      {"a NUL in an argument", [](SandboxSpec& s) { s.argv.emplace_back("a\0b", 3); }, "NUL"},
      {"too many arguments", [](SandboxSpec& s) { s.argv.resize(1025, "x"); }, "argv"},
      {"a huge argument", [](SandboxSpec& s) { s.argv.emplace_back(200000, 'x'); }, "128 KiB"},
      {"a bad name",
       [](SandboxSpec& s) {
         s.environment = {{"A=B", "c"}};
       },
       "environment"},
      {"an empty name",
       [](SandboxSpec& s) {
         s.environment = {{"", "c"}};
       },
       "environment"},
      {"a name that starts with a digit",
       [](SandboxSpec& s) {
         s.environment = {{"1A", "c"}};
       },
       "environment"},
      {"a NUL in a value",
       [](SandboxSpec& s) {
         s.environment = {{"A", std::string("\0", 1)}};
       },
       "value of A"},
      {"a name twice",
       [](SandboxSpec& s) {
         s.environment = {{"A", "1"}, {"A", "2"}};
       },
       "twice"},
      {"a relative directory", [](SandboxSpec& s) { s.working_directory = "x"; },
       "working_directory"},
      {"a relative source", [](SandboxSpec& s) { s.mounts = {{.source = "x", .target = "/x"}}; },
       "mount"},
      {"a NUL in a source",
       [](SandboxSpec& s) { s.mounts = {{.source = std::string("/x\0y", 4), .target = "/x"}}; },
       "mount"},
      {"a source of too many bytes",
       [](SandboxSpec& s) {
         std::string path;
         while (path.size() < 4096) {
           path += "/" + std::string(200, 'x');
         }
         s.mounts = {{.source = path, .target = "/x"}};
       },
       "mount"},
      {"a component of too many bytes",
       [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/" + std::string(256, 'x')}}; },
       "mount"},
      {"a target with ..",
       [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/a/../b"}}; }, "mount"},
      {"a target with //", [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/a//b"}}; },
       "mount"},
      {"a target with a final slash",
       [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/a/"}}; }, "mount"},
      {"the root as target", [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/"}}; },
       "root"},
      {"a target in /proc",
       [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/proc/self"}}; }, "/proc"},
      {"a target in /dev",
       [](SandboxSpec& s) { s.mounts = {{.source = "/x", .target = "/dev/x"}}; }, "/dev"},
      {"a target twice",
       [](SandboxSpec& s) {
         s.mounts = {{.source = "/x", .target = "/a"}, {.source = "/y", .target = "/a"}};
       },
       "two mounts"},
      {"too many mounts",
       [](SandboxSpec& s) {
         for (int i = 0; i < 65; ++i) {
           s.mounts.push_back({.source = "/x", .target = "/m" + std::to_string(i)});
         }
       },
       "64 mounts"},
      {"a relative hidden path", [](SandboxSpec& s) { s.hidden = {"x"}; }, "hidden"},
      {"the root hidden", [](SandboxSpec& s) { s.hidden = {"/"}; }, "hidden"},
      {"a read-only path with ..", [](SandboxSpec& s) { s.read_only = {"/a/.."}; }, "read-only"},
      {"no time", [](SandboxSpec& s) { s.limits.wall = {}; }, "wall"},
      {"no cpu", [](SandboxSpec& s) { s.limits.cpu = {}; }, "cpu"},
      {"no memory", [](SandboxSpec& s) { s.limits.memory_bytes = 0; }, "memory"},
      {"too much memory", [](SandboxSpec& s) { s.limits.memory_bytes = ~0ULL; }, "memory"},
      {"no tasks", [](SandboxSpec& s) { s.limits.tasks = 0; }, "tasks"},
      {"no files", [](SandboxSpec& s) { s.limits.files = 0; }, "files"},
      {"no output", [](SandboxSpec& s) { s.limits.output_bytes = 0; }, "output"},
      {"no disk", [](SandboxSpec& s) { s.limits.disk_bytes = 0; }, "disk"},
      {"no inodes", [](SandboxSpec& s) { s.limits.inodes = 0; }, "inodes"},
      {"too many inodes", [](SandboxSpec& s) { s.limits.inodes = ~0U; }, "inodes"},
      {"an unknown profile", [](SandboxSpec& s) { s.seccomp_profile = "none"; }, "profile"},
  }));
  CAPTURE(row.claim);
  SandboxSpec spec = MinimalSpec();
  row.change(spec);
  const auto plan = MakePlan(spec, MadeUpHost());
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().message.find(row.says) != std::string::npos);
}

TEST_CASE("a path need not be UTF-8") {
  SandboxSpec spec = MinimalSpec();
  spec.mounts = {{.source = "/w\xff\xfe", .target = "/workspace"}};
  spec.hidden = {"/workspace/\x80\n"};
  spec.argv.emplace_back("\xc3\x28");
  CHECK(MakePlan(spec, MadeUpHost()).ok());
}

TEST_CASE("a full plan is the one that was reviewed") {
  const std::string plan = DescribePlan(MakePlan(FullSpec(), MadeUpHost()).value());
  const std::string golden =
      ReadFile(NACRE_SOURCE_DIR "/tests/unit/sandbox/golden/full_plan.txt", 1 << 20).value();
  CHECK(plan == golden);
}

TEST_CASE("a writable mount is never executable, whatever the spec says") {
  const LaunchPlan plan = MakePlan(FullSpec(), MadeUpHost()).value();
  for (const Source& source : plan.sources) {
    if (source.writable) {
      CHECK((source.attributes & kernel::kNoExec) != 0);
    } else {
      CHECK((source.attributes & kernel::kReadOnly) != 0);
    }
    CHECK((source.attributes & kernel::kNoSuid) != 0);
    CHECK((source.attributes & kernel::kNoDev) != 0);
  }
}

TEST_CASE("walls come in an order in which none can be taken down again") {
  const LaunchPlan plan = MakePlan(FullSpec(), MadeUpHost()).value();
  const char* const kOrder[] = {"identity",
                                "private mounts",
                                "new root",
                                "pivot",
                                "limit capabilities",
                                "no new privileges",
                                "start the tool's process",
                                "mount /workspace",
                                "read-only root",
                                "drop capabilities",
                                "descriptors",
                                "Landlock rules",
                                "Landlock",
                                "seccomp",
                                "evidence of identity",
                                "evidence",
                                "exec"};
  for (size_t i = 1; i < std::size(kOrder); ++i) {
    CHECK(IndexOf(plan, kOrder[i - 1]) < IndexOf(plan, kOrder[i]));
  }
  CHECK(plan.steps.back().kind == StepKind::kExec);
}

TEST_CASE("what is prepared before a call comes knows nothing of the call but its limits") {
  SandboxSpec other = FullSpec();
  other.id = "call-2";
  other.argv = {"/usr/bin/other", "x"};
  other.environment = {};
  other.mounts.clear();
  other.hidden.clear();
  other.read_only.clear();
  other.working_directory = "/";
  const LaunchPlan a = MakePlan(FullSpec(), MadeUpHost()).value();
  const LaunchPlan b = MakePlan(other, MadeUpHost()).value();
  const auto prepared = [](const LaunchPlan& plan) {
    std::vector<Step> steps(plan.steps.begin(),
                            plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.prepared_steps));
    std::erase_if(steps, [](const Step& step) { return step.kind == StepKind::kOpenSource; });
    return steps;
  };
  CHECK(prepared(a) == prepared(b));
  CHECK(a.steps[a.prepared_steps].name == "directory /opt");
  CHECK(std::equal(a.landlock_rules.begin(),
                   a.landlock_rules.begin() + static_cast<std::ptrdiff_t>(a.prepared_rules),
                   b.landlock_rules.begin()));
}

TEST_CASE("what a spec requires and the host lacks is named before anything starts") {
  struct Row {
    std::function<void(SandboxSpec&, HostSupport&)> change;
    const char* unmet;
  };
  const auto row = GENERATE(values<Row>({
      {[](SandboxSpec&, HostSupport& h) { h.namespaces = false; }, "namespaces"},
      {[](SandboxSpec&, HostSupport& h) { h.pidfd = false; }, "pidfd"},
      {[](SandboxSpec&, HostSupport& h) { h.mount_api = false; }, "mount API"},
      {[](SandboxSpec&, HostSupport& h) { h.seccomp = false; }, "seccomp"},
      {[](SandboxSpec&, HostSupport& h) { h.landlock_abi = 0; }, "Landlock ABI 1"},
      {[](SandboxSpec& s, HostSupport&) { s.require.landlock_abi = 8; }, "Landlock ABI 8"},
      {[](SandboxSpec&, HostSupport& h) { h.cgroup = {}; }, "cgroup"},
      {[](SandboxSpec& s, HostSupport& h) {
         s.require.cgroup = false;
         h.cgroup = {};
         h.hides_processes = true;
       },
       "limits of memory, tasks and cpu (there is no cgroup, and /proc does not show a call's "
       "processes: delegate a cgroup, see nacre doctor, or mount /proc without hidepid)"},
      {[](SandboxSpec& s, HostSupport& h) {
         s.require.cgroup = false;
         h.cgroup = {};
         h.hides_processes = true;
         h.lists_no_children = true;
       },
       "limits of memory, tasks and cpu (there is no cgroup, and this kernel does not list a "
       "process's children: delegate a cgroup, see nacre doctor, or use a kernel with "
       "CONFIG_PROC_CHILDREN)"},
      {[](SandboxSpec&, HostSupport& h) {
         h.namespaces = false;
         h.namespaces_problem = "of no use";
       },
       "namespaces (of no use)"},
  }));
  SandboxSpec spec = MinimalSpec();
  HostSupport host = MadeUpHost();
  row.change(spec, host);
  CHECK(MakePlan(spec, host).value().unmet == row.unmet);
}

TEST_CASE("what is weaker on a host is said") {
  HostSupport host = MadeUpHost();
  CHECK(MakePlan(MinimalSpec(), host).value().weaker.empty());
  host.cgroup = {};
  host.has_other_groups = true;
  host.crashes_reach_host = true;
  SandboxSpec spec = MinimalSpec();
  spec.require.landlock_abi = 0;
  spec.require.cgroup = false;
  host.landlock_abi = 0;
  const LaunchPlan plan = MakePlan(spec, host).value();
  CHECK(plan.weaker.size() == 4);
  CHECK_FALSE(plan.unmet.has_value());
}

TEST_CASE("that nothing sums up what a call writes in place is said") {
  SandboxSpec spec = MinimalSpec();
  for (const Access access : {Access::kRead, Access::kTransactional}) {
    spec.mounts = {{.source = "/srv/work", .target = "/workspace", .access = access}};
    CHECK(MakePlan(spec, MadeUpHost()).value().weaker.empty());
  }
  spec.mounts = {{.source = "/srv/work", .target = "/workspace", .access = Access::kReadWrite}};
  const std::vector<std::string> weaker = MakePlan(spec, MadeUpHost()).value().weaker;
  REQUIRE(weaker.size() == 1);
  CHECK(weaker[0].find("file by file and not in sum") != std::string::npos);
}

TEST_CASE("what a spec does not require is named, whatever the host has") {
  CHECK(MakePlan(MinimalSpec(), MadeUpHost()).value().exceptions.empty());
  SandboxSpec spec = MinimalSpec();
  spec.require = {.landlock_abi = 0, .cgroup = false, .id_maps = false};
  const LaunchPlan plan = MakePlan(spec, MadeUpHost()).value();
  CHECK(plan.exceptions == std::vector<std::string>{"landlock", "cgroup", "id_maps"});
  CHECK(plan.weaker.empty());
}

TEST_CASE("paths are normal or not, below or not") {
  for (const char* path : {"/", "/a", "/a/b", "/a.b/..c", "/..."}) {
    CHECK(IsNormalPath(path));
  }
  for (const char* path : {"", "a", "//", "/a/", "/a//b", "/.", "/..", "/a/./b", "/a/../b"}) {
    CHECK_FALSE(IsNormalPath(path));
  }
  CHECK_FALSE(IsNormalPath("/" + std::string(256, 'a')));
  CHECK(IsBelow("/a/b", "/a"));
  CHECK(IsBelow("/a", "/a"));
  CHECK(IsBelow("/a", "/"));
  CHECK_FALSE(IsBelow("/ab", "/a"));
  CHECK_FALSE(IsBelow("/a", "/a/b"));
}

}  // namespace
}  // namespace nacre::sandbox
