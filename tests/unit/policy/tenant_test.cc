// A tenant's policy narrows the operator's, and can do nothing else.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "load.h"
#include "policy/evaluator.h"
#include "policy/explain.h"
#include "policy/rate.h"

namespace nacre::policy {
namespace {

constexpr const char* kBase = R"(nacre: policy/1
name: operator
workspace: {mode: transactional, hide: [secret], commit: {changes: 100, links: inside}}
sandbox:
  profile: default
  limits: {wall: 20s, memory: 256MiB, tasks: 32}
  require: {landlock: 3, cgroup: false}
tools:
  - {id: read, reason: r, tool: [fs.read, fs.list], decision: allow}
  - {id: write, reason: r, tool: fs.write, args: {path: {under: /workspace}}, decision: allow}
  - {id: mail, reason: r, tool: mail.send, decision: ask, approvers: {users: [alice], expires: 5m}}
  - {id: never, reason: r, tool: proc.run, args: {argv[?]: rm}, decision: deny}
  - {id: run, reason: r, tool: proc.run, decision: allow}
data: {unlisted: trusted}
budgets: {turn: {steps: 20, tokens: 5000}, session: {tool_calls: 50}}
audit: {content: full}
)";

Result<std::shared_ptr<const Policy>> Load(const std::string& tenant) {
  LoadOptions options;
  options.tenant = {"acme.yaml", "nacre: policy/1\nname: acme\n" + tenant};
  return LoadPolicyText("base.yaml", kBase, options);
}

std::string Said(const std::string& tenant) {
  const auto result = Load(tenant);
  REQUIRE_FALSE(result.ok());
  return result.error().message;
}

Request Call(const std::string& tool, Json arguments) {
  Request request{.tool = tool, .arguments = std::move(arguments), .paths = {}};
  if (const Json* path = FindMember(request.arguments, "path")) {
    request.paths.push_back({"path", path->get<std::string>(),
                             tool == "fs.write" ? PathAccess::kWrite : PathAccess::kRead});
  }
  return request;
}

TEST_CASE("what would widen anything in a tenant's policy is refused where it stands") {
  struct Row {
    const char* tenant;
    const char* said;
  };
  const Row row = GENERATE(values<Row>({
      {"tools:\n  - {id: a, reason: r, tool: fs.edit, decision: allow}\n",
       "acme.yaml:4:5: tools.a: a tenant's policy allows nothing: write ask or deny, and leave "
       "what "
       "is allowed to the policy that it is put upon"},
      {"data: {quarantine: {integrity: untrusted}}\n",
       "acme.yaml:3:20: data.quarantine: a tenant's policy can narrow a quarantine, and the policy "
       "that it is put upon has none"},
      {"extends: [builtin/coding]\n",
       "acme.yaml:3:11: extends: a tenant's policy extends nothing: it narrows the policy that it "
       "is put upon"},
      {"workspace: {mode: direct}\n",
       "acme.yaml:3:19: workspace.mode: a tenant's policy can only narrow, and this is wider than "
       "transactional of the policy that it is put upon"},
      {"workspace: {commit: {changes: 101}}\n",
       "acme.yaml:3:31: workspace.commit.changes: a tenant's policy can only narrow, and this is "
       "wider than 100 of the policy that it is put upon"},
      {"workspace: {commit: {links: allow}}\n",
       "acme.yaml:3:29: workspace.commit.links: a tenant's policy can only narrow, and this is "
       "wider than inside of the policy that it is put upon"},
      {"sandbox: {profile: build}\n",
       "acme.yaml:3:20: sandbox.profile: a tenant's policy can only narrow, and this is wider than "
       "default of the policy that it is put upon"},
      {"sandbox: {profile: network-client}\n",
       "acme.yaml:3:20: sandbox.profile: a tenant's policy can only narrow, and this is wider than "
       "default of the policy that it is put upon"},
      {"sandbox: {share_network: true}\n",
       "acme.yaml:3:26: sandbox.share_network: a tenant's policy can only narrow, and this is "
       "wider "
       "than false of the policy that it is put upon"},
      {"sandbox: {limits: {wall: 21s}}\n",
       "acme.yaml:3:26: sandbox.limits.wall: a tenant's policy can only narrow, and this is wider "
       "than 20s of the policy that it is put upon"},
      {"sandbox: {limits: {memory: 1GiB}}\n",
       "acme.yaml:3:28: sandbox.limits.memory: a tenant's policy can only narrow, and this is "
       "wider "
       "than 256MiB of the policy that it is put upon"},
      {"sandbox: {require: {landlock: 2}}\n",
       "acme.yaml:3:31: sandbox.require.landlock: a tenant's policy can only narrow, and this is "
       "wider than 3 of the policy that it is put upon"},
      {"sandbox: {require: {id_maps: false}}\n",
       "acme.yaml:3:30: sandbox.require.id_maps: a tenant's policy can only narrow, and this is "
       "wider than true of the policy that it is put upon"},
      {"sandbox: {require: {kvm: false}}\n",
       "acme.yaml:3:26: sandbox.require.kvm: a tenant's policy can only narrow, and this is "
       "wider than true of the policy that it is put upon"},
      {"budgets: {turn: {steps: 21}}\n",
       "acme.yaml:3:25: budgets.turn.steps: a tenant's policy can only narrow, and this is wider "
       "than 20 of the policy that it is put upon"},
      {"budgets: {session: {tool_calls: 51}}\n",
       "acme.yaml:3:33: budgets.session.tool_calls: a tenant's policy can only narrow, and this is "
       "wider than 50 of the policy that it is put upon"},
      {"audit: {content: digest}\n",
       "acme.yaml:3:18: audit.content: a tenant's policy cannot set this"},
      {"audit: {on_failure: stop}\n",
       "acme.yaml:3:21: audit.on_failure: a tenant's policy cannot set this"},
      {"data: {sources: [{tool: fs.read, integrity: trusted}]}\n",
       "acme.yaml:3:18: data.sources: a tenant's policy vouches for nothing: only untrusted "
       "narrows"},
      {"tools:\n  - {id: read, reason: r, tool: fs.read, decision: deny}\n",
       "acme.yaml:4:5: tools.read: duplicate id, first used at base.yaml:9:5"},
      {"tools:\n  - {id: a, reason: r, tool: '*', decision: deny}\n"
       "  - {id: b, reason: r, tool: fs.read, decision: ask}\n",
       "acme.yaml:5:5: tools.b: this rule can never decide: \"a\" at acme.yaml:4:5 answers deny to "
       "every such call"},
      {"narrow:\n  - {id: a, reason: r, tool: x, decision: allow}\n",
       "acme.yaml:4:5: narrow.a: a rule here only narrows what tools allow: use ask or deny"},
      {"tool: []\n", "acme.yaml:3:1: tool: unknown key; did you mean \"tools\"?"},
  }));
  INFO(row.tenant);
  CHECK(Said(row.tenant) == row.said);
}

TEST_CASE("a tenant's policy does not trust data that the policy below it does not") {
  const auto load = [](const std::string& base, const std::string& tenant) {
    LoadOptions options;
    options.tenant = {"acme.yaml", "nacre: policy/1\nname: acme\n" + tenant};
    return LoadPolicyText("base.yaml", "nacre: policy/1\nname: base\n" + base, options);
  };
  for (const char* base : {"data: {unlisted: untrusted}\n", "data: {flows: []}\n"}) {
    INFO(base);
    const auto refused = load(base, "data: {unlisted: trusted}\n");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message ==
          "acme.yaml:3:18: data.unlisted: a tenant's policy vouches for nothing: data that nobody "
          "speaks of is untrusted by the policy that it is put upon");
    CHECK(Loaded(load(base, "data: {unlisted: untrusted}\n"))->data.unlisted ==
          Integrity::kUntrusted);
  }
  // It is no wider, or what it speaks of are its own flows only.
  for (const char* base : {"data: {unlisted: trusted}\n", ""}) {
    INFO(base);
    CHECK(Loaded(load(base, "data: {unlisted: trusted}\n"))->data.unlisted == Integrity::kTrusted);
  }
  CHECK(Loaded(load("data: {unlisted: trusted}\n", "data: {flows: []}\n"))->data.unlisted ==
        Integrity::kUntrusted);
}

