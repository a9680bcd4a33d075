#include "runtime/inference/worker/grammar.h"

#include <catch2/catch.hpp>
#include <regex>

namespace nacre::inference {
namespace {

const CallFrame kTextFrame{.prefix = {{"<tool_call>{\"name\":\"", -1}},
                           .infix = {{"\",\"arguments\":", -1}},
                           .suffix = {{"}</tool_call>", -1}},
                           .key_separator = ": ",
                           .item_separator = ", "};
const CallFrame kTokenFrame{.prefix = {{"<tool_call>", 3}, {"{\"name\":\"", -1}},
                            .infix = {{"\",\"arguments\":", -1}},
                            .suffix = {{"}", -1}, {"</tool_call>", 4}}};

ToolSchema Tool(const std::string& properties, const std::string& required = "[]") {
  return {"t", "",
          OrderedJson::parse(R"({"type":"object","properties":)" + properties + R"(,"required":)" +
                             required + "}")};
}

std::string Line(const std::string& grammar, const std::string& rule) {
  const size_t at = ("\n" + grammar).find("\n" + rule + " ::= ");
  return at == std::string::npos ? "" : grammar.substr(at, grammar.find('\n', at) - at);
}

// The integers of a schema, as a regular expression: the rule's alternatives use no other syntax.
std::regex IntegerPattern(const std::string& bounds) {
  const std::string grammar =
      MakeGrammar({Tool(R"({"n":{"type":"integer",)" + bounds + "}}")}, kTextFrame).value();
  std::string body = Line(grammar, "t0-0-0-int");
  body = body.substr(body.find("::=") + 3);
  std::erase_if(body, [](char c) { return c == ' ' || c == '"'; });
  return std::regex(body);
}

}  // namespace

TEST_CASE("the grammar of a call is compact and in the schema's order") {
  const std::string grammar =
      MakeGrammar(
          {Tool(
              R"({"path":{"type":"string","maxLength":9},"deep":{"type":"boolean"},"sort":{"enum":["a","b c"]}})",
              R"(["path"])")},
          kTextFrame)
          .value();
  CHECK(Line(grammar, "root") == "root ::= call | say");
  CHECK(Line(grammar, "call") == R"(call ::= "<tool_call>{\"name\":\"" (t0) "}</tool_call>")");
  CHECK(Line(grammar, "t0") ==
        R"(t0 ::= "t" "\",\"arguments\":" "{" ("\"path\"" ": " t0-0 t0-tail1) "}")");
  CHECK(Line(grammar, "t0-tail1") == R"(t0-tail1 ::= (", " "\"deep\"" ": " t0-1)? t0-tail2)");
  CHECK(Line(grammar, "t0-0-0-string") == R"(t0-0-0-string ::= "\"" char{0,9} "\"")");
  CHECK(Line(grammar, "t0-2") == R"(t0-2 ::= "\"a\"" | "\"b c\"")");
  CHECK(Line(grammar, "say").starts_with(R"(say ::= [^<\x01-)"));
}

TEST_CASE("control tokens of a frame are tokens, not their text") {
  const std::string grammar = MakeGrammar({Tool("{}")}, kTokenFrame).value();
  CHECK(Line(grammar, "call") == R"(call ::= <[3]> "{\"name\":\"" (t0) "}" <[4]>)");
  CHECK(Line(grammar, "t0") == R"(t0 ::= "t" "\",\"arguments\":" "{}")");
  CHECK(Line(grammar, "say").starts_with(R"(say ::= [^<)"));
}

TEST_CASE("without tools there is only text") {
  const std::string grammar = MakeGrammar({}, kTextFrame).value();
  CHECK(Line(grammar, "root") == "root ::= say");
  CHECK(Line(grammar, "call").empty());
  CHECK(Line(grammar, "say").starts_with(R"(say ::= [^\x01)"));
}

TEST_CASE("optional members may each be left out, required ones may not") {
  const std::string grammar =
      MakeGrammar(
          {Tool(R"({"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}})", R"(["b"])")},
          kTokenFrame)
          .value();
  CHECK(
      Line(grammar, "t0") ==
      R"(t0 ::= "t" "\",\"arguments\":" "{" ("\"a\"" ":" t0-0 t0-tail1 | "\"b\"" ":" t0-1 t0-tail2) "}")");
  CHECK(Line(grammar, "t0-tail1") == R"(t0-tail1 ::= "," "\"b\"" ":" t0-1 t0-tail2)");
  CHECK(Line(grammar, "t0-tail2") == R"(t0-tail2 ::= ("," "\"c\"" ":" t0-2)?)");
}

