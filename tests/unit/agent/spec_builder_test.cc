#include "runtime/agent/spec_builder.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"
#include "tests/support/skip.h"

namespace nacre::agent {
namespace {

tools::Manifest Tool(tools::Effect effect) {
  tools::Manifest tool;
  tool.name = "t.tool";
  tool.effect = effect;
  tool.program = "/opt/tools/t.tool/tool";
  return tool;
}

const std::string kCall = "01HF7YAT000000000000000001";
const std::string kFolder = "/home/ada/project";

}  // namespace

TEST_CASE("the zero grant builds a sandbox that sees no workspace") {
  const sandbox::SandboxSpec spec =
      BuildSpec({policy::Grant{}, Tool(tools::Effect::kExecute), kCall, kFolder, {}});
  REQUIRE(spec.mounts.size() == 1);  // the tool's own program, and nothing of the user's
  CHECK(spec.mounts[0].source == "/opt/tools/t.tool");
  CHECK(spec.mounts[0].access == sandbox::Access::kRead);
  CHECK(spec.argv == std::vector<std::string>{"/nacre/tool/tool"});
}

TEST_CASE("the calls of a session share a network where the policy says so, and only there") {
  policy::Grant grant;
  const auto group = [&] {
    return BuildSpec({grant, Tool(tools::Effect::kRead), kCall, kFolder, {}, "SESSION"})
        .network_group;
  };
  CHECK(group().empty());
  grant.share_network = true;
  CHECK(group() == "SESSION");
}

TEST_CASE("a tool in Python is started by its interpreter, which nothing of a call starts") {
  tools::Manifest tool = Tool(tools::Effect::kRead);
  tool.interpreter = tools::Interpreter::kPython3;
  const auto build = [&](const std::string& id) {
    return BuildSpec({policy::Grant{}, tool, id, kFolder, {}});
  };
  const sandbox::SandboxSpec spec = build(kCall);
  REQUIRE(spec.interpreter_arguments + 1 == spec.argv.size());
  CHECK(spec.argv.front() == "/usr/bin/python3");
  CHECK(spec.argv.back() == "/nacre/tool/tool");
  for (const std::string& argument : spec.argv) {
    CHECK(argument.find(kCall) == std::string::npos);
    CHECK(argument.find(kFolder) == std::string::npos);
  }
  CHECK(build("01HF7YAT000000000000000002").argv == spec.argv);
}

TEST_CASE("a call's environment is rebuilt and holds nothing of the host's") {
  const sandbox::SandboxSpec spec =
      BuildSpec({policy::Grant{}, Tool(tools::Effect::kRead), kCall, kFolder, {}});
  for (const auto& [name, value] : spec.environment) {
    CAPTURE(name, value);
    CHECK(
        (name == "PATH" || name == "HOME" || name == "TMPDIR" || name == "LANG" || name == "TERM"));
    CHECK(value.find("/home") == std::string::npos);
  }
}

TEST_CASE("the workspace is writable only where the policy is direct and the tool writes") {
  struct Row {
    policy::WorkspaceMode mode;
    tools::Effect effect;
    sandbox::Access access;
  };
  const auto row = GENERATE(values<Row>({
      {policy::WorkspaceMode::kReadOnly, tools::Effect::kRead, sandbox::Access::kRead},
      {policy::WorkspaceMode::kReadOnly, tools::Effect::kWrite, sandbox::Access::kRead},
      {policy::WorkspaceMode::kReadOnly, tools::Effect::kExecute, sandbox::Access::kRead},
      {policy::WorkspaceMode::kTransactional, tools::Effect::kRead, sandbox::Access::kRead},
      {policy::WorkspaceMode::kTransactional, tools::Effect::kWrite,
       sandbox::Access::kTransactional},
      {policy::WorkspaceMode::kDirect, tools::Effect::kRead, sandbox::Access::kRead},
      {policy::WorkspaceMode::kDirect, tools::Effect::kWrite, sandbox::Access::kReadWrite},
      {policy::WorkspaceMode::kDirect, tools::Effect::kExecute, sandbox::Access::kReadWrite},
  }));
  policy::Grant grant;
  grant.workspace = row.mode;
  const WorkspaceMatches matches{{".env"}, {"policy"}};
  const sandbox::SandboxSpec spec = BuildSpec({grant, Tool(row.effect), kCall, kFolder, matches});
  REQUIRE(spec.mounts.size() == 2);
  CHECK(spec.mounts[1] ==
        sandbox::Mount{kFolder, "/workspace", row.access, sandbox::Executable::kNo});
  CHECK(spec.hidden == std::vector<std::string>{"/workspace/.env"});
  CHECK(spec.read_only.size() == (row.access != sandbox::Access::kRead ? 1 : 0));
}

TEST_CASE("the grant's limits and requirements reach the sandbox unchanged") {
  policy::Grant grant;
  grant.limits = {.wall = std::chrono::milliseconds(1),
                  .cpu = std::chrono::seconds(2),
                  .memory_bytes = 3,
                  .tasks = 4,
                  .files = 5,
                  .output_bytes = 6,
                  .disk_bytes = 7,
                  .inodes = 8};
  grant.require_landlock_abi = 4;
  grant.require_cgroup = false;
  grant.require_id_maps = false;
  grant.require_kvm = false;
  const sandbox::SandboxSpec spec =
      BuildSpec({grant, Tool(tools::Effect::kRead), kCall, kFolder, {}});
  CHECK(spec.limits == sandbox::Limits{.wall = std::chrono::milliseconds(1),
                                       .cpu = std::chrono::seconds(2),
                                       .memory_bytes = 3,
                                       .tasks = 4,
                                       .files = 5,
                                       .output_bytes = 6,
                                       .disk_bytes = 7,
                                       .inodes = 8});
  CHECK(spec.require ==
        sandbox::Requirements{.landlock_abi = 4, .cgroup = false, .id_maps = false, .kvm = false});
  CHECK(BuildSpec({{}, Tool(tools::Effect::kRead), kCall, kFolder, {}}).require ==
        sandbox::Requirements{.landlock_abi = 1, .cgroup = true, .id_maps = true, .kvm = true});
}

TEST_CASE("hide and protect globs become the names that exist, without what lies below a match") {
  const TempDir workspace = TempDir::Create().value();
  const auto write = [&](const std::string& path) {
    const std::string full = workspace.path() + "/" + path;
    REQUIRE(MakeDirectories(full.substr(0, full.rfind('/'))).ok());
    REQUIRE(WriteFileAtomically(full, "x").ok());
  };
  write(".env");
  write("sub/.env");
  write("policy/a.yaml");
  write("policy/deep/b.yaml");
  write("keep.txt");
  const WorkspaceMatches matches =
      ScanWorkspace(workspace.path(), {"**/.env"}, {"policy/**"}, CancelToken()).value();
  CHECK(matches.hidden == std::vector<std::string>{".env", "sub/.env"});
  CHECK(matches.read_only == std::vector<std::string>{"policy"});
  // What is hidden is so in a protected folder too.
  write("policy/deep/.env");
  const WorkspaceMatches both =
      ScanWorkspace(workspace.path(), {"**/.env"}, {"policy/**"}, CancelToken()).value();
  CHECK(both.hidden == std::vector<std::string>{".env", "policy/deep/.env", "sub/.env"});
  CHECK(both.read_only == std::vector<std::string>{"policy"});
  // A symlink is not masked; what it leads to has a name of its own.
  REQUIRE(::symlink("keep.txt", (workspace.path() + "/link.env").c_str()) == 0);
  CHECK(ScanWorkspace(workspace.path(), {"*.env"}, {}, CancelToken()).value().hidden ==
        std::vector<std::string>{".env"});
  CHECK(ScanWorkspace("/no/such/folder", {"**"}, {}, CancelToken()).error().code ==
        ErrorCode::kUnavailable);
}

TEST_CASE("a workspace is looked through no longer than its call may take") {
  const TempDir workspace = TempDir::Create().value();
  REQUIRE(WriteFileAtomically(workspace.path() + "/.env", "x").ok());
  CancelSource source;
  const auto stopped = [&](const CancelToken& stop) {
    const auto found = ScanWorkspace(workspace.path(), {"**/.env"}, {}, stop);
    return !found.ok() && found.error().code == ErrorCode::kCancelled;
  };
  CHECK_FALSE(stopped(source.token()));
  const CancelToken in_time = CancelToken().WithTimeout(std::chrono::milliseconds(1));
  pollfd fires{in_time.poll_fd(), POLLIN, 0};
  REQUIRE(::poll(&fires, 1, -1) == 1);
  CHECK(stopped(in_time));
  source.Cancel();
  CHECK(stopped(source.token()));
  CHECK(ScanWorkspace(workspace.path(), {}, {}, source.token())
            .ok());  // there is nothing to look for
}

TEST_CASE("a folder that cannot be looked into is hidden whole: the call could open it again") {
  if (::geteuid() == 0) {
    SKIP_HERE("root looks into every folder");
  }
  const TempDir workspace = TempDir::Create().value();
  REQUIRE(MakeDirectories(workspace.path() + "/shut").ok());
  REQUIRE(::chmod((workspace.path() + "/shut").c_str(), 0) == 0);
  CHECK(ScanWorkspace(workspace.path(), {"**/.env"}, {}, CancelToken()).value().hidden ==
        std::vector<std::string>{"shut"});
  REQUIRE(::chmod((workspace.path() + "/shut").c_str(), 0700) == 0);
}

}  // namespace nacre::agent
