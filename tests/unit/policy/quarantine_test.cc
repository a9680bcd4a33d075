// data.quarantine: how it is read and put together, what it withholds, and how calls are judged that hold what
// the model has not read.
#include "policy/quarantine.h"

#include <catch2/catch.hpp>

#include "load.h"
#include "policy/context_tracker.h"
#include "policy/evaluator.h"
#include "policy/tool_traits.h"

namespace nacre::policy {
namespace {

const char* const kPolicy = R"(
tools:
  - {id: all, reason: flows narrow, tool: "*", decision: allow}
data:
  sources:
    - {path: "/workspace/own/**", integrity: trusted}
    - {path: "/workspace/customers/**", integrity: untrusted, confidentiality: confidential}
    - {memory: true, integrity: trusted}
  flows:
    - id: no-leak
      reason: customer data stays inside
      when: {confidentiality: {at_least: confidential}}
      to: [network]
      decision: deny
    - id: no-strange-recipient
      reason: the user says who gets it
      when: {argument: {roles: [recipient, link], origin: [stranger, derived]}}
      to: {effects: [send]}
      decision: ask
  quarantine: {integrity: untrusted, extract: [boolean, date]}
)";

const ToolTraits kRead = {.tool = "fs.read", .effects = {CallEffect::kRead}};
const ToolTraits kWrite = {.tool = "fs.write",
                           .effects = {CallEffect::kWrite},
                           .roles = {{"content", ArgumentRole::kBody}},
                           .result = {.echo = true}};
const ToolTraits kSend = {
    .tool = "mail.post",
    .effects = {CallEffect::kSend},
    .roles = {{"to", ArgumentRole::kRecipient}, {"body", ArgumentRole::kBody}}};

const Label kStranger = {.integrity = Integrity::kUntrusted, .categories = {}};
const Label kCustomers = {.integrity = Integrity::kUntrusted,
                          .confidentiality = Confidentiality::kConfidential,
                          .categories = {}};

Request Call(const std::string& tool, Json arguments, std::vector<WithheldArgument> withheld = {}) {
  return {.tool = tool, .arguments = std::move(arguments), .withheld = std::move(withheld)};
}
Request Reading(const std::string& path) {
  return {.tool = "fs.read",
          .arguments = {{"path", path}},
          .paths = {{"path", path, PathAccess::kRead}}};
}

Decision Judged(const Policy& policy, const ContextTracker& context, const ToolTraits& tool,
                Request request) {
  request.flow = context.Facts(tool, request);
  return Evaluate(policy, request);
}

std::string Problem(const std::string& quarantine) {
  const auto loaded = LoadPolicyText(
      "p.yaml", "nacre: policy/1\nname: p\ndata:\n  quarantine: " + quarantine + "\n");
  return loaded.ok() ? "" : loaded.error().message;
}

}  // namespace

TEST_CASE("what is withheld by the label of all its parts, and nothing is without a quarantine") {
  const auto policy = FromText(kPolicy);
  const ContextTracker context(policy->data);
  CHECK(context.Withholds(context.ResultLabel(kRead, Reading("/workspace/mail.txt"), "text")));
  CHECK_FALSE(context.Withholds(context.ResultLabel(kRead, Reading("/workspace/own/a"), "text")));
  CHECK(context.ResultLabel(kRead, Reading("/workspace/customers/a"), "text") == kCustomers);
  // One field of a stranger's is enough, and so is a name of a field.
  const ToolTraits mail = {.tool = "mail.read",
                           .effects = {CallEffect::kRead},
                           .result = {.format = ResultFormat::kJson, .trusted = {"from"}}};
  CHECK_FALSE(
      context.Withholds(context.ResultLabel(mail, Call("mail.read", {}), R"({"from":"a"})")));
  CHECK(context.Withholds(
      context.ResultLabel(mail, Call("mail.read", {}), R"({"from":"a","body":"b"})")));
  CHECK(context.Withholds(
      context.ResultLabel(mail, Call("mail.read", {}), R"({"obey me":{"from":"a"}})")));

  DataRules without = policy->data;
  without.quarantine = {};
  CHECK_FALSE(ContextTracker(without).Withholds(kStranger));
}

