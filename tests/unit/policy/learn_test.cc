// What is learned allows what was seen, little else, and nothing that a call wrote into it.
#include "policy/learn.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>
#include <random>

#include "base/file.h"
#include "load.h"
#include "policy/evaluator.h"
#include "policy/internal/generalise.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {
namespace {

const std::vector<ToolModel>& Tools() {
  const auto schema = [](const std::string& properties, const std::string& required) {
    return ParseJson("{\"type\":\"object\",\"properties\":{" + properties + "},\"required\":[" +
                     required + "]}")
        .value();
  };
  static const std::vector<ToolModel> kTools = {
      {.name = "fs.read",
       .schema =
           schema(R"("path":{"type":"string","format":"path"},"start_line":{"type":"integer"})",
                  "\"path\""),
       .paths = {{"path", PathAccess::kRead}},
       .traits = {.tool = "fs.read", .effects = {CallEffect::kRead}, .roles = {}}},
      {.name = "fs.write",
       .schema =
           schema(R"("path":{"type":"string","format":"path-write"},"content":{"type":"string"},
                           "append":{"type":"boolean"})",
                  R"("path","content")"),
       .paths = {{"path", PathAccess::kWrite}},
       .traits = {.tool = "fs.write",
                  .effects = {CallEffect::kWrite},
                  .roles = {{"content", ArgumentRole::kBody}, {"append", ArgumentRole::kOption}}}},
      {.name = "http.fetch",
       .schema = schema(R"("url":{"type":"string"})", "\"url\""),
       .paths = {},
       .traits = {.tool = "http.fetch",
                  .effects = {CallEffect::kFetch},
                  .roles = {{"url", ArgumentRole::kUrl}}}},
      {.name = "mail.send",
       .schema = schema(R"("to":{"type":"array","items":{"type":"string"}},"cc":{"type":"array",
                           "items":{"type":"string"}})",
                        "\"to\""),
       .paths = {},
       .traits = {.tool = "mail.send",
                  .effects = {CallEffect::kSend},
                  .roles = {{"to", ArgumentRole::kRecipient}, {"cc", ArgumentRole::kRecipient}}}},
      {.name = "proc.run",
       .schema = schema(R"("argv":{"type":"array","items":{"type":"string"}})", "\"argv\""),
       .paths = {},
       .traits = {.tool = "proc.run", .effects = {CallEffect::kExecute}, .roles = {}}}};
  return kTools;
}

Request Call(const std::string& tool, Json arguments) {
  Request request{.tool = tool, .arguments = std::move(arguments), .paths = {}};
  for (const ToolModel& known : Tools()) {
    for (const ToolModel::Path& path : known.paths) {
      if (known.name == tool) {
        request.paths.push_back(
            {path.key, request.arguments.at(path.key).get<std::string>(), path.access});
      }
    }
  }
  return request;
}

Request ReadOf(const std::string& path) {
  return Call("fs.read", {{"path", "/workspace/" + path}});
}

LearnedPolicy Learn(const std::vector<Request>& requests, Verdict verdict = Verdict::kAllow) {
  std::vector<RecordedCall> calls;
  for (const Request& request : requests) {
    calls.push_back({"call-" + std::to_string(calls.size()), verdict, request});
  }
  auto learned = LearnPolicy("learned", calls, Tools());
  INFO((learned.ok() ? std::string() : learned.error().message));
  REQUIRE(learned.ok());
  return learned.value();
}

Verdict Of(const LearnedPolicy& learned, const Request& request) {
  INFO(learned.yaml);
  return Evaluate(*Loaded(LoadPolicyText("learned.yaml", learned.yaml)), request).verdict;
}

