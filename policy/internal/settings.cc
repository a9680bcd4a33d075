#include "policy/internal/settings.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>

#include "base/result.h"

namespace nacre::policy {
namespace {

using std::chrono::milliseconds;
using Type = Field::Type;

int64_t Number(const Setting& setting) {
  return std::get<int64_t>(setting.value);
}
const std::string& Choice(const Setting& setting) {
  return std::get<std::string>(setting.value);
}
uint32_t Count(const Setting& setting) {
  return static_cast<uint32_t>(Number(setting));
}
uint64_t Amount(const Setting& setting) {
  return static_cast<uint64_t>(Number(setting));
}

// The value at the place of the choice in the table.
template <typename Enum>
Enum Chosen(const Setting& setting, std::initializer_list<Enum> values) {
  const std::vector<std::string>& choices = setting.field->choices;
  const auto at = std::find(choices.begin(), choices.end(), Choice(setting)) - choices.begin();
  NACRE_CHECK(choices.size() == values.size() && static_cast<size_t>(at) < values.size());
  return *(values.begin() + at);
}

using Setter = void (*)(const Setting&, PolicyDocument&);

const std::map<std::string, Setter>& Setters() {
  static const std::map<std::string, Setter> kSetters = {
      {"workspace.mode",
       [](const Setting& s, PolicyDocument& p) {
         p.grant.workspace = Chosen(s, {WorkspaceMode::kNone, WorkspaceMode::kReadOnly,
                                        WorkspaceMode::kTransactional, WorkspaceMode::kDirect});
         p.mode_source = s.source;
       }},
      {"workspace.commit.changes",
       [](const Setting& s, PolicyDocument& p) { p.grant.commit.changes = Amount(s); }},
      {"workspace.commit.bytes",
       [](const Setting& s, PolicyDocument& p) { p.grant.commit.bytes = Amount(s); }},
      {"workspace.commit.executables",
       [](const Setting& s, PolicyDocument& p) {
         p.grant.commit.executables =
             Chosen(s, {CommitExecutables::kAllow, CommitExecutables::kDeny});
       }},
      {"workspace.commit.links",
       [](const Setting& s, PolicyDocument& p) {
         p.grant.commit.links =
             Chosen(s, {CommitLinks::kAllow, CommitLinks::kInside, CommitLinks::kDeny});
       }},
      {"sandbox.profile", [](const Setting& s, PolicyDocument& p) { p.grant.profile = Choice(s); }},
      {"sandbox.isolation",
       [](const Setting& s, PolicyDocument& p) {
         p.grant.isolation =
             Chosen(s, {Isolation::kNamespace, Isolation::kGvisor, Isolation::kMicrovm});
       }},
      {"sandbox.share_network",
       [](const Setting& s, PolicyDocument& p) { p.grant.share_network = Number(s) != 0; }},
      {"sandbox.limits.wall",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.wall = milliseconds(Number(s)); }},
      {"sandbox.limits.cpu",
       [](const Setting& s, PolicyDocument& p) {
         p.grant.limits.cpu =
             std::chrono::duration_cast<std::chrono::seconds>(milliseconds(Number(s)));
       }},
      {"sandbox.limits.memory",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.memory_bytes = Amount(s); }},
      {"sandbox.limits.tasks",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.tasks = Count(s); }},
      {"sandbox.limits.files",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.files = Count(s); }},
      {"sandbox.limits.output",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.output_bytes = Amount(s); }},
      {"sandbox.limits.disk",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.disk_bytes = Amount(s); }},
      {"sandbox.limits.inodes",
       [](const Setting& s, PolicyDocument& p) { p.grant.limits.inodes = Count(s); }},
      {"sandbox.require.landlock",
       [](const Setting& s, PolicyDocument& p) {
         p.grant.require_landlock_abi = static_cast<int>(Number(s));
       }},
      {"sandbox.require.cgroup",
       [](const Setting& s, PolicyDocument& p) { p.grant.require_cgroup = Number(s) != 0; }},
      {"sandbox.require.id_maps",
       [](const Setting& s, PolicyDocument& p) { p.grant.require_id_maps = Number(s) != 0; }},
      {"sandbox.require.kvm",
       [](const Setting& s, PolicyDocument& p) { p.grant.require_kvm = Number(s) != 0; }},
      {"budgets.turn.steps",
       [](const Setting& s, PolicyDocument& p) { p.budgets.steps = Count(s); }},
      {"budgets.turn.tool_calls",
       [](const Setting& s, PolicyDocument& p) { p.budgets.tool_calls = Count(s); }},
      {"budgets.turn.tokens",
       [](const Setting& s, PolicyDocument& p) { p.budgets.tokens = Amount(s); }},
      {"budgets.turn.wall",
       [](const Setting& s, PolicyDocument& p) { p.budgets.wall = milliseconds(Number(s)); }},
      {"budgets.turn.bytes_out",
       [](const Setting& s, PolicyDocument& p) { p.budgets.bytes_out = Amount(s); }},
      {"budgets.turn.joules",
       [](const Setting& s, PolicyDocument& p) { p.budgets.joules = Amount(s); }},
      {"budgets.session.steps",
       [](const Setting& s, PolicyDocument& p) { p.budgets.session.steps = Amount(s); }},
      {"budgets.session.tool_calls",
       [](const Setting& s, PolicyDocument& p) { p.budgets.session.tool_calls = Amount(s); }},
      {"budgets.session.tokens",
       [](const Setting& s, PolicyDocument& p) { p.budgets.session.tokens = Amount(s); }},
      {"budgets.session.wall",
       [](const Setting& s, PolicyDocument& p) {
         p.budgets.session.wall = milliseconds(Number(s));
       }},
      {"budgets.session.bytes_out",
       [](const Setting& s, PolicyDocument& p) { p.budgets.session.bytes_out = Amount(s); }},
      {"budgets.session.joules",
       [](const Setting& s, PolicyDocument& p) { p.budgets.session.joules = Amount(s); }},
      {"budgets.tenant_per_day.steps",
       [](const Setting& s, PolicyDocument& p) { p.budgets.tenant_per_day.steps = Amount(s); }},
      {"budgets.tenant_per_day.tool_calls",
       [](const Setting& s, PolicyDocument& p) {
         p.budgets.tenant_per_day.tool_calls = Amount(s);
       }},
      {"budgets.tenant_per_day.tokens",
       [](const Setting& s, PolicyDocument& p) { p.budgets.tenant_per_day.tokens = Amount(s); }},
      {"budgets.tenant_per_day.wall",
       [](const Setting& s, PolicyDocument& p) {
         p.budgets.tenant_per_day.wall = milliseconds(Number(s));
       }},
      {"budgets.tenant_per_day.bytes_out",
       [](const Setting& s, PolicyDocument& p) { p.budgets.tenant_per_day.bytes_out = Amount(s); }},
      {"budgets.tenant_per_day.joules",
       [](const Setting& s, PolicyDocument& p) { p.budgets.tenant_per_day.joules = Amount(s); }},
      {"audit.on_failure",
       [](const Setting& s, PolicyDocument& p) {
         p.audit_on_failure = Chosen(s, {AuditFailure::kRefuse, AuditFailure::kStop});
       }},
      {"audit.content",
       [](const Setting& s, PolicyDocument& p) {
         p.audit_content =
             Chosen(s, {AuditContent::kDigest, AuditContent::kRedacted, AuditContent::kFull});
       }},
      {"audit.retention.age",
       [](const Setting& s, PolicyDocument& p) {
         p.audit_retention.age =
             std::chrono::duration_cast<std::chrono::seconds>(milliseconds(Number(s)));
       }},
      {"audit.retention.bytes",
       [](const Setting& s, PolicyDocument& p) { p.audit_retention.bytes = Amount(s); }},
      {"audit.retention.exported",
       [](const Setting& s, PolicyDocument& p) { p.audit_retention.exported = Choice(s); }},
  };
  return kSetters;
}

