#include "runtime/audit/log_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/unique_fd.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/log_anchor.h"
#include "runtime/audit/pruning.h"

namespace nacre::audit {
namespace {

constexpr char kTileFolder[] = "tile";

// What a writer could have made there: "tile/0/x001/234.p/17", "tile/entries/000.zst".
bool IsTileName(std::string_view name) {
  name.remove_prefix(std::min(name.size(), sizeof kTileFolder));
  constexpr std::string_view kEntries = "entries/";
  name.remove_prefix(name.starts_with(kEntries) ? kEntries.size() : 0);
  return name.find_first_not_of("0123456789x/.pzst") == std::string_view::npos;
}

// What is read first, and written last.
struct Signatures {
  std::vector<std::pair<const char*, std::string>> files;
  uint64_t records = 0;    // under them
  uint64_t published = 0;  // under `checkpoint`
};

// Nothing when it is not there.
Result<std::string> ReadOptional(const std::string& path, size_t bytes_max) {
  auto content = ReadRegularFile(path, bytes_max);
  return !content.ok() && content.error().code == ErrorCode::kNotFound ? std::string()
                                                                       : std::move(content);
}

// Of one moment: `checkpoints` ends with `checkpoint`, and `head` is not older.
Result<Signatures> TrySignatures(const std::string& directory) {
  Signatures read;
  std::string keys = NACRE_TRY(ReadOptional(directory + "/" + kKeysFile, kKeysBytesMax));
  std::string key =
      NACRE_TRY(ReadRegularFile(directory + "/" + kPublicKeyFile, kCheckpointBytesMax));
  std::string checkpoint =
      NACRE_TRY(ReadOptional(directory + "/" + kCheckpointFile, kCheckpointBytesMax));
  std::string history =
      NACRE_TRY(ReadRegularFile(directory + "/" + kCheckpointsFile, kAnchorBytesMax));
  std::string head = NACRE_TRY(ReadRegularFile(directory + "/" + kHeadFile, kCheckpointBytesMax));
  const KeyChain chain = NACRE_TRY(KeyChain::Parse(key, keys));
  const Checkpoint newest = NACRE_TRY(chain.OpenCheckpoint(head));
  read.records =
      std::max(newest.size, chain.changes().empty() ? 0 : chain.changes().back().at.size);
  if (!checkpoint.empty()) {
    read.published = NACRE_TRY(chain.OpenCheckpoint(checkpoint)).size;
    read.records = std::max(read.records, read.published);
    if (const size_t at = history.rfind(checkpoint); at != std::string::npos) {
      history.resize(std::min(history.size(), at + checkpoint.size() + 1));
    }
  }
  if (!keys.empty()) {
    read.files.emplace_back(kKeysFile, std::move(keys));
  }
  read.files.emplace_back(kCheckpointsFile, std::move(history));
  if (!checkpoint.empty()) {
    read.files.emplace_back(kCheckpointFile, std::move(checkpoint));
  }
  read.files.emplace_back(kPublicKeyFile, std::move(key));
  read.files.emplace_back(kHeadFile, std::move(head));
  return read;
}

// `head` may be overwritten, and the key changed, while they are read.
Result<Signatures> ReadSignatures(const std::string& directory) {
  constexpr int kTries = 10;
  constexpr useconds_t kPauseUs = 10'000;
  for (int i = 1;; ++i) {
    auto read = TrySignatures(directory);
    if (read.ok() || read.error().code == ErrorCode::kNotFound || i == kTries) {
      return read;
    }
    ::usleep(kPauseUs);
  }
}

class Copier final {
 public:
  Copier(const std::string& from, const std::string& to) : from_(from), to_(to) {}

  Result<CopyReport> Run() {
    const uint64_t first = FirstRecord(from_);
    const Status copied = CopyRecords(first);
    if (FirstRecord(from_) != first) {
      return Error{ErrorCode::kAborted, "records were pruned while they were copied"};
    }
    NACRE_TRY(copied);
    NACRE_TRY(CopySignatures());
    const VerifyReport verified = NACRE_TRY(VerifyAuditLog(to_));
    return verified.ok ? Result<CopyReport>(report_)
                       : Error{ErrorCode::kDataLoss, verified.problems.front()};
  }

