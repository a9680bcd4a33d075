#include "policy/internal/canonical.h"

#include <catch2/catch.hpp>
#include <random>

#include "base/digest.h"
#include "policy/internal/document.h"
#include "tests/support/random_policy.h"
#include "tests/unit/policy/load.h"

namespace nacre::policy {
namespace {

// The definition: the document with all keys sorted.
std::string SortedDocument(const PolicyDocument& policy) {
  return DumpJson(Json(ToDocument(policy)));
}

TEST_CASE("the canonical text is the document with its keys sorted") {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    RandomPolicy source([&](size_t n) { return random() % n; });
    PolicyDocument document = source.Document(random() % 30);
    document.narrow = source.Document(random() % 3).tools;
    REQUIRE(CanonicalText(document) == SortedDocument(document));
  }
}

TEST_CASE("the canonical text of what is seldom written") {
  const auto policy = Loaded(LoadPolicyText(
      "p.yaml",
      "nacre: policy/1\nname: p\ntools:\n"
      "  - id: a\n    reason: \"\\\"quoted\\\" \\\\ and ümlaut\"\n    tool: [proc.run, fs.*]\n"
      "    args:\n      b: {not: {one_of: [x, 3, true]}, max_length: 7, matches: 'a+\"'}\n"
      "      a: {range: [-2, 9]}\n      \"c[?]\": {host_in: [\"*.example.org\"]}\n"
      "    decision: ask\n    approvers: {users: [ann, bob], count: 2, expires: 2m}\n"
      "narrow:\n  - {id: n, reason: r, tool: \"*\", decision: ask}\n"
      "data: {flows: [{id: f, reason: r, when: {integrity: untrusted}, to: network, decision: "
      "ask}]}\n"));
  CHECK(CanonicalText(*policy) == SortedDocument(*policy));
  CHECK(policy->digest == Sha256Text(SortedDocument(*policy)));
}

}  // namespace
}  // namespace nacre::policy
