// One record with the evidence that it is in the log: its neighbours, and a proof of inclusion in the
// tree of a signed checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"

namespace nacre::audit {

struct FoundRecord {
  uint64_t index = 0;
  std::string bytes;  // as in the log: what the leaf is of
  Json record;
  Sha256Digest leaf{};
  std::optional<Json> before;
  std::optional<Json> after;

  // Empty when the proof leads to the root of `note`, and the log's own key signed that.
  std::string unproven_because;
  // Of a neighbour that is not as it was signed, and therefore not among the above; else empty.
  std::string beside_hidden_because;
  std::string note;  // the newest of `checkpoint` and `head`
  uint64_t tree_size = 0;
  std::vector<Sha256Digest> proof;
};

// `which`: an index, or the ULID of a record. kInvalidArgument for anything else, kNotFound when there
// is none, kDataLoss when it does not parse. Reads a few bundles: ULIDs go up with the time, so with the
// index nearly; only one that is not where it should be makes it read the whole log.
Result<FoundRecord> FindRecord(const std::string& directory, std::string_view which);

// The proof as c2sp.org/tlog-proof, which other programs read. kFailedPrecondition when there is none.
Result<std::string> ToTlogProof(const FoundRecord& found);

}  // namespace nacre::audit
