// AuditLog: the append-only, tamper-evident log. Records are the leaves of a Merkle tree (RFC 9162,
// section 2.1); its root is signed with Ed25519 as a C2SP checkpoint.
//
// Record, then act: Append() answers ok only when the record is on disk (fsync), so the caller may
// act on it. After a failed write the log refuses every later record. It looks again at most once a second whether
// it can be written and signed, and then goes on from what it had acknowledged, with a record "log.resumed" that says since
// when it could not and how many records were refused. After a failed sync it refuses until it is opened again: what the
// disk holds is not known, and a later sync would not say so (fsync(2), errors). So it does after kDataLoss: the log
// was changed, or the disk could not be read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/audit_record.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

// Thread-safe: appends from many threads share an fsync. Processes on one log take turns through a
// file lock, so `nacre run` may be used side by side with `nacre serve`.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // The index of the record, once durable. On kInvalidArgument or a record that is too large
  // (kResourceExhausted) the log goes on; any other failure says "calls are refused".
  virtual Result<uint64_t> Append(const AuditRecord& record) = 0;
  // Whether records are refused at the moment, as far as it is known: who acts on what needs no record of its own asks.
  virtual bool Refuses() const { return false; }
  // Signs the tree as it is now and writes the checkpoint durably. Called at the end of each turn.
  virtual Status WriteCheckpoint() = 0;
};

// Told each time that records begin to be refused, and when the reason becomes another, by the thread that met it and before anybody gets the error; it must not
// use the log. Answers whether the log may go on by itself. Null: it may.
using OnLogFailure = std::function<bool(const Error&)>;

// As the log's callers are told of it.
Error NotWritable(const Error& cause);

// Opens or creates the log in `directory` (0700). What it costs does not grow with the log: the newest
// records and the edge of the tree are read. Recovers a tail torn by a crash to the last whole record
// and says so in a "log.recovered" record. Refuses a log whose newest records do not match what was
// signed: that is tampering, not a crash. (Older ones are `nacre audit verify`'s.) A log that is begun
// beside sessions says so in its first record. Borrows everything but `sessions` for the log's life.
// `on_failure` is for one that refuses.
Result<std::unique_ptr<AuditLog>> OpenAuditLog(const std::string& directory, const Clock& clock,
                                               Random& random, Storage& storage = DiskStorage(),
                                               const SessionCount& sessions = nullptr,
                                               OnLogFailure on_failure = nullptr);

}  // namespace nacre::audit
