#include "runtime/audit/log_prune.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

// What a plan was made of, and what it is.
struct Plan {
  uint64_t before = 0;
  std::vector<Hold> holds;
  uint64_t known = 0;  // records that were looked at for holds
};

class Pruner final {
 public:
  Pruner(const LogChange& change, const PruneRequest& request)
      : change_(change), request_(request) {}

  Result<PruneReport> Run() {
    constexpr int kTries = 3;
    for (int i = 1;; ++i) {
      auto done = Try();
      if (done.ok() || done.error().code != ErrorCode::kAborted || i == kTries) {
        return done;
      }
    }
  }

 private:
  Result<PruneReport> Try() {
    PruneReport report;
    CheckedLog log = NACRE_TRY(CheckedLog::Open(change_.directory));
    if (log.tree() == nullptr) {
      return Error{ErrorCode::kDataLoss,
                   "nothing is pruned: " + log.problem() + "; see nacre audit verify"};
    }
    const auto pruning = NACRE_TRY(FindPruning(log));
    report.from = pruning.has_value() ? pruning->before : 0;
    Plan plan;
    plan.known = log.signed_records();
    NACRE_TRY(
        LoadHolds(change_.directory, change_.index_directory, change_.random, 0, &plan.holds));
    plan.before = std::max(report.from, NACRE_TRY(Boundary(log, report.from)));
    if (request_.as_far_as_allowed && request_.exported.has_value()) {
      plan.before = std::min(plan.before, request_.exported->next / kTileWidth * kTileWidth);
      plan.before = std::max(plan.before, report.from);
    }
    if (plan.before > report.from || !request_.as_far_as_allowed) {
      NACRE_TRY(CheckExported(log, plan.before));
    }
    NACRE_TRY(CheckRange(log, report.from, &plan));
    report.before = plan.before;
    report.resumed = FirstBundle(change_.directory).value_or(0) * kTileWidth < report.from;
    NACRE_TRY(Count(&report));
    if (request_.dry_run || report.bundles == 0) {
      return report;
    }
    auto writer = NACRE_TRY(LogWriter::Open(change_.directory, change_.clock, change_.random,
                                            change_.storage, change_.sessions));
    if (plan.before > report.from) {
      const auto decide = [&] { return Decide(log, report.from, plan); };
      report.record = NACRE_TRY(writer->CommitSigned(decide));
      NACRE_TRY(PointTo(*report.record));
    } else {
      // Only `head` may have signed the record when this was stopped before: a writer that begins at an
      // older checkpoint would need what is to go.
      NACRE_TRY(writer->WriteCheckpoint());
      const auto claim = ReadClaim(change_.directory);
      if (!claim.has_value() || claim->before < plan.before) {
        NACRE_TRY(PointTo(pruning->record));
      }
    }
    NACRE_TRY(writer->WhileLocked([&] { return Remove(plan.before / kTileWidth); }));
    RemoveIndex();
    return report;
  }

  Status PointTo(uint64_t record) const {
    return change_.storage.Replace(change_.directory + "/" + kPrunedFile,
                                   std::to_string(record) + "\n", 0600);
  }

  // The first record that would stay.
  Result<uint64_t> Boundary(CheckedLog& log, uint64_t from) {
    const uint64_t first = from / kTileWidth;
    const uint64_t newest = log.signed_records() == 0 ? 0 : (log.signed_records() - 1) / kTileWidth;
    if (request_.before.has_value()) {
      if (*request_.before > log.signed_records()) {
        return Error{ErrorCode::kInvalidArgument,
                     "the log has no record " + std::to_string(*request_.before) +
                         " yet: it is signed over " + std::to_string(log.signed_records())};
      }
      return std::min(*request_.before / kTileWidth, newest) * kTileWidth;
    }
    uint64_t number = first;
    if (!request_.older_than.empty()) {
      for (; number < newest; ++number) {
        const CheckedBundle bundle = NACRE_TRY(log.Bundle(number));
        const bool old = std::all_of(bundle.records.begin(), bundle.records.end(),
                                     [&](const CheckedBundle::Record& record) {
                                       const std::string_view time = TimeOf(bundle.BytesOf(record));
                                       return !time.empty() && time < request_.older_than;
                                     });
        if (!old) {
          break;
        }
      }
      return number * kTileWidth;
    }
    uint64_t kept = 0;
    for (number = newest + 1; number > first; --number) {
      const uint64_t bytes = BytesOf(number - 1);
      if (bytes == 0) {
        return Error{ErrorCode::kDataLoss, "nothing is pruned: " + BundlePath(number - 1) +
                                               " is missing; see nacre audit verify"};
      }
      kept += bytes;
      if (kept > request_.keep_bytes.value_or(UINT64_MAX)) {
        break;
      }
    }
    return std::min(number, newest) * kTileWidth;
  }

  uint64_t BytesOf(uint64_t number) const { return BundleFileBytes(change_.directory, number); }

