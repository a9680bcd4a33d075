#include "policy/evaluator.h"

#include <algorithm>
#include <random>

#include "load.h"
#include "policy/explain.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

Request Call(const std::string& tool, Json arguments) {
  return {.tool = tool, .arguments = std::move(arguments), .paths = {}};
}

Request OnPath(const std::string& tool, const std::string& path, PathAccess access) {
  return {.tool = tool, .arguments = {{"path", path}}, .paths = {{"path", path, access}}};
}

// One rule that allows tool t under the given `args` line, asked about the given arguments.
Decision Judge(const std::string& args, Json arguments) {
  const auto policy = FromText(
      "tools:\n  - {id: a, reason: fine, tool: t, decision: allow, args: {" + args + "}}\n");
  return Evaluate(*policy, Call("t", std::move(arguments)));
}

TEST_CASE("a path is normal when making it so changes nothing") {
  std::mt19937 random(11);
  const std::vector<std::string> pieces = {"/", ".", "..", "a", "b.c", "//", "/./", "/../", "..."};
  size_t normal = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string path = random() % 8 == 0 ? "" : "/";
    for (size_t n = random() % 6; n > 0; --n) {
      path += pieces[random() % pieces.size()];
    }
    CAPTURE(path);
    const bool changes_nothing = path.substr(0, 1) == "/" && NormalisePath(path) == path;
    REQUIRE(IsNormalPath(path) == changes_nothing);
    normal += changes_nothing ? 1 : 0;
  }
  CHECK(normal > 1000);
  CHECK_FALSE(IsNormalPath(std::string("/a\0b", 4)));
}

