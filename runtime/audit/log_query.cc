#include "runtime/audit/log_query.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/content_keys.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/erasures.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/log_index.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

using Found = std::vector<std::pair<uint64_t, Json>>;

class Search final {
 public:
  Search(CheckedLog& log, const RecordFilter& filter, uint64_t first, Erasures erasures,
         bool explain, QueryReport* report)
      : log_(log),
        filter_(filter),
        needles_(NeedlesOf(filter)),
        first_(first),
        keys_(log.directory()),
        erasures_(std::move(erasures)),
        explain_(explain),
        report_(report) {}

  // The matching records of a bundle. Nothing, and a problem, when it is not as it was signed.
  Found In(uint64_t number) {
    Found found;
    const auto bundle = log_.Bundle(number);
    ++report_->bundles_read;
    if (!bundle.ok() && bundle.error().code == ErrorCode::kNotFound &&
        number < FirstRecord(log_.directory()) / kTileWidth) {
      return found;  // pruned meanwhile
    }
    if (!bundle.ok()) {
      report_->problems.push_back(bundle.error().message);
      return found;
    }
    for (size_t i = 0; i < bundle.value().records.size(); ++i) {
      const std::string_view bytes = bundle.value().BytesOf(bundle.value().records[i]);
      if (!std::all_of(needles_.begin(), needles_.end(), [&](const std::string& needle) {
            return bytes.find(needle) != std::string_view::npos;
          })) {
        continue;
      }
      const uint64_t index = bundle.value().first + i;
      auto record = ParseRecord(bytes);
      if (!record.ok()) {
        report_->problems.push_back("record " + std::to_string(index) + ": " +
                                    record.error().message);
        continue;
      }
      if (MayBeSealed(bytes)) {
        OpenContents(keys_, &record.value());
      }
      if (index >= first_ && Matches(filter_, record.value())) {
        if (explain_ && MayBeSealed(bytes)) {
          erasures_.Explain(&record.value());
        }
        found.emplace_back(index, std::move(record).value());
      }
    }
    return found;
  }

 private:
  CheckedLog& log_;
  const RecordFilter& filter_;
  const std::vector<std::string> needles_;
  const uint64_t first_;
  const ContentKeys keys_;
  Erasures erasures_;
  const bool explain_;
  QueryReport* report_;
};

// How many bundles there are: as many as were signed, and those after them.
uint64_t CountBundles(const CheckedLog& log) {
  uint64_t count = log.signed_records() / kTileWidth + (log.signed_records() % kTileWidth > 0);
  while (OpenForReading(log.directory() + "/" + BundlePath(count)).ok()) {
    ++count;
  }
  return count;
}

using Ranges = std::vector<BundleRange>;

