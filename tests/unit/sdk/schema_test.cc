#include "nacre/sdk/schema.h"

#include <catch2/catch.hpp>

namespace nacre::sdk {
namespace {

using Json = nlohmann::json;
using Schema = nlohmann::ordered_json;

const char* const kSchema = R"({
  "type": "object",
  "properties": {
    "path": {"type": "string", "format": "path", "minLength": 1, "maxLength": 4},
    "sort": {"type": "string", "enum": ["name", "size"]},
    "limit": {"type": "integer", "minimum": 1, "maximum": 9},
    "share": {"type": "number", "maximum": 0.5, "description": "A part.", "default": 0.25},
    "deep": {"type": "boolean"},
    "level": {"type": "integer", "enum": [1, 2]},
    "argv": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
    "where": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"],
              "additionalProperties": false},
    "nothing": {"type": "object"}
  },
  "required": ["path"]
})";

TEST_CASE("every word of the subset is accepted") {
  CHECK(CheckSchema(Schema::parse(kSchema)) == std::nullopt);
  CHECK(CheckSchema({{"type", "object"}}) == std::nullopt);
}

// One row per rule of the subset: a schema of one property that breaks it, and what is said.
TEST_CASE("a schema outside the subset is refused, with the place and the reason") {
  struct Row {
    const char* property;
    const char* said;
  };
  const auto row = GENERATE(values<Row>({
      {R"(7)", "properties.p: expected a schema"},
      {R"({})", "properties.p.type: expected one of object, array"},
      {R"({"type": "null"})", "properties.p.type: expected one of"},
      {R"({"type": ["string"]})", "properties.p.type: expected one of"},
      {R"({"type": "string", "pattern": "a*"})", "properties.p: unknown word \"pattern\""},
      {R"({"type": "string", "minimum": 1})", "unknown word \"minimum\" for type string"},
      {R"({"type": "boolean", "enum": [true]})", "unknown word \"enum\" for type boolean"},
      {R"({"type": "string", "a\nb": 1})", R"(unknown word "a\nb")"},
      {R"({"type": "string", "format": "date"})", "properties.p.format: expected path"},
      {R"({"type": "string", "enum": []})", "properties.p.enum: expected a list of 1 to 64"},
      {R"({"type": "string", "enum": "a"})", "properties.p.enum: expected a list"},
      {R"({"type": "string", "enum": ["a", 1]})", "enum: every value must be a string"},
      {R"({"type": "integer", "enum": [1.5]})", "enum: every value must be an integer"},
      {R"({"type": "string", "minLength": -1})", "minLength: expected a whole number"},
      {R"({"type": "string", "minLength": 2, "maxLength": 1})", "minLength: larger than maxLength"},
      {R"({"type": "integer", "minimum": 2, "maximum": 1})", "minimum: larger than maximum"},
      {R"({"type": "integer", "minimum": 0.5})", "minimum: expected an integer"},
      {R"({"type": "number", "maximum": "1"})", "maximum: expected a number"},
      {R"({"type": "array"})", "properties.p: an array needs items"},
      {R"({"type": "array", "items": {"type": "string", "format": "path"}})",
       "properties.p.items.format: only properties of the arguments themselves"},
      {R"({"type": "array", "items": {"type": "x"}})", "properties.p.items.type: expected one of"},
      {R"({"type": "object", "additionalProperties": true})", "can only be false"},
      {R"({"type": "object", "properties": []})", "properties.p.properties: expected at most 64"},
      {R"({"type": "object", "properties": {"": {"type": "string"}}})", "1 to 64 bytes"},
      {R"({"type": "object", "required": ["x"]})", "names a key that is not in properties"},
      {R"({"type": "object", "required": "x"})", "required: expected a list of keys"},
      {R"({"type": "string", "description": 1})", "description: expected a string"},
      {R"({"type": "integer", "maximum": 1, "default": 2})", "default: expected at most 1"},
      {R"({"type": "integer", "default": "2"})", "default: expected an integer"},
  }));
  CAPTURE(row.property);
  const Schema schema = {{"type", "object"}, {"properties", {{"p", Schema::parse(row.property)}}}};
  const auto problem = CheckSchema(schema);
  REQUIRE(problem);
  CHECK_THAT(*problem, Catch::Contains(row.said));
}