// Oracle: the bounds themselves.
TEST_CASE("an integer's grammar is exactly its range") {
  struct Row {
    int low;
    int high;
  };
  const auto row = GENERATE(values<Row>({{0, 0},
                                         {1, 9},
                                         {0, 10},
                                         {1, 250},
                                         {7, 1003},
                                         {99, 101},
                                         {-5, 5},
                                         {-120, -7},
                                         {1000, 1000},
                                         {199, 2000}}));
  CAPTURE(row.low, row.high);
  const std::regex pattern = IntegerPattern("\"minimum\":" + std::to_string(row.low) +
                                            ",\"maximum\":" + std::to_string(row.high));
  for (int value = -200; value <= 2100; ++value) {
    CAPTURE(value);
    REQUIRE(std::regex_match(std::to_string(value), pattern) ==
            (value >= row.low && value <= row.high));
  }
  for (const char* odd : {"007", "+1", "-0", "1.0", "00", ""}) {
    REQUIRE_FALSE(std::regex_match(odd, pattern));
  }
}

TEST_CASE("an answer of a schema is that object and nothing else") {
  const std::string grammar =
      MakeAnswerGrammar(
          OrderedJson::parse(
              R"({"type":"object","properties":{"answer":{"anyOf":[{"enum":["a","b"]},{"type":"null"}]}},"required":["answer"]})"),
          kTextFrame)
          .value();
  CHECK(Line(grammar, "root") == R"(root ::= "{" ("\"answer\"" ": " answer-0) "}")");
  CHECK(Line(grammar, "answer-0") == R"(answer-0 ::= answer-0-0 | answer-0-1)");
  CHECK(Line(grammar, "answer-0-0") == R"(answer-0-0 ::= "\"a\"" | "\"b\"")");
  CHECK(Line(grammar, "answer-0-1") == R"(answer-0-1 ::= "null")");
  CHECK(Line(grammar, "say").empty());
  CHECK(MakeAnswerGrammar(OrderedJson(), kTextFrame).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a schema that cannot become a grammar is refused") {
  struct Row {
    ToolSchema tool;
    const char* problem;
  };
  OrderedJson deep = OrderedJson::parse(R"({"type":"string"})");
  for (int i = 0; i < 12; ++i) {
    deep = OrderedJson{{"type", "array"}, {"items", deep}};
  }
  const std::vector<Row> rows = {
      {{"bad name\n", "", OrderedJson::object()}, "tool name"},
      {{"", "", OrderedJson::object()}, "tool name"},
      {{std::string(65, 'a'), "", OrderedJson::object()}, "tool name"},
      {{"t", "", OrderedJson(5)}, "no object"},
      {Tool(R"({"<|im_end|>":{}})"), "property name"},
      {Tool(R"({"a":{}})", R"(["b"])"), "required key"},
      {Tool(R"({"a":{"type":"integer","minimum":5,"maximum":1}})"), "above"},
      {Tool(OrderedJson{{"a", deep}}.dump()), "too deeply"}};
  for (const Row& row : rows) {
    CAPTURE(row.problem);
    const Result<std::string> grammar = MakeGrammar({row.tool}, kTextFrame);
    REQUIRE_FALSE(grammar.ok());
    CHECK(grammar.error().message.find(row.problem) != std::string::npos);
  }
}

}  // namespace nacre::inference
