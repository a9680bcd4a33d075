// What is acknowledged is there: after kill -9, a full disk, and with many writers.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "runtime/audit/checkpoint_files.h"
#include "tests/support/skip.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

pid_t Fork(const std::function<int()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::_exit(body());
  }
  return child;
}

int Wait(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("records are appended in order, linked, and signed at each checkpoint") {
  LogDirectory log;
  {
    const auto open = log.Open();
    CHECK(open->Append(Record(1)).value() == 1);  // 0 is log.opened
    CHECK(open->Append(Record(2)).value() == 2);
    CHECK(open->WriteCheckpoint().ok());
    CHECK(open->WriteCheckpoint().ok());  // nothing new: no second one
    CHECK(open->Append(Record(3)).value() == 3);
  }
  {
    const auto open = log.Open();
    CHECK(open->Append(Record(4)).value() == 5);
  }
  CHECK(log.Events() ==
        "log.opened call.decided call.decided call.decided log.opened call.decided ");
  const VerifyReport report = log.Verify();
  CHECK(report.ok);
  CHECK(report.checkpoints == 1);
  CHECK(log.Read(kCheckpointsFile) == log.Read(kCheckpointFile) + "\n");
  REQUIRE(ReadAuditLog(log.path, 0, [&](uint64_t index, const Json& record) {
            CHECK(StringMember(record, "previous").size() == (index == 0 ? 0 : 64));
            CHECK(StringMember(record, "time") == "2023-11-14T22:13:20.000Z");
            return true;
          }).ok());
}

TEST_CASE("the key is made once, for its owner only") {
  LogDirectory log;
  log.Append(1);
  struct stat info {};
  REQUIRE(::stat(log.File(kKeyFile).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::stat(log.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  const std::string key = log.Read(kKeyFile);
  log.Append(1);
  CHECK(log.Read(kKeyFile) == key);
  CHECK(log.Read(kFirstBundle).find(key.substr(key.rfind('+', key.size() - 40))) ==
        std::string::npos);
  REQUIRE(::chmod(log.File(kKeyFile).c_str(), 0640) == 0);
  CHECK(log.TryOpen().error().code == ErrorCode::kPermissionDenied);
  REQUIRE(::unlink(log.File(kKeyFile).c_str()) == 0);
  CHECK(log.TryOpen().error().code == ErrorCode::kNotFound);
}

// A crash in the middle of a group commit of two records: any prefix of it may be on disk.
TEST_CASE("a write torn at any byte is cut off, recorded, and loses no acknowledged record") {
  LogDirectory log;
  log.Append(1);
  const std::string before = log.temp.path() + "/before";
  const std::string acknowledged = log.Read(kFirstBundle);
  log.CopyTo(before);
  {
    const auto open = log.Open();
    REQUIRE(open->Append(Record(2)).ok());
  }
  const std::string batch = WithoutPlace(log.Read(kFirstBundle)).substr(acknowledged.size());
  std::string_view first_entry;
  REQUIRE(FirstEntry(batch, &first_entry) == EntryState::kWhole);
  const size_t first_line = kEntryPrefixBytes + first_entry.size();
  for (size_t torn = 0; torn <= batch.size(); ++torn) {
    CAPTURE(torn);
    log.PutBack(before);
    log.Write(kFirstBundle, acknowledged + batch.substr(0, torn));
    const uint64_t whole = torn == batch.size() ? 4 : torn >= first_line ? 3 : 2;
    const bool tail = torn != 0 && torn != first_line && torn != batch.size();

    const VerifyReport crashed = log.Verify();
    REQUIRE(crashed.ok);
    REQUIRE(crashed.records == whole);
    REQUIRE(crashed.notes.empty() == (torn == 0));
    const uint64_t next = log.Open()->Append(Record(3)).value();
    REQUIRE(next == whole + (tail ? 2 : 1));
    REQUIRE(log.Read(kFirstBundle).substr(0, acknowledged.size()) == acknowledged);
    REQUIRE((log.Events().find("log.recovered") != std::string::npos) == tail);
    REQUIRE(log.Verify().ok);
    REQUIRE(log.Verify().covered == next + 1);
  }
}

TEST_CASE("a checkpoint torn at any byte is cut off and written again") {
  LogDirectory log;
  log.Append(1);
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  const std::string acknowledged = log.Read(kCheckpointsFile);
  log.Append(0);
  const std::string block = log.Read(kCheckpointsFile).substr(acknowledged.size());
  const std::string records = log.Read(kFirstBundle);
  const std::string head = log.Read(kHeadFile);
  for (size_t torn = 0; torn <= block.size(); ++torn) {
    CAPTURE(torn);
    log.PutBack(before);
    log.Write(kFirstBundle, records);
    log.Write(kHeadFile, head);
    log.Write(kCheckpointsFile, acknowledged + block.substr(0, torn));
    REQUIRE(log.Problems() == "");
    log.Append(1);
    REQUIRE(log.Problems() == "");
    REQUIRE(log.Verify().checkpoints == (torn == block.size() ? 3 : 2));
  }
}

TEST_CASE("what a power failure left among the zeros after the records is cut off") {
  LogDirectory log;
  log.Append(1);
  const std::string records = log.Read(kFirstBundle);
  const std::string left =
      GENERATE(as<std::string>{}, std::string(100, '\0') + "\n",
               std::string(4096, '\0') + "\"}{\"call\":\"\"}", "\x01\x10" + std::string(300, '\0'));
  log.Write(kFirstBundle, records + left + std::string(500, '\0'));
  if (left.front() == '\0') {
    const VerifyReport report = log.Verify();
    CHECK(report.ok);
    CHECK(report.notes.size() == 1);  // an unfinished write
  }
  log.Append(1);
  CHECK(log.Verify().ok);
  CHECK(log.Events() == "log.opened call.decided log.recovered log.opened call.decided ");
}

TEST_CASE("zeros after the records are place for the next ones, and a log at rest has none") {
  LogDirectory log;
  log.Append(1);
  const std::string records = log.Read(kFirstBundle);
  REQUIRE(records == WithoutPlace(records));
  log.Write(kFirstBundle, records + std::string(GENERATE(1, 2, 100, 200'000), '\0'));
  const VerifyReport report = log.Verify();
  CHECK(report.ok);
  CHECK(report.notes.empty());
  log.Append(1);
  CHECK(log.Verify().ok);
  CHECK(log.Events() == "log.opened call.decided log.opened call.decided ");
  CHECK(log.Read(kFirstBundle) == WithoutPlace(log.Read(kFirstBundle)));
}

TEST_CASE("a commit without others makes place for the next ones, and a full bundle has none") {
  LogDirectory log;
  log.Append(1);
  const auto open = log.Open();
  REQUIRE(open->Append(Record(1)).ok());
  const size_t bytes = log.Read(kFirstBundle).size();
  REQUIRE(bytes > WithoutPlace(log.Read(kFirstBundle)).size());
  REQUIRE(open->Append(Record(2)).ok());
  CHECK(log.Read(kFirstBundle).size() == bytes);
  // One that reads along sees every record as soon as it is there, and nothing else.
  EntryReader reader(log.path, 5);
  std::string_view entry;
  REQUIRE_FALSE(reader.Next(&entry).value());
  const auto beside = log.Open();  // another process writes into the same place
  for (uint64_t i = 6; i <= 300; ++i) {
    REQUIRE((i % 3 == 0 ? beside : open)->Append(Record(3)).ok());
    REQUIRE(reader.Next(&entry).value());
    REQUIRE(ParseRecord(entry).value().at("index") == i - 1);
  }
  CHECK(EntriesOf(log.Read(kFirstBundle)).size() == kTileWidth);
  CHECK(log.Read(kFirstBundle) == WithoutPlace(log.Read(kFirstBundle)));
  CHECK(log.Verify().ok);
}

// One log, killed again and again: recovery goes on from recovery. NACRE_KILL_ROUNDS=1000 for longer.
TEST_CASE("kill -9 under load loses no acknowledged record and needs no repair to verify") {
  const char* set = std::getenv("NACRE_KILL_ROUNDS");
  const size_t rounds = set != nullptr ? std::strtoul(set, nullptr, 10) : 40;
  LogDirectory log;
  std::string kept;  // what was verified before is not read again, but for some rounds and the last
  size_t promised = 0;
  for (size_t round = 1; round <= rounds; ++round) {
    CAPTURE(round);
    const auto verify = [&] {
      const bool whole = round % 25 == 0 || round == rounds;
      return VerifyAuditLog(log.path,
                            {.since = whole || kept.empty() ? std::nullopt : std::optional(kept)})
          .value();
    };
    Pipe pipe = MakePipe().value();
    const pid_t child = Fork([&] {
      auto open = log.TryOpen();
      if (!open.ok()) {
        return 1;
      }
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&] {
          while (true) {
            const auto index = open.value()->Append(Record(1));
            if (!index.ok() || (index.value() % 5 == 0 && !open.value()->WriteCheckpoint().ok())) {
              ::_exit(2);
            }
            const uint64_t value = index.value();
            (void)!::write(pipe.write.get(), &value, sizeof value);
          }
        });
      }
      threads.front().join();
      return 3;
    });
    pipe.write.reset();
    std::set<uint64_t> acknowledged;
    uint64_t index = 0;
    const auto read_index = [&] {
      return ::read(pipe.read.get(), &index, sizeof index) == sizeof index;
    };
    while (acknowledged.size() < round % 50 && read_index()) {
      acknowledged.insert(index);
    }
    REQUIRE(::kill(child, SIGKILL) == 0);
    CHECK(WIFSIGNALED(Wait(child)));
    while (read_index()) {
      acknowledged.insert(index);
    }
    const VerifyReport crashed = verify();
    INFO((crashed.ok ? "" : crashed.problems.front()));
    REQUIRE(crashed.ok);
    promised += acknowledged.size();
    CHECK(acknowledged.size() >= round % 50);
    REQUIRE((acknowledged.empty() || crashed.records > *acknowledged.rbegin()));
    log.Append(1);
    const VerifyReport after = verify();
    INFO((after.ok ? "" : after.problems.front()));
    REQUIRE(after.ok);
    REQUIRE(after.records > crashed.records);
    kept = log.Read(kCheckpointFile);
  }
  std::printf("%zu kills, %zu records acknowledged, none of them lost\n", rounds, promised);
}

// The kernel ends a file at RLIMIT_FSIZE as a full disk would: a short write, then an error.
TEST_CASE("a disk that is full at any byte refuses records and leaves nothing half-done") {
  LogDirectory log;
  log.Append(1);
  const std::string records = log.Read(kFirstBundle);
  const size_t length = records.size() - EntriesOf(records)[0].size();
  for (size_t room = 0; room < length; room += 7) {
    CAPTURE(room);
    const std::string before = log.Events();
    const int status = Wait(Fork([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      auto open = log.TryOpen();
      struct stat info {};
      if (!open.ok() || !open.value()->WriteCheckpoint().ok() ||  // takes the place back
          ::stat(log.File(kFirstBundle).c_str(), &info) != 0) {
        return 1;
      }
      const auto size = static_cast<rlim_t>(info.st_size);
      const rlimit limit{.rlim_cur = size + room, .rlim_max = RLIM_INFINITY};
      const rlimit none{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const auto full = open.value()->Append(Record(1));
      ::setrlimit(RLIMIT_FSIZE, &none);
      if (full.ok() || full.error().code != ErrorCode::kResourceExhausted ||
          full.error().message.find("the audit log is not writable: ") != 0 ||
          full.error().message.find("; calls are refused") == std::string::npos) {
        return 2;
      }
      // Also when there is room again, for a second.
      if (open.value()->Append(Record(2)).ok() || open.value()->WriteCheckpoint().ok()) {
        return 3;
      }
      return ::stat(log.File(kFirstBundle).c_str(), &info) == 0 &&
                     static_cast<rlim_t>(info.st_size) == size
                 ? 0
                 : 4;
    }));
    REQUIRE(status == 0);
    REQUIRE(log.Problems() == "");
    REQUIRE(log.Events() == before + "log.opened ");
  }
}

// At full speed, so that it comes to the beginning of bundles while they are made.
TEST_CASE("one that follows the log while others write sees each record once and in order") {
  constexpr uint64_t kRecords = 15'000;
  LogDirectory log;
  const auto open = log.Open();
  const auto beside = log.Open();
  std::atomic<uint64_t> written = 0;
  std::atomic<int> writing = 3;
  std::vector<std::thread> writers;
  for (AuditLog* into : {open.get(), open.get(), beside.get()}) {
    writers.emplace_back([&, into] {
      while (written < kRecords && into->Append(Record(1)).ok()) {
        ++written;
      }
      --writing;
    });
  }
  EntryReader reader(log.path, 0);
  std::string problem;
  for (uint64_t next = 0; next < kRecords && problem.empty();) {
    std::string_view entry;
    const bool last_look = writing == 0;
    const Result<bool> more = reader.Next(&entry);
    if (!more.ok()) {
      problem = more.error().message;
    } else if (!more.value() && last_look) {
      problem = "there are only " + std::to_string(next);
    } else if (more.value()) {
      const auto record = ParseRecord(entry);
      problem = record.ok() && record.value().at("index") == next
                    ? ""
                    : "record " + std::to_string(next) + " is " + std::string(entry);
      ++next;
    }
  }
  written = kRecords;
  for (std::thread& writer : writers) {
    writer.join();
  }
  CHECK(problem == "");
  CHECK(log.Verify().ok);
}

TEST_CASE("threads and processes append side by side without a gap") {
  LogDirectory log;
  log.Append(1);
  const auto work = [&] {
    auto open = log.TryOpen();
    std::atomic<int> failed = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; open.ok() && thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 10; ++i) {
          failed += open.value()->Append(Record(i)).ok() ? 0 : 1;
        }
        failed += thread != 0 || open.value()->WriteCheckpoint().ok() ? 0 : 1;
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return open.ok() ? failed.load() : 99;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(Fork(work));
  }
  // Readers need no lock and never see a torn log.
  for (int i = 0; i < 20; ++i) {
    CHECK(log.Problems() == "");
  }
  for (const pid_t child : children) {
    CHECK(Wait(child) == 0);
  }
  log.Append(1);
  CHECK(log.Problems() == "");
  CHECK(log.Verify().records == 2 + 3 * 41 + 2);
}

TEST_CASE("each record of a shared commit has its own index") {
  LogDirectory log;
  const auto open = log.Open();
  std::vector<std::vector<uint64_t>> indexes(8);
  std::vector<std::thread> threads;
  for (auto& own : indexes) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        own.push_back(open->Append(Record(i)).value());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<uint64_t> all;
  for (const auto& own : indexes) {
    CHECK(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  CHECK(all.size() == 200);
  CHECK(*all.rbegin() == 200);
  CHECK(log.Problems() == "");
}

TEST_CASE("what another process left unfinished is cut off and recorded by the next writer") {
  LogDirectory log;
  const auto open = log.Open();
  REQUIRE(open->Append(Record(1)).ok());
  {
    const UniqueFd file(::open(log.File(kFirstBundle).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    REQUIRE(WriteAll(file.get(), std::string_view("\x01\x20{\"call\":\"torn", 15)).ok());
  }
  CHECK(open->Append(Record(2)).value() == 3);
  CHECK(log.Events() == "log.opened call.decided log.recovered call.decided ");
  CHECK(log.Problems() == "");
}

TEST_CASE("a log that is changed, moved or cut under a writer takes no more records") {
  LogDirectory log;
  const auto open = log.Open();
  REQUIRE(open->Append(Record(1)).ok());
  const std::string records = log.Read(kFirstBundle);
  SECTION("cut") {
    REQUIRE(::truncate(log.File(kFirstBundle).c_str(), 10) == 0);
  }
  SECTION("foreign records added") {
    const UniqueFd file(::open(log.File(kFirstBundle).c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::lseek(file.get(), static_cast<off_t>(WithoutPlace(records).size()), SEEK_SET) > 0);
    REQUIRE(WriteAll(file.get(), std::string_view("\0\2{}", 4)).ok());
  }
  SECTION("replaced") {
    REQUIRE(::unlink(log.File(kFirstBundle).c_str()) == 0);
    log.Write(kFirstBundle, records);
  }
  SECTION("its lock replaced") {
    REQUIRE(::unlink(log.File(kLockFile).c_str()) == 0);
    log.Write(kLockFile, "");
  }
  SECTION("removed") {
    std::filesystem::remove_all(log.path);
  }
  CHECK_FALSE(open->Append(Record(2)).ok());
  CHECK_FALSE(open->Append(Record(2)).ok());
}

TEST_CASE("a log in the format of an earlier version is left alone") {
  LogDirectory log;
  REQUIRE(::mkdir(log.path.c_str(), 0700) == 0);
  log.Write(kFormerRecordsFile, "{}\n");
  const auto open = log.TryOpen();
  REQUIRE_FALSE(open.ok());
  CHECK(open.error().code == ErrorCode::kFailedPrecondition);
  CHECK(open.error().message.find("mv " + log.path) != std::string::npos);
  CHECK(log.Read(kFormerRecordsFile) == "{}\n");
}

TEST_CASE("a record that does not fit is refused and harms nothing") {
  LogDirectory log;
  const auto open = log.Open();
  AuditRecord large = Record(1);
  large.data["text"] = std::string(60'000, 'x');
  CHECK(open->Append(large).error().code == ErrorCode::kResourceExhausted);
  CHECK(open->Append(Record(1)).value() == 1);
  CHECK(log.Verify().records == 2);
}

TEST_CASE("a directory that is not writable is an error that names it") {
  LogDirectory log;
  REQUIRE(::chmod(log.temp.path().c_str(), 0555) == 0);
  const int status = Wait(Fork([&] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
      return 1;
    }
    const auto open = log.TryOpen();
    return !open.ok() && open.error().code == ErrorCode::kPermissionDenied &&
                   open.error().message.find(log.path) != std::string::npos
               ? 0
               : 2;
  }));
  CHECK(status == 0);
  CHECK_FALSE(std::filesystem::exists(log.path));
}

// docs/audit-log.md is enough: tests/unit/audit/verify.py knows nothing of our code.
TEST_CASE("programs that are not ours agree with root, links and signature") {
  if (std::system("python3 -c 'import hashlib' && openssl version >/dev/null") != 0) {
    SKIP_HERE("needs python3 and openssl");
  }
  LogDirectory log;
  log.Append(10);
  log.Append(3);
  const std::string command = std::string("python3 ") + NACRE_SOURCE_DIR +
                              "/tests/unit/audit/verify.py " + log.path + " >" + log.temp.path() +
                              "/out 2>&1";
  const bool ok = std::system(command.c_str()) == 0;
  INFO(ReadFile(log.temp.path() + "/out", 1 << 20).value());
  CHECK(ok);
  std::string records = log.Read(kFirstBundle);
  records[records.size() / 2] = '#';
  log.Write(kFirstBundle, records);
  CHECK(std::system(command.c_str()) != 0);
}

}  // namespace nacre::audit
