// Every way in which a document is wrong, with the exact line that a person reads.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "base/file.h"
#include "base/temp_dir.h"
#include "load.h"

namespace nacre::policy {
namespace {

// After the two lines that every document begins with.
std::string Said(const std::string& text, const LoadOptions& options = {}) {
  return Refusal("nacre: policy/1\nname: p\n" + text, options);
}

// A document with one rule, whose lines begin at line 4.
std::string SaidOfRule(const std::string& rule) {
  return Said("tools:\n" + rule);
}

TEST_CASE("each mistake is named at its line and column") {
  struct Row {
    const char* text;
    const char* said;
  };
  const Row row = GENERATE(values<Row>({
      {"workspce: {}\n", R"(p.yaml:3:1: workspce: unknown key; did you mean "workspace"?)"},
      {"network: []\n",
       R"(p.yaml:3:1: network: this version does not enforce "network", so it refuses the policy)"},
      {"inference: []\n",
       R"(p.yaml:3:1: inference: this version does not enforce "inference", so it refuses the policy)"},
      {"name: q\n", "p.yaml:3:1: name: duplicate key"},
      {"workspace: direct\n", "p.yaml:3:12: workspace: expected a map of keys, found a value"},
      {"workspace:\n", "p.yaml:3:1: workspace: expected a map of keys, found nothing"},
      {"workspace: {commit: {changes: 0}}\n",
       "p.yaml:3:31: workspace.commit.changes: 0 is not between 1 and 65536"},
      {"workspace: {commit: {links: outside}}\n",
       "p.yaml:3:29: workspace.commit.links: \"outside\" is not one of allow, inside, deny"},
      {"workspace: {mode: readonly}\n",
       "p.yaml:3:19: workspace.mode: \"readonly\" is not one of none, read-only, transactional, "
       "direct; did you mean \"read-only\"?"},
      {"workspace: {hide: '*.pem'}\n",
       "p.yaml:3:19: workspace.hide: expected a list, found a value"},
      {"workspace:\n  hide:\n    - a\n    - 'b**'\n",
       R"(p.yaml:6:7: workspace.hide[1]: "**" must stand alone between slashes)"},
      {"workspace: {hide: [/workspace/secret/x]}\n",
       "p.yaml:3:20: workspace.hide[0]: globs here count from the workspace, without a leading "
       "\"/\"; "
       "did you mean \"secret/x\"?"},
      {"workspace: {hide: ['**']}\n",
       "p.yaml:3:20: workspace.hide[0]: this is the whole workspace; use mode: none"},
      {"workspace: {protect: ['**']}\n",
       "p.yaml:3:23: workspace.protect[0]: this is the whole workspace; use mode: read-only"},
      {"workspace: {hide: [**/a]}\n",
       "p.yaml:3:20: YAML anchors and aliases are not accepted; write the value out, and quote a "
       "glob "
       "that begins with *"},
      {"sandbox: {isolation: gvizor}\n",
       R"(p.yaml:3:22: sandbox.isolation: "gvizor" is not one of namespace, gvisor, microvm; did you )"
       R"(mean "gvisor"?)"},
      {"sandbox: {profile: shel}\n",
       "p.yaml:3:20: sandbox.profile: \"shel\" is not one of pure, default, shell, build, "
       "network-client; did you mean \"shell\"?"},
      {"sandbox: {limits: {wal: 1s}}\n",
       R"(p.yaml:3:20: sandbox.limits.wal: unknown key; did you mean "wall"?)"},
      {"sandbox: {limits: {wall: 30}}\n",
       "p.yaml:3:26: sandbox.limits.wall: expected a duration with its unit, such as 500ms, 30s, "
       "10m "
       "or 1h"},
      {"sandbox: {limits: {wall: 2h}}\n",
       "p.yaml:3:26: sandbox.limits.wall: 2h is not between 10ms and 1h"},
      {"sandbox: {limits: {cpu: 1500ms}}\n",
       "p.yaml:3:25: sandbox.limits.cpu: expected whole seconds"},
      {"sandbox: {limits: {memory: 512M}}\n",
       "p.yaml:3:28: sandbox.limits.memory: expected a size with its unit, such as 64KiB, 512MiB "
       "or "
       "2GiB"},
      {"sandbox: {limits: {memory: 1KiB}}\n",
       "p.yaml:3:28: sandbox.limits.memory: 1KiB is not between 8MiB and 1TiB"},
      {"sandbox: {limits: {tasks: 0}}\n",
       "p.yaml:3:27: sandbox.limits.tasks: 0 is not between 1 and 4096"},
      {"sandbox: {limits: {inodes: 15}}\n",
       "p.yaml:3:28: sandbox.limits.inodes: 15 is not between 16 and 16777216"},
      {"sandbox: {limits: {tasks: many}}\n",
       "p.yaml:3:27: sandbox.limits.tasks: expected a whole number"},
      {"sandbox: {limits: {tasks: 18446744073709551615}}\n",
       "p.yaml:3:27: sandbox.limits.tasks: expected a whole number"},
      {"sandbox: {limits: {tasks: '64'}}\n",
       "p.yaml:3:27: sandbox.limits.tasks: expected a whole number"},
      {"sandbox: {share_network: session}\n",
       "p.yaml:3:26: sandbox.share_network: expected true or false"},
      {"sandbox: {profile: network-client, share_network: true}\n",
       "p.yaml:1:1: sandbox.share_network: calls of the profile network-client have sockets, "
       "which could meet in a shared network; choose another profile, or share_network: false"},
      {"sandbox: {require: {cgroup: yes}}\n",
       "p.yaml:3:29: sandbox.require.cgroup: expected true or false"},
      {"sandbox: {require: {id_maps: no}}\n",
       "p.yaml:3:30: sandbox.require.id_maps: expected true or false"},
      {"sandbox: {require: {landlock: -1}}\n",
       "p.yaml:3:31: sandbox.require.landlock: -1 is not between 0 and 100"},
      {"budgets: {turn: {steps: 0}}\n",
       "p.yaml:3:25: budgets.turn.steps: 0 is not between 1 and 10000"},
      {"budgets: {tenant_per_day: {tokens: 0}}\n",
       "p.yaml:3:36: budgets.tenant_per_day.tokens: 0 is not between 1 and 1000000000000"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, per: day}]}\n",
       "p.yaml:3:19: budgets.rates[0]: a rate needs \"calls\", \"wall\" or \"bytes_out\""},
      {"budgets: {rates: [{id: a, reason: r, tool: t, wall: 1ms, per: day}]}\n",
       "p.yaml:3:53: budgets.rates[0].wall: 1ms is not between 100ms and 8760h"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, bytes_out: 9, per: day}]}\n",
       "p.yaml:3:58: budgets.rates[0].bytes_out: expected a size with its unit, such as 64KiB, "
       "512MiB or 2GiB"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, tokens: 9, per: day}]}\n",
       "p.yaml:3:55: budgets.rates[0].tokens: the engine uses tokens, between calls: no tool does. "
       "Bound them in budgets.turn, budgets.session or budgets.tenant_per_day"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, calls: 1, joules: 9, per: day}]}\n",
       "p.yaml:3:65: budgets.rates[0].joules: the engine uses joules, between calls: no tool does. "
       "Bound them in budgets.turn, budgets.session or budgets.tenant_per_day"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, steps: 9, per: day}]}\n",
       "p.yaml:3:54: budgets.rates[0].steps: the engine uses steps, between calls: no tool does. "
       "Bound them in budgets.turn, budgets.session or budgets.tenant_per_day"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, calls: 1}]}\n",
       "p.yaml:3:19: budgets.rates[0]: a rate needs \"per\""},
      {"budgets: {rates: [{id: a, reason: r, tool: t, calls: -1, per: day}]}\n",
       "p.yaml:3:54: budgets.rates[0].calls: -1 is not between 0 and 1000000000"},
      {"budgets: {rates: [{id: a, reason: r, tool: t, calls: 1, per: days}]}\n",
       "p.yaml:3:62: budgets.rates[0].per: \"days\" is not one of turn, session, minute, hour, "
       "day; "
       "did you mean \"day\"?"},
      {"budgets:\n  rates:\n    - {id: a, reason: r, tool: t, calls: 1, per: day}\n"
       "    - {id: a, reason: r, tool: u, calls: 1, per: day}\n",
       "p.yaml:6:7: budgets.a: duplicate id, first used at p.yaml:5:7"},
      {"narrow:\n  - {id: a, reason: r, tool: t, decision: allow}\n",
       "p.yaml:4:5: narrow.a: a rule here only narrows what tools allow: use ask or deny"},
      {"narrow:\n  - {id: a, reason: r, tool: t, decision: deny}\n"
       "tools:\n  - {id: a, reason: r, tool: t, decision: deny}\n",
       "p.yaml:4:5: narrow.a: duplicate id, first used at p.yaml:6:5"},
      {"audit: {on_failure: continue}\n",
       "p.yaml:3:21: audit.on_failure: \"continue\" is not one of refuse, stop"},
      {"audit: {retention: {age: 1m}}\n",
       "p.yaml:3:26: audit.retention.age: 1m is not between 1h and 876000h"},
      {"audit: {retention: {exported: cursor}}\n",
       "p.yaml:3:31: audit.retention.exported: expected a path from /"},
      {"audit: {content: none}\n",
       "p.yaml:3:18: audit.content: \"none\" is not one of digest, redacted, full"},
      {"tools: {id: x}\n", "p.yaml:3:8: tools: expected a list, found a map"},
      {"extends: builtin/base\n", "p.yaml:3:10: extends: expected a list, found a value"},
      {"extends: [builtin/bass]\n",
       "p.yaml:3:11: extends[0]: there is no shipped profile \"builtin/bass\"; did you mean "
       "\"builtin/base\"?"},
      {"extends: [coding]\n",
       "p.yaml:3:11: extends[0]: shipped profiles are named with builtin/; did you mean "
       "\"builtin/coding\"?"},
      {"extends: [../other.yaml]\n",
       "p.yaml:3:11: extends[0]: only shipped profiles and files in the same folder can be "
       "extended"},
      {"extends: [other.yaml]\n",
       "p.yaml:3:11: extends[0]: a policy that is not a file extends only shipped profiles"},
      {"tools: !!python/object []\n", "p.yaml:3:8: YAML tags are not accepted"},
      {"a: &x 1\n",
       "p.yaml:3:4: YAML anchors and aliases are not accepted; write the value out, and quote a "
       "glob "
       "that begins with *"},
      {"---\na: 1\n", "p.yaml:3:1: a policy file holds one document"},
      {"tools: [\n",
       "p.yaml:4:1: not valid YAML: did not find expected node content while parsing a flow node"},
  }));
  INFO(row.text);
  CHECK(Said(row.text) == row.said);
}