TEST_CASE("what was seen is allowed, and what was not is denied") {
  const std::vector<Request> seen = {
      ReadOf("a.c"),
      ReadOf("src/b.c"),
      Call("fs.write", {{"path", "/workspace/out.txt"}, {"content", "four"}}),
      Call("http.fetch", {{"url", "https://a.example/x"}}),
      Call("mail.send", {{"to", {"ann@a.example", "bob@a.example"}}}),
      Call("proc.run", {{"argv", {"grep", "-n", "x"}}}),
      Call("proc.run", {{"argv", {"wc", "a.c"}}})};
  const LearnedPolicy learned = Learn(seen);
  for (const Request& request : seen) {
    CHECK(Of(learned, request) == Verdict::kAllow);
  }
  CHECK(learned.calls == seen.size());
  for (const Request& other :
       {ReadOf("b.c"), ReadOf("src/a.c"), ReadOf("src"),
        Call("fs.read", {{"path", "/workspace/a.c"}, {"start_line", 3}}),
        Call("fs.write", {{"path", "/workspace/out.txt"}, {"content", "fives"}}),
        Call("fs.write", {{"path", "/workspace/out.txt"}, {"content", "four"}, {"append", false}}),
        Call("http.fetch", {{"url", "https://b.example/x"}}),
        Call("http.fetch", {{"url", "https://a.example@b.example/x"}}),
        Call("mail.send", {{"to", {"ann@a.example", "eve@a.example"}}}),
        Call("mail.send", {{"to", {"ann@a.example", "bob@a.example", "bob@a.example"}}}),
        Call("mail.send", {{"to", {"ann@a.example"}}, {"cc", Json::array()}}),
        Call("proc.run", {{"argv", {"grep", "-n", "y"}}}),
        Call("proc.run", {{"argv", {"wc", "-n", "x"}}}), Call("proc.run", {{"argv", {"sh"}}})}) {
    INFO(other.tool << DumpJson(other.arguments));
    CHECK(Of(learned, other) == Verdict::kDeny);
  }
}

