// A crash at any byte, a power failure at any operation, and a disk that fails at any of them: what was
// acknowledged is still there, and the log goes on.
// The directory is made anew as a crash would have left it: between any two operations and after each byte of each write.
#include <unistd.h>
#include <catch2/catch.hpp>

#include "runtime/audit/log_writer.h"
#include "tests/unit/audit/recording_storage.h"

namespace nacre::audit {
namespace {

std::vector<EncodedRecord> Batch(LogDirectory& log, int count) {
  std::vector<EncodedRecord> batch;
  for (int i = 0; i < count; ++i) {
    batch.push_back(EncodeRecord(Record(i), log.clock, log.random).value());
  }
  return batch;
}

std::vector<const EncodedRecord*> Pointers(const std::vector<EncodedRecord>& batch) {
  std::vector<const EncodedRecord*> pointers;
  for (const EncodedRecord& record : batch) {
    pointers.push_back(&record);
  }
  return pointers;
}

// A log whose next records fill a bundle and begin another one.
void MakeLog(LogDirectory& log) {
  const auto open = log.Open();
  for (int i = 0; i < 251; ++i) {
    REQUIRE(open->Append(AuditRecord{.event = "x"}).ok());
  }
  REQUIRE(open->WriteCheckpoint().ok());
}

// Opens, commits over the end of the bundle, signs, changes the key, and commits once more.
Status Work(LogDirectory& log, RecordingStorage& storage) {
  auto writer = NACRE_TRY(LogWriter::Open(log.path, log.clock, log.random, storage));
  for (const int count : {1, 5, 2}) {
    const std::vector<EncodedRecord> batch = Batch(log, count);
    const uint64_t first = NACRE_TRY(writer->Commit(Pointers(batch)));
    storage.Acknowledge(first + static_cast<uint64_t>(count));
    if (count == 5) {
      NACRE_TRY(writer->WriteCheckpoint());
      NACRE_TRY(writer->RotateKey());
    }
  }
  return Ok();
}

// Fills a bundle, prepares the next one as one who waits does, begins that, and all of it once more.
Status WorkAhead(LogDirectory& log, RecordingStorage& storage) {
  auto writer = NACRE_TRY(LogWriter::Open(log.path, log.clock, log.random, storage));
  for (const int count : {3, 5, 251, 2, 1}) {
    const std::vector<EncodedRecord> batch = Batch(log, count);
    const uint64_t first = NACRE_TRY(writer->Commit(Pointers(batch)));
    storage.Acknowledge(first + static_cast<uint64_t>(count));
    writer->PrepareNextBundle();
  }
  return writer->WriteCheckpoint();
}

// `told` gets why it refuses, each time that it begins to.
std::unique_ptr<AuditLog> OpenWatched(LogDirectory& log, Storage& storage,
                                      std::vector<std::string>& told) {
  return OpenAuditLog(log.path, log.clock, log.random, storage, nullptr,
                      [&](const Error& error) {
                        told.push_back(error.message);
                        return true;
                      })
      .value();
}

uint64_t Acknowledged(const RecordingStorage& storage, uint64_t before) {
  for (const Operation& operation : storage.operations) {
    before = std::max(before, operation.number * (operation.kind == Operation::kAcknowledge));
  }
  return before;
}

}  // namespace

TEST_CASE("a crash at any byte of any write leaves a log with all that was acknowledged") {
  LogDirectory log;
  MakeLog(log);
  Disk disk = Disk::Of(log.path);
  RecordingStorage storage(log.path);
  REQUIRE(Work(log, storage).ok());
  const std::vector<std::string> written = AllEntries(log.path);
  REQUIRE(written.size() == 252 + 1 + 8 + 1);
  REQUIRE(fs::exists(log.File(BundlePath(1))));

  uint64_t acknowledged = 252;
  size_t points = 0;
  const std::string base = disk.files[kCheckpointFile];
  LogDirectory crashed;
  // `whole`: also what was there before this test is verified, which takes most of the time.
  const auto check = [&](const Files& files, bool verifies, bool whole) {
    ++points;
    MakeDirectory(crashed.path, files);
    const auto problems = [&] {
      const VerifyReport report =
          VerifyAuditLog(crashed.path, {.since = whole ? std::nullopt : std::optional(base)})
              .value();
      return report.problems.empty() ? std::string() : report.problems.front();
    };
    if (verifies) {
      REQUIRE(problems() == "");
    }
    REQUIRE(crashed.Open()->Append(Record(9)).ok());
    const std::vector<std::string> left = AllEntries(crashed.path);
    REQUIRE(left.size() >= acknowledged + 2);  // log.opened, and the new one
    REQUIRE(std::equal(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(acknowledged),
                       left.begin()));
    REQUIRE(problems() == "");
  };
  for (size_t i = 0; i < storage.operations.size(); ++i) {
    const Operation& operation = storage.operations[i];
    CAPTURE(i, operation.path, operation.kind);
    if (operation.kind == Operation::kAcknowledge) {
      acknowledged = operation.number;
      continue;
    }
    check(disk.files, true, true);
    check(disk.AfterPowerFailure(false), true, true);
    check(disk.AfterPowerFailure(true), false, true);
    check(disk.AfterTornSync(false), false, true);
    check(disk.AfterTornSync(true), false, true);
    if (operation.kind == Operation::kWrite) {
      // `head` is below a page: one write(2) of it is not seen in part.
      const size_t step = operation.path == kHeadFile || IsLength(operation) ? SIZE_MAX / 2
                          : operation.path.find(".p/") != std::string::npos  ? 37
                          : IsPlace(operation)                               ? 16381
                                                                             : 1;
      for (size_t torn = step == 1 ? 1 : step; torn < operation.bytes.size(); torn += step) {
        CAPTURE(torn);
        Disk partly;
        partly.files = disk.files;
        partly.Apply(operation, torn);
        // A torn copy for other programs is put right by the next writer; it is nothing that we read.
        check(partly.files, operation.path.find(".p/") == std::string::npos, false);
      }
    }
    disk.Apply(operation);
  }
  CHECK(points > 3000);
}

TEST_CASE("a disk that fails at any operation refuses what it could not make durable") {
  LogDirectory log;
  MakeLog(log);
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  RecordingStorage whole(log.path);
  REQUIRE(Work(log, whole).ok());
  const bool on = GENERATE(false, true);  // also what it does to clean up fails
  for (size_t i = 0; i < whole.operations.size(); ++i) {
    if (whole.operations[i].kind == Operation::kAcknowledge) {
      continue;
    }
    CAPTURE(i, whole.operations[i].path, whole.operations[i].kind, on);
    log.PutBack(before);
    RecordingStorage storage(log.path);
    storage.fail_at = i;
    storage.fail_on = on;
    const Status worked = Work(log, storage);
    // What only tidies up may fail, and what only makes place.
    const bool needed =
        whole.operations[i].kind != Operation::kRemove && !IsPlace(whole.operations[i]);
    REQUIRE(worked.ok() == (!needed && !on));
    if (!worked.ok()) {
      CHECK(worked.error().code == ErrorCode::kResourceExhausted);
    }
    REQUIRE(log.Open()->Append(Record(9)).ok());
    REQUIRE(AllEntries(log.path).size() >= Acknowledged(storage, 252) + 2);
    INFO(log.Problems());
    REQUIRE(log.Verify().ok);
  }
}

TEST_CASE(
    "a log that could not be written goes on when it can be, and records how long it could not") {
  LogDirectory log;
  MakeLog(log);
  if (GENERATE(false, true)) {  // with an end that another writer left unfinished
    std::string torn = log.Read(BundlePath(0));
    AppendEntry("{}", &torn);
    torn.pop_back();
    log.Write(BundlePath(0), torn);
  }
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  // Over the end of the bundle, and signed: what is acknowledged is counted.
  const auto work = [&](AuditLog& open, RecordingStorage& storage) -> Status {
    for (int i = 0; i < 6; ++i) {
      storage.Acknowledge(NACRE_TRY(open.Append(Record(i))) + 1);
    }
    return open.WriteCheckpoint();
  };
  RecordingStorage whole(log.path);
  const auto first = OpenAuditLog(log.path, log.clock, log.random, whole).value();
  const size_t opened = whole.operations.size();
  REQUIRE(work(*first, whole).ok());
  const bool on = GENERATE(false, true);  // also what it does to clean up fails
  size_t resumed = 0;
  for (size_t i = opened; i < whole.operations.size(); ++i) {
    const Operation::Kind kind = whole.operations[i].kind;
    CAPTURE(i, whole.operations[i].path, kind, on);
    log.PutBack(before);
    RecordingStorage storage(log.path);
    std::vector<std::string> told;
    const auto open = OpenWatched(log, storage, told);
    storage.fail_at = i;
    storage.fail_on = on;
    const Status worked = work(*open, storage);
    storage.fail_at = SIZE_MAX;
    if (worked.ok()) {
      CHECK(told.empty());
      continue;
    }
    CHECK(told == std::vector<std::string>{worked.error().message});
    const uint64_t acknowledged = Acknowledged(storage, 252);
    const std::string since = FormatRfc3339(log.clock.Now());
    REQUIRE_FALSE(open->Append(Record(7)).ok());  // at once: it is not looked at again
    log.clock.Advance(std::chrono::seconds(1));
    const auto again = open->Append(Record(8));
    const bool sync = kind == Operation::kBeginSync || kind == Operation::kSync ||
                      kind == Operation::kSyncDirectory;
    REQUIRE(again.ok() != sync);
    if (again.ok()) {
      ++resumed;
      REQUIRE(again.value() > acknowledged);
      Json record;
      REQUIRE(ReadAuditLog(log.path, again.value() - 1, [&](uint64_t, const Json& each) {
                record = each;
                return false;
              }).ok());
      CHECK(record["event"] == "log.resumed");
      CHECK(record["data"]["reason"] == worked.error().message);
      CHECK(record["data"]["since"] == since);
      CHECK((record["data"]["refused"] == 1 || record["data"]["refused"] == 2));
      REQUIRE(open->WriteCheckpoint().ok());
    } else {
      CHECK(again.error().message == worked.error().message);
    }
    REQUIRE(AllEntries(log.path).size() >= acknowledged);
    INFO(log.Problems());
    REQUIRE(log.Verify().ok);
    REQUIRE(log.Open()->Append(Record(9)).ok());
    REQUIRE(log.Verify().ok);
  }
  CHECK(resumed > 5);
}

TEST_CASE("a disk that fails while a log is to go on refuses once more, and it goes on later") {
  LogDirectory log;
  MakeLog(log);
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  size_t failures = 0;
  for (size_t after = 0;; ++after) {
    CAPTURE(after);
    log.PutBack(before);
    RecordingStorage storage(log.path);
    const auto open = OpenAuditLog(log.path, log.clock, log.random, storage).value();
    REQUIRE(open->Append(Record(1)).ok());
    storage.fail_at = storage.operations.size();
    REQUIRE_FALSE(open->Append(Record(2)).ok());
    const size_t begin = storage.operations.size();
    storage.fail_at = begin + after;
    log.clock.Advance(std::chrono::seconds(1));
    const bool first = open->Append(Record(3)).ok();
    const bool reached = storage.operations.size() > begin + after;
    storage.fail_at = SIZE_MAX;
    log.clock.Advance(std::chrono::seconds(1));
    if (!first) {
      ++failures;
      // Not after a sync that failed.
      (void)open->Append(Record(4));
    }
    INFO(log.Problems());
    REQUIRE(log.Verify().ok);
    REQUIRE(log.Open()->Append(Record(5)).ok());
    REQUIRE(log.Verify().ok);
    CHECK(log.Events().find("log.recovered log.recovered") == std::string::npos);
    if (!reached) {
      CHECK(first);
      break;
    }
  }
  CHECK(failures > 5);
}

TEST_CASE("a log that cannot be signed does not go on, and no record of it piles up") {
  class Unsigned final : public Storage {
   public:
    bool failing = false;
    Status Replace(const std::string& path, std::string_view content, unsigned mode) override {
      return failing ? Status(SysError(path, ENOSPC)) : Storage::Replace(path, content, mode);
    }
  };
  LogDirectory log;
  Unsigned storage;
  const auto open = OpenAuditLog(log.path, log.clock, log.random, storage).value();
  REQUIRE(open->Append(Record(1)).ok());
  storage.failing = true;
  REQUIRE_FALSE(open->WriteCheckpoint().ok());
  for (int i = 0; i < 3; ++i) {
    log.clock.Advance(std::chrono::seconds(1));
    CHECK_FALSE(open->Append(Record(2)).ok());
  }
  CHECK(log.Events().find("log.resumed") == std::string::npos);
  storage.failing = false;
  log.clock.Advance(std::chrono::seconds(1));
  CHECK(open->Append(Record(3)).ok());
  CHECK(log.Verify().ok);
}

TEST_CASE("a log that was changed or put back while it could not be written does not go on") {
  LogDirectory log;
  MakeLog(log);
  const std::string older = log.temp.path() + "/older";
  RecordingStorage storage(log.path);
  std::vector<std::string> told;
  const auto open = OpenWatched(log, storage, told);
  REQUIRE(open->Append(Record(1)).ok());
  REQUIRE(open->WriteCheckpoint().ok());
  log.CopyTo(older);
  storage.fail_at = storage.operations.size();
  storage.fail_on = true;
  REQUIRE_FALSE(open->Append(Record(2)).ok());
  storage.fail_at = SIZE_MAX;
  const bool put_back = GENERATE(false, true);
  const std::string bundle = BundlePath(0);
  const std::string whole = log.Read(bundle);
  std::string changed = whole;
  if (put_back) {
    log.Append(2);  // another process, and it signs them
    // Into the same files: nothing else shows that they are older.
    for (const auto& file : fs::recursive_directory_iterator(older)) {
      if (file.is_regular_file()) {
        const std::string name = file.path().lexically_relative(older).string();
        fs::create_directories(fs::path(log.File(name)).parent_path());
        log.Write(name, ReadFile(file.path().string(), 1 << 24).value());
      }
    }
    changed = log.Read(bundle);
  } else {
    changed[WithoutPlace(whole).size() - 20] ^= 1;  // in the newest record
    log.Write(bundle, changed);
  }
  log.clock.Advance(std::chrono::seconds(1));
  const auto again = open->Append(Record(3));
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == ErrorCode::kDataLoss);
  CHECK(WithoutPlace(log.Read(bundle)) == WithoutPlace(changed));  // and is not touched
  // Whoever watches the log learns of it, once.
  CHECK(told.size() == 2);
  CHECK(told.back() == again.error().message);
  CHECK(open->Refuses());
  // For good: somebody has to look.
  log.Write(bundle, whole);
  log.clock.Advance(std::chrono::seconds(1));
  CHECK_FALSE(open->Append(Record(4)).ok());
  if (!put_back) {
    REQUIRE(log.Open()->Append(Record(5)).ok());
    CHECK(log.Verify().ok);
  }
}

