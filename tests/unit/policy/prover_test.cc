// What is proved holds for every call tried; what is shown is what the evaluator says; and what is
// neither is unknown.
#include "policy/analysis/prover.h"

#include <catch2/catch.hpp>
#include <random>

#include "load.h"
#include "policy/analysis/call_encoding.h"
#include "policy/context_tracker.h"
#include "policy/evaluator.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/quarantine.h"
#include "tests/support/random_policy.h"

namespace nacre::policy {
namespace {

Json Schema(const std::string& text) {
  return ParseJson(text).value();
}

// Some of nacre's own tools, and two that reach outside.
const std::vector<ToolModel>& Tools() {
  static const std::vector<ToolModel> kTools = {
      {.name = "fs.read",
       .schema = Schema(R"({"type":"object","properties":{"path":{"type":"string","format":"path"}},
                            "required":["path"]})"),
       .paths = {{"path", PathAccess::kRead}},
       .traits = {.tool = "fs.read", .effects = {CallEffect::kRead}, .roles = {}}},
      {.name = "fs.write",
       .schema =
           Schema(R"({"type":"object","properties":{"path":{"type":"string","format":"path-write"},
                            "content":{"type":"string"}},"required":["path","content"]})"),
       .paths = {{"path", PathAccess::kWrite}},
       .traits = {.tool = "fs.write", .effects = {CallEffect::kWrite}, .roles = {}}},
      {.name = "proc.run",
       .schema = Schema(R"({"type":"object","properties":{"argv":{"type":"array","minItems":1,
                            "maxItems":256,"items":{"type":"string"}}},"required":["argv"]})"),
       .paths = {},
       .traits = {.tool = "proc.run", .effects = {CallEffect::kExecute}, .roles = {}}},
      {.name = "http.fetch",
       .schema = Schema(R"({"type":"object","properties":{"url":{"type":"string"},
                            "method":{"type":"string","enum":["GET","POST"]},
                            "bytes":{"type":"integer"}},"required":["url"]})"),
       .paths = {},
       .traits = {.tool = "http.fetch",
                  .effects = {CallEffect::kFetch},
                  .roles = {{"url", ArgumentRole::kUrl}}}},
      {.name = "mail.send",
       .schema = Schema(R"({"type":"object","properties":{"to":{"type":"array",
                            "items":{"type":"string"}},"body":{"type":"string"}},"required":["to"]})"),
       .paths = {},
       .traits = {.tool = "mail.send",
                  .effects = {CallEffect::kSend},
                  .roles = {{"to", ArgumentRole::kRecipient}}}}};
  return kTools;
}

// As runtime/agent's parser: paths made absolute.
std::optional<Request> Read(const CandidateCall& call, const std::vector<ToolModel>& tools) {
  for (const ToolModel& tool : tools) {
    if (tool.name == call.tool) {
      Request request{.tool = call.tool, .arguments = call.arguments, .paths = {}};
      for (const ToolModel::Path& path : tool.paths) {
        const auto normal = NormalisePath(StringMember(call.arguments, path.key, "."));
        if (!normal.has_value()) {
          return std::nullopt;
        }
        request.arguments[path.key] = *normal;
        request.paths.push_back({path.key, *normal, path.access});
      }
      return request;
    }
  }
  return std::nullopt;
}

ProverInput Input(const Policy& policy, const std::vector<ToolModel>& tools = Tools()) {
  return {.policy = &policy,
          .tools = &tools,
          .read = [&tools](const CandidateCall& call) { return Read(call, tools); },
          .timeout = std::chrono::milliseconds(20'000)};
}

ProofAnswer Ask(const std::string& policy, const std::string& query,
                const std::string& against = "") {
  const auto loaded = FromText(policy);
  ProverInput input = Input(*loaded);
  const auto other = FromText(against);
  input.against = &*other;
  if (query.find(':') == std::string::npos) {
    return Prove(input, ParseBuiltInQuery(query).value());
  }
  const auto queries =
      ParseProofQueries("q.yaml", "nacre: policy-queries/1\nqueries: [{id: q, " + query + "}]\n");
  INFO((queries.ok() ? std::string() : queries.error().message));
  REQUIRE(queries.ok());
  return Prove(input, queries.value().at(0));
}

void CheckProved(const ProofAnswer& answer) {
  INFO(answer.what << (answer.calls.empty() ? "" : DumpJson(answer.calls[0].request.arguments)));
  CHECK(answer.status == ProofStatus::kProved);
  CHECK(answer.calls.empty());
}

void CheckShown(const ProofAnswer& answer, const std::string& tool) {
  INFO(answer.what);
  REQUIRE(answer.status == ProofStatus::kCounterExample);
  REQUIRE_FALSE(answer.calls.empty());
  CHECK(answer.calls[0].request.tool == tool);
}

const char* const kFiles = R"(
workspace: {mode: transactional, hide: ["**/.env", secrets], protect: ["policy/**"]}
tools:
  - {id: read, reason: r, tool: fs.read, args: {path: {under: /workspace}}, decision: allow}
  - {id: write, reason: r, tool: fs.write, args: {path: {under: /workspace/src}}, decision: allow}
  - {id: not-c, reason: r, tool: fs.write, args: {path: {glob: "src/gen/**"}}, decision: deny}
  - {id: big, reason: r, tool: fs.write, args: {path: {under: /workspace/src/big}, content: {max_length: 10}},
     decision: ask}
)";

TEST_CASE("nothing lets: what no rule allows is proved, and what one allows is shown") {
  CheckProved(Ask(kFiles, "nothing lets: {tool: fs.read, args: {path: {under: /etc}}}"));
  CheckProved(
      Ask(kFiles, "nothing lets: {tool: fs.read, args: {path: {under: /workspace/secrets}}}"));
  CheckProved(Ask(kFiles, "nothing lets: {tool: 'fs.*', args: {path: {glob: '**/.env'}}}"));
  CheckProved(
      Ask(kFiles, "nothing lets: {tool: fs.write, args: {path: {under: /workspace/policy}}}"));
  CheckProved(
      Ask(kFiles, "nothing lets: {tool: fs.write, args: {path: {under: /workspace/src/gen}}}"));
  CheckProved(Ask(kFiles, "nothing lets: {tool: proc.run}"));
  CheckShown(Ask(kFiles, "nothing lets: {tool: fs.write, args: {path: {glob: '**/*.c'}}}"),
             "fs.write");
  CheckShown(Ask(kFiles, "nothing lets: {tool: 'fs.*', args: {path: {equals: src/gen/a.c}}}"),
             "fs.read");
  CheckShown(
      Ask(kFiles, "nothing lets: {tool: fs.read, args: {path: {not: {under: /workspace/src}}}}"),
      "fs.read");
}

TEST_CASE("nothing lets: what is asked counts unless a person is taken into account") {
  const std::string big =
      "nothing lets: {tool: fs.write, args: {path: {under: /workspace/src/big}, "
      "content: {max_length: 3}}}";
  CheckShown(Ask(kFiles, big), "fs.write");
  CheckProved(Ask(kFiles, big + ", without a person: true"));
}

TEST_CASE("hosts, methods, numbers and lists are told apart") {
  const std::string policy = R"(
tools:
  - {id: get, reason: r, tool: http.fetch, args: {url: {host_in: ["*.a.example", b.example]}, method: GET,
     bytes: {range: [1, 100]}}, decision: allow}
  - {id: not-x, reason: r, tool: http.fetch, args: {url: {host_in: [x.a.example]}}, decision: deny}
  - {id: mail, reason: r, tool: mail.send, args: {"to[*]": {matches: '[a-z]+@a\.example'}, to: {max_items: 3}},
     decision: allow}
  - {id: run, reason: r, tool: proc.run, args: {"argv[0]": {one_of: [wc, find]}, "argv[*]": {not: {equals: -delete}}},
     decision: allow}
)";
  const auto fetch = [&](const std::string& args) {
    return Ask(policy, "nothing lets: {tool: http.fetch, args: {" + args + "}}");
  };
  CheckProved(fetch("url: {host_in: [x.a.example]}"));
  CheckProved(fetch("url: {host_in: [a.example, c.example]}"));
  CheckShown(fetch("url: {host_in: ['*.x.a.example']}"), "http.fetch");
  CheckProved(fetch("method: POST"));
  CheckProved(fetch("bytes: {range: [101, 1000]}"));
  CheckProved(fetch("bytes: {range: [-5, 0]}"));
  CheckShown(fetch("bytes: 7"), "http.fetch");
  const auto mail = [&](const std::string& args) {
    return Ask(policy, "nothing lets: {tool: mail.send, args: {" + args + "}}");
  };
  CheckProved(mail("'to[?]': {not: {matches: '[a-z]+@a\\.example'}}"));
  CheckShown(mail("to: {not: {max_items: 2}}"), "mail.send");
  CheckProved(mail("to: {not: {max_items: 3}}"));
  const auto run = [&](const std::string& args) {
    return Ask(policy, "nothing lets: {tool: proc.run, args: {" + args + "}}");
  };
  CheckProved(run("'argv[?]': -delete"));
  CheckProved(run("'argv[2]': -delete"));
  CheckProved(run("'argv[0]': sh"));
  CheckShown(run("'argv[?]': -exec"), "proc.run");
}

