#include "policy/internal/document.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/units.h"
#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

const char* ContentName(AuditContent content) {
  switch (content) {
    case AuditContent::kFull:
      return "full";
    case AuditContent::kRedacted:
      return "redacted";
    case AuditContent::kDigest:
      break;
  }
  return "digest";
}

OrderedJson MatcherValue(const ArgumentMatcher& matcher) {
  using Kind = ArgumentMatcher::Kind;
  switch (matcher.kind) {
    case Kind::kEquals:
      return matcher.values.at(0);
    case Kind::kOneOf:
    case Kind::kHostIn:
      return matcher.values;
    case Kind::kMatches:
    case Kind::kGlob:
    case Kind::kUnder:
      return matcher.text;
    case Kind::kMaxLength:
    case Kind::kMaxItems:
      return matcher.maximum;
    case Kind::kRange:
      return OrderedJson::array({matcher.minimum, matcher.maximum});
  }
  return nullptr;
}

void AddApprovers(Verdict verdict, const Approvers& approvers, OrderedJson& document) {
  if (OrderedJson added = ApproversDocument(verdict, approvers); !added.empty()) {
    document["approvers"] = std::move(added);
  }
}

OrderedJson RuleDocument(const ToolRule& rule) {
  OrderedJson document = {{"id", rule.id}, {"reason", rule.reason}, {"tool", rule.tools}};
  for (const ArgumentMatcher& matcher : rule.arguments) {
    OrderedJson& argument = document["args"][matcher.path];
    OrderedJson& place = matcher.negated ? argument["not"] : argument;
    place[MatcherName(matcher.kind)] = MatcherValue(matcher);
  }
  document["decision"] = VerdictName(rule.verdict);
  AddApprovers(rule.verdict, rule.approvers, document);
  return document;
}

void AddOutside(OrderedJson& document, const std::optional<uint64_t>& bytes_out,
                const std::optional<uint64_t>& joules) {
  if (bytes_out.has_value()) {
    document["bytes_out"] = FormatSize(*bytes_out);
  }
  if (joules.has_value()) {
    document["joules"] = *joules;
  }
}

OrderedJson BudgetDocument(const SharedBudget& budget) {
  OrderedJson document = OrderedJson::object();
  const auto add = [&](const char* key, const std::optional<uint64_t>& value) {
    if (value.has_value()) {
      document[key] = *value;
    }
  };
  add("steps", budget.steps);
  add("tool_calls", budget.tool_calls);
  add("tokens", budget.tokens);
  if (budget.wall.has_value()) {
    document["wall"] = FormatDuration(*budget.wall);
  }
  AddOutside(document, budget.bytes_out, budget.joules);
  return document;
}

OrderedJson RateDocument(const CallRate& rate) {
  OrderedJson document = {{"id", rate.id}, {"reason", rate.reason}, {"tool", rate.tools}};
  if (rate.calls.has_value()) {
    document["calls"] = *rate.calls;
  }
  if (rate.wall.has_value()) {
    document["wall"] = FormatDuration(*rate.wall);
  }
  if (rate.bytes_out.has_value()) {
    document["bytes_out"] = FormatSize(*rate.bytes_out);
  }
  document["per"] = PerName(rate.per);
  return document;
}

// The names of a list of enums.
template <typename Enum>
OrderedJson Names(const std::vector<Enum>& values, const char* (*name)(Enum)) {
  OrderedJson names = OrderedJson::array();
  for (const Enum value : values) {
    names.push_back(name(value));
  }
  return names;
}

OrderedJson SourceDocument(const DataSource& source) {
  OrderedJson document = OrderedJson::object();
  if (!source.tools.empty()) {
    document["tool"] = source.tools;
  }
  if (!source.path.empty()) {
    document["path"] = source.path;
  }
  if (!source.host.empty()) {
    document["host"] = source.host;
  }
  if (source.memory) {
    document["memory"] = true;
  }
  if (source.user) {
    document["user"] = true;
  }
  if (source.integrity.has_value()) {
    document["integrity"] = IntegrityName(*source.integrity);
  }
  if (source.confidentiality != Confidentiality::kPublic) {
    document["confidentiality"] = ConfidentialityName(source.confidentiality);
  }
  if (!source.categories.empty()) {
    document["categories"] = source.categories;
  }
  return document;
}

