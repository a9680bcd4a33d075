#include "policy/case_table.h"

#include <catch2/catch.hpp>

namespace nacre::policy {
namespace {

std::string Refusal(const std::string& text) {
  const auto table = ParseCaseTable("c.yaml", text);
  return table.ok() ? "" : table.error().message;
}

TEST_CASE("a file of cases is read with its calls as they would be made") {
  const auto table = ParseCaseTable("c.yaml", R"(nacre: policy-cases/1
policy: team.yaml
cases:
  - name: a
    call: {tool: proc.run, args: {argv: [wc, "-l", "3"], n: 3, deep: {on: true, no: ~x}}}
    expect: allow
    rule: tools.run
  - {name: b, call: {tool: fs.read}, expect: deny}
)");
  REQUIRE(table.ok());
  CHECK(table.value().policy == "team.yaml");
  REQUIRE(table.value().cases.size() == 2);
  const Case& first = table.value().cases[0];
  CHECK(first.arguments ==
        Json{{"argv", {"wc", "-l", "3"}}, {"n", 3}, {"deep", {{"on", true}, {"no", "~x"}}}});
  CHECK(first.expect == Verdict::kAllow);
  CHECK(first.rule == "tools.run");
  CHECK(first.source == SourceLocation{"c.yaml", 4, 5});
  CHECK(table.value().cases[1].arguments == Json::object());
}

TEST_CASE("a mistake in a file of cases is named at its line and column") {
  const std::string head = "nacre: policy-cases/1\ncases:\n";
  CHECK(Refusal("nacre: policy/1\ncases: []\n") ==
        "c.yaml:1:8: nacre: a file of cases begins with \"nacre: policy-cases/1\"");
  CHECK(Refusal("nacre: policy-cases/1\n") == "c.yaml:1:1: cases: missing");
  CHECK(Refusal(head + "  - {name: a, call: {tool: t}, expects: deny}\n") ==
        "c.yaml:3:32: cases[0].expects: unknown key; did you mean \"expect\"?\n"
        "c.yaml:3:5: cases[0]: a case needs \"expect\"");
  CHECK(Refusal(head + "  - {name: a, call: {args: {}}, expect: denied}\n") ==
        "c.yaml:3:21: cases[0].call: a call needs \"tool\"\n"
        "c.yaml:3:41: cases[0].expect: \"denied\" is not one of allow, ask, deny");
  CHECK(Refusal(head + "  - {name: a, call: {tool: t}, expect: deny}\n"
                       "  - {name: a, call: {tool: t}, expect: deny}\n") ==
        "c.yaml:4:12: cases[1].name: another case has this name");
}

}  // namespace
}  // namespace nacre::policy
