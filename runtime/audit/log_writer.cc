#include "runtime/audit/log_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/digest.h"
#include "base/file.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/content_erase.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/legal_hold.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/tile_reader.h"

namespace nacre::audit {
namespace {

Error Tampered(const std::string& why) {
  return {ErrorCode::kDataLoss,
          "the records do not match what was signed: " + why +
              "; see `nacre audit verify`, keep the directory as evidence and start a new log"};
}

// What LatestSeen knows of the log is not there.
Error Lost(const std::string& what) {
  return {ErrorCode::kDataLoss, what +
                                    "; put the log back, or, if that was on purpose, nacre audit "
                                    "accept-loss --reason TEXT records it and goes on"};
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

// So many are read at opening, and their tiles synced by a checkpoint, at most.
constexpr uint64_t kRecordsWithoutCheckpointMax = uint64_t{1} << 16;

// Place is made for so many bytes at once, by a commit of no more than that: a larger one waits for the journal anyway
// seldom enough.
constexpr uint64_t kPlaceBytes = uint64_t{64} << 10;
constexpr size_t kChunkWithPlaceMax = size_t{16} << 10;
// Of every machine a multiple of this.
constexpr uint64_t kPageBytes = 4096;

bool IsZeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

bool Holds(const std::string& path, std::string_view bytes) {
  const auto found = ReadRegularFile(path, kTileBytes);
  return found.ok() && found.value() == bytes;
}

// Longer than nothing.
bool HasBytes(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && info.st_size > 0;
}

// 0 when it is not there.
uint64_t BytesOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

// Which file it is and its length, of a path or, when that is empty, of a descriptor. Its times are not asked for: since Linux 6.13 a
// write to a file whose times were seen changes them again (multigrain timestamps), and that costs the next sync a commit of the file
// system's journal.
Result<struct statx> LookAt(int fd, const std::string& path = {}) {
  struct statx info {};
  if (::statx(path.empty() ? fd : AT_FDCWD, path.c_str(), path.empty() ? AT_EMPTY_PATH : 0,
              STATX_INO | STATX_SIZE, &info) != 0) {
    return SysError(path.empty() ? "statx" : path, errno);
  }
  return info;
}

Status CheckSameFile(const std::string& path, int fd) {
  const struct statx named = NACRE_TRY(LookAt(-1, path));
  const Result<struct statx> opened = LookAt(fd);
  if (!opened.ok() || named.stx_ino != opened.value().stx_ino ||
      named.stx_dev_major != opened.value().stx_dev_major ||
      named.stx_dev_minor != opened.value().stx_dev_minor) {
    return Error{ErrorCode::kDataLoss, path + " was replaced while in use"};
  }
  return Ok();
}

Result<uint64_t> SizeOf(int fd) {
  const struct statx info = NACRE_TRY(LookAt(fd));
  return info.stx_size;
}

// The width of the partial tile of `level` that a tree of `size` records ends with, 0 when none.
uint64_t PartialWidth(uint64_t size, int level) {
  return (size >> (8 * level)) % kTileWidth;
}
uint64_t PartialNumber(uint64_t size, int level) {
  return (size >> (8 * level)) / kTileWidth;
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::Open(const std::string& directory, const Clock& clock,
                                                   Random& random, Storage& storage,
                                                   const SessionCount& sessions) {
  return Open(directory, clock, random, storage, sessions, nullptr);
}

Result<uint64_t> LogWriter::AcceptLoss(const std::string& directory, const std::string& reason,
                                       const Clock& clock, Random& random, Storage& storage) {
  NACRE_TRY(CheckReason(reason));
  const Error nothing{ErrorCode::kFailedPrecondition,
                      "nothing is missing: the log has all records that were seen of it"};
  if (const auto seen = LatestSeen(directory).Read(); seen.ok() && !seen.value().has_value()) {
    return nothing;  // and none is begun
  }
  std::error_code error;
  if (const std::string path = LatestSeen(directory).path();
      std::filesystem::is_directory(path, error)) {
    return Error{ErrorCode::kFailedPrecondition,
                 path + " is a folder, which no checkpoint can take the place of: remove it first"};
  }
  std::string lost;
  const auto writer = NACRE_TRY(Open(directory, clock, random, storage, nullptr, &lost));
  if (lost.empty()) {
    return nothing;
  }
  return writer->CommitSigned([&]() -> Result<AuditRecord> {
    const auto seen = writer->latest_seen_.Read();
    AuditRecord record;
    record.event = kLossAcceptedEvent;
    record.data = {{"lost", lost}, {"reason", reason}, {"seen", nullptr}};
    if (seen.ok() && seen.value().has_value()) {
      record.data["seen"] = {{"log", seen.value()->origin},
                             {"records", seen.value()->checkpoint.size},
                             {"note", seen.value()->note}};
    }
    return record;
  });
}

Result<std::unique_ptr<LogWriter>> LogWriter::Open(const std::string& directory, const Clock& clock,
                                                   Random& random, Storage& storage,
                                                   const SessionCount& sessions,
                                                   std::string* lost) {
  const auto seen = LatestSeen(directory).Read();
  if (!seen.ok() && lost == nullptr) {
    return Lost(seen.error().message);
  }
  NACRE_TRY(MakeDirectories(directory));
  if (HasBytes(directory + "/" + kFormerRecordsFile)) {
    return Error{ErrorCode::kFailedPrecondition,
                 directory + " holds a log in the format of an earlier version (" +
                     kFormerRecordsFile + "); keep it and begin a new one: mv " + directory + " " +
                     directory + ".old"};
  }
  UniqueFd lock_file = NACRE_TRY(storage.Open(directory + "/" + kLockFile, true));
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_file.get()));
  // Everything else is made, durably, before the first record.
  // A plain bundle 0 without a byte is what a crash leaves before the first record.
  const auto first = FirstBundle(directory);
  const bool fresh = !HasBytes(directory + "/" + BundlePath(0)) &&
                     (!first.has_value() || (*first == 0 && HasPlainBundle(directory, 0))) &&
                     !HasBytes(directory + "/" + kPrunedFile);
  const std::string gone = fresh && seen.ok() && seen.value().has_value()
                               ? seen.value()->Missing(0) + " are missing: there is no log any more"
                               : std::string();
  if (!gone.empty() && lost == nullptr) {
    return Lost(gone);  // and none is begun
  }
  // Before anything is made: where they cannot be counted, no log is begun.
  uint64_t beside = fresh && gone.empty() && sessions != nullptr ? NACRE_TRY(sessions()) : 0;
  if (!fresh) {
    NACRE_TRY(FinishKeyChange(directory, storage));
  }
  SigningKey key = NACRE_TRY(LoadSigningKey(directory, fresh, clock, random, storage));
  std::unique_ptr<LogWriter> writer(
      new LogWriter(directory, std::move(lock_file), std::move(key), clock, random, storage));
  CheckpointFiles files =
      NACRE_TRY(CheckpointFiles::Open(directory, fresh, *writer->key_, storage));
  writer->keys_bytes_ = BytesOf(directory + "/" + kKeysFile);
  writer->files_.emplace(std::move(files));
  if (fresh) {
    NACRE_TRY(storage.SyncDirectory(directory));
  }
  NACRE_TRY(writer->Recover());
  std::string missing = gone;
  if (!seen.ok()) {
    missing = seen.error().message;
  } else if (missing.empty() && seen.value().has_value()) {
    missing = NACRE_TRY(writer->FindLoss(*seen.value()));
  }
  if (lost != nullptr) {
    *lost = missing;
  } else if (!missing.empty()) {
    return Lost(missing);
  }
  std::vector<EncodedRecord> announced;
  // Also after a crash in its first record.
  if (!fresh && writer->size() == 0 && missing.empty() && sessions != nullptr) {
    beside = NACRE_TRY(sessions());
  }
  if (beside > 0) {
    announced.push_back(
        NACRE_TRY(writer->Announce(kBegunBesideSessionsEvent, {{"sessions", beside}})));
  }
  announced.push_back(
      NACRE_TRY(writer->Announce("log.opened", {{"key", writer->key_->verifying_key().ToText()},
                                                {"pid", static_cast<int64_t>(::getpid())}})));
  std::vector<const EncodedRecord*> records;
  for (const EncodedRecord& record : announced) {
    records.push_back(&record);
  }
  NACRE_TRY(writer->CommitLocked(records));
  if (missing.empty()) {
    // Nobody may have come to this: it is new, or a crash was before it. An older `checkpoint` takes nothing back.
    const uint64_t known = seen.value().has_value() ? seen.value()->checkpoint.size : 0;
    if (writer->files_->newest_size() > known) {
      NACRE_TRY(writer->latest_seen_.Remember(writer->files_->newest_note(), storage));
    }
  }
  return writer;
}

Result<std::string> LogWriter::FindLoss(const SeenCheckpoint& seen) const {
  const std::string& origin = key_->verifying_key().name();
  if (seen.origin != origin) {
    return seen.Missing(0) + " are missing: the log is another one, " + origin;
  }
  if (seen.checkpoint.size > edge_.size()) {
    return seen.Missing(edge_.size()) + " are missing: it is an older copy, or its end was cut off";
  }
  const bool same = NACRE_TRY(BeginsWith(seen.checkpoint));
  return same ? std::string()
              : "the first " + std::to_string(seen.checkpoint.size) + " records of " + origin +
                    " are not those that were seen";
}

Result<bool> LogWriter::BeginsWith(const Checkpoint& known) const {
  TileReader tiles = NACRE_TRY(TileReader::Open(directory_, edge_.size(), files_->newest_size()));
  const auto then = tiles.RootAt(known.size);
  return then.ok() && then.value() == known.root;
}

// Up to the newest signature the tree vouches for the records, so they are only hashed; later ones
// must be canonical and linked.
Status LogWriter::Recover() {
  Checkpoint promised;
  for (const Checkpoint& promise : files_->promises()) {
    if (promise.size > promised.size) {
      promised = promise;
    }
  }
  for (const Checkpoint& promise : files_->promises()) {
    if (promise.size == promised.size && promise.size > 0 && !(promise == promised)) {
      return Tampered("two roots were signed over the first " + std::to_string(promise.size) +
                      " records");
    }
  }
  const uint64_t newest_bundle = promised.size == 0 ? 0 : (promised.size - 1) / kTileWidth;
  // Tiles of later records may be lost.
  const uint64_t from = std::min(newest_bundle, files_->durable_size() / kTileWidth);
  std::vector<FullTile> full;
  const auto take_from = [&](uint64_t partials_of) -> Status {
    full.clear();
    const TreeEdge edge = NACRE_TRY(LoadTreeEdge(directory_, from * kTileWidth, partials_of));
    return TakePromised(promised, edge, &full);
  };
  Status taken = take_from(files_->newest_size());
  if (!taken.ok() && from > 0) {
    // Partial tiles are never synced. Full ones are enough, and a pruned log has nothing else to begin with.
    taken = take_from(0);
  }
  if (!taken.ok() && from > 0) {
    taken = RebuildTiles(promised);
    full.clear();
  }
  NACRE_TRY(std::move(taken));
  NACRE_TRY(WriteTiles(full));
  NACRE_TRY(CatchUp());
  return RestorePartials();
}

Status LogWriter::RestorePartials() {
  const uint64_t size = files_->newest_size();
  const uint64_t number = PartialNumber(size, 0);
  const uint64_t width = PartialWidth(size, 0);
  const auto& promises = files_->promises();
  const auto signed_one = std::find_if(promises.begin(), promises.end(),
                                       [&](const Checkpoint& one) { return one.size == size; });
  if (size == 0 || signed_one == promises.end() ||
      (width > 0 && !HasPlainBundle(directory_, number))) {
    return Ok();
  }
  const auto leads = [&](const Result<TreeEdge>& edge) {
    return edge.ok() && edge.value().Root() == signed_one->root;
  };
  bool whole = width == 0 || number != PartialNumber(edge_.size(), 0) ||
               HasBytes(Path(BundlePath(number, width)));
  for (int level = 0; level < kTileLevelsMax && (size >> (8 * level)) > 0; ++level) {
    const uint64_t hashes = PartialWidth(size, level);
    whole = whole &&
            (hashes == 0 || BytesOf(Path(TilePath(level, PartialNumber(size, level), hashes))) ==
                                hashes * sizeof(Sha256Digest));
  }
  if (whole && leads(LoadTreeEdge(directory_, size, size))) {
    return Ok();
  }
  const auto edge = LoadTreeEdge(directory_, size, 0);
  return leads(edge) ? WritePartials(size, edge.value()) : Ok();
}

Status LogWriter::TakePromised(const Checkpoint& promised, TreeEdge edge,
                               std::vector<FullTile>* full) {
  edge_ = std::move(edge);
  previous_.clear();
  if (promised.size == 0) {
    return Ok();
  }
  EntryReader reader(directory_, edge_.size());
  std::string_view entry;
  while (edge_.size() < promised.size) {
    if (edge_.size() % kTileWidth == 0) {
      offset_ = 0;
    }
    const Result<bool> more = reader.Next(&entry);
    if (!more.ok()) {
      return Tampered("record " + std::to_string(edge_.size()) + ": " + more.error().message);
    }
    if (!more.value()) {
      return Tampered("there are " + std::to_string(edge_.size()) + " of " +
                      std::to_string(promised.size));
    }
    Take(entry, full);
  }
  if (!(promised == Now())) {
    return Tampered("the first " + std::to_string(promised.size) + " records have another root");
  }
  return OpenBundle((promised.size - 1) / kTileWidth, false);
}

// Twice over the log: no tile is touched before all of it is known to be what was signed.
Status LogWriter::RebuildTiles(const Checkpoint& promised) {
  NACRE_TRY(TakePromised(promised, TreeEdge(), nullptr));
  EntryReader reader(directory_, 0);
  TreeEdge edge;
  std::vector<FullTile> full;
  std::string_view entry;
  while (edge.size() < promised.size) {
    const bool more = NACRE_TRY(reader.Next(&entry));
    if (!more) {
      return Tampered("it became shorter");
    }
    edge.Append(LeafHash(entry), &full);
    if (!full.empty()) {
      NACRE_TRY(WriteTiles(full, true));
      full.clear();
    }
  }
  NoteRecovered(0, true);
  return Ok();
}

void LogWriter::NoteRecovered(uint64_t bytes_removed, bool tiles_rebuilt) {
  const bool more = !recovered_.is_null();
  recovered_ = {
      {"bytes_removed",
       bytes_removed + (more ? recovered_.at("bytes_removed").get<uint64_t>() : uint64_t{0})},
      {"records_kept", edge_.size()},
      {"tiles_rebuilt", tiles_rebuilt || (more && BoolMember(recovered_, "tiles_rebuilt"))}};
}

Status LogWriter::OpenBundle(uint64_t number, bool create) {
  bundle_ = NACRE_TRY(storage_.Open(Path(BundlePath(number)), create));
  bundle_number_ = number;
  file_bytes_ = 0;
  return Ok();
}

Status LogWriter::CatchUp() {
  owed_.reset();
  while (true) {
    if (bundle_) {
      const uint64_t size = NACRE_TRY(SizeOf(bundle_.get()));
      if (size < offset_) {
        return Tampered(BundlePath(bundle_number_) + " became shorter");
      }
      const bool more = NACRE_TRY(HasRest(size));
      if (more) {
        NACRE_TRY(TakeRest(size));
      } else {
        file_bytes_ = size;
      }
    }
    const uint64_t next = edge_.size() / kTileWidth;
    const bool at_end = bundle_ && bundle_number_ == next;
    if (!at_end && !HasBytes(Path(BundlePath(next))) &&
        HasBytes(Path(BundlePath(next)) + kCompressedSuffix)) {
      // Only what a checkpoint is over is compressed: that checkpoint is missing.
      return Tampered(BundlePath(next) + " was compressed, and nothing signed leads to it");
    }
    if (at_end || !HasBytes(Path(BundlePath(next)))) {
      return owed_.has_value() && edge_.size() < owed_->size
                 ? Status(Tampered("there are " + std::to_string(edge_.size()) + " of " +
                                   std::to_string(owed_->size)))
                 : Ok();
    }
    NACRE_TRY(OpenBundle(next, false));
    offset_ = 0;
    // Who made it may have died before its name was on the disk.
    NACRE_TRY(SyncName(BundlePath(next), next));
  }
}

Result<bool> LogWriter::HasRest(uint64_t file_size) const {
  if (file_size != file_bytes_ || file_size < offset_ + kEntryPrefixBytes) {
    return file_size > offset_;
  }
  const std::string length = NACRE_TRY(ReadAt(bundle_.get(), offset_, kEntryPrefixBytes));
  return !IsZeros(length);
}

// A record by which others may be deleted is signed before anybody acts on it. One behind the newest signature
// is what a crash left of a command that did nothing yet, or was written by somebody without the key: it
// must not be signed along with what comes next.
Result<bool> LogWriter::MayStand(std::string_view entry) {
  const Json record = NACRE_TRY(ParseRecord(entry));
  const std::string event = StringMember(record, "event");
  if (event != kPrunedEvent && event != kHoldPlacedEvent && event != kHoldReleasedEvent &&
      event != kContentErasedEvent && event != kSessionDeletedEvent &&
      event != kLossAcceptedEvent) {
    return true;
  }
  const Checkpoint head = NACRE_TRY(files_->ReadHead());
  if (head.size <= edge_.size()) {
    return false;
  }
  owed_ = head;
  return true;
}

// What stands in the newest bundle behind offset_.
Status LogWriter::TakeRest(uint64_t file_size) {
  if (file_size > kBundleBytesMax) {
    return Tampered(BundlePath(bundle_number_) + " is longer than a bundle can be");
  }
  const std::string bytes = NACRE_TRY(ReadAt(bundle_.get(), offset_, file_size - offset_));
  std::string_view rest = bytes;
  std::vector<FullTile> full;
  while (!rest.empty() && edge_.size() / kTileWidth == bundle_number_) {
    std::string_view entry;
    const EntryState state = FirstEntry(rest, &entry);
    if (state == EntryState::kShort) {
      break;
    }
    const Status checked = state == EntryState::kWhole
                               ? CheckRecord(entry, edge_.size(), previous_)
                               : Status(Error{ErrorCode::kDataLoss, "its length is that of none"});
    if (!checked.ok()) {
      // A power failure may leave zeros where data was never written; no record contains any.
      const std::string_view suspect =
          state == EntryState::kWhole ? entry : rest.substr(kEntryPrefixBytes - 1);
      if (suspect.find('\0') != std::string_view::npos) {
        break;
      }
      return Tampered("record " + std::to_string(edge_.size()) + ": " + checked.error().message);
    }
    const bool standing = NACRE_TRY(MayStand(entry));
    if (!standing) {
      break;
    }
    Take(entry, &full);
    if (owed_.has_value() && edge_.size() == owed_->size && !(Now() == *owed_)) {
      return Tampered("the first " + std::to_string(edge_.size()) + " records have another root");
    }
    rest.remove_prefix(kEntryPrefixBytes + entry.size());
  }
  NACRE_TRY(WriteTiles(full));
  const bool filled = edge_.size() / kTileWidth != bundle_number_;
  if (filled) {
    // Nothing of ours goes into it, and who filled it may have died before its sync.
    NACRE_TRY(storage_.Sync(bundle_.get()));
  }
  file_bytes_ = file_size;
  if (rest.empty() || (IsZeros(rest) && !filled)) {
    return Ok();
  }
  return CutAt(filled ? file_size : offset_ + rest.find_last_not_of('\0') + 1);
}

// The unfinished end goes up to `end`.
Status LogWriter::CutAt(uint64_t end) {
  if (HasBytes(Path(BundlePath(bundle_number_ + 1)))) {
    return Tampered(BundlePath(bundle_number_) + " has an unfinished end, and " +
                    BundlePath(bundle_number_ + 1) + " exists");
  }
  Status cut = storage_.Truncate(bundle_.get(), offset_);
  if (cut.ok()) {
    cut = storage_.Sync(bundle_.get());
  }
  if (!cut.ok()) {
    return WithContext("cut off the unfinished end", cut.error());
  }
  file_bytes_ = offset_;
  NoteRecovered(end - offset_, false);
  return Ok();
}

void LogWriter::Take(std::string_view line, std::vector<FullTile>* full) {
  const Sha256Digest hash = LeafHash(line);
  edge_.Append(hash, full);
  previous_ = ToHex(hash);
  offset_ += kEntryPrefixBytes + line.size();
}

Status LogWriter::SyncName(const std::string& relative_path, uint64_t number) {
  std::filesystem::path folder = std::filesystem::path(relative_path).parent_path();
  NACRE_TRY(storage_.SyncDirectory(Path(folder.string())));
  while (number % 1000 == 0 && !folder.empty()) {  // the first of a folder
    folder = folder.parent_path();
    NACRE_TRY(storage_.SyncDirectory(Path(folder.string())));
  }
  return Ok();
}

Status LogWriter::WriteTiles(const std::vector<FullTile>& tiles, bool durable) {
  for (const FullTile& tile : tiles) {
    const std::string path = TilePath(tile.level, tile.number);
    if (Holds(Path(path), tile.bytes)) {
      continue;
    }
    if (tile.number % 1000 == 0) {
      NACRE_TRY(MakeDirectories(std::filesystem::path(Path(path)).parent_path().string()));
    }
    if (!durable) {
      NACRE_TRY(storage_.Put(Path(path), tile.bytes));
      continue;
    }
    NACRE_TRY(storage_.Replace(Path(path), tile.bytes, 0600));
    if (tile.number % 1000 == 0) {
      NACRE_TRY(SyncName(path, tile.number));
    }
  }
  return Ok();
}

Status LogWriter::SyncTiles() {
  for (int level = 0; level < kTileLevelsMax; ++level) {
    const int shift = 8 * (level + 1);
    const uint64_t begin = shift < 64 ? files_->durable_size() >> shift : 0;
    const uint64_t end = shift < 64 ? edge_.size() >> shift : 0;
    for (uint64_t number = begin; number < end; ++number) {
      const std::string path = TilePath(level, number);
      const UniqueFd file = NACRE_TRY(storage_.Open(Path(path), false));
      NACRE_TRY(storage_.Sync(file.get()));
      // One sync of a folder is for all names in it.
      if (number + 1 == end || (number + 1) % 1000 == 0) {
        NACRE_TRY(SyncName(path, begin <= number / 1000 * 1000 ? number / 1000 * 1000 : number));
      }
    }
  }
  return Ok();
}

Status LogWriter::WritePartials(uint64_t size, const TreeEdge& edge) {
  const auto write = [&](const std::string& path, std::string_view bytes) -> Status {
    const UniqueFd file = NACRE_TRY(storage_.Open(Path(path), true));
    NACRE_TRY(storage_.Write(file.get(), bytes, 0));
    return storage_.Truncate(file.get(), bytes.size());
  };
  for (size_t level = 0; level < edge.open().size(); ++level) {
    if (const auto& hashes = edge.open()[level]; !hashes.empty()) {
      NACRE_TRY(write(TilePath(static_cast<int>(level),
                               PartialNumber(size, static_cast<int>(level)), hashes.size()),
                      TileBytes(hashes)));
    }
  }
  if (PartialWidth(size, 0) == 0) {
    return Ok();
  }
  const std::string bundle =
      NACRE_TRY(ReadRegularFile(Path(BundlePath(PartialNumber(size, 0))), kBundleBytesMax));
  std::string_view rest = bundle;
  for (uint64_t i = 0; i < PartialWidth(size, 0); ++i) {
    std::string_view entry;
    if (FirstEntry(rest, &entry) != EntryState::kWhole) {
      return Tampered(BundlePath(PartialNumber(size, 0)) + " became shorter");
    }
    rest.remove_prefix(kEntryPrefixBytes + entry.size());
  }
  return write(BundlePath(PartialNumber(size, 0), PartialWidth(size, 0)),
               std::string_view(bundle).substr(0, bundle.size() - rest.size()));
}

// What cannot be removed is only of no use.
void LogWriter::RemovePartials(uint64_t old_size, uint64_t new_size) {
  const auto remove = [&](const std::string& path) {
    (void)storage_.Remove(Path(path));
    ::rmdir(std::filesystem::path(Path(path)).parent_path().c_str());  // fails while in use
  };
  for (int level = 0; level < kTileLevelsMax && (old_size >> (8 * level)) > 0; ++level) {
    const uint64_t number = PartialNumber(old_size, level);
    const uint64_t width = PartialWidth(old_size, level);
    if (width > 0 &&
        (number != PartialNumber(new_size, level) || width != PartialWidth(new_size, level))) {
      remove(TilePath(level, number, width));
    }
    if (width > 0 && level == 0 && old_size != new_size) {
      remove(BundlePath(number, width));
    }
  }
}

Result<EncodedRecord> LogWriter::Announce(const char* event, Json data) {
  AuditRecord record;
  record.event = event;
  record.data = std::move(data);
  record.actor = "nacre";
  return EncodeRecord(record, clock_, random_);
}

Status LogWriter::CheckLockFile() const {
  return CheckSameFile(Path(kLockFile), lock_.get());
}

Status LogWriter::CheckStillThere() {
  NACRE_TRY(CheckLockFile());
  const Status bundle = CheckSameFile(Path(BundlePath(bundle_number_)), bundle_.get());
  // Pruned or compressed: never the newest one.
  const bool cold = !bundle.ok() && bundle.error().code == ErrorCode::kNotFound &&
                    (FirstBundle(directory_).value_or(0) > bundle_number_ ||
                     HasBundle(directory_, bundle_number_));
  return cold ? TakeAnew(Now()) : bundle;
}

// As at opening; and it must be this log that goes on.
Status LogWriter::TakeAnew(const Checkpoint& known) {
  NACRE_TRY(TakeKey());
  CheckpointFiles files = NACRE_TRY(CheckpointFiles::Open(directory_, false, *key_, storage_));
  files_.emplace(std::move(files));
  NACRE_TRY(Recover());
  const bool same = NACRE_TRY(BeginsWith(known));
  return same
             ? Ok()
             : Status(Tampered("they are not those after the first " + std::to_string(known.size)));
}

Result<uint64_t> LogWriter::Commit(const std::vector<const EncodedRecord*>& records) {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_.get()));
  NACRE_TRY(CheckStillThere());
  NACRE_TRY(TakeKey());
  NACRE_TRY(CatchUp());
  return CommitLocked(records);
}

