#include "policy/policy_loader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/regular_file.h"
#include "policy/internal/canonical.h"
#include "policy/internal/coverage.h"
#include "policy/internal/document.h"
#include "policy/internal/layer.h"
#include "policy/internal/problems.h"
#include "policy/internal/profiles.h"
#include "policy/internal/tenant.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {
namespace {

constexpr size_t kFileBytesMax = 32U << 20;
constexpr size_t kLayersMax = 16;
constexpr size_t kRulesMax = 100'000;
constexpr const char* kBuiltin = "builtin/";

std::optional<std::string_view> FindProfile(const std::string& name) {
  for (const auto& profile : ProfileTexts()) {
    if (profile.name == name) {
      return profile.text;
    }
  }
  return std::nullopt;
}

bool HasPrefix(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// "policies/" of "policies/team.yaml"; "" without a folder.
std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// Reads a policy and all that it extends, each document once, then puts them upon each other.
class Loader {
 public:
  enum class Siblings { kRefused = 0, kRead };

  Loader(const LoadOptions& options, Siblings siblings) : options_(options), siblings_(siblings) {}

  Result<std::shared_ptr<const Policy>> Load(const std::string& file, std::string_view text) {
    Add(file, text);
    if (options_.tenant.has_value()) {
      tenant_ = Read(options_.tenant->file, options_.tenant->text);
    }
    if (!problems_.empty()) {
      return problems_.ToError();
    }
    CheckRules();
    CheckFlowsAndRates();
    CheckCategories();
    if (!problems_.empty()) {
      return problems_.ToError();
    }
    PolicyDocument policy = Merge();
    if (tenant_.has_value()) {
      NarrowByTenant(*tenant_, policy, problems_);
      if (!problems_.empty()) {
        return problems_.ToError();
      }
    }
    if (policy.grant.share_network && policy.grant.profile == "network-client") {
      problems_.Add(
          {layers_.back().layer.file, 1, 1}, "sandbox.share_network",
          "calls of the profile network-client have sockets, which could meet in a shared "
          "network; choose another profile, or share_network: false");
      return problems_.ToError();
    }
    policy.digest = PolicyDigest(policy);
    return Policy::Compile(std::move(policy));
  }

 private:
  struct Stacked {
    Layer layer;
    std::set<size_t> below;  // what it extends, directly or not: indices into layers_
  };

  // The document's bases first, then itself. Its index; nothing when a problem kept it from being
  // read.
  std::optional<size_t> Add(const std::string& file, std::string_view text) {
    std::optional<Layer> layer = Read(file, text);
    if (!layer.has_value()) {
      return std::nullopt;
    }
    std::set<size_t> below;
    open_.push_back(file);
    for (size_t i = 0; i < layer->extends.size(); ++i) {
      const std::string path = "extends[" + std::to_string(i) + "]";
      if (const auto base = AddBase(layer->extends[i], path, Folder(file))) {
        below.insert(*base);
        below.insert(layers_[*base].below.begin(), layers_[*base].below.end());
      }
    }
    open_.pop_back();
    layers_.push_back({std::move(*layer), std::move(below)});
    return layers_.size() - 1;
  }

  std::optional<Layer> Read(const std::string& file, std::string_view text) {
    const auto parsed = ParseYaml(text);
    if (const auto* problem = std::get_if<YamlProblem>(&parsed)) {
      problems_.Add({file, problem->line, problem->column}, "", problem->what);
      return std::nullopt;
    }
    // A shipped profile may speak of tools that this installation does not have.
    const bool checked = !options_.tools.empty() && !HasPrefix(file, kBuiltin);
    return ReadLayer(file, std::get<YamlTree>(parsed).root(), checked ? &options_.tools : nullptr,
                     pattern_steps_, problems_);
  }

  std::vector<const Layer*> AllLayers() const {
    std::vector<const Layer*> all;
    for (const Stacked& stacked : layers_) {
      all.push_back(&stacked.layer);
    }
    if (tenant_.has_value()) {
      all.push_back(&*tenant_);
    }
    return all;
  }

  std::optional<size_t> AddBase(const Layer::Located& base, const std::string& path,
                                const std::string& folder) {
    const std::string& name = base.text;
    const bool builtin = HasPrefix(name, kBuiltin);
    const std::string file = builtin ? name : folder + name;
    const auto refuse = [&](const std::string& what, const std::string& suggestion = {}) {
      problems_.Add(base.source, path, what, suggestion);
      return std::nullopt;
    };
    if (std::find(open_.begin(), open_.end(), file) != open_.end()) {
      return refuse("\"" + name + "\" extends this file: a cycle");
    }
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].layer.file == file) {
        return i;
      }
    }
    if (layers_.size() + open_.size() >= kLayersMax) {
      return refuse("more than " + std::to_string(kLayersMax) + " layers");
    }
    if (builtin) {
      const auto text = FindProfile(name.substr(std::string(kBuiltin).size()));
      return text.has_value() ? Add(file, *text)
                              : refuse("there is no shipped profile \"" + name + "\"",
                                       Nearest(name, BuiltinNames()));
    }
    if (FindProfile(name).has_value()) {
      return refuse("shipped profiles are named with builtin/", kBuiltin + name);
    }
    if (name.find('/') != std::string::npos || name == "." || name == "..") {
      return refuse("only shipped profiles and files in the same folder can be extended",
                    Nearest(name, BuiltinNames()));
    }
    if (siblings_ == Siblings::kRefused) {
      return refuse("a policy that is not a file extends only shipped profiles");
    }
    const Result<std::string> text = ReadRegularFile(file, kFileBytesMax, Links::kFollow);
    return text.ok() ? Add(file, text.value()) : refuse(text.error().message);
  }

  static std::vector<std::string> BuiltinNames() {
    std::vector<std::string> names;
    for (const auto& profile : ProfileTexts()) {
      names.push_back(kBuiltin + std::string(profile.name));
    }
    return names;
  }

  // layers_ holds every base before what extends it: single values are set in that order, so the
  // deriving document has the last word; lists are joined the other way round. The rules move out of
  // the layers.
  PolicyDocument Merge() {
    PolicyDocument policy;
    policy.name = layers_.back().layer.name;
    for (const Stacked& stacked : layers_) {
      for (const Setting& setting : stacked.layer.settings) {
        ApplySetting(setting, policy);
      }
    }
    std::vector<ToolRule> rules;
    for (auto stacked = layers_.rbegin(); stacked != layers_.rend(); ++stacked) {
      Layer& layer = stacked->layer;
      policy.layers.push_back(layer.file);
      MoveTo(rules, layer.tools);
      MoveTo(policy.narrow, layer.narrow);
      Unite(layer, policy);
    }
    // A rule that a deriving layer has overridden altogether is no part of the effective policy.
    if (layers_.size() == 1) {
      policy.tools = std::move(rules);
      return policy;
    }
    std::vector<bool> decides(rules.size());
    {
      const DeciderIndex index(Pointers(rules));
      for (size_t i = 0; i < rules.size(); ++i) {
        decides[i] = index.DeciderOf(i) == nullptr;
      }
    }
    for (size_t i = 0; i < rules.size(); ++i) {
      if (decides[i]) {
        policy.tools.push_back(std::move(rules[i]));
      }
    }
    return policy;
  }

  static void MoveTo(std::vector<ToolRule>& to, std::vector<ToolRule>& from) {
    if (to.empty()) {
      to = std::move(from);
    } else {
      to.insert(to.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    }
    from.clear();
  }

  static std::vector<const ToolRule*> Pointers(const std::vector<ToolRule>& rules) {
    std::vector<const ToolRule*> pointers(rules.size());
    std::transform(rules.begin(), rules.end(), pointers.begin(),
                   [](const ToolRule& rule) { return &rule; });
    return pointers;
  }

  void CheckFlowsAndRates() {
    std::map<std::string, SourceLocation> flows;
    std::map<std::string, SourceLocation> rates;
    for (const Layer* layer : AllLayers()) {
      for (const FlowRule& flow : layer->data.flows) {
        CheckId("data." + flow.id, flow.source, flows);
      }
      for (const CallRate& rate : layer->rates) {
        CheckId("budgets." + rate.id, rate.source, rates);
      }
    }
  }

  // A flow that speaks of a category which nothing ever gets would protect nothing.
  void CheckCategories() {
    std::set<std::string> given;
    for (const Layer* layer : AllLayers()) {
      for (const DataSource& source : layer->data.sources) {
        given.insert(source.categories.begin(), source.categories.end());
      }
    }
    for (const Layer* layer : AllLayers()) {
      for (const FlowRule& flow : layer->data.flows) {
        for (const std::string& category : flow.categories) {
          if (given.count(category) == 0) {
            problems_.Add(flow.source, "data." + flow.id,
                          "no source gives the category \"" + category + "\"",
                          Nearest(category, {given.begin(), given.end()}));
          }
        }
      }
    }
  }

  void CheckId(const std::string& name, const SourceLocation& source,
               std::map<std::string, SourceLocation>& ids) {
    const auto [other, added] = ids.emplace(name, source);
    if (!added) {
      problems_.Add(source, name, "duplicate id, first used at " + ToText(other->second));
    }
  }

  void CheckRules() {
    std::unordered_map<std::string_view, const ToolRule*> ids;
    for (const Layer* layer : AllLayers()) {
      for (const auto* rules : {&layer->tools, &layer->narrow}) {
        for (const ToolRule& rule : *rules) {
          const auto [other, added] = ids.emplace(rule.id, &rule);
          if (!added) {
            problems_.Add(rule.source, rule.Name(),
                          "duplicate id, first used at " + ToText(other->second->source));
          }
          if (ids.size() > kRulesMax) {
            problems_.Add(rule.source, "tools",
                          "more than " + std::to_string(kRulesMax) + " rules in all layers");
            return;
          }
        }
      }
    }
    for (const Layer* layer : AllLayers()) {
      CheckReachableAmong(Pointers(layer->narrow), layer->narrow.size());
    }
    if (tenant_.has_value()) {
      CheckReachableAmong(Pointers(tenant_->tools), tenant_->tools.size());
    }
    for (const Stacked& stacked : layers_) {
      CheckReachable(stacked);
    }
  }

  // Each rule is held against its own document and what that extends, but not against what extends
  // it: to narrow a base's rule, even to nothing, is what layers are for.
  void CheckReachable(const Stacked& stacked) {
    std::vector<const ToolRule*> rules = Pointers(stacked.layer.tools);
    for (const size_t index : stacked.below) {
      const std::vector<const ToolRule*> more = Pointers(layers_[index].layer.tools);
      rules.insert(rules.end(), more.begin(), more.end());
    }
    CheckReachableAmong(rules, stacked.layer.tools.size());
  }

  // Of the first `count` rules.
  void CheckReachableAmong(const std::vector<const ToolRule*>& rules, size_t count) {
    const DeciderIndex index(rules);
    for (size_t i = 0; i < count; ++i) {
      if (const ToolRule* decider = index.DeciderOf(i)) {
        problems_.Add(rules[i]->source, rules[i]->Name(),
                      "this rule can never decide: \"" + decider->id + "\" at " +
                          ToText(decider->source) + " answers " + VerdictName(decider->verdict) +
                          " to every such call");
      }
    }
  }

  const LoadOptions& options_;
  const Siblings siblings_;
  Problems problems_;
  size_t pattern_steps_ = 0;       // of all layers that were read
  std::vector<std::string> open_;  // the documents being read, outermost first
  std::vector<Stacked> layers_;    // in the order in which they are applied
  std::optional<Layer> tenant_;    // put upon all of them
};

