// The compiled policy against the oracle, and policies that are exchanged under concurrent readers.
#include "policy/internal/program.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "load.h"
#include "policy/evaluator.h"
#include "policy/explain.h"
#include "policy/live_policy.h"
#include "policy/rate.h"
#include "tests/support/policy_oracle.h"
#include "tests/support/random_policy.h"

namespace nacre::policy {
namespace {

TEST_CASE("the compiled policy decides as the oracle does, by the same rule") {
  std::mt19937 random(20261126);
  RandomPolicy source([&](size_t n) { return random() % n; });
  size_t by_rule = 0;
  for (int round = 0; round < 200; ++round) {
    const PolicyDocument document = source.Document(random() % 60);
    const auto policy = Policy::Compile(document);
    for (int i = 0; i < 40; ++i) {
      const Request request = source.Call();
      const Decision decision = Evaluate(*policy, request);
      const oracle::Expected expected = oracle::Judge(document, request);
      INFO("round " << round << ", " << request.tool << " " << DumpJson(request.arguments) << "\n"
                    << ToYaml(document));
      REQUIRE(decision.rule == expected.rule);
      REQUIRE(decision.verdict == expected.verdict);
      REQUIRE((*decision.grant == document.grant || decision.verdict == Verdict::kDeny));
      by_rule += decision.rule.rfind("tools.", 0) == 0 ? 1 : 0;
    }
  }
  CHECK(by_rule > 1000);  // else the policies are too far from the calls to say much
}

TEST_CASE("narrow, flows, quarantine and rates decide as the oracle says, and ask whom it says") {
  std::mt19937 random(20261127);
  RandomPolicy source([&](size_t n) { return random() % n; });
  std::map<std::string, size_t> decided;  // by section
  size_t several = 0;
  for (int round = 0; round < 400; ++round) {
    // At times so many rules that they share branches.
    PolicyDocument document = source.Document(random() % (round % 4 == 0 ? 60 : 6));
    source.AddNarrowing(document);
    const auto policy = Policy::Compile(document);
    for (int i = 0; i < 40; ++i) {
      const Request request = source.LabelledCall();
      const CallHistory history = source.History();
      Decision decision = Evaluate(*policy, request);
      NarrowByRate(policy->budgets, request, history, decision);
      const oracle::Expected expected = oracle::Judge(document, request, history);
      INFO("round " << round << ", " << request.tool << " " << DumpJson(request.arguments) << "\n"
                    << ToYaml(document));
      REQUIRE(decision.rule == expected.rule);
      REQUIRE(decision.verdict == expected.verdict);
      REQUIRE(oracle::SameApprovers(decision, expected));
      ++decided[decision.rule == "data.quarantine"
                    ? decision.rule
                    : decision.rule.substr(0, decision.rule.find('.'))];
      several += decision.approvers.size() > 1 ? 1 : 0;
    }
  }
  for (const char* section : {"tools", "narrow", "data", "data.quarantine", "budgets"}) {
    INFO(section);
    CHECK(decided[section] > 300);  // else the policies are too far from the calls to say much
  }
  CHECK(several > 300);
}

TEST_CASE("of a call that no rule allows, the rule that came closest is named") {
  std::mt19937 random(5);
  RandomPolicy source([&](size_t n) { return random() % n; });
  size_t compared = 0;
  for (int round = 0; round < 100; ++round) {
    PolicyDocument document = source.Document(6);
    document.grant = {};
    const auto policy = Policy::Compile(document);
    for (int i = 0; i < 12; ++i) {
      Request request = source.Call();
      request.paths.clear();
      const Explanation explanation = Explain(*policy, request);
      if (explanation.decision.rule != "default") {
        continue;
      }
      // Every rule one by one, as Explain lists them.
      size_t most = 0;
      std::string expected = "no rule allows " + request.tool;
      bool any = false;
      for (const ToolRule& rule : document.tools) {
        if (rule.verdict == Verdict::kDeny || !RuleCoversTool(rule, request.tool)) {
          continue;
        }
        const size_t held = ConditionsHeld(rule, request);
        if (!any || held > most) {
          most = held;
          expected = "no rule allows " + request.tool +
                     " with these arguments: " + DescribeFailure(rule.arguments.at(held), request);
          any = true;
        }
      }
      INFO(ToYaml(document) << DumpJson(request.arguments));
      REQUIRE(explanation.decision.reason == expected);
      compared += any ? 1 : 0;
    }
  }
  CHECK(compared > 100);
}

TEST_CASE("many patterns on one argument are one automaton, which answers as each of them does") {
  std::string rules;
  for (int i = 0; i < 300; ++i) {
    rules += "  - {id: p" + std::to_string(i) +
             ", reason: r, tool: t, args: {to: {matches: '[a-z]+" + std::to_string(i) +
             "@x\\.(com|org)'}}, decision: " + (i % 7 == 0 ? "deny" : "allow") + "}\n";
  }
  const auto policy = FromText("tools:\n" + rules);
  const auto rule = [&](const std::string& to) {
    return Evaluate(*policy, {.tool = "t", .arguments = {{"to", to}}, .paths = {}}).rule;
  };
  CHECK(rule("abc7@x.com") == "tools.p7");
  CHECK(rule("abc299@x.org") == "tools.p299");
  CHECK(rule("abc300@x.org") == "default");
  CHECK(rule("abc7@x.com\n") == "default");
  CHECK(rule("x abc7@x.com") == "default");
}

TEST_CASE("a glob that cannot be read hides everything") {
  PolicyDocument document = *FromText("workspace: {mode: direct}\n");
  document.grant.hide = {"a{b"};
  const auto policy = Policy::Compile(document);
  const Request request{
      .tool = "t", .arguments = {}, .paths = {{"path", "/workspace/c", PathAccess::kRead}}};
  CHECK(Evaluate(*policy, request).rule == "workspace.hide");
}

TEST_CASE("host_in reads a host only where every reader would find the same") {
  const auto policy = FromText(R"(
tools:
  - {id: bad, reason: r, tool: t, args: {url: {host_in: [evil.example]}}, decision: deny}
  - {id: good, reason: r, tool: t, args: {url: {host_in: ["*.example", 192.0.2.1, "2001:db8::1"]}}, decision: allow}
  - {id: any, reason: r, tool: u, args: {url: {not: {host_in: [evil.example]}}}, decision: allow}
)");
  const auto rule = [&](const std::string& tool, const Json& url) {
    return Evaluate(*policy, {.tool = tool, .arguments = {{"url", url}}, .paths = {}}).rule;
  };
  for (const char* url : {"https://api.example/a?b#c", "api.example", "API.Example.:443",
                          "http://a.b.example", "https://192.0.2.1/x", "[2001:DB8:0::1]:80",
                          "http://api.example?x=@evil.example", "x://api.example#@evil.example"}) {
    INFO(url);
    CHECK(rule("t", url) == "tools.good");
    CHECK(rule("u", url) == "tools.any");
  }
  for (const char* url : {"https://evil.example", "EVIL.example.", "evil.example:80"}) {
    INFO(url);
    CHECK(rule("t", url) == "tools.bad");
    CHECK(rule("u", url) == "default");
  }
  // Of these, readers disagree or see an address: a deny rule takes them for what it forbids.
  for (const char* url :
       {"https://api.example@evil.example/", "https://api.example\\@evil.example", "0x7f.1",
        "127.1", "2130706433", "http://api%2eexample", "https:api.example", "//api.example", "",
        "a b.example", "api..example", "http://[::1", "http://api.example:80:80",
        "http://\xC3\xA9.example", "1http://api.example", "api.example/x"}) {
    INFO(url);
    CHECK(rule("t", url) == "tools.bad");
    CHECK(rule("u", url) == "default");
  }
  CHECK(rule("t", "https://example") == "default");  // *.example is what is below it
  CHECK(rule("t", "https://192.0.2.10") == "default");
  CHECK(rule("t", 7) == "default");
}

// 100 reloads a second under 1,000 deciders, of whom some never rest. Each of the policies allows by rules of
// its own name only, so a decision that mixed two would show.
TEST_CASE("policies are exchanged under concurrent deciders, and none sees a mixture") {
  constexpr int kDeciders = 1000;
  constexpr int kRestless = 16;
  constexpr std::chrono::milliseconds kPause{10};
  const auto make = [](int version) {
    PolicyDocument document;
    document.name = "v" + std::to_string(version);
    for (int i = 0; i < 20; ++i) {
      ToolRule rule;
      rule.id = document.name + "-" + std::to_string(i);
      rule.reason = document.name;
      rule.tools = {"t" + std::to_string(i)};
      rule.verdict = Verdict::kAllow;
      rule.source = {document.name, i + 1, 1};
      document.tools.push_back(rule);
    }
    document.grant.profile = document.name;
    return Policy::Compile(std::move(document));
  };
  LivePolicy live(make(0));
  std::atomic<bool> stop{false};
  std::atomic<size_t> mixed{0};
  std::atomic<size_t> decided{0};
  std::vector<std::thread> deciders;
  for (int t = 0; t < kDeciders; ++t) {
    deciders.emplace_back([&, t] {
      for (int i = t % 20; !stop; i = (i + 1) % 20) {
        const std::shared_ptr<const Policy> policy = live.Current();
        const Decision decision =
            Evaluate(*policy, {.tool = "t" + std::to_string(i % 20), .arguments = {}, .paths = {}});
        const std::string rule = "tools." + policy->name + "-" + std::to_string(i % 20);
        const bool whole = decision.rule == rule && decision.reason == policy->name &&
                           decision.source.file == policy->name &&
                           decision.grant->profile == policy->name;
        mixed += whole ? 0 : 1;
        ++decided;
        if (t >= kRestless) {
          std::this_thread::sleep_for(kPause);
        }
      }
    });
  }
  std::weak_ptr<const Policy> first = live.Current();
  for (int version = 1; version <= 100; ++version) {
    live.Replace(make(version));
    CHECK(live.Current()->name == "v" + std::to_string(version));
    std::this_thread::sleep_for(kPause);
  }
  while (decided < size_t{kDeciders}) {
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& decider : deciders) {
    decider.join();
  }
  CHECK(mixed == 0);
  CHECK(first.expired());  // what nobody holds any longer is freed
}

}  // namespace
}  // namespace nacre::policy