Status LogWriter::TakeKey() {
  const uint64_t now = BytesOf(Path(kKeysFile));
  if (now == keys_bytes_) {
    return Ok();
  }
  NACRE_TRY(FinishKeyChange(directory_, storage_));
  SigningKey key = NACRE_TRY(LoadSigningKey(directory_, false, clock_, random_, storage_));
  if (key.verifying_key().name() != key_->verifying_key().name()) {
    return Error{ErrorCode::kDataLoss, "the log got a key with another name while in use"};
  }
  key_.emplace(std::move(key));
  keys_bytes_ = now;
  return files_->ReloadKeys();
}

Result<uint64_t> LogWriter::CommitSigned(const std::function<Result<AuditRecord>()>& decide) {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_.get()));
  NACRE_TRY(CheckStillThere());
  NACRE_TRY(TakeKey());
  NACRE_TRY(CatchUp());
  const AuditRecord record = NACRE_TRY(decide());
  const EncodedRecord encoded = NACRE_TRY(EncodeRecord(record, clock_, random_));
  const uint64_t index = NACRE_TRY(CommitLocked({&encoded}));
  NACRE_TRY(WriteCheckpointLocked());
  return index;
}

Status LogWriter::WhileLocked(const std::function<Status()>& act) {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_.get()));
  NACRE_TRY(CheckStillThere());
  return act();
}

