// What was seen of a log is kept beside it: a log that lacks any of it is found out by the writer and by the verifier.
#include "runtime/audit/latest_seen.h"

#include <catch2/catch.hpp>

#include "runtime/audit/log_prune.h"
#include "runtime/audit/log_writer.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

class WatchedLog : public ChangeableLog {
 public:
  const LatestSeen latest{path};

  SeenCheckpoint Seen() const {
    const auto seen = latest.Read();
    INFO((seen.ok() ? "" : seen.error().message));
    REQUIRE(seen.ok());
    REQUIRE(seen.value().has_value());
    return *seen.value();
  }
  VerifyReport VerifySeen() const { return VerifyAuditLog(path, {.seen = Seen()}).value(); }
  // The folder alone: what was seen stays.
  void Replace(const std::string& other) const {
    fs::remove_all(path);
    fs::copy(other, path, fs::copy_options::recursive);
  }
  void RotateKey() {
    REQUIRE(LogWriter::Open(path, clock, random, DiskStorage()).value()->RotateKey().ok());
  }
  Result<uint64_t> Accept(const std::string& reason = "restored",
                          Storage& storage = DiskStorage()) {
    return LogWriter::AcceptLoss(path, reason, clock, random, storage);
  }
  // Neither is anything written by who is refused.
  void CheckRefused(const std::string& why) {
    const Files before = Disk::Of(path).files;
    const auto opened = TryOpen();
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code == ErrorCode::kDataLoss);
    INFO(opened.error().message);
    CHECK(opened.error().message.find(why) != std::string::npos);
    CHECK(opened.error().message.find("nacre audit accept-loss --reason TEXT") !=
          std::string::npos);
    CHECK(Disk::Of(path).files == before);
  }
  void CheckFound(uint64_t first_bad, const std::string& problem) const {
    const VerifyReport report = VerifySeen();
    CHECK_FALSE(report.ok);
    CHECK(report.first_bad == first_bad);
    REQUIRE_FALSE(report.problems.empty());
    CHECK(report.problems[0] == problem);
  }
};

}  // namespace

TEST_CASE("what is seen of a log is its newest checkpoint, and no record waits for it") {
  WatchedLog log;
  CHECK_FALSE(log.latest.Read().value().has_value());
  RecordingStorage storage(log.path);
  const auto writer = LogWriter::Open(log.path, log.clock, log.random, storage).value();
  const EncodedRecord record = EncodeRecord(Record(1), log.clock, log.random).value();
  REQUIRE(writer->Commit({&record}).ok());
  CHECK_FALSE(log.latest.Read().value().has_value());
  REQUIRE(writer->WriteCheckpoint().ok());
  CHECK(log.Seen().note == log.Read(kCheckpointFile));
  CHECK(log.Seen().checkpoint.size == 2);
  // After the log itself has it on the disk.
  const auto at = [&](const std::string& path) {
    return std::find_if(storage.operations.begin(), storage.operations.end(),
                        [&](const Operation& done) {
                          return done.kind == Operation::kReplace && done.path == path;
                        });
  };
  REQUIRE(at("../audit-latest") != storage.operations.end());
  CHECK(at(kCheckpointFile) < at("../audit-latest"));
  storage.operations.clear();
  REQUIRE(writer->Commit({&record}).ok());
  CHECK(at("../audit-latest") == storage.operations.end());
  CHECK(log.VerifySeen().ok);
  CHECK(log.VerifySeen().seen == 2);
}

