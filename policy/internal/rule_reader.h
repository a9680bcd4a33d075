// Reads one entry of `tools:` into a ToolRule.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "policy/internal/node_reader.h"
#include "policy/internal/yaml_tree.h"
#include "policy/policy.h"

namespace nacre::policy {

// The tools that there are, as LoadOptions.tools. Where a function takes a pointer to it, nullptr leaves
// names unchecked.
using ToolSchemas = std::vector<std::pair<std::string, Json>>;

// "fs.read", all below a prefix: "fs.*", or "*" for every tool; of tools that there are.
std::optional<std::string> ReadToolPattern(const NodeReader& reader, const YamlNode& node,
                                           const KeyPath& path, const ToolSchemas* tools);

// nullopt when anything is wrong.
std::optional<ToolRule> ReadRule(const NodeReader& reader, const YamlNode& node,
                                 const KeyPath& path, const ToolSchemas* tools);

// Reads `approvers` of a rule or a flow that answers with `verdict`; nullopt when anything is wrong.
std::optional<Approvers> ReadApprovers(const NodeReader& reader, const YamlNode& node,
                                       const KeyPath& path, Verdict verdict);

// Reads one entry of `budgets.rates`.
std::optional<CallRate> ReadRate(const NodeReader& reader, const YamlNode& node,
                                 const KeyPath& path, const ToolSchemas* tools);

}  // namespace nacre::policy