Result<std::string> LogWriter::RotateKey() {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_.get()));
  NACRE_TRY(CheckStillThere());
  NACRE_TRY(TakeKey());
  NACRE_TRY(CatchUp());
  const SigningKey next = NACRE_TRY(SigningKey::Generate(key_->verifying_key().name(), random_));
  const std::string line = next.verifying_key().ToText();
  AuditRecord record;
  record.event = "log.key_rotated";
  record.data = {{"before", key_->verifying_key().ToText()}, {"key", line}};
  const EncodedRecord change = NACRE_TRY(EncodeRecord(record, clock_, random_));
  NACRE_TRY(CommitLocked({&change}));
  NACRE_TRY(WriteCheckpointLocked());
  NACRE_TRY(ChangeKey(directory_, Now(), *key_, next, storage_));
  NACRE_TRY(TakeKey());
  return line;
}

Result<uint64_t> LogWriter::CommitLocked(const std::vector<const EncodedRecord*>& records) {
  std::vector<Chunk> chunks;
  size_t expected = 0;
  for (const EncodedRecord* record : records) {
    expected += kEntryPrefixBytes + RecordBytes(*record);
  }
  const auto add = [&](const EncodedRecord& record) {
    const uint64_t bundle = edge_.size() / kTileWidth;
    if (chunks.empty() || chunks.back().bundle != bundle) {
      if (!bundle_ || bundle != bundle_number_ || !chunks.empty()) {
        offset_ = 0;
      }
      chunks.push_back({.bundle = bundle, .offset = offset_});
      chunks.back().bytes.reserve(std::exchange(expected, 0));  // usually all of them are in one
    }
    std::string& bytes = chunks.back().bytes;
    const size_t begin = BeginEntry(&bytes);
    AppendRecord(record, edge_.size(), previous_, &bytes);
    Take(EndEntry(begin, &bytes), &chunks.back().tiles);
    chunks.back().fills = edge_.size() % kTileWidth == 0;
  };
  if (!recovered_.is_null()) {
    const EncodedRecord recovered = NACRE_TRY(Announce("log.recovered", recovered_));
    add(recovered);
  }
  const uint64_t first = edge_.size();
  for (const EncodedRecord* record : records) {
    add(*record);
  }
  const Checkpoint now = Now();
  std::string head;
  const auto write = [&](const Chunk& chunk) -> Status {
    NACRE_TRY(BeginChunk(chunk));
    if (&chunk == &chunks.back()) {
      head = NACRE_TRY(files_->SignHead(now));
    }
    return FinishChunk(chunk);
  };
  for (const Chunk& chunk : chunks) {
    if (Status written = write(chunk); !written.ok()) {
      TakeBack(chunks);
      return WithContext(Path(BundlePath(chunk.bundle)), written.error());
    }
  }
  recovered_ = nullptr;  // it is there, acknowledged or not
  NACRE_TRY(files_->WriteHead(head));
  acknowledged_ = now;
  if (edge_.size() % kTileWidth == 0) {
    next_bundle_.Expect(edge_.size() / kTileWidth);
  }
  if (edge_.size() - files_->durable_size() >= kRecordsWithoutCheckpointMax) {
    NACRE_TRY(WriteCheckpointLocked());
  }
  return first;
}

