// What the formats of an export have in common: how serious a record is, and texts that are safe in them.
// For the files of this folder.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace nacre::audit {

enum class Severity { kInformational = 1, kLow, kMedium, kHigh, kCritical };  // as OCSF counts

struct ExportedEvent {
  std::string name;
  Json data;
  std::string verdict;  // allow, deny, ask, approved, refused; or empty
  bool violation = false;
  Severity severity = Severity::kInformational;
};

ExportedEvent JudgeRecord(const Json& record);

// Everything but printable ASCII as \uXXXX.
std::string AsciiJson(const Json& value);
std::string AsciiJson(const OrderedJson& value);

// For fields that have no escapes of their own: everything but printable ASCII as "?".
std::string Printable(std::string_view text, size_t bytes_max);

}  // namespace nacre::audit
