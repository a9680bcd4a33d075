#include "runtime/audit/audit_log.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/audit/log_writer.h"

namespace nacre::audit {
namespace {

// Group commit: a thread that finds nobody writing writes everything that waits, its own record
// included; the others sleep until theirs is durable or the turn is free.
class FileAuditLog final : public AuditLog {
 public:
  FileAuditLog(std::unique_ptr<LogWriter> writer, const Clock& clock, Random& random)
      : clock_(clock), random_(random), writer_(std::move(writer)) {}

  Result<uint64_t> Append(const AuditRecord& record) override {
    const EncodedRecord encoded = NACRE_TRY(EncodeRecord(record, clock_, random_));
    Waiting own;
    own.record = &encoded;
    std::unique_lock lock(mutex_);
    queue_.push_back(&own);
    turn_free_.wait(lock, [&] { return own.done || !writing_; });
    if (!own.done) {
      CommitQueue(lock);
    }
    return own.error.has_value() ? Result<uint64_t>(*own.error) : Result<uint64_t>(own.index);
  }

  Status WriteCheckpoint() override {
    std::unique_lock lock(mutex_);
    turn_free_.wait(lock, [&] { return !writing_; });
    if (failure_.has_value()) {
      return *failure_;
    }
    writing_ = true;
    lock.unlock();
    const Status status = writer_->WriteCheckpoint();
    lock.lock();
    const Status answer = status.ok() ? Ok() : Status(Remember(status.error()));
    writing_ = false;
    turn_free_.notify_all();
    return answer;
  }

 private:
  struct Waiting {
    const EncodedRecord* record = nullptr;
    bool done = false;
    uint64_t index = 0;
    std::optional<Error> error;
  };

  // `lock` is held before and after, not during the write. Takes the turn and gives it back.
  void CommitQueue(std::unique_lock<std::mutex>& lock) {
    const std::vector<Waiting*> batch = std::exchange(queue_, {});
    std::optional<Error> error = failure_;
    uint64_t index = 0;
    if (!error.has_value()) {
      writing_ = true;
      lock.unlock();
      std::vector<const EncodedRecord*> records;
      for (const Waiting* waiting : batch) {
        records.push_back(waiting->record);
      }
      const Result<uint64_t> first = writer_->Commit(records);
      lock.lock();
      if (first.ok()) {
        index = first.value();
      } else {
        error = Remember(first.error());
      }
      writing_ = false;
    }
    for (Waiting* waiting : batch) {
      waiting->error = error;
      waiting->index = index++;
      waiting->done = true;
    }
    turn_free_.notify_all();
  }

  // What callers are told; and told again from now on, unless nothing was tried.
  Error Remember(const Error& cause) {
    const Error error{cause.code == ErrorCode::kAborted ? ErrorCode::kUnavailable : cause.code,
                      "the audit log is not writable: " + cause.message + "; calls are refused"};
    if (cause.code != ErrorCode::kAborted) {
      failure_ = error;
    }
    return error;
  }

  const Clock& clock_;
  Random& random_;

  std::mutex mutex_;
  std::condition_variable turn_free_;
  bool writing_ = false;  // a thread has the turn: it alone uses writer_, without mutex_
  std::vector<Waiting*> queue_;
  std::optional<Error> failure_;
  const std::unique_ptr<LogWriter> writer_;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> OpenAuditLog(const std::string& directory, const Clock& clock,
                                               Random& random, Storage& storage) {
  auto writer = LogWriter::Open(directory, clock, random, storage);
  if (!writer.ok()) {
    return WithContext("audit log " + directory, writer.error());
  }
  return std::unique_ptr<AuditLog>(
      std::make_unique<FileAuditLog>(std::move(writer).value(), clock, random));
}

}  // namespace nacre::audit