TEST_CASE(
    "the name of the next bundle is on the disk before its records, and costs their commit no "
    "sync") {
  LogDirectory log;
  MakeLog(log);
  Disk disk = Disk::Of(log.path);
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  RecordingStorage whole(log.path);
  REQUIRE(WorkAhead(log, whole).ok());
  const std::vector<std::string> written = AllEntries(log.path);
  REQUIRE(written.size() == 252 + 1 + 3 + 5 + 251 + 2 + 1);
  REQUIRE(fs::file_size(log.File(BundlePath(2))) > 0);
  REQUIRE_FALSE(fs::exists(log.File(BundlePath(3))));  // none behind an unfinished one
  REQUIRE(log.Verify().ok);

  uint64_t acknowledged = 252;
  LogDirectory crashed;
  for (const Operation& operation : whole.operations) {
    CAPTURE(operation.path, operation.kind, acknowledged);
    if (operation.kind == Operation::kAcknowledge) {
      acknowledged = operation.number;
      continue;
    }
    for (const Files& files : {disk.files, disk.AfterPowerFailure(false)}) {
      MakeDirectory(crashed.path, files);
      INFO(crashed.Problems());
      REQUIRE(crashed.Verify().ok);
      REQUIRE(crashed.Open()->Append(Record(9)).ok());
      const std::vector<std::string> left = AllEntries(crashed.path);
      REQUIRE(left.size() >= acknowledged + 2);
      REQUIRE(std::equal(written.begin(),
                         written.begin() + static_cast<std::ptrdiff_t>(acknowledged),
                         left.begin()));
    }
    disk.Apply(operation);
  }

  // From the first byte of bundle 2 to what is acknowledged of it.
  size_t names_synced = 0;
  bool in_bundle = false;
  for (const Operation& operation : whole.operations) {
    in_bundle =
        in_bundle || (operation.kind == Operation::kWrite && operation.path == BundlePath(2));
    if (in_bundle && operation.kind == Operation::kAcknowledge) {
      break;
    }
    names_synced += in_bundle && operation.kind == Operation::kSyncDirectory ? 1 : 0;
  }
  CHECK(names_synced == 0);

  // When the preparation fails nobody is told, and the commit that needs the name makes it durable.
  for (size_t i = 0; i < whole.operations.size(); ++i) {
    if (whole.operations[i].kind == Operation::kAcknowledge) {
      continue;
    }
    CAPTURE(i, whole.operations[i].path, whole.operations[i].kind);
    log.PutBack(before);
    Disk failing = Disk::Of(log.path);
    RecordingStorage storage(log.path);
    storage.fail_at = i;
    const Status worked = WorkAhead(log, storage);
    for (const Operation& operation : storage.operations) {
      failing.Apply(operation);
    }
    MakeDirectory(crashed.path, failing.AfterPowerFailure(false));
    REQUIRE(crashed.Open()->Append(Record(9)).ok());
    REQUIRE(AllEntries(crashed.path).size() >= Acknowledged(storage, 252) + 2);
    REQUIRE((!worked.ok() || Acknowledged(storage, 0) == written.size()));
  }
}

