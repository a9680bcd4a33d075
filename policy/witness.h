// Calls that a rule speaks of, made from its conditions: what a person is shown to see what a rule
// does, and what two policies are compared by.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "policy/policy.h"

namespace nacre::policy {

struct CandidateCall {
  std::string tool;
  Json arguments = Json::object();
};

// Tools by name, with their JSON Schemas.
using ToolSchemaList = std::vector<std::pair<std::string, Json>>;

// Up to `calls_max` calls of the tools that all these rules name and that are among `tools`, whose
// arguments are meant to meet their conditions, those of later rules first, with whatever else their
// schemas require. A candidate need not match (a regular expression or several conditions on one
// argument may be too much to guess): whoever needs to know asks Evaluate(). Pure and deterministic.
std::vector<CandidateCall> CandidateCalls(const std::vector<const ToolRule*>& rules,
                                          const ToolSchemaList& tools, size_t calls_max);

// Values that meet the condition, were it not negated; none when there is nothing to guess.
std::vector<Json> ValuesMeeting(const ArgumentMatcher& matcher);

// Puts a value where the steps lead, making the maps and lists on the way.
void PutArgument(Json& arguments, const std::vector<PathStep>& steps, const Json& value);

// Adds what the schema requires and is not there, as an example of its type.
void AddRequiredArguments(const Json& schema, Json& arguments);

// Paths, relative to the workspace, that the glob matches.
std::vector<std::string> PathsOfGlob(const std::string& glob);

}  // namespace nacre::policy
