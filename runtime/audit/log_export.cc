#include "runtime/audit/log_export.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/content_keys.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

constexpr size_t kCursorBytesMax = 4096;

Error OfAnotherLog(const std::string& what, const std::string& of, const std::string& log) {
  return {ErrorCode::kFailedPrecondition, what + " is of the log " + of + ", and this is " + log +
                                              "; remove it to export this one from its beginning"};
}

Error DoesNotGoOn(uint64_t next) {
  return {ErrorCode::kDataLoss,
          "the log does not go on from record " + std::to_string(next) +
              ", up to which it was exported: it was replaced by an older copy or another history; "
              "see nacre audit verify --since"};
}

Result<ExportCursor> LoadCursor(const std::string& file, const std::string& log) {
  if (file.empty()) {
    return ExportCursor{.log = log, .leaf = {}};
  }
  auto cursor = ReadExportCursor(file);
  if (!cursor.ok() && cursor.error().code == ErrorCode::kNotFound) {
    return ExportCursor{.log = log, .leaf = {}};
  }
  if (!cursor.ok()) {
    return cursor;
  }
  if (cursor.value().log != log) {
    return OfAnotherLog(file, cursor.value().log, log);
  }
  return cursor;
}

// Of a pruned record, whose hash is all that is there.
Error HashLost(uint64_t index, const Error& error) {
  return {ErrorCode::kDataLoss,
          "record " + std::to_string(index) + ": " + error.message + "; see nacre audit verify"};
}

// A bundle that was there when the export began may have been pruned since.
Error NotRead(const CheckedLog& log, uint64_t number, const Error& error) {
  const uint64_t first = number * kTileWidth;
  const uint64_t end = std::min(first + kTileWidth, log.signed_records());
  if (auto now = CheckedLog::Open(log.directory());
      error.code == ErrorCode::kNotFound && now.ok()) {
    const auto pruning = FindPruning(now.value());
    if (pruning.ok() && pruning.value().has_value() && pruning.value()->before > first) {
      return {ErrorCode::kAborted, "records " + std::to_string(first) + " to " +
                                       std::to_string(end - 1) +
                                       " were pruned while they were to be exported; begin again"};
    }
  }
  // What was signed and cannot be read is lost, whatever the file system says of it.
  return {ErrorCode::kDataLoss, error.message};
}

std::string NameOf(const CheckedLog& log) {
  return log.key().substr(0, log.key().find('+'));
}

}  // namespace

Result<ExportCursor> ParseExportCursor(std::string_view text) {
  const Json json = NACRE_TRY(ParseJson(text, {.bytes_max = kCursorBytesMax, .depth_max = 2}));
  ExportCursor cursor{.log = StringMember(json, "log"), .leaf = StringMember(json, "leaf")};
  const Json* next = FindMember(json, "next");
  constexpr size_t kHashDigits = 64;
  const bool shaped = json.is_object() && json.size() == 3 && !cursor.log.empty() &&
                      next != nullptr && next->is_number_unsigned();
  cursor.next = shaped ? next->get<uint64_t>() : 0;
  if (!shaped || cursor.leaf.size() != (cursor.next == 0 ? 0 : kHashDigits)) {
    return Error{ErrorCode::kInvalidArgument, "it is no cursor of an export"};
  }
  return cursor;
}

Result<ExportCursor> ReadExportCursor(const std::string& file) {
  const std::string text = NACRE_TRY(ReadRegularFile(file, kCursorBytesMax, Links::kFollow));
  auto cursor = ParseExportCursor(text);
  return cursor.ok() ? std::move(cursor) : Result<ExportCursor>(WithContext(file, cursor.error()));
}

std::string ToText(const ExportCursor& cursor) {
  return DumpJson(Json{{"log", cursor.log}, {"next", cursor.next}, {"leaf", cursor.leaf}}) + "\n";
}

Status CheckExportCursor(const std::string& directory, const ExportCursor& cursor) {
  CheckedLog log = NACRE_TRY(CheckedLog::Open(directory));
  if (log.tree() == nullptr) {
    return Error{ErrorCode::kDataLoss, log.problem() + "; see nacre audit verify"};
  }
  if (const std::string name = NameOf(log); cursor.log != name) {
    return OfAnotherLog("it", cursor.log, name);
  }
  if (cursor.next == 0) {
    return Ok();
  }
  if (cursor.next > log.signed_records()) {
    return DoesNotGoOn(cursor.next);
  }
  const uint64_t last = cursor.next - 1;
  Sha256Digest leaf{};
  if (auto bundle = log.Bundle(last / kTileWidth); bundle.ok()) {
    leaf = bundle.value().records.at(last % kTileWidth).leaf;
  } else if (bundle.error().code == ErrorCode::kNotFound) {  // pruned: its hash is there
    const auto kept = log.tree()->CheckedRoot(0, last);
    if (!kept.ok()) {
      return HashLost(last, kept.error());
    }
    leaf = kept.value();
  } else {
    return NotRead(log, last / kTileWidth, bundle.error());
  }
  return ToHex(leaf) == cursor.leaf ? Ok() : Status(DoesNotGoOn(cursor.next));
}