Status LogWriter::BeginChunk(const Chunk& chunk) {
  if (!bundle_ || bundle_number_ != chunk.bundle) {
    NACRE_TRY(OpenBundle(chunk.bundle, true));
    file_bytes_ = NACRE_TRY(SizeOf(bundle_.get()));
  }
  NACRE_TRY(MakePlace(chunk));
  if (file_bytes_ == chunk.offset) {
    // Who reads meanwhile, or after a crash, finds the file's end within them.
    NACRE_TRY(storage_.Write(bundle_.get(), chunk.bytes, chunk.offset));
  } else {
    // The length of the first one last: all of them are found, or none.
    const std::string_view bytes = chunk.bytes;
    NACRE_TRY(storage_.Write(bundle_.get(), bytes.substr(kEntryPrefixBytes),
                             chunk.offset + kEntryPrefixBytes));
    NACRE_TRY(storage_.Write(bundle_.get(), bytes.substr(0, kEntryPrefixBytes), chunk.offset));
  }
  file_bytes_ = std::max(file_bytes_, chunk.end());
  return storage_.BeginSync(bundle_.get());
}

Status LogWriter::MakePlace(const Chunk& chunk) {
  const auto shorten = [&](uint64_t size) -> Status {
    if (file_bytes_ > size) {
      NACRE_TRY(storage_.Truncate(bundle_.get(), size));
      file_bytes_ = size;
    }
    return Ok();
  };
  // The two bytes of a length that lie on two pages may be seen one by one.
  if (chunk.offset % kPageBytes == kPageBytes - 1) {
    return shorten(chunk.offset);
  }
  if (chunk.fills) {
    return shorten(chunk.end());  // before it is full for anybody
  }
  const uint64_t before = file_bytes_;
  const uint64_t after = chunk.end() + kPlaceBytes;
  if (chunk.end() <= before || chunk.bytes.size() > kChunkWithPlaceMax || after > kBundleBytesMax) {
    return Ok();
  }
  file_bytes_ = after;
  const std::string zeros(after - before, '\0');
  // There may be room for the records alone.
  return storage_.Write(bundle_.get(), zeros, before).ok() ? Ok() : shorten(before);
}

