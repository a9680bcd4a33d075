#include "runtime/agent/stored_labels.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/digest.h"
#include "policy/given_context.h"
#include "runtime/agent/followed_path.h"
#include "runtime/audit/record_format.h"
#include "sandbox/spec_check.h"

namespace nacre::agent {
namespace {

constexpr const char* kReadLabels = "read_labels";
// Of a transaction's note, which is read as a whole when its call is finished after a crash.
constexpr size_t kNotedLabelsBytesMax = 256U << 10;

bool RunsPrograms(const policy::ToolTraits& tool) {
  return std::find(tool.effects.begin(), tool.effects.end(), policy::CallEffect::kExecute) !=
         tool.effects.end();
}

std::string Below(const std::string& folder, const std::string& relative) {
  return (folder == "/" ? "" : folder) + '/' + relative;
}

// Of each text in the arguments, as it stands and as tools end a file.
void AddDigests(const Json& value, std::set<std::string>& digests) {
  if (value.is_structured()) {
    for (const Json& inner : value) {
      AddDigests(inner, digests);
    }
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    digests.insert(Sha256Text(text));
    digests.insert(Sha256Text(text + '\n'));
  }
}

// What a sandbox shows of the host's own programs and settings: no workspace is seen through these.
bool IsSystemPath(const std::string& path) {
  static constexpr std::array<const char*, 8> kFolders = {"/bin",   "/etc",    "/lib",  "/lib32",
                                                          "/lib64", "/libx32", "/sbin", "/usr"};
  return std::any_of(kFolders.begin(), kFolders.end(),
                     [&](const char* folder) { return sandbox::IsBelow(path, folder); });
}

// Only its time or mode is another: the label is of what is in it.
bool KeepsContent(const sandbox::Change& change) {
  return change.after.type == change.before.type && change.after.digest == change.before.digest &&
         change.after.target == change.before.target;
}

// The one path that a call of the tool writes, where it can write no other: empty otherwise.
std::string OnlyWritten(const policy::ToolTraits& tool, const policy::Request& request) {
  std::string only;
  for (const policy::PathArgument& argument : request.paths) {
    if (argument.access == policy::PathAccess::kWrite) {
      if (!only.empty()) {
        return {};
      }
      only = argument.path;
    }
  }
  return RunsPrograms(tool) ? std::string() : only;
}

// Of a list of a label's texts. What is damaged becomes a text that is none of a label's, which stands for the worst.
std::vector<std::string> TextsOf(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& each : list.is_array() ? list : Json::array({list})) {
    texts.push_back(each.is_string() ? each.get<std::string>() : "");
  }
  return texts;
}

policy::Label Joined(const policy::Label& label, const std::vector<std::string>& texts) {
  return policy::Join(label, policy::LabelOfTexts(texts));
}

}  // namespace

std::vector<LabelledPath> LabelsOfDiff(const std::string& folder, const WrittenFiles& written) {
  std::set<std::string> said;
  AddDigests(written.request.arguments, said);
  const std::vector<std::string> read = policy::LabelTexts(written.read);
  const std::vector<std::string> given = policy::LabelTexts(written.given);
  const std::string written_anew = OnlyWritten(written.tool, written.request);
  std::vector<LabelledPath> labelled;
  for (const sandbox::Change& change : written.diff.changes) {
    const sandbox::EntryState& after = change.after;
    const bool file = after.type == sandbox::EntryType::kFile;
    if (KeepsContent(change)) {
      continue;
    }
    LabelledPath path{.label = {.path = Below(folder, change.path),
                                // Another link, and names below it, lead elsewhere.
                                .below = after.type == sandbox::EntryType::kSymlink,
                                .digest = file ? after.digest : "",
                                .call = written.call,
                                .changed_ms = written.now_ms}};
    // A program could say something by which of its arguments it writes to which file.
    path.anew = change.deleted() || (file && said.count(after.digest) > 0 &&
                                     written_anew == Below(kWorkspaceTarget, change.path));
    if (!change.deleted()) {
      path.label.labels = path.anew ? given : read;
    }
    labelled.push_back(std::move(path));
  }
  return labelled;
}

