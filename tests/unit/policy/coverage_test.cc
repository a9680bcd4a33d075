#include "policy/internal/coverage.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/support/random_policy.h"

namespace nacre::policy {
namespace {

// Every rule compared with every other.
const ToolRule* SlowDecider(const std::vector<ToolRule>& rules, size_t index) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const bool decides_before = rules[i].verdict < rules[index].verdict ||
                                (rules[i].verdict == rules[index].verdict && i < index);
    const bool asks_others = rules[i].verdict == Verdict::kAsk &&
                             rules[index].verdict == Verdict::kAsk &&
                             rules[i].approvers != rules[index].approvers;
    if (decides_before && !asks_others && RuleCovers(rules[i], rules[index])) {
      return &rules[i];
    }
  }
  return nullptr;
}

TEST_CASE("the index finds the rule that comparing all with all finds") {
  std::mt19937 random(11);
  size_t found = 0;
  for (int round = 0; round < 200; ++round) {
    PolicyDocument document =
        RandomPolicy([&](size_t n) { return random() % n; }).Document(1 + random() % 40);
    std::vector<const ToolRule*> rules;
    for (ToolRule& rule : document.tools) {
      if (rule.verdict == Verdict::kAsk && random() % 2 == 0) {
        rule.approvers.users = {"ann"};
      }
      rules.push_back(&rule);
    }
    const DeciderIndex index(rules);
    for (size_t i = 0; i < rules.size(); ++i) {
      const ToolRule* expected = SlowDecider(document.tools, i);
      CAPTURE(round, i);
      REQUIRE(index.DeciderOf(i) == expected);
      found += expected == nullptr ? 0 : 1;
    }
  }
  CHECK(found > 100);
}

TEST_CASE("of very many rules that differ in a bound alone, the first are compared") {
  const size_t many = 4 * DeciderIndex::kLookedMax;
  std::vector<ToolRule> rules(many);
  for (size_t i = 0; i < many; ++i) {
    ArgumentMatcher bound;
    bound.path = "a";
    bound.steps = *ParseArgumentPath("a");
    bound.kind = ArgumentMatcher::Kind::kMaxLength;
    bound.maximum = static_cast<int64_t>(i) + 1;
    rules[i].tools = {"t"};
    rules[i].verdict = Verdict::kAllow;
    rules[i].arguments = {bound};
  }
  rules[7].arguments[0].maximum = INT32_MAX;
  std::vector<const ToolRule*> pointers;
  for (const ToolRule& rule : rules) {
    pointers.push_back(&rule);
  }
  const DeciderIndex index(pointers);
  CHECK(index.DeciderOf(6) == nullptr);
  CHECK(index.DeciderOf(8) == &rules[7]);
  CHECK(index.DeciderOf(many - 1) == &rules[7]);
  // What is further behind is not known, whether or not it decides.
  rules[7].arguments[0].maximum = 8;
  rules[many - 2].arguments[0].maximum = INT32_MAX;
  CHECK(DeciderIndex(pointers).DeciderOf(many - 1) == nullptr);
}

}  // namespace
}  // namespace nacre::policy
