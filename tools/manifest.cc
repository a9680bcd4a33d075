#include "tools/manifest.h"

#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "nacre/sdk/schema.h"

namespace nacre::tools {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
constexpr size_t kManifestBytesMax = 64U << 10;
constexpr size_t kNameBytesMax = 64;
constexpr size_t kDescriptionBytesMax = 1024;
constexpr int kYamlDepthMax = 24;
constexpr int kYamlNodesMax = 4096;  // after aliases: a small file can name a huge tree

// Thrown within this file only: reading a document is a descent that any step can end.
struct Mistake {
  YAML::Mark mark;
  std::string what;
};

std::string Text(const YAML::Node& node, const std::string& key) {
  if (!node.IsScalar()) {
    throw Mistake{node.Mark(), key + ": expected a string"};
  }
  return node.Scalar();
}

template <typename Number>
bool ParseNumber(const std::string& text, Number* number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return failure == std::errc() && end == text.data() + text.size();
}

// YAML 1.2's core schema without null: what is plain true, false or a number is one, the rest text.
OrderedJson Scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") {  // quoted
    return text;
  }
  if (text == "true" || text == "false") {
    return text == "true";
  }
  uint64_t whole = 0;
  if (ParseNumber(text, &whole)) {
    return whole;
  }
  int64_t negative = 0;
  if (ParseNumber(text, &negative)) {
    return negative;
  }
  double real = 0;
  if (text.find_first_of("0123456789") != std::string::npos && ParseNumber(text, &real)) {
    return real;
  }
  return text;
}

class JsonBuilder final {
 public:
  OrderedJson Build(const YAML::Node& node, int depth = 0) {
    if (++nodes_ > kYamlNodesMax || depth > kYamlDepthMax) {
      throw Mistake{node.Mark(), "the document is too large"};
    }
    if (node.IsScalar()) {
      return Scalar(node);
    }
    if (node.IsSequence()) {
      OrderedJson array = OrderedJson::array();
      for (const YAML::Node& item : node) {
        array.push_back(Build(item, depth + 1));
      }
      return array;
    }
    if (!node.IsMap()) {
      throw Mistake{node.Mark(), "a value is missing"};
    }
    OrderedJson object = OrderedJson::object();
    for (const auto& member : node) {
      const std::string key = Text(member.first, "key");
      if (object.contains(key)) {
        throw Mistake{member.first.Mark(), "the key \"" + key + "\" is there twice"};
      }
      object[key] = Build(member.second, depth + 1);
    }
    return object;
  }

 private:
  int nodes_ = 0;
};

std::string ReadName(const YAML::Node& node) {
  std::string name = Text(node, "name");
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
  const bool lone_dot = ("." + name + ".").find("..") != std::string::npos;
  if (name.empty() || name.size() > kNameBytesMax || !plain || lone_dot) {
    throw Mistake{
        node.Mark(),
        "name: expected 1 to 64 letters, digits, '_' and '.', which stands between others"};
  }
  return name;
}

std::string ReadDescription(const YAML::Node& node) {
  std::string description = Text(node, "description");
  if (description.empty() || description.size() > kDescriptionBytesMax) {
    throw Mistake{node.Mark(), "description: expected 1 to 1024 bytes"};
  }
  return description;
}

Effect ReadEffect(const YAML::Node& node) {
  const std::string text = Text(node, "effect");
  for (const Effect effect : {Effect::kRead, Effect::kWrite, Effect::kExecute}) {
    if (text == EffectName(effect)) {
      return effect;
    }
  }
  throw Mistake{node.Mark(), "effect: expected read, write or execute"};
}

bool ReadIdempotent(const YAML::Node& node) {
  const std::string text = Text(node, "idempotent");
  if (text != "true" && text != "false") {
    throw Mistake{node.Mark(), "idempotent: expected true or false"};
  }
  return text == "true";
}

std::vector<HostService> ReadHostServices(const YAML::Node& node) {
  if (!node.IsSequence() || node.size() > 1 ||
      std::any_of(node.begin(), node.end(),
                  [](const YAML::Node& item) { return Text(item, "host_services") != "memory"; })) {
    throw Mistake{node.Mark(), "host_services: expected [] or [memory]"};
  }
  return std::vector<HostService>(node.size(), HostService::kMemory);
}

Interpreter ReadInterpreter(const YAML::Node& node) {
  const std::string text = Text(node, "interpreter");
  if (text != "python3") {
    throw Mistake{node.Mark(),
                  "interpreter: expected python3; a program in another language is started "
                  "by its own first line, #!"};
  }
  if (::access(kPython, X_OK) != 0) {
    throw Mistake{node.Mark(), std::string("interpreter: ") + kPython +
                                   " is not installed; install it: apt-get install python3"};
  }
  return Interpreter::kPython3;
}

