// LogIndex: where in a log to look. It is made of the log, in a directory of its own that may be deleted at any
// time, and tells bundles that may have a record with some terms. It never answers by itself: who asks reads
// the log.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/index_segment.h"

namespace nacre::audit {

// Not thread-safe. Processes may use one directory side by side: files are only ever replaced by equal ones.
class LogIndex final {
 public:
  // Makes the directory (0700) and the secret in it when absent.
  static Result<LogIndex> Open(std::string directory, Random& random);

  // Takes in what was signed since the last time, and makes anew what is not as it was written or not of
  // these records. `progress`, unless null, is called now and then with how many records were read. Answers an
  // error only when a file cannot be written; what is there then serves.
  Status Update(CheckedLog& log, const std::function<void(uint64_t records)>& progress);

  // What Update() found and replaced, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

  // Of the first `bundles` of the log, ascending: ranges of those that may have a record with all of the terms and, when
  // `since` or `until` are not 0, from one and before the other (TimeDigits).
  Result<std::vector<BundleRange>> Candidates(uint64_t bundles, const std::vector<Term>& terms,
                                              uint64_t since, uint64_t until) const;

 private:
  struct Part {
    SegmentName name;
    IndexSegment segment;
  };

  LogIndex(std::string directory, IndexSegment::Secret secret)
      : directory_(std::move(directory)), secret_(std::move(secret)) {}
  Result<IndexSegment> OpenSegment(CheckedLog& log, const SegmentName& name);
  Result<SegmentContent> Read(CheckedLog& log, const SegmentName& name);
  Result<SegmentContent> Build(CheckedLog& log, const SegmentName& name);

  std::string directory_;
  IndexSegment::Secret secret_;
  std::function<void(uint64_t)> progress_;
  uint64_t records_read_ = 0;
  uint64_t first_ = 0;  // of the records that are there: those before were pruned, as was signed
  std::vector<Part> parts_;
  std::vector<std::string> notes_;
};

}  // namespace nacre::audit