TEST_CASE("each mistake in a rule is named at its line and column") {
  struct Row {
    const char* rule;
    const char* said;
  };
  const Row row = GENERATE(values<Row>({
      {"  - {id: a, reason: r, tool: fs.read}\n",
       "p.yaml:4:5: tools[0]: a rule needs \"decision\""},
      {"  - {reason: r, tool: fs.read, decision: deny}\n",
       "p.yaml:4:5: tools[0]: a rule needs \"id\""},
      {"  - {id: a, tool: fs.read, decision: deny}\n",
       "p.yaml:4:5: tools[0]: a rule needs \"reason\""},
      {"  - {id: a, reason: r, tool: t, desicion: deny, decision: deny}\n",
       R"(p.yaml:4:33: tools[0].desicion: unknown key; did you mean "decision"?)"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {count: 2}}\n",
       "p.yaml:4:67: tools[0].approvers.count: without users or a role there is one person, who "
       "runs "
       "nacre"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {users: [a, b], count: 3}}\n",
       "p.yaml:4:82: tools[0].approvers.count: there are fewer users than that"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {users: [a, a], count: 2}}\n",
       "p.yaml:4:82: tools[0].approvers.count: there are fewer users than that"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {role: ops, count: 17}}\n",
       "p.yaml:4:78: tools[0].approvers.count: 17 is not between 1 and 16"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {role: -ops}}\n",
       "p.yaml:4:66: tools[0].approvers.role: expected the name of a group of this host, such as "
       "operator"},
      {"  - {id: a, reason: r, tool: t, decision: allow, approvers: {expires: 1m}}\n",
       "p.yaml:4:61: tools[0].approvers: only a rule that asks has approvers"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {expires: 100ms}}\n",
       "p.yaml:4:69: tools[0].approvers.expires: 100ms is not between 1s and 24h"},
      {"  - {id: a, reason: r, tool: t, decision: ask, approvers: {users: [a b]}}\n",
       "p.yaml:4:68: tools[0].approvers.users[0]: expected the name of an account of this host, "
       "such as alice"},
      {"  - {id: a, reason: r, tool: t, decision: alow}\n",
       "p.yaml:4:43: tools[0].decision: \"alow\" is not one of allow, ask, deny; did you mean "
       "\"allow\"?"},
      {"  - {id: A b, reason: r, tool: t, decision: deny}\n",
       R"(p.yaml:4:10: tools[0].id: an id is at most 64 of a-z, 0-9, ".", "_" and "-")"},
      {"  - {id: a, reason: '', tool: t, decision: deny}\n", "p.yaml:4:21: tools[0].reason: empty"},
      {"  - {id: a, reason: \"x\\ny\", tool: t, decision: deny}\n",
       "p.yaml:4:21: tools[0].reason: a reason is one line of visible characters"},
      {"  - {id: a, reason: r, tool: '**', decision: deny}\n",
       "p.yaml:4:30: tools[0].tool: expected a tool such as fs.read, all below a prefix: fs.*, or "
       "\"*\" for every tool"},
      {"  - {id: a, reason: r, tool: [fs.re*d], decision: deny}\n",
       "p.yaml:4:31: tools[0].tool[0]: expected a tool such as fs.read, all below a prefix: "
       "fs.*, or \"*\" for every tool"},
      {"  - {id: a, reason: r, tool: [], decision: deny}\n", "p.yaml:4:30: tools[0].tool: empty"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {'a b': 1}}\n",
       "p.yaml:4:56: tools[0].args.a b: not the path of an argument; write such as path, argv[0], "
       "argv[*], argv[?] or [\"file name\"]; did you mean \"[\"a b\"]\"?"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {'[\"a\"]': 1}}\n",
       "p.yaml:4:56: tools[0].args.[\"a\"]: not the path of an argument; write such as path, "
       "argv[0], argv[*], argv[?] or [\"file name\"]"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {oneof: [x]}}}\n",
       R"(p.yaml:4:60: tools[0].args.a.oneof: unknown key; did you mean "one_of"?)"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {host_in: "
       "[\"https://x.y/z\"]}}}\n",
       "p.yaml:4:70: tools[0].args.a.host_in[0]: expected a host in lower case such as "
       "api.example.com, *.example.com or 192.0.2.1, without a scheme, port or path; did you mean "
       "\"x.y\"?"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {host_in: [\"a*.x.y\"]}}}\n",
       "p.yaml:4:70: tools[0].args.a.host_in[0]: a star stands for whole labels at the front only: "
       "*.example.com"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {host_in: []}}}\n",
       "p.yaml:4:69: tools[0].args.a.host_in: empty"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {one_of: []}}}\n",
       "p.yaml:4:68: tools[0].args.a.one_of: empty"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {one_of: x}}}\n",
       "p.yaml:4:68: tools[0].args.a.one_of: expected a list, found a value"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {equals: [x]}}}\n",
       "p.yaml:4:68: tools[0].args.a.equals: expected one value: a text, a number, true or false"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {}}}\n",
       "p.yaml:4:59: tools[0].args.a: expected a matcher, such as one_of or under"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: [x]}}\n",
       "p.yaml:4:59: tools[0].args.a: expected a map of keys, found a list"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {matches: '(a'}}}\n",
       "p.yaml:4:69: tools[0].args.a.matches: bad regular expression: missing ): (a"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {matches: '(a{1000}){1000}'}}}\n",
       "p.yaml:4:69: tools[0].args.a.matches: bad regular expression: invalid repetition size: "
       "{1000}"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {matches: '(\\pL{100}){10}'}}}\n",
       "p.yaml:4:69: tools[0].args.a.matches: bad regular expression: pattern too large - compile "
       "failed"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {glob: 'x{a,b}'}}}\n",
       R"(p.yaml:4:66: tools[0].args.a.glob: "{" has no meaning in a glob)"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {under: src}}}\n",
       "p.yaml:4:67: tools[0].args.a.under: expected a full path without \".\" or \"..\", such as "
       "/workspace/src"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {max_length: -1}}}\n",
       "p.yaml:4:72: tools[0].args.a.max_length: -1 is not between 0 and 2147483647"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {range: [1]}}}\n",
       "p.yaml:4:67: tools[0].args.a.range: expected the least and the greatest value: [1, 100]"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {range: [2, 1]}}}\n",
       "p.yaml:4:67: tools[0].args.a.range: no number is in this range"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {not: {equals: 1, one_of: "
       "[2]}}}}\n",
       "p.yaml:4:65: tools[0].args.a.not: expected one matcher, such as {equals: x}"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {a: {not: {not: {equals: 1}}}}}\n",
       "p.yaml:4:65: tools[0].args.a.not: expected one matcher, such as {equals: x}"},
      {"  - {id: a, reason: r, tool: t, decision: deny, args: {argv[*]: rm}}\n",
       "p.yaml:4:56: tools[0].args.argv[*]: in a deny rule \"[*]\" would need every element to "
       "match; "
       "did you mean \"argv[?]\"?"},
      {"  - {id: a, reason: r, tool: t, decision: deny}\n"
       "  - {id: a, reason: r, tool: u, decision: deny}\n",
       "p.yaml:5:5: tools.a: duplicate id, first used at p.yaml:4:5"},
      {"  - {id: a, reason: r, tool: fs.*, decision: deny}\n"
       "  - {id: b, reason: r, tool: fs.read, decision: allow, args: {path: x}}\n",
       "p.yaml:5:5: tools.b: this rule can never decide: \"a\" at p.yaml:4:5 answers deny to every "
       "such "
       "call"},
      {"  - {id: b, reason: r, tool: fs.read, decision: allow, args: {path: x}}\n"
       "  - {id: a, reason: r, tool: fs.*, decision: deny}\n",
       "p.yaml:4:5: tools.b: this rule can never decide: \"a\" at p.yaml:5:5 answers deny to every "
       "such "
       "call"},
      {"  - {id: a, reason: r, tool: t, decision: allow, args: {p: {one_of: [x, y]}}}\n"
       "  - {id: b, reason: r, tool: t, decision: allow, args: {p: x, q: 1}}\n",
       "p.yaml:5:5: tools.b: this rule can never decide: \"a\" at p.yaml:4:5 answers allow to "
       "every such "
       "call"},
  }));
  INFO(row.rule);
  CHECK(SaidOfRule(row.rule) == row.said);
}

