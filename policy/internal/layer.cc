#include "policy/internal/layer.h"

#include <utility>

#include "policy/internal/data_reader.h"
#include "policy/internal/language.h"
#include "policy/internal/matcher.h"
#include "policy/internal/node_reader.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

class LayerReader {
 public:
  LayerReader(const std::string& file, const ToolSchemas* tools, size_t& pattern_steps,
              Problems& problems)
      : reader_(file, problems), tools_(tools), pattern_steps_(pattern_steps) {
    layer_.file = file;
  }

  Layer Read(const YamlNode& document) {
    if (reader_.Map(document, "", KeysOf("")) == nullptr) {
      return std::move(layer_);
    }
    ReadHead(document);
    for (const char* map : {"workspace", "sandbox"}) {
      ReadSettings(document, map);
    }
    if (const YamlNode* tools = NodeReader::Find(document, "tools")) {
      ReadRules(*tools, "tools", layer_.tools);
    }
    if (const YamlNode* narrow = NodeReader::Find(document, "narrow")) {
      ReadRules(*narrow, "narrow", layer_.narrow);
      for (const ToolRule& rule : layer_.narrow) {
        if (rule.verdict == Verdict::kAllow) {
          reader_.ReportAt(rule.source, "narrow." + rule.id,
                           "a rule here only narrows what tools allow: use ask or deny");
        }
      }
    }
    if (const YamlNode* data = NodeReader::Find(document, "data")) {
      layer_.data = ReadData(reader_, *data, tools_);
      if (const YamlNode* unlisted = NodeReader::Find(*data, "unlisted")) {
        layer_.unlisted_source = reader_.Where(*unlisted);
      }
    }
    for (const char* map : {"budgets", "audit"}) {
      ReadSettings(document, map);
    }
    return std::move(layer_);
  }

 private:
  // All that the table knows of `map`, whose value stands in `outer` under the last part of its name.
  void ReadSettings(const YamlNode& outer, const std::string& map) {
    const size_t dot = map.rfind('.');
    const YamlNode* node =
        NodeReader::Find(outer, dot == std::string::npos ? map : map.substr(dot + 1));
    if (node == nullptr || reader_.Map(*node, map, KeysOf(map)) == nullptr) {
      return;
    }
    for (const Field* field : FieldsOf(map)) {
      const YamlNode* value = NodeReader::Find(*node, field->key);
      if (value == nullptr) {
        continue;
      }
      if (field->key == "rates") {
        ReadRates(*value);
      } else if (field->type == Field::Type::kMap) {
        ReadSettings(*node, field->inner);
      } else if (field->type == Field::Type::kGlob) {
        ReadGlobs(*value, *field);
      } else if (field->type != Field::Type::kNotEnforced) {
        if (auto setting = ReadSetting(reader_, *value, *field)) {
          layer_.settings.push_back(std::move(*setting));
        }
      }
    }
  }

  void ReadHead(const YamlNode& document) {
    const YamlNode* version = NodeReader::Find(document, "nacre");
    if (version == nullptr) {
      reader_.Report(document, "nacre", "missing; a policy begins with \"nacre: policy/1\"");
    } else if (version->text != "policy/1") {
      reader_.Report(*version, "nacre", "this version reads \"policy/1\"");
    }
    const YamlNode* name = NodeReader::Find(document, "name");
    if (name == nullptr) {
      reader_.Report(document, "name", "missing");
    } else {
      layer_.name = reader_.Identifier(*name, "name", "a name").value_or("");
    }
    if (const YamlNode* extends = NodeReader::Find(document, "extends")) {
      layer_.extends = ReadTexts(*extends, "extends", kExtendsMax);
    }
  }