TEST_CASE(
    "a path is judged by its name and by where links lead it, and the stricter answer holds") {
  const auto policy = FromText(R"(
workspace: {mode: direct, hide: [secret/**], protect: [policy/**]}
tools:
  - {id: read, reason: reading is safe, tool: fs.read, args: {path: {under: /workspace}}, decision: allow}
  - {id: private, reason: not for agents, tool: fs.*, args: {path: {under: /workspace/private}}, decision: deny}
  - {id: docs, reason: the documentation, tool: fs.write, args: {path: {under: /workspace/docs}}, decision: allow}
  - {id: moves, reason: moving needs a person, tool: fs.move, decision: ask}
  - id: in-out
    reason: nothing goes from in to out
    tool: fs.move
    args: {from: {under: /workspace/in}, to: {under: /workspace/out}}
    decision: deny
)");
  const auto judge = [&](const std::string& tool, const std::string& path,
                         const std::string& followed) {
    Request request =
        OnPath(tool, path, tool == "fs.read" ? PathAccess::kRead : PathAccess::kWrite);
    request.paths[0].followed = followed;
    return Evaluate(*policy, request);
  };
  CHECK(judge("fs.read", "/workspace/pub/a", "").verdict == Verdict::kAllow);
  CHECK(judge("fs.read", "/workspace/pub/a", "/workspace/other/a").verdict == Verdict::kAllow);
  const Decision led = judge("fs.read", "/workspace/pub/a", "/workspace/private/a");
  CHECK(led.verdict == Verdict::kDeny);
  CHECK(led.rule == "tools.private");
  CHECK(led.reason == "pub/a leads to private/a: not for agents");
  CHECK(led.source.line > 0);
  CHECK(*led.grant == Grant());
  // Nor does a link that leads to an allowed place make its own place allowed.
  CHECK(judge("fs.read", "/workspace/private/a", "/workspace/pub/a").rule == "tools.private");
  CHECK(judge("fs.write", "/workspace/docs/l", "/workspace/src/a").rule == "default");
  CHECK(judge("fs.write", "/workspace/docs/l", "/workspace/docs/a").verdict == Verdict::kAllow);
  CHECK(judge("fs.read", "/workspace/l", "/etc/shadow").rule == "default");
  CHECK(judge("fs.read", "/workspace/l", "/workspace/secret/a").rule == "workspace.hide");
  CHECK(judge("fs.write", "/workspace/docs/l", "/workspace/policy/a").rule == "workspace.protect");
  const Decision unknown = judge("fs.read", "/workspace/pub/a", kNowhereKnown);
  CHECK(unknown.rule == "workspace.paths");
  CHECK(unknown.reason == "where the links in pub/a lead cannot be told");

  // Who is asked only of the place that the link leads to is asked.
  const auto asking = FromText(R"(
workspace: {mode: direct}
tools:
  - {id: writes, reason: writing needs a person, tool: fs.write, decision: ask}
narrow:
  - {id: prod, reason: production, tool: fs.write, args: {path: {under: /workspace/prod}}, decision: ask,
     approvers: {users: [security]}}
)");
  Request write = OnPath("fs.write", "/workspace/notes", PathAccess::kWrite);
  CHECK(Evaluate(*asking, write).approvers.size() == 1);
  write.paths[0].followed = "/workspace/prod/x";
  const Decision both = Evaluate(*asking, write);
  REQUIRE(both.approvers.size() == 2);
  CHECK(both.approvers[1].users == std::vector<std::string>{"security"});
  CHECK(both.reason.find("production") != std::string::npos);

  // One path by its name, another by where it leads.
  Request move{.tool = "fs.move",
               .arguments = {{"from", "/workspace/in/a"}, {"to", "/workspace/x/a"}},
               .paths = {{"from", "/workspace/in/a", PathAccess::kWrite},
                         {"to", "/workspace/x/a", PathAccess::kWrite}}};
  CHECK(Evaluate(*policy, move).verdict == Verdict::kAsk);
  move.paths[0].followed = "/workspace/y/a";
  CHECK(Evaluate(*policy, move).verdict == Verdict::kAsk);
  move.paths[1].followed = "/workspace/out/a";
  CHECK(Evaluate(*policy, move).rule == "tools.in-out");
  CHECK(Evaluate(*policy, move).approvers.empty());

  // An explanation says by which links alone a rule matches.
  const auto trace = [&](const Request& request, const std::string& rule) {
    for (const RuleTrace& each : Explain(*policy, request).considered) {
      if (each.rule == rule) {
        return each;
      }
    }
    return RuleTrace();
  };
  CHECK(trace(move, "tools.in-out").matched);
  CHECK(trace(move, "tools.in-out").followed == std::vector<std::string>{"x/a leads to out/a"});
  move.paths[1].path = "/workspace/out/b";
  CHECK(trace(move, "tools.in-out").matched);
  CHECK(trace(move, "tools.in-out").followed.empty());
  move.paths[0].path = "/workspace/x/a";
  CHECK_FALSE(trace(move, "tools.in-out").matched);
  CHECK_FALSE(trace(move, "tools.in-out").missing.empty());
  move.paths[0].path = "/workspace/in/a";
  move.paths[1].path = "/workspace/x/a";
  move.paths[1].followed = kNowhereKnown;
  CHECK_FALSE(trace(move, "tools.in-out").matched);
  CHECK(Explain(*policy, move).decision.rule == "workspace.paths");
}

TEST_CASE("each matcher holds for what it names and for nothing else") {
  struct Row {
    const char* args;
    Json arguments;
    const char* missing;  // "" when allowed
  };
  const std::vector<Row> rows = {
      {"a: x", {{"a", "x"}}, ""},
      {"a: x", {{"a", "y"}}, "a \"y\" is not \"x\""},
      {"a: x", Json::object(), "a is missing"},
      {"a: 7", {{"a", 7}}, ""},
      {"a: 7", {{"a", "7"}}, "a \"7\" is not 7"},
      {"a: \"7\"", {{"a", 7}}, "a 7 is not \"7\""},
      {"a: -1", {{"a", 18446744073709551615ULL}}, "a 18446744073709551615 is not -1"},
      {"a: true", {{"a", true}}, ""},
      {"a: true", {{"a", 1}}, "a 1 is not true"},
      {"a: {equals: x}", {{"a", {"x"}}}, "a has a type that equals does not accept"},
      {"a: {one_of: [x, y]}", {{"a", "y"}}, ""},
      {"a: {one_of: [x, y, z, u]}", {{"a", "v"}}, "a \"v\" is not one of x, y, z, …"},
      {"a: {one_of: [x]}", {{"a", nullptr}}, "a has a type that one_of does not accept"},
      {"a: {matches: '[a-z]+'}", {{"a", "abc"}}, ""},
      {"a: {matches: '[a-z]+'}", {{"a", "abc1"}}, "a \"abc1\" does not match [a-z]+"},
      {"a: {matches: 'b'}", {{"a", "abc"}}, "a \"abc\" does not match b"},  // the whole, not a part
      {"a: {matches: 'a|b'}", {{"a", "ab"}}, "a \"ab\" does not match a|b"},
      {"a: {matches: 'a$'}", {{"a", "a\nb"}}, "a \"a\\x0ab\" does not match a$"},
      {"a: {matches: '.*'}", {{"a", "a\nb"}}, ""},  // "." is a line break too
      {"a: {matches: '[^\\n]*'}", {{"a", "a\nb"}}, "a \"a\\x0ab\" does not match [^\\n]*"},
      {"a: {not: {matches: '--out(=.*)?'}}",
       {{"a", "--out=a\nb"}},
       "a \"--out=a\\x0ab\" must not match --out(=.*)?"},
      {"a: {matches: 'a'}", {{"a", 1}}, "a has a type that matches does not accept"},
      {"a: {glob: '**/*.c'}", {{"a", "x/y.c"}}, ""},
      {"a: {glob: '*.c'}", {{"a", "x/y.c"}}, "a \"x/y.c\" does not match *.c"},
      {"a: {under: /workspace/x}", {{"a", "/workspace/x/y"}}, ""},
      {"a: {under: /workspace/x}", {{"a", "x/y"}}, ""},  // counts from the workspace
      {"a: {under: /workspace}",
       {{"a", "/workspace-evil/x"}},
       "a \"/workspace-evil/x\" is not under /workspace"},
      {"a: {under: /workspace}",
       {{"a", "../etc/passwd"}},
       "a \"../etc/passwd\" is not under /workspace"},
      {"a: {under: /workspace/x}",
       {{"a", "/workspace/x/../y"}},
       "a \"/workspace/x/../y\" is not under /workspace/x"},
      {"a: {under: /workspace}",
       {{"a", std::string("a\0b", 3)}},
       "a has a type that under does not accept"},
      {"a: {max_length: 3}", {{"a", "abc"}}, ""},
      {"a: {max_length: 3}", {{"a", "abcd"}}, "a is longer than 3 bytes"},
      {"a: {max_length: 3}", {{"a", {"x"}}}, "a has a type that max_length does not accept"},
      {"a: {max_items: 2}", {{"a", {1, 2}}}, ""},
      {"a: {max_items: 2}", {{"a", {1, 2, 3}}}, "a has more than 2 items"},
      {"a: {max_items: 2}", {{"a", "x"}}, "a has a type that max_items does not accept"},
      {"a: {range: [-1, 5]}", {{"a", -1}}, ""},
      {"a: {range: [-1, 5]}", {{"a", 5}}, ""},
      {"a: {range: [-1, 5]}", {{"a", 4.5}}, ""},
      {"a: {range: [-1, 5]}", {{"a", 6}}, "a 6 is not between -1 and 5"},
      {"a: {range: [-1, 5]}",
       {{"a", 18446744073709551615ULL}},
       "a 18446744073709551615 is not between -1 and 5"},
      {"a: {range: [-1, 5]}", {{"a", "3"}}, "a has a type that range does not accept"},
      // not
      {"a: {not: {equals: x}}", {{"a", "y"}}, ""},
      {"a: {not: {equals: x}}", {{"a", "x"}}, "a \"x\" is excluded: not \"x\""},
      {"a: {not: {equals: x}}", Json::object(), "a is missing"},  // closed: absent is not "not x"
      {"a: {not: {matches: x}}", {{"a", 1}}, "a has a type that matches does not accept"},
      {"a: {not: {one_of: [x, y]}}", {{"a", "y"}}, "a \"y\" is excluded: none of x, y"},
      {"a: {not: {under: /workspace/x}}",
       {{"a", "y/../x/z"}},
       "a \"y/../x/z\" must not be under /workspace/x"},
      // paths of arguments
      {"argv[0]: wc", {{"argv", {"wc", "-l"}}}, ""},
      {"argv[1]: wc", {{"argv", {"wc"}}}, "argv[1] is missing"},
      {"argv[0]: wc", {{"argv", "wc"}}, "argv[0] is missing"},
      {"argv[*]: {max_length: 2}", {{"argv", {"wc", "-l"}}}, ""},
      {"argv[*]: {max_length: 2}", {{"argv", {"wc", "-ll"}}}, "argv[1] is longer than 2 bytes"},
      {"argv[*]: {not: {equals: -x}}",
       {{"argv", {"wc", "-x"}}},
       "argv[1] \"-x\" is excluded: not \"-x\""},
      {"argv[*]: {not: {equals: -x}}", {{"argv", Json::array()}}, "argv[*] is missing"},
      {"argv[?]: -x", {{"argv", {"wc", "-x"}}}, ""},
      {"argv[?]: -x", {{"argv", {"wc", "-y"}}}, "no element of argv[?] meets equals"},
      {"argv[?]: -x", {{"argv", Json::array()}}, "no element of argv[?] meets equals"},
      {"edits[*].path: {under: /workspace}",
       {{"edits", {{{"path", "a"}}, {{"path", "/b"}}}}},
       "edits[1].path \"/b\" is not under /workspace"},
      {"a.b: 1", {{"a", {{"b", 1}}}}, ""},
      {"a.b: 1", {{"a", 1}}, "a.b is missing"},
      // several conditions: all must hold
      {"a: {max_length: 3, matches: '[a-z]*'}", {{"a", "ab1"}}, "a \"ab1\" does not match [a-z]*"},
      {"a: x, b: y", {{"a", "x"}}, "b is missing"},
  };
  for (const Row& row : rows) {
    INFO(row.args << " against " << DumpJson(row.arguments));
    const Decision decision = Judge(row.args, row.arguments);
    const std::string missing = row.missing;
    if (missing.empty()) {
      CHECK(decision.verdict == Verdict::kAllow);
      CHECK(decision.rule == "tools.a");
      CHECK(decision.reason == "fine");
      CHECK(decision.source == SourceLocation{"p.yaml", 4, 5});
    } else {
      CHECK(decision.verdict == Verdict::kDeny);
      CHECK(decision.rule == "default");
      CHECK(decision.reason == "no rule allows t with these arguments: " + missing);
      CHECK(*decision.grant == Grant{});
    }
  }
}

TEST_CASE(
    "a path argument is compared in full, or from the workspace when the policy writes it so") {
  const auto policy = FromText(R"(
workspace: {mode: direct}
tools:
  - {id: a, reason: r, tool: t, decision: allow, args: {path: {glob: 'src/*.c'}}}
  - {id: b, reason: r, tool: u, decision: allow, args: {path: {glob: '/workspace/src/*.c'}}}
  - {id: c, reason: r, tool: v, decision: allow, args: {path: README.md}}
)");
  const auto verdict = [&](const std::string& tool, const std::string& path) {
    return Evaluate(*policy, OnPath(tool, path, PathAccess::kRead)).verdict;
  };
  CHECK(verdict("t", "/workspace/src/a.c") == Verdict::kAllow);
  CHECK(verdict("t", "/src/a.c") == Verdict::kDeny);
  CHECK(verdict("u", "/workspace/src/a.c") == Verdict::kAllow);
  CHECK(verdict("v", "/workspace/README.md") == Verdict::kAllow);
  CHECK(verdict("v", "/README.md") == Verdict::kDeny);
}

TEST_CASE("a deny by a pattern is passed by no line break") {
  // Also where many patterns are one automaton.
  for (const int others : {0, 40}) {
    std::string rules = R"(tools:
  - {id: all, reason: r, tool: t, decision: allow}
  - {id: words, reason: r, tool: t, args: {text: {matches: '.*password.*'}}, decision: deny}
  - {id: any, reason: r, tool: t, args: {"argv[?]": {matches: '.*rm -rf.*'}}, decision: deny}
)";
    for (int i = 0; i < others; ++i) {
      rules += "  - {id: o" + std::to_string(i) +
               ", reason: r, tool: t, args: {text: {matches: 'x" + std::to_string(i) +
               ".*'}}, decision: deny}\n";
    }
    const auto policy = FromText(rules);
    const auto verdict = [&](Json arguments) {
      return Evaluate(*policy, Call("t", std::move(arguments))).verdict;
    };
    CHECK(verdict({{"text", "hello"}}) == Verdict::kAllow);
    CHECK(verdict({{"text", "my password is x"}}) == Verdict::kDeny);
    CHECK(verdict({{"text", "hello\nmy password is x"}}) == Verdict::kDeny);
    CHECK(verdict({{"text", "hello\r\n\n"}}) == Verdict::kAllow);
    CHECK(verdict({{"argv", {"sh", "a\nrm -rf /\nb"}}}) == Verdict::kDeny);
  }
}

TEST_CASE("no path leaves the workspace") {
  const auto policy = Loaded(LoadPolicy("coding"));
  struct Row {
    const char* path;
    const char* rule;
    const char* reason;
  };
  const Row row = GENERATE(values<Row>({
      {"/etc/shadow", "default", "/etc/shadow is outside the workspace"},
      {"/", "default", "/ is outside the workspace"},
      {"/workspace-evil", "default", "/workspace-evil is outside the workspace"},
      {"/workspaces/a", "default", "/workspaces/a is outside the workspace"},
      {"/Workspace/a", "default", "/Workspace/a is outside the workspace"},
      {"/proc/self/root/workspace", "default",
       "/proc/self/root/workspace is outside the workspace"},
      // What the runtime would never hand over, since it normalises; closed all the same.
      {"/workspace/../etc/shadow", "workspace.paths", "../etc/shadow is not a plain path"},
      {"/workspace/./a", "workspace.paths", "./a is not a plain path"},
      {"/workspace//a", "workspace.paths", "/a is not a plain path"},
      {"/workspace/a/", "workspace.paths", "a/ is not a plain path"},
      {"a", "workspace.paths", "a is not a plain path"},
      {"", "workspace.paths", " is not a plain path"},
      {"~/.ssh/id_rsa", "workspace.paths", "~/.ssh/id_rsa is not a plain path"},
  }));
  for (const char* tool : {"fs.read", "fs.list", "fs.search", "fs.write", "fs.edit"}) {
    const Decision decision = Evaluate(*policy, OnPath(tool, row.path, PathAccess::kRead));
    INFO(tool << " " << row.path);
    CHECK(decision.verdict == Verdict::kDeny);
    CHECK(decision.rule == row.rule);
    CHECK(decision.reason == row.reason);
  }
}

TEST_CASE("hidden files are not there, and protected ones cannot be changed") {
  const auto policy = Loaded(LoadPolicy("coding"));
  struct Row {
    const char* path;
    const char* read;
    const char* write;
  };
  const Row row = GENERATE(values<Row>({
      {".env", "policy hides .env", "policy hides .env"},
      {"a/b/.env.local", "policy hides a/b/.env.local", "policy hides a/b/.env.local"},
      {".ssh", "policy hides .ssh", "policy hides .ssh"},
      {".ssh/config", "policy hides .ssh/config", "policy hides .ssh/config"},
      {"x/id_rsa/y/z", "policy hides x/id_rsa/y/z", "policy hides x/id_rsa/y/z"},  // below a match
      {"policy.yaml", "", "policy protects policy.yaml from changes"},
      {"policy", "", "policy protects policy from changes"},
      {"policy/team/a.txt", "", "policy protects policy/team/a.txt from changes"},
      {"a/team.policy.yaml", "", "policy protects a/team.policy.yaml from changes"},
      {".git/config", "", "policy protects .git/config from changes"},
      {"sub/.git/hooks/pre-commit", "", "policy protects sub/.git/hooks/pre-commit from changes"},
      {".nacre/state.db", "", "policy protects .nacre/state.db from changes"},
      {"policy2/a", "", ""},
      {"src/environment", "", ""},
  }));
  const std::string path = std::string("/workspace/") + row.path;
  const Decision read = Evaluate(*policy, OnPath("fs.read", path, PathAccess::kRead));
  const Decision write = Evaluate(*policy, OnPath("fs.write", path, PathAccess::kWrite));
  INFO(path);
  const auto check = [](const Decision& decision, const std::string& reason) {
    if (reason.empty()) {
      CHECK(decision.verdict == Verdict::kAllow);
      return;
    }
    CHECK(decision.verdict == Verdict::kDeny);
    CHECK(decision.reason == reason);
    CHECK(decision.source.file == "builtin/base");
    CHECK(decision.source.line > 0);
  };
  check(read, row.read);
  check(write, row.write);
}

TEST_CASE("hide and protect hold against every rule that allows") {
  const auto policy = FromText(R"(
workspace: {mode: direct, hide: [secret], protect: ["fixed/**"]}
tools:
  - {id: all, reason: r, tool: fs.*, decision: allow}
)");
  const auto decide = [&](const std::string& path) {
    return Evaluate(*policy, OnPath("fs.write", path, PathAccess::kWrite));
  };
  CHECK(decide("/workspace/secret").rule == "workspace.hide");
  CHECK(decide("/workspace/secret").source == SourceLocation{"p.yaml", 4, 34});
  CHECK(decide("/workspace/secret/below").rule == "workspace.hide");
  CHECK(decide("/workspace/fixed/a").rule == "workspace.protect");
  CHECK(decide("/workspace/a").rule == "tools.all");
}

TEST_CASE("the workspace's mode bounds what a rule may allow") {
  const std::string rule = "tools:\n  - {id: all, reason: r, tool: fs.*, decision: allow}\n";
  const auto none = FromText(rule);
  const auto read_only = FromText("workspace: {mode: read-only}\n" + rule);
  const Request read = OnPath("fs.read", "/workspace/a", PathAccess::kRead);
  const Request write = OnPath("fs.write", "/workspace/a", PathAccess::kWrite);
  CHECK(Evaluate(*none, read).reason == "policy gives this agent no workspace");
  CHECK(Evaluate(*read_only, read).verdict == Verdict::kAllow);
  CHECK(Evaluate(*read_only, write).rule == "workspace.mode");
  CHECK(Evaluate(*read_only, write).reason == "policy gives this agent a read-only workspace");
}

TEST_CASE("deny beats ask beats allow, wherever they stand, and the first of equals is named") {
  const auto rule = [](const char* id, const char* decision, const std::string& argument) {
    return std::string("  - {id: ") + id + ", reason: " + id + ", tool: t, decision: " + decision +
           ", args: {" + argument + ": 1}}\n";
  };
  std::vector<std::string> rules = {rule("allow-1", "allow", "a"), rule("allow-2", "allow", "b"),
                                    rule("ask-1", "ask", "c"),     rule("ask-2", "ask", "d"),
                                    rule("deny-1", "deny", "e"),   rule("deny-2", "deny", "f")};
  std::sort(rules.begin(), rules.end());
  do {
    std::string text = "tools:\n";
    for (const std::string& each : rules) {
      text += each;
    }
    const auto policy = FromText(text);
    const auto first = [&](const std::string& one, const std::string& two) {
      return text.find(one) < text.find(two) ? "tools." + one : "tools." + two;
    };
    const Decision all =
        Evaluate(*policy, Call("t", {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}}));
    CHECK(all.verdict == Verdict::kDeny);
    CHECK(all.rule == first("deny-1", "deny-2"));
    CHECK(*all.grant == Grant{});
    const Decision ask = Evaluate(*policy, Call("t", {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}));
    CHECK(ask.verdict == Verdict::kAsk);
    CHECK(ask.rule == first("ask-1", "ask-2"));
    CHECK(*ask.grant == policy->grant);
    const Decision allow = Evaluate(*policy, Call("t", {{"a", 1}, {"b", 1}}));
    CHECK(allow.verdict == Verdict::kAllow);
    CHECK(allow.rule == first("allow-1", "allow-2"));
  } while (std::next_permutation(rules.begin(), rules.end()));
}

