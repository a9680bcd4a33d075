// What another writer, an older checkpoint or a damaged copy leaves to the next writer is put on the disk, or refused,
// before anything is built on it.
#include <catch2/catch.hpp>

#include <algorithm>

#include "runtime/audit/log_compress.h"
#include "runtime/audit/log_prune.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

class SharedLog : public ChangeableLog {
 public:
  std::unique_ptr<LogWriter> Writer(Storage& storage = DiskStorage()) {
    auto writer = LogWriter::Open(path, clock, random, storage);
    INFO((writer.ok() ? "" : writer.error().message));
    REQUIRE(writer.ok());
    return std::move(writer).value();
  }
  Status Commit(LogWriter& writer, size_t count) {
    const EncodedRecord record = NACRE_TRY(EncodeRecord(Record(1), clock, random));
    const std::vector<const EncodedRecord*> batch(count, &record);
    const auto first = writer.Commit(batch);
    return first.ok() ? Ok() : Status(first.error());
  }
  void Fill(size_t count, bool checkpoint) {
    const auto writer = Writer();
    REQUIRE(Commit(*writer, count).ok());
    REQUIRE((!checkpoint || writer->WriteCheckpoint().ok()));
  }
};

size_t Count(const RecordingStorage& storage, Operation::Kind kind, const std::string& path) {
  return static_cast<size_t>(
      std::count_if(storage.operations.begin(), storage.operations.end(),
                    [&](const Operation& done) { return done.kind == kind && done.path == path; }));
}

}  // namespace

TEST_CASE(
    "what a writer left unsynced is on the disk before another one's record is acknowledged") {
  SharedLog log;
  log.Fill(249, true);  // two more fill the bundle, with that of each opening
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  const bool checkpoint = GENERATE(false, true);
  size_t points = 0;
  // The first one dies at its operation `i` after opening: 0 when there are no so many.
  const auto dies_at = [&](size_t i) {
    log.PutBack(before);
    RecordingStorage heir_storage(log.path);
    const auto heir = log.Writer(heir_storage);
    heir_storage.operations.clear();
    Disk disk = Disk::Of(log.path);
    RecordingStorage storage(log.path);
    const auto dying = log.Writer(storage);
    storage.fail_at = storage.operations.size() + i;
    storage.fail_on = true;
    if (log.Commit(*dying, 300).ok()) {
      return false;
    }
    REQUIRE(log.Commit(*heir, 3).ok());
    REQUIRE((!checkpoint || heir->WriteCheckpoint().ok()));
    const std::vector<std::string> written = AllEntries(log.path);
    for (const Operation& operation : storage.operations) {
      disk.Apply(operation);
    }
    for (const Operation& operation : heir_storage.operations) {
      disk.Apply(operation);
    }
    SharedLog after;
    MakeDirectory(after.path, disk.AfterPowerFailure(true));
    const auto again = after.Open();
    REQUIRE(again->Append(Record(2)).ok());
    const std::vector<std::string> left = AllEntries(after.path);
    REQUIRE(left.size() >= written.size());
    REQUIRE(std::equal(written.begin(), written.end(), left.begin()));
    REQUIRE(after.Problems() == "");
    return true;
  };
  for (size_t i = 0; dies_at(i); ++i) {
    CAPTURE(i);
    ++points;
  }
  CHECK(points > 8);
}

TEST_CASE("a log that was compressed under `head` alone outlives the loss of that head") {
  SharedLog log;
  RecordingStorage storage(log.path);
  {
    const auto writer = log.Writer(storage);
    REQUIRE(log.Commit(*writer, 300).ok());
    REQUIRE(log.Commit(*writer, 300).ok());
  }
  // What `head` was on the disk: it is only synced when it is made.
  std::string head;
  for (const Operation& operation : storage.operations) {
    head = operation.path == kHeadFile && operation.kind == Operation::kReplace ? operation.bytes
                                                                                : head;
  }
  REQUIRE_FALSE(head.empty());
  const std::vector<std::string> written = AllEntries(log.path);
  REQUIRE(written.size() == 601);
  REQUIRE(CompressLog(log.Change(), "").value().bundles == 2);
  log.Write(kHeadFile, head);
  SECTION("the records are those that a checkpoint was written for first") {
    REQUIRE(log.Open()->Append(Record(2)).ok());
    const std::vector<std::string> left = AllEntries(log.path);
    REQUIRE(left.size() > written.size());
    CHECK(std::equal(written.begin(), written.end(), left.begin()));
    CHECK(log.Problems() == "");
  }
  SECTION("and without one they are not taken for the end of the log") {
    log.Write(kCheckpointsFile, "");
    fs::remove(log.File(kCheckpointFile));
    const auto opened = log.TryOpen();
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code == ErrorCode::kDataLoss);
    CHECK(opened.error().message.find(BundlePath(0)) != std::string::npos);
    log.Write(BundlePath(0), "");  // nor with an empty one beside
    CHECK_FALSE(log.TryOpen().ok());
  }
}

