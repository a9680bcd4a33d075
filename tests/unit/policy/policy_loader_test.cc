#include "policy/policy_loader.h"

#include <chrono>
#include <fstream>

#include "base/file.h"
#include "base/temp_dir.h"
#include "load.h"
#include "policy/evaluator.h"
#include "policy/internal/matcher.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {
namespace {

TEST_CASE("an empty policy grants nothing and has the documented limits") {
  const auto policy = FromText("");
  CHECK(policy->name == "p");
  CHECK(policy->layers == std::vector<std::string>{"p.yaml"});
  CHECK(policy->tools.empty());
  CHECK(policy->grant == Grant{});
  CHECK(policy->budgets == Budgets{});
  CHECK(policy->audit_on_failure == AuditFailure::kRefuse);
  CHECK(policy->audit_content == AuditContent::kDigest);
}

TEST_CASE("every value of a document reaches the policy") {
  const auto policy = FromText(R"(
workspace:
  mode: direct
  hide: ["**/.env", secret]
  protect: [policy/**]
  commit: {changes: 7, bytes: 1MiB, executables: deny, links: allow}
sandbox:
  profile: default
  isolation: gvisor
  share_network: true
  limits: {wall: 1500ms, cpu: 3s, memory: 64MiB, tasks: 7, files: 99, output: 2KiB, disk: 3MiB, inodes: 500}
  require: {landlock: 4, cgroup: false, id_maps: false, kvm: false}
tools:
  - id: run-safe-programs
    reason: counting and searching only, no shell
    tool: proc.run
    args: {argv[0]: {one_of: [wc, grep]}, argv: {max_items: 32}, n: {range: [1, 9], not: {equals: 5}}}
    decision: ask
budgets: {turn: {steps: 1, tool_calls: 2, tokens: 3, wall: 4s}}
audit: {on_failure: stop, content: full, retention: {age: 90d, bytes: 10GiB, exported: /var/lib/siem.cursor}}
)");
  CHECK(policy->grant.commit == CommitRules{.changes = 7,
                                            .bytes = 1 << 20,
                                            .executables = CommitExecutables::kDeny,
                                            .links = CommitLinks::kAllow});
  CHECK(policy->grant.workspace == WorkspaceMode::kDirect);
  CHECK(policy->grant.isolation == Isolation::kGvisor);
  CHECK(policy->grant.hide == std::vector<std::string>{"**/.env", "secret"});
  CHECK(policy->hide_sources[1] == SourceLocation{"p.yaml", 6, 21});
  CHECK(policy->grant.protect == std::vector<std::string>{"policy/**"});
  const SandboxLimits& limits = policy->grant.limits;
  CHECK(limits.wall == std::chrono::milliseconds(1500));
  CHECK(limits.cpu == std::chrono::seconds(3));
  CHECK(limits.memory_bytes == 64ULL << 20);
  CHECK(limits.tasks == 7);
  CHECK(limits.files == 99);
  CHECK(limits.output_bytes == 2048);
  CHECK(limits.disk_bytes == 3ULL << 20);
  CHECK(limits.inodes == 500);
  CHECK(policy->grant.require_landlock_abi == 4);
  CHECK_FALSE(policy->grant.require_cgroup);
  CHECK_FALSE(policy->grant.require_id_maps);
  CHECK_FALSE(policy->grant.require_kvm);
  CHECK(policy->grant.share_network);
  CHECK(policy->budgets == Budgets{1, 2, 3, std::chrono::milliseconds(4000)});
  CHECK(policy->audit_on_failure == AuditFailure::kStop);
  CHECK(policy->audit_content == AuditContent::kFull);
  CHECK(policy->audit_retention == AuditRetention{.age = std::chrono::hours(90 * 24),
                                                  .bytes = 10ULL << 30,
                                                  .exported = "/var/lib/siem.cursor"});
  REQUIRE(policy->tools.size() == 1);
  const ToolRule& rule = policy->tools[0];
  CHECK(rule.id == "run-safe-programs");
  CHECK(rule.reason == "counting and searching only, no shell");
  CHECK(rule.tools == std::vector<std::string>{"proc.run"});
  CHECK(rule.verdict == Verdict::kAsk);
  CHECK(rule.source == SourceLocation{"p.yaml", 16, 5});
  REQUIRE(rule.arguments.size() == 4);
  CHECK(rule.arguments[0].path == "argv[0]");
  CHECK(rule.arguments[0].kind == ArgumentMatcher::Kind::kOneOf);
  CHECK(rule.arguments[0].values == std::vector<Json>{"wc", "grep"});
  CHECK(rule.arguments[1].maximum == 32);
  CHECK(rule.arguments[2].minimum == 1);
  CHECK(rule.arguments[3].negated);
}

TEST_CASE("a scalar has the type that it looks like, and quoted ones are text") {
  const auto policy = FromText(R"(
tools:
  - {id: a, reason: r, tool: t, decision: allow,
     args: {x: {one_of: [yes, on, "true", true, 1, "1", 1.5, 0644, 0x1F, -3, 1e3, "", ~x]}}}
)");
  CHECK(policy->tools[0].arguments[0].values == std::vector<Json>{"yes", "on", "true", true, 1, "1",
                                                                  1.5, "0644", "0x1F", -3, 1e3, "",
                                                                  "~x"});
}

TEST_CASE("a deriving document has the last word on values, and lists are joined") {
  const auto policy = FromText(R"(
extends: [builtin/coding]
workspace: {hide: [mine, "**/.env"]}
sandbox: {limits: {wall: 5s}}
tools:
  - {id: mine, reason: r, tool: x.y, decision: allow}
budgets: {turn: {steps: 3}}
)");
  const auto coding = Loaded(LoadPolicy("coding"));
  CHECK(policy->layers == std::vector<std::string>{"p.yaml", "builtin/coding", "builtin/base"});
  CHECK(policy->grant.limits.wall == std::chrono::seconds(5));
  CHECK(policy->grant.limits.memory_bytes == coding->grant.limits.memory_bytes);
  CHECK(policy->grant.workspace == WorkspaceMode::kTransactional);
  CHECK(policy->budgets.steps == 3);
  CHECK(policy->budgets.tool_calls == coding->budgets.tool_calls);
  CHECK(policy->grant.hide.size() == coding->grant.hide.size() + 1);
  CHECK(policy->grant.hide[0] == "mine");
  CHECK(policy->grant.protect == coding->grant.protect);
  CHECK(policy->tools.size() == coding->tools.size() + 1);
  CHECK(policy->tools[0].id == "mine");
}

TEST_CASE("of two extended documents the later has the say, and each is read once") {
  const auto policy = FromText("extends: [builtin/offline, builtin/coding]\n");
  // coding had already been applied below offline, so offline stays the nearer one.
  CHECK(policy->layers ==
        std::vector<std::string>{"p.yaml", "builtin/offline", "builtin/coding", "builtin/base"});
  CHECK(policy->digest != Loaded(LoadPolicy("offline"))->digest);  // by its name alone
  CHECK(policy->grant == Loaded(LoadPolicy("offline"))->grant);
}

TEST_CASE("a deny in any layer beats an allow in any other") {
  const auto base_denies = FromText(R"(
extends: [builtin/offline]
tools:
  - {id: one, reason: r, tool: [proc.run, x.y], decision: allow}
)");
  CHECK(
      Evaluate(*base_denies, {.tool = "proc.run", .arguments = Json::object(), .paths = {}}).rule ==
      "tools.no-programs");
  const auto derived_denies = FromText(R"(
extends: [builtin/coding]
tools:
  - {id: no-make, reason: r, tool: proc.run, args: {argv[0]: make}, decision: deny}
)");
  const auto run = [&](const char* program) {
    return Evaluate(*derived_denies,
                    {.tool = "proc.run", .arguments = {{"argv", {program}}}, .paths = {}})
        .verdict;
  };
  CHECK(run("make") == Verdict::kDeny);
  CHECK(run("ninja") == Verdict::kAllow);
}

TEST_CASE("a rule that a base denies altogether is a mistake in the deriving document") {
  CHECK(
      Refusal("nacre: policy/1\nname: p\nextends: [builtin/offline]\ntools:\n"
              "  - {id: one, reason: r, tool: proc.run, decision: allow}\n") ==
      "p.yaml:5:5: tools.one: this rule can never decide: \"no-programs\" at builtin/offline:12:5 "
      "answers deny to every such call");
}

TEST_CASE("rules that a deriving document overrides are no part of the effective policy") {
  const auto offline = Loaded(LoadPolicy("offline"));
  for (const ToolRule& rule : offline->tools) {
    CHECK(rule.tools != std::vector<std::string>{"proc.run"});
  }
}

TEST_CASE("a deriving document's rule that asks does not take the place of its base's") {
  const auto folder = TempDir::Create("policy");
  REQUIRE(folder.ok());
  const auto write = [&](const std::string& name, const std::string& rule) {
    std::ofstream(folder.value().path() + "/" + name)
        << "nacre: policy/1\nname: p\n"
        << (name == "base.yaml" ? "" : "extends: [base.yaml]\n")
        << "tools:\n  - {id: " << name.substr(0, 4) << ", reason: r, tool: mail.send, decision: ask"
        << rule << "}\n";
    return folder.value().path() + "/" + name;
  };
  write("base.yaml", ", approvers: {role: security, count: 2}");
  const Approvers security{.role = "security", .count = 2};
  const auto asked = [](const Policy& policy) {
    return Evaluate(policy, {.tool = "mail.send", .arguments = Json::object(), .paths = {}})
        .approvers;
  };
  const auto mine = Loaded(LoadPolicy(write("mine.yaml", "")));
  CHECK(asked(*mine) == std::vector<Approvers>{Approvers(), security});
  CHECK(asked(*Loaded(LoadPolicyText("again.yaml", ToYaml(*mine)))) == asked(*mine));
  // Who asks the same persons overrides it.
  const auto same =
      Loaded(LoadPolicy(write("same.yaml", ", approvers: {role: security, count: 2}")));
  CHECK(asked(*same) == std::vector<Approvers>{security});
  CHECK(same->tools.size() == 1);
}

TEST_CASE("the effective policy is a document that loads to the same policy") {
  const std::string name = GENERATE("base", "coding", "offline");
  const auto policy = Loaded(LoadPolicy(name));
  const std::string yaml = ToYaml(*policy);
  INFO(yaml);
  const auto again = Loaded(LoadPolicyText("again.yaml", yaml));
  CHECK(again->digest == policy->digest);
  CHECK(again->grant == policy->grant);
  CHECK(again->budgets == policy->budgets);
  CHECK(again->tools.size() == policy->tools.size());
  CHECK(ToYaml(*again) == yaml);
}

TEST_CASE("awkward texts survive being written out") {
  const auto policy = FromText(R"(
workspace: {mode: direct, hide: ["a b", "#x", "[a]", "no", "-"]}
tools:
  - id: a
    reason: "it's: \"quoted\" # not a comment, ünï"
    tool: t
    args:
      x: {one_of: ["", " ", "null", "~", "1", "true", "a: b", "- x", "tab\there", "line\nbreak", "é", 1.5, 1e300, -9223372036854775808, 18446744073709551615]}
      y: {matches: '\d+ "x" \\'}
      z: {not: {glob: "**/*"}}
    decision: deny
)");
  const auto again = Loaded(LoadPolicyText("again.yaml", ToYaml(*policy)));
  CHECK(again->digest == policy->digest);
  CHECK(again->grant == policy->grant);
  CHECK(again->tools[0].reason == policy->tools[0].reason);
  CHECK(again->tools[0].arguments[0].values == policy->tools[0].arguments[0].values);
}

TEST_CASE("the digest covers what a policy decides and not how it is written") {
  const auto digest = [](const std::string& text) { return FromText(text)->digest; };
  const std::string one = digest("workspace: {mode: direct}\n");
  CHECK(one.size() == 71);
  CHECK(one.substr(0, 7) == "sha256:");
  CHECK(digest("# a comment\nworkspace:\n  mode: direct\n") == one);
  CHECK(digest("sandbox: {limits: {wall: 30000ms}}\nworkspace: {mode: direct}\n") == one);
  CHECK(digest("workspace: {mode: read-only}\n") != one);
  CHECK(digest("workspace: {mode: direct, hide: [a]}\n") != one);
  CHECK(digest("workspace: {mode: direct}\nsandbox: {limits: {wall: 31s}}\n") != one);
  CHECK(digest("workspace: {mode: direct}\naudit: {content: full}\n") != one);
  const std::string rule = "tools:\n  - {id: a, reason: r, tool: t, decision: deny, args: {x: ";
  CHECK(digest(rule + "1}}\n") != digest(rule + "\"1\"}}\n"));
  CHECK(digest(rule + "{equals: 1}}}\n") == digest(rule + "1}}\n"));
  CHECK(digest(rule + "{not: {equals: 1}}}}\n") != digest(rule + "1}}\n"));
}

TEST_CASE("the shipped profiles are built in, and are ordinary files too") {
  CHECK(ShippedProfiles() == std::vector<std::string>{"base", "coding", "offline"});
  for (const std::string& name : ShippedProfiles()) {
    const auto builtin = Loaded(LoadPolicy(name));
    CHECK(builtin->name == name);
    CHECK(builtin->layers[0] == "builtin/" + name);
    CHECK(builtin->digest ==
          Loaded(LoadPolicy(std::string(NACRE_SOURCE_DIR) + "/policy/profiles/" + name + ".yaml"))
              ->digest);
    for (const ToolRule& rule : builtin->tools) {
      CHECK_FALSE(rule.reason.empty());
    }
  }
}

TEST_CASE("the reference's example is a policy") {
  const Result<std::string> reference =
      ReadFile(std::string(NACRE_SOURCE_DIR) + "/docs/policy-reference.md", 1 << 20);
  REQUIRE(reference.ok());
  const std::string fence = "```yaml\n";
  const size_t start = reference.value().find(fence) + fence.size();
  const size_t end = reference.value().find("```", start);
  const auto policy =
      Loaded(LoadPolicyText("example", reference.value().substr(start, end - start)));
  CHECK(policy->name == "support-agent");
  CHECK(policy->tools[0].id == "run-safe-programs");
}

TEST_CASE("the coding profile runs named programs, and no shell") {
  const auto policy = Loaded(LoadPolicy("coding"));
  struct Row {
    std::vector<std::string> argv;
    Verdict verdict;
  };
  const std::vector<Row> rows = {
      {{"wc", "-l", "a"}, Verdict::kAllow},
      {{"grep", "-r", "x", "."}, Verdict::kAllow},
      {{"make", "-j2"}, Verdict::kAllow},
      {{"ctest"}, Verdict::kAllow},
      {{"python3", "tools/a.py", "-c", "x"}, Verdict::kAllow},
      {{"python3", "-m", "pytest"}, Verdict::kAllow},
      {{"node", "--test"}, Verdict::kAllow},
      {{"npm", "test"}, Verdict::kAllow},
      {{"git", "log"}, Verdict::kAllow},
      {{"find", ".", "-name", "*.c"}, Verdict::kAllow},
      {{"mv", "a", "b"}, Verdict::kAllow},
      {{"sh", "-c", "ls"}, Verdict::kDeny},
      {{"bash"}, Verdict::kDeny},
      {{"/bin/sh"}, Verdict::kDeny},
      {{"/usr/bin/wc"}, Verdict::kDeny},
      {{"./wc"}, Verdict::kDeny},
      {{"env", "sh"}, Verdict::kDeny},
      {{"xargs", "rm"}, Verdict::kDeny},
      {{"busybox", "sh"}, Verdict::kDeny},
      {{"rm", "-rf", "."}, Verdict::kDeny},
      {{"dd", "if=/dev/zero"}, Verdict::kDeny},
      {{"chmod", "777", "a"}, Verdict::kDeny},
      {{"curl", "http://x"}, Verdict::kDeny},
      {{"sudo", "wc"}, Verdict::kDeny},
      {{"ln", "-s", "/etc", "a"}, Verdict::kDeny},
      {{"python3"}, Verdict::kDeny},
      {{"python3", "-c", "x"}, Verdict::kDeny},
      {{"python3", "-"}, Verdict::kDeny},
      {{"node", "-e", "x"}, Verdict::kDeny},
      {{"npm", "install", "x"}, Verdict::kDeny},
      {{"git", "push"}, Verdict::kDeny},
      {{"git", "-c", "core.pager=x", "log"}, Verdict::kDeny},
      {{"git", "diff", "--no-index", "a", "b"}, Verdict::kDeny},
      {{"find", ".", "-delete"}, Verdict::kDeny},
      {{"find", ".", "-exec", "rm", "{}", ";"}, Verdict::kDeny},
      {{""}, Verdict::kDeny},
      {{"wc\n"}, Verdict::kDeny},
      {{"WC"}, Verdict::kDeny},
      {{}, Verdict::kDeny},
      {{"cat", "/etc/shadow"}, Verdict::kDeny},
      {{"cat", "//etc/passwd"}, Verdict::kDeny},
      {{"cat", "/./etc/passwd"}, Verdict::kDeny},
      {{"cat", "/.//./etc/"}, Verdict::kDeny},
      {{"cat", "/usr/..//etc"}, Verdict::kDeny},
      {{"cat", "a\n/../../etc/passwd"}, Verdict::kDeny},
      {{"cat", "a\n/../b"}, Verdict::kDeny},
      {{"cat", "/proc/self/environ"}, Verdict::kDeny},
      {{"cat", "/etcetera", "etc/passwd", "/usr/include/stdio.h"}, Verdict::kAllow},
      {{"wc", "../secret"}, Verdict::kDeny},
      {{"ls", "a/../../b"}, Verdict::kDeny},
      {{"ls", ".."}, Verdict::kDeny},
      {{"grep", "a..b", "etc/file"}, Verdict::kAllow},
  };
  for (const Row& row : rows) {
    const Request request{.tool = "proc.run", .arguments = {{"argv", row.argv}}, .paths = {}};
    const Decision decision = Evaluate(*policy, request);
    INFO(DumpJson(request.arguments) << " " << decision.reason);
    CHECK(decision.verdict == row.verdict);
    CHECK((decision.verdict == Verdict::kAllow || decision.rule == "tools.stay-in-the-workspace" ||
           decision.reason.rfind("no rule allows proc.run with these arguments: ", 0) == 0));
  }
}

TEST_CASE("an argument path stands unquoted in braces as it does on a line of its own") {
  const std::string head =
      "tools:\n  - id: a\n    reason: r\n    tool: t\n    decision: deny\n    args";
  const auto braces = FromText(head + ": {argv[0]: wc, a.b[10][?].c: x[1], 'argv[?]': y}\n");
  const auto lines =
      FromText(head + ":\n      argv[0]: wc\n      a.b[10][?].c: x[1]\n      argv[?]: y\n");
  CHECK(braces->digest == lines->digest);
  CHECK(braces->tools[0].arguments[0].values == std::vector<Json>{"x[1]"});
}

TEST_CASE("each name of an argument has one spelling") {
  using Kind = PathStep::Kind;
  CHECK(*ParseArgumentPath(R"(["x.y"])") == std::vector<PathStep>{{Kind::kMember, "x.y", 0}});
  CHECK(*ParseArgumentPath(R"(a["b c"][0]["größe"].d[*])") ==
        std::vector<PathStep>{{Kind::kMember, "a", 0},
                              {Kind::kMember, "b c", 0},
                              {Kind::kIndex, "", 0},
                              {Kind::kMember, "größe", 0},
                              {Kind::kMember, "d", 0},
                              {Kind::kEvery, "", 0}});
  for (const std::string name :
       {"x.y", "file name", "größe", "a[0]", "a]", "\"", "\\", "\n", " ", "\x01\x7f", "."}) {
    const std::string path = MemberPath("", name);
    INFO(path);
    const auto steps = ParseArgumentPath(path);
    REQUIRE(steps.has_value());
    CHECK(*steps == std::vector<PathStep>{{Kind::kMember, name, 0}});
    CHECK(PathText(*steps, 1) == path);
    CHECK(ParseArgumentPath("o" + path)->size() == 2);
  }
  CHECK(MemberPath("a[0]", "b-$_9") == "a[0].b-$_9");
  for (const std::string path :
       {R"([""])", R"(["a"])", R"(["x\u002ey"])", R"(["x.y")", R"(["x.y])", R"(["x.y"]])",
        R"(["x.y" ])", R"(['x.y'])", R"([x.y])", R"(["x.y"]z)", R"(.["x.y"])", R"(a.["x.y"])",
        R"(["a\/b"])", R"(["x.y\"])", R"([")", R"([)"}) {
    INFO(path);
    CHECK_FALSE(ParseArgumentPath(path).has_value());
  }
  CHECK(ParseArgumentPath(MemberPath("", std::string(63, 'x') + " ")).has_value());
  CHECK_FALSE(ParseArgumentPath(MemberPath("", std::string(64, 'x') + " ")).has_value());
  CHECK_FALSE(ParseArgumentPath(MemberPath("", std::string(65, 'x'))).has_value());
}

TEST_CASE(
    "a name with a dot is no way through two members, and the policy is written out as it was") {
  const auto policy = FromText(R"(
tools:
  - {id: one, reason: r, tool: t, args: {'["x.y"]': 1}, decision: allow}
  - {id: two, reason: r, tool: t, args: {x.y: 2, 'x["a b"][?]': c}, decision: allow}
)");
  const auto rule = [&](const char* arguments) {
    return Evaluate(*policy, {.tool = "t", .arguments = ParseJson(arguments).value(), .paths = {}})
        .rule;
  };
  CHECK(rule(R"({"x.y": 1})") == "tools.one");
  CHECK(rule(R"({"x": {"y": 1}})") == "default");
  CHECK(rule(R"({"x": {"y": 2, "a b": ["d", "c"]}})") == "tools.two");
  CHECK(rule(R"({"x.y": 2, "x": {"a b": ["c"]}})") == "default");
  const auto again = Loaded(LoadPolicyText("again.yaml", ToYaml(*policy)));
  CHECK(again->digest == policy->digest);
  const Decision missing = Evaluate(*policy, {.tool = "t", .arguments = {{"x.y", 3}}, .paths = {}});
  CHECK_THAT(missing.reason, Catch::Contains(R"(["x.y"] 3 is not 1)"));
}

TEST_CASE("a path argument is meant by its name, whatever signs that has") {
  const auto policy = FromText(R"(
workspace: {mode: direct}
tools:
  - {id: a, reason: r, tool: t, args: {'["a.b"]': {under: /workspace/x}}, decision: allow}
  - {id: b, reason: r, tool: t, args: {a.b: notes.md}, decision: allow}
)");
  Request request{.tool = "t",
                  .arguments = {{"a.b", "/workspace/x/c"}},
                  .paths = {{"a.b", "/workspace/x/c", PathAccess::kRead}}};
  CHECK(Evaluate(*policy, request).rule == "tools.a");
  request.paths[0].path = "/workspace/y";
  CHECK(Evaluate(*policy, request).rule == "default");
  // The text of a member of a member is none, though its path reads the same.
  request.paths[0].path = "/workspace/notes.md";
  request.arguments = {{"a.b", "/workspace/notes.md"}, {"a", {{"b", "other.md"}}}};
  CHECK(Evaluate(*policy, request).rule == "default");
}

TEST_CASE("a bomb is refused in no time") {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    laughs += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) {
      laughs += std::string(i > 0 ? ", " : "") + "*" + static_cast<char>(c - 1);
    }
    laughs += "]\n";
  }
  const auto start = std::chrono::steady_clock::now();
  CHECK(Refusal(laughs).find("anchors and aliases are not accepted") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(100));
}

