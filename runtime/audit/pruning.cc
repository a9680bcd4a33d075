#include "runtime/audit/pruning.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/safe_text.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

constexpr size_t kPointerBytesMax = 32;

// The index in the file `pruned`; nothing is known of what stands there.
std::optional<uint64_t> Pointer(const std::string& directory) {
  const auto text = ReadRegularFile(directory + "/" + kPrunedFile, kPointerBytesMax);
  if (!text.ok()) {
    return std::nullopt;
  }
  uint64_t index = 0;
  const char* end = text.value().data() + text.value().size();
  const auto [last, problem] = std::from_chars(text.value().data(), end, index);
  const bool whole = problem == std::errc() && std::string_view(last, end) == "\n";
  return whole ? std::optional(index) : std::nullopt;
}

// Of a record that is in the tree: is what it says true of the tree?
bool IsTrue(CheckedLog& log, const Pruning& pruning) {
  if (pruning.record >= log.signed_records()) {
    return false;
  }
  const auto root = log.tree()->RootAt(pruning.before);
  return root.ok() && ToHex(root.value()) == pruning.root;
}

// The last one in a bundle that is as it was signed.
std::optional<Pruning> LastIn(CheckedLog& log, uint64_t number) {
  std::optional<Pruning> last;
  const auto bundle = log.Bundle(number);
  for (size_t i = 0; bundle.ok() && i < bundle.value().records.size(); ++i) {
    const std::string_view bytes = bundle.value().BytesOf(bundle.value().records[i]);
    if (bytes.find(kPrunedEvent) == std::string_view::npos) {
      continue;
    }
    const auto record = ParseRecord(bytes);
    const auto found = record.ok() ? ParsePruning(bundle.value().first + i, record.value())
                                   : std::optional<Pruning>();
    if (found.has_value() && IsTrue(log, *found)) {
      last = found;
    }
  }
  return last;
}

}  // namespace

std::optional<Pruning> ParsePruning(uint64_t index, const Json& record) {
  const Json* data = FindMember(record, "data");
  if (data == nullptr || StringMember(record, "event") != kPrunedEvent) {
    return std::nullopt;
  }
  const int64_t before = IntMember(*data, "before");
  if (before <= 0 || static_cast<uint64_t>(before) % kTileWidth != 0 ||
      static_cast<uint64_t>(before) > index) {
    return std::nullopt;
  }
  return Pruning{.before = static_cast<uint64_t>(before),
                 .root = StringMember(*data, "root"),
                 .rule = StringMember(*data, "rule"),
                 .record = index,
                 .time = StringMember(record, "time")};
}

std::string Describe(const Pruning& pruning) {
  return "records 0 to " + std::to_string(pruning.before - 1) + " were pruned on " +
         SafeLine(pruning.time, 32) + " by " + SafeLine(pruning.rule, 200) + " (record " +
         std::to_string(pruning.record) + ")";
}

std::optional<Pruning> ReadClaim(const std::string& directory) {
  const auto index = Pointer(directory);
  if (!index.has_value()) {
    return std::nullopt;
  }
  EntryReader reader(directory, *index);
  std::string_view entry;
  const auto more = reader.Next(&entry);
  if (!more.ok() || !more.value()) {
    return std::nullopt;
  }
  const auto record = ParseRecord(entry);
  return record.ok() ? ParsePruning(*index, record.value()) : std::nullopt;
}

uint64_t FirstRecord(const std::string& directory) {
  const auto claim = ReadClaim(directory);
  const uint64_t there = FirstBundle(directory).value_or(0) * kTileWidth;
  return std::max(there, claim.has_value() ? claim->before : 0);
}

std::optional<Pruning> NewestPruning(CheckedLog& log) {
  if (log.tree() == nullptr) {
    return std::nullopt;
  }
  const uint64_t first = FirstRecord(log.directory());
  const auto claim = ReadClaim(log.directory());
  if (claim.has_value() && claim->before >= first) {
    if (auto last = LastIn(log, claim->record / kTileWidth);
        last.has_value() && last->before >= first) {
      return last;
    }
  }
  // The file is not what a writer left: the newest record that says so is looked for.
  std::vector<BundleRange> gaps;
  const std::vector<uint64_t> there = BundlesThere(
      log.directory(), {first / kTileWidth, log.signed_records() / kTileWidth + 1}, &gaps);
  for (auto number = there.rbegin(); number != there.rend(); ++number) {
    if (auto last = LastIn(log, *number)) {
      return last;
    }
  }
  return std::nullopt;
}

Result<std::optional<Pruning>> FindPruning(CheckedLog& log) {
  const uint64_t first = FirstRecord(log.directory());
  if (first == 0) {
    return std::optional<Pruning>();
  }
  auto said = NewestPruning(log);
  const uint64_t before = said.has_value() ? said->before : 0;
  if (before < first) {
    return Error{ErrorCode::kDataLoss,
                 "records " + std::to_string(before) + " to " + std::to_string(first - 1) +
                     ": missing, and no signed record says that they were pruned"};
  }
  return said;
}

}  // namespace nacre::audit