TEST_CASE("nothing is allowed unless a rule allows it") {
  const auto policy = FromText("workspace: {mode: direct}\n");
  CHECK(Evaluate(*policy, Call("fs.read", Json::object())).verdict == Verdict::kDeny);
  CHECK(Evaluate(*policy, Call("mail.send", Json::object())).reason == "no rule allows mail.send");
  CHECK(Evaluate(*policy, Call("a\x1b[2J", Json::object())).reason == "no rule allows a\\x1b[2J");
  const auto coding = Loaded(LoadPolicy("coding"));
  for (const char* tool : {"fs.reads", "fs.rea", "FS.READ", "fs", "fs.", "", "proc.run.x"}) {
    CHECK(Evaluate(*coding, Call(tool, Json::object())).verdict == Verdict::kDeny);
  }
}

TEST_CASE("a prefix covers what is below it and not the prefix itself") {
  const auto policy = FromText("tools:\n  - {id: a, reason: r, tool: fs.*, decision: allow}\n");
  const auto verdict = [&](const std::string& tool) {
    return Evaluate(*policy, Call(tool, Json::object())).verdict;
  };
  CHECK(verdict("fs.read") == Verdict::kAllow);
  CHECK(verdict("fs.a.b") == Verdict::kAllow);
  CHECK(verdict("fs") == Verdict::kDeny);
  CHECK(verdict("fs.") == Verdict::kDeny);
  CHECK(verdict("fsx.read") == Verdict::kDeny);
}