OrderedJson FlowDocument(const FlowRule& rule) {
  OrderedJson when = OrderedJson::object();
  if (rule.when_untrusted) {
    when["integrity"] = IntegrityName(Integrity::kUntrusted);
  }
  if (rule.at_least.has_value()) {
    when["confidentiality"] = {{"at_least", ConfidentialityName(*rule.at_least)}};
  }
  if (!rule.categories.empty()) {
    when["categories"] = rule.categories;
  }
  if (!rule.roles.empty()) {
    when["argument"] = {{"roles", Names(rule.roles, ArgumentRoleName)},
                        {"origin", Names(rule.origins, OriginName)}};
  }
  OrderedJson to = OrderedJson::object();
  if (!rule.effects.empty()) {
    to["effects"] = Names(rule.effects, CallEffectName);
  }
  if (!rule.tools.empty()) {
    to["tools"] = rule.tools;
  }
  OrderedJson document = {{"id", rule.id},
                          {"reason", rule.reason},
                          {"when", std::move(when)},
                          {"to", std::move(to)},
                          {"decision", VerdictName(rule.verdict)}};
  AddApprovers(rule.verdict, rule.approvers, document);
  return document;
}

OrderedJson DataDocument(const DataRules& data) {
  OrderedJson document = {{"unlisted", IntegrityName(data.unlisted)},
                          {"sources", OrderedJson::array()},
                          {"flows", OrderedJson::array()}};
  for (const DataSource& source : data.sources) {
    document["sources"].push_back(SourceDocument(source));
  }
  for (const FlowRule& rule : data.flows) {
    document["flows"].push_back(FlowDocument(rule));
  }
  if (data.quarantine.present) {
    document["quarantine"] = {{"integrity", IntegrityName(Integrity::kUntrusted)},
                              {"extract", data.quarantine.extract}};
  }
  return document;
}

// A plain scalar that every YAML reader takes for this very string.
bool IsPlain(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto inner = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  };
  static const std::vector<std::string> kWords = {"true", "false", "null", "yes", "no",
                                                  "on",   "off",   "y",    "n"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return !text.empty() && (letter(text[0]) || text[0] == '/') &&
         std::all_of(text.begin(), text.end(), inner) &&
         std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

// "30s" and "512MiB" read better without quotes, and are read as text either way.
bool IsQuantity(const std::string& text) {
  return ParseDuration(text).has_value() || ParseSize(text).has_value();
}

std::string Scalar(const OrderedJson& value) {
  if (!value.is_string()) {
    return DumpJson(value);
  }
  const auto& text = value.get_ref<const std::string&>();
  return IsPlain(text) || IsQuantity(text) ? text : DumpJson(value);
}

bool IsFlow(const OrderedJson& value) {
  return !value.is_structured() || value.empty() ||
         (value.is_array() && std::none_of(value.begin(), value.end(), [](const OrderedJson& item) {
            return item.is_structured();
          }));
}

std::string Flow(const OrderedJson& value) {
  if (value.is_object()) {
    return "{}";  // only an empty one is written so
  }
  if (!value.is_array()) {
    return Scalar(value);
  }
  std::string text;
  for (const OrderedJson& item : value) {
    text += (text.empty() ? "" : ", ") + Scalar(item);
  }
  return "[" + text + "]";
}

// Appends the lines of a map or of a list of maps; the first line of a list's element goes behind
// its dash.
void AppendBlock(const OrderedJson& value, const std::string& indent, std::string& text) {
  if (value.is_array()) {
    for (const OrderedJson& item : value) {
      std::string lines;
      AppendBlock(item, indent + "  ", lines);
      text += indent + "- " + lines.substr(indent.size() + 2);
    }
    return;
  }
  for (const auto& [key, member] : value.items()) {
    text += indent + Scalar(key) + ":";
    if (IsFlow(member)) {
      text += " " + Flow(member) + "\n";
    } else {
      text += "\n";
      AppendBlock(member, indent + "  ", text);
    }
  }
}

}  // namespace

