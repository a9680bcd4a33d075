#include <catch2/catch.hpp>

#include "policy/internal/display.h"
#include "policy/internal/problems.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

TEST_CASE("paths are normalised by their text, from the workspace") {
  CHECK(NormalisePath("a/b") == "/workspace/a/b");
  CHECK(NormalisePath("/workspace//a/./b/../c/") == "/workspace/a/c");
  CHECK(NormalisePath("../../../../etc") == "/etc");
  CHECK(NormalisePath("/..") == "/");
  CHECK_FALSE(NormalisePath("").has_value());
  CHECK_FALSE(NormalisePath(std::string("a\0b", 3)).has_value());
  CHECK(IsNormalPath("/"));
  for (const char* bad : {"", "a", "/a/", "//a", "/a/../b", "/./a"}) {
    INFO(bad);
    CHECK_FALSE(IsNormalPath(bad));
  }
  CHECK(IsUnder("/workspace/a", "/workspace"));
  CHECK(IsUnder("/workspace", "/workspace"));
  CHECK_FALSE(IsUnder("/workspace-evil", "/workspace"));
  CHECK_FALSE(IsUnder("/work", "/workspace"));
  CHECK(IsUnder("/etc", "/"));
  CHECK(WorkspaceRelative("/workspace") == "");
  CHECK(WorkspaceRelative("/workspace/a/b") == "a/b");
  CHECK_FALSE(WorkspaceRelative("/workspaces/a").has_value());
}

TEST_CASE("text in reasons is one bounded, visible line") {
  CHECK(ShownText("a\nb\x1b[2J\x7f") == "a\\x0ab\\x1b[2J\\x7f");
  CHECK(ShownText("\xE2\x80\xAE") == "\\u{202e}");  // right-to-left override
  CHECK(ShownText("\xC2\x9B") == "\\x9b");          // the one-byte escape of old terminals
  CHECK(ShownText("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
  CHECK(ShownText("\xFF") == "\xEF\xBF\xBD");
  CHECK(ShownText(std::string(50, 'a'), 10) == std::string(10, 'a') + "…");
  CHECK(ShownText(std::string("aaaaaaaaa\xC3\xA9z"), 10) ==
        "aaaaaaaaa…");  // never half a character
  CHECK(ShownPath("/workspace/a/b") == "a/b");
  CHECK(ShownPath("/workspace") == ".");
  CHECK(ShownPath("/workspace-evil/a") == "/workspace-evil/a");
}

TEST_CASE("a suggestion is near or not made") {
  const std::vector<std::string> keys = {"reason", "decision", "id"};
  CHECK(Nearest("desicion", keys) == "decision");
  CHECK(Nearest("reasons", keys) == "reason");
  CHECK(Nearest("colour", keys).empty());
  CHECK(Nearest(std::string(100'000, 'a'), keys).empty());
}

}  // namespace
}  // namespace nacre::policy
