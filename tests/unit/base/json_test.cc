#include "base/json.h"

#include <catch2/catch.hpp>

namespace nacre {

TEST_CASE("JSON that a hostile writer sends is refused with a reason") {
  struct Row {
    const char* text;
    const char* problem;
  };
  const auto row = GENERATE(values<Row>({
      {"", "syntax error"},
      {"{", "syntax error"},
      {"{} x", "syntax error"},
      {R"({"a":1,"a":2})", "duplicate key \"a\""},
      {"[[[[[1]]]]]", "nested deeper than 4"},
      {"\"\xff\"", "syntax error"},
      {"01", "syntax error"},
      {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
       "exceeds the limit of 64"},
  }));
  CAPTURE(row.text);
  const Result<Json> parsed = ParseJson(row.text, {.bytes_max = 64, .depth_max = 4});
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().message.find(row.problem) != std::string::npos);
}

TEST_CASE("JSON within the limits is read as it is written") {
  const Json value = ParseJson(R"({"b":[1,-2,3.5,null,true],"a":{"s":"\u00e9\n"}})").value();
  CHECK(DumpJson(value) == "{\"a\":{\"s\":\"\xc3\xa9\\n\"},\"b\":[1,-2,3.5,null,true]}");
  CHECK(StringMember(value["a"], "s") == "\xc3\xa9\n");
  CHECK(IntMember(value, "absent", 7) == 7);
  CHECK(FindMember(value["b"], "a") == nullptr);
}

}  // namespace nacre
