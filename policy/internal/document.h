// The effective policy as one policy/1 document without `extends`. Its text is what
// `nacre policy check --effective` prints; its canonical JSON is what the digest covers. Where a
// rule came from is part of neither.
#pragma once

#include <string>

#include "base/json.h"
#include "policy/policy.h"

namespace nacre::policy {

OrderedJson ToDocument(const PolicyDocument& policy);

// Block-style YAML of any document of maps, lists and scalars, quoted where it must be.
std::string DocumentYaml(const OrderedJson& document);

// SHA-256 over the document with all keys sorted: "sha256:...".
std::string DocumentDigest(const OrderedJson& document);

}  // namespace nacre::policy
