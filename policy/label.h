// Label: how far data may be believed and who may see it, on two lattices and by named categories.
//
//   integrity        trusted ⊐ untrusted                      what is joined is as bad as its worst part
//   confidentiality  public ⊏ internal ⊏ confidential ⊏ secret   and as private as its most private part
//
// Join() is the least upper bound of "how careful one must be": commutative, associative, idempotent,
// with Label::Clean() as its neutral element (tests/unit/policy/label_test.cc holds the laws). A label
// is never taken off again: what was derived from a thing is at least as delicate as that thing.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace nacre::policy {

// The zero values are the careful ones: what nobody spoke of is not believed.
enum class Integrity { kUntrusted = 0, kTrusted };
const char* IntegrityName(Integrity integrity);  // "untrusted", "trusted"

// Ordered: a greater one is more private.
enum class Confidentiality { kPublic = 0, kInternal, kConfidential, kSecret };
inline constexpr size_t kConfidentialities = 4;
// "public", "internal", "confidential", "secret"
const char* ConfidentialityName(Confidentiality confidentiality);

struct Label {
  Integrity integrity = Integrity::kUntrusted;
  Confidentiality confidentiality = Confidentiality::kPublic;
  std::set<std::string> categories;  // "pii", "customer:acme": named by the policy

  // Of the user's own words, and of a context that has read nothing yet.
  static Label Clean() { return {.integrity = Integrity::kTrusted, .categories = {}}; }

  friend bool operator==(const Label&, const Label&) = default;
};

Label Join(const Label& a, const Label& b);

// Whether joining `low` into `high` changes nothing: `high` is at least as delicate.
bool Covers(const Label& high, const Label& low);

// What of it is not clean, sorted: {"category:pii", "confidentiality:secret", "integrity:untrusted"}.
// As in audit records and events.
std::vector<std::string> LabelTexts(const Label& label);

// The same for people: "untrusted, secret, pii"; "" for Label::Clean().
std::string ShownLabel(const Label& label);

}  // namespace nacre::policy
