#include "policy/internal/data_reader.h"

#include <algorithm>
#include <utility>

#include "policy/internal/host.h"
#include "policy/internal/language.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

template <typename Enum>
std::vector<std::string> NamesOf(size_t count, const char* (*name)(Enum)) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    names.emplace_back(name(static_cast<Enum>(i)));
  }
  return names;
}

std::optional<Confidentiality> ReadConfidentiality(const NodeReader& reader, const YamlNode& node,
                                                   const std::string& path) {
  const std::vector<std::string> names = ConfidentialityNames();
  const auto choice = reader.Choice(node, path, names);
  if (!choice.has_value()) {
    return std::nullopt;
  }
  return static_cast<Confidentiality>(std::find(names.begin(), names.end(), *choice) -
                                      names.begin());
}

std::optional<Integrity> ReadIntegrity(const NodeReader& reader, const YamlNode& node,
                                       const std::string& path) {
  const auto choice = reader.Choice(node, path, {"trusted", "untrusted"});
  if (!choice.has_value()) {
    return std::nullopt;
  }
  return *choice == "trusted" ? Integrity::kTrusted : Integrity::kUntrusted;
}

class DataReader {
 public:
  DataReader(const NodeReader& reader, const ToolSchemas* tools) : reader_(reader), tools_(tools) {}

  DataRules Read(const YamlNode& node) {
    data_.present = true;
    if (reader_.Map(node, "data", KeysOf("data")) == nullptr) {
      return std::move(data_);
    }
    if (const YamlNode* unlisted = NodeReader::Find(node, "unlisted")) {
      data_.unlisted =
          ReadIntegrity(reader_, *unlisted, "data.unlisted").value_or(Integrity::kUntrusted);
    }
    Each(node, "sources", &DataReader::ReadSource);
    Each(node, "flows", &DataReader::ReadFlow);
    if (const YamlNode* quarantine = NodeReader::Find(node, "quarantine")) {
      ReadQuarantine(*quarantine, "data.quarantine");
    }
    return std::move(data_);
  }

 private:
  void Each(const YamlNode& data, const std::string& key,
            void (DataReader::*read)(const YamlNode&, const std::string&)) {
    const YamlNode* node = NodeReader::Find(data, key);
    const std::string path = "data." + key;
    const YamlNode* list = node == nullptr ? nullptr : reader_.List(*node, path, kDataEntriesMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      (this->*read)(list->items[i], path + "[" + std::to_string(i) + "]");
    }
  }

  std::set<std::string> ReadCategories(const YamlNode& node, const std::string& path) {
    std::set<std::string> categories;
    for (const auto& [item_path, item] : reader_.OneOrMore(node, path, kDataNamesMax)) {
      if (const auto name = reader_.Text(*item, item_path, kNameBytesMax)) {
        if (!IsCategory(*name)) {
          reader_.Report(*item, item_path, kCategoryIs);
        }
        categories.insert(*name);
      }
    }
    return categories;
  }

  std::vector<std::string> ReadTools(const YamlNode& node, const std::string& path) {
    std::vector<std::string> tools;
    for (const auto& [item_path, item] : reader_.OneOrMore(node, path, kDataNamesMax)) {
      if (auto tool = ReadToolPattern(reader_, *item, item_path, tools_)) {
        tools.push_back(std::move(*tool));
      }
    }
    return tools;
  }

  void ReadSource(const YamlNode& node, const std::string& path) {
    if (reader_.Map(node, path, KeysOf("source")) == nullptr) {
      return;
    }
    DataSource source;
    source.source = reader_.Where(node);
    bool which = false;
    if (const YamlNode* tool = NodeReader::Find(node, "tool")) {
      source.tools = ReadTools(*tool, path + ".tool");
      which = true;
    }
    if (const YamlNode* glob = NodeReader::Find(node, "path")) {
      source.path = ReadPath(*glob, path + ".path");
      if (std::optional<Glob> compiled = Glob::Compile(source.path)) {
        source.glob = std::make_shared<const Glob>(std::move(*compiled));
        source.walk = std::make_shared<const GlobWalk>(std::vector<std::string>{source.path});
      }
      which = true;
    }
    if (const YamlNode* host = NodeReader::Find(node, "host")) {
      source.host = reader_.Text(*host, path + ".host", kNameBytesMax).value_or("");
      if (const auto problem = HostPatternProblem(source.host);
          problem.has_value() && !source.host.empty()) {
        reader_.Report(*host, path + ".host", *problem, HostOf(source.host).value_or(""));
      }
      which = true;
    }
    for (const char* key : {"memory", "user"}) {
      if (const YamlNode* flag = NodeReader::Find(node, key)) {
        const auto value = reader_.Boolean(*flag, path + "." + key);
        (key == std::string("memory") ? source.memory : source.user) = value.value_or(false);
        if (value == false) {
          reader_.Report(*flag, path + "." + key, "only true says something; leave it out");
        }
        which = true;
      }
    }
    if (!which) {
      reader_.Report(node, path, "a source needs tool, path, host, memory or user");
    }
    if (source.user &&
        (!source.tools.empty() || !source.path.empty() || !source.host.empty() || source.memory)) {
      reader_.Report(node, path, "the user's words come from no tool, path, host or memory");
    }
    ReadLabel(node, path, source);
    data_.sources.push_back(std::move(source));
  }