// A regular file in the tool's own folder: the sandbox mounts that folder and starts this file.
std::string ReadProgram(const YAML::Node& node, const std::string& directory) {
  const std::string name = Text(node, "program");
  if (name.empty() || name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
    throw Mistake{node.Mark(), "program: expected the name of a file in the tool's folder"};
  }
  std::string program = directory + "/" + name;
  struct stat info {};
  if (::lstat(program.c_str(), &info) != 0) {
    throw Mistake{node.Mark(), "program: " + SysError(program, errno).message};
  }
  if (!S_ISREG(info.st_mode)) {
    throw Mistake{node.Mark(), "program: " + program + " is not an executable file"};
  }
  return program;
}

OrderedJson ReadParameters(const YAML::Node& node) {
  OrderedJson parameters = JsonBuilder().Build(node);
  if (const auto problem = sdk::CheckSchema(parameters)) {
    throw Mistake{node.Mark(), "parameters: " + *problem};
  }
  return parameters;
}

std::vector<PathParameter> PathsOf(const OrderedJson& parameters) {
  std::vector<PathParameter> paths;
  if (parameters.contains("properties")) {
    for (const auto& [key, property] : parameters["properties"].items()) {
      if (property.contains("format")) {
        paths.push_back({.key = key, .written = property["format"] == "path-write"});
      }
    }
  }
  return paths;
}

// The policy's words; tests/unit/agent/flow_traits_test.cc holds these against the policy's own lists.
constexpr std::array kFlowEffects = {"read", "fetch", "write",   "delete",
                                     "send", "pay",   "account", "execute"};
constexpr std::array kFlowRoles = {"option", "recipient", "url",   "amount",
                                   "object", "setting",   "title", "body"};
constexpr size_t kFlowFieldsMax = 64;

template <typename Choices>
std::string OneOf(const YAML::Node& node, const std::string& path, const Choices& choices) {
  std::string text = Text(node, path);
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    std::string known;
    for (const char* choice : choices) {
      known += (known.empty() ? "" : ", ") + std::string(choice);
    }
    throw Mistake{node.Mark(), path + ": expected one of " + known};
  }
  return text;
}

void ReadFlowResult(const YAML::Node& node, FlowSection& flow) {
  constexpr std::array kTrust = {"trusted", "untrusted"};
  constexpr std::array kFormats = {"json", "yaml"};
  if (node.IsScalar()) {
    constexpr std::array kWhole = {"trusted", "untrusted", "echo"};
    const std::string whole = OneOf(node, "flow.result", kWhole);
    flow.result_trusted = whole == "trusted";
    flow.result_echo = whole == "echo";
    return;
  }
  if (!node.IsMap()) {
    throw Mistake{node.Mark(), "flow.result: expected trusted, untrusted, echo or a map"};
  }
  flow.result_trusted = false;
  for (const auto& member : node) {
    const std::string key = Text(member.first, "flow.result");
    if (key == "format") {
      flow.result_format = OneOf(member.second, "flow.result.format", kFormats);
    } else if (key == "keys") {
      flow.keys_trusted = OneOf(member.second, "flow.result.keys", kTrust) == "trusted";
    } else if ((key == "trusted" || key == "untrusted") && member.second.IsSequence() &&
               member.second.size() <= kFlowFieldsMax) {
      std::vector<std::string>& fields =
          key == "trusted" ? flow.trusted_fields : flow.untrusted_fields;
      for (const YAML::Node& field : member.second) {
        fields.push_back(Text(field, "flow.result." + key));
      }
    } else {
      throw Mistake{member.first.Mark(),
                    "flow.result: expected format, trusted and untrusted (lists of fields) and "
                    "keys"};
    }
  }
  for (const std::string& field : flow.untrusted_fields) {
    if (std::count(flow.trusted_fields.begin(), flow.trusted_fields.end(), field) > 0) {
      throw Mistake{node.Mark(), "flow.result: \"" + field + "\" is both trusted and untrusted"};
    }
  }
  if (flow.result_format.empty()) {
    throw Mistake{node.Mark(),
                  "flow.result: fields can be told apart only in a result with a "
                  "format: json or yaml"};
  }
}

FlowSection ReadFlow(const YAML::Node& node) {
  if (!node.IsMap()) {
    throw Mistake{node.Mark(), "flow: expected effects, args and result"};
  }
  FlowSection flow;
  for (const auto& member : node) {
    const std::string key = Text(member.first, "flow");
    const YAML::Node& value = member.second;
    if (key == "effects" && value.IsSequence() && value.size() <= kFlowEffects.size()) {
      for (const YAML::Node& effect : value) {
        flow.effects.push_back(OneOf(effect, "flow.effects", kFlowEffects));
      }
    } else if (key == "args" && value.IsMap() && value.size() <= kFlowFieldsMax) {
      for (const auto& argument : value) {
        flow.roles.emplace_back(Text(argument.first, "flow.args"),
                                OneOf(argument.second, "flow.args", kFlowRoles));
      }
    } else if (key == "result") {
      ReadFlowResult(value, flow);
    } else {
      throw Mistake{member.first.Mark(),
                    "flow: expected effects (a list), args (a map) and result"};
    }
  }
  return flow;
}