Status LogWriter::FinishChunk(const Chunk& chunk) {
  NACRE_TRY(storage_.Sync(bundle_.get()));
  if (chunk.offset == 0 && !next_bundle_.IsPrepared(chunk.bundle, bundle_.get())) {
    NACRE_TRY(SyncName(BundlePath(chunk.bundle), chunk.bundle));
  }
  return WriteTiles(chunk.tiles);
}

// None of them was acknowledged. The last ones first: a bundle is begun only when the one before it
// is whole. What cannot be taken back stands there as records that nobody acted on.
void LogWriter::TakeBack(const std::vector<Chunk>& chunks) {
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend(); ++chunk) {
    if (const auto file = storage_.Open(Path(BundlePath(chunk->bundle)), false); file.ok()) {
      (void)storage_.Truncate(file.value().get(), chunk->offset);
    }
  }
}

Status LogWriter::Resume(const EncodedRecord& record) {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_.get()));
  NACRE_TRY(CheckLockFile());
  NACRE_TRY(TakeAnew(acknowledged_));
  if (const auto seen = NACRE_TRY(latest_seen_.Read()); seen.has_value()) {
    if (const std::string missing = NACRE_TRY(FindLoss(*seen)); !missing.empty()) {
      return Lost(missing);
    }
  }
  // Before the record: a log that takes one and cannot be signed does not go on.
  NACRE_TRY(WriteCheckpointLocked());
  const auto index = CommitLocked({&record});
  return index.ok() ? Ok() : Status(index.error());
}

Status LogWriter::WriteCheckpoint() {
  const FileLock lock = NACRE_TRY(FileLock::Acquire(lock_.get()));
  NACRE_TRY(CheckStillThere());
  NACRE_TRY(TakeKey());
  NACRE_TRY(CatchUp());
  return WriteCheckpointLocked();
}

Status LogWriter::WriteCheckpointLocked() {
  if (!recovered_.is_null()) {
    NACRE_TRY(CommitLocked({}));
  }
  if (file_bytes_ > offset_) {
    // A log at rest ends with its last record.
    NACRE_TRY(storage_.Truncate(bundle_.get(), offset_));
    file_bytes_ = offset_;
  }
  // Full bundles were synced by who filled them or, if that one died, by CatchUp().
  NACRE_TRY(storage_.Sync(bundle_.get()));
  NACRE_TRY(files_->TakeDurable(edge_.size()));
  NACRE_TRY(SyncTiles());
  NACRE_TRY(WritePartials(edge_.size(), edge_));
  const uint64_t before = NACRE_TRY(files_->WriteCheckpoint(Now()));
  acknowledged_ = Now();
  RemovePartials(before, edge_.size());
  return latest_seen_.Remember(files_->newest_note(), storage_);
}

}  // namespace nacre::audit
