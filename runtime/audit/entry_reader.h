// EntryReader: the records of a log from a given index on, bounded, without a lock: what a writer
// adds meanwhile is seen as whole records or as an unfinished tail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/regular_file.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {

constexpr size_t kEntryPrefixBytes = 2;  // the length, big-endian
constexpr uint64_t kBundleBytesMax = kTileWidth * (kEntryPrefixBytes + kRecordBytesMax);

void AppendEntry(std::string_view record, std::string* bundle);
// The same for a record that is written where it will stand: behind what BeginEntry() left room for, whose answer
// EndEntry() takes. Answers the record.
size_t BeginEntry(std::string* bundle);
std::string_view EndEntry(size_t begin, std::string* bundle);

enum class EntryState {
  kShort = 0,  // the bytes end within it, there are none, or zeros: place for the next one
  kBad,        // its length is that of no record
  kWhole,
};
// The entry at the beginning of `bytes`, without its length, in *entry when it is whole.
EntryState FirstEntry(std::string_view bytes, std::string_view* entry);

// Not thread-safe.
class EntryReader final {
 public:
  EntryReader(std::string directory, uint64_t first_index);

  // True and the record in *entry, valid until the next call. False at the end of the log; then
  // tail() is what follows the last whole record, and zeros at its end are place for the next ones. kNotFound when the log has no record at
  // first_index - 1, or no first bundle; kDataLoss for a bundle that is none, or is missing before later ones;
  // kAborted when the next records were pruned meanwhile.
  Result<bool> Next(std::string_view* entry);

  // Of the record that the next call returns.
  uint64_t index() const { return index_; }
  std::string_view tail() const { return std::string_view(buffer_).substr(begin_); }

 private:
  Result<bool> OpenBundle();
  Status CheckEnd() const;
  // True when other bytes follow the last entry than were known.
  Result<bool> ReadMore();
  std::string BundleName() const { return BundlePath(index_ / kTileWidth); }

  const std::string directory_;
  const uint64_t first_;
  uint64_t index_;
  bool open_ = false;  // the bundle that holds index_ was opened already
  UniqueFd file_;      // of it; none when it is a compressed one, which is in buffer_ then
  std::string buffer_;
  size_t begin_ = 0;  // of the entry index_ in buffer_
  std::string read_;  // room for ReadMore(), used again: it is called for each bundle
};

}  // namespace nacre::audit
