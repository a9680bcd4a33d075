// Random policies and calls that often nearly match: few names, values and paths, met again and again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "policy/internal/matcher.h"
#include "policy/path_glob.h"
#include "policy/policy.h"
#include "policy/rate.h"
#include "policy/request.h"

namespace nacre::policy {

class RandomPolicy final {
 public:
  // `below(n)`: a number below n, from a generator or from a fuzzer's bytes.
  explicit RandomPolicy(std::function<size_t(size_t)> below) : below_(std::move(below)) {}

  bool Coin() { return below_(2) > 0; }

  PolicyDocument Document(size_t rules) {
    PolicyDocument document;
    document.name = "random";
    document.grant.workspace = static_cast<WorkspaceMode>(below_(4));
    for (size_t i = below_(4); i > 0; --i) {
      document.grant.hide.push_back(Glob());
    }
    for (size_t i = below_(4); i > 0; --i) {
      document.grant.protect.push_back(Glob());
    }
    for (size_t i = 0; i < rules; ++i) {
      ToolRule rule;
      rule.id = "r" + std::to_string(i);
      rule.reason = "reason " + std::to_string(i);
      rule.source = {"random.yaml", static_cast<int>(i) + 1, 1};
      rule.verdict = static_cast<Verdict>(below_(3));
      for (size_t t = 1 + below_(2); t > 0; --t) {
        rule.tools.push_back(Of({"a", "fs.read", "fs.write", "fs.*", "fs.x.*", "fs.x.y"}));
      }
      for (size_t c = below_(4); c > 0; --c) {
        rule.arguments.push_back(Condition(rule.verdict));
      }
      std::sort(rule.arguments.begin(), rule.arguments.end(), AskedBefore);
      document.tools.push_back(std::move(rule));
    }
    return document;
  }

  // What makes decisions stricter: rules of `narrow`, flows, a quarantine, rates; and who is asked.
  void AddNarrowing(PolicyDocument& document) {
    document.tools.push_back({.id = "rest",
                              .reason = "the rest",
                              .tools = {"*"},
                              .arguments = {},
                              .verdict = static_cast<Verdict>(1 + below_(2)),
                              .source = {}});
    document.narrow = Document(below_(4)).tools;
    for (ToolRule& rule : document.narrow) {
      rule.narrows = true;
      rule.verdict = static_cast<Verdict>(below_(2));
    }
    for (auto* rules : {&document.tools, &document.narrow}) {
      for (ToolRule& rule : *rules) {
        rule.approvers = rule.verdict == Verdict::kAsk ? Persons() : Approvers();
      }
    }
    document.data.present = true;
    for (size_t i = below_(5); i > 0; --i) {
      document.data.flows.push_back(Flow("f" + std::to_string(i)));
    }
    document.data.quarantine.present = below_(3) > 0;
    document.data.quarantine.extract = {"boolean", "date"};
    for (size_t i = below_(3); i > 0; --i) {
      document.budgets.rates.push_back(Rate("rate" + std::to_string(i)));
    }
  }

  // A call with what is known of its data, at times of a tool that a quarantine speaks of.
  Request LabelledCall() {
    Request request = Call();
    if (below_(3) == 0) {
      request.tool = Of({"data.extract", "data.reveal", "data.endorse"});
      request.paths.clear();
      request.arguments["type"] = Of({"boolean", "date", "integer", ""});
      request.arguments["text"] = std::string(below_(3) * 4096, 'x');
    }
    FlowFacts& facts = request.flow;
    for (size_t i = below_(3); i > 0; --i) {
      facts.effects.push_back(Effect());
    }
    facts.context.integrity = static_cast<Integrity>(below_(2));
    facts.context.confidentiality = static_cast<Confidentiality>(below_(kConfidentialities));
    for (size_t i = below_(3); i > 0; --i) {
      facts.context.categories.insert(Of({"pii", "acme"}));
    }
    for (size_t i = below_(3); i > 0; --i) {
      facts.arguments.push_back({"to", Role(), "x", From()});
    }
    return request;
  }

  CallHistory History() {
    CallHistory history;
    for (size_t i = below_(4); i > 0; --i) {
      CallUse& use = history[static_cast<CallRate::Per>(below_(5))]
                            [Of({"a", "fs.read", "fs.x.y", "data.reveal"})];
      use.calls += below_(4);
      use.wall += std::chrono::milliseconds(below_(4));
      use.bytes_out += 20 * below_(4);
    }
    return history;
  }

  Request Call() {
    Request request;
    request.tool =
        Of({"a", "b", "fs.read", "fs.write", "fs.x", "fs.x.y", "fs.", "fs.x.z", ".", ""});
    if (below_(4) > 0) {
      const std::string path = Path();
      request.arguments["path"] = path;
      if (below_(3) > 0 && path[0] == '/') {
        request.paths.push_back({"path", path, static_cast<PathAccess>(below_(2))});
      }
    }
    for (size_t i = below_(5); i > 0; --i) {
      request.arguments["argv"].push_back(Value());
    }
    if (below_(3) > 0) {
      request.arguments["url"] = Url();
    }
    if (below_(2) > 0) {
      request.arguments["n"] = Number();
    }
    if (below_(2) > 0) {
      request.arguments["o"]["text"] = Value();
    }
    if (below_(2) > 0) {
      const std::string path = "/workspace/" + Of({"a", "b/a.c"});
      request.arguments["x.y"] = path;
      request.paths.push_back({"x.y", path, PathAccess::kRead});
    }
    if (below_(2) > 0) {
      request.arguments["x"]["y"] = Value();
      request.arguments["x"]["a b"].push_back(Value());
    }
    return request;
  }