TEST_CASE("a log that is begun beside sessions says so first, whatever fails meanwhile") {
  const auto three = [] { return Result<uint64_t>(3); };
  const auto open = [](LogDirectory& log, Storage& storage, const SessionCount& sessions) {
    return LogWriter::Open(log.path, log.clock, log.random, storage, sessions);
  };
  LogDirectory log;
  const auto unknown = [] {
    return Result<uint64_t>(Error{ErrorCode::kDataLoss, "the store is damaged"});
  };
  CHECK_FALSE(open(log, DiskStorage(), unknown).ok());  // none is begun where nobody could tell
  RecordingStorage storage(log.path);
  Disk disk = Disk::Of(log.path);
  REQUIRE(open(log, storage, three).ok());
  CHECK(log.Events() == "log.begun_beside_sessions log.opened ");
  CHECK(log.Verify().begun_beside_sessions == 3);
  REQUIRE(open(log, DiskStorage(), three).ok());  // it has its beginning
  CHECK(log.Events() == "log.begun_beside_sessions log.opened log.opened ");
  const VerifyReport report = log.Verify();
  CHECK(report.ok);
  CHECK(report.notes ==
        std::vector<std::string>{"this log begins after 3 sessions whose records are gone (record "
                                 "0, 2023-11-14T22:13:20.000Z)"});

  LogDirectory crashed;
  size_t torn_records = 0;
  const auto check = [&](const Files& files) {
    MakeDirectory(crashed.path, files);
    REQUIRE(open(crashed, DiskStorage(), three).ok());
    const std::string events = crashed.Events();
    CAPTURE(events);
    torn_records += events.starts_with("log.recovered ") ? 1 : 0;
    REQUIRE(events.find("log.begun_beside_sessions ") <= std::string("log.recovered ").size());
    REQUIRE(crashed.Verify().begun_beside_sessions == 3);
  };
  for (const Operation& operation : storage.operations) {
    CAPTURE(operation.path, operation.kind);
    check(disk.files);
    const bool of_records = operation.kind == Operation::kWrite && operation.path == kFirstBundle &&
                            !IsLength(operation);
    for (size_t torn = 1; of_records && torn < operation.bytes.size() && torn < 600; torn += 7) {
      Disk partly;
      partly.files = disk.files;
      partly.Apply(operation, torn);
      check(partly.files);
    }
    disk.Apply(operation);
  }
  check(disk.files);
  CHECK(torn_records > 10);

  LogDirectory first;
  REQUIRE(open(first, DiskStorage(), [] { return Result<uint64_t>(0); }).ok());
  CHECK(first.Events() == "log.opened ");
  CHECK(first.Verify().begun_beside_sessions == 0);
}

TEST_CASE("a log that lacks what was seen of it is refused, and the verifier names the index") {
  WatchedLog log;
  log.Append(3);
  const std::string older = log.temp.path() + "/older";
  log.CopyTo(older);
  const std::string origin = KeyChain::Load(log.path).value().name();
  log.Append(300);
  const uint64_t size = log.Seen().checkpoint.size;
  REQUIRE(size == 305);
  SECTION("an older copy was put back") {
    log.Replace(older);
    CHECK(VerifyAuditLog(log.path).value().ok);  // by itself
    log.CheckRefused("records 4 to 304 of " + origin + " are missing");
    log.CheckFound(4, "records 4 to 304: missing, the checkpoint that was seen last covers them");
  }
  SECTION("an older copy, from before a change of the key") {
    log.RotateKey();
    log.Append(1);
    log.Replace(older);
    log.CheckRefused("records 4 to 308 of " + origin + " are missing");
    log.CheckFound(4, "records 4 to 308: missing, the checkpoint that was seen last covers them");
  }
  SECTION("an older copy that went on by itself, with the log's own key") {
    LogDirectory fork;
    fs::copy(older, fork.path, fs::copy_options::recursive);
    fork.Append(400);
    REQUIRE(fork.Verify().ok);
    log.Replace(fork.path);
    log.CheckRefused("the first 305 records of " + origin + " are not those that were seen");
    log.CheckFound(4, "records 4 to 304: content does not match the tree signed at 305 records");
  }
  SECTION("it was removed") {
    fs::remove_all(log.path);
    const auto opened = log.TryOpen();
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message.find("records 0 to 304 of " + origin +
                                      " are missing: there is no log any more") !=
          std::string::npos);
    CHECK_FALSE(fs::exists(log.File(kKeyFile)));  // none is begun in its place
    const std::string problem =
        "records 0 to 304 of " + origin + ": missing, there is no log any more";
    log.CheckFound(0, problem);  // an empty folder
    fs::remove_all(log.path);
    log.CheckFound(0, problem);
  }
  SECTION("another one took its place") {
    LogDirectory other;
    other.Append(700);
    const std::string name = KeyChain::Load(other.path).value().name();
    log.Replace(other.path);
    log.CheckRefused("records 0 to 304 of " + origin + " are missing: the log is another one, " +
                     name);
    log.CheckFound(0,
                   "records 0 to 304 of " + origin + ": missing, the log is another one, " + name);
  }
  SECTION("what was seen is damaged: then nobody knows") {
    for (const std::string& text :
         {std::string("x"), std::string(), std::string("a\n0\n") + log.Seen().note,
          std::string(kCheckpointBytesMax + 1, 'x')}) {
      REQUIRE(WriteFileAtomically(log.latest.path(), text).ok());
      log.CheckRefused(log.latest.path() + ": ");
      CHECK_FALSE(log.latest.Read().ok());
    }
  }
  SECTION("a checkpoint of --since does not hide it") {
    LogDirectory fork;
    fs::copy(older, fork.path, fs::copy_options::recursive);
    fork.Append(400);
    const std::string since = fork.Read(kCheckpointFile);
    CHECK(VerifyAuditLog(fork.path, {.since = since}).value().ok);
    CHECK_FALSE(VerifyAuditLog(fork.path, {.since = since, .seen = log.Seen()}).value().ok);
  }
}

