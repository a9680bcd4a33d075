#include "runtime/audit/log_index.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/json.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr int kPlaceBits = 24;

Result<std::string> LoadSecret(const std::string& directory, Random& random) {
  const std::string path = directory + "/secret";
  auto secret = ReadRegularFile(path, kSecretBytes);
  if (secret.ok() && secret.value().size() == kSecretBytes) {
    return secret;
  }
  std::array<uint8_t, kSecretBytes> bytes{};
  random.Fill(bytes);
  NACRE_TRY(WriteFileAtomically(path, std::string(bytes.begin(), bytes.end())));
  return ReadRegularFile(path, kSecretBytes);  // another process may have been faster
}

void AddBundle(const CheckedBundle& bundle, uint64_t place, SegmentContent* content) {
  TimeRange range;
  std::vector<Term> terms;
  bool all = false;
  for (const CheckedBundle::Record& record : bundle.records) {
    const uint64_t time = TimeDigits(TimeOf(bundle.BytesOf(record)));
    range.first = std::min(range.first, time);
    range.last = time == 0 ? UINT64_MAX : std::max(range.last, time);
    all = !AddTerms(bundle.BytesOf(record), &terms) || all;
  }
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  if (all || terms.size() > kBundleTermsMax) {
    terms = {0};
  }
  content->times.push_back(range);
  for (const Term term : terms) {
    content->places.push_back(term << kPlaceBits | place);
  }
}

// The first bundle of the range that is there; its end when none is.
uint64_t NextThere(const CheckedLog& log, const BundleRange& range) {
  return std::min(BundleFrom(log.directory(), range.first).value_or(range.end), range.end);
}

}  // namespace

Result<LogIndex> LogIndex::Open(std::string directory, Random& random) {
  NACRE_TRY(MakeDirectories(directory));
  std::string secret = NACRE_TRY(LoadSecret(directory, random));
  return LogIndex(std::move(directory), std::move(secret));
}

Result<IndexSegment> LogIndex::OpenSegment(CheckedLog& log, const SegmentName& name) {
  const Sha256Digest root =
      NACRE_TRY(log.tree()->CheckedRoot(8 + SegmentBundlesLog2(name.level), name.number));
  return IndexSegment::Open(directory_, name, secret_, root);
}

// From the file, or else from the log.
Result<SegmentContent> LogIndex::Read(CheckedLog& log, const SegmentName& name) {
  const auto segment = OpenSegment(log, name);
  if (segment.ok()) {
    auto content = segment.value().Content();
    if (content.ok()) {
      return content;
    }
  }
  return Build(log, name);
}

// NOLINTNEXTLINE(misc-no-recursion): kSegmentLevels deep
Result<SegmentContent> LogIndex::Build(CheckedLog& log, const SegmentName& name) {
  if (name.level > 0) {
    std::vector<SegmentContent> parts;
    for (uint64_t part = 0; part < SegmentBundles(0); ++part) {
      parts.push_back(
          NACRE_TRY(Read(log, {name.level - 1, name.number * SegmentBundles(0) + part})));
    }
    return Join(parts, name.level - 1);
  }
  SegmentContent content;
  for (uint64_t place = 0; place < SegmentBundles(0); ++place) {
    const uint64_t number = name.number * SegmentBundles(0) + place;
    if (number < first_ / kTileWidth) {
      content.times.emplace_back();
      continue;
    }
    const CheckedBundle bundle = NACRE_TRY(log.Bundle(number));
    AddBundle(bundle, place, &content);
  }
  records_read_ += SegmentBundles(0) * kTileWidth;
  if (progress_ != nullptr) {
    progress_(records_read_);
  }
  std::sort(content.places.begin(), content.places.end());
  return content;
}

Status LogIndex::Update(CheckedLog& log, const std::function<void(uint64_t)>& progress) {
  progress_ = progress;
  parts_.clear();
  if (log.tree() == nullptr) {
    return Ok();
  }
  const auto pruning = FindPruning(log);
  first_ = pruning.ok() && pruning.value().has_value() ? pruning.value()->before : 0;
  const uint64_t end = log.signed_records() / kTileWidth;
  for (uint64_t begin = 0; begin + SegmentBundles(0) <= end;) {
    SegmentName name;
    for (int level = 0; level < kSegmentLevels; ++level) {
      if (begin % SegmentBundles(level) == 0 && begin + SegmentBundles(level) <= end) {
        name = {level, begin / SegmentBundles(level)};
      }
    }
    begin += SegmentBundles(name.level);
    auto segment = OpenSegment(log, name);
    if (!segment.ok()) {
      if (segment.error().code != ErrorCode::kNotFound) {
        notes_.push_back(segment.error().message + "; made anew from the log");
      }
      const auto content = Build(log, name);
      if (!content.ok()) {
        // The log is damaged there: whoever searches looks at all of it, and is told. What a signature covers
        // and nobody has is passed over at once.
        begin = std::max(begin, NextThere(log, {begin, end}) & ~(SegmentBundles(0) - 1));
        continue;
      }
      const Sha256Digest root =
          NACRE_TRY(log.tree()->CheckedRoot(8 + SegmentBundlesLog2(name.level), name.number));
      NACRE_TRY(IndexSegment::Write(directory_, name, secret_, root, content.value()));
      segment = OpenSegment(log, name);
      if (!segment.ok()) {
        return segment.error();
      }
      for (uint64_t part = 0; name.level > 0 && part < SegmentBundles(0); ++part) {
        const SegmentName below{name.level - 1, name.number * SegmentBundles(0) + part};
        ::unlink((directory_ + "/" + below.File()).c_str());
      }
    }
    parts_.push_back({name, std::move(segment).value()});
  }
  return Ok();
}

Result<std::vector<BundleRange>> LogIndex::Candidates(uint64_t bundles,
                                                      const std::vector<Term>& terms,
                                                      uint64_t since, uint64_t until) const {
  std::vector<BundleRange> found;
  uint64_t next = 0;
  const auto unknown_to = [&](uint64_t end) {
    if (next < end) {
      found.push_back({next, end});
    }
  };
  for (const Part& part : parts_) {
    const uint64_t first = part.name.number * SegmentBundles(part.name.level);
    unknown_to(std::min(first, bundles));
    const std::vector<uint32_t> places = NACRE_TRY(part.segment.Candidates(terms));
    std::vector<TimeRange> times;
    if (!places.empty() && (since != 0 || until != 0)) {
      times = NACRE_TRY(part.segment.Times());
    }
    for (const uint32_t place : places) {
      if (place >= SegmentBundles(part.name.level)) {
        return Error{ErrorCode::kInternal, "the index names a bundle beyond its end"};
      }
      const bool in_time = times.empty() || ((since == 0 || times[place].last >= since) &&
                                             (until == 0 || times[place].first < until));
      if (in_time && first + place < bundles) {
        found.push_back({first + place, first + place + 1});
      }
    }
    next = first + SegmentBundles(part.name.level);
  }
  unknown_to(bundles);
  return found;
}

}  // namespace nacre::audit
