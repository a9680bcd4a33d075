// Coverage: when does one rule leave nothing for another to decide? Answers yes only when it can
// tell from the two conditions as written, so "no" may also mean "not known" (proving more is the
// prover's work).
#pragma once

#include <string>

#include "policy/policy.h"

namespace nacre::policy {

// Every call that meets all of `narrow`'s conditions also meets all of `wide`'s.
bool ConditionsCover(const ToolRule& wide, const ToolRule& narrow);

// The same, and `wide` speaks of every tool that `narrow` speaks of.
bool RuleCovers(const ToolRule& wide, const ToolRule& narrow);

}  // namespace nacre::policy