TEST_CASE(
    "a loss that is accepted is recorded and signed, and from then on the log is what it is") {
  WatchedLog log;
  log.Append(3);
  const std::string older = log.temp.path() + "/older";
  log.CopyTo(older);
  log.Append(300);
  CHECK(log.Accept().error().code == ErrorCode::kFailedPrecondition);
  const SeenCheckpoint seen = log.Seen();
  uint64_t size = 4;
  SECTION("of an older copy") {
    log.Replace(older);
  }
  SECTION("of a log that is gone") {
    fs::remove_all(log.path);
    size = 0;
  }
  SECTION("where what was seen cannot be told any more") {
    REQUIRE(WriteFileAtomically(log.latest.path(), "x").ok());
    size = 306;  // with one more log.opened
  }
  CHECK(log.Accept("").error().code == ErrorCode::kInvalidArgument);
  CHECK(log.Accept("two\nlines").error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(log.TryOpen().ok());
  const auto accepted = log.Accept("restored from Monday");
  INFO((accepted.ok() ? "" : accepted.error().message));
  REQUIRE(accepted.ok());
  CHECK(accepted.value() == size + 1);  // after log.opened
  Json data;
  REQUIRE(ReadAuditLog(log.path, accepted.value(), [&](uint64_t, const Json& record) {
            CHECK(StringMember(record, "event") == kLossAcceptedEvent);
            data = record["data"];
            return true;
          }).ok());
  CHECK(StringMember(data, "reason") == "restored from Monday");
  const std::string lost = StringMember(data, "lost");
  CAPTURE(lost);
  CHECK(lost.find(size == 0     ? "there is no log any more"
                  : size == 306 ? "it is not a checkpoint"
                                : "are missing: it is an older copy") != std::string::npos);
  if (size != 306) {
    CHECK(data["seen"]["note"] == seen.note);
    CHECK(data["seen"]["records"] == 305);
    CHECK(data["seen"]["log"] == seen.origin);
  }
  CHECK(log.Seen().checkpoint.size == accepted.value() + 1);
  CHECK(log.VerifySeen().ok);
  log.Append(1);
  CHECK(log.VerifySeen().ok);
  CHECK(log.Accept().error().code == ErrorCode::kFailedPrecondition);
}

TEST_CASE("a loss is not recorded where a folder keeps it from being remembered") {
  WatchedLog log;
  log.Append(3);
  const std::string before = log.Read(kFirstBundle);
  fs::remove(log.latest.path());
  fs::create_directory(log.latest.path());
  const auto accepted = log.Accept();
  REQUIRE_FALSE(accepted.ok());
  CHECK(accepted.error().message.find("remove it first") != std::string::npos);
  CHECK(log.Read(kFirstBundle) == before);
  fs::remove(log.latest.path());
  log.Append(1);
}

TEST_CASE("a loss is accepted by a signed record or not at all, whatever fails meanwhile") {
  WatchedLog log;
  log.Append(3);
  const std::string older = log.temp.path() + "/older";
  log.CopyTo(older);
  log.Append(300);
  const std::string newest = log.temp.path() + "/newest";
  log.CopyTo(newest);
  log.Replace(older);
  RecordingStorage whole(log.path);
  REQUIRE(log.Accept("restored", whole).ok());
  REQUIRE(whole.operations.size() > 10);
  for (size_t i = 0; i < whole.operations.size(); ++i) {
    CAPTURE(i, whole.operations[i].path, whole.operations[i].kind);
    log.PutBack(newest);
    log.Replace(older);
    RecordingStorage storage(log.path);
    storage.fail_at = i;
    storage.fail_on = true;
    const bool accepted = log.Accept("restored", storage).ok();
    const bool opens = log.TryOpen().ok();
    const std::string events = log.Events();
    if (opens) {
      CHECK(events.find(kLossAcceptedEvent) != std::string::npos);
      CHECK(log.VerifySeen().ok);
    } else {
      CHECK_FALSE(accepted);
      REQUIRE(log.Accept().ok());
      CHECK(log.TryOpen().ok());
    }
    CHECK(log.Verify().ok);
  }
}

TEST_CASE("pruning, compression and other keys lose nothing that was seen") {
  WatchedLog log;
  log.Append(600);
  const SeenCheckpoint early = log.Seen();
  log.RotateKey();
  log.Append(600);
  REQUIRE(PruneLog(log.Change(), {.before = 1'024, .rule = "x"}).ok());
  CHECK(log.VerifySeen().ok);
  // One of a time when the records were there, too: their hashes still are.
  REQUIRE(log.latest.Remember(early.note, DiskStorage()).ok());
  CHECK(log.VerifySeen().ok);
  log.Append(1);
  CHECK(log.VerifySeen().ok);
}

TEST_CASE("a log from before anything was kept of it is seen when it is opened") {
  WatchedLog log;
  log.Append(3);
  fs::remove(log.latest.path());
  REQUIRE(log.TryOpen().ok());
  CHECK(log.Seen().checkpoint.size == 4);
}

TEST_CASE("a checkpoint of before that is put back in the log takes back nothing that was seen") {
  WatchedLog log;
  log.Append(3);
  const std::string old = log.Read(kCheckpointFile);
  log.Append(300);
  const std::string newest = log.Seen().note;
  log.Write(kCheckpointFile, old);
  REQUIRE(log.TryOpen().ok());  // a crash may leave the one before
  CHECK(log.Seen().note == newest);
  log.Append(1);
  CHECK(log.VerifySeen().ok);
}

TEST_CASE("who only reads keeps what is newer, and of the same log") {
  WatchedLog log;
  log.Append(3);
  const std::string first = log.Read(kCheckpointFile);
  log.Append(3);
  const std::string second = log.Read(kCheckpointFile);
  REQUIRE(log.latest.RememberNewer(first, DiskStorage()).ok());
  CHECK(log.Seen().note == second);
  REQUIRE(log.latest.Remember(first, DiskStorage()).ok());
  REQUIRE(log.latest.RememberNewer(second, DiskStorage()).ok());
  CHECK(log.Seen().note == second);
  LogDirectory other;
  other.Append(900);
  REQUIRE(log.latest.RememberNewer(other.Read(kCheckpointFile), DiskStorage()).ok());
  CHECK(log.Seen().note == second);
  fs::remove(log.latest.path());
  REQUIRE(log.latest.RememberNewer(second, DiskStorage()).ok());
  CHECK(log.Seen().note == second);
  CHECK_FALSE(log.latest.RememberNewer("x", DiskStorage()).ok());
  CHECK(log.Verify().published == second);
}

}  // namespace nacre::audit