Result<std::shared_ptr<const Policy>> LoadProfile(const std::string& name, std::string_view text,
                                                  const LoadOptions& options) {
  return Loader(options, Loader::Siblings::kRefused).Load(kBuiltin + name, text);
}

}  // namespace

Result<std::shared_ptr<const Policy>> LoadPolicy(const std::string& name,
                                                 const LoadOptions& options) {
  const bool builtin = HasPrefix(name, kBuiltin);
  const std::string profile = builtin ? name.substr(std::string(kBuiltin).size()) : name;
  if (const auto text = FindProfile(profile)) {
    return LoadProfile(profile, *text, options);
  }
  Result<std::string> text = ReadRegularFile(name, kFileBytesMax, Links::kFollow);
  if (!text.ok()) {
    if (text.error().code != ErrorCode::kNotFound) {
      return WithContext("policy", text.error());
    }
    const std::string nearest = Nearest(profile, ShippedProfiles());
    return Error{ErrorCode::kNotFound,
                 "there is no policy file \"" + name +
                     "\" and no such profile (base, coding, offline)" +
                     (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?")};
  }
  return Loader(options, Loader::Siblings::kRead).Load(name, text.value());
}

Result<std::shared_ptr<const Policy>> LoadPolicyText(const std::string& name, std::string_view text,
                                                     const LoadOptions& options) {
  return Loader(options, Loader::Siblings::kRefused).Load(name, text);
}

std::vector<std::string> ShippedProfiles() {
  std::vector<std::string> names;
  for (const auto& profile : ProfileTexts()) {
    names.emplace_back(profile.name);
  }
  return names;
}

std::string ToYaml(const PolicyDocument& policy) {
  return DocumentYaml(ToDocument(policy));
}

}  // namespace nacre::policy
