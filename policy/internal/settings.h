// Setting: one single value of a policy, such as `workspace.mode: read-only`: of whatever type, with
// its key and where it stands. A layer that is applied later wins, setting by setting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "policy/internal/language.h"
#include "policy/internal/node_reader.h"
#include "policy/policy.h"

namespace nacre::policy {

// Durations in milliseconds, sizes in bytes, booleans as 0 and 1; of choices, the text.
using SettingValue = std::variant<int64_t, std::string>;

struct Setting {
  const Field* field = nullptr;
  SettingValue value;
  SourceLocation source;
};

// True for the fields whose value is one Setting.
bool IsSetting(const Field& field);

// Reports what is wrong, and then answers nullopt.
std::optional<Setting> ReadSetting(const NodeReader& reader, const YamlNode& node,
                                   const Field& field);

void ApplySetting(const Setting& setting, PolicyDocument& policy);

}  // namespace nacre::policy
