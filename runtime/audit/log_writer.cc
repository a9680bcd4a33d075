#include "runtime/audit/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "base/digest.h"
#include "base/file.h"
#include "runtime/audit/line_reader.h"

namespace nacre::audit {
namespace {

Error Tampered(const std::string& why) {
  return {ErrorCode::kDataLoss,
          "the records do not match what was signed: " + why +
              "; see `nacre audit verify`, keep the directory as evidence and start a new log"};
}

// An open-file-description lock: two logs in one process exclude each other as two processes do,
// and the kernel frees it when the process dies.
class FileLock final {
 public:
  // kAborted when another process keeps it for too long.
  static Result<FileLock> Acquire(int fd) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(LogWriter::kLockTimeoutMs);
    // Holders need milliseconds; a wait in the kernel could not be bounded.
    while (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
      if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
        return SysError("lock the audit log", errno);
      }
      if (std::chrono::steady_clock::now() > deadline) {
        return Error{ErrorCode::kAborted, "another process kept the audit log locked for " +
                                              std::to_string(LogWriter::kLockTimeoutMs / 1000) +
                                              " s"};
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return FileLock(fd);
  }

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (fd_ >= 0) {
      struct flock lock {};
      lock.l_type = F_UNLCK;
      lock.l_whence = SEEK_SET;
      ::fcntl(fd_, F_OFD_SETLK, &lock);
    }
  }

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

Status WriteAt(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return SysError("write", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<size_t>(count);
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::Open(const std::string& directory, const Clock& clock,
                                                   Random& random) {
  NACRE_TRY(MakeDirectories(directory));
  const std::string path = directory + "/" + kRecordsFile;
  UniqueFd records(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!records) {
    return SysError("open " + path, errno);
  }
  const FileLock lock = NACRE_TRY(FileLock::Acquire(records.get()));
  struct stat info {};
  if (::fstat(records.get(), &info) != 0) {
    return SysError("stat " + path, errno);
  }
  // Everything else is made, durably, before the first record.
  const bool fresh = info.st_size == 0;
  SigningKey key = NACRE_TRY(LoadSigningKey(directory, fresh, clock, random));
  std::unique_ptr<LogWriter> writer(
      new LogWriter(directory, std::move(records), std::move(key), clock, random));
  CheckpointFiles files = NACRE_TRY(CheckpointFiles::Open(directory, fresh, writer->key_));
  writer->files_.emplace(std::move(files));
  if (fresh) {
    const UniqueFd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) {
      return SysError("fsync " + directory, errno);
    }
  }
  NACRE_TRY(writer->Recover());
  const EncodedRecord opened =
      NACRE_TRY(writer->Announce("log.opened", {{"key", writer->key_.verifying_key().ToText()},
                                                {"pid", static_cast<int64_t>(::getpid())}}));
  NACRE_TRY(writer->CommitLocked({&opened}));
  return writer;
}

// Up to the newest signature the tree vouches for the records, so they are only hashed; later ones
// must be canonical and linked.
Status LogWriter::Recover() {
  uint64_t promised = 0;
  for (const Checkpoint& promise : files_->promises()) {
    promised = std::max(promised, promise.size);
  }
  LineReader reader(records_.get(), 0, kRecordBytesMax);
  std::string_view line;
  for (uint64_t next = 0; next <= promised; ++next) {
    for (const Checkpoint& promise : files_->promises()) {
      if (promise.size == next && !(promise == Now())) {
        return Tampered("the first " + std::to_string(next) + " records have another root");
      }
    }
    if (next == promised) {
      break;
    }
    const bool more = NACRE_TRY(reader.Next(&line));
    if (!more) {
      return Tampered("there are " + std::to_string(next) + " of " + std::to_string(promised));
    }
    Take(line);
  }
  return CatchUp();
}

Status LogWriter::CatchUp() {
  struct stat info {};
  if (::fstat(records_.get(), &info) != 0) {
    return SysError("stat", errno);
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size == offset_) {
    return Ok();
  }
  if (size < offset_) {
    return Tampered("the file became shorter");
  }
  LineReader reader(records_.get(), offset_, kRecordBytesMax);
  std::string_view line;
  while (true) {
    const Result<bool> more = reader.Next(&line);
    if (!more.ok() && reader.tail().find('\0') == std::string_view::npos) {
      return more.error();
    }
    if (!more.ok() || !more.value()) {
      break;
    }
    if (Status checked = CheckRecord(line, tree_.size(), previous_); !checked.ok()) {
      // A power failure may leave zeros where data was never written; no record contains any.
      if (line.find('\0') != std::string_view::npos) {
        break;
      }
      return Tampered("record " + std::to_string(tree_.size()) + ": " + checked.error().message);
    }
    Take(line);
  }
  if (size == offset_) {
    return Ok();
  }
  if (::ftruncate(records_.get(), static_cast<off_t>(offset_)) != 0 ||
      ::fdatasync(records_.get()) != 0) {
    return SysError("cut off the unfinished end", errno);
  }
  cut_ = {{"bytes_removed", size - offset_}, {"records_kept", tree_.size()}};
  return Ok();
}

void LogWriter::Take(std::string_view line) {
  const Sha256Digest hash = LeafHash(line);
  tree_.Append(hash);
  previous_ = ToHex(hash);
  offset_ += line.size() + 1;
}

Result<EncodedRecord> LogWriter::Announce(const char* event, Json data) {
  AuditRecord record;
  record.event = event;
  record.data = std::move(data);
  return EncodeRecord(record, clock_, random_);
}

// A log that was moved or deleted while open would take records that nobody will ever read.
Status LogWriter::CheckStillNamed() const {
  struct stat named {};
  struct stat opened {};
  const std::string path = directory_ + "/" + kRecordsFile;
  if (::stat(path.c_str(), &named) != 0) {
    return SysError(path, errno);
  }
  if (::fstat(records_.get(), &opened) != 0 || named.st_dev != opened.st_dev ||
      named.st_ino != opened.st_ino) {
    return Error{ErrorCode::kDataLoss, path + " was replaced while in use"};
  }
  return Ok();
}

Result<uint64_t> LogWriter::Commit(const std::vector<const EncodedRecord*>& records) {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(records_.get()));
  NACRE_TRY(CheckStillNamed());
  NACRE_TRY(CatchUp());
  return CommitLocked(records);
}

Result<uint64_t> LogWriter::CommitLocked(const std::vector<const EncodedRecord*>& records) {
  const uint64_t begin = offset_;
  std::string lines;
  const auto add = [&](const EncodedRecord& record) {
    const std::string line = FinishRecord(record, tree_.size(), previous_);
    Take(line);
    lines += line;
    lines += '\n';
  };
  if (!cut_.is_null()) {
    const EncodedRecord recovered =
        NACRE_TRY(Announce("log.recovered", std::exchange(cut_, nullptr)));
    add(recovered);
  }
  const uint64_t first = tree_.size();
  for (const EncodedRecord* record : records) {
    add(*record);
  }
  Status written = WriteAt(records_.get(), lines, begin);
  if (written.ok() && ::fdatasync(records_.get()) != 0) {
    written = SysError("fdatasync", errno);
  }
  if (!written.ok()) {
    (void)!::ftruncate(records_.get(), static_cast<off_t>(begin));  // else cut off at reopening
    return WithContext(directory_ + "/" + kRecordsFile, written.error());
  }
  NACRE_TRY(files_->WriteHead(Now()));
  return first;
}

Status LogWriter::WriteCheckpoint() {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(records_.get()));
  NACRE_TRY(CheckStillNamed());
  NACRE_TRY(CatchUp());
  if (!cut_.is_null()) {
    NACRE_TRY(CommitLocked({}));
  }
  // Other processes' records were synced by them before they let go of the lock, or they died.
  if (::fdatasync(records_.get()) != 0) {
    return SysError("fdatasync", errno);
  }
  return files_->WriteCheckpoint(Now());
}

}  // namespace nacre::audit
