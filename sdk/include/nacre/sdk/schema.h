// The subset of JSON Schema that describes a tool's arguments. A subset, because every word in it
// must also be expressible in the grammar that makes a model emit only valid calls.
//
//   type                   object, array, string, integer, number, boolean; always present
//   properties, required   of an object; what is not a property is refused, always
//                          (additionalProperties may say false, and nothing else)
//   items, minItems, maxItems            of an array
//   minLength, maxLength, enum, format   of a string; lengths in characters
//   minimum, maximum, enum               of an integer or a number
//   description, default                 of anything; a default must itself be valid
//
// `format: path` (read) and `path-write` (changed) mark arguments that name files. Policy looks
// only at the top, so a format elsewhere is an error, as is any word not listed here.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace nacre::sdk {

constexpr int kSchemaDepthMax = 8;
constexpr size_t kSchemaPropertiesMax = 64;  // of one object
constexpr size_t kSchemaEnumMax = 64;

// Nothing when `schema` is an object schema within the subset; else what is wrong, where:
// "properties.limit: unknown word \"maximun\"".
std::optional<std::string> CheckSchema(const nlohmann::ordered_json& schema);

// Nothing when `arguments` are valid; else the first problem with the value's JSON Pointer (RFC 6901), short enough to
// show to a model: "/path: expected a string", "/argv/2: expected a string", "/limit: missing".
// `schema` has passed CheckSchema. Its cost is linear in both.
std::optional<std::string> Validate(const nlohmann::ordered_json& schema,
                                    const nlohmann::json& arguments);

}  // namespace nacre::sdk