TEST_CASE("what the classes do not tell is unknown, not proved") {
  // No text matches both, which only somebody who reads regular expressions knows.
  const auto answer = Ask(R"(
tools:
  - {id: mail, reason: r, tool: mail.send, args: {body: {matches: 'a+'}}, decision: allow}
)",
                          "nothing lets: {tool: mail.send, args: {body: {matches: 'b+'}}}");
  CHECK(answer.status == ProofStatus::kUnknown);
  CHECK(answer.what.find("regular expressions") != std::string::npos);
}

TEST_CASE("no time means unknown") {
  const auto policy = FromText(kFiles);
  ProverInput input = Input(*policy);
  input.timeout = std::chrono::milliseconds(0);
  input.against = policy.get();
  for (const char* query : {"no-credential=fs.read", "rules-reachable", "no-wider"}) {
    const ProofAnswer answer = Prove(input, ParseBuiltInQuery(query).value());
    INFO(query << ": " << answer.what);
    CHECK(answer.status == ProofStatus::kUnknown);
    CHECK(answer.what.find("the solver stopped: timeout") != std::string::npos);
  }
}

TEST_CASE("no flow of private data to a sink without a person") {
  const std::string open = R"(
tools:
  - {id: all, reason: r, tool: "*", decision: allow}
data:
  sources: [{path: "/workspace/c/**", confidentiality: confidential}]
  flows:
    - {id: no-leak, reason: r, when: {confidentiality: {at_least: LEVEL}}, to: TO, decision: ask}
)";
  const auto with = [&](const std::string& level, const std::string& to) {
    std::string text = open;
    text.replace(text.find("LEVEL"), 5, level);
    text.replace(text.find("TO"), 2, to);
    return text;
  };
  CheckProved(Ask(with("confidential", "[network]"), "no-flow"));
  CheckProved(Ask(with("confidential", "[network]"), "no-flow=secret"));
  CheckShown(Ask(with("secret", "[network]"), "no-flow"), "http.fetch");
  CheckShown(Ask(with("internal", "[mail.send]"), "no-flow"), "http.fetch");
  CheckProved(Ask(kFiles, "no-flow=public"));
  const auto shown = Ask(with("secret", "[network]"), "no-flow");
  CHECK(shown.calls[0].request.flow.context.confidentiality == Confidentiality::kConfidential);
  CheckShown(Ask(with("secret", "[network]"),
                 "nothing lets: {tool: mail.send}, when: {confidentiality: "
                 "internal, integrity: untrusted}"),
             "mail.send");
}

TEST_CASE("no tool writes what another executes") {
  const std::string run = R"(
  - {id: script, reason: r, tool: proc.run, args: {"argv[0]": python3, "argv[1]": {under: /workspace/tools},
     argv: {max_items: 2}}, decision: allow}
  - {id: no-options, reason: r, tool: proc.run, args: {"argv[1]": {matches: '-.*'}}, decision: deny}
)";
  const std::string write = R"(
tools:
  - {id: write, reason: r, tool: fs.write, args: {path: {under: /workspace}}, decision: allow}
)";
  CheckShown(Ask("workspace: {mode: transactional}" + write + run, "no-write-execute"), "fs.write");
  CheckProved(Ask("workspace: {mode: transactional, protect: ['tools/**']}" + write + run,
                  "no-write-execute"));
  CheckProved(Ask("workspace: {mode: read-only}" + write + run, "no-write-execute"));
  CheckProved(Ask("workspace: {mode: transactional}" + write, "no-write-execute"));
  const auto make = Ask(
      "workspace: {mode: transactional}" + write +
          "  - {id: make, reason: r, tool: proc.run, args: {\"argv[0]\": make}, decision: ask}\n",
      "no-write-execute");
  CheckShown(make, "fs.write");
  CHECK(make.what.find("Makefile") != std::string::npos);
  CHECK(make.calls.at(1).request.tool == "proc.run");
}