TEST_CASE("a rule that asks the same persons again can never decide, one that asks others can") {
  const std::string section = GENERATE("tools", "narrow");
  const std::string rules =
      section +
      ":\n  - {id: a, reason: r, tool: \"*\", decision: ask, approvers: {users: [ann]}}\n"
      "  - {id: b, reason: r, tool: fs.read, decision: ask, approvers: {users: [";
  CHECK(Refusal("nacre: policy/1\nname: p\n" + rules + "ann]}}\n") ==
        "p.yaml:5:5: " + section +
            ".b: this rule can never decide: \"a\" at p.yaml:4:5 answers ask to every such call");
  CHECK_NOTHROW(FromText(rules + "bob]}}\n"));
}

TEST_CASE("rules that leave each other something to decide are accepted") {
  const char* rules = GENERATE(
      // The narrower one first, a stricter narrower one, other tools, other arguments, a wider not.
      "  - {id: a, reason: r, tool: t, decision: allow, args: {p: x}}\n"
      "  - {id: b, reason: r, tool: t, decision: allow}\n",
      "  - {id: a, reason: r, tool: t, decision: allow}\n"
      "  - {id: b, reason: r, tool: t, decision: deny, args: {p: x}}\n",
      "  - {id: a, reason: r, tool: t, decision: deny}\n"
      "  - {id: b, reason: r, tool: [t, u], decision: allow}\n",
      "  - {id: a, reason: r, tool: t, decision: deny, args: {p: {under: /workspace/a}}}\n"
      "  - {id: b, reason: r, tool: t, decision: allow, args: {p: {under: /workspace}}}\n",
      "  - {id: a, reason: r, tool: t, decision: deny, args: {p: {not: {one_of: [x, y]}}}}\n"
      "  - {id: b, reason: r, tool: t, decision: allow, args: {p: {not: {one_of: [x]}}}}\n");
  CHECK_NOTHROW(FromText(std::string("tools:\n") + rules));
}