std::optional<SettingValue> ReadValue(const NodeReader& reader, const YamlNode& node,
                                      const std::string& path, const Field& field) {
  switch (field.type) {
    case Type::kChoice:
      return reader.Choice(node, path, field.choices);
    case Type::kText: {  // only paths of the host so far
      auto text = reader.Text(node, path, static_cast<size_t>(field.maximum));
      if (text.has_value() && !text->starts_with('/')) {
        reader.Report(node, path, "expected a path from /");
        return std::nullopt;
      }
      return text.has_value() ? std::optional<SettingValue>(std::move(*text)) : std::nullopt;
    }
    case Type::kBoolean:
      if (const auto value = reader.Boolean(node, path)) {
        return int64_t{*value ? 1 : 0};
      }
      return std::nullopt;
    case Type::kInteger:
      return reader.Integer(node, path, {field.minimum, field.maximum});
    case Type::kDuration:
    case Type::kSeconds: {
      const auto value =
          reader.Duration(node, path, {milliseconds(field.minimum), milliseconds(field.maximum)});
      if (value.has_value() && field.type == Type::kSeconds && value->count() % 1000 != 0) {
        reader.Report(node, path, "expected whole seconds");
        return std::nullopt;
      }
      return value.has_value() ? std::optional<SettingValue>(int64_t{value->count()})
                               : std::nullopt;
    }
    case Type::kSize: {
      const auto value = reader.Size(
          node, path, {static_cast<uint64_t>(field.minimum), static_cast<uint64_t>(field.maximum)});
      return value.has_value() ? std::optional<SettingValue>(static_cast<int64_t>(*value))
                               : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

bool IsSetting(const Field& field) {
  return Setters().count(PathOf(field)) > 0;
}

std::optional<Setting> ReadSetting(const NodeReader& reader, const YamlNode& node,
                                   const Field& field) {
  auto value = ReadValue(reader, node, PathOf(field), field);
  return value.has_value() ? std::optional<Setting>({&field, std::move(*value), reader.Where(node)})
                           : std::nullopt;
}

void ApplySetting(const Setting& setting, PolicyDocument& policy) {
  Setters().at(PathOf(*setting.field))(setting, policy);
}

}  // namespace nacre::policy
