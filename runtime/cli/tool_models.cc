#include "runtime/cli/tool_models.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "runtime/agent/flow_traits.h"
#include "runtime/agent/tool_call.h"
#include "runtime/app.h"

namespace nacre::cli {

std::vector<policy::ToolModel> ModelsOf(const tools::Registry& registry) {
  std::vector<policy::ToolModel> models;
  for (const tools::Manifest& tool : registry.all()) {
    policy::ToolModel model{.name = tool.name,
                            .schema = Json(tool.parameters),
                            .paths = {},
                            .traits = agent::TraitsOf(tool)};
    for (const tools::PathParameter& path : tool.paths) {
      model.paths.push_back(
          {path.key, path.written ? policy::PathAccess::kWrite : policy::PathAccess::kRead});
    }
    // A tool is taken at its word that it writes what its arguments name; the built-in ones write nothing else.
    const bool names_files = std::any_of(tool.paths.begin(), tool.paths.end(),
                                         [](const auto& path) { return path.written; });
    model.writes_unnamed = tool.effect == tools::Effect::kExecute ||
                           (tool.effect == tools::Effect::kWrite && !names_files && !tool.builtin);
    models.push_back(std::move(model));
  }
  return models;
}

policy::LoadOptions LoadOptionsOf(const tools::Registry& registry) {
  policy::LoadOptions options;
  for (const tools::Manifest& tool : registry.all()) {
    options.tools.emplace_back(tool.name, Json(tool.parameters));
  }
  return options;
}

std::optional<policy::Request> ReadCall(const policy::CandidateCall& call,
                                        const tools::Registry& registry,
                                        const std::string& workspace) {
  std::variant<agent::ToolCall, agent::BadToolCall> parsed = agent::ParseToolCall(
      {call.tool, DumpJson(call.arguments)}, registry, {workspace, App::Home()});
  if (auto* understood = std::get_if<agent::ToolCall>(&parsed)) {
    return std::move(understood->request);
  }
  return std::nullopt;
}

std::string ExplainFlags(const policy::FlowFacts& facts) {
  const policy::Label& label = facts.context;
  std::string flags = std::string(" --label ") + policy::IntegrityName(label.integrity) + "," +
                      policy::ConfidentialityName(label.confidentiality);
  for (const std::string& category : label.categories) {
    flags += "," + category;
  }
  for (const policy::ArgumentOrigin& argument : facts.arguments) {
    if (argument.role == policy::ArgumentRole::kOption) {
      continue;  // nobody asks who named it
    }
    flags += std::string(" --origin ") + policy::ArgumentRoleName(argument.role) + "=" +
             policy::OriginName(argument.origin);
  }
  return flags;
}

}  // namespace nacre::cli