TEST_CASE("a document without its head says what is missing") {
  CHECK(Refusal("") == "p.yaml:1:1: expected a map of keys, found nothing");
  CHECK(Refusal("name: p\n") ==
        "p.yaml:1:1: nacre: missing; a policy begins with \"nacre: policy/1\"");
  CHECK(Refusal("nacre: policy/2\nname: p\n") ==
        "p.yaml:1:8: nacre: this version reads \"policy/1\"");
  CHECK(Refusal("nacre: policy/1\n") == "p.yaml:1:1: name: missing");
  CHECK(Refusal("nacre: policy/1\nname: [x]\n") ==
        "p.yaml:2:7: name: expected a text, found a list");
}

TEST_CASE("all mistakes of a document are reported at once, the first twenty in words") {
  CHECK(Said("tols: []\nworkspace: {mode: no}\n") ==
        "p.yaml:3:1: tols: unknown key; did you mean \"tools\"?\n"
        "p.yaml:4:19: workspace.mode: \"no\" is not one of none, read-only, transactional, direct");
  std::string many;
  for (int i = 0; i < 25; ++i) {
    many += "key" + std::to_string(i) + ": 1\n";
  }
  const std::string said = Said(many);
  CHECK(std::count(said.begin(), said.end(), '\n') == 20);
  CHECK(said.substr(said.size() - 10) == "and 5 more");
}

