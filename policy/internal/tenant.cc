#include "policy/internal/tenant.h"

#include <algorithm>
#include <optional>
#include <string>

#include "policy/internal/document.h"
#include "policy/internal/settings.h"

namespace nacre::policy {
namespace {

// The value of a setting as it would be written: "30s"; nothing where there is no bound.
std::optional<std::string> Written(const OrderedJson& document, const std::string& path) {
  const OrderedJson* at = &document;
  for (size_t from = 0; from <= path.size();) {
    const size_t dot = std::min(path.find('.', from), path.size());
    const auto member = at->find(path.substr(from, dot - from));
    if (member == at->end()) {
      return std::nullopt;
    }
    at = &*member;
    from = dot + 1;
  }
  return at->is_string() ? at->get<std::string>() : DumpJson(*at);
}

SettingValue ValueOf(const Field& field, const std::string& text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = text;
  Problems none;
  const std::optional<Setting> setting = ReadSetting(NodeReader("", none), node, field);
  NACRE_CHECK(setting.has_value());
  return setting->value;
}

size_t PlaceOf(const Field& field, const SettingValue& value) {
  return static_cast<size_t>(
      std::find(field.choices.begin(), field.choices.end(), std::get<std::string>(value)) -
      field.choices.begin());
}

// Neither shell nor build makes sockets, and network-client runs nothing that it made.
bool IsProfileWithin(const std::string& profile, const std::string& base) {
  constexpr const char* kSockets = "network-client";
  return base != kSockets || profile == kSockets || profile == "pure" || profile == "default";
}

bool IsWithin(const Field& field, const SettingValue& value, const SettingValue& base) {
  switch (field.narrower) {
    case Field::Narrower::kNone:
      return false;
    case Field::Narrower::kSmaller:
      return std::get<int64_t>(value) <= std::get<int64_t>(base);
    case Field::Narrower::kGreater:
      return std::get<int64_t>(value) >= std::get<int64_t>(base);
    case Field::Narrower::kEarlier:
      return PlaceOf(field, value) <= PlaceOf(field, base) &&
             (field.key != "profile" ||
              IsProfileWithin(std::get<std::string>(value), std::get<std::string>(base)));
    case Field::Narrower::kLater:
      return PlaceOf(field, value) >= PlaceOf(field, base);
  }
  return false;
}

class Tenant {
 public:
  Tenant(const Layer& layer, PolicyDocument& policy, Problems& problems)
      : layer_(layer), policy_(policy), problems_(problems) {}

  void Narrow() {
    if (!layer_.extends.empty()) {
      problems_.Add(layer_.extends.front().source, "extends",
                    "a tenant's policy extends nothing: it narrows the policy that it is put upon");
    }
    Settings();
    Rules(layer_.tools, "tools");
    Rules(layer_.narrow, "narrow");
    Sources();
    Unite(layer_, policy_);
    policy_.name = layer_.name;
    policy_.layers.insert(policy_.layers.begin(), layer_.file);
  }

 private:
  void Settings() {
    PolicyDocument values;  // without the rules: there may be very many
    values.grant = policy_.grant;
    values.budgets = policy_.budgets;
    const OrderedJson document = ToDocument(values);
    for (const Setting& setting : layer_.settings) {
      const Field& field = *setting.field;
      const std::string path = PathOf(field);
      if (field.narrower == Field::Narrower::kNone) {
        problems_.Add(setting.source, path, "a tenant's policy cannot set this");
        continue;
      }
      const std::optional<std::string> base = Written(document, path);
      if (base.has_value() && !IsWithin(field, setting.value, ValueOf(field, *base))) {
        problems_.Add(setting.source, path,
                      "a tenant's policy can only narrow, and this is wider than " + *base +
                          " of the policy that it is put upon");
        continue;
      }
      ApplySetting(setting, policy_);
    }
  }

  void Rules(const std::vector<ToolRule>& rules, const std::string& section) {
    for (const ToolRule& rule : rules) {
      if (rule.verdict == Verdict::kAllow) {
        problems_.Add(rule.source, section + "." + rule.id,
                      "a tenant's policy allows nothing: write ask or deny, and leave what is "
                      "allowed to the policy that it is put upon");
      }
      policy_.narrow.push_back(rule);
      policy_.narrow.back().narrows = true;
    }
  }

  // Only what calls data trusted, or keeps it from the context, would make flows hold less often.
  void Sources() {
    if (layer_.data.quarantine.present && !policy_.data.quarantine.present) {
      problems_.Add(layer_.data.quarantine.source, "data.quarantine",
                    "a tenant's policy can narrow a quarantine, and the policy that it is put upon "
                    "has none");
    }
    if (layer_.unlisted_source != SourceLocation() && policy_.data.present &&
        layer_.data.unlisted > policy_.data.unlisted) {
      problems_.Add(
          layer_.unlisted_source, "data.unlisted",
          "a tenant's policy vouches for nothing: data that nobody speaks of is untrusted "
          "by the policy that it is put upon");
    }
    for (const DataSource& source : layer_.data.sources) {
      if (source.integrity == Integrity::kTrusted) {
        problems_.Add(source.source, "data.sources",
                      "a tenant's policy vouches for nothing: only untrusted narrows");
      }
    }
  }

  const Layer& layer_;
  PolicyDocument& policy_;
  Problems& problems_;
};

}  // namespace

void NarrowByTenant(const Layer& tenant, PolicyDocument& policy, Problems& problems) {
  Tenant(tenant, policy, problems).Narrow();
}

}  // namespace nacre::policy