Result<uint64_t> ExportLog(const std::string& directory, const ExportOptions& options,
                           const std::function<Status(std::string_view lines)>& sink) {
  CheckedLog log = NACRE_TRY(CheckedLog::Open(directory));
  if (log.tree() == nullptr) {
    return Error{ErrorCode::kDataLoss,
                 "nothing is exported: " + log.problem() + "; see nacre audit verify"};
  }
  ExportOptions own = options;
  own.source.log = NameOf(log);
  ExportCursor cursor = NACRE_TRY(LoadCursor(options.cursor_file, own.source.log));
  const Error other = DoesNotGoOn(cursor.next);
  if (cursor.next > log.signed_records()) {
    return other;
  }
  const auto pruning = NACRE_TRY(FindPruning(log));
  const uint64_t first = pruning.has_value() ? pruning->before : 0;
  if (cursor.next != 0 && cursor.next < first) {
    return Error{ErrorCode::kFailedPrecondition,
                 "records " + std::to_string(cursor.next) + " to " + std::to_string(first - 1) +
                     " were pruned before they were exported: " + Describe(*pruning) +
                     "; remove the cursor to go on with record " + std::to_string(first)};
  }
  if (first != 0 && (cursor.next == 0 || cursor.next == first)) {
    // The record before the next is gone, its hash is not.
    const auto kept = log.tree()->CheckedRoot(0, first - 1);
    if (!kept.ok()) {
      return HashLost(first - 1, kept.error());
    }
    const std::string leaf = ToHex(kept.value());
    if (cursor.next == first && leaf != cursor.leaf) {
      return other;
    }
    if (cursor.next == 0 && options.begins_after != nullptr) {
      options.begins_after(*pruning);
    }
    cursor.next = first;
    cursor.leaf = leaf;
  }
  const ContentKeys keys(directory);
  uint64_t exported = 0;
  // The record before the next is looked at first.
  for (uint64_t number = std::max(cursor.next == 0 ? 0 : cursor.next - 1, first) / kTileWidth;
       number * kTileWidth < log.signed_records(); ++number) {
    const Result<CheckedBundle> read = log.Bundle(number);
    if (!read.ok()) {
      return NotRead(log, number, read.error());
    }
    const CheckedBundle& bundle = read.value();
    std::string lines;
    const uint64_t end = std::min(bundle.first + bundle.records.size(), log.signed_records());
    ExportCursor now = cursor;
    for (uint64_t index = bundle.first; index < end; ++index) {
      const CheckedBundle::Record& record = bundle.records[index - bundle.first];
      if (index + 1 == cursor.next && ToHex(record.leaf) != cursor.leaf) {
        return other;
      }
      if (index < cursor.next) {
        continue;
      }
      std::string_view bytes = bundle.BytesOf(record);
      std::string opened;
      if (options.open_contents && MayBeSealed(bytes)) {
        Json json = NACRE_TRY(ParseRecord(bytes));
        OpenContents(keys, &json);
        if (options.erasures != nullptr) {
          options.erasures->Explain(&json);
        }
        opened = DumpJson(json);
        bytes = opened;
      }
      const auto line = FormatRecord(own.format, own.source,
                                     {.index = index, .bytes = bytes, .leaf = record.leaf});
      if (!line.ok()) {
        return WithContext("record " + std::to_string(index), line.error());
      }
      lines += line.value() + "\n";
      now.next = index + 1;
      now.leaf = ToHex(record.leaf);
    }
    if (now == cursor) {
      continue;
    }
    if (options.after_lines != nullptr) {
      *options.after_lines = now;
    }
    NACRE_TRY(sink(lines));
    if (!options.cursor_file.empty()) {
      NACRE_TRY(WriteFileAtomically(options.cursor_file, ToText(now)));
    }
    exported += now.next - cursor.next;
    cursor = now;
  }
  return exported;
}

}  // namespace nacre::audit
