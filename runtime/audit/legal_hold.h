// Legal holds: records that may be neither pruned nor erased. A hold is a record of the log, and so is its release;
// which holds are in force follows from these records alone. Pruning carries those in force on, in its own record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/log_query.h"
#include "runtime/audit/log_writer.h"

namespace nacre::audit {

inline constexpr char kHoldPlacedEvent[] = "hold.placed";
inline constexpr char kHoldReleasedEvent[] = "hold.released";

// All of those in force must fit into the record of a pruning.
constexpr size_t kHoldsMax = 100;
constexpr size_t kHoldReasonBytesMax = 256;
// All holds in force together, as `log.pruned` has to say them in one record.
constexpr size_t kHoldsBytesMax = 48'000;

// Of all records of a session, or of those from one to another.
struct Hold {
  std::string id;       // a ULID
  std::string session;  // or empty
  uint64_t from = 0;
  uint64_t to = 0;  // the last one that is held
  std::string reason;
  std::string time;  // when it was placed

  bool Holds(uint64_t index, std::string_view record) const;
  // "the hold 01K... (reason): of session 01K..."
  std::string ToText() const;

  friend bool operator==(const Hold&, const Hold&) = default;
};

Json ToJson(const Hold& hold);
Json ToJson(const std::vector<Hold>& holds);

// Takes in what a record says of holds; others change nothing.
void ApplyHolds(const Json& record, std::vector<Hold>* holds);

// Those in force, as the signed records from `first_record` on say, upon those in `holds`. kDataLoss when the log does
// not verify where one looked: then nobody knows which there are. `index_directory` as for QueryAuditLog().
Status LoadHolds(const std::string& directory, const std::string& index_directory, Random& random,
                 uint64_t first_record, std::vector<Hold>* holds);

// kInvalidArgument unless it is one line of some text within kHoldReasonBytesMax.
Status CheckReason(const std::string& reason);

// What is needed to change a log by a decision over its records.
struct LogChange {
  std::string directory;
  std::string index_directory;  // may be empty
  const Clock& clock;
  Random& random;
  Storage& storage;
  SessionCount sessions = nullptr;  // should a log be begun for it
};

// Records a hold; its id and time are made here. kInvalidArgument when it names nothing or a reason is missing or has
// control characters, kNotFound when it is of records that are not there, kResourceExhausted when there are too many.
Result<Hold> PlaceHold(const LogChange& change, Hold hold);

// kNotFound when no such hold is in force.
Status ReleaseHold(const LogChange& change, const std::string& id, const std::string& reason);

}  // namespace nacre::audit
