// Two policies, and the calls that show what differs.
#include "policy/diff.h"

#include <catch2/catch.hpp>
#include <set>

#include "load.h"
#include "policy/evaluator.h"

namespace nacre::policy {
namespace {

const ToolSchemaList& Tools() {
  static const ToolSchemaList kTools = {
      {"proc.run",
       Json::parse(R"({"type":"object","required":["argv"],"properties":{"argv":{"type":"array",
       "items":{"type":"string"}}}})")},
      {"http.request",
       Json::parse(R"({"type":"object","required":["host","method","path"],"properties":{
       "host":{"type":"string"},"method":{"type":"string","enum":["GET","POST"]},
       "path":{"type":"string"},"port":{"type":"integer"}}})")},
      {"fs.read", Json::parse(R"({"type":"object","required":["path"],"properties":{
       "path":{"type":"string","format":"path"}}})")}};
  return kTools;
}

std::shared_ptr<const Policy> With(const std::string& rules) {
  return FromText("workspace: {mode: read-only}\ntools:\n" + rules);
}

// "deny allow tools.b" of every candidate that the two decide differently.
std::set<std::string> Differences(const Policy& before, const Policy& after) {
  std::set<std::string> found;
  for (const CandidateCall& call : DiffPolicies(before, after, Tools()).candidates) {
    Request request{.tool = call.tool, .arguments = call.arguments, .paths = {}};
    if (call.tool == "fs.read") {
      request.arguments["path"] = "/workspace/" + call.arguments.at("path").get<std::string>();
      request.paths = {{"path", request.arguments["path"], PathAccess::kRead}};
    }
    const Decision then = Evaluate(before, request);
    const Decision now = Evaluate(after, request);
    if (then.verdict != now.verdict) {
      found.insert(std::string(VerdictName(then.verdict)) + " " + VerdictName(now.verdict) + " " +
                   now.rule);
    }
  }
  return found;
}

const std::string kFind =
    "  - {id: find, reason: r, tool: proc.run, args: {argv[0]: find}, decision: allow}\n";

TEST_CASE("what a policy newly allows is shown by a call") {
  const struct {
    const char* args;
  } rows[] = {{"{argv[0]: wc}"},
              {"{argv[0]: {one_of: [wc, sort]}, argv: {max_items: 4}}"},
              {"{argv[0]: wc, argv[1]: {glob: \"--in=*\"}}"},
              {"{argv[0]: {matches: '[a-z]{3}(ab|cd)+-\\d\\.(x|y)?[^a-z]*'}}"},
              {"{argv[?]: -delete}"},
              {"{argv[0]: wc, argv[*]: {not: {one_of: [-x]}}}"},
              {"{argv[0]: {max_length: 1}}"}};
  for (const auto& row : rows) {
    INFO(row.args);
    const auto before = With(kFind);
    const auto after = With(kFind + "  - {id: new, reason: r, tool: proc.run, args: " + row.args +
                            ", decision: allow}\n");
    CHECK(Differences(*before, *after) == std::set<std::string>{"deny allow tools.new"});
    CHECK(Differences(*after, *before) == std::set<std::string>{"allow deny default"});
  }
}

TEST_CASE("a deny is shown by a call that another rule allows") {
  const auto before = With(kFind);
  const auto after = With(kFind +
                          "  - {id: no, reason: r, tool: proc.run, args: {argv[?]: {one_of: "
                          "[-delete, -exec]}}, decision: deny}\n");
  CHECK(Differences(*before, *after) == std::set<std::string>{"allow deny tools.no"});
}

TEST_CASE("hosts, ranges and what a schema requires are filled in") {
  const auto before = With("  - {id: a, reason: r, tool: fs.read, decision: allow}\n");
  const auto after = With(
      "  - {id: a, reason: r, tool: fs.read, decision: allow}\n"
      "  - {id: b, reason: r, tool: http.request, args: {host: {host_in: [\"*.x.example\"]}, port: "
      "{range: [80, 90]}}, decision: ask}\n");
  CHECK(Differences(*before, *after) == std::set<std::string>{"deny ask tools.b"});
  for (const CandidateCall& call : DiffPolicies(*before, *after, Tools()).candidates) {
    CHECK(call.arguments.at("method") == "GET");
  }
}

TEST_CASE("a glob that only one of them hides is shown by a path") {
  const std::string rule = "tools: [{id: a, reason: r, tool: fs.read, decision: allow}]\n";
  const auto before = FromText("workspace: {mode: read-only}\n" + rule);
  const auto after =
      FromText("workspace: {mode: read-only, hide: ['**/*.pem', 'k?y/[a-c]']}\n" + rule);
  CHECK(Differences(*before, *after) == std::set<std::string>{"allow deny workspace.hide"});
  const PolicyDiff diff = DiffPolicies(*before, *after, Tools());
  REQUIRE(diff.settings.size() == 1);
  CHECK(diff.settings[0].key == "workspace.hide");
}

TEST_CASE("policies that mean the same do not differ") {
  const auto before = With(kFind);
  const auto renamed = With(
      "  - {id: other, reason: another, tool: [proc.run], args: {argv[0]: {equals: find}}, "
      "decision: allow}\n");
  const PolicyDiff diff = DiffPolicies(*before, *renamed, Tools());
  CHECK(diff.only_before.empty());
  CHECK(diff.only_after.empty());
  CHECK(diff.settings.empty());
  CHECK(diff.candidates.empty());
}

TEST_CASE("a pattern made to be large makes no large call") {
  const auto before = With(kFind);
  const auto after = With(kFind +
                          "  - {id: new, reason: r, tool: proc.run, args: {argv[0]: {matches: "
                          "'((((a{30}){30}b)*c{30})*d{30})*'}}, decision: allow}\n");
  for (const CandidateCall& call : DiffPolicies(*before, *after, Tools()).candidates) {
    CHECK(DumpJson(call.arguments).size() < 100'000);
  }
}

}  // namespace
}  // namespace nacre::policy