Ranges Union(Ranges ranges, const Ranges& others) {
  ranges.insert(ranges.end(), others.begin(), others.end());
  std::sort(ranges.begin(), ranges.end(),
            [](const BundleRange& a, const BundleRange& b) { return a.first < b.first; });
  Ranges joined;
  for (const BundleRange& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

Ranges FindCandidates(CheckedLog& log, const RecordFilter& filter, const QueryOptions& options,
                      Random& random, QueryReport* report) {
  const Ranges all = {{0, report->bundles}};
  if (options.index_directory.empty() || log.tree() == nullptr) {
    return all;
  }
  auto index = LogIndex::Open(options.index_directory, random);
  if (index.ok()) {
    const Status updated = index.value().Update(log, options.progress);
    report->notes = index.value().notes();
    if (!updated.ok()) {
      report->notes.push_back("the index is not up to date: " + updated.error().message);
    }
    const auto with = [&](const std::vector<Term>& terms) {
      return index.value().Candidates(report->bundles, terms, TimeDigits(filter.since),
                                      TimeDigits(filter.until));
    };
    auto candidates = with(TermsOf(filter));
    if (candidates.ok() && !(filter.text.empty() && filter.path.empty())) {
      // The index has no words of what is sealed: all of it is looked at.
      RecordFilter other = filter;
      other.text.clear();
      other.path.clear();
      std::vector<Term> terms = TermsOf(other);
      terms.push_back(SealedTerm());
      const auto sealed = with(terms);
      if (sealed.ok()) {
        return Union(std::move(candidates).value(), sealed.value());
      }
      candidates = sealed.error();
    }
    if (candidates.ok()) {
      return std::move(candidates).value();
    }
    report->notes.push_back(candidates.error().message + "; the whole log is read");
    return all;
  }
  report->notes.push_back("no index, the whole log is read: " + index.error().message);
  return all;
}

// The candidates that are there, from the bundle `first` on. What is missing is a problem, unless it was pruned
// meanwhile.
std::vector<uint64_t> FindThere(const CheckedLog& log, const Ranges& candidates, uint64_t first,
                                QueryReport* report) {
  std::vector<uint64_t> there;
  Ranges gaps;
  for (const BundleRange& range : candidates) {
    const auto some =
        BundlesThere(log.directory(), {std::max(first, range.first), range.end}, &gaps);
    there.insert(there.end(), some.begin(), some.end());
  }
  for (const BundleRange& gap : gaps) {
    if (gap.first >= FirstRecord(log.directory()) / kTileWidth) {
      report->problems.push_back("records " + std::to_string(gap.first * kTileWidth) + " to " +
                                 std::to_string(gap.end * kTileWidth - 1) +
                                 ": missing; see nacre audit verify");
    }
  }
  return there;
}

}  // namespace

Result<QueryReport> QueryAuditLog(
    const std::string& directory, const RecordFilter& filter, const QueryOptions& options,
    Random& random, const std::function<bool(uint64_t index, const Json& record)>& visit) {
  CheckedLog log = NACRE_TRY(CheckedLog::Open(directory));
  QueryReport report;
  report.signed_records = log.signed_records();
  report.bundles = CountBundles(log);
  if (!log.problem().empty()) {
    report.problems.push_back(log.problem());
  }
  uint64_t first = options.first_record;
  if (const auto pruning = FindPruning(log); !pruning.ok()) {
    report.problems.push_back(pruning.error().message);
    first = std::max(first, FirstRecord(directory));
  } else if (pruning.value().has_value()) {
    report.pruned = pruning.value();
    first = std::max(first, report.pruned->before);
  }
  const std::vector<uint64_t> candidates = FindThere(
      log, FindCandidates(log, filter, options, random, &report), first / kTileWidth, &report);
  Search search(log, filter, first, Erasures(directory, options.index_directory, random),
                options.explain_erased, &report);
  if (options.newest == 0) {
    for (const uint64_t number : candidates) {
      for (const auto& [index, record] : search.In(number)) {
        ++report.found;
        if (!visit(index, record)) {
          return report;
        }
      }
    }
    return report;
  }
  std::vector<Found> newest;  // of one bundle each, the last one first
  for (auto number = candidates.rbegin();
       number != candidates.rend() && report.found < options.newest; ++number) {
    Found found = search.In(*number);
    const uint64_t left = options.newest - report.found;
    if (found.size() > left) {
      found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(left));
    }
    report.found += found.size();
    newest.push_back(std::move(found));
  }
  for (auto part = newest.rbegin(); part != newest.rend(); ++part) {
    for (const auto& [index, record] : *part) {
      if (!visit(index, record)) {
        return report;
      }
    }
  }
  return report;
}

std::string IndexDirectory(const std::string& parent, const std::string& directory) {
  const auto key = ReadRegularFile(directory + "/" + kPublicKeyFile, kCheckpointBytesMax);
  constexpr size_t kDigits = 16;
  return parent + "/" + ToHex(Sha256(key.ok() ? key.value() : "")).substr(0, kDigits);
}

}  // namespace nacre::audit