  Status CheckExported(CheckedLog& log, uint64_t before) const {
    if (!request_.exported.has_value() || before == 0) {
      return Ok();
    }
    const ExportCursor& cursor = *request_.exported;
    if (cursor.log != log.key().substr(0, log.key().find('+'))) {
      return Error{ErrorCode::kFailedPrecondition, "the cursor is of another log: " + cursor.log};
    }
    if (cursor.next < before) {
      return Error{ErrorCode::kFailedPrecondition,
                   "records " + std::to_string(cursor.next) + " to " + std::to_string(before - 1) +
                       " were not exported yet; nacre audit export hands them on"};
    }
    const auto leaf = cursor.next > log.signed_records()
                          ? Result<Sha256Digest>(Error{ErrorCode::kOutOfRange, ""})
                          : log.tree()->CheckedRoot(0, cursor.next - 1);
    return leaf.ok() && ToHex(leaf.value()) == cursor.leaf
               ? Ok()
               : Status(Error{ErrorCode::kFailedPrecondition,
                              "the cursor is of another history of this log"});
  }

  // What is to go is as it was signed, and nobody holds it.
  Status CheckRange(CheckedLog& log, uint64_t from, Plan* plan) const {
    for (uint64_t number = from / kTileWidth; number < plan->before / kTileWidth; ++number) {
      const auto bundle = log.Bundle(number);
      if (!bundle.ok()) {
        return Error{ErrorCode::kDataLoss,
                     "a log that does not verify is evidence, nothing of it is pruned: " +
                         bundle.error().message};
      }
      for (size_t i = 0; i < bundle.value().records.size() && !plan->holds.empty(); ++i) {
        const uint64_t index = bundle.value().first + i;
        const std::string_view bytes = bundle.value().BytesOf(bundle.value().records[i]);
        for (const Hold& hold : plan->holds) {
          if (hold.Holds(index, bytes) && request_.as_far_as_allowed) {
            plan->before = bundle.value().first;
            return Ok();
          }
          if (hold.Holds(index, bytes)) {
            return Error{
                ErrorCode::kFailedPrecondition,
                "record " + std::to_string(index) + " is held by " + hold.ToText() +
                    (bundle.value().first > from
                         ? "; nacre audit prune --before " + std::to_string(bundle.value().first) +
                               " removes what may go before it"
                         : ", and records go in bundles of 256: none before it can")};
          }
        }
      }
    }
    return Ok();
  }

  Result<AuditRecord> Decide(CheckedLog& log, uint64_t from, const Plan& plan) const {
    std::vector<Hold> holds = plan.holds;
    NACRE_TRY(
        LoadHolds(change_.directory, change_.index_directory, change_.random, plan.known, &holds));
    CheckedLog now = NACRE_TRY(CheckedLog::Open(change_.directory));
    const auto pruned = NACRE_TRY(FindPruning(now));
    if (holds != plan.holds || (pruned.has_value() ? pruned->before : 0) != from) {
      return Error{ErrorCode::kAborted, "somebody pruned or placed a hold meanwhile"};
    }
    const Sha256Digest root = NACRE_TRY(log.tree()->RootAt(plan.before));
    return AuditRecord{.event = kPrunedEvent,
                       .data = {{"from", from},
                                {"before", plan.before},
                                {"root", ToHex(root)},
                                {"rule", request_.rule},
                                {"holds", ToJson(holds)}}};
  }

  Status Count(PruneReport* report) const {
    const uint64_t first = FirstBundle(change_.directory).value_or(0);
    for (uint64_t number = first; number < report->before / kTileWidth; ++number) {
      const uint64_t bytes = BytesOf(number);
      report->bundles += bytes > 0 ? 1 : 0;
      report->bytes += bytes;
    }
    return Ok();
  }

  // What a crash left of them beside: partial bundles (NNN.p) and unfinished files (NNN.zst.XXXXXX).
  Status RemoveCopies(const std::filesystem::path& folder, uint64_t first, uint64_t end) const {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), none; !error && entry != none;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      uint64_t group = 0;
      const auto [rest, wrong] = std::from_chars(name.data(), name.data() + name.size(), group);
      if (wrong != std::errc() || rest != name.data() + 3 || *rest != '.' || first + group >= end) {
        continue;
      }
      std::error_code ignored;
      if (entry->is_directory(ignored)) {
        std::filesystem::remove_all(entry->path(), ignored);
      } else {
        NACRE_TRY(change_.storage.Remove(entry->path().string()));
      }
    }
    return Ok();
  }

  // The names are gone from the disk before it returns.
  Status Remove(uint64_t end) const {
    const std::filesystem::path root = change_.directory;
    std::map<std::filesystem::path, uint64_t> folders;  // with the first number in each
    for (uint64_t number = FirstBundle(change_.directory).value_or(end); number < end; ++number) {
      NACRE_TRY(RemoveBundle(change_.directory, number, change_.storage));
      folders.emplace((root / BundlePath(number)).parent_path(), number - number % 1000);
    }
    for (const auto& [folder, first] : folders) {
      NACRE_TRY(RemoveCopies(folder, first, end));
      NACRE_TRY(change_.storage.SyncDirectory(folder.string()));
      if (folder.filename().string().starts_with('x')) {
        ::rmdir(folder.c_str());  // fails while something is in it
      }
    }
    return Ok();
  }

  // It still has terms of what went; it is made anew when it is next asked.
  void RemoveIndex() const {
    std::error_code ignored;
    if (!change_.index_directory.empty()) {
      std::filesystem::remove_all(change_.index_directory, ignored);
    }
  }

  const LogChange& change_;
  const PruneRequest& request_;
};

}  // namespace

Result<PruneReport> PruneLog(const LogChange& change, const PruneRequest& request) {
  return Pruner(change, request).Run();
}

}  // namespace nacre::audit
