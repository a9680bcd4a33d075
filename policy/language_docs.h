// What is said of the policy language, printed from the table by which the loader reads it
// (internal/language): the tables of docs/policy-reference.md, and a JSON Schema for editors. A test
// compares the copies in docs/ with what these answer.
#pragma once

#include <string>

#include "base/json.h"

namespace nacre::policy {

// Markdown: a table for each map of the language, with every key.
std::string ReferenceTables();
// The same as a list of {"map", "key", "values", "required", "initial", "enforced", "meaning"}.
OrderedJson ReferenceJson();

// JSON Schema, draft 2020-12. It accepts every document that the loader accepts and whose texts are
// quoted where YAML would take them for something else. What a schema cannot say (bounds of
// durations, ids used twice, rules that can never decide) only the loader refuses.
OrderedJson LanguageSchema();

}  // namespace nacre::policy