std::vector<std::string> StoredLabels::HostPaths(const std::string& path) const {
  const std::string target = kWorkspaceTarget;
  if (!sandbox::IsBelow(path, target)) {
    return IsSystemPath(path) ? std::vector<std::string>() : std::vector<std::string>{workspace_};
  }
  const std::optional<std::string> led = FollowedPath(workspace_, path);
  std::vector<std::string> paths;
  for (const std::string& name : {path, led.value_or(target)}) {
    if (name == target || !sandbox::IsBelow(name, target)) {
      return {workspace_};
    }
    paths.push_back(Below(workspace_, name.substr(target.size() + 1)));
  }
  return paths;
}

Status StoredLabels::Look(const policy::ToolTraits& tool, policy::Request& request) const {
  for (policy::PathArgument& argument : request.paths) {
    const std::vector<std::string> paths = HostPaths(argument.path);
    if (!paths.empty()) {
      argument.label = Joined(argument.label, NACRE_TRY(store_.LabelsOf(paths)));
    }
  }
  if (RunsPrograms(tool)) {
    request.unnamed = Joined(request.unnamed, NACRE_TRY(store_.LabelsOf({workspace_})));
  }
  return Ok();
}

Status StoredLabels::BeforeDirect(const policy::ToolTraits& tool, const policy::Request& request,
                                  const policy::Label& written, const std::string& call,
                                  int64_t now_ms) const {
  std::vector<std::string> paths;
  if (RunsPrograms(tool)) {
    paths.push_back(workspace_);
  }
  for (const policy::PathArgument& argument : request.paths) {
    if (argument.access == policy::PathAccess::kWrite) {
      const std::vector<std::string> named = HostPaths(argument.path);
      paths.insert(paths.end(), named.begin(), named.end());
    }
  }
  std::vector<memory::FileLabel> entries;
  for (const std::string& path : paths) {
    entries.push_back({.path = path,
                       .labels = policy::LabelTexts(written),
                       .below = true,
                       .call = call,
                       .changed_ms = now_ms});
  }
  if (entries.empty() || written == policy::Label::Clean()) {
    return Ok();
  }
  NACRE_TRY(store_.Join(workspace_, entries));
  return Ok();
}

Result<LabelChange> StoredLabels::BeforeCommit(const WrittenFiles& written) const {
  const std::vector<LabelledPath> labelled = LabelsOfDiff(workspace_, written);
  std::vector<memory::FileLabel> joined;
  LabelChange change{.call = written.call};
  for (const LabelledPath& path : labelled) {
    joined.push_back(path.label);
    if (path.anew) {
      change.after.push_back(path.label);
    }
  }
  change.before = NACRE_TRY(store_.Join(workspace_, joined));
  return change;
}

Status StoredLabels::AfterCommit(const LabelChange& change) const {
  return change.after.empty() ? Ok() : store_.Settle(change.call, change.after);
}

Json StoredLabelsRecord(const policy::Request& request) {
  std::map<std::string, policy::Label> labels = {{"", request.unnamed}};
  for (const policy::PathArgument& argument : request.paths) {
    const auto [entry, added] = labels.emplace(argument.key, argument.label);
    entry->second = policy::Join(entry->second, argument.label);
  }
  Json record;
  for (const auto& [key, label] : labels) {
    if (label != policy::Label::Clean()) {
      record[audit::RecordKey(key)] = policy::LabelTexts(label);
    }
  }
  return record;
}

void RecallStoredLabels(const Json& outcome, policy::Request& request) {
  const Json* labels = FindMember(outcome, kReadLabels);
  if (labels == nullptr || !labels->is_object()) {
    return;
  }
  for (const auto& [key, texts] : labels->items()) {
    bool named = false;
    for (policy::PathArgument& argument : request.paths) {
      if (audit::RecordKey(argument.key) == key && !key.empty()) {
        argument.label = Joined(argument.label, TextsOf(texts));
        named = true;
      }
    }
    if (!named) {  // the tool is gone, or takes other arguments now
      request.unnamed = Joined(request.unnamed, TextsOf(texts));
    }
  }
}

