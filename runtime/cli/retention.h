// The policy's `audit.retention`, applied: what is beyond its bounds is pruned.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "policy/policy.h"
#include "runtime/app.h"
#include "runtime/audit/audit_log.h"

namespace nacre::cli {

// Prunes by age, then by bytes, as `nacre audit prune` does and through the same code; what is held or was not exported
// stays. While the first record is young enough and the log small enough it looks at nothing else. Answers what was done,
// a line for people, or nothing. Any failure leaves the log as it is, or to be gone on with by the next one.
Result<std::string> ApplyRetention(App& app, const policy::AuditRetention& retention);
// The same, with `retention.failed` in the log where it fails. A log that cannot be written records no failure either.
Result<std::string> ApplyRetention(App& app, const policy::Policy& policy, audit::AuditLog& log);

// Does that at once and then every hour in a thread of its own, until it is destroyed. `tell` is called from that thread.
class RetentionTimer final {
 public:
  using Current = std::function<std::shared_ptr<const policy::Policy>()>;
  // Borrows app and log.
  RetentionTimer(App& app, audit::AuditLog& log, Current policy,
                 std::function<void(const std::string&)> tell);
  ~RetentionTimer();
  RetentionTimer(const RetentionTimer&) = delete;
  RetentionTimer& operator=(const RetentionTimer&) = delete;

 private:
  void Run();

  App& app_;
  audit::AuditLog& log_;
  const Current policy_;
  const std::function<void(const std::string&)> tell_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace nacre::cli
