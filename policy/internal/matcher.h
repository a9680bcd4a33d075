// Conditions on arguments: whether they hold, and in words why not. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// "argv", "argv[0]", "argv[*]", "edits[0].path"; nullopt for anything else, or more than 8 steps.
std::optional<std::vector<PathStep>> ParseArgumentPath(const std::string& text);

// An exact name, or "prefix.*".
bool ToolCovers(const std::string& pattern, const std::string& tool);
bool RuleCoversTool(const ToolRule& rule, const std::string& tool);

bool Holds(const ArgumentMatcher& matcher, const Request& request);

// How many of the rule's conditions hold before the first that does not: all of them when the rule
// matches.
size_t ConditionsHeld(const ToolRule& rule, const Request& request);

// Why a condition does not hold: `argv[0] "rm" is not one of wc, grep, …`. One clause.
std::string DescribeFailure(const ArgumentMatcher& matcher, const Request& request);

// The name of the kind in the language: "one_of".
const char* MatcherName(ArgumentMatcher::Kind kind);

}  // namespace nacre::policy