Json LabelsToNote(const std::string& folder, const std::vector<memory::FileLabel>& before) {
  Json note = Json::array();
  for (const memory::FileLabel& each : before) {
    note.push_back({{"path", sandbox::EncodePath(each.path.substr(Below(folder, "").size()))},
                    {"labels", each.labels},
                    {"below", each.below},
                    {"digest", each.digest}});
  }
  if (DumpJson(note).size() <= kNotedLabelsBytesMax) {
    return note;
  }
  std::vector<std::string> all;
  bool below = false;
  for (const memory::FileLabel& each : before) {
    all = memory::UnionOfWords(std::move(all), each.labels);
    below = below || each.below;
  }
  return {{"all", all}, {"below", below}};
}

std::vector<std::string> LabelledPaths(const sandbox::JournalHeader& header) {
  std::vector<std::string> paths;
  for (const sandbox::JournalChange& each : header.changes) {
    if (!KeepsContent(each.change)) {
      paths.push_back(each.change.path);
    }
  }
  return paths;
}

Result<LabelChange> BeforeUndo(memory::FileLabels& store, const std::string& folder,
                               const Json& note, const std::vector<std::string>& paths,
                               const std::string& call, int64_t now_ms) {
  LabelChange change{.call = call};
  const Json* listed = FindMember(note, "labels");
  if (listed == nullptr) {  // nobody knows what they had before: they keep what they have
    return change;
  }
  std::map<std::string, memory::FileLabel> before;
  for (const std::string& path : paths) {
    before[path] = {.path = Below(folder, path), .call = call, .changed_ms = now_ms};
  }
  if (const Json* all = FindMember(*listed, "all")) {
    for (auto& [path, label] : before) {
      label.labels = TextsOf(*all);
      label.below = BoolMember(*listed, "below");
    }
  }
  for (const Json& each : listed->is_array() ? *listed : Json::array()) {
    const std::string path = NACRE_TRY(sandbox::DecodePath(StringMember(each, "path")));
    const auto entry = before.find(path);
    const Json* labels = FindMember(each, "labels");
    if (entry != before.end() && labels != nullptr) {
      entry->second.labels = TextsOf(*labels);
      entry->second.below = BoolMember(each, "below");
      entry->second.digest = StringMember(each, "digest");
    }
  }
  for (auto& [path, label] : before) {
    change.after.push_back(std::move(label));
  }
  NACRE_TRY(store.Join(folder, change.after));
  return change;
}

Status BeforeRecovery(memory::FileLabels& store, const sandbox::JournalHeader& header) {
  const Json note = NACRE_TRY(ParseJson(header.note.empty() ? "{}" : header.note));
  if (header.kind == sandbox::JournalKind::kUndo) {
    NACRE_TRY(BeforeUndo(store, header.workspace, note, LabelledPaths(header), header.id,
                         header.created_ms));
    return Ok();
  }
  const Json* written = FindMember(note, "written");
  std::vector<memory::FileLabel> joined;
  for (const sandbox::JournalChange& each : header.changes) {
    const sandbox::EntryState& after = each.change.after;
    if (written != nullptr && !each.change.deleted() && !KeepsContent(each.change)) {
      joined.push_back({.path = Below(header.workspace, each.change.path),
                        .labels = TextsOf(*written),
                        .below = after.type == sandbox::EntryType::kSymlink,
                        .digest = after.type == sandbox::EntryType::kFile ? after.digest : "",
                        .call = header.id,
                        .changed_ms = header.created_ms});
    }
  }
  NACRE_TRY(store.Join(header.workspace, joined));
  return Ok();
}

}  // namespace nacre::agent