TEST_CASE("a tenant's policy narrows rules, grant, budgets and data, and names itself") {
  const auto policy = Loaded(
      Load("workspace: {mode: read-only, hide: [private], protect: [docs], commit: {links: deny}}\n"
           "sandbox: {profile: pure, limits: {wall: 5s}, require: {landlock: 4, cgroup: true}}\n"
           "tools:\n"
           "  - {id: ask-run, reason: programs need a person, tool: proc.run, decision: ask}\n"
           "  - {id: no-list, reason: no lists, tool: fs.list, decision: deny}\n"
           "  - {id: ask-edit, reason: nobody allowed it, tool: fs.edit, decision: ask}\n"
           "  - {id: ask-mail, reason: mine, tool: mail.send, decision: ask}\n"
           "data: {sources: [{tool: fs.read, confidentiality: secret}]}\n"
           "budgets:\n  turn: {steps: 5}\n  session: {tokens: 9}\n  tenant_per_day: {steps: 7}\n"));
  CHECK(policy->name == "acme");
  CHECK(policy->layers == std::vector<std::string>{"acme.yaml", "base.yaml"});
  CHECK(policy->grant.workspace == WorkspaceMode::kReadOnly);
  CHECK(policy->grant.hide == std::vector<std::string>{"secret", "private"});
  CHECK(policy->grant.protect == std::vector<std::string>{"docs"});
  CHECK(policy->grant.profile == "pure");
  CHECK(policy->grant.limits.wall == std::chrono::seconds(5));
  CHECK(policy->grant.limits.tasks == 32);
  CHECK(policy->grant.require_cgroup);
  CHECK(policy->budgets.steps == 5);
  CHECK(policy->budgets.tokens == 5000);
  CHECK(policy->budgets.session.tool_calls == 50);
  CHECK(policy->budgets.session.tokens == 9);
  CHECK(policy->budgets.tenant_per_day.steps == 7);
  CHECK(policy->data.unlisted == Integrity::kUntrusted);

  const auto decided = [&](const std::string& tool, const Json& arguments) {
    const Decision decision = Evaluate(*policy, Call(tool, arguments));
    return std::string(VerdictName(decision.verdict)) + " " + decision.rule;
  };
  CHECK(decided("proc.run", {{"argv", {"ls"}}}) == "ask narrow.ask-run");
  CHECK(decided("proc.run", {{"argv", {"rm"}}}) == "deny tools.never");
  CHECK(decided("fs.list", Json::object()) == "deny narrow.no-list");
  CHECK(decided("fs.read", {{"path", "/workspace/a"}}) == "allow tools.read");
  // What the operator did not allow, a tenant's "ask" does not offer to anybody.
  CHECK(decided("fs.edit", Json::object()) == "deny default");
  CHECK_FALSE(CouldAllow(*policy, "fs.list"));
  CHECK_FALSE(CouldAllow(*policy, "fs.edit"));
  // Nor does it choose who answers instead of those whom the operator named.
  const Decision mail = Evaluate(*policy, Call("mail.send", Json::object()));
  CHECK(mail.rule == "tools.mail");
  CHECK(mail.approvers.at(0).users == std::vector<std::string>{"alice"});

  const Explanation explained = Explain(*policy, Call("proc.run", {{"argv", {"ls"}}}));
  CHECK(std::any_of(
      explained.considered.begin(), explained.considered.end(),
      [](const RuleTrace& trace) { return trace.rule == "narrow.ask-run" && trace.matched; }));

  // The effective policy is a document of its own.
  const auto again = Loaded(LoadPolicyText("again.yaml", ToYaml(*policy)));
  CHECK(ToYaml(*again) == ToYaml(*policy));
  CHECK(again->digest == policy->digest);
  CHECK(Evaluate(*again, Call("proc.run", {{"argv", {"ls"}}})).rule == "narrow.ask-run");
}

