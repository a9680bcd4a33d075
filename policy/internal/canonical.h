// The canonical form of a policy: ToDocument() as compact JSON with the keys of every map sorted, and
// the digest of it. It is written straight from the rules: documents of ten thousand of them took a
// quarter of the time of loading them.
#pragma once

#include <string>

#include "policy/policy.h"

namespace nacre::policy {

std::string CanonicalText(const PolicyDocument& policy);

// SHA-256 over that: "sha256:...".
std::string PolicyDigest(const PolicyDocument& policy);

}  // namespace nacre::policy