TEST_CASE("a mistake quotes hostile text so that it cannot draw on a terminal") {
  CHECK(Said("\"a\\e[2Jb\": 1\n") == "p.yaml:3:1: control characters are not accepted");
  CHECK(Said("\"\xE2\x80\xAE\": 1\n") == "p.yaml:3:1: \\u{202e}: unknown key");
  CHECK(Said("a: \x1b[2J\n") == "p.yaml:3:4: control characters are not accepted");
  CHECK(Said("a: \xFF\n") == "p.yaml:3:4: not valid UTF-8");
  CHECK(Said("a: \xED\xA0\x80\n") == "p.yaml:3:4: not valid UTF-8");
}

TEST_CASE("rules are held against the tools that exist, when these are known") {
  const Json properties = {{"path", {{"type", "string"}}},
                           {"argv", {{"type", "array"}, {"items", {{"type", "string"}}}}}};
  const LoadOptions options{.tools = {{"fs.read", {{"properties", {{"path", Json::object()}}}}},
                                      {"proc.run", {{"properties", properties}}}}};
  const auto rule = [](const std::string& tool, const std::string& argument) {
    return "tools:\n  - {id: a, reason: r, decision: deny, tool: " + tool + ", args: {" + argument +
           ": x}}\n";
  };
  CHECK(Said(rule("fs.raed", "path"), options) ==
        "p.yaml:4:46: tools[0].tool: there is no tool \"fs.raed\"; did you mean \"fs.read\"?");
  CHECK(Said(rule("mail.*", "path"), options) ==
        "p.yaml:4:46: tools[0].tool: there is no tool \"mail.*\"");
  CHECK(Said(rule("fs.read", "paht"), options) ==
        "p.yaml:4:62: tools[0].args.paht: \"fs.read\" has no argument \"paht\"; did you mean "
        "\"path\"?");
  CHECK(Said(rule("[proc.run, fs.read]", "argv[0]"), options) ==
        "p.yaml:4:74: tools[0].args.argv[0]: \"fs.read\" has no argument \"argv[0]\"");
  CHECK_NOTHROW(FromText(rule("proc.run", "argv[0]"), options));
  CHECK_NOTHROW(FromText(rule("fs.*", "path"), options));
  // A shipped profile may speak of tools that this installation lacks.
  CHECK_NOTHROW(FromText("extends: [builtin/coding]\n", options));
}

