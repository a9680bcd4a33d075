#include "runtime/agent/workspace_change.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.h"
#include "policy/path_glob.h"
#include "sandbox/workspace/line_diff.h"

namespace nacre::agent {
namespace {

constexpr size_t kNamedMax = 3;
constexpr uint64_t kCountedBytesMax = 1 << 20;

// As hide and protect mean it: what a glob names, and everything below.
bool Covers(const std::vector<std::string>& globs, const std::string& path) {
  constexpr std::string_view kBelow = "/**";
  for (size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const std::string above = path.substr(0, end);
    const bool covered = std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
      return policy::GlobMatches(glob, above) ||
             (glob.ends_with(kBelow) &&
              policy::GlobMatches(glob.substr(0, glob.size() - kBelow.size()), above));
    });
    if (covered || end == std::string::npos) {
      return covered;
    }
  }
}

// Whether a link at `path` leads to something in the workspace, by its text alone.
bool LeadsInside(const std::string& path, const std::string& target) {
  if (target.starts_with('/')) {
    return false;
  }
  int64_t depth = std::count(path.begin(), path.end(), '/');
  for (size_t start = 0; start <= target.size();) {
    const size_t end = std::min(target.find('/', start), target.size());
    const std::string_view part = std::string_view(target).substr(start, end - start);
    depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
    if (depth < 0) {
      return false;
    }
    start = end + 1;
  }
  return true;
}

std::string Named(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text;
  for (size_t i = 0; i < std::min(entries.size(), kNamedMax); ++i) {
    const auto& [path, what] = entries[i];
    text += (i == 0 ? "" : "; ") + (path.empty() ? "" : sandbox::EncodePath(path) + ": ") + what;
  }
  return entries.size() > kNamedMax
             ? text + "; and " + std::to_string(entries.size() - kNamedMax) + " more"
             : text;
}

template <typename Entries>
std::string NameAll(const Entries& entries) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& entry : entries) {
    pairs.emplace_back(entry.path, entry.reason);
  }
  return Named(pairs);
}

std::string TextOf(const sandbox::TreeRoot& tree, const std::string& path,
                   const sandbox::EntryState& state) {
  const Result<UniqueFd> file = state.type == sandbox::EntryType::kFile && state.size > 0
                                    ? tree.OpenFile(path)
                                    : Result<UniqueFd>(Error{});
  std::string text(file.ok() ? state.size : 0, '\0');
  return file.ok() && ReadExactly(file.value().get(), text.data(), text.size()).ok()
             ? text
             : std::string();
}

}  // namespace

const char* WorkspaceEndName(WorkspaceReport::End end) {
  static constexpr std::array<const char*, 5> kNames = {"unchanged", "dropped", "refused",
                                                        "conflict", "committed"};
  return kNames[static_cast<size_t>(end)];
}

Json ToJson(const WorkspaceReport& report) {
  return {{"end", WorkspaceEndName(report.end)}, {"created", report.counts.created},
          {"changed", report.counts.changed},    {"deleted", report.counts.deleted},
          {"lines_added", report.lines_added},   {"lines_removed", report.lines_removed},
          {"diff_digest", report.digest},        {"reason", report.reason}};
}

std::vector<sandbox::Refusal> JudgeDiff(const sandbox::Diff& diff, const policy::Grant& grant) {
  std::vector<sandbox::Refusal> refusals = diff.refusals;
  for (const sandbox::Change& change : diff.changes) {
    const bool runs =
        change.after.type == sandbox::EntryType::kFile && (change.after.mode & 0111U) != 0 &&
        (change.before.type != sandbox::EntryType::kFile || (change.before.mode & 0111U) == 0);
    const bool links = change.after.type == sandbox::EntryType::kSymlink && !change.touched();
    if (Covers(grant.hide, change.path)) {
      refusals.push_back({change.path, "the policy hides it"});
    } else if (Covers(grant.protect, change.path)) {
      refusals.push_back({change.path, "the policy protects it from changes"});
    } else if (runs && grant.commit.executables == policy::CommitExecutables::kDeny) {
      refusals.push_back({change.path, "the policy takes no new executable files"});
    } else if (links && (grant.commit.links == policy::CommitLinks::kDeny ||
                         (grant.commit.links == policy::CommitLinks::kInside &&
                          !LeadsInside(change.path, change.after.target)))) {
      refusals.push_back({change.path, "a link that leads out of the workspace"});
    }
  }
  return refusals;
}

Result<WorkspaceChange> WorkspaceChange::Begin(const std::string& workspace) {
  sandbox::TreeRoot root = NACRE_TRY(sandbox::TreeRoot::Open(workspace));
  WorkspaceChange change(workspace, std::move(root));
  change.started_ns_ = sandbox::CallClock();
  return change;
}

void WorkspaceChange::TakeLayer(sandbox::CallLayer layer) {
  layer_.emplace(std::move(layer));
}

Status WorkspaceChange::Judge(const policy::Grant& grant) {
  if (!layer_.has_value()) {
    return Ok();
  }
  const sandbox::DiffLimits limits{.changes = grant.commit.changes, .bytes = grant.commit.bytes};
  diff_ = NACRE_TRY(layer_->ReadDiff(root_, limits));
  if (diff_.empty()) {
    return Ok();
  }
  report_.counts = sandbox::CountChanges(diff_.changes);
  report_.digest = sandbox::DiffDigest(diff_.changes);
  const std::vector<sandbox::Refusal> refusals = JudgeDiff(diff_, grant);
  if (!refusals.empty()) {
    report_.end = WorkspaceReport::End::kRefused;
    report_.reason = NameAll(refusals);
    return Ok();
  }
  CountLines();
  wanted_ = true;
  return Ok();
}

void WorkspaceChange::CountLines() {
  for (const sandbox::Change& change : diff_.changes) {
    if (change.touched() || change.before.size + change.after.size > kCountedBytesMax) {
      continue;
    }
    const std::string before = TextOf(root_, change.path, change.before);
    const std::string after = TextOf(layer_->tree(), change.path, change.after);
    if (const auto edits = sandbox::DiffLines(before, after)) {
      const sandbox::LineCounts counts = sandbox::CountLines(*edits);
      report_.lines_added += counts.added;
      report_.lines_removed += counts.removed;
    }
  }
}

void WorkspaceChange::Drop(const std::string& reason) {
  if (layer_.has_value() && !layer_->IsUntouched(root_)) {
    report_.end = WorkspaceReport::End::kDropped;
    report_.reason = reason;
  }
}

Status WorkspaceChange::Commit(sandbox::TransactionLog& log, const std::string& id,
                               sandbox::InStep in_step, int64_t now_ms) {
  NACRE_CHECK(wanted_);
  wanted_ = false;
  std::string misowned;
  in_step.misowned = [&](const std::vector<sandbox::Conflict>& all) { misowned = NameAll(all); };
  const std::vector<sandbox::Conflict> conflicts =
      NACRE_TRY(log.Commit({.id = id,
                            .workspace = workspace_,
                            .root = root_,
                            .after = layer_->tree(),
                            .diff = diff_,
                            .started_ns = started_ns_,
                            .now_ms = now_ms,
                            .note = {},
                            .in_step = std::move(in_step)}));
  report_.end =
      conflicts.empty() ? WorkspaceReport::End::kCommitted : WorkspaceReport::End::kConflict;
  report_.reason = conflicts.empty() ? misowned : NameAll(conflicts);
  return Ok();
}

}  // namespace nacre::agent