TEST_CASE("a tenant's flow asks others too, and nobody in place of those whom the operator named") {
  const std::string base = R"(nacre: policy/1
name: base
tools:
  - {id: mail, reason: r, tool: mail.send, decision: allow}
data:
  flows:
    - id: two
      reason: r
      when: {integrity: untrusted}
      to: [mail.send]
      decision: ask
      approvers: {role: operator, count: 2, expires: 5m}
)";
  LoadOptions options;
  options.tenant = {
      "acme.yaml",
      "nacre: policy/1\nname: acme\ndata: {flows: [{id: one, reason: r, when: {integrity: "
      "untrusted}, to: [mail.send], decision: ask, approvers: {users: [eve]}}]}\n"};
  const auto policy = Loaded(LoadPolicyText("base.yaml", base, options));
  Request mail = Call("mail.send", Json::object());
  mail.flow.context.integrity = Integrity::kUntrusted;
  const Approvers two{
      .role = "operator", .count = 2, .expires = std::chrono::milliseconds(300'000)};
  const std::vector<Approvers> asked = Evaluate(*policy, mail).approvers;
  CHECK(asked.size() == 2);
  CHECK(std::find(asked.begin(), asked.end(), two) != asked.end());
}

class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}
  size_t Below(size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(random_);
  }
  template <typename T>
  T Of(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

 private:
  std::mt19937 random_;
};

