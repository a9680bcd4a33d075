// The laws of the lattices, on every pair and triple of a set of labels that holds all levels.
#include "policy/label.h"

#include <catch2/catch.hpp>
#include <vector>

namespace nacre::policy {
namespace {

std::vector<Label> AllLabels() {
  std::vector<Label> labels;
  for (const Integrity integrity : {Integrity::kUntrusted, Integrity::kTrusted}) {
    for (const Confidentiality confidentiality :
         {Confidentiality::kPublic, Confidentiality::kInternal, Confidentiality::kConfidential,
          Confidentiality::kSecret}) {
      for (const std::set<std::string>& categories :
           std::vector<std::set<std::string>>{{}, {"pii"}, {"customer:acme"}, {"pii", "b"}}) {
        labels.push_back({integrity, confidentiality, categories});
      }
    }
  }
  return labels;
}

TEST_CASE(
    "joining labels is a semilattice: commutative, associative, idempotent, clean is neutral") {
  const std::vector<Label> labels = AllLabels();
  for (const Label& a : labels) {
    CHECK(Join(a, a) == a);
    CHECK(Join(a, Label::Clean()) == a);
    CHECK(Covers(a, Label::Clean()));
    for (const Label& b : labels) {
      const Label ab = Join(a, b);
      REQUIRE(ab == Join(b, a));
      // An upper bound, and the least: whatever covers both covers it.
      REQUIRE(Covers(ab, a));
      REQUIRE(Covers(ab, b));
      for (const Label& c : labels) {
        REQUIRE(Join(ab, c) == Join(a, Join(b, c)));
        REQUIRE((!Covers(c, a) || !Covers(c, b) || Covers(c, ab)));
      }
    }
  }
}

TEST_CASE("joining never makes anything less delicate") {
  for (const Label& a : AllLabels()) {
    for (const Label& b : AllLabels()) {
      const Label joined = Join(a, b);
      REQUIRE((a.integrity != Integrity::kUntrusted || joined.integrity == Integrity::kUntrusted));
      REQUIRE(joined.confidentiality >= a.confidentiality);
      for (const std::string& category : a.categories) {
        REQUIRE(joined.categories.count(category) == 1);
      }
    }
  }
}

TEST_CASE("a label that nobody filled in is not believed") {
  CHECK(Label{}.integrity == Integrity::kUntrusted);
}

TEST_CASE("only what is not clean is written, sorted") {
  CHECK(LabelTexts(Label::Clean()).empty());
  CHECK(ShownLabel(Label::Clean()).empty());
  const Label label = {Integrity::kUntrusted, Confidentiality::kSecret, {"pii", "customer:acme"}};
  CHECK(LabelTexts(label) == std::vector<std::string>{"category:customer:acme", "category:pii",
                                                      "confidentiality:secret",
                                                      "integrity:untrusted"});
  CHECK(ShownLabel(label) == "untrusted, secret, customer:acme, pii");
}

}  // namespace
}  // namespace nacre::policy