TEST_CASE("which files are executed is asked only of programs that a rule grants") {
  const auto ask = [](const std::string& rule, std::chrono::milliseconds timeout) {
    const auto policy = FromText(
        "workspace: {mode: transactional}\ntools:\n"
        "  - {id: write, reason: r, tool: fs.write, args: {path: {under: /workspace}}, decision: "
        "allow}\n"
        "  - {id: run, reason: r, tool: proc.run, " +
        rule + "}\n");
    ProverInput input = Input(*policy);
    input.timeout = timeout;
    return Prove(input, ParseBuiltInQuery("no-write-execute").value());
  };
  constexpr std::chrono::milliseconds kNone{0};
  constexpr std::chrono::milliseconds kEnough{60'000};
  // Known without the solver.
  for (const char* rule : {"args: {'argv[0]': wc}, decision: allow",
                           "args: {'argv[0]': {one_of: [wc, ls]}}, decision: ask",
                           "args: {'argv[0]': {one_of: [1, true]}}, decision: allow",
                           "args: {'argv[0]': make}, decision: deny"}) {
    INFO(rule);
    CheckProved(ask(rule, kNone));
    CheckProved(ask(rule, kEnough));
  }
  for (const char* rule : {"args: {'argv[0]': /usr/bin/make}, decision: allow",
                           "args: {'argv[0]': {one_of: [wc, go]}}, decision: ask",
                           "args: {'argv[0]': {not: {one_of: [wc]}}}, decision: allow",
                           "args: {'argv[0]': {matches: 'c.*'}}, decision: allow",
                           "args: {argv: {max_items: 3}}, decision: allow", "decision: allow"}) {
    INFO(rule);
    CheckShown(ask(rule, kEnough), "fs.write");
    const ProofAnswer late = ask(rule, kNone);
    CHECK(late.status == ProofStatus::kUnknown);
    CHECK(late.what == "fs.write, proc.run: the solver stopped: timeout");
  }
}

TEST_CASE("a tool that no rule grants needs no solver, and one that a rule grants has its time") {
  const auto ask = [](const char* decision) {
    const auto policy =
        FromText(std::string("tools: [{id: r, reason: r, tool: fs.read, args: {path: {under: "
                             "/workspace}}, decision: ") +
                 decision + "}]\n");
    ProverInput input = Input(*policy);
    input.timeout = std::chrono::milliseconds(0);
    return Prove(input,
                 ParseProofQueries("q.yaml",
                                   "nacre: policy-queries/1\nqueries:\n  - {id: q, nothing lets: "
                                   "{tool: fs.read, args: {path: {under: /workspace}}}}\n",
                                   {})
                     .value()[0]);
  };
  CheckProved(ask("deny"));
  const ProofAnswer late = ask("allow");
  CHECK(late.status == ProofStatus::kUnknown);
  CHECK(late.what == "fs.read: the solver stopped: timeout");
}

TEST_CASE("no credential is within reach") {
  const auto base = LoadPolicy("builtin/base").value();
  CHECK(Prove(Input(*base), ParseBuiltInQuery("no-credential=*").value()).status ==
        ProofStatus::kProved);
  CheckShown(Ask(kFiles, "no-credential=fs.read"), "fs.read");
  const std::string docs = R"(
workspace: {mode: read-only}
tools:
  - {id: read, reason: r, tool: fs.read, args: {path: {one_of: [a.md, docs]}}, decision: allow}
  - {id: wc, reason: r, tool: proc.run, args: {"argv[0]": wc}, decision: allow}
)";
  const auto answer = Ask(docs, "no-credential=fs.read");
  CHECK(answer.status == ProofStatus::kUnknown);
  CHECK(answer.what.find("folder") != std::string::npos);
  CheckShown(Ask(docs, "no-credential=proc.run"), "proc.run");
  CheckProved(Ask(docs, "no-credential=fs.write"));
  CHECK(Ask(docs, "no-credential=nothing").status == ProofStatus::kUnknown);
}

TEST_CASE("no wider: rules, and what a call gets") {
  const std::string narrow = R"(
workspace: {mode: transactional, hide: ["**/.env", "**/*.key"]}
tools:
  - {id: r, reason: r, tool: fs.read, args: {path: {under: /workspace/a}}, decision: allow}
)";
  const std::string wide = R"(
workspace: {mode: transactional, hide: ["**/*.key"]}
tools:
  - {id: r, reason: r, tool: fs.read, args: {path: {under: /workspace}}, decision: allow}
)";
  CheckProved(Ask(narrow, "no-wider", wide));
  CheckProved(Ask(wide, "no-wider", wide));
  CheckShown(Ask(wide, "no-wider", narrow), "fs.read");
  const std::string limits = narrow + "sandbox: {limits: {memory: 1GiB}}\n";
  const auto more = Ask(limits, "no-wider", wide);
  CheckShown(more, "fs.read");
  CHECK(more.what.find("sandbox.limits.memory") != std::string::npos);
  CheckProved(Ask(narrow, "no-wider", limits));
  // Allowed instead of asked is wider, the other way round it is not.
  const std::string asks = "tools:\n  - {id: r, reason: r, tool: proc.run, decision: ask}\n";
  const std::string allows = "tools:\n  - {id: r, reason: r, tool: proc.run, decision: allow}\n";
  CheckProved(Ask(asks, "no-wider", allows));
  CheckShown(Ask(allows, "no-wider", asks), "proc.run");
  // Fewer sources may mean cleaner labels, so flows that stop less.
  const std::string data = allows + R"(data:
  sources: [{tool: fs.read, confidentiality: secret}]
  flows: [{id: f, reason: r, when: {confidentiality: {at_least: secret}}, to: [proc.run], decision: deny}]
)";
  std::string fewer = data;
  fewer.replace(fewer.find("tool: fs.read"), 13, "tool: fs.write");
  CHECK(Ask(fewer, "no-wider", data).status == ProofStatus::kUnknown);
  CheckProved(Ask(data, "no-wider", allows));
}

TEST_CASE("no wider: what is no longer withheld is not proved harmless") {
  const std::string allows = "tools:\n  - {id: r, reason: r, tool: proc.run, decision: allow}\n";
  const std::string withholds = allows + "data:\n  quarantine: {integrity: untrusted}\n";
  CHECK(Ask(allows, "no-wider", withholds).status == ProofStatus::kUnknown);
  CheckProved(Ask(withholds, "no-wider", withholds));
}

std::string MailFlows(const std::string& flows, bool quarantine) {
  return "tools:\n  - {id: r, reason: r, tool: mail.send, decision: allow}\ndata:\n  flows: [" +
         flows + "]\n" + (quarantine ? "  quarantine: {integrity: untrusted}\n" : "");
}

TEST_CASE("no wider: with a quarantine a value is derived while the context is trusted") {
  const std::string any =
      "{id: f, reason: r, when: {argument: {roles: [recipient], origin: [derived]}}, "
      "to: {effects: [send]}, decision: deny}";
  const std::string read =
      "{id: f, reason: r, when: {integrity: untrusted, argument: {roles: [recipient], origin: "
      "[derived]}}, to: {effects: [send]}, decision: deny}";
  CheckShown(Ask(MailFlows(read, true), "no-wider", MailFlows(any, true)), "mail.send");
  CheckProved(Ask(MailFlows(any, true), "no-wider", MailFlows(read, true)));
  // Without one, whoever derives has read what it derives from.
  CheckProved(Ask(MailFlows(read, false), "no-wider", MailFlows(any, false)));
}