TEST_CASE("arguments of any name are limited, and no other's rule speaks of them") {
  const std::vector<ToolModel> tools = {
      {.name = "odd",
       .schema = {{"type", "object"},
                  {"properties",
                   {{"file name", {{"type", "string"}}},
                    {"x.y", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                    {"größe", {{"type", "integer"}}},
                    {"b[0]", {{"type", "string"}}}}},
                  {"required", {"file name"}}},
       .paths = {},
       .traits = {.tool = "odd", .effects = {CallEffect::kWrite}, .roles = {}}}};
  const Request seen{.tool = "odd",
                     .arguments = {{"file name", "a.txt"}, {"x.y", {"b", "c"}}, {"größe", 3}},
                     .paths = {}};
  const auto learned = LearnPolicy("learned", {{"call-1", Verdict::kAllow, seen}}, tools);
  REQUIRE(learned.ok());
  INFO(learned.value().yaml);
  CHECK(learned.value().yaml.find("not limited") == std::string::npos);
  const auto policy =
      Loaded(LoadPolicyText("l.yaml", learned.value().yaml, {.tools = {{"odd", tools[0].schema}}}));
  const auto with = [&](const std::string& name, const Json& value) {
    Request other = seen;
    other.arguments[name] = value;
    return Evaluate(*policy, other).verdict;
  };
  CHECK(Evaluate(*policy, seen).verdict == Verdict::kAllow);
  CHECK(with("file name", "b.txt") == Verdict::kDeny);
  CHECK(with("x.y", {"b", "d"}) == Verdict::kDeny);
  CHECK(with("größe", 4) == Verdict::kDeny);
  CHECK(with("b[0]", "") == Verdict::kDeny);
}

TEST_CASE("many paths become their deepest folder, numbers a range, and both are named as wide") {
  std::vector<Request> seen;
  for (int i = 0; i < 9; ++i) {
    Request request = ReadOf("src/lib/f" + std::to_string(i) + (i % 2 == 0 ? ".c" : "/g.c"));
    request.arguments["start_line"] = 10 * i + 1;
    seen.push_back(request);
  }
  const LearnedPolicy learned = Learn(seen);
  const auto read = [](const std::string& path, int line) {
    Request request = ReadOf(path);
    request.arguments["start_line"] = line;
    return request;
  };
  CHECK(Of(learned, read("src/lib/new.c", 80)) == Verdict::kAllow);
  CHECK(Of(learned, read("src/main.c", 80)) == Verdict::kDeny);
  CHECK(Of(learned, read("src/lib/new.c", 82)) == Verdict::kDeny);
  REQUIRE(learned.widened.size() == 2);
  CHECK(learned.widened[0].find("every file below /workspace/src/lib (9 seen)") !=
        std::string::npos);
  CHECK(learned.yaml.find("# WIDE path: every file below /workspace/src/lib") != std::string::npos);
}

TEST_CASE("what is wide about an argument that may be left out is named too") {
  std::vector<Request> seen = {ReadOf("a.c")};
  for (int i = 0; i < 9; ++i) {
    seen.push_back(ReadOf("a.c"));
    seen.back().arguments["start_line"] = 10 * i + 1;
  }
  const LearnedPolicy learned = Learn(seen);
  INFO(learned.yaml);
  CHECK(learned.yaml.find("# WIDE start_line: ") != std::string::npos);
  REQUIRE(learned.widened.size() == 1);
  CHECK(learned.widened[0].find("start_line: ") != std::string::npos);
}

TEST_CASE("a path behind a link is learned by its name and by where the link led") {
  Request linked = ReadOf("pub/a.txt");
  linked.paths.at(0).followed = "/workspace/real/a.txt";
  const LearnedPolicy learned = Learn({linked});
  CHECK(Of(learned, linked) == Verdict::kAllow);
  Request moved = linked;
  moved.paths.at(0).followed = "/workspace/secret/a.txt";
  CHECK(Of(learned, moved) == Verdict::kDeny);
  CHECK(Of(learned, ReadOf("pub/b.txt")) == Verdict::kDeny);
}

TEST_CASE("what was denied is not learned, and what was asked stays asked") {
  std::vector<RecordedCall> calls = {{"1", Verdict::kAsk, ReadOf("a")},
                                     {"2", Verdict::kAllow, ReadOf("b")},
                                     {"3", Verdict::kDeny, Call("proc.run", {{"argv", {"rm"}}})}};
  const auto learned = LearnPolicy("learned", calls, Tools()).value();
  CHECK(learned.calls == 2);
  CHECK(Of(learned, ReadOf("a")) == Verdict::kAsk);
  CHECK(Of(learned, Call("proc.run", {{"argv", {"rm"}}})) == Verdict::kDeny);
  calls = {calls[2]};
  CHECK(LearnPolicy("learned", calls, Tools()).error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(LearnPolicy("a\nb: c", {{"1", Verdict::kAllow, ReadOf("a")}}, Tools()).ok());
}

TEST_CASE("an argument that was sometimes left out may be, and is one of those seen") {
  Request with = ReadOf("a");
  with.arguments["start_line"] = 5;
  const LearnedPolicy learned = Learn({ReadOf("a"), with});
  Request other = with;
  other.arguments["start_line"] = 6;
  CHECK(Of(learned, ReadOf("a")) == Verdict::kAllow);
  CHECK(Of(learned, with) == Verdict::kAllow);
  CHECK(Of(learned, other) == Verdict::kDeny);
  const auto mail = [](Json to) { return Call("mail.send", {{"to", std::move(to)}}); };
  const LearnedPolicy mails = Learn({mail(Json::array()), mail({"a@b.c"})});
  CHECK(Of(mails, mail(Json::array())) == Verdict::kAllow);
  CHECK(Of(mails, mail({"a@b.c"})) == Verdict::kAllow);
  CHECK(Of(mails, mail({"x@b.c"})) == Verdict::kDeny);
}

TEST_CASE(
    "what builtin/base hides stays hidden, unless a call had it; and risks stand at their rules") {
  CHECK(Of(Learn({ReadOf("a")}), ReadOf(".env")) == Verdict::kDeny);
  const LearnedPolicy env = Learn({ReadOf(".env")});
  CHECK(Of(env, ReadOf(".env")) == Verdict::kAllow);
  CHECK(env.yaml.find("WIDE workspace.hide: 1 of the globs") != std::string::npos);
  CHECK(env.yaml.find("# RISK secret-readable") != std::string::npos);
  const LearnedPolicy shell = Learn({Call("proc.run", {{"argv", {"sh", "-c", "true"}}})});
  REQUIRE(shell.risks.size() == 1);
  CHECK(shell.risks[0].find("shell") != std::string::npos);
}

TEST_CASE("calls of a quarantine's tools are learned with the quarantine that they need") {
  const std::vector<ToolModel> tools = {
      {.name = kExtractTool,
       .schema = ParseJson(R"({"type":"object","properties":{"text":{"type":"string"},
                               "type":{"type":"string"}},"required":["text","type"]})")
                     .value(),
       .paths = {},
       .traits = {.tool = kExtractTool, .effects = {CallEffect::kRead}, .roles = {}}}};
  const Request date = {.tool = kExtractTool, .arguments = {{"text", "a"}, {"type", "date"}}};
  const auto learned = LearnPolicy("p", {{"1", Verdict::kAllow, date}}, tools);
  INFO((learned.ok() ? learned.value().yaml : learned.error().message));
  REQUIRE(learned.ok());
  const auto policy = Loaded(LoadPolicyText("p.yaml", learned.value().yaml));
  CHECK(Evaluate(*policy, date).verdict == Verdict::kAllow);
  CHECK(policy->data.quarantine.extract == std::vector<std::string>{"date"});
}

