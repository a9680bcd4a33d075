#include "runtime/server/workspace_scope.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <vector>

#include "base/file.h"
#include "base/temp_dir.h"

namespace nacre::server {
namespace {

// One row per way in which a client has tried to leave the root.
TEST_CASE("a client's workspace lies in the root, whatever its path says") {
  const TempDir dir = TempDir::Create().value();
  const std::string root = dir.path() + "/root";
  REQUIRE(MakeDirectories(root + "/a/b").ok());
  REQUIRE(MakeDirectories(dir.path() + "/root-evil").ok());
  REQUIRE(WriteFileAtomically(root + "/file", "x").ok());
  REQUIRE(::symlink("/", (root + "/out").c_str()) == 0);
  REQUIRE(::symlink("a", (root + "/in").c_str()) == 0);
  REQUIRE(::symlink("loop", (root + "/loop").c_str()) == 0);

  struct Row {
    std::string requested;
    std::string resolved;
    ErrorCode error = ErrorCode::kUnknown;
  };
  const std::vector<Row> rows = {
      {"", root},
      {root, root},
      {root + "/", root},
      {root + "/a/b", root + "/a/b"},
      {root + "/a/../a/./b/", root + "/a/b"},
      {root + "/in/b", root + "/a/b"},
      {"a", "", ErrorCode::kInvalidArgument},
      {".", "", ErrorCode::kInvalidArgument},
      {std::string("/\0tmp", 5), "", ErrorCode::kInvalidArgument},
      {"/" + std::string(5000, 'a'), "", ErrorCode::kInvalidArgument},
      {root + "/file", "", ErrorCode::kInvalidArgument},
      {root + "/missing", "", ErrorCode::kNotFound},
      {"/", "", ErrorCode::kPermissionDenied},
      {"/etc", "", ErrorCode::kPermissionDenied},
      {dir.path(), "", ErrorCode::kPermissionDenied},
      {dir.path() + "/root-evil", "", ErrorCode::kPermissionDenied},
      {root + "/..", "", ErrorCode::kPermissionDenied},
      {root + "/out/etc", "", ErrorCode::kPermissionDenied},
  };
  for (const Row& row : rows) {
    CAPTURE(row.requested);
    const auto resolved = ResolveWorkspace(root, row.requested);
    REQUIRE(resolved.ok() == !row.resolved.empty());
    if (resolved.ok()) {
      CHECK(resolved.value() == row.resolved);
    } else {
      CHECK(resolved.error().code == row.error);
    }
  }
  CHECK_FALSE(ResolveWorkspace(root, root + "/loop").ok());
}

TEST_CASE("the whole file system as the root holds every directory") {
  CHECK(ResolveWorkspace("/", "/etc").value() == "/etc");
  CHECK(LiesIn("/", "/"));
}

}  // namespace
}  // namespace nacre::server
