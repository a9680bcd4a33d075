// StoredLabels: the labels of a workspace's files, as they outlive a session: who reads a file later, in any session,
// reads it with what was known by who wrote it.
//
//   NACRE_TRY(labels.Look(traits, request));                 // what the call may read: before it, and after it
//   change = NACRE_TRY(labels.BeforeCommit(written));        // old and new labels, joined: a crash leaves both;
//                                                            // both steps under the lock of the commit (InStep)
//   ... the workspace changes ...
//   NACRE_TRY(labels.AfterCommit(change));                   // the new ones
//
// What a call leaves in a file is as delicate as what was known when it was written and what was there before. Only
// where a tool that runs no programs writes one file, and the whole file is a text that stands in the call's arguments,
// is nothing of the old file in it, and a file that is gone has no label. In a direct workspace nobody sees what changed, so labels are only ever added there, before the
// call starts and again when it has ended: to what its arguments name, and for a program to the whole workspace.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "memory/file_labels.h"
#include "policy/label.h"
#include "policy/tool_traits.h"
#include "runtime/agent/tool_call.h"
#include "sandbox/workspace/change.h"
#include "sandbox/workspace/journal.h"

namespace nacre::agent {

// What a call writes, and what was known of it.
struct WrittenFiles {
  const sandbox::Diff& diff;
  policy::ToolTraits tool;
  const policy::Request& request;
  policy::Label read;   // of what it may read, and all before that
  policy::Label given;  // of a text that stands in its arguments
  std::string call;
  int64_t now_ms = 0;
};

// One commit's labels.
struct LabelChange {
  std::string call;
  std::vector<memory::FileLabel> before;  // what stood there, for who takes the change back
  std::vector<memory::FileLabel> after;   // that differ from what the join left
};

// Each path of the diff whose content changed, and its label once it is committed, were there none before; `anew` says
// of which nothing before matters. Pure. `folder`: the workspace on the host.
struct LabelledPath {
  memory::FileLabel label;
  bool anew = false;
};
std::vector<LabelledPath> LabelsOfDiff(const std::string& folder, const WrittenFiles& written);

// Borrows the store. Thread-compatible.
class StoredLabels final {
 public:
  StoredLabels(memory::FileLabels& store, std::string workspace)
      : store_(store), workspace_(std::move(workspace)) {}

  // Joined to what the request's paths, and a program's call as such, have already.
  Status Look(const policy::ToolTraits& tool, policy::Request& request) const;
  Status BeforeDirect(const policy::ToolTraits& tool, const policy::Request& request,
                      const policy::Label& written, const std::string& call, int64_t now_ms) const;
  Result<LabelChange> BeforeCommit(const WrittenFiles& written) const;
  Status AfterCommit(const LabelChange& change) const;

 private:
  // On the host, and where its links lead. Of a place that may be the workspace by another name (/proc, a link that
  // leads out of the workspace, a mount of the policy's): the workspace. None: the system's own folders.
  std::vector<std::string> HostPaths(const std::string& path) const;

  memory::FileLabels& store_;
  std::string workspace_;
};

// What Look() found, for the record of the call: {"path": ["integrity:untrusted"], "": [...]} by argument, "" for
// what none names. Null when all of it is clean.
Json StoredLabelsRecord(const policy::Request& request);
// The other way round, from a call's outcome: a session that goes on knows what it knew.
void RecallStoredLabels(const Json& outcome, policy::Request& request);

// What stood at a call's paths before it, in the note of its transaction: [{"path": ..., "labels": [...]}]; where that
// is too long, {"all": [...]}: the union, for each of them.
Json LabelsToNote(const std::string& folder, const std::vector<memory::FileLabel>& before);
// The paths whose content a transaction changes.
std::vector<std::string> LabelledPaths(const sandbox::JournalHeader& header);
// Taking the call back, in two steps around it, as with a commit: files that it left are what they were.
Result<LabelChange> BeforeUndo(memory::FileLabels& store, const std::string& folder,
                               const Json& note, const std::vector<std::string>& paths,
                               const std::string& call, int64_t now_ms);
// Before a commit, or an undo, that a crash has left is finished: what it will leave has its labels again, joined with
// those that there are by now.
Status BeforeRecovery(memory::FileLabels& store, const sandbox::JournalHeader& header);

}  // namespace nacre::agent