TEST_CASE("no call breaks out of a comment or a text") {
  const std::vector<std::string> hostile = {
      "a\n  - {id: x, reason: r, tool: \"*\", decision: allow}\n#",
      "\"\n  decision: allow\n\"",
      "'",
      "a # b",
      "a: b",
      "- a",
      "{a: b}",
      "[*]",
      "\\",
      "\\\"",
      "%",
      "&a",
      "*a",
      "!!str a",
      "---\nnacre: policy/1",
      "...",
      "\t",
      "\r\nx",
      "a\x01\x1b[31mb",
      "\x7f",
      std::string("\0x", 2),
      "\u202egnp.exe",
      "\u200b",
      "\u2028tools:",
      "\u0085x",
      "\ufeff",
      "\ue000argv\ue001",
      "\U0001f600",
      "\U000e0041",
      "true",
      "null",
      "1",
      "~",
      "",
      " ",
      "[?]",
      std::string(5000, 'x'),
      "\xc3\xa9"};
  std::vector<RecordedCall> calls;
  for (const std::string& text : hostile) {
    calls.push_back({text, Verdict::kAllow, Call("proc.run", {{"argv", {"echo", text}}})});
    calls.push_back({text, Verdict::kAllow, Call("proc.run", {{"argv", {text}}})});
    calls.push_back({text, Verdict::kAllow, Call("mail.send", {{"to", {text}}})});
    if (text.find('\0') == std::string::npos && !text.empty()) {
      calls.push_back({text, Verdict::kAllow,
                       Call("fs.read", {{"path", "/workspace/" + std::to_string(calls.size())}})});
    }
  }
  for (const RecordedCall& only : calls) {
    const auto learned = LearnPolicy("learned", {only}, Tools());
    INFO(DumpJson(only.request.arguments)
         << (learned.ok() ? learned.value().yaml : learned.error().message));
    REQUIRE(learned.ok());
    const std::string& yaml = learned.value().yaml;
    // Printable ASCII, line by line, whatever the call was.
    CHECK(std::all_of(yaml.begin(), yaml.end(),
                      [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); }));
    CHECK(yaml.find("\n  - {id: x") == std::string::npos);
    const auto policy = Loaded(LoadPolicyText("learned.yaml", yaml));
    for (const ToolRule& rule : policy->tools) {
      CHECK(rule.id.rfind("learned-", 0) == 0);
      CHECK(rule.tools == std::vector<std::string>{only.request.tool});
    }
    CHECK(Evaluate(*policy, only.request).verdict == Verdict::kAllow);
    CHECK(Evaluate(*policy, Call("proc.run", {{"argv", {"not", "seen"}}})).verdict ==
          Verdict::kDeny);
  }
  // All together, as one session would have them.
  const auto all = LearnPolicy("learned", calls, Tools());
  INFO((all.ok() ? all.value().yaml : all.error().message));
  REQUIRE(all.ok());
  const auto policy = Loaded(LoadPolicyText("learned.yaml", all.value().yaml));
  for (const RecordedCall& call : calls) {
    INFO(DumpJson(call.request.arguments));
    CHECK(Evaluate(*policy, call.request).verdict == Verdict::kAllow);
  }
}