  Result<CopyReport> RunAsItIs() {
    constexpr std::array<std::pair<const char*, size_t>, 6> kFiles = {{
        {kKeysFile, kKeysBytesMax},
        {kCheckpointsFile, kAnchorBytesMax},
        {kCheckpointFile, kCheckpointBytesMax},
        {kPublicKeyFile, kCheckpointBytesMax},
        {kHeadFile, kCheckpointBytesMax},
        {kPrunedFile, kCheckpointBytesMax},
    }};
    for (const auto& [name, bytes_max] : kFiles) {
      NACRE_TRY(CopyOrName(name, bytes_max));
    }
    NACRE_TRY(CopyFolderAsItIs(kTileFolder));
    NACRE_TRY(Sync());
    report_.records = RecordsHint(to_);
    // What is wrong with records comes before files that are none: of these there may be any number.
    std::vector<std::string> left_out =
        std::exchange(report_.problems, NACRE_TRY(VerifyAuditLog(to_)).problems);
    report_.problems.resize(std::min(report_.problems.size(), kCopyProblemsMax));
    for (std::string& problem : left_out) {
      Add(std::move(problem));
    }
    return report_;
  }

 private:
  Status CopyRecords(uint64_t first) {
    signatures_ = NACRE_TRY(ReadSignatures(from_));
    const Signatures& signatures = signatures_;
    report_.records = signatures.records;
    for (uint64_t number = first / kTileWidth; number * kTileWidth < signatures.records; ++number) {
      NACRE_TRY(CopyBundle(number, signatures.records - number * kTileWidth));
    }
    for (int level = 0; level < kTileLevelsMax; ++level) {
      const uint64_t hashes = signatures.records >> (8 * level);
      for (uint64_t number = 0; number < hashes / kTileWidth; ++number) {
        NACRE_TRY(CopyIfThere(TilePath(level, number), kTileBytes));
      }
      const uint64_t published = signatures.published >> (8 * level);
      if (const uint64_t width = published % kTileWidth; width > 0) {
        NACRE_TRY(CopyIfThere(TilePath(level, published / kTileWidth, width), kTileBytes));
      }
    }
    if (const uint64_t width = signatures.published % kTileWidth; width > 0) {
      NACRE_TRY(CopyIfThere(BundlePath(signatures.published / kTileWidth, width), kBundleBytesMax));
    }
    return CopyIfThere(kPrunedFile, kCheckpointBytesMax);
  }

  // No link in it is followed, nor is it if it is one.
  Status CopyFolderAsItIs(const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path top = fs::path(from_) / folder;
    if (const auto type = fs::symlink_status(top, error).type(); type != fs::file_type::directory) {
      Name(folder, "it is no folder");
      return Ok();
    }
    for (fs::recursive_directory_iterator
             entry(top, fs::directory_options::skip_permission_denied, error),
         none;
         !error && entry != none; entry.increment(error)) {
      std::error_code gone;
      if (entry->symlink_status(gone).type() == fs::file_type::directory) {
        if (::access(entry->path().c_str(), R_OK | X_OK) != 0) {
          Name(entry->path().lexically_relative(from_).string(), std::strerror(errno));
        }
        continue;
      }
      const std::string name = entry->path().lexically_relative(from_).string();
      if (IsTileName(name)) {
        NACRE_TRY(CopyOrName(name, kBundleBytesMax));
      } else {
        Name(name, "it is no file of a log");
      }
    }
    if (error) {
      Name(folder, error.message());
    }
    return Ok();
  }

  Status CopySignatures() {
    for (const auto& [name, content] : signatures_.files) {
      NACRE_TRY(Write(name, content));
    }
    return Sync();
  }

  Status Sync() const {
    const UniqueFd folder(::open(to_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::syncfs(folder.get()) != 0) {
      return SysError("sync " + to_, errno);
    }
    return Ok();
  }

  Status Write(const std::string& name, std::string_view content) {
    const std::filesystem::path path = to_ + "/" + name;
    NACRE_TRY(MakeDirectories(path.parent_path().string()));
    const UniqueFd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
      return SysError("make " + path.string(), errno);
    }
    NACRE_TRY(WriteAll(file.get(), content));
    ++report_.files;
    report_.bytes += content.size();
    return Ok();
  }

