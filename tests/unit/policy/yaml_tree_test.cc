// Documents as trees: against yaml-cpp, and what is refused.
#include "policy/internal/yaml_tree.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

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
      REQUIRE(theirs.IsScalar());
      CHECK(ours.text == theirs.Scalar());
      CHECK(ours.line == theirs.Mark().line + 1);
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
      "b: |2\n   x\n  y\n",
      "a: \"one\n  two\n\n  three \\\"x\\\"\"\nb: 'one\n  two'\n",
      "---\n# only\na: http://x.y/z#w\nb: a:b\nc: -1\nd: x - y\n",
      "a: {b: [\n  1, # one\n  2\n  ], c: d}\n",
      "a: one\n  two\n\n  three\nb: ~\nc: null\n",
      "\xEF\xBB\xBF"
      "a: \xC3\xA9\nb: \xF0\x9F\x98\x80\n",
      "a: x\r\nb:\r\n  - y\r\n  - |\r\n    z\r\n",
      "\"a b\": 'c: d'\n? x\n: 1\n",
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
  for (const std::string& text : texts) {
    INFO(text);
    const auto ours = ParseYaml(text);
    REQUIRE(std::holds_alternative<YamlTree>(ours));
    CheckSame(std::get<YamlTree>(ours).root(), YAML::Load(text));
  }
}

TEST_CASE(
    "a tree holds all that it says, wherever its text has gone and however often it was moved") {
  std::string text =
      "a: [one, \"t\\u0077o\", {argv[0]: x, argv[?]: 'it''s'}]\nlong: " + std::string(5000, 'y') +
      "\nnothing:\n";
  auto parsed = ParseYaml(text);
  std::fill(text.begin(), text.end(), '#');
  const YamlTree tree = std::move(std::get<YamlTree>(parsed));
  parsed = YamlProblem();
  const YamlNode& root = tree.root();
  REQUIRE(root.keys.size() == 3);
  REQUIRE(root.items.size() == 3);
  CHECK(root.keys[0].text == "a");
  REQUIRE(root.items[0].items.size() == 3);
  CHECK(root.items[0].keys.empty());
  CHECK(root.items[0].items[0].text == "one");
  CHECK(root.items[0].items[1].text == "two");
  const YamlNode& map = root.items[0].items[2];
  REQUIRE(map.keys.size() == 2);
  CHECK(map.keys[0].text == "argv[0]");
  CHECK(map.keys[1].text == "argv[?]");
  CHECK(map.items[1].text == "it's");
  CHECK(root.items[1].text == std::string(5000, 'y'));
  CHECK(root.items[2].kind == YamlNode::Kind::kNull);
  CHECK(root.items[2].line == 3);
}

TEST_CASE("a document has no more values and bytes than its reader allows") {
  const auto few = ParseYaml("a: [1, 2, 3, 4]\n", {.nodes_max = 5});
  REQUIRE(std::holds_alternative<YamlProblem>(few));
  CHECK(std::get<YamlProblem>(few).what == "more than 5 values");
  CHECK(std::get<YamlProblem>(few).column == 11);
  CHECK(std::holds_alternative<YamlTree>(ParseYaml("a: [1, 2]\n", {.nodes_max = 5})));
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
      {"a: b: c\n", 1, 5, "mapping values are not allowed"},
      {"a:\n\tb: 1\n", 2, 1, "cannot start any token"},
      {"a: [1, 2\n", 2, 1, "while parsing a flow sequence that begins in line 1"},
      {"a: {b: 1\n", 2, 1, "while parsing a flow mapping that begins in line 1"},
      {"a: \"x\n", 2, 1,
       "unexpected end of stream while scanning a quoted scalar that begins in line 1"},
      {"a: \"\\q\"\n", 1, 5, "unknown escape"},
      {"a: \"\\x00\"\n", 1, 4, "control characters are not accepted"},
      {"a: @x\n", 1, 4, "cannot start any token"},
      {"a: - b\n", 1, 4, "block sequence entries are not allowed"},
      {"a: 1\n  b: 2\n", 2, 4, "mapping values are not allowed"},
      {"a: 1\n- b\n", 2, 1, "did not find expected key"},
      {"? [a]\n: b\n", 1, 3, "expected a key"},
      {"[a]: b\n", 1, 1, "expected a key"},
      {"a: [b] c\n", 1, 8, "not valid YAML"},
      {"a: &b c\n", 1, 4, "anchors and aliases"},
      {"a: *b\n", 1, 4, "anchors and aliases"},
      {"<<: *b\n", 1, 5, "anchors and aliases"},
      {"a: !b c\n", 1, 4, "tags are not accepted"},
      {"a: !!str c\n", 1, 4, "tags are not accepted"},
      {"a: ! c\n", 1, 4, "tags are not accepted"},
      {"a: 1\n---\nb: 2\n", 2, 1, "one document"},
      {"%YAML 1.1\n---\na: 1\n", 1, 1, "directives are not accepted"},
      {"a: 1\rb: 2\n", 1, 5, "control characters are not accepted"},
      {"a: x\n\x01: 2\n", 2, 1, "control characters are not accepted"},
      {"a: \x7F\n", 1, 4, "control characters are not accepted"},
      {"a: '\x7F'\n", 1, 5, "control characters are not accepted"},
      {"a: |\n  \x1b\n", 2, 3, "control characters are not accepted"},
      {"\"\\e\": x\n", 1, 1, "control characters are not accepted"},
      {"a: \xC3\xA9 \xC0\xAF\n", 1, 6, "not valid UTF-8"},
      {"a: \xED\xA0\x80\n", 1, 4, "not valid UTF-8"},
      {"a: x\xC2\x85z\n", 1, 5, "only a newline ends a line"},
      {"a: x\xE2\x80\xA8z\n", 1, 5, "only a newline ends a line"},
      {"a: \xEE\x80\x80\n", 1, 4, "U+E000 to U+E002"},
      {"a: \xC3\xA9\nb: \xC3\xA9 [0]: x\n", 2, 9, "mapping values"},
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