TEST_CASE("documents made to be large, deep or endless are refused") {
  const auto times = [](size_t count, const std::string& text) {
    std::string result;
    for (size_t i = 0; i < count; ++i) {
      result += text;
    }
    return result;
  };
  const auto start = std::chrono::steady_clock::now();
  CHECK(Refusal(std::string((32 << 20) + 1, ' ')) == "p.yaml:1:1: larger than 33554432 bytes");
  CHECK(Refusal(times(100'000, "- ")) == "p.yaml:1:65: nested deeper than 32 levels");
  CHECK(Refusal("nacre: " + times(40, "[") + times(40, "]")) ==
        "p.yaml:1:39: nested deeper than 32 levels");
  CHECK(
      Refusal(", , ,") ==
      "p.yaml:1:1: not valid YAML: did not find expected node content while parsing a block node");
  for (const std::string& text :
       {times(500'000, "{"), times(250'000, "? "), times(200'000, "a: "), times(300'000, "&a "),
        times(300'000, "!a "), times(900'000, "\n") + "a", times(100'000, "%YAML 1.2\n"),
        "\"" + times(900'000, "\\"), "|\n" + times(900'000, "\n"), times(200'000, "a[0]"),
        "a: \"" + times(300'000, "a\n"), "a: '" + times(300'000, "a\n"),
        "a: [" + times(300'000, "a, "), "a: {" + times(100'000, "a: b, ")}) {
    CHECK_FALSE(LoadPolicyText("p.yaml", text).ok());
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("a policy of many rules is loaded, and one of too many refused") {
  const auto rules = [](int count) {
    std::string text = "nacre: policy/1\nname: p\ntools:\n";
    for (int i = 0; i < count; ++i) {
      text += "  - {id: r" + std::to_string(i) +
              ", reason: r, tool: t, args: {a: " + std::to_string(i) + "}, decision: allow}\n";
    }
    return text;
  };
  CHECK(Loaded(LoadPolicyText("p.yaml", rules(1000)))->tools.size() == 1000);
  std::string many = "nacre: policy/1\nname: p\ntools: [";
  for (int i = 0; i <= 100'000; ++i) {
    many += "1,";
  }
  CHECK(Refusal(many + "]\n") == "p.yaml:3:8: tools: more than 100000 entries");
}

}  // namespace
}  // namespace nacre::policy
