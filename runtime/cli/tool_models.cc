#include "runtime/cli/tool_models.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "runtime/agent/flow_traits.h"
#include "runtime/agent/tool_call.h"
#include "runtime/app.h"
#include "runtime/cli/terminal.h"

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

Result<policy::Label> ParseLabel(const std::string& text) {
  policy::Label label = policy::Label::Clean();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "expected words such as untrusted,secret,pii, with nothing but commas between"};
    }
    bool known = word == "trusted";
    if (word == "untrusted") {
      label.integrity = policy::Integrity::kUntrusted;
      known = true;
    }
    for (size_t i = 0; i < policy::kConfidentialities; ++i) {
      const auto level = static_cast<policy::Confidentiality>(i);
      if (word == policy::ConfidentialityName(level)) {
        label.confidentiality = std::max(label.confidentiality, level);
        known = true;
      }
    }
    if (!known) {
      label.categories.insert(word);
    }
  }
  return label;
}

Result<policy::ArgumentOrigin> ParseRoleOrigin(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string role_name = text.substr(0, equals);
  const auto role = role_name == "link" ? std::optional(policy::ArgumentRole::kLink)
                                        : policy::ParseArgumentRole(role_name);
  const auto origin =
      equals == std::string::npos ? std::nullopt : policy::ParseOrigin(text.substr(equals + 1));
  if (!role.has_value() || !origin.has_value()) {
    return Error{
        ErrorCode::kInvalidArgument,
        "\"" + SafeLine(text, 80) +
            "\": expected ROLE=ORIGIN, such as recipient=stranger: docs/information-flow.md"};
  }
  return policy::ArgumentOrigin{role_name, *role, "(any)", *origin};
}

std::string ExplainFlags(const policy::FlowFacts& facts) {
  const policy::Label& label = facts.context;
  std::string flags = std::string(" --label ") + policy::IntegrityName(label.integrity) + "," +
                      policy::ConfidentialityName(label.confidentiality);
  for (const std::string& category : label.categories) {
    flags += "," + category;
  }
  for (const policy::ArgumentOrigin& argument : facts.arguments) {
    flags += std::string(" --origin ") + policy::ArgumentRoleName(argument.role) + "=" +
             policy::OriginName(argument.origin);
  }
  return flags;
}

}  // namespace nacre::cli