TEST_CASE(
    "a call that holds a withheld text is judged as if it had been read, and only that call") {
  const auto policy = FromText(kPolicy);
  ContextTracker context(policy->data);
  context.AddUser("send the note to ann@example.com");
  const Request clean = Call("mail.post", {{"to", "ann@example.com"}, {"body", "hello"}});
  CHECK(Judged(*policy, context, kSend, clean).verdict == Verdict::kAllow);

  // The text of a customer, whoever it is sent to.
  const Request leak = Call("mail.post", {{"to", "ann@example.com"}, {"body", "their secret"}},
                            {{"body", "$r1", kCustomers}});
  CHECK(Judged(*policy, context, kSend, leak).rule == "data.no-leak");
  // A stranger's text as the recipient; and one with an address in it, in the body.
  const Request strange =
      Call("mail.post", {{"to", "ann@example.com"}, {"body", "hello"}}, {{"to", "$r2", kStranger}});
  CHECK(Judged(*policy, context, kSend, strange).rule == "data.no-strange-recipient");
  const Request link = Call("mail.post", {{"to", "ann@example.com"}, {"body", "go to evil.net/x"}},
                            {{"body", "$r2", kStranger}});
  CHECK(Judged(*policy, context, kSend, link).rule == "data.no-strange-recipient");
  // Nothing of it entered the context.
  CHECK(context.context() == Label::Clean());
  CHECK(Judged(*policy, context, kSend, clean).verdict == Verdict::kAllow);
}

TEST_CASE("what is made with a withheld text is as delicate: its echo, the file, the note") {
  const auto policy = FromText(kPolicy);
  ContextTracker context(policy->data);
  const std::string path = "/workspace/own/copy.txt";
  Request write = Call("fs.write", {{"path", path}, {"content", "x"}});
  write.paths = {{"path", path, PathAccess::kWrite}};
  CHECK(context.ResultLabel(kWrite, write, "wrote x") == Label::Clean());
  write.withheld = {{"content", "$r1", kCustomers}};
  CHECK(context.ResultLabel(kWrite, write, "wrote x") == kCustomers);
  CHECK(context.ResultLabel(kRead, Reading(path), "x") == Label::Clean());
  context.AddRun(kWrite, write);
  CHECK(context.ResultLabel(kRead, Reading(path), "x") == kCustomers);
  CHECK(context.context() == Label::Clean());

  const ToolTraits note = {.tool = "memory.note", .effects = {CallEffect::kWrite}, .memory = true};
  const ToolTraits search = {
      .tool = "memory.search", .effects = {CallEffect::kRead}, .memory = true};
  CHECK(context.ResultLabel(search, Call("memory.search", {}), "x") == Label::Clean());
  context.AddRun(note, Call("memory.note", {{"text", "x"}}, {{"text", "$r1", kStranger}}));
  CHECK(context.Withholds(context.ResultLabel(search, Call("memory.search", {}), "x")));
}

TEST_CASE("what a call moves has the label of where it was, and what it sends is judged by it") {
  const auto policy = FromText(kPolicy);
  ContextTracker context(policy->data);
  Request move = Call("fs.move", {{"from", "/workspace/a"}, {"to", "/workspace/b"}});
  move.paths = {{"from", "/workspace/a", PathAccess::kWrite, kCustomers},
                {"to", "/workspace/b", PathAccess::kWrite}};
  CHECK(context.WrittenLabel(move, ContextTracker::From::kRead) == kCustomers);
  CHECK(context.WrittenLabel(move, ContextTracker::From::kGiven) == Label::Clean());
  CHECK(context.Facts(kWrite, move).context == Label::Clean());
  CHECK(context.Facts(kSend, move).context == kCustomers);
}

TEST_CASE(
    "an extracted value leaves the context trusted, as private as its text, and a stranger's "
    "word") {
  const auto policy = FromText(kPolicy);
  ContextTracker context(policy->data);
  context.AddUser("invite whoever the letter names on the day that it names");
  const auto made_of_it = [&] {
    return Judged(*policy, context, kSend,
                  Call("mail.post", {{"to", "24.12.2026"}, {"body", "hello"}}));
  };
  CHECK(made_of_it().verdict == Verdict::kAllow);
  context.AddExtracted(kStranger, "2026-12-24");
  CHECK(context.context() == Label::Clean());
  CHECK(made_of_it().rule ==
        "data.no-strange-recipient");  // written otherwise, it is no trusted source's
  const auto named =
      Judged(*policy, context, kSend, Call("mail.post", {{"to", "2026-12-24"}, {"body", "hello"}}));
  CHECK(named.rule == "data.no-strange-recipient");
  context.AddExtracted(kCustomers, "");
  CHECK(context.context().integrity == Integrity::kTrusted);
  CHECK(context.context().confidentiality == Confidentiality::kConfidential);
}

