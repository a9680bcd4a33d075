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

// Of all withheld texts that a call was given.
Label WithheldLabel(const Request& call) {
  Label label = Label::Clean();
  for (const WithheldArgument& argument : call.withheld) {
    label = Join(label, argument.label);
  }
  return label;
}

class FactFinder {
 public:
  // `vouched`: everything that the model knows comes from who is vouched for.
  FactFinder(const Provenance& provenance, bool vouched, FlowFacts& facts)
      : provenance_(provenance), vouched_(vouched), facts_(facts) {}

  // `withheld`: a text that the model has not read is somewhere in it, so all of it is a stranger's.
  void Look(const std::string& argument, ArgumentRole role, const Json& value,
            bool withheld) const {
    std::vector<std::string> values;
    Values(value, 0, values);
    for (const std::string& text : values) {
      if (withheld) {
        AddStrangers(argument, role, text);
        continue;
      }
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
  void AddStrangers(const std::string& argument, ArgumentRole role, const std::string& text) const {
    if (role == ArgumentRole::kOption) {
      return;
    }
    Add(argument, role, text, Origin::kStranger);
    if (role == ArgumentRole::kTitle || role == ArgumentRole::kBody) {
      for (const std::string& place : PlacesIn(text)) {
        Add(argument, ArgumentRole::kLink, place, Origin::kStranger);
      }
    }
  }

  void Add(const std::string& argument, ArgumentRole role, const std::string& value,
           Origin origin) const {
    if (facts_.arguments.size() > kArgumentOriginsMax) {
      // More than a person could look at: the last entry stands for the rest, as a stranger's.
      facts_.arguments.back().origin = Origin::kStranger;
      facts_.arguments.back().role = role;
      return;
    }
    // Made from what was read: as good as that.
    if (origin == Origin::kDerived && vouched_) {
      origin = Origin::kTrusted;
    }
    facts_.arguments.push_back({argument, role, value.substr(0, kShownValueBytesMax), origin});
  }

  const Provenance& provenance_;
  const bool vouched_;
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

Label ContextTracker::OwnLabel(const ToolTraits& tool, const Request& call) const {
  Label label = Join(written_anywhere_, WithheldLabel(call));
  if (tool.memory) {
    label = Join(label, noted_);
  }
  for (const PathArgument& argument : call.paths) {
    for (const auto& [path, written] : written_) {
      if (IsUnder(path, argument.path) || IsUnder(argument.path, path)) {
        label = Join(label, written);
      }
    }
  }
  return label;
}

std::vector<ContextTracker::Part> ContextTracker::PartsOf(const ToolTraits& tool,
                                                          const Request& call,
                                                          std::string_view text) const {
  if (!rules_.present) {
    return {};
  }
  if (tool.result.echo) {
    // It says what it was given: nothing new, unless the model did not know what it gave.
    return call.withheld.empty()
               ? std::vector<Part>()
               : std::vector<Part>{{.text = std::string(text), .label = WithheldLabel(call)}};
  }
  SourceQuery query{.kind = SourceQuery::Kind::kResult,
                    .tool = call.tool,
                    .paths = {},
                    .hosts = HostsOf(tool, call),
                    .memory = tool.memory};
  for (const PathArgument& argument : call.paths) {
    query.paths.push_back(argument.path);
  }
  const Label own = OwnLabel(tool, call);
  const auto label = [&](std::optional<Integrity> declared) {
    return Join(SourceLabel(rules_, query, declared), own);
  };
  const Label whole = label(tool.result.integrity);
  const Label vouched = label(Integrity::kTrusted);
  std::optional<std::vector<ResultField>> fields;
  if (tool.result.format != ResultFormat::kText) {
    fields = ReadResultFields(tool.result.format, text);
  }
  if (!fields.has_value()) {
    return {{.text = std::string(text), .label = whole}};
  }
  std::vector<Part> parts;
  for (ResultField& field : *fields) {
    bool trusted = false;
    for (const std::string& key : field.keys) {
      // A key below a field that is vouched for is a part of it.
      if (trusted || tool.result.keys_trusted) {
        parts.push_back({.text = key, .label = vouched});
      } else if (tool.result.trusted.count(key) == 0) {
        parts.push_back({.text = key, .label = whole, .key = true});
      }
      trusted = trusted || tool.result.trusted.count(key) > 0;
    }
    parts.push_back({.text = std::move(field.text), .label = trusted ? vouched : whole});
  }
  return parts;
}

void ContextTracker::AddResult(const ToolTraits& tool, const Request& call, std::string_view text) {
  for (const Part& part : PartsOf(tool, call, text)) {
    if (part.key) {
      provenance_.Add(Provenance::Voice::kStranger, part.text);
    } else {
      Keep(part.text, part.label, Provenance::Voice::kTrusted);
    }
  }
}

Label ContextTracker::ResultLabel(const ToolTraits& tool, const Request& call,
                                  std::string_view text) const {
  Label label = Label::Clean();
  for (const Part& part : PartsOf(tool, call, text)) {
    if (!part.text.empty()) {
      label = Join(label, part.label);
    }
  }
  return label;
}

bool ContextTracker::Withholds(const Label& label) const {
  return rules_.quarantine.present && label.integrity == Integrity::kUntrusted;
}

void ContextTracker::AddExtracted(const Label& from, std::string_view value) {
  if (!rules_.present) {
    return;
  }
  Label label = from;
  label.integrity = Integrity::kTrusted;
  context_ = Join(context_, label);
  knows_extracted_ = true;
  if (!value.empty()) {
    provenance_.Add(Provenance::Voice::kStranger, value);
  }
}

void ContextTracker::AddRun(const ToolTraits& tool, const Request& call) {
  if (!rules_.present) {
    return;
  }
  const Label label = Join(context_, WithheldLabel(call));
  for (const PathArgument& argument : call.paths) {
    if (argument.access == PathAccess::kWrite) {
      const auto [entry, added] = written_.emplace(argument.path, label);
      entry->second = Join(entry->second, label);
    }
  }
  const auto has = [&](CallEffect effect) {
    return std::find(tool.effects.begin(), tool.effects.end(), effect) != tool.effects.end();
  };
  if (has(CallEffect::kExecute)) {
    written_anywhere_ = Join(written_anywhere_, label);
  }
  if (tool.memory && has(CallEffect::kWrite)) {
    noted_ = Join(noted_, label);
  }
}

FlowFacts ContextTracker::Facts(const ToolTraits& tool, const Request& call) const {
  // A text that was withheld goes where its handle does, so the call is judged as if it had been read.
  FlowFacts facts{
      .effects = tool.effects, .context = Join(context_, WithheldLabel(call)), .arguments = {}};
  if (!rules_.present) {
    return facts;
  }
  const FactFinder finder(provenance_,
                          context_.integrity == Integrity::kTrusted && !knows_extracted_, facts);
  for (const auto& [name, value] : call.arguments.items()) {
    const bool withheld =
        std::any_of(call.withheld.begin(), call.withheld.end(),
                    [&](const WithheldArgument& argument) { return argument.key == name; });
    finder.Look(name, tool.RoleOf(name), value, withheld);
  }
  return facts;
}

}  // namespace nacre::policy