TEST_CASE("no wider: what is proved of random flows, no random context contradicts") {
  std::mt19937 random(23);
  const auto below = [&](size_t n) { return random() % n; };
  const auto flows = [&] {
    std::string text;
    for (size_t i = 0; i <= below(3); ++i) {
      const std::string argument =
          below(3) > 0 ? ", argument: {roles: [recipient], origin: [" +
                             std::string(OriginName(static_cast<Origin>(below(kOrigins)))) + "]}"
                       : "";
      text += (i > 0 ? ", " : "") + std::string("{id: f") + std::to_string(i) +
              ", reason: r, when: {confidentiality: {at_least: " +
              (below(2) > 0 ? "public" : "secret") + "}" +
              (below(2) > 0 ? ", integrity: untrusted" : "") + argument +
              "}, to: [mail.send], decision: " + (below(2) > 0 ? "deny" : "ask") + "}";
    }
    return text;
  };
  size_t proved = 0;
  size_t shown = 0;
  for (int round = 0; round < 150; ++round) {
    const bool quarantine = round % 2 == 0;
    const auto narrow = FromText(MailFlows(flows(), quarantine));
    const auto wide = FromText(MailFlows(flows(), quarantine));
    ProverInput input = Input(*narrow);
    input.against = wide.get();
    const ProofAnswer answer = Prove(input, ParseBuiltInQuery("no-wider").value());
    shown += answer.status == ProofStatus::kCounterExample ? 1 : 0;
    if (answer.status != ProofStatus::kProved) {
      continue;
    }
    ++proved;
    for (int i = 0; i < 100; ++i) {
      Request call{.tool = "mail.send", .arguments = {{"to", {"x"}}}, .paths = {}};
      call.flow = {.effects = {CallEffect::kSend}, .context = Label::Clean(), .arguments = {}};
      call.flow.context.integrity = static_cast<Integrity>(below(2));
      call.flow.context.confidentiality = static_cast<Confidentiality>(below(kConfidentialities));
      const auto origin = static_cast<Origin>(below(kOrigins));
      if (!quarantine && origin == Origin::kDerived) {
        call.flow.context.integrity = Integrity::kUntrusted;
      }
      call.flow.arguments.push_back({"to", ArgumentRole::kRecipient, "x", origin});
      INFO(ToYaml(*narrow) << ToYaml(*wide));
      REQUIRE(Evaluate(*narrow, call).verdict <= Evaluate(*wide, call).verdict);
    }
  }
  CHECK(proved > 10);
  CHECK(shown > 10);
}

TEST_CASE("no wider: a flow that asks lets anybody say yes") {
  const std::string alice =
      "tools:\n  - {id: r, reason: r, tool: proc.run, decision: ask, approvers: {users: "
      "[alice]}}\n";
  const std::string allows = "tools:\n  - {id: r, reason: r, tool: proc.run, decision: allow}\n";
  const std::string anybody = allows + R"(data:
  sources: [{tool: fs.read, confidentiality: secret}]
  flows: [{id: f, reason: r, when: {confidentiality: {at_least: public}}, to: [proc.run], decision: ask}]
)";
  const ProofAnswer answer = Ask(anybody, "no-wider", alice);
  INFO(answer.what);
  CHECK(answer.status == ProofStatus::kUnknown);
  CHECK(answer.what.find("others may say yes") != std::string::npos);
}

TEST_CASE("no wider: a flow that asks fewer, others or for longer is not proved") {
  const auto policy = [](const std::string& approvers) {
    return "tools:\n  - {id: r, reason: r, tool: proc.run, decision: allow}\ndata:\n  flows: [{id: "
           "f, "
           "reason: r, when: {confidentiality: {at_least: public}}, to: [proc.run], decision: ask, "
           "approvers: " +
           approvers + "}]\n";
  };
  const std::string two = policy("{users: [ann, bob], count: 2, expires: 5m}");
  CHECK(Ask(two, "no-wider", two).status == ProofStatus::kProved);
  CHECK(Ask(policy("{users: [ann, bob], count: 2, expires: 1m}"), "no-wider", two).status ==
        ProofStatus::kProved);
  for (const char* wider :
       {"{users: [ann, bob], count: 1, expires: 5m}", "{users: [ann, eve], count: 2, expires: 5m}",
        "{users: [ann, bob], count: 2, expires: 6m}", "{expires: 5m}"}) {
    INFO(wider);
    const ProofAnswer answer = Ask(policy(wider), "no-wider", two);
    CHECK(answer.status == ProofStatus::kUnknown);
    CHECK(answer.what.find("others may say yes") != std::string::npos);
  }
}

TEST_CASE("what is answered is said in these words") {
  const std::string shell =
      "tools:\n  - {id: r, reason: r, tool: proc.run, args: {argv: {max_items: 1}, argv[0]: sh}, "
      "decision: allow}\n";
  const std::string mail = "tools:\n  - {id: r, reason: r, tool: mail.send, decision: allow}\n";
  const std::string flow =
      "  flows: [{id: f, reason: r, when: {integrity: untrusted}, to: [proc.run], decision: "
      "ask}]\n";
  const std::string secrets =
      "data: {sources: [{path: /workspace/keys, confidentiality: secret}]}\n";
  const std::string look = "workspace: {mode: read-only}\n";
  const auto ask_words = [](const std::string& pattern) {
    return "tools:\n  - {id: r, reason: r, tool: http.fetch, args: {url: {matches: '" + pattern +
           "'}}, decision: ask}\n";
  };
  const std::string build =
      "workspace: {mode: transactional}\nsandbox: {profile: build}\ntools:\n"
      "  - {id: w, reason: r, tool: fs.write, args: {path: a.sh}, decision: allow}\n"
      "  - {id: x, reason: r, tool: proc.run, args: {argv: {max_items: 1}, argv[0]: "
      "/workspace/a.sh}, decision: allow}\n";
  struct Row {
    std::string policy;
    std::string query;
    std::string against;
    ProofStatus status;
    std::string what;
  };
  const std::vector<Row> rows = {
      {"", "nothing lets: {tool: fs.read}", "", ProofStatus::kProved, "no call of 1 tool is such"},
      {"", "nothing lets: {tool: \"fs.*\"}", "", ProofStatus::kProved,
       "no call of 2 tools is such"},
      {shell, "nothing lets: {tool: proc.run}", "", ProofStatus::kCounterExample,
       "this call is allowed"},
      {ask_words("[a-m]+"), "nothing lets: {tool: http.fetch}", "", ProofStatus::kCounterExample,
       "this call is asked for, and a person may say yes"},
      {ask_words("[a-m]+x"), "nothing lets: {tool: http.fetch, args: {url: {matches: '[n-z]+x'}}}",
       "", ProofStatus::kUnknown,
       "http.fetch: conditions that no exact classes stand for (regular expressions, globs, "
       "lengths) may hold together, and no call was found for which they do"},
      {"", "no-flow", "", ProofStatus::kProved,
       "no call of 2 tools that fetches, sends or pays is allowed in a context that is "
       "confidential or more"},
      {"", "no-flow=secret", "", ProofStatus::kProved,
       "no call of 2 tools that fetches, sends or pays is allowed in a context that is secret"},
      {mail, "no-flow", "", ProofStatus::kCounterExample,
       "a context that is confidential does not stop this call; no source in data.sources says "
       "confidential"},
      {mail + secrets, "no-flow=secret", "", ProofStatus::kCounterExample,
       "a context that is secret does not stop this call"},
      {"", "no-credential=fs.read", "", ProofStatus::kProved, "no call sees the workspace"},
      {"extends: [builtin/base]\n", "no-credential=*", "", ProofStatus::kProved,
       "workspace.hide covers every kind of credential, so no call sees one"},
      {look, "no-credential=fs.read", "", ProofStatus::kProved,
       "no call is allowed or asked for that could reach one"},
      {look +
           "tools:\n  - {id: r, reason: r, tool: fs.read, args: {path: .env}, decision: allow}\n",
       "no-credential=fs.read", "", ProofStatus::kCounterExample,
       "this call names a credential that workspace.hide does not hide"},
      {look + shell, "no-credential=proc.run", "", ProofStatus::kCounterExample,
       "the sandbox of this call shows x/.env, which workspace.hide does not hide"},
      {look + "tools:\n  - {id: r, reason: r, tool: fs.read, args: {path: a}, decision: allow}\n",
       "no-credential=fs.read", "", ProofStatus::kUnknown,
       "fs.read: no call names a credential, but one may name a folder in which there is one "
       "(**/.env is not hidden)"},
      {"", "no-write-execute", "", ProofStatus::kProved,
       "of 1 pair of tools, none may write a file that the other may then execute"},
      {build, "no-write-execute", "", ProofStatus::kCounterExample,
       "the first of these calls writes /workspace/a.sh, the second executes it"},
      {shell, "no-wider", shell, ProofStatus::kProved,
       "each call of 5 tools is answered at least as strictly as by the other policy, and gets no "
       "more"},
      {shell, "no-wider", "", ProofStatus::kCounterExample,
       "the other policy answers this call with deny by default"},
      {"sandbox: {limits: {tasks: 65}}\n" + shell, "no-wider", shell, ProofStatus::kCounterExample,
       "a call gets more, such as this one: sandbox.limits.tasks is 65, was 64"},
      {"budgets: {rates: [{id: few, reason: r, tool: proc.run, calls: 3, per: hour}]}\n" + shell,
       "no-wider",
       "budgets: {rates: [{id: few, reason: r, tool: proc.run, calls: 2, per: hour}]}\n" + shell,
       ProofStatus::kUnknown, "whether another rate bounds what budgets.few does is not known"},
      {"", "no-wider", "data: {quarantine: {integrity: untrusted}}\n", ProofStatus::kUnknown,
       "texts reach the context here that were withheld there"},
      {shell + "data:\n  unlisted: untrusted\n" + flow, "no-wider",
       shell + "data:\n  sources: [{tool: fs.read, integrity: untrusted}]\n" + flow,
       ProofStatus::kUnknown, "data.sources differ, so data may have other labels here than there"},
      {shell + "data:\n  quarantine: {integrity: untrusted, extract: [date]}\n" + flow, "no-wider",
       shell + "data:\n" + flow, ProofStatus::kUnknown,
       "data.quarantine differs, so contexts may be cleaner here than there"},
      {shell, "rules-reachable", "", ProofStatus::kProved,
       "each of 1 rule and 0 flows decides a call"},
      {shell +
           "data: {flows: [{id: f, reason: r, when: {integrity: untrusted}, to: {effects: [pay]}, "
           "decision: ask}]}\n",
       "rules-reachable", "", ProofStatus::kProved,
       "each of 1 rule and 0 flows decides a call; no tool that may run does what 1 more flow "
       "speaks of"},
      {"tools:\n  - {id: r, reason: r, tool: fs.read, args: {path: /workspace/a}, decision: "
       "allow}\n",
       "rules-reachable", "", ProofStatus::kCounterExample,
       "1 rule never decides: of calls such as these, which meet the conditions, others decide"},
      {"tools:\n  - {id: r, reason: r, tool: http.fetch, args: {url: {matches: '[a-m]+x'}, bytes: "
       "{range: [1, 2]}}, decision: allow}\n  - {id: s, reason: r, tool: http.fetch, args: {url: "
       "{matches: '[n-z]+x', max_length: 0}}, decision: allow}\n",
       "rules-reachable", "", ProofStatus::kUnknown,
       "for some rules no call was found that they decide: http.fetch: conditions that no exact "
       "classes stand for (regular expressions, globs, lengths) may hold together, and no call was "
       "found for which they do"},
  };
  for (const Row& row : rows) {
    INFO(row.policy << row.query << "\n" << row.against);
    const ProofAnswer answer = Ask(row.policy, row.query, row.against);
    CHECK(answer.what == row.what);
    CHECK(answer.status == row.status);
  }
}