  void ReadLabel(const YamlNode& node, const std::string& path, DataSource& source) {
    bool says = false;
    if (const YamlNode* integrity = NodeReader::Find(node, "integrity")) {
      source.integrity = ReadIntegrity(reader_, *integrity, path + ".integrity");
      says = true;
    }
    if (const YamlNode* confidentiality = NodeReader::Find(node, "confidentiality")) {
      source.confidentiality =
          ReadConfidentiality(reader_, *confidentiality, path + ".confidentiality")
              .value_or(Confidentiality::kSecret);
      if (source.confidentiality == Confidentiality::kPublic) {
        reader_.Report(*confidentiality, path + ".confidentiality",
                       "public is what everything is that no source speaks of; leave it out");
      }
      says = true;
    }
    if (const YamlNode* categories = NodeReader::Find(node, "categories")) {
      source.categories = ReadCategories(*categories, path + ".categories");
      says = true;
    }
    if (!says) {
      reader_.Report(node, path,
                     "a source says nothing without integrity, confidentiality or categories");
    }
  }

  std::string ReadPath(const YamlNode& node, const std::string& path) {
    const auto glob = reader_.Text(node, path, kNameBytesMax);
    if (!glob.has_value()) {
      return {};
    }
    if (const auto problem = GlobProblem(*glob)) {
      reader_.Report(node, path, *problem);
    } else if (glob->front() != '/') {
      reader_.Report(node, path, "a path here is absolute, as the tools see it",
                     "/workspace/" + *glob);
    }
    return *glob;
  }

  void ReadFlow(const YamlNode& node, const std::string& path) {
    if (reader_.Map(node, path, KeysOf("flow")) == nullptr) {
      return;
    }
    reader_.Needs(node, path, "a flow", {"id", "reason", "when", "to", "decision"});
    FlowRule rule;
    rule.source = reader_.Where(node);
    if (const YamlNode* id = NodeReader::Find(node, "id")) {
      rule.id = reader_.Identifier(*id, path + ".id", "an id").value_or("");
      if (!rule.id.empty() && !ids_.insert(rule.id).second) {
        reader_.Report(*id, path + ".id", "another flow has this id");
      }
    }
    if (const YamlNode* reason = NodeReader::Find(node, "reason")) {
      rule.reason = reader_.Reason(*reason, path + ".reason").value_or("");
    }
    if (const YamlNode* when = NodeReader::Find(node, "when")) {
      ReadWhen(*when, path + ".when", rule);
    }
    if (const YamlNode* to = NodeReader::Find(node, "to")) {
      ReadTo(*to, path + ".to", rule);
    }
    if (const YamlNode* decision = NodeReader::Find(node, "decision")) {
      ReadDecision(*decision, path + ".decision", rule);
    }
    if (const YamlNode* approvers = NodeReader::Find(node, "approvers")) {
      rule.approvers = ReadApprovers(reader_, *approvers, path + ".approvers", rule.verdict)
                           .value_or(Approvers());
    }
    data_.flows.push_back(std::move(rule));
  }

  void ReadDecision(const YamlNode& node, const std::string& path, FlowRule& rule) {
    if (node.kind == YamlNode::Kind::kScalar && node.text == "allow") {
      reader_.Report(node, path,
                     "a flow only narrows what a tool rule allows: what no flow speaks of is not "
                     "narrowed, so use ask or deny");
      return;
    }
    if (const auto choice = reader_.Choice(node, path, FieldOf("flow", "decision").choices)) {
      rule.verdict = *choice == "ask" ? Verdict::kAsk : Verdict::kDeny;
    }
  }

  void ReadWhen(const YamlNode& node, const std::string& path, FlowRule& rule) {
    if (reader_.Map(node, path, KeysOf("flow.when")) == nullptr) {
      return;
    }
    if (node.items.empty()) {
      reader_.Report(node, path, "empty: it would hold always, which is what tool rules are for");
    }
    if (const YamlNode* integrity = NodeReader::Find(node, "integrity")) {
      const std::string at = path + ".integrity";
      if (ReadIntegrity(reader_, *integrity, at) == Integrity::kTrusted) {
        reader_.Report(*integrity, at, "only \"untrusted\" narrows anything");
      }
      rule.when_untrusted = true;
    }
    if (const YamlNode* level = NodeReader::Find(node, "confidentiality")) {
      const std::string at = path + ".confidentiality";
      if (reader_.Map(*level, at, KeysOf("flow.when.confidentiality")) != nullptr) {
        if (const YamlNode* least = NodeReader::Find(*level, "at_least")) {
          rule.at_least = ReadConfidentiality(reader_, *least, at + ".at_least");
        } else {
          reader_.Report(*level, at, "expected {at_least: LEVEL}");
        }
      }
    }
    if (const YamlNode* categories = NodeReader::Find(node, "categories")) {
      rule.categories = ReadCategories(*categories, path + ".categories");
    }
    if (const YamlNode* argument = NodeReader::Find(node, "argument")) {
      ReadArgument(*argument, path + ".argument", rule);
    }
  }

