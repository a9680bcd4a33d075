// The messages that no other test expects: each has a document, a call or a rule that makes it, so that none is
// unreachable, and the exact place that a person reads.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "load.h"
#include "policy/analysis/query.h"
#include "policy/evaluator.h"
#include "policy/lint.h"
#include "policy/openshell_import.h"
#include "policy/tool_traits.h"

namespace nacre::policy {
namespace {

struct Row {
  std::string text;
  std::string said;
};

std::string Said(const std::string& text) {
  return Refusal("nacre: policy/1\nname: p\n" + text);
}

TEST_CASE("what is wrong with data is said") {
  const std::string flow = "data: {flows: [{id: f, reason: r, decision: ask, ";
  const std::vector<Row> rows = {
      {"data: {sources: [{memory: false, integrity: trusted}]}\n",
       "p.yaml:3:27: data.sources[0].memory: only true says something; leave it out"},
      {"data: {sources: [{tool: a, confidentiality: public}]}\n",
       "p.yaml:3:45: data.sources[0].confidentiality: public is what everything is that no source "
       "speaks of; leave it out"},
      {"data: {sources: [{user: true, tool: a, integrity: untrusted}]}\n",
       "p.yaml:3:18: data.sources[0]: the user's words come from no tool, path, host or memory"},
      {"data:\n  flows:\n"
       "    - {id: f, reason: r, when: {integrity: untrusted}, to: [a], decision: ask}\n"
       "    - {id: f, reason: r, when: {integrity: untrusted}, to: [b], decision: ask}\n",
       "p.yaml:6:12: data.flows[1].id: another flow has this id"},
      {flow + "when: {confidentiality: {}}, to: [a]}]}\n",
       "p.yaml:3:74: data.flows[0].when.confidentiality: expected {at_least: LEVEL}"},
      {flow + "when: {categories: []}, to: [a]}]}\n",
       "p.yaml:3:69: data.flows[0].when.categories: empty"},
      {flow + "when: {argument: {roles: url}}, to: [a]}]}\n",
       "p.yaml:3:67: data.flows[0].when.argument: needs \"origin\""},
      {flow + "when: {argument: {origin: user}}, to: [a]}]}\n",
       "p.yaml:3:67: data.flows[0].when.argument: needs \"roles\""},
      {flow + "when: {integrity: untrusted}, to: {}}]}\n",
       "p.yaml:3:84: data.flows[0].to: names no tool and no effect"},
      {"data: {quarantine: {extract: [date]}}\n",
       "p.yaml:3:20: data.quarantine: a quarantine needs \"integrity\": what is withheld"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(Said(row.text) == row.said);
  }
}

TEST_CASE("what is no YAML that means the same to every reader is refused at its place") {
  CHECK(Refusal("%YAML 1.1\n---\nnacre: policy/1\n") ==
        "p.yaml:1:1: YAML directives are not accepted");
  CHECK(Refusal("%TAG ! tag:example.com:\n---\nnacre: policy/1\n") ==
        "p.yaml:1:1: YAML directives are not accepted");
  CHECK(Refusal("nacre: policy/1\nname: \xEE\x80\x81\n") ==
        "p.yaml:2:7: the characters U+E000 to U+E002 are not accepted");
}

TEST_CASE("more rules than a policy may have are refused at the first that is too many") {
  // Each section by itself is short enough.
  std::string text = "nacre: policy/1\nname: p\n";
  for (const std::string section : {"tools", "narrow"}) {
    text += section + ":\n";
    for (int i = 0; i < 50'001; ++i) {
      const std::string number = std::to_string(i);
      text +=
          "  - {id: " + section + number + ", reason: r, tool: t" + number + ", decision: deny}\n";
    }
  }
  CHECK(Refusal(text) == "p.yaml:100005:5: tools: more than 100000 rules in all layers");
}

TEST_CASE("what a set of tools says of a result without a format is refused") {
  const auto tools = ParseToolTraits(
      "t.yaml",
      "nacre: tools/1\ntools:\n  - {tool: a, effects: [read], result: {trusted: [id]}}\n");
  REQUIRE_FALSE(tools.ok());
  CHECK(tools.error().message ==
        "t.yaml:3:40: tools[0].result: fields can be told apart only in a result with a format: "
        "json or yaml");
}

TEST_CASE("a condition that does not hold says what the argument is and must be") {
  const std::vector<std::pair<std::string, Row>> conditions = {
      {"{not: {equals: x}}", {R"("x")", "a \"x\" is excluded: not \"x\""}},
      {"{not: {one_of: [x, y]}}", {R"("y")", "a \"y\" is excluded: none of x, y"}},
      {"{host_in: [b.c]}", {R"("https://d.e/")", "a \"https://d.e/\" is not a host of b.c"}},
      {"{not: {host_in: [b.c]}}",
       {R"("https://b.c/")", "a \"https://b.c/\" is excluded: a host of b.c"}},
      {"{host_in: [b.c]}",
       {R"("https://b.c\\@d.e")", "a \"https://b.c\\@d.e\" names no host for certain"}},
      {"{not: {matches: 'x+'}}", {R"("xx")", "a \"xx\" must not match x+"}},
      {"{not: {under: /b}}", {R"("/b/c")", "a \"/b/c\" must not be under /b"}},
      {"{max_length: 2}", {R"("abc")", "a is longer than 2 bytes"}},
      {"{not: {max_length: 2}}", {R"("ab")", "a is not longer than 2 bytes"}},
      {"{max_items: 1}", {R"([1,2])", "a has more than 1 items"}},
      {"{not: {max_items: 1}}", {R"([1])", "a has not more than 1 items"}},
      {"{range: [1, 3]}", {R"(4)", "a 4 is not between 1 and 3"}},
      {"{not: {range: [1, 3]}}", {R"(2)", "a 2 must not be between 1 and 3"}},
      {"{range: [1, 3]}", {R"("2")", "a has a type that range does not accept"}},
      {"{range: [1, 3]}", {"", "a is missing"}},
  };
  for (const auto& [condition, row] : conditions) {
    INFO(condition);
    const auto policy = FromText(
        "tools:\n  - {id: r, reason: r, tool: t, decision: allow, args: {a: " + condition + "}}\n");
    Request call{.tool = "t", .arguments = Json::object(), .paths = {}};
    if (!row.text.empty()) {
      call.arguments["a"] = ParseJson(row.text).value();
    }
    CHECK(Evaluate(*policy, call).reason == "no rule allows t with these arguments: " + row.said);
  }
}

TEST_CASE("each risk says what it is and how to narrow it") {
  const auto policy = FromText(R"(
workspace: {mode: transactional, commit: {links: allow}}
sandbox: {profile: build}
tools:
  - {id: files, reason: r, tool: "fs.*", decision: allow}
  - {id: programs, reason: r, tool: proc.run, args: {argv[0]: {matches: '.*'}}, decision: allow}
  - {id: web, reason: r, tool: web.get, args: {url: {host_in: ["*.github.io"]}}, decision: allow}
  - {id: private, reason: r, tool: proc.run, args: {"argv[?]": {under: /workspace/a}}, decision: deny}
)");
  const auto direct = FromText("workspace: {mode: direct}\n");
  std::vector<Risk> risks = FindRisks(*policy);
  for (Risk& risk : FindRisks(*direct)) {
    risks.push_back(std::move(risk));
  }
  const std::vector<Row> rows = {
      {"shell: it allows \"proc.run sh -c true\": a shell runs whatever one argument says",
       "name the programs that are needed in argv[0]: {one_of: [...]}"},
      {"runs-other-programs: it allows \"proc.run env sh\": this program runs others that the "
       "policy "
       "does not see",
       "leave it out, or forbid its arguments that do so with argv[*]: {not: {one_of: [...]}}"},
      {"inline-code: it allows \"proc.run python3 -c pass\": code stands in an argument, where no "
       "file "
       "is left to look at",
       "let argv[1] be a file: {matches: '[A-Za-z0-9_./].*'}"},
      {"leaves-the-sandbox: it allows \"proc.run curl https://example.com\": this program exists "
       "to "
       "reach other machines or other rights",
       "leave it out: in the sandbox it has nothing to reach"},
      {"secret-readable: it allows \"fs.read .env\": files that hold keys and passwords "
       "can be read",
       "extend builtin/base, or add the file to workspace.hide"},
      {"runs-as-the-person: it allows \"fs.write .git/hooks/pre-commit\": what is "
       "written here, other "
       "programs run as the person, outside the sandbox",
       "extend builtin/base, or add the folder to workspace.protect"},
      {"every-tool: it allows every tool of fs.* with any arguments, also tools that are installed "
       "later",
       "name the tools, and say in args what each may be given"},
      {"empty-condition: its condition on argv[0] holds for nearly everything",
       "say what the argument may be, or leave the condition out"},
      {"wide-hosts: it allows every host below \"github.io\", which anybody can register",
       "name the hosts, or a domain that is yours: *.example.com"},
      {"denied-by-name: its condition on argv[?] sees how a file is written: a program still "
       "reaches "
       "the file by a link, or by a folder above it",
       "add \"a/**\" to workspace.hide"},
      {"writable-and-executable: what a call writes to the workspace, a call can execute",
       "use profile: default, where nothing that is built has to run"},
      {"links-lead-out: calls may leave links that lead out of the workspace, which other programs "
       "follow",
       "use links: inside"},
      {"no-undo: calls change files at once: nothing is judged afterwards or can be taken back",
       "use mode: transactional"},
      {"no-disk-limit: sandbox.limits.disk bounds each file that a call writes to the workspace, "
       "not "
       "all of them, and sandbox.limits.inodes none",
       "use mode: transactional"},
  };
  REQUIRE(risks.size() == rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(risks[i].name + ": " + risks[i].what == rows[i].text);
    CHECK(risks[i].advice == rows[i].said);
  }
}

// An endpoint of api.x.example:443, whose further keys begin at line 8.
std::string With(const std::string& endpoint) {
  return "version: 1\nnetwork_policies:\n  a:\n    binaries: [{path: /bin/x}]\n"
         "    endpoints:\n      - host: api.x.example\n        port: 443\n" +
         endpoint;
}

TEST_CASE(
    "whatever of a policy of OpenShell is not granted, or is otherwise there, is said at its "
    "line") {
  const std::string enforced = "        protocol: rest\n        enforcement: enforce\n";
  const std::string rules = enforced + "        rules:\n          - allow: ";
  const std::string denies = enforced + "        access: full\n        deny_rules:\n          - ";
  const std::vector<Row> rows = {
      {"version: 1\nfilesystem_policy: {include_workdir: true, read_write: [/opt]}\n",
       "left-out:2 filesystem_policy.read_write[0]: /opt is writable there; a call of nacre writes "
       "its workspace"},
      {"version: 1\nfilesystem_policy: {include_workdir: true, read_only: [/sandbox/a]}\n",
       "T7:2 filesystem_policy.read_only[0]: /sandbox/a is below a writable folder, so OpenShell "
       "lets it be "
       "written all the same (Landlock unites rules); protected here"},
      {"version: 1\nfilesystem_policy: {read_only: [/sandbox/a], read_write: [/sandbox/a/b]}\n",
       "left-out:2 filesystem_policy.read_write[0]: /sandbox/a/b is below a read-only folder, and "
       "stays protected"},
      {"version: 1\nfilesystem_policy: {read_only: [/sandbox], read_write: [/sandbox/a]}\n",
       "left-out:2 filesystem_policy.read_write[0]: /sandbox/a is writable there; here the whole "
       "workspace is, or "
       "none of it, so it is not"},
      {"version: 1\nnetwork_middlewares: {}\n",
       "left-out:2 network_middlewares: what a middleware would change or refuse is not looked at"},
      {"version: 1\nnetwork_policies: {a: {}}\n",
       "T6:2 network_policies.a: no binaries: any program by OpenShell's documentation, none by "
       "its engine; left "
       "out"},
      {With(enforced + "        access: read-only\n"),
       "T9:4 network_policies.a.binaries: these programs also get the connection for all that they "
       "start, and for "
       "whatever is loaded into them; here the rule speaks of a tool, and programs have no "
       "network"},
      {With(enforced + "        access: read-only\n"),
       "T8:6 network_policies.a.endpoints[0]: OpenShell connects to api.x.example:443 also when "
       "its name resolves "
       "to a private address; the tool must refuse those"},
      {With("        protocol: mcp\n        enforcement: enforce\n        access: full\n"),
       "left-out:6 network_policies.a.endpoints[0]: the protocol \"mcp\" is not one whose requests "
       "a tool's "
       "arguments name"},
      {With("        protocol: mcp\n        enforcement: enforce\n        access: full\n"),
       "T10:6 network_policies.a.endpoints[0]: OpenShell matches names of tools only: their "
       "arguments, and all "
       "that comes back, are free"},
      {With(enforced + "        access: full\n        allowed_ips: [10.0.0.1]\n"),
       "left-out:11 network_policies.a.endpoints[0].allowed_ips: reaches addresses of a private "
       "network; nacre's "
       "rules speak of names"},
      {With("        enforcement: enforce\n        rules: [{allow: {method: GET, path: /a}}]\n"),
       "T5:9 network_policies.a.endpoints[0].rules: without a protocol OpenShell ignores these "
       "rules and allows "
       "everything; they hold here"},
      {With("        enforcement: enforce\n        access: read-only\n"),
       "T5:9 network_policies.a.endpoints[0].access: without a protocol OpenShell ignores this and "
       "allows "
       "everything; it holds here"},
      {With(""),
       "T5:6 network_policies.a.endpoints[0]: an uninspected connection: every method and path, "
       "also push and "
       "delete"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{port: 1}]}}\n",
       "left-out:2 network_policies.a.endpoints[0]: any host that has one of the allowed "
       "addresses"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: x.example}]}}\n",
       "left-out:2 network_policies.a.endpoints[0]: no port"},
      {With("        protocol: rest\n        access: full\n"),
       "T4:6 network_policies.a.endpoints[0].enforcement: absent, which OpenShell takes for audit: "
       "what the rules "
       "do not allow is logged and passes; enforced here"},
      {With("        protocol: rest\n        enforcement: audit\n        access: full\n"),
       "T4:9 network_policies.a.endpoints[0].enforcement: \"audit\", which OpenShell takes for "
       "audit: what the "
       "rules do not allow is logged and passes; enforced here"},
      {With(enforced + "        access: read-write\n"),
       "T11:6 network_policies.a.endpoints[0].access: read-write has no DELETE, as it had none"},
      {With(enforced + "        access: full\n"),
       "T11:6 network_policies.a.endpoints[0].access: full is any method, also CONNECT and TRACE; "
       "the seven usual "
       "ones here"},
      {With(enforced),
       "left-out:6 network_policies.a.endpoints[0]: neither rules nor access: nothing is allowed"},
      {With(rules + "{path: /a}\n"),
       "left-out:11 network_policies.a.endpoints[0].rules[0]: a rule without a method"},
      {With(rules + "{method: GET}\n"),
       "left-out:11 network_policies.a.endpoints[0].rules[0]: a rule without a path allows "
       "nothing"},
      {With(rules + "{method: GET, path: /a, query: {q: x}}\n"),
       "left-out:11 network_policies.a.endpoints[0].rules[0].query: what a query may be cannot be "
       "said"},
      {With(rules + "{method: GET, path: /a, fields: [b]}\n"),
       "left-out:11 network_policies.a.endpoints[0].rules[0].fields: no part of a request that a "
       "tool names"},
      {With("        path: /api/**\n" + rules + "{method: GET, path: /api/a}\n"),
       "left-out:12 network_policies.a.endpoints[0].rules[0]: a path below the endpoint's own "
       "path"},
      {With(rules + "{method: GET, path: /a/*}\n"),
       "T1:11 network_policies.a.endpoints[0].rules[0].path: \"*\" crosses \"/\" by OpenShell's "
       "documentation and "
       "does not by its engine, so less is allowed than was meant; it does not cross here"},
      {With(denies + "{method: GET, path: /a/*}\n"),
       "T1:12 network_policies.a.endpoints[0].deny_rules[0].path: \"*\" crosses \"/\" by "
       "OpenShell's "
       "documentation and does not by its engine, so a deny can be walked around; it crosses here"},
      {With(denies + "{method: GET, path: /a, query: {q: '*x*'}}\n"),
       "T2:12 network_policies.a.endpoints[0].deny_rules[0].query: a star does not cross a dot "
       "there, so "
       "\"*secret*\" misses \"a.secret.b\"; every query is denied here"},
      {With(denies + "{method: GET, path: /a, query: {q: '*x*'}}\n"),
       "T12:12 network_policies.a.endpoints[0].deny_rules[0].query: a request without one of these "
       "keys is not "
       "denied there; it is here"},
      {With(denies + "{method: GET}\n"),
       "T3:12 network_policies.a.endpoints[0].deny_rules[0]: without a path this deny never fires "
       "there; it denies "
       "every path here"},
  };
  for (const Row& row : rows) {
    const auto imported = ImportOpenShell("old.yaml", row.text, {"http.request"});
    INFO(row.text);
    REQUIRE(imported.ok());
    std::string found;
    for (const OpenShellFinding& finding : imported.value().findings) {
      found += finding.code + ":" + std::to_string(finding.source.line) + " " + finding.key + ": " +
               finding.what + "\n";
    }
    CHECK_THAT(found, Catch::Contains(row.said + "\n"));
    CHECK(LoadPolicyText("new.yaml", imported.value().yaml).ok());
  }
  const auto without = ImportOpenShell("old.yaml", With(enforced + "        access: full\n"));
  CHECK(without.value().findings.back().what ==
        "api.x.example:443 cannot be reached: name a tool for requests with --http-tool");
}

TEST_CASE("what no policy of OpenShell can say is refused at its place") {
  const std::vector<Row> rows = {
      {"version: 1\nfilesystem_policy: {read_only: ['/sandbox/a**']}\n",
       "old.yaml:2:33: filesystem_policy.read_only[0]: a name that no glob of nacre can name"},
      {"version: 1\nnetwork_policies: {a: {binaries: [{harness: true}]}}\n",
       "old.yaml:2:35: network_policies.a.binaries[0]: a binary needs \"path\""},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: 'a!b.example', port: 1}]}}\n",
       "old.yaml:2:36: network_policies.a.endpoints[0].host: \"a!b.example\" is no host"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: '*.a!b.example', port: 1}]}}\n",
       "old.yaml:2:36: network_policies.a.endpoints[0].host: \"*.a!b.example\" is no host"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: '*.example', port: 1}]}}\n",
       "old.yaml:2:36: network_policies.a.endpoints[0].host: too wide: every host below a "
       "top-level domain"},
      {With("        rules: [{}]\n"),
       "old.yaml:8:17: network_policies.a.endpoints[0].rules[0]: a rule needs \"allow\""},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto imported = ImportOpenShell("old.yaml", row.text);
    REQUIRE_FALSE(imported.ok());
    CHECK(imported.error().message == row.said);
  }
}

TEST_CASE("a built-in query that is refused says what there is") {
  const std::vector<Row> rows = {
      {"no-flows",
       "built-in query \"no-flows\": unknown; there are no-flow, no-write-execute, no-credential, "
       "no-wider, "
       "rules-reachable; did you mean \"no-flow\"?"},
      {"no-flow=top",
       "built-in query \"no-flow=top\": expected public, internal, confidential or secret after "
       "\"=\""},
      {"no-credential",
       "built-in query \"no-credential\": expected a tool: no-credential=proc.run"},
      {"no-wider=a", "built-in query \"no-wider=a\": takes no value"},
  };
  for (const Row& row : rows) {
    const auto query = ParseBuiltInQuery(row.text);
    REQUIRE_FALSE(query.ok());
    CHECK(query.error().message == row.said);
  }
}

}  // namespace
}  // namespace nacre::policy
