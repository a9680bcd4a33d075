// LogWriter: the one place that changes an audit log. Single-threaded; processes take turns through
// a lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/audit/checkpoint_files.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/next_bundle.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

// Not thread-safe. After any failed call but kAborted (the lock was not to be had, nothing was
// tried) it must not be used again before Resume(): what the file holds is then not known.
class LogWriter final {
 public:
  static constexpr int kLockTimeoutMs = 10'000;

  // Reads the records since the newest checkpoint and the tiles at the edge of the tree there, not the whole log; only
  // when these do not lead to the newest signed root, all records are read and the tiles made anew. Cuts off a torn end, and appends "log.opened", after "log.recovered"
  // when something was cut off or made anew. kDataLoss when records that were seen of it (LatestSeen) are missing, be it
  // that all are. A log without a record is begun: where there are `sessions`, with one that says how many, and not at all
  // when they cannot be counted. Borrows everything but `sessions`.
  static Result<std::unique_ptr<LogWriter>> Open(const std::string& directory, const Clock& clock,
                                                 Random& random, Storage& storage,
                                                 const SessionCount& sessions = nullptr);

  // As Open(), of a log that is not, or no longer, what LatestSeen keeps of it: where Open() refuses. What is missing is
  // recorded as "log.loss_accepted" and signed, and is then what was seen last. Answers the record's index.
  // kFailedPrecondition when nothing is missing.
  static Result<uint64_t> AcceptLoss(const std::string& directory, const std::string& reason,
                                     const Clock& clock, Random& random, Storage& storage);

  // Durable once ok, in this order and without gaps; the index of the first. On failure none of
  // them is acknowledged, and what was written of them is cut off again unless it was signed already. Writes a
  // checkpoint when the last one is 65536 records back.
  Result<uint64_t> Commit(const std::vector<const EncodedRecord*>& records);

  Status WriteCheckpoint();

  // After a failed call: reads the log as Open() does, it must go on from what was acknowledged here and have what
  // LatestSeen keeps of it, and be signed as it is; then `record` is committed. After an error it may be tried again.
  Status Resume(const EncodedRecord& record);

  // What `decide` answers is recorded and then under a checkpoint, and nobody writes between its first look at the
  // log and that: it sees all that was recorded before. Its error is answered, and nothing is changed. Answers the
  // record's index.
  Result<uint64_t> CommitSigned(const std::function<Result<AuditRecord>()>& decide);

  // `act` runs while nobody else writes or opens the log for that.
  Status WhileLocked(const std::function<Status()>& act);

  // A new signing key: recorded as log.key_rotated and signed, both with the old one, which is then gone. Writers
  // in other processes go on with the new one. Answers its public line.
  Result<std::string> RotateKey();

  // As far as it is known here; others may have written more.
  uint64_t size() const { return edge_.size(); }

  // The only one that may be called while another thread is in any of these. For who waits for a commit: when it begins a
  // bundle, its thread need not wait for the bundle's name as well.
  void PrepareNextBundle() { next_bundle_.Prepare(); }

 private:
  // Records of one commit that go into one bundle.
  struct Chunk {
    uint64_t bundle = 0;
    uint64_t offset = 0;
    std::string bytes;
    bool fills = false;           // the bundle
    std::vector<FullTile> tiles;  // that they complete

    uint64_t end() const { return offset + bytes.size(); }
  };

  LogWriter(std::string directory, UniqueFd lock, SigningKey key, const Clock& clock,
            Random& random, Storage& storage)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        key_(std::in_place, std::move(key)),
        clock_(clock),
        random_(random),
        storage_(storage),
        latest_seen_(directory_),
        next_bundle_(directory_, storage) {}