TEST_CASE("a damaged partial tile does not stop the writer of a pruned log") {
  SharedLog log;
  for (int i = 0; i < 3; ++i) {
    log.Fill(500, true);
  }
  REQUIRE(PruneLog(log.Change(), {.before = 512, .rule = "x"}).ok());
  const uint64_t size = log.Verify().records;
  for (const int level : {0, 1}) {
    const std::string partial =
        TilePath(level, (size >> (8 * level)) / kTileWidth, (size >> (8 * level)) % kTileWidth);
    const std::string good = log.Read(partial);
    for (const std::string& bad : {std::string(good.size(), '\0'), std::string()}) {
      CAPTURE(partial, bad.size());
      log.CopyTo(log.temp.path() + "/before");
      log.Write(partial, bad);
      log.index.clear();
      REQUIRE(log.Open()->Append(Record(2)).ok());
      CHECK(log.Problems() == "");
      // Also for who reads before there is another checkpoint.
      const QueryReport report =
          QueryAuditLog(log.path, {}, {}, log.random, [](uint64_t, const Json&) {
            return true;
          }).value();
      CHECK(report.problems.empty());
      log.PutBack(log.temp.path() + "/before");
    }
  }
}

TEST_CASE("a checkpoint syncs no tile that another process's checkpoint has synced") {
  SharedLog log;
  RecordingStorage storage(log.path);
  const auto idle = log.Writer(storage);
  log.Fill(600, true);
  REQUIRE(log.Commit(*idle, 300).ok());
  storage.operations.clear();
  REQUIRE(idle->WriteCheckpoint().ok());
  CHECK(Count(storage, Operation::kSync, TilePath(0, 0)) == 0);
  CHECK(Count(storage, Operation::kSync, TilePath(0, 1)) == 0);
  CHECK(Count(storage, Operation::kSync, TilePath(0, 2)) == 1);
  CHECK(log.Problems() == "");
}

TEST_CASE("a writer that is never asked for a checkpoint writes one after 65536 records") {
  SharedLog log;
  const auto writer = log.Writer();
  for (int i = 0; i < 65; ++i) {
    REQUIRE(log.Commit(*writer, 1'000).ok());
  }
  CHECK_FALSE(fs::exists(log.File(kCheckpointFile)));
  REQUIRE(log.Commit(*writer, 1'000).ok());
  CHECK(fs::exists(log.File(kCheckpointFile)));
  const std::string history = log.Read(kCheckpointsFile);
  REQUIRE(log.Commit(*writer, 1'000).ok());
  CHECK(log.Read(kCheckpointsFile) == history);  // and then not with each
  CHECK(log.Problems() == "");
}

TEST_CASE("a note that another process left unsynced is synced before `checkpoint` says the same") {
  SharedLog log;
  log.Fill(10, true);
  RecordingStorage storage(log.path);
  const auto heir = log.Writer(storage);
  {  // dies between writing the note and syncing it
    const std::string checkpoint = log.Read(kCheckpointFile);
    const auto writer = log.Writer();
    REQUIRE(log.Commit(*writer, 1).ok());
    REQUIRE(writer->WriteCheckpoint().ok());
    log.Write(kCheckpointFile, checkpoint);
  }
  storage.operations.clear();
  REQUIRE(heir->WriteCheckpoint().ok());
  const auto at = [&](Operation::Kind kind, const std::string& path) {
    return std::find_if(
        storage.operations.begin(), storage.operations.end(),
        [&](const Operation& done) { return done.kind == kind && done.path == path; });
  };
  REQUIRE(Count(storage, Operation::kWrite, kCheckpointsFile) == 0);
  REQUIRE(at(Operation::kReplace, kCheckpointFile) != storage.operations.end());
  CHECK(at(Operation::kSync, kCheckpointsFile) < at(Operation::kReplace, kCheckpointFile));
  CHECK(log.Problems() == "");
}

}  // namespace nacre::audit
