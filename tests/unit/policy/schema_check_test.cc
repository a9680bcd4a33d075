// A rule that no call of its tool can match is a mistake, named where it stands.
#include <catch2/catch.hpp>
#include <string>

#include "load.h"

namespace nacre::policy {
namespace {

LoadOptions Tools() {
  return {.tools = {
              {"fs.list", Json::parse(R"({"type": "object", "properties": {
                 "path": {"type": "string", "format": "path"},
                 "sort": {"type": "string", "enum": ["name", "size", "time"]},
                 "pattern": {"type": "string", "minLength": 2, "maxLength": 8},
                 "recursive": {"type": "boolean"},
                 "limit": {"type": "integer", "minimum": 1, "maximum": 1000}}})")},
              {"fs.edit", Json::parse(R"({"type": "object", "properties": {
                 "path": {"type": "string", "format": "path-write"},
                 "edits": {"type": "array", "minItems": 1, "maxItems": 4, "items": {"type": "object",
                   "properties": {"old": {"type": "string"}, "count": {"type": "integer"}}}}}})")},
              {"mcp.any", Json::parse(R"({"properties": {"silent": {}}})")},
          }};
}

std::string Rule(const std::string& tool, const std::string& args) {
  return "tools:\n  - id: a\n    reason: r\n    tool: " + tool +
         "\n    decision: deny\n    args: {" + args + "}\n";
}

std::string Said(const std::string& tool, const std::string& args) {
  return Refusal("nacre: policy/1\nname: p\n" + Rule(tool, args), Tools());
}

TEST_CASE("a rule that no call of its tool can match is refused where it stands") {
  struct Row {
    const char* tool;
    const char* args;
    const char* said;
  };
  const Row row = GENERATE(values<Row>({
      {"fs.list", "pth: x",
       R"(8:12: tools[0].args.pth: "fs.list" has no argument "pth"; did you mean "path"?)"},
      {"fs.list", "pth: {glob: a, max_length: 9}",
       R"(8:12: tools[0].args.pth: "fs.list" has no argument "pth"; did you mean "path"?)"},
      {"fs.*", "limt: 3",
       R"(8:12: tools[0].args.limt: "fs.*" has no argument "limt"; did you mean "limit"?)"},
      {"fs.edit", "edits[0].odl: x",
       R"(8:12: tools[0].args.edits[0].odl: "fs.edit" has no argument "edits[0].odl"; did you )"
       R"(mean "edits[0].old"?)"},
      {"fs.edit", "edits[4].old: x",
       "8:12: tools[0].args.edits[4].old: fs.edit's edits has at most 4 elements"},
      {"fs.edit", "edits[?]: {equals: x}",
       "8:31: tools[0].args.edits[?].equals: fs.edit's edits[?] is a map, and never \"x\""},
      {"fs.list", "path[0]: x",
       "8:12: tools[0].args.path[0]: fs.list's path is a text, and no list"},
      {"fs.list", "path.name: x",
       "8:12: tools[0].args.path.name: fs.list's path is a text, and has no members"},
      {"fs.list", "path: {range: [1, 2]}",
       "8:26: tools[0].args.path.range: fs.list's path is a text, and range speaks of a number"},
      {"fs.list", "path: {max_items: 3}",
       "8:30: tools[0].args.path.max_items: fs.list's path is a text, and max_items speaks of a "
       "list"},
      {"fs.list", "limit: {max_length: 3}",
       "8:32: tools[0].args.limit.max_length: fs.list's limit is a whole number, and max_length "
       "speaks of a text"},
      {"fs.list", "limit: {not: {matches: '3'}}",
       "8:35: tools[0].args.limit.not.matches: fs.list's limit is a whole number, and matches "
       "speaks of a text"},
      {"fs.list", "limit: 0", "8:19: tools[0].args.limit: fs.list's limit is at least 1"},
      {"fs.list", "limit: {range: [1001, 2000]}",
       "8:27: tools[0].args.limit.range: fs.list's limit is at most 1000"},
      {"fs.list", "limit: {range: [-5, 0]}",
       "8:27: tools[0].args.limit.range: fs.list's limit is at least 1"},
      {"fs.list", "limit: many",
       "8:19: tools[0].args.limit: fs.list's limit is a whole number, and never \"many\""},
      {"fs.list", "recursive: 'true'",
       "8:23: tools[0].args.recursive: fs.list's recursive is true or false, and never \"true\""},
      {"fs.list", "sort: tiem",
       "8:18: tools[0].args.sort: fs.list's sort is one of name, size, time, and never \"tiem\"; "
       "did you mean \"time\"?"},
      {"fs.list", "sort: {one_of: [name, sise]}",
       "8:34: tools[0].args.sort.one_of[1]: fs.list's sort is one of name, size, time, and never "
       "\"sise\"; did you mean \"size\"?"},
      {"fs.list", "sort: {not: {one_of: [nam]}}",
       "8:34: tools[0].args.sort.not.one_of[0]: fs.list's sort is one of name, size, time, and "
       "never \"nam\"; did you mean \"name\"?"},
      {"fs.list", "sort: {matches: 'a.*'}",
       "8:28: tools[0].args.sort.matches: none of fs.list's sort, which are name, size, time, "
       "meets "
       "this"},
      {"fs.list", "sort: {not: {matches: '.*'}}",
       "8:34: tools[0].args.sort.not.matches: none of fs.list's sort, which are name, size, time, "
       "meets this"},
      {"fs.list", "pattern: ninechars",
       "8:21: tools[0].args.pattern: fs.list's pattern has at most 8 characters"},
      {"fs.list", "path: {matches: 'src/.*'}",
       "8:28: tools[0].args.path.matches: fs.list's path is compared as a full path, which never "
       "matches "
       "this; did you mean \"/workspace/src/.*\"?"},
      {"fs.list", "path: {matches: '^src/.*$'}",
       "8:28: tools[0].args.path.matches: fs.list's path is compared as a full path, which never "
       "matches this; did you mean \"/workspace/src/.*$\"?"},
      {"fs.list", "path: {not: {matches: '(secret|keys)/.*'}}",
       "8:34: tools[0].args.path.not.matches: fs.list's path is compared as a full path, which "
       "never "
       "matches this; did you mean \"/workspace/((secret|keys)/.*)\"?"},
      {"fs.list", "pattern: {max_length: 1}",
       "8:34: tools[0].args.pattern.max_length: fs.list's pattern has at least 2 characters"},
      {"fs.edit", "edits: {max_items: 0}",
       "8:31: tools[0].args.edits.max_items: fs.edit's edits has at least 1 elements"},
      {"fs.list", "limit: {not: {range: [1, 2000]}}",
       "8:33: tools[0].args.limit.not.range: fs.list's limit is always between 1 and 1000"},
      {"fs.edit", "edits: {not: {max_items: 4}}",
       "8:37: tools[0].args.edits.not.max_items: fs.edit's edits always has at most 4 elements"},
      {"fs.*", "limit: {matches: x}",
       "8:29: tools[0].args.limit.matches: fs.list's limit is a whole number, and matches speaks "
       "of "
       "a text"},
      {"fs.*", "sort: name, edits: {max_items: 2}",
       "8:11: tools[0].args: no tool that \"fs.*\" names has all of these arguments"},
      {"[fs.edit, fs.list]", "limit: 3",
       "8:12: tools[0].args.limit: \"fs.edit\" has no argument \"limit\""},
  }));
  INFO(row.tool << " " << row.args);
  CHECK(Said(row.tool, row.args) == std::string("p.yaml:") + row.said);
}