TEST_CASE("random sessions are allowed by what is learned from them") {
  std::mt19937 random(3);
  const auto below = [&](size_t n) { return random() % n; };
  for (int round = 0; round < 40; ++round) {
    std::vector<Request> seen;
    for (size_t i = 1 + below(30); i > 0; --i) {
      switch (below(4)) {
        case 0: {
          Request read = ReadOf("d" + std::to_string(below(3)) + "/f" + std::to_string(below(20)));
          if (below(2) == 0) {
            read.arguments["start_line"] = below(30);
          }
          seen.push_back(read);
          break;
        }
        case 1:
          seen.push_back(Call("fs.write", {{"path", "/workspace/w" + std::to_string(below(12))},
                                           {"content", std::string(below(9), 'x')},
                                           {"append", below(2) == 0}}));
          break;
        case 2: {
          Json to = Json::array();
          for (size_t n = below(3); n > 0; --n) {
            to.push_back("p" + std::to_string(below(4)));
          }
          seen.push_back(Call("mail.send", {{"to", to}}));
          break;
        }
        default:
          seen.push_back(
              Call("http.fetch", {{"url", "https://h" + std::to_string(below(5)) + ".example/"}}));
      }
    }
    const LearnedPolicy learned = Learn(seen);
    for (const Request& request : seen) {
      INFO(request.tool << DumpJson(request.arguments));
      REQUIRE(Of(learned, request) == Verdict::kAllow);
    }
  }
}

