// The grammar a reply must follow, in llama.cpp's GBNF: one call of one offered tool whose
// arguments match its JSON Schema, or text; or one JSON object of a given schema.
//
// Compact on purpose: no optional white space (a weak model floods it), every string, number and
// list has a cap, keys come in the schema's order. What is not offered cannot be written.
//
// Understood of JSON Schema: type (also a list), properties, required, items, minItems, maxItems,
// enum, const, minLength, maxLength, minimum, maximum of integers, anyOf, oneOf. Everything else
// (pattern, format, $ref, ...) is left to the validation that every call passes afterwards.
//
// Pure. Source of the syntax: llama.cpp, grammars/README.md.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/inference/engine.h"
#include "runtime/inference/worker/call_frame.h"

namespace nacre::inference {

struct GrammarLimits {
  static constexpr int kStringChars = 15999;  // without maxLength
  static constexpr int kListItems = 32;       // without maxItems
  static constexpr int kTextChars = 32000;    // of an answer
  static constexpr int kSchemaDepth = 8;
};

// kInvalidArgument for a tool or property name outside [A-Za-z0-9_.-]{1,64}, or a schema that is
// no object schema or is nested too deeply. Without tools the grammar allows text only.
Result<std::string> MakeGrammar(const std::vector<ToolSchema>& tools, const CallFrame& frame);

// Of a reply that is one JSON object of this schema and nothing else. The same errors.
Result<std::string> MakeAnswerGrammar(const OrderedJson& schema, const CallFrame& frame);

}  // namespace nacre::inference