TEST_CASE("a misspelt tool is refused wherever a policy names one") {
  const std::string head = "nacre: policy/1\nname: p\n";
  const std::string flow = "id: f, reason: r, when: {integrity: untrusted}, decision: deny";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"data: {sources: [{tool: fs.lsit, integrity: trusted}]}\n",
       "data.sources[0].tool: there is no tool \"fs.lsit\"; did you mean \"fs.list\"?"},
      {"data: {flows: [{" + flow + ", to: [fs.eidt]}]}\n",
       "data.flows[0].to[0]: there is no tool \"fs.eidt\"; did you mean \"fs.edit\"?"},
      {"data: {flows: [{" + flow + ", to: {tools: [fs.list, 'fss.*']}}]}\n",
       "data.flows[0].to.tools[1]: there is no tool \"fss.*\""},
      {"budgets: {rates: [{id: a, reason: r, tool: fs.edi, calls: 3, per: turn}]}\n",
       "budgets.rates[0].tool: there is no tool \"fs.edi\"; did you mean \"fs.edit\"?"},
  };
  for (const auto& [text, said] : rows) {
    INFO(text);
    CHECK_THAT(Refusal(head + text, Tools()), Catch::Contains(said));
    CHECK(LoadPolicyText("p.yaml", head + text).ok());  // where nobody knows the tools
  }
  CHECK_NOTHROW(FromText("data: {sources: [{tool: ['fs.*', '*'], integrity: trusted}], flows: [{" +
                             flow + ", to: [network, mcp.any]}]}\n",
                         Tools()));
}

TEST_CASE("a rule that some call of its tool can match is accepted") {
  struct Row {
    const char* tool;
    const char* args;
  };
  const Row row = GENERATE(values<Row>({
      {"fs.list", "path: src"},
      {"fs.list", "path: {under: /workspace/src, not: {glob: '**/*.c'}}"},
      {"fs.list", "sort: {one_of: [name, size]}"},
      {"fs.list", "sort: {matches: 's.*'}"},
      {"fs.list", "sort: {not: {equals: time}}"},
      {"fs.list", "limit: {range: [500, 5000]}"},
      {"fs.list", "limit: {not: {range: [2, 1000]}}"},
      {"fs.list", "path: {matches: '/workspace/src/.*'}"},
      {"fs.list", "path: {matches: '.*\\.c'}"},
      {"fs.list", "path: {matches: '(/workspace/)?src/.*'}"},
      {"fs.list", "path: {not: {matches: '.*/secret/.*'}}"},
      {"fs.list", "pattern: {matches: 'src/.*'}"},
      {"fs.list", "recursive: true"},
      {"fs.list", "pattern: \"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\""},
      {"fs.edit", "edits[3].count: 2, edits: {max_items: 4}"},
      {"fs.*", "path: x"},
      {"fs.*", "limit: 3"},
      {"'*'", "silent: 3"},
      {"mcp.any", "silent: {one_of: [1, x, true]}"},
      {"mcp.any", "silent.deep[0]: {matches: x}"},
  }));
  INFO(row.tool << " " << row.args);
  CHECK_NOTHROW(FromText(Rule(row.tool, row.args), Tools()));
}

}  // namespace
}  // namespace nacre::policy