TEST_CASE("budgets and rates are what turns used, with room, and say so") {
  const Request read = ReadOf("a.c");
  const Request mail = Call("mail.send", {{"to", {"ann@a.example"}}});
  const std::vector<RecordedCall> calls = {{"1", Verdict::kAllow, read},
                                           {"2", Verdict::kAsk, mail, {"ann", "bob"}},
                                           {"3", Verdict::kAsk, mail, {"ann", "cy"}}};
  TurnUse small;
  small.steps = 2;
  small.tool_calls = 1;
  small.tokens = 100;
  small.wall = std::chrono::milliseconds(300);
  small.calls = {{"fs.read", 1}};
  TurnUse large;
  large.steps = 4;
  large.tool_calls = 3;
  large.tokens = 1001;
  large.wall = std::chrono::milliseconds(4100);
  large.calls = {{"fs.read", 1}, {"mail.send", 2}};
  const LearnedPolicy learned = LearnPolicy("learned", calls, Tools(), {small, large}).value();
  const auto policy = Loaded(LoadPolicyText("learned.yaml", learned.yaml));
  CHECK(policy->budgets.steps == 6);
  CHECK(policy->budgets.tool_calls == 5);
  CHECK(policy->budgets.tokens == 1502);
  CHECK(policy->budgets.wall == std::chrono::seconds(7));
  REQUIRE(policy->budgets.rates.size() == 1);  // reading has none
  CHECK(policy->budgets.rates[0].tools == std::vector<std::string>{"mail.send"});
  CHECK(policy->budgets.rates[0].calls == 2);
  CHECK(policy->budgets.rates[0].per == CallRate::Per::kTurn);
  CHECK(learned.yaml.find("# the most of 2 turns was 1001, and half as much again") !=
        std::string::npos);
  const Decision asked = Evaluate(*policy, mail);
  REQUIRE(asked.verdict == Verdict::kAsk);
  REQUIRE(asked.approvers.size() == 1);
  CHECK(asked.approvers[0].users == std::vector<std::string>{"ann", "bob", "cy"});
  CHECK(asked.approvers[0].count == 2);
  // What the language does not let be is not proposed, and nothing comes of no turns.
  large.steps = 1'000'000'000;
  large.tokens = 0;
  const auto bounded = Loaded(
      LoadPolicyText("learned.yaml", LearnPolicy("learned", calls, Tools(), {large}).value().yaml));
  CHECK(bounded->budgets.steps == 10'000);
  CHECK(bounded->budgets.tokens == 1);
  CHECK(LimitsYaml({}, {"mail.send"}).empty());
}

TEST_CASE("who said yes is named only when it is known of all") {
  const Request mail = Call("mail.send", {{"to", {"ann@a.example"}}});
  const LearnedPolicy learned =
      LearnPolicy("learned", {{"1", Verdict::kAsk, mail, {"ann"}}, {"2", Verdict::kAsk, mail, {}}},
                  Tools())
          .value();
  CHECK(learned.yaml.find("    approvers:") == std::string::npos);
  // Then whoever runs nacre may say yes, which is said.
  REQUIRE_FALSE(learned.widened.empty());
  CHECK(
      learned.widened[0] ==
      "tools.learned-1 (mail.send): approvers: whoever runs nacre; who said yes to 1 of the calls "
      "is not known by the name of an account");
  CHECK(learned.yaml.find("# WIDE approvers: whoever runs nacre") != std::string::npos);
  std::vector<RecordedCall> many;
  for (int i = 0; i < 17; ++i) {
    many.push_back({std::to_string(i), Verdict::kAsk, mail, {"user" + std::to_string(i)}});
  }
  CHECK(LearnPolicy("learned", many, Tools())
            .value()
            .yaml.find("# WIDE approvers: whoever runs nacre; 17 accounts said yes") !=
        std::string::npos);
  many.pop_back();
  CHECK(LearnPolicy("learned", many, Tools()).value().yaml.find("WIDE approvers") ==
        std::string::npos);
}

TEST_CASE("a tool that should get a rate and was in no turn that ended is named") {
  const Request mail = Call("mail.send", {{"to", {"ann@a.example"}}});
  TurnUse turn;
  turn.calls = {{"fs.read", 1}};
  const LearnedPolicy learned =
      LearnPolicy("learned", {{"1", Verdict::kAllow, mail, {}}}, Tools(), {turn}).value();
  REQUIRE(learned.widened.size() == 2);
  CHECK(learned.widened[1] ==
        "budgets.rates: none for mail.send: no turn that ended had a call of it");
  CHECK(learned.yaml.find("# WIDE budgets.rates: none for mail.send") != std::string::npos);
  turn.calls = {{"mail.send", 1}};
  CHECK(LearnPolicy("learned", {{"1", Verdict::kAllow, mail, {}}}, Tools(), {turn})
            .value()
            .widened.size() == 1);
}

TEST_CASE("that a call which leads out is allowed in any context is named") {
  const Request mail = Call("mail.send", {{"to", {"ann@a.example"}}});
  const auto named = [](const LearnedPolicy& learned) {
    CHECK((learned.yaml.find("  # WIDE context: any; ") != std::string::npos) ==
          std::any_of(learned.widened.begin(), learned.widened.end(), [](const std::string& wide) {
            return wide.find(": context: any; ") != std::string::npos;
          }));
    return learned.yaml.find("  # WIDE context: any; ") != std::string::npos;
  };
  CHECK(named(Learn({mail, ReadOf("a.txt")})));
  CHECK(named(Learn({Call("http.fetch", {{"url", "https://a.example/x"}})})));
  CHECK(Learn({mail}).widened.at(0) ==
        "tools.learned-1 (mail.send): context: any; flows are not learned, so nobody is asked "
        "about such a call where something private or untrusted was read, as builtin/base would "
        "have it");
  // A person who is asked looks at the context, and what leads nowhere needs no flow.
  CHECK_FALSE(named(Learn({mail}, Verdict::kAsk)));
  CHECK_FALSE(named(Learn({ReadOf("a.txt"), Call("proc.run", {{"argv", {"wc"}}})})));
}

// The whole text, since people read it before they use it: where each line comes from, and all that is wide.
TEST_CASE("what is learned is written in these words") {
  std::vector<RecordedCall> calls;
  const auto add = [&](Request request, Verdict verdict = Verdict::kAllow,
                       std::vector<std::string> approved_by = {}) {
    calls.push_back({"call-" + std::to_string(calls.size() + 1), verdict, std::move(request),
                     std::move(approved_by)});
  };
  for (int i = 0; i < 9; ++i) {
    add(ReadOf("src/f" + std::to_string(i) + ".c"));
  }
  calls.back().request.arguments["start_line"] = 5;
  add(Call("fs.write", {{"path", "/workspace/.env"}, {"content", "four"}, {"append", true}}));
  add(Call("http.fetch", {{"url", "https://a.example/x"}}));
  add(Call("http.fetch", {{"url", "https://b.example/"}}));
  add(Call("mail.send", {{"to", {"ann@a.example"}}}), Verdict::kAsk, {"ann", "bob"});
  add(Call("mail.send", {{"to", {"bob@a.example", "a\"\nb"}}}), Verdict::kAsk, {"ann", "cy"});
  add(Call("proc.run", {{"argv", {"sh", "-c", "true"}}}));
  add(Call("proc.run", {{"argv", {"wc"}}}), Verdict::kAsk);
  add(Call("proc.run", {{"argv", {"rm"}}}), Verdict::kDeny);
  TurnUse small;
  small.steps = 2;
  small.tool_calls = 1;
  small.tokens = 100;
  small.wall = std::chrono::milliseconds(300);
  small.calls = {{"fs.write", 1}};
  TurnUse large;
  large.steps = 4;
  large.tool_calls = 3;
  large.tokens = 1001;
  large.wall = std::chrono::milliseconds(4100);
  large.calls = {{"mail.send", 2}, {"http.fetch", 2}};
  const auto learned = LearnPolicy("learned", calls, Tools(), {small, large});
  REQUIRE(learned.ok());
  const std::string file = std::string(NACRE_SOURCE_DIR) + "/tests/data/policies/learned.yaml";
  if (std::getenv("NACRE_UPDATE_DOCS") != nullptr) {
    REQUIRE(WriteFileAtomically(file, learned.value().yaml).ok());
  }
  CHECK(learned.value().yaml == ReadFile(file, 1 << 16).value());
  // What stands there as WIDE and RISK is told beside it, with its rule.
  CHECK(learned.value().widened ==
        std::vector<std::string>{
            "tools.learned-1 (fs.read): path: every file below /workspace/src (9 seen)",
            "tools.learned-3 (fs.write): content: any text of at most 4 bytes (1 seen)",
            "tools.learned-4 (http.fetch): context: any; flows are not learned, so nobody is asked "
            "about such a call where something private or untrusted was read, as builtin/base "
            "would have it",
            "tools.learned-4 (http.fetch): url: every address at 2 hosts (2 seen)",
            "tools.learned-8 (proc.run): approvers: whoever runs nacre; who said yes to 1 of the "
            "calls is not known by the name of an account",
            "budgets.rates: none for proc.run: no turn that ended had a call of it",
            "workspace.hide: 1 of the globs of builtin/base is left out, which a call needed"});
  CHECK(learned.value().risks ==
        std::vector<std::string>{
            "tools.learned-7: shell: it allows \"proc.run sh -c true\": a shell runs whatever one "
            "argument says; to narrow it: name the programs that are needed in argv[0]: {one_of: "
            "[...]}"});
}

TEST_CASE("no number of a log is too large for a budget") {
  TurnUse turn;
  turn.steps = turn.tool_calls = turn.tokens = std::numeric_limits<int64_t>::max();
  turn.wall = std::chrono::milliseconds(std::numeric_limits<int64_t>::max());
  const std::string yaml = LimitsYaml({turn}, {});
  CHECK(yaml.find("steps: 10000 ") != std::string::npos);
  CHECK(yaml.find(": -") == std::string::npos);
}

}  // namespace
}  // namespace nacre::policy
