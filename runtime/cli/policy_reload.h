// PolicyReload: `nacre serve` reads its policy again when it gets SIGHUP.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"
#include "policy/live_policy.h"
#include "runtime/app.h"
#include "runtime/audit/audit_log.h"

namespace nacre::cli {

// Before any policy is in force: passes on the one that was loaded, or why not, and then the audit log says that as well.
// What keeps it from saying so is not told, since nothing runs.
using LoadedPolicy = Result<std::shared_ptr<const policy::Policy>>;
LoadedPolicy RecordIfRefused(App& app, LoadedPolicy loaded);

// A policy that loads is recorded ("policy.loaded") and then in force, as a whole, for the sessions
// that begin from now on; a session keeps the one that it began with. One that does not load, or
// cannot be recorded, changes nothing: the last valid policy stays, and why is recorded
// ("policy.refused") and told.
class PolicyReload final {
 public:
  using Load = std::function<LoadedPolicy()>;
  // One line or more for the person, without the last newline.
  using Tell = std::function<void(const std::string&)>;

  // Handles SIGHUP of the process from now until its end; at most one at a time. Borrows `live` and
  // `log`. `load` and `tell` are called on a thread of its own.
  PolicyReload(Load load, policy::LivePolicy& live, audit::AuditLog& log, Tell tell);
  ~PolicyReload();
  PolicyReload(const PolicyReload&) = delete;
  PolicyReload& operator=(const PolicyReload&) = delete;

 private:
  void Watch();
  void Reload();

  Load load_;
  policy::LivePolicy& live_;
  audit::AuditLog& log_;
  Tell tell_;
  std::atomic<bool> stop_{false};
  std::thread watcher_;
};

}  // namespace nacre::cli
