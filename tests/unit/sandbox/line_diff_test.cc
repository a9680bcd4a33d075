#include "sandbox/workspace/line_diff.h"

#include <catch2/catch.hpp>
#include <random>

namespace nacre::sandbox {
namespace {

std::string Side(const std::vector<LineEdit>& edits, LineEdit::Kind without) {
  std::string text;
  for (const LineEdit& edit : edits) {
    text += edit.kind == without ? "" : std::string(edit.line);
  }
  return text;
}

TEST_CASE("edits turn one text into the other, whatever they are") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string before;
    std::string after;
    for (std::string* text : {&before, &after}) {
      for (unsigned i = random() % 12; i > 0; --i) {
        *text += static_cast<char>('a' + random() % 3);
        *text += random() % 9 == 0 ? "" : "\n";
      }
    }
    const auto edits = DiffLines(before, after).value();
    REQUIRE(Side(edits, LineEdit::Kind::kAdded) == before);
    REQUIRE(Side(edits, LineEdit::Kind::kRemoved) == after);
  }
}

TEST_CASE("the edit is the shortest, and hunks are as diff -u writes them") {
  const auto edits =
      DiffLines("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10").value();
  const LineCounts counts = CountLines(edits);
  CHECK(counts.added == 2);
  CHECK(counts.removed == 1);
  CHECK(UnifiedHunks(edits) ==
        "@@ -2,8 +2,9 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n+10\n"
        "\\ No newline at end of file\n");
  CHECK(UnifiedHunks(DiffLines("", "a\n").value()) == "@@ -0,0 +1 @@\n+a\n");
  CHECK(UnifiedHunks(DiffLines("same\n", "same\n").value()).empty());
}

TEST_CASE("what is no text, or too large, is not compared by line") {
  CHECK_FALSE(DiffLines(std::string("a\0b", 3), "a").has_value());
  CHECK_FALSE(DiffLines(std::string((1 << 20) + 1, 'a'), "a").has_value());
  std::string before;
  std::string after;
  for (int i = 0; i < 3000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const LineCounts counts = CountLines(DiffLines(before, after).value());
  CHECK(counts.added == 3000);
  CHECK(counts.removed == 3000);
}

}  // namespace
}  // namespace nacre::sandbox