class Folder {
 public:
  Folder() : dir_(Unwrap(TempDir::Create("policy"))) {}

  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = dir_.path() + "/" + name;
    std::ofstream(path) << "nacre: policy/1\nname: " + name + "\n" + text;
    return path;
  }
  std::string path() const { return dir_.path(); }

 private:
  static TempDir Unwrap(Result<TempDir> result) {
    REQUIRE(result.ok());
    return std::move(result).value();
  }
  TempDir dir_;
};

TEST_CASE("a file extends the files beside it, and no others") {
  const Folder folder;
  folder.Write("a.yaml", "workspace: {mode: direct}\n");
  const auto policy = Loaded(LoadPolicy(folder.Write("b.yaml", "extends: [a.yaml]\n")));
  CHECK(policy->grant.workspace == WorkspaceMode::kDirect);
  CHECK(policy->layers ==
        std::vector<std::string>{folder.path() + "/b.yaml", folder.path() + "/a.yaml"});

  const auto missing = LoadPolicy(folder.Write("c.yaml", "extends: [nowhere.yaml]\n"));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message.find("/c.yaml:3:11: extends[0]: ") != std::string::npos);
  CHECK(missing.error().message.find("nowhere.yaml") != std::string::npos);
}

TEST_CASE("layers that extend each other in a circle are refused") {
  const Folder folder;
  const std::string a = folder.Write("a.yaml", "extends: [b.yaml]\n");
  folder.Write("b.yaml", "extends: [a.yaml]\n");
  const auto result = LoadPolicy(a);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message == folder.path() +
                                      "/b.yaml:3:11: extends[0]: \"a.yaml\" extends this file: a "
                                      "cycle");
  CHECK_FALSE(LoadPolicy(folder.Write("self.yaml", "extends: [self.yaml]\n")).ok());
}

