#include "runtime/agent/quarantine_tools.h"

#include <algorithm>

#include "policy/quarantine.h"
#include "runtime/agent/extraction.h"

namespace nacre::agent {
namespace {

constexpr const char* kExtractParameters = R"({
  "type": "object",
  "properties": {
    "text": {"type": "string", "description": "The handle of the text: $r1."},
    "question": {"type": "string", "minLength": 1, "maxLength": 400,
                 "description": "What to find, in your own words."},
    "type": {"type": "string", "enum": [], "description": "The type of the value."},
    "minimum": {"type": "integer", "minimum": -999999999999, "maximum": 999999999999,
                "description": "Of an integer or number."},
    "maximum": {"type": "integer", "minimum": -999999999999, "maximum": 999999999999,
                "description": "Of an integer or number."},
    "choices": {"type": "array", "minItems": 2, "maxItems": 32,
                "items": {"type": "string", "minLength": 1, "maxLength": 64},
                "description": "Of one_of: the values that there are."},
    "max_items": {"type": "integer", "minimum": 1, "maximum": 8,
                  "description": "For a list of at most so many values."}
  },
  "required": ["text", "question", "type"]
})";

constexpr const char* kTextParameters = R"({
  "type": "object",
  "properties": {
    "text": {"type": "string", "description": "The handle of the text: $r1."}
  },
  "required": ["text"]
})";

tools::Manifest OfRuntime(const char* name, const char* description, const char* parameters) {
  tools::Manifest manifest;
  manifest.name = name;
  manifest.description = description;
  manifest.parameters = OrderedJson::parse(parameters);
  manifest.effect = tools::Effect::kRead;
  manifest.idempotent = true;
  manifest.builtin = true;
  manifest.runtime = true;
  return manifest;
}

}  // namespace

std::vector<tools::Manifest> QuarantineTools() {
  tools::Manifest extract =
      OfRuntime(policy::kExtractTool,
                "Find one value, such as a date or a number, in a text that was withheld.",
                kExtractParameters);
  extract.parameters["properties"]["type"]["enum"] = policy::ExtractTypes();
  return {std::move(extract),
          OfRuntime(policy::kRevealTool, "Read a text that was withheld. A person must agree.",
                    kTextParameters),
          OfRuntime(policy::kEndorseTool,
                    "Read a text that was withheld, and have it believed as if the user had "
                    "written it. A person must agree.",
                    kTextParameters)};
}

std::optional<std::string> QuarantineCallProblem(const ToolCall& call) {
  if (!call.tool->runtime) {
    return std::nullopt;
  }
  const std::vector<policy::WithheldArgument>& withheld = call.request.withheld;
  if (withheld.size() != 1 || withheld.front().key != "text") {
    return "text: expected the handle of a text that was withheld, such as $r1, and no handle "
           "anywhere else";
  }
  if (call.tool->name == policy::kExtractTool) {
    if (const Result<Extraction> extraction = ReadExtraction(call.request.arguments);
        !extraction.ok()) {
      return extraction.error().message;
    }
  }
  return std::nullopt;
}

}  // namespace nacre::agent
