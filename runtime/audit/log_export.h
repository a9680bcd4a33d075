// Handing the log on to other systems, each record at least once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/audit/erasures.h"
#include "runtime/audit/export_format.h"
#include "runtime/audit/pruning.h"

namespace nacre::audit {

// Up to where a log was handed on, kept in a small file. It names the last record by its hash, so that
// another log, or an older copy of this one, is not taken for its continuation.
struct ExportCursor {
  std::string log;
  uint64_t next = 0;
  std::string leaf;  // of the record before, in hexadecimal; empty when there is none

  friend bool operator==(const ExportCursor&, const ExportCursor&) = default;
};
Result<ExportCursor> ParseExportCursor(std::string_view text);
// The one that an export keeps in `file`.
Result<ExportCursor> ReadExportCursor(const std::string& file);
std::string ToText(const ExportCursor& cursor);
// Whether the log goes on from there. kFailedPrecondition when it is of a log with another key; kDataLoss when it is an
// older copy or another history, or not as it was signed.
Status CheckExportCursor(const std::string& directory, const ExportCursor& cursor);

struct ExportOptions {
  ExportFormat format = ExportFormat::kJsonl;
  ExportSource source;      // `log` is filled in
  std::string cursor_file;  // empty: from the first record on
  // Sealed contents are handed on as texts where the keys are there; else as they are in the log, so that they can be
  // erased wherever they went, and the leaf is of the record as it is handed on.
  bool open_contents = false;
  // Tells what of them was erased from what was lost. Borrowed; with none, all of it is said to be erased.
  Erasures* erasures = nullptr;
  // Called, unless null, when there is no cursor yet and first records were pruned: those are never handed on.
  std::function<void(const Pruning& pruned)> begins_after = nullptr;
  // Where the log is after the lines that the sink is called with; for a sink that keeps something of them. Borrowed.
  ExportCursor* after_lines = nullptr;
};

// Hands what is under the newest signature, and was not handed on before, to `sink`, some whole lines at a time.
// Once the sink has answered ok for them, the cursor is moved, durably: what was taken and not noted is
// handed on again. Answers how many records. kFailedPrecondition when the cursor is of a log with another key;
// kDataLoss when the log does not go on from the cursor, the records are not those that were signed, or no
// signature holds. What was handed on before is right.
Result<uint64_t> ExportLog(const std::string& directory, const ExportOptions& options,
                           const std::function<Status(std::string_view lines)>& sink);

}  // namespace nacre::audit
