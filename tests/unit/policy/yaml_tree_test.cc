// The reader of YAML against yaml-cpp: what ours accepts, both read as the same tree.
#include "policy/internal/yaml_tree.h"

#include <yaml-cpp/yaml.h>

#include <catch2/catch.hpp>

#include "base/file.h"

namespace nacre::policy {
namespace {

void CheckSame(const YamlNode& ours, const YAML::Node& theirs) {
  INFO("line " << ours.line << ", column " << ours.column << ": " << ours.text);
  switch (ours.kind) {
    case YamlNode::Kind::kNull:
      CHECK(theirs.IsNull());
      break;
    case YamlNode::Kind::kScalar:
      // yaml-cpp takes a plain ~ or null for nothing; for us it is a text.
      if (!theirs.IsNull()) {
        REQUIRE(theirs.IsScalar());
        CHECK(ours.text == theirs.Scalar());
        CHECK(ours.line == theirs.Mark().line + 1);
      }
      break;
    case YamlNode::Kind::kSequence:
      REQUIRE(theirs.IsSequence());
      REQUIRE(ours.items.size() == theirs.size());
      for (size_t i = 0; i < ours.items.size(); ++i) {
        CheckSame(ours.items[i], theirs[i]);
      }
      break;
    case YamlNode::Kind::kMap: {
      REQUIRE(theirs.IsMap());
      REQUIRE(ours.items.size() == theirs.size());
      size_t i = 0;
      for (const auto& pair : theirs) {
        CHECK(ours.keys[i].text == pair.first.Scalar());
        CheckSame(ours.items[i++], pair.second);
      }
      break;
    }
  }
}

TEST_CASE("what the reader accepts, another reader of YAML reads as the same") {
  std::vector<std::string> texts = {
      "a: 1\nb:\n  c: x y  z # comment\n  d:\n  - 1\n  - 2\ne:\n",
      "- a\n-   - b\n    - c\n- d: 1\n  e: 2\n-\n- f\n",
      "a: [1, two, 'th''ree', \"fo\\u0075r\\n\", [5], {six: 7}, ]\nb: {c: , d: 1}\n",
      "a: |\n  one\n   two\n\n  three\n\nb: >\n  one\n  two\n\n  three\n   more\n  last\nc: |-\n  "
      "x\n",
      "a: >+\n  x\n\nb: |2\n   x\n  y\n",
      "a: \"one\n  two\n\n  three \\\"x\\\"\"\nb: 'one\n  two'\n",
      "---\n# only\na: http://x.y/z#w\nb: a:b\nc: -1\nd: - x - y\n",
      "a: {b: [\n  1, # one\n  2\n  ], c: d}\n",
      "a: x\r\nb:\r\n  - y\r\n  - |\r\n    z\r\n",
      "\"a b\": 'c: d'\n? x: 1\n",
      "a: [x y, z#w, -1, http://x]\n",
      "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n",
      "",
      "# nothing\n",
      "just a text\n",
      "[a, b]\n",
  };
  for (const char* profile : {"base", "coding", "offline"}) {
    const std::string file =
        std::string(NACRE_SOURCE_DIR) + "/policy/profiles/" + profile + ".yaml";
    std::string text = ReadFile(file, 1 << 20).value();
    // Our one addition, in the words of others.
    for (const char* path : {"argv[0]", "argv[1]", "argv[*]", "argv[?]"}) {
      for (size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 9)) {
        text.replace(at, 7, "\"" + std::string(path) + "\"");
      }
    }
    texts.push_back(text);
  }
  size_t accepted = 0;
  for (const std::string& text : texts) {
    const auto ours = ParseYaml(text);
    if (const auto* tree = std::get_if<YamlNode>(&ours)) {
      INFO(text);
      CheckSame(*tree, YAML::Load(text));
      ++accepted;
    }
  }
  CHECK(accepted >= texts.size() - 2);
}

TEST_CASE("a document has no more values and bytes than its reader allows") {
  const auto few = ParseYaml("a: [1, 2, 3, 4]\n", {.nodes_max = 5});
  REQUIRE(std::holds_alternative<YamlProblem>(few));
  CHECK(std::get<YamlProblem>(few).what == "more than 5 values");
  CHECK(std::get<YamlProblem>(few).column == 14);
  CHECK(std::holds_alternative<YamlNode>(ParseYaml("a: [1, 2]\n", {.nodes_max = 5})));
  CHECK(std::holds_alternative<YamlProblem>(ParseYaml("a: [1, 2]\n", {.bytes_max = 9})));
}

TEST_CASE("what has two meanings, or is no YAML, is refused where it stands") {
  struct Row {
    const char* text;
    int line;
    int column;
    const char* what;
  };
  const auto row = GENERATE(values<Row>({
      {"a: one\n  two\n", 2, 3, "a text without quotes ends with its line"},
      {"a: b: c\n", 1, 5, "a second \": \" in one line"},
      {"a:\n\tb: 1\n", 2, 2, "a tab cannot indent"},
      {"a: [1, 2\n", 1, 4, "\"[\" is not closed"},
      {"a: {b: 1\n", 1, 4, "\"{\" is not closed"},
      {"a: [1 2: 3]\n", 1, 8, "a pair needs { } around it"},
      {"a: \"x\n", 1, 4, "this quote is not closed"},
      {"a: 'x\n", 1, 4, "this quote is not closed"},
      {"a: \"\\q\"\n", 1, 5, "unknown escape"},
      {"a: \"\\x0\"\n", 1, 5, "an escape lacks digits"},
      {"a: \"\\ud800\"\n", 1, 5, "an escape is no character"},
      {"a: \"\\x00\"\n", 1, 5, "control characters are not accepted"},
      {"a: @x\n", 1, 4, "cannot begin with \"@\""},
      {"a: %x\n", 1, 4, "cannot begin with \"%\""},
      {"a: - b\n", 1, 4, "a list begins on a line of its own"},
      {"a: 1\n  b: 2\n", 2, 3, "indented deeper"},
      {"  a: 1\nb: 2\n", 2, 1, "this belongs to nothing above it"},
      {"a: 1\n- b\n", 2, 1, "expected a key, found an entry of a list"},
      {"- a\nb: 1\n", 2, 1, "this belongs to nothing above it"},
      {"a: 1\nb\n", 2, 1, "expected \"key: value\""},
      {"? a\n: b\n", 1, 1, "expected a key"},
      {"[a]: b\n", 1, 4, "only a word or a quoted text can be a key"},
      {"a: [b] c\n", 1, 8, "the line should end here"},
      {"a: 'b' c\n", 1, 8, "the line should end here"},
      {"a: |x\n  b\n", 1, 5, "expected the text on the lines below"},
      {"a: &b c\n", 1, 4, "anchors and aliases"},
      {"a: *b\n", 1, 4, "anchors and aliases"},
      {"a: !b c\n", 1, 4, "tags are not accepted"},
      {"a: 1\n---\nb: 2\n", 2, 1, "one document"},
      {"a: 1\n...\n", 2, 1, "one document"},
      {"%YAML 1.2\n---\na: 1\n", 1, 1, "cannot begin with \"%\""},
      {"a: 1\rb: 2\n", 1, 5, "control characters are not accepted"},
  }));
  INFO(row.text);
  const auto parsed = ParseYaml(row.text);
  const auto* problem = std::get_if<YamlProblem>(&parsed);
  REQUIRE(problem != nullptr);
  CHECK_THAT(problem->what, Catch::Contains(row.what));
  CHECK(problem->line == row.line);
  CHECK(problem->column == row.column);
}

}  // namespace
}  // namespace nacre::policy
