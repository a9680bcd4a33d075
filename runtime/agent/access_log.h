// AccessLog: who came to the gateway's doors, in the audit log: who was let in, and who was turned away. Whoever knocks
// again and again cannot fill it, nor hide another's knocking: of more than so many of one event by one user in a minute
// only the number is recorded, with the next one. Who is refused what is counted for kRefusedUsersMax apart; others share one
// such bound.
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
#include "base/result.h"
#include "runtime/audit/audit_log.h"

namespace nacre::agent {

constexpr uint32_t kRefusalsPerMinute = 10;
// Users and events that are counted apart: at most so many times kRefusalsPerMinute records a minute, and as many for all others.
constexpr size_t kRefusedUsersMax = 32;
// Of one user at one socket: who is let in can be told by a record that is not shared.
constexpr uint32_t kAdmissionsPerMinute = 60;

// Which of many have a record of their own: so many a minute, and of the others the next record says how many.
struct RecordsPerMinute {
  MonotonicTime minute;   // when it began
  uint32_t recorded = 0;  // in it
  uint64_t left_out = 0;  // since the last record

  bool IsOver(MonotonicTime now) const;
  // For the next one: how many were left out before it, if it has a record; else it is left out as well.
  std::optional<uint64_t> Take(MonotonicTime now, uint32_t most);
  // For one that Take() has just left out: it has a record nevertheless.
  uint64_t TakeOneMore();
  // That record could not be written: nobody is left out because of it.
  void PutBack(uint64_t left_out_before);
};

// Thread-safe. Borrows the log and the clock.
class AccessLog final {
 public:
  AccessLog(audit::AuditLog& log, const Clock& clock) : log_(log), clock_(clock) {}

  // "client.refused" and "approval.refused". `user`: who was refused; none: not known. `call`: what they answered, or
  // empty. A record that cannot be written is lost: they are refused anyway.
  void RecordRefusal(const char* event, std::optional<uid_t> user, const std::string& call,
                     const std::string& reason);

  // "client.admitted", with what they may do; on disk when it answers ok, and only then may they do it. `theirs`: of this
  // user at this socket, for one thread at a time. Of more than kAdmissionsPerMinute in a minute, all recorded, the others
  // are let in and counted, unless the log refuses records.
  Status RecordAdmission(uid_t user, Json data, RecordsPerMinute* theirs);
  // As of one of those that were counted, when their minute is over and nobody else came, or `at_once`.
  void RecordLeftOut(uid_t user, Json data, RecordsPerMinute* theirs, bool at_once);

 private:
  audit::AuditLog& log_;
  const Clock& clock_;
  // Who is refused what; no user: not known, or one of those that share a bound.
  using Of = std::pair<std::string, std::optional<uid_t>>;
  // That of an event and a user, which others may share.
  RecordsPerMinute& BoundOf(const char* event, std::optional<uid_t> user, MonotonicTime now);
  // Those whose minute is over; what they left out is told with what others share.
  void ForgetOld(MonotonicTime now);

  std::mutex mutex_;
  std::map<Of, RecordsPerMinute> bounds_;  // at most kRefusedUsersMax, and one more per event
};

}  // namespace nacre::agent
