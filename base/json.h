// JSON from hostile bytes: nlohmann/json with bounds that it does not have itself.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre {

using Json = nlohmann::json;                 // keys sorted: canonical, for digests
using OrderedJson = nlohmann::ordered_json;  // keys as written: for people and models

struct JsonLimits {
  size_t bytes_max = 1 << 20;
  int depth_max = 32;
};

// Parses one JSON value. Refuses what is larger or deeper than the limits, invalid UTF-8,
// duplicate keys, and anything after the value. Never throws.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});
// The same, keeping the order of keys. Quadratic in the keys of one object: keep bytes_max small.
Result<OrderedJson> ParseOrderedJson(std::string_view text, const JsonLimits& limits = {});

// Compact text; invalid UTF-8 in strings becomes U+FFFD, so it never throws.
std::string DumpJson(const Json& value);
std::string DumpJson(const OrderedJson& value);

// The member, or nullptr when `object` is no object or lacks it.
const Json* FindMember(const Json& object, std::string_view key);
// The string, integer or bool member, or the fallback when it is absent or of another type.
std::string StringMember(const Json& object, std::string_view key, std::string fallback = {});
int64_t IntMember(const Json& object, std::string_view key, int64_t fallback = 0);
bool BoolMember(const Json& object, std::string_view key, bool fallback = false);

}  // namespace nacre