TEST_CASE("a chain of layers has an end") {
  const Folder folder;
  for (int i = 0; i < 20; ++i) {
    folder.Write("l" + std::to_string(i) + ".yaml",
                 i == 19 ? "" : "extends: [l" + std::to_string(i + 1) + ".yaml]\n");
  }
  const auto result = LoadPolicy(folder.path() + "/l0.yaml");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message.find("more than 16 layers") != std::string::npos);
}

TEST_CASE("a mistake in a base is named in the base") {
  const Folder folder;
  folder.Write("a.yaml", "tols: []\n");
  const auto result = LoadPolicy(folder.Write("b.yaml", "extends: [a.yaml]\n"));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message ==
        folder.path() + "/a.yaml:3:1: tols: unknown key; did you mean \"tools\"?");
}

TEST_CASE("a policy that is not there says where it was looked for") {
  const auto typo = LoadPolicy("codign");
  REQUIRE_FALSE(typo.ok());
  CHECK(typo.error().code == ErrorCode::kNotFound);
  CHECK(typo.error().message ==
        "there is no policy file \"codign\" and no such profile (base, coding, offline); did you "
        "mean "
        "\"coding\"?");
  const auto folder = LoadPolicy("/");
  CHECK_FALSE(folder.ok());
}

TEST_CASE("a policy is a regular file, and nothing that has to be waited for") {
  const Folder folder;
  const std::string fifo = folder.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const std::string& file : {fifo, std::string("/dev/zero")}) {
    CHECK(LoadPolicy(file).error().message == "policy: " + file + " is no regular file");
  }
  const auto base = LoadPolicy(folder.Write("b.yaml", "extends: [fifo]\n"));
  REQUIRE_FALSE(base.ok());
  CHECK_THAT(base.error().message, Catch::Contains("extends[0]: " + fifo + " is no regular file"));
}

