#include "runtime/cli/retention.h"

#include <chrono>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/log_prune.h"
#include "runtime/audit/record_format.h"
#include "runtime/cli/audit_commands.h"

namespace nacre::cli {
namespace {

constexpr std::chrono::hours kRetentionPeriod{1};
constexpr size_t kReasonBytesMax = 4096;

// Whether the last record of the first bundle that is there is from before `instant`.
bool FirstIsOlder(const std::string& directory, const std::string& instant) {
  const auto first = audit::FirstBundle(directory);
  if (!first.has_value()) {
    return false;
  }
  audit::EntryReader reader(directory, *first * audit::kTileWidth + audit::kTileWidth - 1);
  std::string_view entry;
  const Result<bool> found = reader.Next(&entry);
  return found.ok() && found.value() && audit::TimeOf(entry) < instant;
}

bool IsLarger(const std::string& directory, uint64_t bytes) {
  uint64_t all = 0;
  for (uint64_t number = audit::FirstBundle(directory).value_or(0);; ++number) {
    const uint64_t here = audit::BundleFileBytes(directory, number);
    all += here;
    if (here == 0 || all > bytes) {
      return all > bytes;
    }
  }
}

Result<std::optional<audit::ExportCursor>> CursorOf(const policy::AuditRetention& retention) {
  if (retention.exported.empty()) {
    return std::optional<audit::ExportCursor>();
  }
  auto cursor = audit::ReadExportCursor(retention.exported);
  if (!cursor.ok()) {
    return WithContext("audit.retention.exported: nothing is pruned", cursor.error());
  }
  return std::optional(std::move(cursor).value());
}

}  // namespace

Result<std::string> ApplyRetention(App& app, const policy::AuditRetention& retention) {
  const std::string directory = app.audit_directory();
  std::vector<audit::PruneRequest> requests;
  const std::string oldest = FormatRfc3339(app.clock().Now() - retention.age);
  if (retention.age.count() > 0 && FirstIsOlder(directory, oldest)) {
    requests.push_back(
        {.older_than = oldest,
         .rule = "audit.retention.age " + std::to_string(retention.age.count()) + "s"});
  }
  if (retention.bytes > 0 && IsLarger(directory, retention.bytes)) {
    requests.push_back({.keep_bytes = retention.bytes,
                        .rule = "audit.retention.bytes " + std::to_string(retention.bytes)});
  }
  uint64_t bundles = 0;
  uint64_t begins = 0;
  for (audit::PruneRequest& request : requests) {
    request.exported = NACRE_TRY(CursorOf(retention));
    request.as_far_as_allowed = true;
    const audit::PruneReport report = NACRE_TRY(audit::PruneLog(ChangeOf(app), request));
    bundles += report.bundles;
    begins = report.before;
  }
  return bundles == 0
             ? std::string()
             : "pruned " + std::to_string(bundles) +
                   " bundles of 256 records by the policy's audit.retention: the audit log "
                   "begins with record " +
                   std::to_string(begins);
}

Result<std::string> ApplyRetention(App& app, const policy::Policy& policy, audit::AuditLog& log) {
  auto applied = ApplyRetention(app, policy.audit_retention);
  if (!applied.ok()) {
    [[maybe_unused]] const Result<uint64_t> written =
        log.Append({.event = "retention.failed",
                    .policy_digest = policy.digest,
                    .data = {{"reason", applied.error().message.substr(0, kReasonBytesMax)}},
                    .actor = "nacre"});
  }
  return applied;
}

RetentionTimer::RetentionTimer(App& app, audit::AuditLog& log, Current policy,
                               std::function<void(const std::string&)> tell)
    : app_(app), log_(log), policy_(std::move(policy)), tell_(std::move(tell)), thread_([this] {
        Run();
      }) {}

RetentionTimer::~RetentionTimer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RetentionTimer::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const Result<std::string> applied = ApplyRetention(app_, *policy_(), log_);
    const std::string text = applied.ok() ? applied.value() : applied.error().message;
    if (!text.empty()) {
      tell_(text);
    }
    lock.lock();
    changed_.wait_for(lock, kRetentionPeriod, [&] { return stopping_; });
  }
}

}  // namespace nacre::cli
