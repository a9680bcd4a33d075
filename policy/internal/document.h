// The effective policy as one policy/1 document without `extends`. Its text is what
// `nacre policy check --effective` prints; its canonical JSON (canonical.h) is what the digest covers.
// Where a rule came from is part of neither.
#pragma once

#include <string>

#include "base/json.h"
#include "policy/policy.h"

namespace nacre::policy {

OrderedJson ToDocument(const PolicyDocument& policy);
// The same without rules: `tools` is empty, and there is no `narrow`.
OrderedJson SettingsDocument(const PolicyDocument& policy);
// Of an `ask`: only what is not as it would be anyway; empty when all is.
OrderedJson ApproversDocument(Verdict verdict, const Approvers& approvers);

// Block-style YAML of any document of maps, lists and scalars, quoted where it must be.
std::string DocumentYaml(const OrderedJson& document);

}  // namespace nacre::policy
