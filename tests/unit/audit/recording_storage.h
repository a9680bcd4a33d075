// RecordingStorage writes down every change that a writer makes to a log. From that list the directory is made
// anew as a crash, or a power failure, would have left it.
#pragma once

#include <fcntl.h>

#include <map>
#include <set>

#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {

namespace fs = std::filesystem;

using Files =
    std::map<std::string, std::string>;  // path below the log's directory, or beside it -> content

struct Operation {
  enum Kind {
    kCreate,
    kWrite,
    kBeginSync,
    kSync,
    kTruncate,
    kSyncDirectory,
    kReplace,
    kPut,
    kRemove,
    kAcknowledge
  };
  Kind kind;
  std::string path;
  std::string bytes;
  uint64_t number = 0;  // offset, size, or how many records are acknowledged
};

// A write of the length of a record: nobody sees half of it, but on two pages.
inline bool IsLength(const Operation& operation) {
  return operation.kind == Operation::kWrite && operation.bytes.size() == kEntryPrefixBytes &&
         operation.number % 4096 != 4095;
}

// Place for records.
inline bool IsPlace(const Operation& operation) {
  return operation.kind == Operation::kWrite && WithoutPlace(operation.bytes).empty();
}

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
  // Nothing of it may be relied upon: after a power failure only what Sync() was for is there.
  Status BeginSync(int fd) override { return Note({Operation::kBeginSync, PathOf(fd), {}, 0}); }
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
  Status Put(const std::string& path, std::string_view content) override {
    NACRE_TRY(Note({Operation::kPut, path, std::string(content), 0}));
    return Storage::Put(path, content);
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
    if (const fs::path seen = LatestSeen(directory).path(); fs::exists(seen)) {
      const std::string path = seen.lexically_relative(directory).string();
      disk.names.insert(path);
      disk.files[path] = ReadFile(seen.string(), 1 << 24).value();
    }
    disk.names.insert("..");
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
      case Operation::kPut:
        file = operation.bytes;
        synced.erase(operation.path);
        break;
      case Operation::kRemove:
        files.erase(operation.path);
        break;
      case Operation::kCreate:
      case Operation::kBeginSync:
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

  // Of what was not synced of a bundle the disk has every other sector, the `first` or the second one.
  Files AfterTornSync(bool first) const {
    constexpr size_t kSector = 512;
    Files left = AfterPowerFailure(false);
    for (auto& [path, file] : left) {
      const auto now = files.find(path);
      if (!path.starts_with("tile/entries/") || path.find(".p/") != std::string::npos ||
          now == files.end()) {
        continue;
      }
      file.resize(std::max(file.size(), now->second.size()));
      for (size_t at = first ? 0 : kSector; at < now->second.size(); at += 2 * kSector) {
        file.replace(at, std::min(kSector, now->second.size() - at), now->second, at, kSector);
      }
    }
    return left;
  }

  // Everything that was not synced is lost, or is there in length only. With `zeros` also a hash tile has its name.
  Files AfterPowerFailure(bool zeros) const {
    Files left;
    for (const auto& [path, content] : files) {
      const bool bundle = path.starts_with("tile/entries/");
      if (zeros && path.starts_with("tile/") && !bundle && !synced.contains(path)) {
        left[path] = std::string(path.size() % 2 == 0 ? content.size() : 0, '\0');
        continue;
      }
      bool named = true;
      for (fs::path name = path; !name.empty(); name = name.parent_path()) {
        named = named && names.contains(name.string());
      }
      if (named) {
        const auto found = synced.find(path);
        std::string& file = left[path] = found == synced.end() ? std::string() : found->second;
        if (zeros && content.size() > file.size() && bundle &&
            path.find(".p/") == std::string::npos) {
          file.resize(content.size());
        }
      }
    }
    return left;
  }
};

inline void MakeDirectory(const std::string& directory, const Files& files) {
  fs::remove_all(directory);
  fs::remove(LatestSeen(directory).path());
  fs::create_directories(directory);
  for (const auto& [path, content] : files) {
    const std::string full = directory + "/" + path;
    fs::create_directories(fs::path(full).parent_path());
    const UniqueFd file(::open(full.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    REQUIRE(WriteAll(file.get(), content).ok());
  }
}

inline std::vector<std::string> AllEntries(const std::string& directory) {
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

}  // namespace nacre::audit