  std::vector<Layer::Located> ReadTexts(const YamlNode& node, const std::string& path,
                                        size_t items_max) {
    std::vector<Layer::Located> texts;
    const YamlNode* list = reader_.List(node, path, items_max);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const YamlNode& item = list->items[i];
      if (auto text = reader_.Text(item, path + "[" + std::to_string(i) + "]", kNameBytesMax)) {
        texts.push_back({std::move(*text), reader_.Where(item)});
      }
    }
    return texts;
  }

  void ReadGlobs(const YamlNode& node, const Field& field) {
    const bool hides = field.key == "hide";
    std::vector<Layer::Located>& globs = hides ? layer_.hide : layer_.protect;
    const YamlNode* list = reader_.List(node, PathOf(field), field.items_max);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const YamlNode& item = list->items[i];
      const std::string path = PathOf(field) + "[" + std::to_string(i) + "]";
      const auto glob = reader_.Text(item, path, kNameBytesMax);
      if (!glob.has_value()) {
        continue;
      }
      if (const auto problem = GlobProblem(*glob)) {
        reader_.Report(item, path, *problem);
      } else if (glob->front() == '/') {
        const bool inside = glob->rfind("/workspace/", 0) == 0;
        reader_.Report(item, path, "globs here count from the workspace, without a leading \"/\"",
                       inside ? glob->substr(std::string("/workspace/").size()) : "");
      } else if (GlobMatches(*glob, "")) {
        reader_.Report(item, path,
                       std::string("this is the whole workspace; use mode: ") +
                           (hides ? "none" : "read-only"));
      } else {
        globs.push_back({*glob, reader_.Where(item)});
      }
    }
  }

  void ReadRules(const YamlNode& node, const std::string& section, std::vector<ToolRule>& rules) {
    const KeyPath at(section);
    const YamlNode* list = reader_.List(node, at, kLayerRulesMax);
    rules.reserve(list == nullptr ? 0 : list->items.size());
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const KeyPath path = at.Item(i);
      if (auto rule = ReadRule(reader_, list->items[i], path, tools_)) {
        for (const ArgumentMatcher& condition : rule->arguments) {
          pattern_steps_ += PatternSteps(condition);
        }
        if (pattern_steps_ > kPatternStepsMax) {
          reader_.Report(
              list->items[i], path,
              "the regular expressions up to here are too large together: use one_of, glob "
              "or shorter ones");
          return;
        }
        rule->narrows = section == "narrow";
        rules.push_back(std::move(*rule));
      }
    }
  }

  void ReadRates(const YamlNode& node) {
    const std::string section = "budgets.rates";
    const YamlNode* list = reader_.List(node, section, kRatesMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const std::string path = section + "[" + std::to_string(i) + "]";
      if (auto rate = ReadRate(reader_, list->items[i], path, tools_)) {
        layer_.rates.push_back(std::move(*rate));
      }
    }
  }

  NodeReader reader_;
  const ToolSchemas* tools_;
  size_t& pattern_steps_;
  Layer layer_;
};

}  // namespace

Layer ReadLayer(const std::string& file, const YamlNode& document, const ToolSchemas* tools,
                size_t& pattern_steps, Problems& problems) {
  return LayerReader(file, tools, pattern_steps, problems).Read(document);
}

void Unite(const Layer& layer, PolicyDocument& policy) {
  const auto unite = [](const std::vector<Layer::Located>& more, std::vector<std::string>& globs,
                        std::vector<SourceLocation>& sources) {
    for (const Layer::Located& glob : more) {
      if (std::find(globs.begin(), globs.end(), glob.text) == globs.end()) {
        globs.push_back(glob.text);
        sources.push_back(glob.source);
      }
    }
  };
  unite(layer.hide, policy.grant.hide, policy.hide_sources);
  unite(layer.protect, policy.grant.protect, policy.protect_sources);
  std::vector<CallRate>& rates = policy.budgets.rates;
  rates.insert(rates.end(), layer.rates.begin(), layer.rates.end());
  const DataRules& more = layer.data;
  DataRules& data = policy.data;
  if (more.present) {
    data.unlisted = data.present ? std::min(data.unlisted, more.unlisted) : more.unlisted;
    data.present = true;
    data.sources.insert(data.sources.end(), more.sources.begin(), more.sources.end());
    data.flows.insert(data.flows.end(), more.flows.begin(), more.flows.end());
    Unite(more.quarantine, data.quarantine);
  }
}

}  // namespace nacre::policy