TEST_CASE("a tool that no arguments could make allowed is known") {
  const auto policy = FromText(R"(
tools:
  - {id: a, reason: r, tool: [t, u], decision: allow, args: {x: 1}}
  - {id: b, reason: r, tool: t, decision: deny, args: {x: {one_of: [1, 2]}}}
  - {id: c, reason: r, tool: v, decision: ask}
  - {id: d, reason: r, tool: w, decision: deny}
)");
  CHECK_FALSE(CouldAllow(*policy, "t"));
  CHECK(CouldAllow(*policy, "u"));
  CHECK(CouldAllow(*policy, "v"));
  CHECK_FALSE(CouldAllow(*policy, "w"));
  CHECK_FALSE(CouldAllow(*policy, "other"));
  const auto offline = Loaded(LoadPolicy("offline"));
  CHECK_FALSE(CouldAllow(*offline, "proc.run"));
  CHECK(CouldAllow(*offline, "fs.write"));
}

TEST_CASE("the same call gets the same answer, from every load and every time") {
  const std::vector<std::string> tools = {"fs.read", "fs.write", "proc.run", "memory.note", "x.y"};
  const std::vector<std::string> words = {"wc", "rm",   "find", "-delete", "git", "log",
                                          "-c", "node", "a.py", "python3", "",    "../x"};
  const std::vector<std::string> paths = {"/workspace/a", "/workspace/.env", "/etc/passwd",
                                          "/workspace/policy/x", "/workspace"};
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same cases every time
  const auto first = Loaded(LoadPolicy("coding"));
  const auto second = Loaded(LoadPolicy("builtin/coding"));
  const auto third = Loaded(LoadPolicyText("again", ToYaml(*first)));
  for (int i = 0; i < 3'000; ++i) {
    Request request = OnPath(tools[random() % tools.size()], paths[random() % paths.size()],
                             random() % 2 == 0 ? PathAccess::kRead : PathAccess::kWrite);
    for (size_t word = 0, count = random() % 4; word < count; ++word) {
      request.arguments["argv"].push_back(words[random() % words.size()]);
    }
    const Decision decision = Evaluate(*first, request);
    CHECK(decision == Evaluate(*second, request));
    Decision elsewhere = Evaluate(*third, request);
    elsewhere.source = decision.source;
    CHECK(decision == elsewhere);
    CHECK(decision == Explain(*first, request).decision);
  }
}

