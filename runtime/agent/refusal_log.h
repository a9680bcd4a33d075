// RefusalLog: who was turned away at the gateway's doors, in the audit log. Whoever knocks again and again cannot fill
// it, nor hide another's knocking: of more than kRefusalsPerMinute of one event by one user in a minute only the number is
// recorded, with the next one. Users beyond kRefusedUsersMax in a minute share one such bound.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/audit/audit_log.h"

namespace nacre::agent {

constexpr uint32_t kRefusalsPerMinute = 10;
// Users and events that are counted apart: at most so many times kRefusalsPerMinute records a minute, and as many for all others.
constexpr size_t kRefusedUsersMax = 32;

// Thread-safe. Borrows the log and the clock.
class RefusalLog final {
 public:
  RefusalLog(audit::AuditLog& log, const Clock& clock) : log_(log), clock_(clock) {}

  // `user`: who was refused; none: not known. `call`: what they answered, or empty. A record that cannot be written is
  // lost: they are refused anyway.
  void Record(const char* event, std::optional<uid_t> user, const std::string& call,
              const std::string& reason);

 private:
  audit::AuditLog& log_;
  const Clock& clock_;
  // Who is refused what; no user: not known, or one of those that share a bound.
  using Of = std::pair<std::string, std::optional<uid_t>>;
  struct Bound {
    MonotonicTime minute;   // when it began
    uint32_t recorded = 0;  // in it
    uint64_t left_out = 0;  // since the last record
  };
  // That of an event and a user, which others may share.
  Bound& BoundOf(const char* event, std::optional<uid_t> user, MonotonicTime now);
  // Those whose minute is over; what they left out is told with what others share.
  void ForgetOld(MonotonicTime now);

  std::mutex mutex_;
  std::map<Of, Bound> bounds_;  // at most kRefusedUsersMax, and one more per event
};

}  // namespace nacre::agent
