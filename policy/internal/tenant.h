// A tenant's policy: a document that is put upon the operator's and can only narrow it. Whatever in it
// would let more through, or give a call more, is a mistake; so is a value wider than the operator's.
#pragma once

#include "policy/internal/layer.h"
#include "policy/internal/problems.h"
#include "policy/policy.h"

namespace nacre::policy {

// `tenant` upon `policy`: its rules become rules of `narrow`, its hide, protect, sources and flows are
// added, its settings take the place of wider ones. Reports to `problems`; the policy is usable only
// when none was added.
void NarrowByTenant(const Layer& tenant, PolicyDocument& policy, Problems& problems);

}  // namespace nacre::policy