TEST_CASE(
    "a bundle that took the place of the prepared one is made durable by its name as any other") {
  LogDirectory log;
  MakeLog(log);
  RecordingStorage storage(log.path);
  auto writer = LogWriter::Open(log.path, log.clock, log.random, storage).value();
  const std::vector<EncodedRecord> rest = Batch(log, 3);
  REQUIRE(writer->Commit(Pointers(rest)).ok());
  writer->PrepareNextBundle();
  const bool replaced = GENERATE(false, true);
  if (replaced) {
    fs::remove(log.File(BundlePath(1)));
    log.Write("kept", "");  // so that the inode's number is not free again
  }
  storage.operations.clear();
  REQUIRE(writer->Commit(Pointers(rest)).ok());
  const auto synced = std::count_if(
      storage.operations.begin(), storage.operations.end(), [](const Operation& operation) {
        return operation.kind == Operation::kSyncDirectory && operation.path == "tile/entries";
      });
  CHECK(synced == (replaced ? 1 : 0));
}

TEST_CASE("the length of a record that lies on two pages is written with the record") {
  LogDirectory log;
  log.Append(1);
  RecordingStorage storage(log.path);
  auto writer = LogWriter::Open(log.path, log.clock, log.random, storage).value();
  const auto of = [&](size_t letters) {
    AuditRecord record{.event = "x"};
    record.data = {{"text", std::string(letters, 'a')}};
    return EncodeRecord(record, log.clock, log.random).value();
  };
  const auto end = [&] { return WithoutPlace(log.Read(kFirstBundle)).size(); };
  const EncodedRecord empty = of(0);
  REQUIRE(writer->Commit({&empty}).ok());
  const size_t first = end();
  REQUIRE(writer->Commit({&empty}).ok());
  const size_t bytes = end() - first;
  // The next one after this begins with the last byte of a page.
  const EncodedRecord filler = of((2 * 4096 - 1 - (end() + bytes) % 4096) % 4096);
  REQUIRE(writer->Commit({&filler}).ok());
  REQUIRE(end() % 4096 == 4095);
  const std::string before = log.Read(kFirstBundle);
  REQUIRE(before.size() > end());
  storage.operations.clear();
  REQUIRE(writer->Commit({&empty}).ok());
  REQUIRE(storage.operations.front().kind == Operation::kTruncate);
  REQUIRE(storage.operations.at(1).bytes.size() == bytes);
  // The file grows with its bytes, so that each part of it is an unfinished end.
  for (size_t torn = 0; torn <= bytes; ++torn) {
    CAPTURE(torn);
    log.Write(kFirstBundle, WithoutPlace(before) + storage.operations.at(1).bytes.substr(0, torn));
    const VerifyReport report = log.Verify();
    REQUIRE(report.notes.size() == (torn > 0 && torn < bytes ? 1 : 0));
    REQUIRE(report.records == 6U + (torn == bytes ? 1 : 0));
  }
}

}  // namespace nacre::audit
