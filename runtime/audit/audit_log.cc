#include "runtime/audit/audit_log.h"

#include <optional>

#include "runtime/audit/group_commit.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/pooled_random.h"

namespace nacre::audit {
namespace {

class FileAuditLog final : public AuditLog {
 public:
  FileAuditLog(std::unique_ptr<LogWriter> writer, const Clock& clock, Random& random)
      : clock_(clock),
        random_(random),
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
      if (failure_.has_value()) {
        return *failure_;
      }
      const Status status = writer_->WriteCheckpoint();
      return status.ok() ? Ok() : Status(Remember(status.error()));
    });
  }

 private:
  Result<uint64_t> Commit(const GroupCommit::Records& records) {
    if (failure_.has_value()) {
      return *failure_;
    }
    auto first = writer_->Commit(records);
    return first.ok() ? first : Result<uint64_t>(Remember(first.error()));
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
  PooledRandom random_;
  // Used by who has the turn.
  std::optional<Error> failure_;
  const std::unique_ptr<LogWriter> writer_;
  GroupCommit commits_;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> OpenAuditLog(const std::string& directory, const Clock& clock,
                                               Random& random, Storage& storage,
                                               const SessionCount& sessions) {
  auto writer = LogWriter::Open(directory, clock, random, storage, sessions);
  if (!writer.ok()) {
    return WithContext("audit log " + directory, writer.error());
  }
  return std::unique_ptr<AuditLog>(
      std::make_unique<FileAuditLog>(std::move(writer).value(), clock, random));
}

}  // namespace nacre::audit
