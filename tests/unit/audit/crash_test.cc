// A crash at any byte, a power failure at any operation, and a disk that fails at any of them: what was
// acknowledged is still there, and the log goes on.
//
// RecordingStorage writes down every change that a writer makes. From that list the directory is made
// anew as a crash would have left it: between any two operations and after each byte of each write.
#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "runtime/audit/log_writer.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;  // path below the log's directory -> content

struct Operation {
  enum Kind { kCreate, kWrite, kSync, kTruncate, kSyncDirectory, kReplace, kRemove, kAcknowledge };
  Kind kind;
  std::string path;
  std::string bytes;
  uint64_t number = 0;  // offset, size, or how many records are acknowledged
};

class RecordingStorage : public Storage {
 public:
  explicit RecordingStorage(std::string root) : root_(std::move(root)) {}

  std::vector<Operation> operations;
  size_t fail_at = SIZE_MAX;  // this operation, and all after it when `fail_on`
  bool fail_on = false;

  Result<UniqueFd> Open(const std::string& path, bool create) override {
    if (create && !fs::exists(path)) {
      NACRE_TRY(Note({Operation::kCreate, path, {}, 0}));
    }
    return Storage::Open(path, create);
  }
  Status Write(int fd, std::string_view bytes, uint64_t offset) override {
    NACRE_TRY(Note({Operation::kWrite, PathOf(fd), std::string(bytes), offset}));
    return Storage::Write(fd, bytes, offset);
  }
  Status Sync(int fd) override { return Note({Operation::kSync, PathOf(fd), {}, 0}); }
  Status Truncate(int fd, uint64_t size) override {
    NACRE_TRY(Note({Operation::kTruncate, PathOf(fd), {}, size}));
    return Storage::Truncate(fd, size);
  }
  Status SyncDirectory(const std::string& path) override {
    return Note({Operation::kSyncDirectory, path, {}, 0});
  }
  Status Replace(const std::string& path, std::string_view content, unsigned mode) override {
    NACRE_TRY(Note({Operation::kReplace, path, std::string(content), 0}));
    return Storage::Replace(path, content, mode);
  }
  Status Remove(const std::string& path) override {
    NACRE_TRY(Note({Operation::kRemove, path, {}, 0}));
    return Storage::Remove(path);
  }
  void Acknowledge(uint64_t records) {
    operations.push_back({Operation::kAcknowledge, {}, {}, records});
  }

 private:
  static std::string PathOf(int fd) {
    return fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
  }
  Status Note(Operation operation) {
    operation.path = fs::path(operation.path).lexically_relative(root_).string();
    const size_t number = operations.size();
    if (number == fail_at || (fail_on && number > fail_at)) {
      operations.push_back({Operation::kAcknowledge, {}, {}, 0});
      return SysError("injected", ENOSPC);
    }
    operations.push_back(std::move(operation));
    return Ok();
  }

  const std::string root_;
};

// What is in memory and what is on the disk, as operations go by.
struct Disk {
  Files files;                  // as a process sees them: they survive kill -9
  Files synced;                 // contents that fdatasync has put on the disk
  std::set<std::string> names;  // files and folders whose names are on the disk

  static Disk Of(const std::string& directory) {
    Disk disk;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      const std::string path = entry.path().lexically_relative(directory).string();
      disk.names.insert(path);
      if (entry.is_regular_file()) {
        disk.files[path] = ReadFile(entry.path().string(), 1 << 24).value();
      }
    }
    disk.synced = disk.files;
    return disk;
  }

  // All of it, or of a write the first `bytes` bytes.
  void Apply(const Operation& operation, size_t bytes = SIZE_MAX) {
    if (operation.kind == Operation::kSyncDirectory) {
      return SyncNames(operation.path);
    }
    if (operation.kind == Operation::kAcknowledge) {
      return;
    }
    std::string& file = files[operation.path];
    switch (operation.kind) {
      case Operation::kWrite: {
        const std::string part = operation.bytes.substr(0, bytes);
        file.resize(std::max<size_t>(file.size(), operation.number + part.size()));
        file.replace(operation.number, part.size(), part);
        break;
      }
      case Operation::kTruncate:
        file.resize(operation.number);
        break;
      case Operation::kSync:
        synced[operation.path] = file;
        break;
      case Operation::kReplace:
        synced[operation.path] = file = operation.bytes;
        names.insert(operation.path);
        break;
      case Operation::kRemove:
        files.erase(operation.path);
        break;
      case Operation::kCreate:
      case Operation::kSyncDirectory:
      case Operation::kAcknowledge:
        break;
    }
  }

  void SyncNames(const std::string& folder) {
    for (const auto& [path, content] : files) {
      for (fs::path name = path; !name.empty(); name = name.parent_path()) {
        const std::string parent = name.parent_path().string();
        if ((parent.empty() ? "." : parent) == folder) {
          names.insert(name.string());
        }
      }
    }
  }

  // Everything that was not synced is lost, or is there in length only.
  Files AfterPowerFailure(bool zeros) const {
    Files left;
    for (const auto& [path, content] : files) {
      bool named = true;
      for (fs::path name = path; !name.empty(); name = name.parent_path()) {
        named = named && names.contains(name.string());
      }
      if (named) {
        const auto found = synced.find(path);
        std::string& file = left[path] = found == synced.end() ? std::string() : found->second;
        if (zeros && content.size() > file.size() && path.starts_with("tile/entries/") &&
            path.find(".p/") == std::string::npos) {
          file.resize(content.size());
        }
      }
    }
    return left;
  }
};

void MakeDirectory(const std::string& directory, const Files& files) {
  fs::remove_all(directory);
  fs::create_directories(directory);
  for (const auto& [path, content] : files) {
    const std::string full = directory + "/" + path;
    fs::create_directories(fs::path(full).parent_path());
    const UniqueFd file(::open(full.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    REQUIRE(WriteAll(file.get(), content).ok());
  }
}

std::vector<std::string> AllEntries(const std::string& directory) {
  std::vector<std::string> entries;
  EntryReader reader(directory, 0);
  std::string_view entry;
  while (true) {
    const auto more = reader.Next(&entry);
    if (!more.ok() || !more.value()) {
      return entries;
    }
    entries.emplace_back(entry);
  }
}

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
          VerifyAuditLog(crashed.path, {.since = whole ? std::string() : base}).value();
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
    if (operation.kind == Operation::kWrite) {
      // `head` is below a page: one write(2) of it is not seen in part.
      const size_t step = operation.path == kHeadFile                       ? SIZE_MAX / 2
                          : operation.path.find(".p/") != std::string::npos ? 37
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
    fs::remove_all(log.path);
    fs::copy(before, log.path, fs::copy_options::recursive);
    RecordingStorage storage(log.path);
    storage.fail_at = i;
    storage.fail_on = on;
    const Status worked = Work(log, storage);
    // What only tidies up may fail.
    REQUIRE(worked.ok() == (whole.operations[i].kind == Operation::kRemove && !on));
    if (!worked.ok()) {
      CHECK(worked.error().code == ErrorCode::kResourceExhausted);
    }
    uint64_t acknowledged = 252;
    for (const Operation& operation : storage.operations) {
      acknowledged =
          std::max(acknowledged, operation.number * (operation.kind == Operation::kAcknowledge));
    }
    REQUIRE(log.Open()->Append(Record(9)).ok());
    REQUIRE(AllEntries(log.path).size() >= acknowledged + 2);
    INFO(log.Problems());
    REQUIRE(log.Verify().ok);
  }
}

}  // namespace nacre::audit
