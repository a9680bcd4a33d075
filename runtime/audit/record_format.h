// The bytes of one record: JSON with exactly the keys of docs/audit-log.md, in canonical form (RFC
// 8785), so on one line. These bytes are the leaf of the Merkle tree.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/audit_record.h"

namespace nacre::audit {

constexpr size_t kRecordBytesMax = 60'000;  // an entry of C2SP tlog-tiles holds 65,535
constexpr int kRecordDepthMax = 32;
constexpr size_t kRecordListBytesMax = 20'000;

// A record but for what only the writer knows: its place in the log. Made outside the writer's
// turn, because most of the work is here.
struct EncodedRecord {
  std::string before_index;
  std::string before_previous;
  std::string after_previous;
};

// Gives it time and id. kInvalidArgument when `data` cannot be canonical: it is no object, or has
// a fraction, an integer beyond 2^53-1, a key that is not ASCII, or too deep a nesting.
// kResourceExhausted when it is larger than kRecordBytesMax.
Result<EncodedRecord> EncodeRecord(const AuditRecord& record, const Clock& clock, Random& random);

// A text of any kind, such as a path or the name of an argument, as a key of a record: all that is not ASCII, and "%",
// as %XX for each byte. Different texts are different keys.
std::string RecordKey(std::string_view text);

// A list of a record's data whose length is not ours: the first of `count` entries, at most
// `entries_max` and kRecordListBytesMax bytes of them, so that a record has room for two such lists.
Json RecordList(size_t count, size_t entries_max, const std::function<Json(size_t)>& entry);

// The record's bytes. `previous` is the leaf hash of the record before in hexadecimal,
// empty for record 0.
std::string FinishRecord(const EncodedRecord& record, uint64_t index, std::string_view previous);
// The same behind what is in `out` already.
void AppendRecord(const EncodedRecord& record, uint64_t index, std::string_view previous,
                  std::string* out);
// The most that it can be then.
size_t RecordBytes(const EncodedRecord& record);

// ok when `line` is a canonical record with this index and link.
// kFailedPrecondition when only the link is wrong, kDataLoss for anything else.
Status CheckRecord(std::string_view line, uint64_t index, std::string_view previous);

// kDataLoss when it is no JSON object with the keys of a record.
Result<Json> ParseRecord(std::string_view line);

// The member `time` of a record, in whatever form it is; empty when it has none.
std::string_view TimeOf(std::string_view record);

// The labels that a record has; what is no text among them is left out.
std::vector<std::string> LabelsOf(const Json& record);

}  // namespace nacre::audit