 private:
  std::string Of(const std::vector<std::string>& list) { return list[below_(list.size())]; }
  CallEffect Effect() { return static_cast<CallEffect>(below_(kCallEffects)); }
  ArgumentRole Role() { return static_cast<ArgumentRole>(below_(kArgumentRoles)); }
  Origin From() { return static_cast<Origin>(below_(kOrigins)); }
  Approvers Persons() {
    Approvers persons;
    if (below_(2) > 0) {
      persons.users = {Of({"ann", "bob"})};
    }
    persons.expires = std::chrono::milliseconds(1000 * (1 + below_(2)));
    return persons;
  }

  CallRate Rate(const std::string& id) {
    CallRate rate{.id = id, .reason = "no more", .tools = {Of({"a", "fs.*", "*", "data.*"})}};
    rate.per = static_cast<CallRate::Per>(below_(5));
    if (below_(2) > 0) {
      rate.calls = below_(5);
    }
    if (below_(2) > 0) {
      rate.wall = std::chrono::milliseconds(below_(5));
    }
    if (below_(2) > 0) {
      rate.bytes_out = 40 * below_(5);
    }
    return rate;
  }

  FlowRule Flow(const std::string& id) {
    FlowRule rule{.id = id, .reason = "a flow"};
    rule.when_untrusted = below_(2) > 0;
    if (below_(3) == 0) {
      rule.at_least = static_cast<Confidentiality>(below_(kConfidentialities));
    }
    if (below_(4) == 0) {
      rule.categories.insert(Of({"pii", "acme"}));
    }
    if (below_(3) == 0) {
      rule.roles = {Role(), Role()};
      rule.origins = {From(), From()};
    }
    for (size_t i = below_(4); i > 0; --i) {
      rule.effects.push_back(Effect());
    }
    if (rule.effects.empty() || below_(2) > 0) {
      rule.tools.push_back(Of({"a", "fs.*", "fs.x.y", "data.reveal", "*"}));
    }
    rule.verdict = static_cast<Verdict>(below_(2));
    rule.approvers = rule.verdict == Verdict::kAsk ? Persons() : Approvers();
    return rule;
  }

  std::string Glob() {
    return Of({"**/a", "a/*", "a/**", "*.c", "**/*.c", "b/a*", "b/?", "**/b/**", "a/b/a.c"});
  }
  std::string Path() {
    return Of({"/workspace", "/workspace/a", "/workspace/b/a.c", "/workspace/a/b/a.c", "/etc/a",
               "/workspace/x.c", "/workspacea", "/", "a/b", "../etc/a", "b"});
  }
  std::string Url() {
    return Of({"https://a.example/x", "http://b.a.example:80", "https://a.example@evil.example/",
               "EVIL.example.", "a.example", "https:\\\\a.example", "10.0.0.1", "0x7f.1",
               "[::1]:80", "https://c.b.a.example?q=://a.example"});
  }
  Json Number() {
    static const std::vector<Json> kNumbers = {0, 1, 5, 2.5, -3, 3.0, 18446744073709551615ULL};
    return kNumbers[below_(kNumbers.size())];
  }
  Json Value() {
    static const std::vector<Json> kOthers = {true, false, nullptr, Json::array({"x"}), 3};
    const size_t which = below_(12);
    return which < kOthers.size() ? kOthers[which]
                                  : Json(Of({"x", "y", "-x", "a.c", "a", "/workspace/a", ""}));
  }

  ArgumentMatcher Condition(Verdict verdict) {
    using Kind = ArgumentMatcher::Kind;
    ArgumentMatcher matcher;
    matcher.path = Of({"path", "argv", "argv[0]", "argv[1]", "argv[*]", "argv[?]", "url", "n",
                       "o.text", "o", "none", "x.y", R"(["x.y"])", R"(x["a b"][?])"});
    matcher.steps = *ParseArgumentPath(matcher.path);
    matcher.negated = below_(5) == 0;
    matcher.kind = static_cast<Kind>(below_(static_cast<size_t>(Kind::kRange) + 1));
    switch (matcher.kind) {
      case Kind::kEquals:
      case Kind::kOneOf:
        for (size_t i = matcher.kind == Kind::kEquals ? 1 : 1 + below_(3); i > 0; --i) {
          const size_t which = below_(4);
          Json value = which == 0 ? Number() : which == 1 ? Json(Path()) : Value();
          matcher.values.push_back(value.is_primitive() && !value.is_null() ? value : Json("x"));
        }
        break;
      case Kind::kHostIn:
        matcher.holds_when_unsure = verdict != Verdict::kAllow;
        for (size_t i = 1 + below_(2); i > 0; --i) {
          matcher.values.emplace_back(
              Of({"a.example", "*.a.example", "*.example", "evil.example", "10.0.0.1", "::1"}));
        }
        break;
      case Kind::kUnder:
        matcher.text = Of({"/workspace", "/workspace/a", "/workspace/a/b", "/etc", "/"});
        break;
      case Kind::kGlob:
        matcher.text = below_(4) == 0 ? "/workspace/" + Glob() : Glob();
        matcher.glob = std::make_shared<const policy::Glob>(*policy::Glob::Compile(matcher.text));
        break;
      case Kind::kMatches:
        SetPattern(matcher, Of({"x", "[a-z]", ".*", "https://[^/]+/.*", "-x|y", "", "a.*", "/.*"}));
        break;
      case Kind::kMaxLength:
      case Kind::kMaxItems:
        matcher.maximum = static_cast<int64_t>(below_(5));
        break;
      case Kind::kRange:
        matcher.minimum = static_cast<int64_t>(below_(4)) - 3;
        matcher.maximum = matcher.minimum + static_cast<int64_t>(below_(5));
        break;
    }
    return matcher;
  }

  std::function<size_t(size_t)> below_;
};

}  // namespace nacre::policy
