// Conditions on arguments: whether they hold, and in words why not. Pure.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// "argv", "argv[0]", "argv[*]", "edits[0].path"; nullopt for anything else, or more than 8 steps. A name of other signs
// than a-z, A-Z, 0-9, "_", "-" and "$", of 1 to 64 bytes, stands in brackets as JSON: `["file name"].size`. Each name
// has one spelling.
std::optional<std::vector<PathStep>> ParseArgumentPath(const std::string& text);

// The way to a member of what `above` leads to, "" being the arguments: "path", `["file name"]`. A name that no path can
// have comes out as something that ParseArgumentPath does not read, or reads as another.
std::string MemberPath(const std::string& above, const std::string& name);

// The first `count` steps as they are written: "edits[0].path".
std::string PathText(const std::vector<PathStep>& steps, size_t count);

// An exact name, "prefix.*", or "*" for every tool.
bool ToolCovers(const std::string& pattern, const std::string& tool);
bool RuleCoversTool(const ToolRule& rule, const std::string& tool);

bool Holds(const ArgumentMatcher& matcher, const Request& request);

// What a condition is compared with: the value, and its text when it is one. Of a path argument, the
// normal path.
struct Subject {
  const Json* value = nullptr;
  const PathArgument* path = nullptr;

  bool is_text() const { return path != nullptr || value->is_string(); }
  const std::string& text() const {
    return path != nullptr ? path->path : value->get_ref<const std::string&>();
  }
};

// Every value that the condition's path leads to: one or none, or with "[?]" several. Not for paths
// with "[*]". `visit` may stop it by answering true.
void VisitSubjects(const ArgumentMatcher& matcher, const Request& request,
                   const std::function<bool(const Subject&)>& visit);
bool HasStep(const ArgumentMatcher& matcher, PathStep::Kind kind);

// How all patterns of policies are read: "." is any character, a line break too, so that no text gets past a
// rule that denies ".*rm.*" by breaking the line. `memory_max`: bytes, as RE2 counts them.
re2::RE2::Options PatternOptions(int64_t memory_max);

// Reads `text` as the pattern of a kMatches condition. What is wrong with it, or nullopt.
std::optional<std::string> SetPattern(ArgumentMatcher& matcher, const std::string& text);

// How large the compiled pattern of a kMatches condition is: its instructions, of some 16 bytes each. 0 of others.
size_t PatternSteps(const ArgumentMatcher& matcher);

// The order in which a rule's conditions are asked: see ToolRule::arguments.
bool AskedBefore(const ArgumentMatcher& a, const ArgumentMatcher& b);

// How many of the rule's conditions hold before the first that does not: all of them when the rule
// matches.
size_t ConditionsHeld(const ToolRule& rule, const Request& request);

// Why a condition does not hold: `argv[0] "rm" is not one of wc, grep, …`. One clause.
std::string DescribeFailure(const ArgumentMatcher& matcher, const Request& request);

// Of a condition that holds only because of what is told: `url "https://a@b" names no host for certain`. Else empty.
std::string DescribeUnsure(const ArgumentMatcher& matcher, const Request& request);

// The name of the kind in the language: "one_of".
const char* MatcherName(ArgumentMatcher::Kind kind);

}  // namespace nacre::policy
