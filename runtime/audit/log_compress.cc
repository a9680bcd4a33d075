#include "runtime/audit/log_compress.h"

#include <algorithm>
#include <filesystem>

#include "runtime/audit/bundle_codec.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

bool IsOlder(const CheckedBundle& bundle, const std::string& than) {
  return than.empty() || std::all_of(bundle.records.begin(), bundle.records.end(),
                                     [&](const CheckedBundle::Record& record) {
                                       const std::string_view time = TimeOf(bundle.BytesOf(record));
                                       return !time.empty() && time < than;
                                     });
}

}  // namespace

Result<CompressReport> CompressLog(const LogChange& change, const std::string& older_than) {
  CompressReport report;
  CheckedLog log = NACRE_TRY(CheckedLog::Open(change.directory));
  if (log.tree() == nullptr) {
    return Error{ErrorCode::kDataLoss,
                 "nothing is compressed: " + log.problem() + "; see nacre audit verify"};
  }
  const auto pruning = NACRE_TRY(FindPruning(log));
  const uint64_t end = log.signed_records() == 0 ? 0 : (log.signed_records() - 1) / kTileWidth;
  std::unique_ptr<LogWriter> writer;
  for (uint64_t number = pruning.has_value() ? pruning->before / kTileWidth : 0; number < end;
       ++number) {
    const std::string path = change.directory + "/" + BundlePath(number);
    if (!HasBundle(change.directory, number) &&
        number >= FirstRecord(change.directory) / kTileWidth) {
      return Error{ErrorCode::kDataLoss, "records from " + std::to_string(number * kTileWidth) +
                                             " on are missing; see nacre audit verify"};
    }
    if (!HasPlainBundle(change.directory, number)) {
      continue;
    }
    const CheckedBundle bundle = NACRE_TRY(log.Bundle(number));
    if (!IsOlder(bundle, older_than)) {
      break;
    }
    const std::string frame = NACRE_TRY(CompressBundle(bundle.file));
    const std::string again = NACRE_TRY(DecompressBundle(frame));
    if (again != bundle.file) {
      return Error{ErrorCode::kInternal, path + " does not come back from zstd as it was"};
    }
    if (writer == nullptr) {
      writer = NACRE_TRY(LogWriter::Open(change.directory, change.clock, change.random,
                                         change.storage, change.sessions));
      // `head` is not synced: what only it has signed would not be found again behind an older one.
      NACRE_TRY(writer->WriteCheckpoint());
    }
    bool there = true;
    const auto exchange = [&]() -> Status {
      there = HasPlainBundle(change.directory, number);
      if (!there) {
        return Ok();  // pruned meanwhile: it must not come back
      }
      NACRE_TRY(change.storage.Replace(path + kCompressedSuffix, frame, 0600));
      NACRE_TRY(change.storage.Remove(path));
      return change.storage.SyncDirectory(std::filesystem::path(path).parent_path().string());
    };
    NACRE_TRY(writer->WhileLocked(exchange));
    if (!there) {
      continue;
    }
    ++report.bundles;
    report.bytes_before += bundle.file.size();
    report.bytes_after += frame.size();
  }
  return report;
}

}  // namespace nacre::audit