  void ReadArgument(const YamlNode& node, const std::string& path, FlowRule& rule) {
    if (reader_.Map(node, path, KeysOf("flow.when.argument")) == nullptr) {
      return;
    }
    for (const char* key : {"roles", "origin"}) {
      if (NodeReader::Find(node, key) == nullptr) {
        reader_.Report(node, path, "needs \"" + std::string(key) + "\"");
      }
    }
    if (const YamlNode* roles = NodeReader::Find(node, "roles")) {
      for (const auto& [at, item] : reader_.OneOrMore(*roles, path + ".roles", kDataNamesMax)) {
        const Field& field = FieldOf("flow.when.argument", "roles");
        if (const auto name = reader_.Choice(*item, at, field.choices)) {
          rule.roles.push_back(*ParseArgumentRole(*name));
        }
      }
    }
    if (const YamlNode* origin = NodeReader::Find(node, "origin")) {
      for (const auto& [at, item] : reader_.OneOrMore(*origin, path + ".origin", kDataNamesMax)) {
        if (const auto name =
                reader_.Choice(*item, at, FieldOf("flow.when.argument", "origin").choices)) {
          rule.origins.push_back(*ParseOrigin(*name));
        }
      }
    }
  }

  // A list of tools and "network", or a map {effects: [...], tools: [...]}.
  void ReadTo(const YamlNode& node, const std::string& path, FlowRule& rule) {
    if (node.kind != YamlNode::Kind::kMap) {
      for (const auto& [at, item] : reader_.OneOrMore(node, path, kDataNamesMax)) {
        if (item->kind == YamlNode::Kind::kScalar && item->text == "network") {
          AddNetwork(rule);
          continue;
        }
        for (std::string& tool : ReadTools(*item, at)) {
          rule.tools.push_back(std::move(tool));
        }
      }
    } else if (reader_.Map(node, path, KeysOf("flow.to")) != nullptr) {
      if (const YamlNode* effects = NodeReader::Find(node, "effects")) {
        for (const auto& [at, item] :
             reader_.OneOrMore(*effects, path + ".effects", kDataNamesMax)) {
          if (const auto name = reader_.Choice(*item, at, FieldOf("flow.to", "effects").choices)) {
            rule.effects.push_back(*ParseCallEffect(*name));
          }
        }
      }
      if (const YamlNode* tools = NodeReader::Find(node, "tools")) {
        rule.tools = ReadTools(*tools, path + ".tools");
      }
    }
    if (node.kind == YamlNode::Kind::kMap && node.items.empty()) {
      reader_.Report(node, path, "names no tool and no effect");
    }
  }

  static void AddNetwork(FlowRule& rule) {
    rule.effects.insert(rule.effects.end(),
                        {CallEffect::kFetch, CallEffect::kSend, CallEffect::kPay});
  }

  void ReadQuarantine(const YamlNode& node, const std::string& path) {
    if (reader_.Map(node, path, KeysOf("data.quarantine")) == nullptr) {
      return;
    }
    QuarantineRules& quarantine = data_.quarantine;
    quarantine.present = true;
    quarantine.source = reader_.Where(node);
    quarantine.extract = ExtractTypes();
    if (const YamlNode* integrity = NodeReader::Find(node, "integrity")) {
      reader_.Choice(*integrity, path + ".integrity",
                     FieldOf("data.quarantine", "integrity").choices);
    } else {
      reader_.Report(node, path, "a quarantine needs \"integrity\": what is withheld");
    }
    if (const YamlNode* extract = NodeReader::Find(node, "extract")) {
      const Field& field = FieldOf("data.quarantine", "extract");
      const std::string at = path + ".extract";
      quarantine.extract.clear();
      const YamlNode* list = reader_.List(*extract, at, field.items_max);
      for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
        if (const auto type =
                reader_.Choice(list->items[i], at + "[" + std::to_string(i) + "]", field.choices)) {
          quarantine.extract.push_back(*type);
        }
      }
    }
  }

  const NodeReader& reader_;
  const ToolSchemas* tools_;
  DataRules data_;
  std::set<std::string> ids_;
};

}  // namespace

bool IsCategory(std::string text) {
  std::replace(text.begin(), text.end(), ':', '.');  // "customer:acme"
  return IsIdentifier(text);
}

std::vector<std::string> ConfidentialityNames() {
  return NamesOf<Confidentiality>(kConfidentialities, &ConfidentialityName);
}

std::vector<std::string> EffectNames() {
  return NamesOf<CallEffect>(kCallEffects, &CallEffectName);
}

std::vector<std::string> RoleNames() {
  return NamesOf<ArgumentRole>(kArgumentRoles, &ArgumentRoleName);
}

std::vector<std::string> OriginNames() {
  return NamesOf<Origin>(kOrigins, &OriginName);
}

DataRules ReadData(const NodeReader& reader, const YamlNode& node, const ToolSchemas* tools) {
  return DataReader(reader, tools).Read(node);
}

}  // namespace nacre::policy
