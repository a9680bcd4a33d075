// Reads the `data:` section of a policy.
#pragma once

#include "policy/flow.h"
#include "policy/internal/node_reader.h"
#include "policy/internal/rule_reader.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {

// Reports what is wrong to the reader's problems; what it returns is complete only when none was.
DataRules ReadData(const NodeReader& reader, const YamlNode& node, const ToolSchemas* tools);

// "pii", "customer:acme".
bool IsCategory(std::string text);
inline constexpr const char* kCategoryIs =
    "a category is at most 64 of a-z, 0-9, \".\", \":\", \"_\" and \"-\"";

// The names of all levels, effects, roles and origins, for Choice() and the documentation.
std::vector<std::string> ConfidentialityNames();  // the least private first
std::vector<std::string> EffectNames();
std::vector<std::string> RoleNames();  // with "link"
std::vector<std::string> OriginNames();

}  // namespace nacre::policy
