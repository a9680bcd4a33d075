// The tenant for whom this process works: each record says it. One state directory is one tenant's, so there is one.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::audit {

constexpr size_t kTenantBytesMax = 64;
// Where none is named; and whose all is that is from before there were names.
inline constexpr char kLocalTenant[] = "local";

// kInvalidArgument unless it is 1 to 64 of ASCII letters, digits, '.', '_' and '-'. Called before the first record and
// before there are threads.
Status SetOwnTenant(const std::string& name);
// Empty until it is set.
const std::string& OwnTenant();

}  // namespace nacre::audit
