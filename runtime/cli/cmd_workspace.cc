// nacre workspace labels: what sessions left known of a workspace's files, and a person's word that it does not matter.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "memory/file_labels.h"
#include "policy/given_context.h"
#include "runtime/audit/record_format.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"
#include "sandbox/workspace/change.h"
#include "sandbox/workspace/tree_root.h"

namespace nacre::cli {
namespace {

using memory::FileLabel;

// A record has a limit of its own: of more files their number is in it.
constexpr size_t kRecordedPathsMax = 100;

// Relative to the workspace; nullopt for itself and for what is not in it.
std::optional<std::string> InWorkspace(const std::string& path, const std::string& workspace) {
  const std::string folder = workspace == "/" ? "/" : workspace + '/';
  return path.starts_with(folder) && path != folder ? std::optional(path.substr(folder.size()))
                                                    : std::nullopt;
}

// Whether the file is what the call wrote: "as written", "changed since" (by a person, or another program), "gone";
// "folder" and "link", of which nothing is compared. A label holds for all of them until it is cleared.
const char* StateOf(const FileLabel& label, const std::string& workspace,
                    const Result<sandbox::TreeRoot>& root) {
  const std::optional<std::string> relative = InWorkspace(label.path, workspace);
  if (!relative.has_value()) {
    return "folder";  // this one, or one above it
  }
  const Result<sandbox::TreeEntry> entry =
      root.ok() ? root.value().Read(*relative) : Result<sandbox::TreeEntry>(root.error());
  if (!entry.ok()) {
    return "not readable";
  }
  switch (entry.value().state.type) {
    case sandbox::EntryType::kNone:
      return "gone";
    case sandbox::EntryType::kDirectory:
      return "folder";
    case sandbox::EntryType::kSymlink:
      return "link";
    default:
      return label.digest.empty()                         ? "not known"
             : entry.value().state.digest == label.digest ? "as written"
                                                          : "changed since";
  }
}

// As a person names it: relative to the workspace, where it is in it.
std::string Named(const std::string& path, const std::string& workspace) {
  return path == workspace ? "." : sandbox::EncodePath(InWorkspace(path, workspace).value_or(path));
}

OrderedJson ToJson(const FileLabel& label, const std::string& workspace,
                   const Result<sandbox::TreeRoot>& root) {
  return {{"path", Named(label.path, workspace)},
          {"labels", label.labels},
          {"below", label.below},
          {"state", StateOf(label, workspace, root)},
          {"call", label.call},
          {"changed_ms", label.changed_ms}};
}

int List(Globals& globals) {
  App app(globals.app);
  const Result<std::string> workspace = app.Workspace();
  if (!workspace.ok()) {
    return Fail(globals, workspace.error(), kExitUsage);
  }
  const Result<memory::SessionStore*> store = app.Store();
  if (!store.ok()) {
    return Fail(globals, store.error());
  }
  const auto labels = store.value()->file_labels().ListFileLabels(workspace.value());
  if (!labels.ok()) {
    return Fail(globals, labels.error());
  }
  if (labels.value().empty() && !globals.json) {
    std::printf("No file of this workspace has a label that a session left.\n");
  }
  const Result<sandbox::TreeRoot> root = sandbox::TreeRoot::Open(workspace.value());
  for (const FileLabel& label : labels.value()) {
    if (globals.json) {
      PrintJson(ToJson(label, workspace.value(), root));
      continue;
    }
    std::printf(
        "%s%s  %s  %s  %s, call %s\n", SafeLine(Named(label.path, workspace.value()), 200).c_str(),
        label.below ? " and below" : "",
        SafeLine(policy::ShownLabel(policy::LabelOfTexts(label.labels)), 200).c_str(),
        StateOf(label, workspace.value(), root),
        FormatRfc3339(WallTime(std::chrono::milliseconds(label.changed_ms))).substr(0, 19).c_str(),
        label.call.c_str());
  }
  return kExitOk;
}

Result<int64_t> ClearLabels(App& app, const std::string& workspace, const std::string& path,
                            const std::string& reason, std::vector<FileLabel>& cleared) {
  memory::FileLabels& store = NACRE_TRY(app.Store())->file_labels();
  audit::AuditLog* log = NACRE_TRY(app.Log());
  for (FileLabel& label : NACRE_TRY(store.ListFileLabels(path))) {
    if (label.path == path || label.path.starts_with(path == "/" ? path : path + '/')) {
      cleared.push_back(std::move(label));
    }
  }
  if (cleared.empty()) {
    return Error{ErrorCode::kNotFound, "nothing at " + SafeLine(sandbox::EncodePath(path), 200) +
                                           " has a label of its own: nacre workspace labels "
                                           "lists what has"};
  }
  Json files = audit::RecordList(cleared.size(), kRecordedPathsMax, [&](size_t i) {
    return Json{{"path", Named(cleared[i].path, workspace)},
                {"labels", cleared[i].labels},
                {"below", cleared[i].below},
                {"call", cleared[i].call}};
  });
  // The decision, a person's, is on disk before anything is forgotten.
  NACRE_TRY(log->Append({"workspace.labels_cleared",
                         {},
                         {},
                         {},
                         {},
                         {{"by", "uid " + std::to_string(::getuid())},
                          {"workspace", sandbox::EncodePath(workspace)},
                          {"reason", reason},
                          {"count", cleared.size()},
                          {"files", std::move(files)}}}));
  NACRE_TRY(log->WriteCheckpoint());
  return store.ClearFileLabels(cleared);
}

int Clear(Globals& globals, const std::string& given, const std::string& reason) {
  App app(globals.app);
  const Result<std::string> workspace = app.Workspace();
  if (!workspace.ok()) {
    return Fail(globals, workspace.error(), kExitUsage);
  }
  const Result<std::string> decoded = sandbox::DecodePath(given);
  if (!decoded.ok()) {
    return Fail(globals, decoded.error(), kExitUsage);
  }
  // By its text: what is meant may be gone, or a link.
  std::string path =
      (std::filesystem::path(workspace.value()) / decoded.value()).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  std::vector<FileLabel> cleared;
  const Result<int64_t> count = ClearLabels(app, workspace.value(), path, reason, cleared);
  if (!count.ok()) {
    return Fail(globals, count.error(),
                count.error().code == ErrorCode::kNotFound ? kExitFailed : kExitBroken);
  }
  if (globals.json) {
    const Result<sandbox::TreeRoot> root = sandbox::TreeRoot::Open(workspace.value());
    OrderedJson files = OrderedJson::array();
    for (const FileLabel& label : cleared) {
      files.push_back(ToJson(label, workspace.value(), root));
    }
    PrintJson(OrderedJson{{"cleared", count.value()}, {"files", files}});
  } else {
    std::printf("cleared: %lld label%s at %s\n", static_cast<long long>(count.value()),
                count.value() == 1 ? "" : "s",
                SafeLine(Named(path, workspace.value()), 200).c_str());
  }
  return kExitOk;
}

}  // namespace

void RegisterWorkspace(CLI::App& root, Globals& globals) {
  CLI::App* command = root.add_subcommand("workspace", "What is known of the files of a folder");
  command->require_subcommand(1);
  CLI::App* labels = command->add_subcommand(
      "labels", "Labels that sessions left on files: what was known when they were written");
  labels->footer(
      "Examples:\n  nacre workspace labels\n"
      "  nacre workspace labels --clear notes/minutes.md --reason \"read it, nothing private\"\n"
      "A label stays with a file whatever else changes it, until a call writes the whole file "
      "anew\n"
      "or deletes it, or a person clears it. Clearing is recorded in the audit log.\n"
      "Exit codes: 0 done, 1 nothing there has a label.");
  auto path = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  AddWorkspaceFlag(*labels, globals);
  CLI::Option* clear = labels->add_option(
      "--clear", *path, "Take the labels off this file, or this folder and all below it");
  labels->add_option("--reason", *reason, "Why, for the record")->needs(clear);
  AddJsonFlag(*labels, globals);
  labels->callback([&globals, path, reason] {
    globals.exit_code = path->empty() ? List(globals) : Clear(globals, *path, *reason);
  });
}

}  // namespace nacre::cli
