// Pruning: which of a log's first records are gone, and which signed record says so. The hash tiles stay, so the
// tree, all checkpoints and all proofs still hold; what went is only the records' bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"
#include "runtime/audit/checked_log.h"

namespace nacre::audit {

inline constexpr char kPrunedEvent[] = "log.pruned";

// What a record `log.pruned` says. The last one says it of all records that were pruned, whenever.
struct Pruning {
  uint64_t before = 0;  // the first record that stayed: a multiple of 256
  std::string root;     // of the tree over those before it, in hexadecimal
  std::string rule;     // "older-than 90d": what was asked for
  uint64_t record = 0;  // its own index
  std::string time;

  friend bool operator==(const Pruning&, const Pruning&) = default;
};

// nullopt for another record, or one that states nothing that could be.
std::optional<Pruning> ParsePruning(uint64_t index, const Json& record);

// "records 0 to 511 were pruned on 2026-11-26T12:00:00.000Z by older-than 90d (record 1234)"
std::string Describe(const Pruning& pruning);

// What the log at hand claims to be pruned, by the record that the file `pruned` names; nullopt when it names none.
// Not compared with any signature: whoever relies on it does that.
std::optional<Pruning> ReadClaim(const std::string& directory);

// The first record that is there, as far as `directory` says: for who reads without verifying.
uint64_t FirstRecord(const std::string& directory);

// The newest such record that is under the newest signature and true of the tree, whether or not it says all that is
// missing.
std::optional<Pruning> NewestPruning(CheckedLog& log);

// What was pruned, from a record under the newest signature that is compared with the tree; nullopt when nothing
// was. kDataLoss when first records are missing of which no such record says it.
Result<std::optional<Pruning>> FindPruning(CheckedLog& log);

}  // namespace nacre::audit