  // Tiles can be made of the records again, and a newer checkpoint has other partial ones.
  Status CopyIfThere(const std::string& name, size_t bytes_max) {
    const auto content = ReadRegularFile(from_ + "/" + name, bytes_max);
    if (!content.ok()) {
      return content.error().code == ErrorCode::kNotFound ? Ok() : Status(content.error());
    }
    return Write(name, content.value());
  }

  // What cannot be read is left out and named; an error only when it cannot be written.
  Status CopyOrName(const std::string& name, size_t bytes_max) {
    const auto content = ReadRegularFile(from_ + "/" + name, bytes_max);
    if (!content.ok() && content.error().code != ErrorCode::kNotFound) {
      Name(name, content.error().message);
    }
    return content.ok() ? Write(name, content.value()) : Ok();
  }
  void Name(const std::string& name, const std::string& why) { Add(name + ": left out: " + why); }
  void Add(std::string problem) {
    if (report_.problems.size() < kCopyProblemsMax) {
      report_.problems.push_back(std::move(problem));
    }
  }

  // Its first records, at most `records`, so that it ends where the signature does.
  Status CopyBundle(uint64_t number, uint64_t records) {
    if (records >= kTileWidth && !HasPlainBundle(from_, number)) {
      if (const auto frame = ReadFrame(from_, number); frame.ok()) {
        return Write(BundlePath(number) + kCompressedSuffix, frame.value());
      }
    }
    const auto bundle = ReadBundle(from_, number);
    if (!bundle.ok()) {
      return Error{ErrorCode::kDataLoss, "records from " + std::to_string(number * kTileWidth) +
                                             " on: " + bundle.error().message};
    }
    std::string_view rest = bundle.value();
    for (uint64_t i = 0; i < std::min(records, kTileWidth); ++i) {
      std::string_view entry;
      if (FirstEntry(rest, &entry) != EntryState::kWhole) {
        return Error{ErrorCode::kDataLoss,
                     "record " + std::to_string(number * kTileWidth + i) + " is missing"};
      }
      rest.remove_prefix(kEntryPrefixBytes + entry.size());
    }
    return Write(BundlePath(number),
                 std::string_view(bundle.value()).substr(0, bundle.value().size() - rest.size()));
  }

  const std::string& from_;
  const std::string& to_;
  Signatures signatures_;
  CopyReport report_;
};

Status MakeEmpty(const std::string& destination) {
  NACRE_TRY(MakeDirectories(destination));
  std::error_code error;
  const bool empty = std::filesystem::is_empty(destination, error);
  if (error) {
    return SysError("open " + destination, error.value());
  }
  return empty ? Ok()
               : Status(Error{ErrorCode::kAlreadyExists,
                              destination + " is not empty: a copy gets a folder of its own"});
}

// All in it is ours.
void Clear(const std::string& destination) {
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(destination, ignored), none; entry != none;
       entry.increment(ignored)) {
    std::error_code kept;
    std::filesystem::remove_all(entry->path(), kept);
  }
}

}  // namespace

Result<CopyReport> CopyLog(const std::string& directory, const std::string& destination) {
  NACRE_TRY(MakeEmpty(destination));
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    auto copied = Copier(directory, destination).Run();
    if (copied.ok()) {
      return copied;
    }
    Clear(destination);
    if (copied.error().code == ErrorCode::kNotFound && HasLog(directory)) {
      return Error{ErrorCode::kDataLoss, copied.error().message};
    }
    if (copied.error().code != ErrorCode::kAborted || i == kTries) {
      return copied;
    }
  }
}

Result<CopyReport> CopyDamagedLog(const std::string& directory, const std::string& destination) {
  NACRE_TRY(MakeEmpty(destination));
  auto copied = Copier(directory, destination).RunAsItIs();
  if (!copied.ok()) {
    Clear(destination);
  }
  return copied;
}

bool HoldsPrivateKey(const std::string& directory) {
  const auto there = [&](const char* file) {
    struct stat info {};
    return ::lstat((directory + "/" + file).c_str(), &info) == 0 && info.st_size > 0;
  };
  return there(kKeyFile) || there(kNextKeyFile);
}

}  // namespace nacre::audit