TEST_CASE("a reveal is never allowed without a person, and only listed types are extracted") {
  const auto policy = FromText(kPolicy);
  const Decision reveal = Evaluate(*policy, Call(kRevealTool, {{"text", "x"}}));
  CHECK(reveal.verdict == Verdict::kAsk);
  CHECK(reveal.rule == kQuarantineRule);
  CHECK(reveal.source.line > 0);
  CHECK(Evaluate(*policy, Call(kExtractTool, {{"type", "date"}})).verdict == Verdict::kAllow);
  for (const char* type : {"integer", "text", ""}) {
    const Decision extract = Evaluate(*policy, Call(kExtractTool, {{"type", type}}));
    CHECK(extract.verdict == Verdict::kDeny);
    CHECK(extract.rule == kQuarantineRule);
  }
  const auto without = FromText("tools: [{id: all, reason: r, tool: \"*\", decision: allow}]\n");
  CHECK(Evaluate(*without, Call(kRevealTool, {{"text", "x"}})).verdict == Verdict::kDeny);
  CHECK(Evaluate(*without, Call(kRevealTool, {{"text", "x"}})).reason ==
        "this policy withholds nothing");
  CHECK(Evaluate(*without, Call(kExtractTool, {{"type", "date"}})).verdict == Verdict::kDeny);
  // A rule that denies is not made weaker.
  const auto never = FromText(
      "tools: [{id: no, reason: r, tool: data.reveal, decision: deny}]\n"
      "data: {quarantine: {integrity: untrusted}}\n");
  CHECK(Evaluate(*never, Call(kRevealTool, {{"text", "x"}})).rule == "tools.no");
}

TEST_CASE("an endorsement is never allowed without a person, who is told what it does") {
  const auto policy = FromText(kPolicy);
  const Decision endorse = Evaluate(*policy, Call(kEndorseTool, {{"text", "x"}}));
  CHECK(endorse.verdict == Verdict::kAsk);
  CHECK(endorse.rule == kQuarantineRule);
  CHECK(endorse.reason.find("believed as if you had written it") != std::string::npos);
  const auto asks = FromText(
      "tools: [{id: a, reason: look first, tool: data.endorse, decision: ask}]\n"
      "data: {quarantine: {integrity: untrusted}}\n");
  const Decision asked = Evaluate(*asks, Call(kEndorseTool, {{"text", "x"}}));
  CHECK(asked.rule == "tools.a");
  CHECK(asked.reason == "with your yes the text is believed as if you had written it; look first");
  const Json most = {{"text", std::string(kEndorsedBytesMax, 'x')}};
  CHECK(Evaluate(*asks, Call(kEndorseTool, most)).verdict == Verdict::kAsk);
  const Json more = {{"text", std::string(kEndorsedBytesMax + 1, 'x')}};
  CHECK(Evaluate(*asks, Call(kEndorseTool, more)).verdict == Verdict::kDeny);
  const auto without = FromText("tools: [{id: all, reason: r, tool: \"*\", decision: allow}]\n");
  CHECK(Evaluate(*without, Call(kEndorseTool, {{"text", "x"}})).verdict == Verdict::kDeny);
}

TEST_CASE("what a person endorses is believed, and is as private as before") {
  const auto policy = FromText(kPolicy);
  ContextTracker context(policy->data);
  const Request to_ann = Call("mail.post", {{"to", "ann@example.com"}, {"body", "hello"}});
  context.AddExtracted(kStranger, "");  // so that what nobody names is no trusted source's
  CHECK(Judged(*policy, context, kSend, to_ann).rule == "data.no-strange-recipient");
  context.AddEndorsed(kStranger, "write to ann@example.com");
  CHECK(context.context() == Label::Clean());
  CHECK(Judged(*policy, context, kSend, to_ann).verdict == Verdict::kAllow);
  // The handle, whose label was raised, stands for a text that is believed; another one does not.
  Label believed = kStranger;
  believed.integrity = Integrity::kTrusted;
  Request by_handle = to_ann;
  by_handle.withheld = {{"to", "$r1", believed}};
  CHECK(Judged(*policy, context, kSend, by_handle).verdict == Verdict::kAllow);
  by_handle.withheld = {{"to", "$r2", kStranger}};
  CHECK(Judged(*policy, context, kSend, by_handle).rule == "data.no-strange-recipient");
  context.AddEndorsed(kCustomers, "x");
  CHECK(context.context().integrity == Integrity::kTrusted);
  CHECK(context.context().confidentiality == Confidentiality::kConfidential);
}

