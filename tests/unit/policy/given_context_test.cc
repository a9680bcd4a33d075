// A context that is said holds for a call as one that was watched would.
#include "policy/given_context.h"

#include <catch2/catch.hpp>

#include "load.h"
#include "policy/context_tracker.h"
#include "policy/evaluator.h"

namespace nacre::policy {
namespace {

const char* const kPolicy = R"(
tools:
  - {id: all, reason: flows narrow, tool: "*", decision: allow}
data:
  sources:
    - {path: "/workspace/customers/**", confidentiality: secret, categories: ["customer:acme"]}
  flows:
    - id: no-strange-recipient
      reason: the user says who gets it
      when: {argument: {roles: [recipient, link], origin: [stranger, derived]}}
      to: {effects: [send]}
      decision: deny
)";

const ToolTraits kSend = {.tool = "mail.post",
                          .effects = {CallEffect::kSend},
                          .roles = {{"to", ArgumentRole::kRecipient},
                                    {"body", ArgumentRole::kBody},
                                    {"when", ArgumentRole::kOption}}};

GivenContext Given(const std::string& label, const std::vector<std::string>& origins = {}) {
  return ReadGivenContext(label, origins).value();
}

Verdict Judged(const Policy& policy, const GivenContext& context, const Json& arguments) {
  Request request = {.tool = kSend.tool, .arguments = arguments};
  request.flow = context.Facts(policy.data, kSend, request);
  return Evaluate(policy, request).verdict;
}

std::optional<std::string> Unfit(const Policy& policy, const GivenContext& context,
                                 const Json& arguments) {
  const Request request = {.tool = kSend.tool, .arguments = arguments};
  return UnfitOrigin(context, context.Facts(policy.data, kSend, request));
}

TEST_CASE("an origin counts only where the call has an argument of its role") {
  const auto policy = FromText(kPolicy);
  const GivenContext stranger = Given("untrusted", {"recipient=stranger"});
  CHECK(Judged(*policy, stranger, {{"to", "eve@d.com"}}) == Verdict::kDeny);
  CHECK(Judged(*policy, stranger, {{"to", {"ann@b.c", "eve@d.com"}}}) == Verdict::kDeny);
  // A watched context denies none of these either.
  for (const Json& arguments : {Json{{"body", "hello"}}, Json{{"to", Json::array()}},
                                Json{{"to", nullptr}}, Json{{"when", "now"}}}) {
    CAPTURE(DumpJson(arguments));
    CHECK(Judged(*policy, stranger, arguments) == Verdict::kAllow);
    CHECK(Unfit(*policy, stranger, arguments) ==
          "origin recipient=stranger: no argument of the call has that role");
    ContextTracker watched(policy->data);
    Request request = {.tool = kSend.tool, .arguments = arguments};
    request.flow = watched.Facts(kSend, request);
    CHECK(Evaluate(*policy, request).verdict == Verdict::kAllow);
  }
  CHECK_FALSE(Unfit(*policy, stranger, {{"to", "eve@d.com"}}).has_value());
}

TEST_CASE("a link is a place that a title or body names, and of options nobody asks") {
  const auto policy = FromText(kPolicy);
  const GivenContext link = Given("untrusted", {"link=stranger"});
  CHECK(Judged(*policy, link, {{"body", "see www.evil.com/x"}}) == Verdict::kDeny);
  CHECK(Judged(*policy, link, {{"body", "see below"}}) == Verdict::kAllow);
  CHECK(Judged(*policy, link, {{"to", "www.evil.com"}}) == Verdict::kAllow);
  CHECK(Unfit(*policy, link, {{"body", "see below"}}) ==
        "origin link=stranger: no title or body of the call names a network place");
  CHECK(ParseRoleOrigin("option=stranger").error().message ==
        "\"option=stranger\": of an option nobody asks who named it");
}

TEST_CASE("what was made from a trusted context is trusted, but where values were extracted") {
  const auto policy = FromText(kPolicy);
  const Json arguments = {{"to", "eve@d.com"}};
  CHECK(Judged(*policy, Given("trusted", {"recipient=derived"}), arguments) == Verdict::kAllow);
  CHECK(Judged(*policy, Given("untrusted", {"recipient=derived"}), arguments) == Verdict::kDeny);
  const auto quarantine = FromText(std::string(kPolicy) + "  quarantine: {integrity: untrusted}\n");
  CHECK(Judged(*quarantine, Given("trusted", {"recipient=derived"}), arguments) == Verdict::kDeny);
}

TEST_CASE("a context in which anybody may have named anything narrows all that can be narrowed") {
  const auto policy = FromText(kPolicy);
  const GivenContext anyone = NamedByAnyone(Label::Clean());
  CHECK(Judged(*policy, anyone, {{"to", "ann@b.c"}}) == Verdict::kDeny);
  CHECK(Judged(*policy, anyone, {{"body", "hello"}}) == Verdict::kAllow);
  // Not lost among many others.
  Json many = Json::array();
  for (int i = 0; i < 200; ++i) {
    many.push_back("a" + std::to_string(i));
  }
  CHECK(Judged(*policy, anyone,
               {{"a", many}, {"b", many}, {"body", "at a.example/x"}, {"z", many}}) ==
        Verdict::kDeny);
}

TEST_CASE("a misspelt word of a label is no category") {
  CHECK(ParseLabel(" untrusted , secret,customer:acme ").value() ==
        Label{Integrity::kUntrusted, Confidentiality::kSecret,
              std::set<std::string>{"customer:acme"}});
  for (const char* text : {"Secret", "untrusted;secret", "un trusted", "untrusted, ,pii"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseLabel(text).ok());
  }
  const auto policy = FromText(kPolicy);
  const auto problem = [&](const std::string& label) {
    const Status known = CheckCategories(Given(label), {&policy->data});
    return known.ok() ? "" : known.error().message;
  };
  CHECK(problem("untrusted,secret,customer:acme") == "");
  CHECK(problem("secert") == "the policy names no category \"secert\"; did you mean \"secret\"?");
  CHECK(problem("secret,customer:acne") ==
        "the policy names no category \"customer:acne\"; did you mean \"customer:acme\"?");
  CHECK(problem("something-else") == "the policy names no category \"something-else\"");
}

}  // namespace
}  // namespace nacre::policy