TEST_CASE("of very many mistakes twenty are shown, and the others counted") {
  std::string text = "tools: []\n";
  for (int i = 0; i < 300'000; ++i) {
    text += "k" + std::to_string(i) + ": 1\n";
  }
  const std::string said = Said(text);
  CHECK(std::count(said.begin(), said.end(), '\n') == 20);
  CHECK_THAT(said, Catch::EndsWith("\nand 299980 more"));
  // Known keys that are repeated are no less bounded.
  std::string again;
  for (int i = 0; i < 300'000; ++i) {
    again += "tools: []\n";
  }
  CHECK_THAT(Said(again), Catch::StartsWith("p.yaml:4:1: tools: duplicate key\n"));
}

TEST_CASE("regular expressions that are too large together are refused") {
  std::string rules = "nacre: policy/1\nname: p\ntools:\n";
  for (int i = 0; i < 900; ++i) {
    rules += "  - {id: r" + std::to_string(i) +
             ", reason: r, tool: t, args: {a: {matches: '\\pL{12}" + std::to_string(i) +
             "'}}, decision: deny}\n";
  }
  const std::string said = Refusal(rules);
  CHECK_THAT(said, Catch::Contains("the regular expressions up to here are too large together"));
  CHECK(std::count(said.begin(), said.end(), '\n') == 0);  // once, and nothing is read behind it
}

TEST_CASE("a category that no source gives is refused where a flow speaks of it") {
  const auto policy = [](const std::string& source, const std::string& flow) {
    return "nacre: policy/1\nname: p\ndata:\n  sources: [{tool: a, categories: [" + source +
           "]}]\n  flows:\n    - {id: f, reason: r, when: {categories: [" + flow +
           "]}, to: [network], decision: deny}\n";
  };
  CHECK_THAT(Refusal(policy("pii", "pi")),
             Catch::Contains("p.yaml:6:7: data.f: no source gives the category \"pi\""));
  CHECK_THAT(Refusal(policy("'customer:acme'", "'customer:acne'")),
             Catch::Contains("did you mean \"customer:acme\"?"));
  CHECK(LoadPolicyText("p.yaml", policy("pii, x", "x")).ok());
}

}  // namespace
}  // namespace nacre::policy