TEST_CASE("a schema is bounded in depth and breadth, and is of an object") {
  Schema deep = {{"type", "string"}};
  for (int i = 0; i < 1000; ++i) {
    deep = {{"type", "array"}, {"items", deep}};
  }
  CHECK_THAT(*CheckSchema({{"type", "object"}, {"properties", {{"p", deep}}}}),
             Catch::Contains("nested deeper than 8 levels"));
  Schema wide = Schema::object();
  for (int i = 0; i < 65; ++i) {
    wide["p" + std::to_string(i)] = {{"type", "string"}};
  }
  CHECK_THAT(*CheckSchema({{"type", "object"}, {"properties", wide}}),
             Catch::Contains("expected at most 64 keys"));
  CHECK(CheckSchema({{"type", "string"}}) == "type: the arguments are an object");
  CHECK(CheckSchema(Schema()).has_value());
}

TEST_CASE("arguments that a schema describes are valid") {
  const Schema schema = Schema::parse(kSchema);
  for (const char* arguments : {
           R"({"path": "a"})",
           R"({"path": "äöüß", "sort": "size", "limit": 9, "share": -1, "deep": false})",
           R"({"path": "a", "argv": ["", "x"], "where": {"x": -5}, "nothing": {}, "level": 2})",
       }) {
    CAPTURE(arguments);
    CHECK(Validate(schema, Json::parse(arguments)) == std::nullopt);
  }
}

// One row per way in which arguments can be wrong.
TEST_CASE("wrong arguments are refused with the JSON Pointer of the value") {
  struct Row {
    const char* arguments;
    const char* problem;
  };
  const auto row = GENERATE(values<Row>({
      {R"([])", "expected an object"},
      {R"("x")", "expected an object"},
      {R"({})", "/path: missing"},
      {R"({"path": 1})", "/path: expected a string"},
      {R"({"path": null})", "/path: expected a string"},
      {R"({"path": ""})", "/path: expected at least 1 characters"},
      {R"({"path": "äöüßx"})", "/path: expected at most 4 characters"},
      {R"({"path": "a", "sort": "Name"})", "/sort: expected one of \"name\", \"size\""},
      {R"({"path": "a", "limit": 0})", "/limit: expected at least 1"},
      {R"({"path": "a", "limit": 10})", "/limit: expected at most 9"},
      {R"({"path": "a", "limit": 18446744073709551615})", "/limit: expected at most 9"},
      {R"({"path": "a", "limit": -9223372036854775808})", "/limit: expected at least 1"},
      {R"({"path": "a", "limit": 1.5})", "/limit: expected an integer"},
      {R"({"path": "a", "limit": "3"})", "/limit: expected an integer"},
      {R"({"path": "a", "limit": true})", "/limit: expected an integer"},
      {R"({"path": "a", "share": 0.6})", "/share: expected at most 0.5"},
      {R"({"path": "a", "deep": 0})", "/deep: expected a boolean"},
      {R"({"path": "a", "level": 3})", "/level: expected one of 1, 2"},
      {R"({"path": "a", "argv": "x"})", "/argv: expected an array"},
      {R"({"path": "a", "argv": []})", "/argv: expected at least 1 items"},
      {R"({"path": "a", "argv": ["", "", ""]})", "/argv: expected at most 2 items"},
      {R"({"path": "a", "argv": ["x", 2]})", "/argv/1: expected a string"},
      {R"({"path": "a", "where": {}})", "/where/x: missing"},
      {R"({"path": "a", "where": {"x": "1"}})", "/where/x: expected an integer"},
      {R"({"path": "a", "where": {"x": 1, "y": 1}})", "/where/y: no such member; there are x"},
      {R"({"path": "a", "nothing": {"x": 1}})", "/nothing/x: no such member; there are none"},
      {R"({"pth": "a"})",
       "/pth: no such argument; there are path, sort, limit, share, deep, level, argv, where, "
       "nothing"},
      {R"({"path": "a", "unk/no~wn\n\u001b": 1})",
       R"(/unk~1no~0wn\n\u001b: no such argument; there are path, sort, limit, share, deep, )"
       "level, argv, where, nothing"},
  }));
  CAPTURE(row.arguments);
  CHECK(Validate(Schema::parse(kSchema), Json::parse(row.arguments)) == std::string(row.problem));
}

TEST_CASE("a key with a dot, a slash or a tilde is told from a path") {
  const auto schema = Schema::parse(
      R"({"type": "object", "properties": {"a.b": {"type": "object", "properties": {"c/~d": {"type": "string"}}}}})");
  CHECK(Validate(schema, Json::parse(R"({"a.b": {"c/~d": 1}})")) ==
        "/a.b/c~1~0d: expected a string");
}

TEST_CASE("a hostile key does not fill the message") {
  const Json arguments = {{"path", "a"}, {std::string(100'000, 'k'), 1}};
  CHECK(Validate(Schema::parse(kSchema), arguments)->size() < 200);
}

}  // namespace
}  // namespace nacre::sdk