std::string RandomTenant(Dice& dice) {
  std::string rules;
  const size_t count = dice.Below(5);
  for (size_t i = 0; i < count; ++i) {
    rules +=
        "  - {id: r" + std::to_string(i) + ", reason: r, tool: " +
        dice.Of<std::string>({"fs.read", "fs.*", "proc.run", "'*'", "mail.send", "fs.edit"}) +
        ", decision: " + dice.Of<std::string>({"ask", "deny", "ask"}) +
        dice.Of<std::string>({"", ", args: {path: {under: /workspace/a}}", ", args: {argv[0]: ls}",
                              ", args: {path: {glob: '*.c'}}", ", args: {argv: {max_items: 1}}"}) +
        "}\n";
  }
  return (rules.empty() ? "" : dice.Of<std::string>({"tools:\n", "narrow:\n"}) + rules) +
         dice.Of<std::string>({"", "workspace: {mode: read-only}\n",
                               "workspace: {hide: ['a/**']}\n", "workspace: {mode: direct}\n",
                               "workspace: {protect: ['**/*.c']}\n"}) +
         dice.Of<std::string>(
             {"", "sandbox: {limits: {tasks: 64}}\n", "sandbox: {limits: {tasks: 8}}\n"}) +
         dice.Of<std::string>({"",
                               "data: {flows: [{id: f, reason: r, when: {integrity: untrusted}, "
                               "to: [fs.write, proc.run], decision: ask}]}\n"});
}

TEST_CASE("no tenant's policy lets through what the operator's does not") {
  const auto base = Loaded(LoadPolicyText("base.yaml", kBase));
  Dice dice(20'261);
  size_t accepted = 0;
  size_t narrower = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string tenant = RandomTenant(dice);
    const auto loaded = Load(tenant);
    if (!loaded.ok()) {
      continue;
    }
    ++accepted;
    const Policy& policy = *loaded.value();
    CHECK(policy.grant.workspace <= base->grant.workspace);
    CHECK(policy.grant.limits.tasks <= base->grant.limits.tasks);
    for (int j = 0; j < 40; ++j) {
      const std::string tool = dice.Of<std::string>(
          {"fs.read", "fs.list", "fs.write", "fs.edit", "proc.run", "mail.send", "other"});
      Json arguments = Json::object();
      if (tool == "proc.run") {
        arguments["argv"] = dice.Of<Json>({{"ls"}, {"ls", "-l"}, {"rm", "x"}, {"wc"}});
      } else if (tool != "mail.send") {
        arguments["path"] = dice.Of<std::string>(
            {"/workspace/a/b", "/workspace/x.c", "/workspace/secret", "/etc/passwd", "/workspace"});
      }
      Request request = Call(tool, arguments);
      request.flow.context.integrity =
          dice.Of<Integrity>({Integrity::kTrusted, Integrity::kUntrusted});
      const Decision then = Evaluate(*base, request);
      const Decision now = Evaluate(policy, request);
      INFO(tenant << tool << " " << arguments);
      REQUIRE(now.verdict <= then.verdict);
      REQUIRE((then.verdict != Verdict::kDeny || now.grant->workspace == WorkspaceMode::kNone));
      narrower += now.verdict < then.verdict ? 1 : 0;
    }
  }
  CHECK(accepted > 200);
  CHECK(narrower > 1000);
}

