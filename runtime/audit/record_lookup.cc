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

// kDataLoss where it may have been one of those that were signed and are gone. `index`: the record's, where it is known.
Error NotThere(const std::string& directory, const std::string& what,
               std::optional<uint64_t> index = std::nullopt) {
  const Result<KeyChain> keys = KeyChain::Load(directory);
  const auto newest = keys.ok() ? ReadNewestCheckpoint(directory, keys.value())
                                : Result<NewestCheckpoint>(keys.error());
  const uint64_t signed_records = newest.ok() ? newest.value().checkpoint.size : 0;
  std::string_view last;
  const auto end = signed_records > 0 ? EntryReader(directory, signed_records - 1).Next(&last)
                                      : Result<bool>(true);
  const bool complete = index.has_value() ? *index >= signed_records : end.ok() && end.value();
  if (!complete) {
    return {ErrorCode::kDataLoss, what + ", and of the " + std::to_string(signed_records) +
                                      " that were signed some are missing; see nacre audit verify"};
  }
  return {ErrorCode::kNotFound, what};
}

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
    return NotThere(directory, "the audit log has no record " + std::string(id));
  }
  return *found;
}

// The proof that a record is one of those that were signed.
Result<std::vector<Sha256Digest>> ProofOf(TileReader& tiles, const Checkpoint& checkpoint,
                                          uint64_t index, const Sha256Digest& leaf) {
  std::vector<Sha256Digest> proof = NACRE_TRY(tiles.InclusionProof(index));
  const Sha256Digest root = NACRE_TRY(RootOfInclusion(leaf, index, checkpoint.size, proof));
  if (root != checkpoint.root) {
    return Error{ErrorCode::kDataLoss, "its hash does not lead to the root that was signed over " +
                                           std::to_string(checkpoint.size) +
                                           " records; see nacre audit verify"};
  }
  return proof;
}

struct Neighbour {
  uint64_t index = 0;
  Sha256Digest leaf{};
};

// Fills in the proof, or says why there is none. A neighbour is evidence too: one that is not as it was signed is
// not shown, and takes nothing of the record's own proof.
Status Prove(const std::string& directory, const std::vector<Neighbour>& beside,
             FoundRecord* found) {
  const KeyChain keys = NACRE_TRY(KeyChain::Load(directory));
  const NewestCheckpoint newest = NACRE_TRY(ReadNewestCheckpoint(directory, keys));
  const Checkpoint& checkpoint = newest.checkpoint;
  found->note = newest.note;
  TileReader tiles = NACRE_TRY(TileReader::Open(directory, checkpoint.size, newest.published_size));
  for (const Neighbour& each : beside) {
    if (each.index >= checkpoint.size) {
      continue;
    }
    if (const auto proof = ProofOf(tiles, checkpoint, each.index, each.leaf); !proof.ok()) {
      (each.index < found->index ? found->before : found->after).reset();
      found->beside_hidden_because +=
          (found->beside_hidden_because.empty() ? "record " : "; record ") +
          std::to_string(each.index) + " beside it: " + proof.error().message;
    }
  }
  if (checkpoint.size <= found->index) {
    return Error{ErrorCode::kFailedPrecondition, "no signature covers it yet"};
  }
  found->tree_size = checkpoint.size;
  found->proof = NACRE_TRY(ProofOf(tiles, checkpoint, found->index, found->leaf));
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
  std::vector<Neighbour> beside;
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
      beside.push_back({index, LeafHash(entry)});
      (index < found.index ? found.before : found.after) = record.value();
    }
  }
  if (found.bytes.empty()) {
    return NotThere(directory, "the audit log has no record " + std::to_string(found.index),
                    found.index);
  }
  if (const Status proven = Prove(directory, beside, &found); !proven.ok()) {
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
