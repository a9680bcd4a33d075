#include "runtime/audit/record_lookup.h"

#include <algorithm>
#include <charconv>

#include "base/ids.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/base64.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/newest_checkpoint.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/tile_reader.h"

namespace nacre::audit {
namespace {

// Among the records from `begin` to before `end`.
Result<std::optional<uint64_t>> FindBetween(const std::string& directory, std::string_view id,
                                            uint64_t begin, uint64_t end) {
  std::optional<uint64_t> found;
  NACRE_TRY(ReadAuditLog(directory, begin, [&](uint64_t index, const Json& record) {
    if (index < end && StringMember(record, "id") == id) {
      found = index;
    }
    return index < end && !found.has_value();
  }));
  return found;
}

Result<std::string> IdOf(const std::string& directory, uint64_t index) {
  std::string id;
  NACRE_TRY(ReadAuditLog(directory, index, [&](uint64_t, const Json& record) {
    id = StringMember(record, "id");
    return false;
  }));
  return id;
}

Result<uint64_t> FindId(const std::string& directory, std::string_view id) {
  // The last bundle that begins before it, and its neighbours: writers may overtake each other.
  uint64_t low = 0;
  uint64_t high = RecordsHint(directory) / kTileWidth + 1;
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    const std::string first = NACRE_TRY(IdOf(directory, middle * kTileWidth));
    (first.empty() || first > id ? high : low) = middle;
  }
  const uint64_t from = low == 0 ? 0 : (low - 1) * kTileWidth;
  auto found = NACRE_TRY(FindBetween(directory, id, from, (low + 2) * kTileWidth));
  if (!found.has_value()) {
    found = NACRE_TRY(FindBetween(directory, id, 0, UINT64_MAX));
  }
  if (!found.has_value()) {
    return Error{ErrorCode::kNotFound, "the audit log has no record " + std::string(id)};
  }
  return *found;
}

// Fills in the proof, or says why there is none.
Status Prove(const std::string& directory, FoundRecord* found) {
  const KeyChain keys = NACRE_TRY(KeyChain::Load(directory));
  const NewestCheckpoint newest = NACRE_TRY(ReadNewestCheckpoint(directory, keys));
  const Checkpoint& checkpoint = newest.checkpoint;
  found->note = newest.note;
  if (checkpoint.size <= found->index) {
    return Error{ErrorCode::kFailedPrecondition, "no signature covers it yet"};
  }
  TileReader tiles = NACRE_TRY(TileReader::Open(directory, checkpoint.size, newest.published_size));
  found->proof = NACRE_TRY(tiles.InclusionProof(found->index));
  found->tree_size = checkpoint.size;
  const Sha256Digest root =
      NACRE_TRY(RootOfInclusion(found->leaf, found->index, checkpoint.size, found->proof));
  if (root != checkpoint.root) {
    return Error{ErrorCode::kDataLoss, "its hash does not lead to the root that was signed over " +
                                           std::to_string(checkpoint.size) +
                                           " records; see nacre audit verify"};
  }
  return Ok();
}

}  // namespace

Result<FoundRecord> FindRecord(const std::string& directory, std::string_view which) {
  FoundRecord found;
  const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), found.index);
  if (IsUlid(which)) {
    found.index = NACRE_TRY(FindId(directory, which));
  } else if (error != std::errc() || end != which.data() + which.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 "a record is named by its index or its ULID; nacre audit tail shows the newest"};
  }
  const uint64_t first = FirstRecord(directory);
  if (found.index < first) {
    CheckedLog log = NACRE_TRY(CheckedLog::Open(directory));
    if (log.tree() == nullptr) {
      return Error{
          ErrorCode::kDataLoss,
          "record " + std::to_string(found.index) +
              " is not there, and whether it was pruned is not to be told: " + log.problem()};
    }
    const auto claim = NACRE_TRY(FindPruning(log));
    return Error{ErrorCode::kNotFound,
                 "record " + std::to_string(found.index) + " is not there any more: " +
                     (claim.has_value() ? Describe(*claim) : "the log begins with a later one") +
                     "; its hash is in the tree, see nacre audit verify"};
  }
  const uint64_t begin = found.index == first ? first : found.index - 1;
  EntryReader reader(directory, begin);
  std::string_view entry;
  for (uint64_t index = begin; index <= found.index + 1; ++index) {
    const Result<bool> more = reader.Next(&entry);
    if (!more.ok() && index <= found.index && more.error().code == ErrorCode::kNotFound) {
      break;
    }
    if (!more.ok() && index <= found.index) {
      return WithContext("audit record " + std::to_string(index), more.error());
    }
    if (!more.ok() || !more.value()) {
      break;
    }
    const auto record = ParseRecord(entry);
    if (index == found.index) {
      if (!record.ok()) {
        return WithContext("audit record " + std::to_string(index), record.error());
      }
      found.bytes = std::string(entry);
      found.leaf = LeafHash(entry);
      found.record = record.value();
    } else if (record.ok()) {
      (index < found.index ? found.before : found.after) = record.value();
    }
  }
  if (found.bytes.empty()) {
    return Error{ErrorCode::kNotFound,
                 "the audit log has no record " + std::to_string(found.index)};
  }
  if (const Status proven = Prove(directory, &found); !proven.ok()) {
    found.unproven_because = proven.error().message;
  }
  return found;
}

Result<std::string> ToTlogProof(const FoundRecord& found) {
  if (!found.unproven_because.empty()) {
    return Error{
        ErrorCode::kFailedPrecondition,
        "record " + std::to_string(found.index) + " cannot be proved: " + found.unproven_because};
  }
  std::string text = "c2sp.org/tlog-proof@v1\nindex " + std::to_string(found.index) + "\n";
  for (const Sha256Digest& hash : found.proof) {
    text += EncodeBase64(std::string(hash.begin(), hash.end())) + "\n";
  }
  return text + "\n" + found.note;
}

}  // namespace nacre::audit