// A role for an argument that there is not would protect nothing.
void CheckFlow(const YAML::Node& document, const Manifest& manifest) {
  for (const auto& [argument, role] : manifest.flow.roles) {
    if (!manifest.parameters.contains("properties") ||
        !manifest.parameters["properties"].contains(argument)) {
      throw Mistake{document["flow"].Mark(),
                    "flow.args: there is no parameter \"" + argument + "\""};
    }
  }
  const auto& effects = manifest.flow.effects;
  if (!effects.empty() && manifest.effect != Effect::kRead &&
      std::all_of(effects.begin(), effects.end(), [](const std::string& effect) {
        return effect == "read" || effect == "fetch";
      })) {
    throw Mistake{document["flow"].Mark(),
                  std::string("flow.effects: less than effect: ") + EffectName(manifest.effect)};
  }
}

void ReadKey(const std::string& key, const YAML::Node& key_node, const YAML::Node& value,
             const std::string& directory, Manifest* manifest) {
  if (key == "name") {
    manifest->name = ReadName(value);
  } else if (key == "description") {
    manifest->description = ReadDescription(value);
  } else if (key == "effect") {
    manifest->effect = ReadEffect(value);
  } else if (key == "idempotent") {
    manifest->idempotent = ReadIdempotent(value);
  } else if (key == "host_services") {
    manifest->host_services = ReadHostServices(value);
  } else if (key == "interpreter") {
    manifest->interpreter = ReadInterpreter(value);
  } else if (key == "program") {
    manifest->program = ReadProgram(value, directory);
  } else if (key == "parameters") {
    manifest->parameters = ReadParameters(value);
    manifest->paths = PathsOf(manifest->parameters);
  } else if (key == "flow") {
    manifest->flow = ReadFlow(value);
  } else {
    throw Mistake{key_node.Mark(), "unknown key \"" + key.substr(0, 64) + "\""};
  }
}

Manifest ReadDocument(const std::string& text, const std::string& directory) {
  const YAML::Node document = YAML::Load(text);
  if (!document.IsMap()) {
    throw Mistake{document.Mark(), "expected keys and values"};
  }
  Manifest manifest;
  std::set<std::string> seen;
  for (const auto& member : document) {
    const std::string key = Text(member.first, "key");
    if (!seen.insert(key).second) {
      throw Mistake{member.first.Mark(), "the key \"" + key + "\" is there twice"};
    }
    ReadKey(key, member.first, member.second, directory, &manifest);
  }
  for (const char* key : {"name", "description", "effect", "program", "parameters"}) {
    if (!seen.contains(key)) {
      throw Mistake{document.Mark(), std::string("the key \"") + key + "\" is missing"};
    }
  }
  CheckFlow(document, manifest);
  if (manifest.interpreter == Interpreter::kNone && ::access(manifest.program.c_str(), X_OK) != 0) {
    throw Mistake{
        document["program"].Mark(),
        "program: " + manifest.program + " is not an executable file, and no interpreter is named"};
  }
  if (manifest.effect == Effect::kRead &&
      std::any_of(manifest.paths.begin(), manifest.paths.end(),
                  [](const PathParameter& path) { return path.written; })) {
    throw Mistake{document.Mark(), "effect: read, but a parameter has format path-write"};
  }
  return manifest;
}

Error AtLine(const std::string& file, const YAML::Mark& mark, const std::string& what) {
  const int line = std::max(mark.line, 0) + 1;  // an empty document has line -1
  return {ErrorCode::kInvalidArgument, file + ":" + std::to_string(line) + ": " + what};
}

Result<std::string> RealPath(const std::string& directory) {
  std::error_code failure;
  const std::filesystem::path real = std::filesystem::canonical(directory, failure);
  if (failure) {
    return SysError(directory, failure.value());
  }
  return real.string();
}

}  // namespace

const char* EffectName(Effect effect) {
  switch (effect) {
    case Effect::kRead:
      return "read";
    case Effect::kWrite:
      return "write";
    case Effect::kExecute:
      break;
  }
  return "execute";
}

Result<Manifest> LoadManifest(const std::string& directory) {
  const std::string real = NACRE_TRY(RealPath(directory));
  const std::string file = real + "/tool.yaml";
  const std::string text = NACRE_TRY(ReadFile(file, kManifestBytesMax));
  try {
    return ReadDocument(text, real);
  } catch (const Mistake& mistake) {
    return AtLine(file, mistake.mark, mistake.what);
  } catch (const YAML::Exception& exception) {
    return AtLine(file, exception.mark, exception.msg);
  }
}

}  // namespace nacre::tools