TEST_CASE("a tool with a path argument that no condition can name is unknown") {
  for (const std::string& key : {std::string(65, 'x'), std::string(64, 'x') + " "}) {
    const std::vector<ToolModel> tools = {
        Tools()[0],
        {.name = "odd",
         .schema = {{"type", "object"},
                    {"properties", {{key, {{"type", "string"}, {"format", "path"}}}}}},
         .paths = {{key, PathAccess::kRead}},
         .traits = {.tool = "odd", .effects = {CallEffect::kRead}, .roles = {}}}};
    const auto policy = FromText(
        "workspace: {mode: transactional, hide: [\"**/*.key\"]}\n"
        "tools:\n  - {id: r, reason: r, tool: odd, decision: deny}\n");
    ProverInput input = Input(*policy, tools);
    input.against = &*policy;
    for (const char* query :
         {"no-wider", "rules-reachable", "no-credential=odd", "no-flow", "no-write-execute"}) {
      const ProofAnswer answer = Prove(input, ParseBuiltInQuery(query).value());
      INFO(key << " " << query << ": " << answer.what);
      CHECK(answer.status == ProofStatus::kUnknown);
      CHECK(answer.what.find("\"" + key + "\"") != std::string::npos);
    }
    // Of another tool alone all is known.
    const auto queries = ParseProofQueries(
        "q.yaml", "nacre: policy-queries/1\nqueries: [{id: q, nothing lets: {tool: fs.read}}]\n");
    CheckProved(Prove(input, queries.value().at(0)));
  }
}

TEST_CASE("a path argument of any name is in the formulas") {
  for (const std::string name : {"file name", "a.b", "größe"}) {
    const std::vector<ToolModel> tools = {
        {.name = "odd",
         .schema = {{"type", "object"},
                    {"properties",
                     {{name, {{"type", "string"}, {"format", "path-write"}}},
                      {"a", {{"type", "object"}, {"properties", {{"b", {{"type", "string"}}}}}}}}},
                    {"required", {name}}},
         .paths = {{name, PathAccess::kWrite}},
         .traits = {.tool = "odd", .effects = {CallEffect::kWrite}, .roles = {}}}};
    const auto policy = [&](const std::string& folder) {
      return FromText(
          "workspace: {mode: transactional, protect: [ci]}\n"
          "tools:\n  - {id: r, reason: r, tool: odd, args: {'" +
          MemberPath("", name) + "': {under: " + folder + "}}, decision: allow}\n");
    };
    const auto few = policy("/workspace/a");
    const auto many = policy("/workspace");
    const auto ask = [&](const Policy& asked, const std::string& query) {
      ProverInput input = Input(asked, tools);
      input.against = &*few;
      if (query == "no-wider") {
        return Prove(input, ParseBuiltInQuery(query).value());
      }
      const auto queries = ParseProofQueries(
          "q.yaml", "nacre: policy-queries/1\nqueries: [{id: q, " + query + "}]\n");
      REQUIRE(queries.ok());
      return Prove(input, queries.value().at(0));
    };
    INFO(name);
    CheckProved(ask(*few, "no-wider"));
    const ProofAnswer wider = ask(*many, "no-wider");
    CheckShown(wider, "odd");
    CHECK(wider.calls.at(0).request.arguments.contains(name));
    const std::string below = "nothing lets: {tool: odd, args: {'" + MemberPath("", name) + "': ";
    CheckProved(ask(*many, below + "{under: /workspace/ci}}}"));
    CheckShown(ask(*many, below + "{under: /workspace/b}}}"), "odd");
  }
}