TEST_CASE("an explanation shows every rule for the tool and what each lacked") {
  const auto policy = Loaded(LoadPolicy("coding"));
  const Explanation explanation =
      Explain(*policy, Call("proc.run", {{"argv", {"git", "log", "--output=/x"}}}));
  CHECK(explanation.decision.verdict == Verdict::kDeny);
  CHECK(explanation.decision.reason ==
        "no rule allows proc.run with these arguments: argv[2] \"--output=/x\" must not match "
        "--ext-diff|--textconv|--output(=.*)?|--no-index");
  REQUIRE(explanation.considered.size() == 8);
  CHECK(explanation.rules_for_other_tools == policy->tools.size() - 8 + policy->data.flows.size());
  CHECK(explanation.not_shown == 0);
  // What came closest first: of the rule for git only the last condition failed.
  CHECK(explanation.considered[0].left == 1);
  const auto found =
      std::find_if(explanation.considered.begin(), explanation.considered.end(),
                   [](const RuleTrace& trace) { return trace.rule == "tools.run-text-programs"; });
  REQUIRE(found != explanation.considered.end());
  const RuleTrace& text = *found;
  CHECK_FALSE(text.matched);
  CHECK(text.missing == "argv[0] \"git\" is not one of wc, grep, sort, …");
  CHECK(text.source.file == "builtin/coding");
  CHECK(text.source.line > 0);

  const Explanation allowed = Explain(*policy, Call("proc.run", {{"argv", {"wc", "-l"}}}));
  CHECK(allowed.considered[0].rule == "tools.run-text-programs");
  CHECK(allowed.considered[0].matched);
  CHECK(allowed.considered[0].missing.empty());
  CHECK_FALSE(allowed.considered[1].matched);

  const Explanation hidden =
      Explain(*policy, OnPath("fs.read", "/workspace/.env", PathAccess::kRead));
  REQUIRE(hidden.considered.size() == 2);
  CHECK(hidden.considered[0].rule == "workspace.hide");
  CHECK(hidden.considered[1].rule == "tools.read-workspace");
  CHECK(hidden.considered[1].matched);  // and yet: hide comes first
}

