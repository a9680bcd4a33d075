// RefusalLog: who was turned away at the gateway's doors, in the audit log. Whoever knocks again and again cannot fill
// it: of more than kRefusalsPerMinute in a minute only the number is recorded, with the next one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/audit/audit_log.h"

namespace nacre::agent {

constexpr uint32_t kRefusalsPerMinute = 10;

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
  std::mutex mutex_;
  std::optional<MonotonicTime> minute_;  // when it began
  uint32_t recorded_ = 0;                // in it
  uint64_t left_out_ = 0;                // since the last record
};

}  // namespace nacre::agent