TEST_CASE("rules that never decide are named") {
  CheckProved(Ask(kFiles, "rules-reachable"));
  // Neither of the others covers it alone.
  const auto answer = Ask(R"(
tools:
  - {id: a, reason: r, tool: http.fetch, args: {method: GET}, decision: deny}
  - {id: b, reason: r, tool: http.fetch, args: {method: POST}, decision: deny}
  - {id: c, reason: r, tool: http.fetch, args: {method: {one_of: [GET, POST]}}, decision: allow}
)",
                          "rules-reachable");
  CHECK(answer.status == ProofStatus::kCounterExample);
  CHECK(answer.rules == std::vector<std::string>{"tools.c"});
  REQUIRE(answer.calls.size() == 1);
  CHECK(answer.calls[0].rule == "tools.a");
  const auto mode = Ask(R"(
tools:
  - {id: a, reason: r, tool: fs.read, args: {path: {under: /workspace}}, decision: allow}
)",
                        "rules-reachable");
  CHECK(mode.rules == std::vector<std::string>{"tools.a"});
}

TEST_CASE(
    "a rule that asks others beside the first is reached, and one that asks nobody new is not") {
  const std::string rules = R"(
tools:
  - {id: a, reason: r, tool: http.fetch, decision: ask, approvers: {users: [ann]}}
  - {id: b, reason: r, tool: http.fetch, args: {method: GET}, decision: ask, approvers: {users: [bob]}}
  - {id: c, reason: r, tool: http.fetch, args: {method: POST}, decision: ask, approvers: {users: [bob]}}
)";
  const std::string last =
      "  - {id: d, reason: r, tool: http.fetch, args: {method: {one_of: [GET, POST]}}, ";
  CheckProved(Ask(rules, "rules-reachable"));
  CheckProved(Ask(rules + last + "decision: ask, approvers: {users: [cy]}}\n", "rules-reachable"));
  const ProofAnswer again =
      Ask(rules + last + "decision: ask, approvers: {users: [bob]}}\n", "rules-reachable");
  CHECK(again.status == ProofStatus::kCounterExample);
  CHECK(again.rules == std::vector<std::string>{"tools.d"});
}

TEST_CASE("no wider: who is asked beside another may not be left out") {
  const std::string one =
      "tools:\n  - {id: a, reason: r, tool: proc.run, decision: ask, approvers: {users: [ann]}}\n";
  const std::string both =
      one + "  - {id: b, reason: r, tool: proc.run, decision: ask, approvers: {users: [bob]}}\n";
  CheckProved(Ask(both, "no-wider", both));
  const ProofAnswer fewer = Ask(one, "no-wider", both);
  CHECK(fewer.status == ProofStatus::kUnknown);
  CHECK(fewer.what == "others may say yes here than there, or for longer");
}

TEST_CASE("a number that no class is exact for is the same number in both policies") {
  for (const char* number : {"18446744073709551615", "9007199254740993"}) {
    const std::string rule =
        std::string("tools:\n  - {id: r, reason: r, tool: http.fetch, args: {bytes: ") + number +
        "}, decision: allow}\n";
    CheckProved(Ask(rule, "no-wider", rule));
  }
}

TEST_CASE(
    "no wider: where a rule that asks stands as it stood, who is asked need not be compared") {
  const std::string two =
      "tools:\n  - {id: a, reason: r, tool: proc.run, decision: ask, approvers: {users: [ann]}}\n"
      "  - {id: b, reason: r, tool: http.fetch, decision: ask, approvers: {role: operator}}\n";
  const std::string less =
      two + "  - {id: c, reason: r, tool: http.fetch, args: {method: POST}, decision: deny}\n";
  CheckProved(Ask(less, "no-wider", two));
  CheckProved(
      Ask("narrow:\n  - {id: n, reason: r, tool: http.fetch, decision: ask, approvers: "
          "{users: [cy]}}\n" +
              two,
          "no-wider", two));
  // Another in the place of who was asked is told.
  const std::string allows =
      "tools:\n  - {id: a, reason: r, tool: proc.run, decision: ask, approvers: {users: [ann]}}\n"
      "  - {id: b, reason: r, tool: http.fetch, decision: ask, approvers: {users: [ann]}}\n";
  CHECK(Ask(allows, "no-wider", two).what == "others may say yes here than there, or for longer");
}

TEST_CASE("no wider: whom a quarantine asks is compared with whom a rule asks") {
  const auto with = [](const std::string& decision) {
    return "data: {quarantine: {integrity: untrusted}}\ntools:\n  - {id: a, reason: r, tool: "
           "data.reveal, decision: " +
           decision + "}\n";
  };
  const std::string ann = with("ask, approvers: {users: [ann]}");
  const std::string owner = with("allow");
  CHECK(Ask(owner, "no-wider", ann).status != ProofStatus::kProved);
  CHECK(Ask(ann, "no-wider", owner).status != ProofStatus::kProved);
  CheckProved(Ask(owner, "no-wider", owner));
  CheckProved(Ask(ann, "no-wider", ann));
}

TEST_CASE("a flow that waits for tools to come is left out, and makes nothing unknown") {
  const std::string flow = R"(
data:
  sources: [{path: "/workspace/**", confidentiality: internal}]
  flows:
    - {id: f, reason: r, when: {confidentiality: {at_least: internal}}, to: EFFECT, decision: ask}
)";
  const auto with = [&](const std::string& effect) {
    std::string text = kFiles + flow;
    return text.replace(text.find("EFFECT"), 6, effect);
  };
  // No rule lets mail.send or http.fetch run.
  const auto waiting = Ask(with("{effects: [send, fetch]}"), "rules-reachable");
  CheckProved(waiting);
  CHECK(waiting.what.find("no tool that may run does what 1 more flow speaks of") !=
        std::string::npos);
  // One that names a tool does not wait: it is dead.
  CHECK(Ask(with("[mail.send]"), "rules-reachable").rules == std::vector<std::string>{"data.f"});
  CheckProved(Ask(with("{effects: [read]}"), "rules-reachable"));
  // Nor can the labels that it looks at make another policy wider, but where it speaks of what that lets run.
  CheckProved(Ask(kFiles, "no-wider", with("{effects: [send, fetch]}")));
  CHECK(Ask(kFiles, "no-wider", with("{effects: [read]}")).status != ProofStatus::kProved);
}

TEST_CASE("under a shipped profile nothing private reaches a sink without a person") {
  const std::string sinks =
      "tools:\n  - {id: mail, reason: r, tool: mail.send, decision: allow}\n"
      "  - {id: web, reason: r, tool: http.fetch, decision: allow}\n";
  for (const std::string& profile : ShippedProfiles()) {
    CAPTURE(profile);
    CheckProved(Ask("extends: [builtin/" + profile + "]\n" + sinks, "no-flow=internal"));
    // What a stranger wrote is enough for a mail, private or not.
    CheckProved(Ask(
        "extends: [builtin/" + profile + "]\n" + sinks,
        "nothing lets: {tool: mail.send}, without a person: true, when: {integrity: untrusted}"));
  }
  CheckShown(Ask(sinks, "no-flow=internal"), "http.fetch");
}

// ---- the encoding against the evaluator ------------------------------------------------------------