TEST_CASE("an explanation shows flows and rates, and what each lacked") {
  const auto policy = FromText(R"(
tools:
  - {id: all, reason: r, tool: "*", decision: allow}
data:
  sources: [{tool: a, categories: [pii]}]
  flows:
    - {id: secrets, reason: stays, when: {confidentiality: {at_least: secret}}, to: [send], decision: deny}
    - {id: pii, reason: stays, when: {categories: [pii]}, to: {effects: [send]}, decision: ask}
    - {id: strangers, reason: who, when: {argument: {roles: [recipient, url], origin: [stranger]}}, to: [send], decision: ask}
    - {id: untrusted, reason: who, when: {integrity: untrusted}, to: {effects: [send]}, decision: ask}
    - {id: pays, reason: r, when: {integrity: untrusted}, to: {effects: [pay]}, decision: deny}
budgets:
  rates:
    - {id: few, reason: enough, tool: send, calls: 2, wall: 10m, bytes_out: 900B, per: hour}
    - {id: none, reason: never, tool: stop, calls: 0, per: turn}
)");
  Request request = Call("send", {{"to", "x"}});
  request.flow.effects = {CallEffect::kSend};
  request.flow.context.confidentiality = Confidentiality::kConfidential;
  request.flow.arguments.push_back({"to", ArgumentRole::kRecipient, "x", Origin::kUser});
  const auto shown = [&] {
    std::vector<std::string> lines;
    for (const RuleTrace& trace : Explain(*policy, request).considered) {
      lines.push_back(trace.rule + ": " + (trace.matched ? "matches" : trace.missing));
    }
    return lines;
  };
  CHECK(shown() == std::vector<std::string>{
                       "tools.all: matches",
                       "data.secrets: the context is confidential, which is less than secret",
                       "data.pii: the context has no data of pii",
                       "data.strangers: no recipient or url has the origin stranger",
                       "data.untrusted: the context is trusted",
                       "budgets.few: denies once calls in this hour have used up 2 runs or 10m or "
                       "900 bytes out; what they have used is not looked at here"});
  CHECK(Explain(*policy, request).rules_for_other_tools == 2);
  CHECK(Explain(*policy, request).decision.verdict == Verdict::kAllow);
  request.flow.context.integrity = Integrity::kUntrusted;
  request.flow.context.confidentiality = Confidentiality::kSecret;
  request.flow.context.categories.insert("pii");
  request.flow.arguments[0].origin = Origin::kStranger;
  CHECK(shown()[1] == "data.secrets: matches");
  CHECK(shown()[4] == "data.untrusted: matches");
  CHECK(Explain(*policy, request).decision.rule == "data.secrets");
  // A rate of no calls at all denies the first.
  CHECK(Explain(*policy, Call("stop", Json::object())).decision.rule == "budgets.none");
}

