// WorkspaceChange: what one call did to its transactional workspace, from before the call to the
// commit, or to nothing.
//
//   WorkspaceChange change = NACRE_TRY(WorkspaceChange::Begin(workspace));   // before the call
//   ... the sandbox hands over the call's layer: change.TakeLayer(layer) ...
//   NACRE_TRY(change.Judge(grant));       // after it: read, judged by the policy
//   if (change.wanted()) { record; NACRE_TRY(change.Commit(log, ...)); }
//   change.report()                       // for the record, the event, the person
//
// A change that is dropped, refused or conflicting leaves the workspace as the call found it.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "policy/decision.h"
#include "sandbox/workspace/call_layer.h"
#include "sandbox/workspace/transaction_log.h"

namespace nacre::agent {

struct WorkspaceReport {
  // kDropped: the call did not end well. kRefused: the policy does not take it. kConflict: somebody
  // changed the same files while the call ran.
  enum class End { kUnchanged = 0, kDropped, kRefused, kConflict, kCommitted };

  End end = End::kUnchanged;
  sandbox::DiffCounts counts;
  uint64_t lines_added = 0;  // of text files
  uint64_t lines_removed = 0;
  std::string digest;  // of the diff; empty when there is none
  // Of kDropped, kRefused, kConflict: one clause, naming files. Of kCommitted: what could not be given to
  // its owner, and whose it is; empty when all could.
  std::string reason;
};
const char* WorkspaceEndName(WorkspaceReport::End end);  // "unchanged", ..., stable
Json ToJson(const WorkspaceReport& report);

// What the policy does not let a call leave in the workspace. Pure.
std::vector<sandbox::Refusal> JudgeDiff(const sandbox::Diff& diff, const policy::Grant& grant);

// Thread-compatible.
class WorkspaceChange final {
 public:
  // `workspace` is an existing folder of the host.
  static Result<WorkspaceChange> Begin(const std::string& workspace);

  void TakeLayer(sandbox::CallLayer layer);
  // Once, when the call has ended well. An Error when the workspace cannot be read.
  Status Judge(const policy::Grant& grant);
  // Instead, when it has not.
  void Drop(const std::string& reason);

  // What Judge() read.
  const sandbox::Diff& diff() const { return diff_; }
  // There is something to commit, and nothing against it.
  bool wanted() const { return wanted_; }
  // Durable when it answers; a conflict is no error (see report()). What `in_step` notes: what is needed to
  // finish the call's record after a crash.
  Status Commit(sandbox::TransactionLog& log, const std::string& id, sandbox::InStep in_step,
                int64_t now_ms);

  const WorkspaceReport& report() const { return report_; }

 private:
  WorkspaceChange(std::string workspace, sandbox::TreeRoot root)
      : workspace_(std::move(workspace)), root_(std::move(root)) {}
  void CountLines();

  std::string workspace_;
  sandbox::TreeRoot root_;
  int64_t started_ns_ = 0;
  std::optional<sandbox::CallLayer> layer_;
  sandbox::Diff diff_;
  bool wanted_ = false;
  WorkspaceReport report_;
};

}  // namespace nacre::agent