TEST_CASE("a result is told in parts where its tool vouches for some of it, and only then") {
  const auto policy = FromText(kPolicy);
  ContextTracker context(policy->data);
  const ToolTraits mail = {.tool = "mail.read",
                           .effects = {CallEffect::kRead},
                           .result = {.integrity = Integrity::kUntrusted,
                                      .format = ResultFormat::kYaml,
                                      .trusted = {"from"},
                                      .untrusted = {"body"}}};
  const Request call = Call("mail.read", {});
  const auto fields = context.Fields(mail, call, "from: ann\nbody: obey me\nevil: x\n");
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].name == "from");
  CHECK_FALSE(fields[0].withheld);
  CHECK(fields[0].label == Label::Clean());
  CHECK(fields[1].name == "body");
  CHECK(fields[1].withheld);
  CHECK(fields[1].label == kStranger);
  CHECK(fields[2].name == "?");  // a stranger's word may be a name, too
  CHECK(fields[2].withheld);
  // Below a stranger's key nothing is vouched for, and no name is the tool's.
  const auto nested = context.Fields(mail, call, "from: ann\nbody:\n  from: eve\n");
  REQUIRE(nested.size() == 2);
  CHECK(nested[1].name == "body.?");
  CHECK(nested[1].withheld);
  CHECK(context.ResultLabel(mail, call, "body:\n  from: eve\n") == kStranger);
  // Not of the format; nothing vouched for; all of it is; no format; a tool that only repeats.
  CHECK(context.Fields(mail, call, "from: ann\nobey me\n").empty());
  CHECK(context.Fields(mail, call, "body: obey me\n").empty());
  CHECK(context.Fields(kRead, call, "from: ann\n").empty());
  CHECK(context.Fields(kWrite, call, "from: ann\n").empty());
  ToolTraits vouched = mail;
  vouched.result.integrity = Integrity::kTrusted;
  CHECK(context.Fields(vouched, call, "from: ann\nbody: x\n").empty());
  // A source that makes all of it untrusted leaves nothing to vouch for.
  CHECK(context.Fields(mail, Reading("/workspace/customers/a"), "from: ann\nbody: x\n").empty());
  // What is shown is a trusted source's; with the label of then, where that was worse.
  context.AddField(mail, call, "ann", Label::Clean());
  CHECK(context.context() == Label::Clean());
  context.AddField(mail, call, "ann", kCustomers);
  CHECK(context.context() == kCustomers);
}

TEST_CASE("each mistake in a quarantine is named") {
  CHECK(Problem("{integrity: untrusted}").empty());
  CHECK(Problem("{integrity: untrusted, extract: []}").empty());
  CHECK(Problem("{extract: [date]}").find("needs \"integrity\"") != std::string::npos);
  CHECK(Problem("{integrity: trusted}").find("data.quarantine.integrity") != std::string::npos);
  CHECK(Problem("{integrity: untrusted, extract: [text]}").find("data.quarantine.extract[0]") !=
        std::string::npos);
  CHECK(Problem("{integrity: untrusted, extra: 1}").find("extra") != std::string::npos);
  CHECK(Problem("true").find("data.quarantine") != std::string::npos);
}

TEST_CASE("of several layers what any withholds is withheld, and what all extract is extracted") {
  QuarantineRules rules;
  Unite({}, rules);
  CHECK_FALSE(rules.present);
  Unite({.present = true, .extract = {"boolean", "date"}}, rules);
  CHECK(rules.extract == std::vector<std::string>{"boolean", "date"});
  Unite({}, rules);
  CHECK(rules.present);
  Unite({.present = true, .extract = {"date", "number"}}, rules);
  CHECK(rules.extract == std::vector<std::string>{"date"});
}

TEST_CASE("a quarantine is part of the effective policy, which loads to the same") {
  const auto policy = FromText(kPolicy);
  const auto again = LoadPolicyText("again.yaml", ToYaml(*policy));
  REQUIRE(again.ok());
  CHECK(again.value()->data.quarantine.extract == policy->data.quarantine.extract);
  CHECK(again.value()->digest == policy->digest);
}

}  // namespace nacre::policy
