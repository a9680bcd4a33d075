#include "policy/context_tracker.h"

#include <algorithm>
#include <optional>

#include "policy/internal/call_origins.h"
#include "policy/internal/host.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/result_fields.h"

namespace nacre::policy {
namespace {

// What a tool says of a field, on the way down to it. Below a key that a stranger's text may stand under
// nothing becomes trusted any more: what looks like a vouched key there is the stranger's.
class FieldTrust {
 public:
  explicit FieldTrust(const ResultTraits& said) : said_(said) {}

  bool trusted() const { return trusted_; }
  // Keys here are written by the tool, or are a part of what it vouches for.
  bool OwnsKeys() const { return trusted_ || (said_.keys_trusted && !strange_); }
  bool Names(const std::string& key) const {
    return !strange_ && (said_.trusted.count(key) > 0 || said_.untrusted.count(key) > 0);
  }
  void GoBelow(const std::string& key) {
    strange_ = strange_ || (!trusted_ && said_.untrusted.count(key) > 0);
    trusted_ = trusted_ || (!strange_ && said_.trusted.count(key) > 0);
  }

 private:
  const ResultTraits& said_;
  bool trusted_ = false;
  bool strange_ = false;
};

std::vector<std::string> HostsOf(const ToolTraits& tool, const Request& call) {
  std::vector<std::string> hosts;
  for (const auto& [name, value] : call.arguments.items()) {
    if (tool.RoleOf(name) != ArgumentRole::kUrl) {
      continue;
    }
    for (const std::string& text : ValuesOf(value)) {
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

// Of all that it may read, by what earlier sessions left known. What it only writes is not meant.
Label StoredLabel(const Request& call) {
  Label label = call.unnamed;
  for (const PathArgument& argument : call.paths) {
    if (argument.access == PathAccess::kRead) {
      label = Join(label, argument.label);
    }
  }
  return label;
}

// By its own name, and by where links lead it: where nobody knows, that is all of the workspace.
std::vector<std::string> PathsOf(const PathArgument& argument) {
  std::vector<std::string> paths = {argument.path};
  if (!argument.followed.empty()) {
    paths.push_back(argument.followed == kNowhereKnown ? std::string(kWorkspaceRoot)
                                                       : argument.followed);
  }
  return paths;
}

bool Has(const ToolTraits& tool, CallEffect effect) {
  return std::find(tool.effects.begin(), tool.effects.end(), effect) != tool.effects.end();
}

bool OnlyReads(const ToolTraits& tool) {
  return std::all_of(tool.effects.begin(), tool.effects.end(),
                     [](CallEffect effect) { return effect == CallEffect::kRead; });
}

// What it reads of a file that it writes goes nowhere else.
bool KeepsInside(const ToolTraits& tool) {
  return std::all_of(tool.effects.begin(), tool.effects.end(), [](CallEffect effect) {
    return effect == CallEffect::kRead || effect == CallEffect::kWrite ||
           effect == CallEffect::kDelete;
  });
}

// Of whatever a call may have read where nobody knows any more which paths and hosts it named: as delicate
// as all that its tool could have reached.
Label LabelOfAnywhere(const DataRules& rules, const std::string& tool) {
  Label label = Label::Clean();
  for (const DataSource& source : rules.sources) {
    const bool fits = source.tools.empty() ||
                      std::any_of(source.tools.begin(), source.tools.end(),
                                  [&](const std::string& name) { return ToolCovers(name, tool); });
    if (fits && (!source.path.empty() || !source.host.empty())) {
      label.confidentiality = std::max(label.confidentiality, source.confidentiality);
      label.categories.insert(source.categories.begin(), source.categories.end());
    }
  }
  return label;
}

std::vector<Origin> OriginsIn(const Provenance& provenance, ArgumentRole role,
                              const std::string& value) {
  switch (role) {
    case ArgumentRole::kTitle:
    case ArgumentRole::kBody:
      return {provenance.OriginOfText(value)};
    case ArgumentRole::kUrl:
    case ArgumentRole::kLink:
      return provenance.OriginsOfPlace(value);
    case ArgumentRole::kRecipient:
      return {provenance.OriginOf(value, Provenance::Names::kByAnyone)};
    case ArgumentRole::kOption:  // has none
    case ArgumentRole::kAmount:
    case ArgumentRole::kObject:
    case ArgumentRole::kSetting:
      return {provenance.OriginOf(value, Provenance::Names::kByUserOnly)};
  }
  return {Origin::kStranger};
}

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
    Keep(text, UserLabel(), Provenance::Voice::kUser);
  }
}

Label ContextTracker::UserLabel() const {
  return rules_.present ? SourceLabel(rules_, {.kind = SourceQuery::Kind::kUser}, std::nullopt)
                        : Label::Clean();
}

Label ContextTracker::OwnLabel(const ToolTraits& tool, const Request& call) const {
  Label label = Join(Join(written_anywhere_, call.unnamed), WithheldLabel(call));
  if (tool.memory) {
    label = Join(label, noted_);
  }
  if (tool.anywhere) {
    label = Join(label, LabelOfAnywhere(rules_, call.tool));
  }
  for (const PathArgument& argument : call.paths) {
    label = Join(label, argument.label);  // a tool that writes a file may answer what it was
    for (const std::string& read : PathsOf(argument)) {
      for (const auto& [path, written] : written_) {
        if (IsUnder(path, read) || IsUnder(read, path)) {
          label = Join(label, written);
        }
      }
    }
  }
  return label;
}

Label ContextTracker::PartLabel(const ToolTraits& tool, const Request& call,
                                std::optional<Integrity> declared) const {
  SourceQuery query{.kind = SourceQuery::Kind::kResult,
                    .tool = call.tool,
                    .paths = {},
                    .hosts = HostsOf(tool, call),
                    .memory = tool.memory};
  for (const PathArgument& argument : call.paths) {
    const std::vector<std::string> paths = PathsOf(argument);
    query.paths.insert(query.paths.end(), paths.begin(), paths.end());
  }
  if (Has(tool, CallEffect::kExecute)) {
    query.paths.emplace_back(kWorkspaceRoot);  // a program may read any file
  }
  return Join(SourceLabel(rules_, query, declared), OwnLabel(tool, call));
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
  const Label whole = PartLabel(tool, call, tool.result.integrity);
  const Label vouched = PartLabel(tool, call, Integrity::kTrusted);
  std::optional<std::vector<ResultField>> fields;
  if (tool.result.format != ResultFormat::kText) {
    fields = ReadResultFields(tool.result.format, text);
  }
  if (!fields.has_value()) {
    return {{.text = std::string(text), .label = whole}};
  }
  std::vector<Part> parts;
  for (ResultField& field : *fields) {
    FieldTrust trust(tool.result);
    for (const std::string& key : field.keys) {
      // A key below a field that is vouched for is a part of it.
      if (trust.OwnsKeys()) {
        parts.push_back({.text = key, .label = vouched});
      } else if (!trust.Names(key)) {
        parts.push_back({.text = key, .label = whole, .key = true});
      }
      trust.GoBelow(key);
    }
    parts.push_back({.text = std::move(field.text), .label = trust.trusted() ? vouched : whole});
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

std::vector<ContextTracker::Field> ContextTracker::Fields(const ToolTraits& tool,
                                                          const Request& call,
                                                          std::string_view text) const {
  const ResultTraits& said = tool.result;
  if (!rules_.present || said.echo || said.format == ResultFormat::kText) {
    return {};
  }
  const std::optional<std::vector<ResultField>> read = ReadResultFields(said.format, text);
  const Label whole = PartLabel(tool, call, said.integrity);
  const Label vouched = PartLabel(tool, call, Integrity::kTrusted);
  if (!read.has_value() || Withholds(vouched) || !Withholds(whole)) {
    return {};
  }
  std::vector<Field> fields;
  size_t shown = 0;
  for (const ResultField& field : *read) {
    FieldTrust trust(said);
    std::string name;
    for (const std::string& key : field.keys) {
      name += (name.empty() ? "" : ".") + (trust.OwnsKeys() || trust.Names(key) ? key : "?");
      trust.GoBelow(key);
    }
    shown += trust.trusted() ? 1 : 0;
    fields.push_back(
        {std::move(name), field.text, trust.trusted() ? vouched : whole, !trust.trusted()});
  }
  return shown == 0 ? std::vector<Field>() : fields;
}

void ContextTracker::AddField(const ToolTraits& tool, const Request& call, std::string_view text,
                              const Label& label) {
  if (rules_.present) {
    Keep(text, Join(label, PartLabel(tool, call, Integrity::kTrusted)),
         Provenance::Voice::kTrusted);
  }
}

void ContextTracker::AddEndorsed(const Label& label, std::string_view text) {
  if (rules_.present) {
    Label believed = label;
    believed.integrity = Integrity::kTrusted;
    Keep(text, believed, Provenance::Voice::kTrusted);
  }
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

Label ContextTracker::WrittenLabel(const Request& call, From from) const {
  const Label given = Join(context_, WithheldLabel(call));
  if (from == From::kGiven) {
    return given;
  }
  Label label = Join(given, call.unnamed);
  for (const PathArgument& argument : call.paths) {
    label = Join(label, argument.label);
  }
  return label;
}

Label ContextTracker::KnownLabel(const Request& call) const {
  return Join(WrittenLabel(call, From::kGiven), StoredLabel(call));
}

void ContextTracker::AddRun(const ToolTraits& tool, const Request& call) {
  if (!rules_.present) {
    return;
  }
  // What stood in a file that it writes is known by the store, which also knows whether it was written anew.
  const Label label = KnownLabel(call);
  for (const PathArgument& argument : call.paths) {
    if (argument.access == PathAccess::kWrite) {
      for (const std::string& path : PathsOf(argument)) {
        const auto [entry, added] = written_.emplace(path, label);
        entry->second = Join(entry->second, label);
      }
    }
  }
  if (Has(tool, CallEffect::kExecute)) {
    written_anywhere_ = Join(written_anywhere_, label);
  }
  if (tool.memory && Has(tool, CallEffect::kWrite)) {
    noted_ = Join(noted_, label);
  }
}

FlowFacts ContextTracker::Facts(const ToolTraits& tool, const Request& call) const {
  // A text that was withheld goes where its handle does, so the call is judged as if it had been read.
  // So does a file that a call with an effect reads: what is sent, or run, need not have been read before.
  FlowFacts facts{.effects = tool.effects,
                  .context = OnlyReads(tool)     ? WrittenLabel(call, From::kGiven)
                             : KeepsInside(tool) ? KnownLabel(call)
                                                 : WrittenLabel(call, From::kRead),
                  .arguments = {}};
  if (!rules_.present) {
    return facts;
  }
  CallOrigins origins(context_.integrity == Integrity::kTrusted && !knows_extracted_, facts);
  for (const auto& [name, value] : call.arguments.items()) {
    // A text that the model has not read is somewhere in it, so all of it is a stranger's.
    const bool withheld = std::any_of(
        call.withheld.begin(), call.withheld.end(), [&](const WithheldArgument& argument) {
          return argument.key == name &&
                 argument.label.integrity == Integrity::kUntrusted;  // not endorsed
        });
    origins.Look(name, tool.RoleOf(name), value, [&](ArgumentRole role, const std::string& text) {
      return withheld ? std::vector<Origin>{Origin::kStranger} : OriginsIn(provenance_, role, text);
    });
  }
  origins.Finish(tool);
  return facts;
}

}  // namespace nacre::policy
