// The events that nacre records: docs/audit-log.md has a row for each.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace nacre::audit {

// Sorted.
std::span<const std::string_view> EventNames();

// kInvalidArgument, with those that it may have been meant to be, when nacre records no such event: who asks for it
// would wait for ever.
Status CheckEventName(std::string_view name);

}  // namespace nacre::audit