const std::vector<ToolModel>& RandomTools() {
  static const std::vector<ToolModel> kTools = [] {
    std::vector<ToolModel> tools;
    for (const char* name : {"a", "b", "fs.read", "fs.write", "fs.x.y", "fs.x.z"}) {
      ToolModel tool;
      tool.name = name;
      if (tool.name == "fs.read" || tool.name == "fs.write") {
        tool.paths = {{"path", tool.name == "fs.read" ? PathAccess::kRead : PathAccess::kWrite}};
      }
      tools.push_back(std::move(tool));
    }
    return tools;
  }();
  return kTools;
}

// A random call as one of these tools would be asked it.
std::optional<Request> RandomCall(RandomPolicy& source) {
  const Request made = source.Call();
  return Read({made.tool, made.arguments}, RandomTools());
}

// With some rules in `narrow`.
PolicyDocument RandomDocument(RandomPolicy& source, std::mt19937& random, size_t rules) {
  PolicyDocument document = source.Document(rules);
  for (ToolRule& rule : source.Document(random() % 4).tools) {
    if (rule.verdict != Verdict::kAllow) {
      rule.narrows = true;
      document.narrow.push_back(std::move(rule));
    }
  }
  return document;
}

TEST_CASE("every call is in the encoding, decided as the evaluator does") {
  std::mt19937 random(7);
  RandomPolicy source([&](size_t n) { return random() % n; });
  size_t decided_by_rule = 0;
  for (int round = 0; round < 60; ++round) {
    const auto policy = Policy::Compile(RandomDocument(source, random, random() % 30));
    std::vector<Request> calls;
    for (int i = 0; i < 30; ++i) {
      if (auto call = RandomCall(source)) {
        calls.push_back(std::move(*call));
      }
    }
    for (const ToolModel& tool : RandomTools()) {
      Solver solver;
      CallEncoding encoding(solver, tool, {policy.get()}, {});
      const CallEncoding::Outcome outcome = encoding.Decided(*policy, true);
      const Formula refused = encoding.Refused(*policy);
      for (const Request& call : calls) {
        if (call.tool != tool.name) {
          continue;
        }
        const Decision decision = Evaluate(*policy, call);
        std::vector<Formula> exactly = encoding.Pinned(call);
        for (const auto* rules : {&policy->tools, &policy->narrow}) {
          for (const ToolRule& rule : *rules) {
            if (RuleCoversTool(rule, call.tool)) {
              const bool matches = ConditionsHeld(rule, call) == rule.arguments.size();
              const Formula formula = encoding.Matches(rule);
              exactly.push_back(matches ? formula : solver.Not(formula));
            }
          }
        }
        INFO(call.tool << " " << DumpJson(call.arguments) << "\n" << ToYaml(*policy));
        REQUIRE(solver.Check(exactly, std::chrono::seconds(20)) == Solver::Answer::kCan);
        CHECK(solver.Holds(outcome.allowed) == (decision.verdict == Verdict::kAllow));
        CHECK(solver.Holds(outcome.asked) == (decision.verdict == Verdict::kAsk));
        CHECK(solver.Holds(refused) == (decision.rule.rfind("workspace.", 0) == 0));
        decided_by_rule += decision.rule.rfind("tools.", 0) == 0 ? 1 : 0;
      }
    }
  }
  CHECK(decided_by_rule > 200);  // else the policies are too far from the calls to say much
}

TEST_CASE("what is proved of random policies, no random call contradicts") {
  std::mt19937 random(11);
  RandomPolicy source([&](size_t n) { return random() % n; });
  size_t proved = 0;
  size_t shown = 0;
  for (int round = 0; round < 60; ++round) {
    const auto narrow = Policy::Compile(RandomDocument(source, random, 1 + random() % 6));
    PolicyDocument other = *narrow;
    if (random() % 2 == 0) {
      other = RandomDocument(source, random, 1 + random() % 6);
      other.grant = narrow->grant;
    } else if (!other.tools.empty()) {
      other.tools.erase(other.tools.begin() + static_cast<long>(random() % other.tools.size()));
    }
    const auto wide = Policy::Compile(other);
    ProverInput input = Input(*narrow, RandomTools());
    input.against = wide.get();
    const ProofAnswer answer = Prove(input, ParseBuiltInQuery("no-wider").value());
    shown += answer.status == ProofStatus::kCounterExample ? 1 : 0;
    if (answer.status != ProofStatus::kProved) {
      continue;
    }
    ++proved;
    for (int i = 0; i < 200; ++i) {
      if (const auto call = RandomCall(source)) {
        INFO(call->tool << " " << DumpJson(call->arguments) << "\n"
                        << ToYaml(*narrow) << ToYaml(*wide));
        REQUIRE(Evaluate(*narrow, *call).verdict <= Evaluate(*wide, *call).verdict);
      }
    }
  }
  CHECK(proved > 5);
  CHECK(shown > 5);
}

// ---- queries from hostile files ----------------------------------------------------------------------

std::string QueryRefusal(const std::string& text) {
  const auto queries =
      ParseProofQueries("q.yaml", text, {.tools = {{"fs.read", Tools()[0].schema}}});
  REQUIRE_FALSE(queries.ok());
  CHECK(queries.error().code == ErrorCode::kInvalidArgument);
  return queries.error().message;
}

TEST_CASE("a mistake in a file of queries is named where it stands") {
  const auto query = [](const std::string& text) {
    return "nacre: policy-queries/1\nqueries:\n  - {" + text + "}\n";
  };
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"nacre: policy/1\nqueries: []\n", "policy-queries/1"},
      {"nacre: policy-queries/1\n", "queries: missing"},
      {"nacre: policy-queries/1\nqueries: []\n", "nothing would be proved"},
      {query("built-in: no-flow"), "a query needs \"id\""},
      {query("id: q"), "either \"nothing lets\" or \"built-in\""},
      {query("id: q, built-in: no-flow, nothing lets: {tool: fs.read}"), "either"},
      {query("id: q, built-in: no-flows"), "did you mean \"no-flow\"?"},
      {query("id: q, built-in: no-credential"),
       "q.yaml:3:5: queries[0]: no-credential needs \"tool\""},
      {query("id: q, built-in: no-credential, tool: fs.raed"), "did you mean \"fs.read\"?"},
      {query("id: q, built-in: no-wider, tool: fs.read"), "says nothing with \"no-wider\""},
      {query("id: q, built-in: no-flow, when: {}"), "says nothing with \"built-in\""},
      {query("id: q, built-in: no-flow, confidentiality: top"), "confidentiality"},
      {query("id: q, nothing lets: {args: {}}"),
       "q.yaml:3:27: queries[0].nothing lets: say which \"tool\", or \"*\" for every one"},
      {query("id: q, nothing lets: {tool: fs.raed}"), "there is no tool \"fs.raed\"; did you mean"},
      {query("id: q, nothing lets: {tool: fs.read, args: {paht: a}}"), "did you mean \"path\"?"},
      {query("id: q, nothing lets: {tool: fs.read, args: {path: {matches: '('}}}"), "bad regular"},
      {query("id: q, nothing lets: {tool: fs.read, decision: allow}"), "unknown key"},
      {query("id: q, nothing lets: {tool: fs.read}, when: {integrity: trusted}"), "integrity"},
      {query("id: q, nothing lets: {tool: fs.read}, confidentiality: secret"), "says nothing with"},
      {query("id: q, nothing lets: &a {tool: fs.read}"), "anchor"},
      {"nacre: policy-queries/1\nqueries:\n  - {id: q, built-in: no-flow}\n  - {id: q, built-in: "
       "no-flow}\n",
       "another query has this id"}};
  for (const auto& [text, expected] : mistakes) {
    const std::string refusal = QueryRefusal(text);
    INFO(text << refusal);
    CHECK(refusal.rfind("q.yaml:", 0) == 0);
    CHECK(refusal.find(expected) != std::string::npos);
  }
}