OrderedJson ApproversDocument(Verdict verdict, const Approvers& approvers) {
  OrderedJson document = OrderedJson::object();
  if (verdict != Verdict::kAsk || approvers == Approvers()) {
    return document;
  }
  if (!approvers.users.empty()) {
    document["users"] = approvers.users;
  }
  if (!approvers.role.empty()) {
    document["role"] = approvers.role;
  }
  if (approvers.count != 1) {
    document["count"] = approvers.count;
  }
  document["expires"] = FormatDuration(approvers.expires);
  return document;
}

OrderedJson SettingsDocument(const PolicyDocument& policy) {
  const Grant& grant = policy.grant;
  const SandboxLimits& limits = grant.limits;
  OrderedJson document = {
      {"nacre", "policy/1"},
      {"name", policy.name},
      {"workspace",
       {{"mode", WorkspaceModeName(grant.workspace)},
        {"hide", grant.hide},
        {"protect", grant.protect},
        {"commit",
         {{"changes", grant.commit.changes},
          {"bytes", FormatSize(grant.commit.bytes)},
          {"executables", grant.commit.executables == CommitExecutables::kAllow ? "allow" : "deny"},
          {"links", grant.commit.links == CommitLinks::kAllow    ? "allow"
                    : grant.commit.links == CommitLinks::kInside ? "inside"
                                                                 : "deny"}}}}},
      {"sandbox",
       {{"profile", grant.profile},
        {"isolation", IsolationName(grant.isolation)},
        {"share_network", grant.share_network},
        {"limits",
         {{"wall", FormatDuration(limits.wall)},
          {"cpu", FormatDuration(limits.cpu)},
          {"memory", FormatSize(limits.memory_bytes)},
          {"tasks", limits.tasks},
          {"files", limits.files},
          {"output", FormatSize(limits.output_bytes)},
          {"disk", FormatSize(limits.disk_bytes)},
          {"inodes", limits.inodes}}},
        {"require",
         {{"landlock", grant.require_landlock_abi},
          {"cgroup", grant.require_cgroup},
          {"id_maps", grant.require_id_maps},
          {"kvm", grant.require_kvm}}}}},
      {"tools", OrderedJson::array()},
      {"budgets",
       {{"turn",
         {{"steps", policy.budgets.steps},
          {"tool_calls", policy.budgets.tool_calls},
          {"tokens", policy.budgets.tokens},
          {"wall", FormatDuration(policy.budgets.wall)}}}}},
      {"audit",
       {{"on_failure", policy.audit_on_failure == AuditFailure::kStop ? "stop" : "refuse"},
        {"content", ContentName(policy.audit_content)}}}};
  if (const AuditRetention& retention = policy.audit_retention; retention != AuditRetention()) {
    OrderedJson& kept = document["audit"]["retention"];
    if (retention.age.count() > 0) {
      kept["age"] = FormatDuration(retention.age);
    }
    if (retention.bytes > 0) {
      kept["bytes"] = FormatSize(retention.bytes);
    }
    if (!retention.exported.empty()) {
      kept["exported"] = retention.exported;
    }
  }
  AddOutside(document["budgets"]["turn"], policy.budgets.bytes_out, policy.budgets.joules);
  if (!policy.budgets.session.empty()) {
    document["budgets"]["session"] = BudgetDocument(policy.budgets.session);
  }
  if (!policy.budgets.tenant_per_day.empty()) {
    document["budgets"]["tenant_per_day"] = BudgetDocument(policy.budgets.tenant_per_day);
  }
  for (const CallRate& rate : policy.budgets.rates) {
    document["budgets"]["rates"].push_back(RateDocument(rate));
  }
  if (policy.data.present) {
    document["data"] = DataDocument(policy.data);
  }
  return document;
}

OrderedJson ToDocument(const PolicyDocument& policy) {
  OrderedJson document = SettingsDocument(policy);
  for (const ToolRule& rule : policy.tools) {
    document["tools"].push_back(RuleDocument(rule));
  }
  for (const ToolRule& rule : policy.narrow) {
    document["narrow"].push_back(RuleDocument(rule));
  }
  return document;
}

std::string DocumentYaml(const OrderedJson& document) {
  std::string text;
  AppendBlock(document, "", text);
  return text;
}

}  // namespace nacre::policy