TEST_CASE("a rate that is used up denies by its id, and no other call") {
  const auto policy = FromText(
      "tools:\n  - {id: all, reason: r, tool: '*', decision: allow}\n"
      "budgets:\n  rates:\n"
      "    - {id: mails, reason: few mails, tool: [mail.send, mail.reply], calls: 2, per: minute}\n"
      "    - {id: writes, reason: one write, tool: fs.*, calls: 1, per: turn}\n");
  const auto judged = [&](const std::string& tool, const CallHistory& history) {
    const Request request = Call(tool, Json::object());
    Decision decision = Evaluate(*policy, request);
    NarrowByRate(policy->budgets, request, history, decision);
    CHECK((decision.verdict == Verdict::kAllow) == (decision.grant != Decision::NoGrant()));
    return decision.rule + ": " + decision.reason;
  };
  using Per = CallRate::Per;
  CHECK(judged("mail.send", {}) == "tools.all: r");
  CHECK(judged("mail.send", {{Per::kMinute, {{"mail.send", {1}}, {"fs.read", {9}}}}}) ==
        "tools.all: r");
  CHECK(judged("mail.send", {{Per::kMinute, {{"mail.send", {1}}, {"mail.reply", {1}}}}}) ==
        "budgets.mails: few mails: 2 of 2 calls in this minute have run");
  CHECK(judged("mail.send", {{Per::kHour, {{"mail.send", {9}}}}}) == "tools.all: r");
  CHECK(judged("fs.edit", {{Per::kTurn, {{"fs.write", {1}}}}}) ==
        "budgets.writes: one write: 1 of 1 calls in this turn have run");
  CHECK(judged("proc.run", {{Per::kTurn, {{"fs.write", {1}}}}}) == "tools.all: r");
  CHECK(AsksForSpan(policy->budgets, "mail.reply", Per::kMinute));
  CHECK_FALSE(AsksForSpan(policy->budgets, "mail.reply", Per::kTurn));
  CHECK_FALSE(AsksForSpan(policy->budgets, "other", Per::kMinute));
}

TEST_CASE("a rate bounds the time and the bytes out of its tools' calls") {
  using std::chrono::microseconds;
  const auto policy = FromText(
      "tools:\n  - {id: all, reason: r, tool: '*', decision: allow}\n"
      "budgets:\n  rates:\n"
      "    - {id: slow, reason: not for long, tool: proc.run, wall: 2s, per: hour}\n"
      "    - {id: mail, reason: little mail, tool: mail.*, bytes_out: 30B, per: session}\n");
  const auto judged = [&](const std::string& tool, const std::string& text,
                          const CallHistory& history) {
    const Request request = Call(tool, {{"text", text}});
    Decision decision = Evaluate(*policy, request);
    NarrowByRate(policy->budgets, request, history, decision);
    return decision.rule + ": " + decision.reason;
  };
  using Per = CallRate::Per;
  const auto ran = [](int64_t us) {
    return CallHistory{{Per::kHour, {{"proc.run", {.wall = microseconds(us)}}}}};
  };
  CHECK(judged("proc.run", "", ran(1'999'999)) == "tools.all: r");
  CHECK(judged("proc.run", "", ran(2'000'000)) ==
        "budgets.slow: not for long: calls in this hour have run for 2s of 2s");
  CHECK(judged("proc.run", "", ran(2'300'900)) ==
        "budgets.slow: not for long: calls in this hour have run for 2300ms of 2s");
  CHECK(judged("fs.read", "", ran(2'000'000)) == "tools.all: r");
  // {"text":"..."}: 11 bytes and the text.
  CHECK(judged("mail.send", std::string(19, 'x'), {}) == "tools.all: r");
  CHECK(judged("mail.send", std::string(20, 'x'), {}) ==
        "budgets.mail: little mail: calls in this session have taken 0 of 30 bytes out, and this "
        "one has 31");
  const CallHistory sent = {
      {Per::kSession, {{"mail.send", {.bytes_out = 10}}, {"mail.reply", {.bytes_out = 6}}}}};
  CHECK(judged("mail.send", "abc", sent) == "tools.all: r");
  CHECK(judged("mail.send", "abcd", sent) ==
        "budgets.mail: little mail: calls in this session have taken 16 of 30 bytes out, and this "
        "one has 15");
  CHECK(judged("fs.read", std::string(99, 'x'), sent) == "tools.all: r");
  const auto again = LoadPolicyText("again", ToYaml(*policy));
  REQUIRE(again.ok());
  CHECK(again.value()->budgets.rates[0].wall == std::chrono::seconds(2));
  CHECK(again.value()->budgets.rates[1].bytes_out == 30U);
  CHECK(again.value()->digest == policy->digest);
}

}  // namespace
}  // namespace nacre::policy
