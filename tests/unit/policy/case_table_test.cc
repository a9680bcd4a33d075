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
  CHECK_FALSE(first.context.given);
}

TEST_CASE("a case says what the context is and who named the arguments") {
  const auto table = ParseCaseTable("c.yaml", R"(nacre: policy-cases/1
cases:
  - name: a
    call: {tool: t}
    context: {label: "untrusted,secret,pii", origin: [recipient=stranger, link=user]}
    expect: deny
  - {name: b, call: {tool: t}, context: {origin: amount=derived}, expect: deny}
)");
  REQUIRE(table.ok());
  const GivenContext& first = table.value().cases[0].context;
  CHECK(first.given);
  CHECK(first.label ==
        Label{Integrity::kUntrusted, Confidentiality::kSecret, std::set<std::string>{"pii"}});
  REQUIRE(first.origins.size() == 2);
  CHECK(first.origins[0].role == ArgumentRole::kRecipient);
  CHECK(first.origins[0].origin == Origin::kStranger);
  CHECK(first.origins[1].role == ArgumentRole::kLink);
  const GivenContext& second = table.value().cases[1].context;
  CHECK(second.given);
  CHECK(second.label == Label::Clean());
  CHECK(second.origins.size() == 1);
}

TEST_CASE("a context that is none is named at its line and column") {
  const std::string head =
      "nacre: policy-cases/1\ncases:\n  - {name: a, call: {tool: t}, expect: deny, context: ";
  CHECK(Refusal(head + "{label: \"untrusted,,pii\"}}\n") ==
        "c.yaml:3:63: cases[0].context.label: expected words such as untrusted,secret,pii, with "
        "nothing but commas between");
  CHECK(Refusal(head + "{origin: [recipient=stranger, recipient=eve]}}\n") ==
        "c.yaml:3:85: cases[0].context.origin[1]: \"recipient=eve\": expected ROLE=ORIGIN, such as "
        "recipient=stranger: docs/information-flow.md");
  CHECK(Refusal(head + "{labels: secret}}\n") ==
        "c.yaml:3:56: cases[0].context.labels: unknown key; did you mean \"label\"?");
  CHECK(Refusal(head + "secret}\n") ==
        "c.yaml:3:55: cases[0].context: expected a map of keys, found a value");
}

TEST_CASE("labels of records are read as they were written, and what is damaged is the worst") {
  const Label label{Integrity::kUntrusted, Confidentiality::kSecret,
                    std::set<std::string>{"customer:acme"}};
  CHECK(LabelOfTexts(LabelTexts(label)) == label);
  CHECK(LabelOfTexts({}) == Label::Clean());
  CHECK(LabelOfTexts({"integrity:trusted", "confidentiality:public"}) == Label::Clean());
  const Label worst{Integrity::kUntrusted, Confidentiality::kSecret, {}};
  for (const char* text :
       {"confidentiality:secert", "integrity:none", "integrity:secret", "confidentiality:untrusted",
        "secret", "confidentiality:", "category:", "category:A b", "Integrity:trusted", ""}) {
    CAPTURE(text);
    CHECK(LabelOfTexts({text}) == worst);
    CHECK(LabelOfTexts({"category:pii", text}).categories == std::set<std::string>{"pii"});
  }
  CHECK(LabelOfJson(Json::array({"confidentiality:internal"})).confidentiality ==
        Confidentiality::kInternal);
  CHECK(LabelOfJson(Json()) == Label::Clean());
  for (const Json& damaged : {Json(7), Json("category:pii"), Json::object(), Json::array({7})}) {
    CHECK(LabelOfJson(damaged) == worst);
  }
}

TEST_CASE("an origin of a record that cannot be read may be anybody's") {
  const GivenContext read = RecordedContext({}, {"recipient=user", "body=derived"});
  CHECK(read.origins.size() == 2);
  const GivenContext damaged =
      RecordedContext({"category:pii"}, {"recipient=user", "recipient=eve"});
  CHECK(damaged.origins.size() == kArgumentRoles * kOrigins);
  CHECK(damaged.label.categories == std::set<std::string>{"pii"});
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