  // `lost` gets what is missing of what was seen, empty when nothing is; null: that is an error.
  static Result<std::unique_ptr<LogWriter>> Open(const std::string& directory, const Clock& clock,
                                                 Random& random, Storage& storage,
                                                 const SessionCount& sessions, std::string* lost);
  // What is missing of `seen`, empty when nothing is.
  Result<std::string> FindLoss(const SeenCheckpoint& seen) const;
  // Of this log, with any key that it has had.
  Result<bool> BeginsWith(const Checkpoint& known) const;
  Status Recover();
  // The records from the edge's size on, up to the promised size, must lead to the promised root.
  // `full` gets the tiles that they complete, unless null.
  Status TakePromised(const Checkpoint& promised, TreeEdge edge, std::vector<FullTile>* full);
  Status RebuildTiles(const Checkpoint& promised);
  // Takes in a key that another process put in force.
  Status TakeKey();
  Status WriteCheckpointLocked();
  // Takes in what other processes appended, and cuts off what one left unfinished.
  Status CatchUp();
  Status TakeRest(uint64_t file_size);
  // For log.recovered: bytes that are gone, besides those that are to be told of already.
  void NoteRecovered(uint64_t bytes_removed, bool tiles_rebuilt);
  // What others may have written stands behind offset_.
  Result<bool> HasRest(uint64_t file_size) const;
  Result<bool> MayStand(std::string_view entry);
  Status CutAt(uint64_t end);
  // A log that was moved or deleted while open would take records that nobody will ever read. When others have gone
  // on and removed the bundle that was the newest here, the log is taken in anew.
  Status CheckStillThere();
  Status CheckLockFile() const;
  Status TakeAnew(const Checkpoint& known);
  Result<uint64_t> CommitLocked(const std::vector<const EncodedRecord*>& records);
  // Makes place for it, and for more: then neither the file's length nor its blocks change with it, and its sync is a
  // write of the disk and not also one of the file system's journal.
  Status MakePlace(const Chunk& chunk);
  // The disk may begin with it. What can be done meanwhile is done between the two.
  Status BeginChunk(const Chunk& chunk);
  // It is on the disk.
  Status FinishChunk(const Chunk& chunk);
  void TakeBack(const std::vector<Chunk>& chunks);
  // Skips those that are there. They are on the disk with the next checkpoint: until then they can be made anew from
  // the records after the last one.
  Status WriteTiles(const std::vector<FullTile>& tiles, bool durable = false);
  // The full tiles over records since the last checkpoint that this writer knows of.
  Status SyncTiles();
  Status OpenBundle(uint64_t number, bool create);
  // The name of the file is on the disk, with those of the folders that may have been made for it.
  Status SyncName(const std::string& relative_path, uint64_t number);
  // What a reader of C2SP tlog-tiles needs beside full tiles to check a checkpoint of this size.
  Status WritePartials(uint64_t size, const TreeEdge& edge);
  // Those of the newest checkpoint when a power failure has damaged them: they are never synced.
  Status RestorePartials();
  void RemovePartials(uint64_t old_size, uint64_t new_size);
  Result<EncodedRecord> Announce(const char* event, Json data);
  // The record is there; `line` are its bytes.
  void Take(std::string_view line, std::vector<FullTile>* full);
  std::string Path(const std::string& relative) const { return directory_ + "/" + relative; }
  Checkpoint Now() const { return {.size = edge_.size(), .root = edge_.Root()}; }

  const std::string directory_;
  const UniqueFd lock_;
  std::optional<SigningKey> key_;
  // The newest tree that a commit or a checkpoint here ended with.
  Checkpoint acknowledged_;
  // While catching up with others: what the records must lead to, since one of them needs a signature.
  std::optional<Checkpoint> owed_;
  uint64_t keys_bytes_ = 0;  // the size of `keys` when key_ was read: each change makes it longer
  const Clock& clock_;
  Random& random_;
  Storage& storage_;
  const LatestSeen latest_seen_;
  NextBundle next_bundle_;
  std::optional<CheckpointFiles> files_;

  TreeEdge edge_;
  std::string previous_;  // leaf hash of the newest record, in hexadecimal
  UniqueFd bundle_;       // that of the newest record, if there is one
  uint64_t bundle_number_ = 0;
  uint64_t offset_ = 0;  // the end of the newest record in it
  // Its length when this writer last looked or changed it: from offset_ on there were zeros, the place for next records.
  uint64_t file_bytes_ = 0;
  Json recovered_;  // what was done to the log, until it is recorded; null when nothing
};

}  // namespace nacre::audit
