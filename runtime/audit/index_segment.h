// A file of the index: which of some bundles of the log have which terms, and when their records are of.
// Written once and never changed.
//
// Whoever reads one has two things to compare: the file's own code (HMAC-SHA256 under a secret beside it), and
// the root of the records that it was made of, which must be that in the signed tree. Then what it says
// of a term is what those records say, absence included; so a file that is damaged, forged, out of date or of
// another log is no answer but an error.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/audit/record_terms.h"

namespace nacre::audit {

// A segment of level L covers 16 * 16^L bundles, so 4,096, 65,536 or 1,048,576 records.
constexpr int kSegmentLevels = 3;
constexpr int SegmentBundlesLog2(int level) {
  return 4 * (level + 1);
}
constexpr uint64_t SegmentBundles(int level) {
  return uint64_t{1} << SegmentBundlesLog2(level);
}
// A bundle with more different terms than that is not told apart: it is a candidate always.
constexpr size_t kBundleTermsMax = 65'536;

struct SegmentName {
  int level = 0;
  uint64_t number = 0;  // it begins with the bundle number * SegmentBundles(level)

  std::string File() const { return std::to_string(level) + "-" + std::to_string(number); }
  friend bool operator==(const SegmentName&, const SegmentName&) = default;
};

// Of the records of a bundle, or of some: first and last, in order of the digits of their `time`.
struct TimeRange {
  uint64_t first = UINT64_MAX;
  uint64_t last = 0;
};

// "2026-11-26T12:00:00.123Z" as 20261126120000123; 0 when it is no such text.
uint64_t TimeDigits(std::string_view time);

struct SegmentContent {
  std::vector<TimeRange> times;  // of each bundle
  // The term in the upper 40 bits, the place of the bundle within the segment in the lower 24; sorted.
  // The term 0 stands for all terms.
  std::vector<uint64_t> places;
};

// The next larger one, of 16 that follow each other.
SegmentContent Join(const std::vector<SegmentContent>& parts, int level_of_parts);

class IndexSegment final {
 public:
  using Secret = std::string;

  // Writes it atomically. `root`: of the subtree of its records.
  static Status Write(const std::string& directory, const SegmentName& name, const Secret& secret,
                      const Sha256Digest& root, const SegmentContent& content);
  // kNotFound when there is none, kDataLoss when it is not what was written, or of other records.
  static Result<IndexSegment> Open(const std::string& directory, const SegmentName& name,
                                   const Secret& secret, const Sha256Digest& root);

  // The places of the bundles within the segment that may have a record with all of these terms; of all,
  // when there are no terms. Ascending.
  Result<std::vector<uint32_t>> Candidates(const std::vector<Term>& terms) const;
  // Of each bundle.
  Result<std::vector<TimeRange>> Times() const;
  Result<SegmentContent> Content() const;

 private:
  struct Block {
    uint64_t first = 0;  // its first word
    Sha256Digest digest{};
  };

  IndexSegment(UniqueFd file, std::string path, SegmentName name)
      : file_(std::move(file)), path_(std::move(path)), name_(name) {}
  Result<std::vector<uint64_t>> ReadBlock(size_t number) const;
  Result<std::vector<uint32_t>> PlacesOf(Term term) const;

  UniqueFd file_;
  std::string path_;
  SegmentName name_;
  std::vector<Block> blocks_;
  size_t time_blocks_ = 0;
  uint64_t words_ = 0;  // of the places
};

}  // namespace nacre::audit
