#include "policy/tool_traits.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "policy/internal/data_reader.h"
#include "policy/internal/node_reader.h"
#include "policy/internal/problems.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {
namespace {

constexpr size_t kToolSetBytesMax = 1U << 20;
constexpr size_t kToolSetToolsMax = 1000;
constexpr size_t kToolArgumentsMax = 64;
constexpr size_t kToolTextBytesMax = 256;

class ToolSetReader {
 public:
  ToolSetReader(const std::string& file, Problems& problems) : reader_(file, problems) {}

  std::map<std::string, ToolTraits> Read(const YamlNode& document) {
    if (reader_.Map(document, "", {{"nacre", "tools"}, {}}) == nullptr) {
      return {};
    }
    reader_.CheckVersion(document, "tools/1", "a set of tools");
    const YamlNode* tools = NodeReader::Find(document, "tools");
    if (tools == nullptr) {
      reader_.Report(document, "tools", "missing");
    } else if (const YamlNode* list = reader_.List(*tools, "tools", kToolSetToolsMax)) {
      for (size_t i = 0; i < list->items.size(); ++i) {
        ReadTool(list->items[i], "tools[" + std::to_string(i) + "]");
      }
    }
    return std::move(tools_);
  }

 private:
  void ReadTool(const YamlNode& node, const std::string& path) {
    if (reader_.Map(node, path, {{"tool", "effects", "args", "result"}, {}}) == nullptr) {
      return;
    }
    reader_.Needs(node, path, "a tool", {"tool", "effects", "result"});
    ToolTraits traits;
    if (const YamlNode* effects = NodeReader::Find(node, "effects")) {
      for (const auto& [at, item] : reader_.OneOrMore(*effects, path + ".effects", kCallEffects)) {
        if (const auto name = reader_.Choice(*item, at, EffectNames())) {
          traits.effects.push_back(*ParseCallEffect(*name));
        }
      }
    }
    if (const YamlNode* args = NodeReader::Find(node, "args")) {
      ReadArguments(*args, path + ".args", traits);
    }
    if (const YamlNode* result = NodeReader::Find(node, "result")) {
      ReadResult(*result, path + ".result", traits.result);
    }
    // Several tools that are alike stand in one entry.
    if (const YamlNode* tool = NodeReader::Find(node, "tool")) {
      for (const auto& [at, item] : reader_.OneOrMore(*tool, path + ".tool", kToolSetToolsMax)) {
        if (const auto name = reader_.Text(*item, at, kToolTextBytesMax)) {
          traits.tool = *name;
          if (!tools_.emplace(*name, traits).second) {
            reader_.Report(*item, at, "another entry has this tool");
          }
        }
      }
    }
  }

  void ReadArguments(const YamlNode& node, const std::string& path, ToolTraits& traits) {
    if (reader_.MapOfAnyKeys(node, path) == nullptr) {
      return;
    }
    if (node.items.size() > kToolArgumentsMax) {
      reader_.Report(node, path, "more than " + std::to_string(kToolArgumentsMax) + " arguments");
      return;
    }
    std::vector<std::string> roles = RoleNames();
    roles.pop_back();  // links are found in texts
    for (size_t i = 0; i < node.items.size(); ++i) {
      const std::string argument(node.keys[i].text);
      if (const auto role = reader_.Choice(node.items[i], path + "." + argument, roles)) {
        traits.roles.emplace(argument, *ParseArgumentRole(*role));
      }
    }
  }

  // "trusted", "untrusted", "echo", or {format, trusted, keys}.
  void ReadResult(const YamlNode& node, const std::string& path, ResultTraits& result) {
    if (node.kind != YamlNode::Kind::kMap) {
      if (const auto choice = reader_.Choice(node, path, {"trusted", "untrusted", "echo"})) {
        result.echo = *choice == "echo";
        result.integrity = *choice == "trusted" ? Integrity::kTrusted : Integrity::kUntrusted;
      }
      return;
    }
    if (reader_.Map(node, path, {{"format", "trusted", "untrusted", "keys"}, {}}) == nullptr) {
      return;
    }
    result.integrity = Integrity::kUntrusted;
    const YamlNode* format = NodeReader::Find(node, "format");
    if (format == nullptr) {
      reader_.Report(node, path,
                     "fields can be told apart only in a result with a format: json or yaml");
    } else if (const auto choice = reader_.Choice(*format, path + ".format", {"json", "yaml"})) {
      result.format = *choice == "json" ? ResultFormat::kJson : ResultFormat::kYaml;
    }
    for (const auto& [name, fields] :
         {std::pair("trusted", &result.trusted), std::pair("untrusted", &result.untrusted)}) {
      if (const YamlNode* listed = NodeReader::Find(node, name)) {
        for (const auto& [at, item] :
             reader_.OneOrMore(*listed, path + "." + name, kToolArgumentsMax)) {
          const auto key = reader_.Text(*item, at, kToolTextBytesMax);
          if (key.has_value() && (result.trusted.count(*key) > 0 || !fields->insert(*key).second)) {
            reader_.Report(*item, at, "is listed already");
          }
        }
      }
    }
    if (const YamlNode* keys = NodeReader::Find(node, "keys")) {
      result.keys_trusted =
          reader_.Choice(*keys, path + ".keys", {"trusted", "untrusted"}) == "trusted";
    }
  }

  NodeReader reader_;
  std::map<std::string, ToolTraits> tools_;
};

}  // namespace

ArgumentRole ToolTraits::RoleOf(const std::string& argument) const {
  const auto role = roles.find(argument);
  if (role != roles.end()) {
    return role->second;
  }
  return HasEffect() ? ArgumentRole::kSetting : ArgumentRole::kOption;
}

bool ToolTraits::HasEffect() const {
  return std::any_of(effects.begin(), effects.end(), [](CallEffect effect) {
    return effect != CallEffect::kRead && effect != CallEffect::kFetch;
  });
}

Result<std::map<std::string, ToolTraits>> ParseToolTraits(const std::string& file,
                                                          std::string_view text) {
  Problems problems;
  const auto parsed = ParseYaml(text, {.bytes_max = kToolSetBytesMax, .nodes_max = 65'536});
  if (const auto* problem = std::get_if<YamlProblem>(&parsed)) {
    problems.Add({file, problem->line, problem->column}, "", problem->what);
    return problems.ToError();
  }
  std::map<std::string, ToolTraits> tools =
      ToolSetReader(file, problems).Read(std::get<YamlTree>(parsed).root());
  if (!problems.empty()) {
    return problems.ToError();
  }
  return tools;
}

}  // namespace nacre::policy
