#include "runtime/audit/audit_log.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "runtime/audit/group_commit.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/pooled_random.h"

namespace nacre::audit {
namespace {

constexpr std::chrono::seconds kResumePause{1};

// Another storage, and whether one of its syncs has failed. What Replace() writes is made anew by the next one, so its
// syncs do not count.
class SyncWatch final : public Storage {
 public:
  explicit SyncWatch(Storage& storage) : storage_(storage) {}

  bool failed() const { return failed_; }

  Result<UniqueFd> Open(const std::string& path, bool create) override {
    return storage_.Open(path, create);
  }
  Status Write(int fd, std::string_view bytes, uint64_t offset) override {
    return storage_.Write(fd, bytes, offset);
  }
  Status BeginSync(int fd) override { return Watch(storage_.BeginSync(fd)); }
  Status Sync(int fd) override { return Watch(storage_.Sync(fd)); }
  Status Truncate(int fd, uint64_t size) override { return storage_.Truncate(fd, size); }
  Status SyncDirectory(const std::string& path) override {
    return Watch(storage_.SyncDirectory(path));
  }
  Status Replace(const std::string& path, std::string_view content, unsigned mode) override {
    return storage_.Replace(path, content, mode);
  }
  Status Put(const std::string& path, std::string_view content) override {
    return storage_.Put(path, content);
  }
  Status Remove(const std::string& path) override { return storage_.Remove(path); }

 private:
  Status Watch(Status synced) {
    if (!synced.ok()) {
      failed_ = true;
    }
    return synced;
  }

  Storage& storage_;
  std::atomic<bool> failed_ = false;  // bundles are prepared beside a commit
};

class FileAuditLog final : public AuditLog {
 public:
  FileAuditLog(std::unique_ptr<SyncWatch> storage, std::unique_ptr<LogWriter> writer,
               const Clock& clock, Random& random, OnLogFailure on_failure)
      : clock_(clock),
        random_(random),
        on_failure_(std::move(on_failure)),
        storage_(std::move(storage)),
        writer_(std::move(writer)),
        commits_([this](const GroupCommit::Records& records) { return Commit(records); },
                 {.records = writer_->size(), .width = kTileWidth},
                 [this] { writer_->PrepareNextBundle(); }) {}

  Result<uint64_t> Append(const AuditRecord& record) override {
    const EncodedRecord encoded = NACRE_TRY(EncodeRecord(record, clock_, random_));
    return commits_.Append(encoded);
  }

  Status WriteCheckpoint() override {
    return commits_.Alone([this]() -> Status {
      NACRE_TRY(Resume());
      const Status status = writer_->WriteCheckpoint();
      return status.ok() ? Ok() : Status(Fail(status.error(), 0));
    });
  }

  bool Refuses() const override { return refuses_; }

 private:
  // Since when nothing is recorded, and why.
  struct Failure {
    Error error;         // what callers are told: the newest reason
    std::string reason;  // the first one
    bool for_good = false;
    WallTime since;
    MonotonicTime tried;
    uint64_t refused = 0;
  };

  Result<uint64_t> Commit(const GroupCommit::Records& records) {
    if (const Status resumed = Resume(); !resumed.ok()) {
      if (failure_.has_value()) {
        failure_->refused += records.size();
      }
      return resumed.error();
    }
    auto first = writer_->Commit(records);
    return first.ok() ? first : Result<uint64_t>(Fail(first.error(), records.size()));
  }

  // What callers are told; and told again from now on, unless nothing was tried.
  Error Fail(const Error& cause, uint64_t records) {
    Error error = NotWritable(cause);
    if (cause.code != ErrorCode::kAborted) {
      refuses_ = true;
      failure_ = {.error = error,
                  .reason = error.message,
                  .for_good = on_failure_ && !on_failure_(error),
                  .since = clock_.Now(),
                  .tried = clock_.Monotonic(),
                  .refused = records};
    }
    return error;
  }

  // ok when the log can be written, as far as it is known.
  Status Resume() {
    if (!failure_.has_value()) {
      return Ok();
    }
    const MonotonicTime now = clock_.Monotonic();
    if (failure_->for_good || storage_->failed() || failure_->error.code == ErrorCode::kDataLoss ||
        now - failure_->tried < kResumePause) {
      return failure_->error;
    }
    failure_->tried = now;
    const EncodedRecord resumed =
        NACRE_TRY(EncodeRecord({.event = "log.resumed",
                                .data = {{"since", FormatRfc3339(failure_->since)},
                                         {"reason", failure_->reason},
                                         {"refused", failure_->refused}},
                                .actor = "nacre"},
                               clock_, random_));
    if (const Status written = writer_->Resume(resumed); !written.ok()) {
      if (Error error = NotWritable(written.error());
          written.error().code != ErrorCode::kAborted && error.message != failure_->error.message) {
        failure_->error = std::move(error);
        failure_->for_good |= on_failure_ && !on_failure_(failure_->error);
      }
      return failure_->error;
    }
    failure_.reset();
    refuses_ = false;
    return Ok();
  }

  const Clock& clock_;
  PooledRandom random_;
  const OnLogFailure on_failure_;
  // Used by who has the turn.
  std::optional<Failure> failure_;
  std::atomic<bool> refuses_ = false;  // failure_ is there
  const std::unique_ptr<SyncWatch> storage_;
  const std::unique_ptr<LogWriter> writer_;
  GroupCommit commits_;
};

}  // namespace

Error NotWritable(const Error& cause) {
  return {cause.code == ErrorCode::kAborted ? ErrorCode::kUnavailable : cause.code,
          "the audit log is not writable: " + cause.message + "; calls are refused"};
}

Result<std::unique_ptr<AuditLog>> OpenAuditLog(const std::string& directory, const Clock& clock,
                                               Random& random, Storage& storage,
                                               const SessionCount& sessions,
                                               OnLogFailure on_failure) {
  auto watched = std::make_unique<SyncWatch>(storage);
  auto writer = LogWriter::Open(directory, clock, random, *watched, sessions);
  if (!writer.ok()) {
    return WithContext("audit log " + directory, writer.error());
  }
  return std::unique_ptr<AuditLog>(std::make_unique<FileAuditLog>(
      std::move(watched), std::move(writer).value(), clock, random, std::move(on_failure)));
}

}  // namespace nacre::audit
