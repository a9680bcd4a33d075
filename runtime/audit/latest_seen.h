// The newest checkpoint that was seen of a log, kept beside it and not in it: a log that was removed, an older copy of it
// that was put back, and another one in its place verify by themselves, and not against this.
//
// Whoever can write both the log and this file can put back both: an anchor (log_anchor.h) is for that.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

inline constexpr char kLossAcceptedEvent[] = "log.loss_accepted";
// The first record of a log that is begun where sessions are that no record is of: there was a log, and neither it nor
// what was seen of it is there any more.
inline constexpr char kBegunBesideSessionsEvent[] = "log.begun_beside_sessions";

// How many sessions there are, asked when a log is begun. Null: none.
using SessionCount = std::function<Result<uint64_t>()>;

struct SeenCheckpoint {
  std::string origin;  // of the log
  Checkpoint checkpoint;
  std::string
      note;  // as it was signed; the signature is not checked again: what is kept here is trusted, or nothing is

  // "records 40 to 99 of nacre/audit/01K...": those that a log of `size` records lacks.
  std::string Missing(uint64_t size) const;
};

// "3 sessions whose records are gone"
std::string SessionsWithoutRecords(uint64_t sessions);

// A file: a checkpoint's note. Stateless, so thread-safe.
class LatestSeen final {
 public:
  // Of the log in `directory`: the file beside it with "-latest" after its name. Nothing is made.
  explicit LatestSeen(const std::string& directory);

  const std::string& path() const { return path_; }
  // Nothing when none was seen yet; kDataLoss when the file is no checkpoint.
  Result<std::optional<SeenCheckpoint>> Read() const;
  // Durable and never half, in place of what is there. The note was signed by the log's key and is durable in the log:
  // what is seen must not be ahead of what a crash leaves. Two at a time leave one of the two.
  Status Remember(const std::string& note, Storage& storage) const;
  // As Remember(), for who reads the log and does not write it: only what is newer than what is there, and of
  // the same log; and only where the log's owner will be able to replace it.
  Status RememberNewer(const std::string& note, Storage& storage) const;

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace nacre::audit
