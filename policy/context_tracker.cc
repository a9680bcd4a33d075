#include "policy/context_tracker.h"

#include <algorithm>
#include <optional>

#include "policy/internal/host.h"
#include "policy/internal/sandbox_path.h"
#include "policy/result_fields.h"

namespace nacre::policy {
namespace {

constexpr size_t kArgumentOriginsMax = 256;
constexpr size_t kShownValueBytesMax = 120;
constexpr int kArgumentDepthMax = 16;

// The values of an argument as texts. Booleans and null say nothing that could come from somewhere.
void Values(const Json& value, int depth, std::vector<std::string>& values) {
  if (values.size() > kArgumentOriginsMax || depth > kArgumentDepthMax) {
    return;
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      Values(member, depth + 1, values);
    }
  } else if (value.is_array()) {
    for (const Json& item : value) {
      Values(item, depth + 1, values);
    }
  } else if (value.is_string()) {
    values.push_back(value.get<std::string>());
  } else if (value.is_number()) {
    values.push_back(DumpJson(value));
  }
}

std::vector<std::string> HostsOf(const ToolTraits& tool, const Request& call) {
  std::vector<std::string> hosts;
  for (const auto& [name, value] : call.arguments.items()) {
    if (tool.RoleOf(name) != ArgumentRole::kUrl) {
      continue;
    }
    std::vector<std::string> values;
    Values(value, 0, values);
    for (const std::string& text : values) {
      if (auto host = HostOf(text)) {
        hosts.push_back(std::move(*host));
      }
    }
  }
  return hosts;
}

class FactFinder {
 public:
  FactFinder(const Provenance& provenance, const Label& context, FlowFacts& facts)
      : provenance_(provenance), context_(context), facts_(facts) {}

  void Look(const std::string& argument, ArgumentRole role, const Json& value) {
    std::vector<std::string> values;
    Values(value, 0, values);
    for (const std::string& text : values) {
      switch (role) {
        case ArgumentRole::kOption:
          break;
        case ArgumentRole::kTitle:
        case ArgumentRole::kBody:
          Add(argument, role, text, provenance_.OriginOfText(text));
          for (const std::string& place : PlacesIn(text)) {
            Add(argument, ArgumentRole::kLink, place, provenance_.OriginOfPlace(place));
          }
          break;
        case ArgumentRole::kUrl:
          Add(argument, role, text, provenance_.OriginOfPlace(text));
          break;
        case ArgumentRole::kRecipient:
          Add(argument, role, text, provenance_.OriginOf(text, Provenance::Names::kByAnyone));
          break;
        case ArgumentRole::kAmount:
        case ArgumentRole::kObject:
        case ArgumentRole::kSetting:
        case ArgumentRole::kLink:
          Add(argument, role, text, provenance_.OriginOf(text, Provenance::Names::kByUserOnly));
          break;
      }
    }
    if (values.size() > kArgumentOriginsMax) {
      Add(argument, role, "(too many values)", Origin::kStranger);
    }
  }

 private:
  void Add(const std::string& argument, ArgumentRole role, const std::string& value,
           Origin origin) {
    if (facts_.arguments.size() > kArgumentOriginsMax) {
      // More than a person could look at: the last entry stands for the rest, as a stranger's.
      facts_.arguments.back().origin = Origin::kStranger;
      facts_.arguments.back().role = role;
      return;
    }
    // Made from what was read: as good as that.
    if (origin == Origin::kDerived && context_.integrity == Integrity::kTrusted) {
      origin = Origin::kTrusted;
    }
    facts_.arguments.push_back({argument, role, value.substr(0, kShownValueBytesMax), origin});
  }

  const Provenance& provenance_;
  const Label& context_;
  FlowFacts& facts_;
};

}  // namespace

void ContextTracker::Keep(std::string_view text, const Label& label, Provenance::Voice trusted_as) {
  if (text.empty()) {
    return;
  }
  context_ = Join(context_, label);
  provenance_.Add(
      label.integrity == Integrity::kTrusted ? trusted_as : Provenance::Voice::kStranger, text);
}

void ContextTracker::AddUser(std::string_view text) {
  if (rules_.present) {
    Keep(text, SourceLabel(rules_, {.kind = SourceQuery::Kind::kUser}, std::nullopt),
         Provenance::Voice::kUser);
  }
}

Label ContextTracker::WorkspaceLabel(const Request& call) const {
  Label label = written_anywhere_;
  for (const PathArgument& argument : call.paths) {
    for (const auto& [path, written] : written_) {
      if (IsUnder(path, argument.path) || IsUnder(argument.path, path)) {
        label = Join(label, written);
      }
    }
  }
  return label;
}

void ContextTracker::AddResult(const ToolTraits& tool, const Request& call, std::string_view text) {
  if (!rules_.present || tool.result.echo) {
    return;
  }
  SourceQuery query{.kind = SourceQuery::Kind::kResult,
                    .tool = call.tool,
                    .paths = {},
                    .hosts = HostsOf(tool, call),
                    .memory = tool.memory};
  for (const PathArgument& argument : call.paths) {
    query.paths.push_back(argument.path);
  }
  const Label written = WorkspaceLabel(call);
  const auto label = [&](std::optional<Integrity> declared) {
    return Join(SourceLabel(rules_, query, declared), written);
  };
  const Label whole = label(tool.result.integrity);
  const Label vouched = label(Integrity::kTrusted);
  std::optional<std::vector<ResultField>> fields;
  if (tool.result.format != ResultFormat::kText) {
    fields = ReadResultFields(tool.result.format, text);
  }
  if (!fields.has_value()) {
    Keep(text, whole, Provenance::Voice::kTrusted);
    return;
  }
  for (const ResultField& field : *fields) {
    bool trusted = false;
    for (const std::string& key : field.keys) {
      // A key below a field that is vouched for is a part of it.
      if (trusted || tool.result.keys_trusted) {
        Keep(key, vouched, Provenance::Voice::kTrusted);
      } else if (tool.result.trusted.count(key) == 0) {
        provenance_.Add(Provenance::Voice::kStranger, key);
      }
      trusted = trusted || tool.result.trusted.count(key) > 0;
    }
    Keep(field.text, trusted ? vouched : whole, Provenance::Voice::kTrusted);
  }
}

void ContextTracker::AddRun(const ToolTraits& tool, const Request& call) {
  if (!rules_.present) {
    return;
  }
  for (const PathArgument& argument : call.paths) {
    if (argument.access == PathAccess::kWrite) {
      const auto [entry, added] = written_.emplace(argument.path, context_);
      entry->second = Join(entry->second, context_);
    }
  }
  if (std::find(tool.effects.begin(), tool.effects.end(), CallEffect::kExecute) !=
      tool.effects.end()) {
    written_anywhere_ = Join(written_anywhere_, context_);
  }
}

FlowFacts ContextTracker::Facts(const ToolTraits& tool, const Request& call) const {
  FlowFacts facts{.effects = tool.effects, .context = context_, .arguments = {}};
  if (!rules_.present) {
    return facts;
  }
  FactFinder finder(provenance_, context_, facts);
  for (const auto& [name, value] : call.arguments.items()) {
    finder.Look(name, tool.RoleOf(name), value);
  }
  return facts;
}

}  // namespace nacre::policy
