#include "runtime/audit/checked_log.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/newest_checkpoint.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

Error Named(uint64_t first, uint64_t last, ErrorCode code, const std::string& why) {
  return {code, "records " + std::to_string(first) + " to " + std::to_string(last) + ": " + why +
                    "; see nacre audit verify"};
}

}  // namespace

bool HasLog(const std::string& directory) {
  const auto there = [&](const char* file) { return OpenForReading(directory + "/" + file).ok(); };
  return there(kPublicKeyFile) || there(kHeadFile) || there(kCheckpointFile) ||
         FirstBundle(directory).has_value();
}

Result<CheckedLog> CheckedLog::Open(const std::string& directory) {
  const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) {
    return SysError("audit log " + directory, errno);
  }
  CheckedLog log(directory);
  if (const Status loaded = log.LoadTree(); !loaded.ok()) {
    log.tree_.reset();
    log.problem_ = loaded.error().message;
  }
  return log;
}

Status CheckedLog::LoadTree() {
  const KeyChain keys = NACRE_TRY(KeyChain::Load(directory_));
  key_ = keys.current().ToText();
  const NewestCheckpoint newest = NACRE_TRY(ReadNewestCheckpoint(directory_, keys));
  tree_.emplace(
      NACRE_TRY(TileReader::Open(directory_, newest.checkpoint.size, newest.published_size)));
  if (tree_->Root() != newest.checkpoint.root) {
    return Error{ErrorCode::kDataLoss,
                 "the hash tiles do not lead to the root that was signed over " +
                     std::to_string(newest.checkpoint.size) + " records"};
  }
  return Ok();
}

Result<CheckedBundle> CheckedLog::Bundle(uint64_t number) {
  auto bundle = Read(number);
  if (!bundle.ok()) {
    const uint64_t first = number * kTileWidth;
    const uint64_t covered = signed_records() > first ? signed_records() - first : kTileWidth;
    return Named(first, first + std::min(covered, kTileWidth) - 1, bundle.error().code,
                 bundle.error().message);
  }
  NACRE_TRY(Check(bundle.value()));
  return bundle;
}

Result<CheckedBundle> CheckedLog::Read(uint64_t number) const {
  CheckedBundle bundle;
  bundle.first = number * kTileWidth;
  bundle.file = NACRE_TRY(ReadBundle(directory_, number));
  std::string_view rest = bundle.file;
  std::string_view record;
  while (bundle.records.size() < kTileWidth && FirstEntry(rest, &record) == EntryState::kWhole) {
    const auto offset = static_cast<size_t>(record.data() - bundle.file.data());
    bundle.records.push_back({offset, record.size(), LeafHash(record)});
    rest.remove_prefix(kEntryPrefixBytes + record.size());
  }
  return bundle;
}

Status CheckedLog::Check(const CheckedBundle& bundle) {
  const auto bad = [&](uint64_t first, uint64_t last, const std::string& why) {
    return Named(first, last, ErrorCode::kDataLoss, why);
  };
  const uint64_t number = bundle.first / kTileWidth;
  const uint64_t covered =
      std::min(std::max(signed_records(), bundle.first) - bundle.first, kTileWidth);
  if (covered > 0) {
    std::vector<Sha256Digest> leaves;
    for (const CheckedBundle::Record& record : bundle.records) {
      leaves.push_back(record.leaf);
    }
    leaves.resize(std::min<size_t>(leaves.size(), covered));
    bool same = leaves.size() == covered;
    if (same && covered == kTileWidth) {
      const Result<Sha256Digest> root = tree_->CheckedRoot(8, number);
      if (!root.ok()) {
        return bad(bundle.first, bundle.first + covered - 1, root.error().message);
      }
      same = RootOfHashes(leaves) == root.value();
    } else if (same) {
      same = leaves == tree_->edge().open()[0];
    }
    if (!same) {
      return bad(bundle.first, bundle.first + covered - 1,
                 "they are not those that were signed over " + std::to_string(signed_records()) +
                     " records");
    }
  }
  // The rest is linked to them, and the first of a bundle to the last one of the bundle before.
  for (size_t i = covered; i < bundle.records.size(); ++i) {
    std::string previous;
    if (i > 0) {
      previous = ToHex(bundle.records[i - 1].leaf);
    } else if (number > 0) {
      EntryReader reader(directory_, bundle.first - 1);
      std::string_view before;
      const auto found = reader.Next(&before);
      if (!found.ok()) {
        return bad(bundle.first - 1, bundle.first - 1, found.error().message);
      }
      previous = found.value() ? ToHex(LeafHash(before)) : "";
    }
    if (const Status linked =
            CheckRecord(bundle.BytesOf(bundle.records[i]), bundle.first + i, previous);
        !linked.ok()) {
      return bad(bundle.first + i, bundle.first + bundle.records.size() - 1,
                 linked.error().message);
    }
  }
  return Ok();
}

}  // namespace nacre::audit