TEST_CASE("of many rules that do not match, the closest are explained") {
  std::string rules = "tools:\n";
  for (int i = 0; i < 30; ++i) {
    rules += "  - {id: r" + std::to_string(i) +
             ", reason: r, tool: t, args: {a: " + (i == 20 ? "x" : "y") + std::to_string(i % 20) +
             ", b: {max_length: 0}, c: z" + std::to_string(i) + "}, decision: allow}\n";
  }
  rules += "  - {id: last, reason: r, tool: t, args: {a: x0}, decision: allow}\n";
  const Explanation explanation =
      Explain(*FromText(rules), Call("t", {{"a", "x0"}, {"b", "long"}, {"c", "z20"}}));
  REQUIRE(explanation.considered.size() == 1 + kExplainedMax);
  CHECK(explanation.considered[0].rule == "tools.last");
  CHECK(explanation.considered[1].rule == "tools.r20");
  CHECK(explanation.considered[1].left == 1);
  CHECK(explanation.not_shown == 20);
}

TEST_CASE("a reason is short and visible, whatever the call holds") {
  const auto policy = Loaded(LoadPolicy("coding"));
  const std::string evil = "\x1b[2J" + std::string(100'000, 'x');
  CHECK(Evaluate(*policy, Call("proc.run", {{"argv", {evil}}})).reason.size() < 300);
  const std::string reason =
      Evaluate(*policy, OnPath("fs.read", "/\n" + evil, PathAccess::kRead)).reason;
  CHECK(reason.size() < 400);
  CHECK(reason.find('\n') == std::string::npos);
  CHECK(reason.find('\x1b') == std::string::npos);
  CHECK(Evaluate(*policy, Call(evil, Json::object())).reason.size() < 300);
}

TEST_CASE("a rule that holds because no host is certain says so") {
  const auto policy = FromText(R"(
tools:
  - {id: no, reason: not there, tool: t, args: {url: {host_in: [b.c]}}, decision: deny}
  - {id: ask, reason: who, tool: t, args: {'urls[?]': {host_in: [b.c]}}, decision: ask}
  - {id: all, reason: r, tool: t, decision: allow}
)");
  const auto reason = [&](const Json& arguments) {
    const Decision decision = Evaluate(*policy, {.tool = "t", .arguments = arguments, .paths = {}});
    return decision.rule + ": " + decision.reason;
  };
  CHECK(reason({{"url", "https://b.c/"}}) == "tools.no: not there");
  CHECK(reason({{"url", "https://b.c@d.e"}}) ==
        "tools.no: not there: url \"https://b.c@d.e\" names no host for certain");
  CHECK(reason({{"urls", {"https://d.e", "https://f g"}}}) ==
        "tools.ask: who: urls[?] names no host for certain");
  CHECK(reason({{"urls", {"https://f g", "https://b.c"}}}) == "tools.ask: who");
  CHECK(reason({{"url", "https://d.e"}}) == "tools.all: r");
}

TEST_CASE("who asks too is asked as well, in tools, narrow and flows") {
  const auto policy = FromText(R"(tools:
  - {id: mail, reason: mail leaves the house, tool: mail.send, decision: ask}
  - {id: look, reason: fine, tool: fs.read, decision: allow}
narrow:
  - {id: two, reason: two must see it, tool: "*", decision: ask, approvers: {role: operator, count: 2}}
data:
  sources: [{tool: fs.read, confidentiality: secret}]
  flows: [{id: out, reason: it may be private, when: {confidentiality: {at_least: public}}, to: [mail.send], decision: ask}]
)");
  const Approvers two{.role = "operator", .count = 2};
  const Decision mail = Evaluate(*policy, Call("mail.send", Json::object()));
  CHECK(mail.verdict == Verdict::kAsk);
  CHECK(mail.rule == "tools.mail");
  CHECK(mail.approvers ==
        std::vector<Approvers>{Approvers(), two});  // the flow's are the first again
  CHECK(
      mail.reason.find("mail leaves the house; and narrow.two asks: two must see it; and data.out "
                       "asks: it may be private") == 0);
  const Decision look = Evaluate(*policy, Call("fs.read", Json::object()));
  CHECK(look.rule == "narrow.two");
  CHECK(look.approvers == std::vector<Approvers>{two});
  CHECK(Evaluate(*policy, Call("x", Json::object())).approvers.empty());
}

TEST_CASE("of rules of tools that ask, the approvers of each are asked, and a deny asks nobody") {
  const auto policy = FromText(R"(
tools:
  - {id: one, reason: alice looks, tool: "*", decision: ask, approvers: {users: [alice]}}
  - {id: two, reason: the team looks, tool: "mail.*", args: {to: {matches: '.*@b'}}, decision: ask, approvers: {role: team}}
  - {id: again, reason: so does the team, tool: ["mail.*", mail.send], args: {to: eve@b}, decision: ask, approvers: {role: team}}
  - {id: many, reason: two look, tool: [mail.send, "mail.*"], decision: ask, approvers: {role: team, count: 2}}
  - {id: never, reason: not to c, tool: mail.send, args: {to: {matches: '.*@c'}}, decision: deny}
)");
  const Approvers alice{.users = {"alice"}};
  const Approvers team{.role = "team"};
  const Approvers two{.role = "team", .count = 2};
  const Decision all = Evaluate(*policy, Call("mail.send", {{"to", "eve@b"}}));
  CHECK(all.verdict == Verdict::kAsk);
  CHECK(all.rule == "tools.one");
  CHECK(all.reason ==
        "alice looks; and tools.two asks: the team looks; and tools.many asks: two look");
  CHECK(all.approvers == std::vector<Approvers>{alice, team, two});
  CHECK(*all.grant == policy->grant);
  CHECK(Explain(*policy, Call("mail.send", {{"to", "eve@b"}})).decision == all);
  CHECK(Evaluate(*policy, Call("mail.send", {{"to", "ann@a"}})).approvers ==
        std::vector<Approvers>{alice, two});
  CHECK(Evaluate(*policy, Call("fs.read", Json::object())).approvers ==
        std::vector<Approvers>{alice});
  const Decision never = Evaluate(*policy, Call("mail.send", {{"to", "x@c"}}));
  CHECK(never.rule == "tools.never");
  CHECK(never.reason == "not to c");
  CHECK(never.approvers.empty());
}

TEST_CASE("of rules of narrow that ask, the approvers of each are asked, and a deny asks nobody") {
  const std::string narrow = R"(
tools:
  - {id: any, reason: r, tool: "*", decision: allow}
narrow:
  - {id: one, reason: alice looks, tool: "*", decision: ask, approvers: {users: [alice]}}
  - {id: two, reason: the team looks, tool: mail.send, args: {to: {matches: '.*@b'}}, decision: ask, approvers: {role: team}}
  - {id: again, reason: so does alice, tool: "mail.*", args: {to: eve@b}, decision: ask, approvers: {role: team}}
  - {id: never, reason: not to c, tool: mail.send, args: {to: {matches: '.*@c'}}, decision: deny}
)";
  const auto policy = FromText(narrow);
  const Approvers alice{.users = {"alice"}};
  const Approvers team{.role = "team"};
  const Decision both = Evaluate(*policy, Call("mail.send", {{"to", "eve@b"}}));
  CHECK(both.rule == "narrow.one");
  CHECK(both.reason == "alice looks; and narrow.two asks: the team looks");
  CHECK(both.approvers == std::vector<Approvers>{alice, team});
  CHECK(Evaluate(*policy, Call("mail.send", {{"to", "ann@a"}})).approvers ==
        std::vector<Approvers>{alice});
  CHECK(Evaluate(*policy, Call("mail.read", Json::object())).approvers ==
        std::vector<Approvers>{alice});
  const Decision never = Evaluate(*policy, Call("mail.send", {{"to", "x@c"}}));
  CHECK(never.rule == "narrow.never");
  CHECK(never.approvers.empty());
}

TEST_CASE("a tenant's narrow rule does not take the place of the operator's") {
  LoadOptions options;
  options.tenant = LoadOptions::Tenant{
      "t.yaml",
      "nacre: policy/1\nname: t\ntools:\n"
      "  - {id: mine, reason: t, tool: '*', decision: ask, approvers: {users: [carol]}}\n"};
  const auto policy = FromText(R"(
tools:
  - {id: any, reason: r, tool: "*", decision: allow}
narrow:
  - {id: theirs, reason: alice looks, tool: mail.send, decision: ask, approvers: {users: [alice]}}
)",
                               options);
  CHECK(Evaluate(*policy, Call("mail.send", Json::object())).approvers ==
        std::vector<Approvers>{{.users = {"alice"}}, {.users = {"carol"}}});
}

}  // namespace
}  // namespace nacre::policy
