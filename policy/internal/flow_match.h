// Whether a flow rule fits a call, part by part, and in words why not. Pure.
#pragma once

#include <optional>
#include <string>

#include "policy/flow.h"

namespace nacre::policy {

// Whether the rule speaks of the tool or of an effect of the call, whatever the context.
bool FlowCovers(const FlowRule& rule, const std::string& tool, const FlowFacts& facts);

// Of a rule that covers the call: the first of its conditions that does not hold, as one clause; nullopt when
// all do.
std::optional<std::string> FlowMissing(const FlowRule& rule, const FlowFacts& facts);

}  // namespace nacre::policy
