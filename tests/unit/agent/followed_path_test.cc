#include "runtime/agent/followed_path.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/file.h"
#include "base/temp_dir.h"

namespace nacre::agent {
namespace {

namespace fs = std::filesystem;

struct Workspace {
  TempDir directory = TempDir::Create().value();
  const std::string& path() const { return directory.path(); }

  Workspace() {
    fs::create_directories(path() + "/private/deep");
    fs::create_directories(path() + "/docs");
    REQUIRE(WriteFileAtomically(path() + "/private/a.txt", "a").ok());
  }
  void Link(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, path() + "/" + name);
  }
  std::string Led(const std::string& name) const {
    return FollowedPath(path(), name).value_or("nowhere");
  }
};

}  // namespace

TEST_CASE("a path leads where the links of the workspace lead it, as the sandbox sees them") {
  const Workspace workspace;
  workspace.Link("pub", "private");
  workspace.Link("docs/up", "../private/a.txt");
  workspace.Link("docs/full", "/workspace/private/a.txt");
  workspace.Link("docs/out", "/etc/passwd");
  workspace.Link("docs/above", "../../etc/passwd");
  workspace.Link("docs/far-above", "../../../../../etc/passwd");
  workspace.Link("docs/chain", "up");
  workspace.Link("docs/host", workspace.path() + "/private/a.txt");
  workspace.Link("docs/new", "../private/not-there");
  workspace.Link("root", "/workspace");
  CHECK(workspace.Led("/workspace") == "/workspace");
  CHECK(workspace.Led("/workspace/private/a.txt") == "/workspace/private/a.txt");
  CHECK(workspace.Led("/workspace/not/there") == "/workspace/not/there");
  CHECK(workspace.Led("/workspace/pub/a.txt") == "/workspace/private/a.txt");
  CHECK(workspace.Led("/workspace/pub/not-there") == "/workspace/private/not-there");
  CHECK(workspace.Led("/workspace/docs/up") == "/workspace/private/a.txt");
  CHECK(workspace.Led("/workspace/docs/full") == "/workspace/private/a.txt");
  CHECK(workspace.Led("/workspace/docs/chain") == "/workspace/private/a.txt");
  CHECK(workspace.Led("/workspace/docs/new") == "/workspace/private/not-there");
  CHECK(workspace.Led("/workspace/root/root/pub/a.txt") == "/workspace/private/a.txt");
  CHECK(workspace.Led("/workspace/docs/out") == "/etc/passwd");
  CHECK(workspace.Led("/workspace/docs/above") == "/etc/passwd");
  CHECK(workspace.Led("/workspace/docs/far-above") == "/etc/passwd");
  // The host's own path means nothing in there.
  CHECK(workspace.Led("/workspace/docs/host") == workspace.path() + "/private/a.txt");
  // What lies elsewhere is not the workspace's: no link of the host is followed.
  CHECK(workspace.Led("/proc/self/cwd/x") == "/proc/self/cwd/x");
}

TEST_CASE("links without end lead nowhere, and many lead on") {
  const Workspace workspace;
  workspace.Link("a", "b");
  workspace.Link("b", "a");
  CHECK(workspace.Led("/workspace/a") == "nowhere");
  CHECK(workspace.Led("/workspace/a/x") == "nowhere");
  std::string target = "private";
  for (int i = 0; i < 41; ++i) {
    const std::string name = "l" + std::to_string(i);
    workspace.Link(name, target);
    target = name;
  }
  CHECK(workspace.Led("/workspace/l39") == "/workspace/private");
  CHECK(workspace.Led("/workspace/l40") == "nowhere");
}

TEST_CASE("only a path that leads elsewhere says so") {
  const Workspace workspace;
  workspace.Link("pub", "private");
  workspace.Link("loop", "loop");
  policy::Request request{.tool = "t",
                          .paths = {{"a", "/workspace/private/a.txt"},
                                    {"b", "/workspace/pub/a.txt"},
                                    {"c", "/workspace/loop"}}};
  FollowLinks(workspace.path(), request);
  CHECK(request.paths[0].followed.empty());
  CHECK(request.paths[1].followed == "/workspace/private/a.txt");
  CHECK(request.paths[2].followed == policy::kNowhereKnown);
  // Anew each time.
  fs::remove(workspace.path() + "/pub");
  FollowLinks(workspace.path(), request);
  CHECK(request.paths[1].followed.empty());
}

}  // namespace nacre::agent