TEST_CASE("a built-in query that there is not, or that lacks something, is refused") {
  for (const char* text : {"", "no-flows", "no-flow=top", "no-credential",
                           "no-credential=", "no-wider=a", "nothing-lets", "rules-reachable=1"}) {
    const auto query = ParseBuiltInQuery(text);
    INFO(text);
    REQUIRE_FALSE(query.ok());
    CHECK(query.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(ParseBuiltInQuery("no-flows").error().message.find("did you mean \"no-flow\"?") !=
        std::string::npos);
}

}  // namespace
// What the prover does not know of a quarantine must not make it say what is not so.
TEST_CASE("with a quarantine, what is proved holds for calls that are given what was withheld") {
  const std::string policy =
      "tools: [{id: all, reason: r, tool: \"*\", decision: allow}]\n"
      "data:\n"
      "  flows: [{id: stays, reason: r, when: {confidentiality: {at_least: confidential}}, "
      "to: [network], decision: deny}]\n"
      "  quarantine: {integrity: untrusted, extract: [date]}\n";
  CheckProved(Ask(policy, "no-flow"));
  const auto loaded = FromText(policy);
  for (const ToolModel& tool : Tools()) {
    if (tool.name != "http.fetch" && tool.name != "mail.send") {
      continue;
    }
    for (const char* key : {"url", "to", "body"}) {
      ContextTracker context(loaded->data);
      Request request = {.tool = tool.name, .arguments = {{key, "x"}}};
      request.withheld = {{key, "$r1", {.confidentiality = Confidentiality::kConfidential}}};
      request.flow = context.Facts(tool.traits, request);
      CHECK(Evaluate(*loaded, request).verdict == Verdict::kDeny);
    }
  }
}

// The tools of a quarantine, as runtime/agent has them.
std::vector<ToolModel> QuarantineModels() {
  std::vector<ToolModel> tools;
  for (const char* name : {kExtractTool, kRevealTool, kEndorseTool}) {
    Json schema =
        Schema(R"({"type":"object","properties":{"text":{"type":"string"}},"required":["text"]})");
    if (name == std::string(kExtractTool)) {
      schema["properties"]["type"] = {{"type", "string"}, {"enum", ExtractTypes()}};
      schema["required"] = {"text", "type"};
    }
    tools.push_back({.name = name,
                     .schema = schema,
                     .paths = {},
                     .traits = {.tool = name, .effects = {CallEffect::kRead}, .roles = {}}});
  }
  return tools;
}

TEST_CASE("calls of a quarantine's tools are in the encoding, decided as the evaluator does") {
  const std::vector<ToolModel> tools = QuarantineModels();
  size_t allowed = 0;
  size_t asked = 0;
  for (const char* data : {"", "data: {quarantine: {integrity: untrusted}}",
                           "data: {quarantine: {integrity: untrusted, extract: []}}",
                           "data: {quarantine: {integrity: untrusted, extract: [date, one_of]}}"}) {
    for (const char* verdict : {"allow", "ask", "deny"}) {
      const auto policy =
          FromText(std::string("tools: [{id: all, reason: r, tool: \"data.*\", decision: ") +
                   verdict + "}]\n" + data + "\n");
      for (const ToolModel& tool : tools) {
        for (const std::string& type : ExtractTypes()) {
          Request call{.tool = tool.name, .arguments = {{"text", "$r1"}}, .paths = {}};
          if (tool.name == kExtractTool) {
            call.arguments["type"] = type;
          }
          INFO(data << " " << verdict << " " << tool.name << " " << type);
          Solver solver;
          CallEncoding encoding(solver, tool, {&*policy}, {});
          const CallEncoding::Outcome outcome = encoding.Decided(*policy, true);
          REQUIRE(solver.Check(encoding.Pinned(call), std::chrono::seconds(20)) ==
                  Solver::Answer::kCan);
          const Verdict decided = Evaluate(*policy, call).verdict;
          CHECK(solver.Holds(outcome.allowed) == (decided == Verdict::kAllow));
          CHECK(solver.Holds(outcome.asked) == (decided == Verdict::kAsk));
          allowed += decided == Verdict::kAllow ? 1 : 0;
          asked += decided == Verdict::kAsk ? 1 : 0;
        }
      }
    }
  }
  CHECK(allowed > 0);
  CHECK(asked > 0);
}

TEST_CASE("no wider: what a quarantine lets be extracted is compared, also without flows") {
  const std::string rule = "tools: [{id: x, reason: r, tool: data.extract, decision: allow}]\n";
  const auto policy = [&](const std::string& extract) {
    return FromText(
        rule + (extract.empty()
                    ? ""
                    : "data: {quarantine: {integrity: untrusted, extract: [" + extract + "]}}\n"));
  };
  const std::vector<ToolModel> tools = QuarantineModels();
  const auto ask = [&](const std::string& narrow, const std::string& wide) {
    const auto loaded = policy(narrow);
    const auto against = policy(wide);
    ProverInput input = Input(*loaded, tools);
    input.against = &*against;
    return Prove(input, ParseBuiltInQuery("no-wider").value());
  };
  const ProofAnswer wider = ask("boolean, date", "boolean");
  CheckShown(wider, kExtractTool);
  CHECK(wider.calls[0].request.arguments["type"] == "date");
  CheckShown(ask("boolean", ""), kExtractTool);
  CheckProved(ask("boolean", "boolean, date"));
  CheckProved(ask("boolean", "boolean"));
}

TEST_CASE("no write and execute: a tool that does not say what it writes makes it unknown") {
  std::vector<ToolModel> tools = Tools();
  tools.push_back(
      {.name = "doc.save",
       .schema = Schema(R"({"type":"object","properties":{"title":{"type":"string"}}})"),
       .paths = {},
       .traits = {.tool = "doc.save", .effects = {CallEffect::kWrite}, .roles = {}},
       .writes_unnamed = true});
  const auto ask = [&](const char* mode, const char* rules) {
    const auto policy =
        FromText(std::string("workspace: {mode: ") + mode + "}\ntools: [" + rules + "]\n");
    return Prove(Input(*policy, tools), ParseBuiltInQuery("no-write-execute").value());
  };
  constexpr const char* kBoth =
      "{id: s, reason: r, tool: doc.save, decision: ask}, "
      "{id: m, reason: r, tool: proc.run, args: {argv[0]: make}, decision: allow}";
  const ProofAnswer unknown = ask("transactional", kBoth);
  CHECK(unknown.status == ProofStatus::kUnknown);
  CHECK(unknown.what ==
        "doc.save: its arguments do not say which files it writes, and proc.run may execute them");
  CheckProved(ask("read-only", kBoth));
  CheckProved(ask("transactional", "{id: s, reason: r, tool: doc.save, decision: allow}"));
  CheckProved(ask("transactional",
                  "{id: m, reason: r, tool: proc.run, args: {argv[0]: make}, decision: allow}"));
}

}  // namespace nacre::policy
