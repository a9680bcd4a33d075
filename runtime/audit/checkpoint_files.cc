#include "runtime/audit/checkpoint_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/ids.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/signed_note.h"

namespace nacre::audit {
namespace {

constexpr std::string_view kBlockEnd = "\n\n";

Error Tampered(const std::string& file, const std::string& why) {
  return {ErrorCode::kDataLoss, file + ": " + why};
}

bool Exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

// The end of the last whole note of `text`, and its beginning in *begin; 0 when there is none.
// A note ends with a signature line and an empty line.
size_t LastNote(std::string_view text, size_t* begin) {
  size_t end = text.rfind(kBlockEnd);
  while (end != std::string_view::npos && end > 0) {
    size_t line = text.rfind('\n', end - 1);
    line = line == std::string_view::npos ? 0 : line + 1;
    if (text.substr(line, kSignatureMark.size()) == kSignatureMark) {
      size_t start = line;
      for (int lines = 0; lines < 4 && start > 0; ++lines) {
        start = start < 2 ? 0 : text.rfind('\n', start - 2) + 1;  // npos + 1 is 0
      }
      *begin = start;
      return end + kBlockEnd.size();
    }
    end = text.rfind(kBlockEnd, end - 1);
  }
  return 0;
}

}  // namespace

Result<SigningKey> LoadSigningKey(const std::string& directory, bool fresh, const Clock& clock,
                                  Random& random, Storage& storage) {
  const std::string path = directory + "/" + kKeyFile;
  const std::string public_path = directory + "/" + kPublicKeyFile;
  if (fresh && !Exists(path)) {
    SigningKey key =
        NACRE_TRY(SigningKey::Generate("nacre/audit/" + NewUlid(clock, random), random));
    NACRE_TRY(storage.Replace(path, key.ToText(), 0600));
    NACRE_TRY(storage.Replace(public_path, key.verifying_key().ToText(), 0644));
    return key;
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return SysError("audit key " + path, errno);
  }
  if ((info.st_mode & 0077) != 0) {
    return Error{ErrorCode::kPermissionDenied, "audit key " + path +
                                                   " is open to others, so its signatures prove "
                                                   "nothing: start a new log elsewhere"};
  }
  const std::string text = NACRE_TRY(ReadRegularFile(path, kCheckpointBytesMax));
  auto key = SigningKey::Parse(text);
  if (!key.ok()) {
    return WithContext(path, key.error());
  }
  const std::string public_text = key.value().verifying_key().ToText();
  if (fresh && !Exists(public_path)) {
    NACRE_TRY(storage.Replace(public_path, public_text, 0644));
  }
  const auto found = ReadRegularFile(public_path, kCheckpointBytesMax);
  if (!found.ok() || found.value() != public_text) {
    return Tampered(public_path, "it is not the public half of the log's key");
  }
  return key;
}

Status FinishKeyChange(const std::string& directory, Storage& storage) {
  const std::string next_path = directory + "/" + kNextKeyFile;
  if (!Exists(next_path)) {
    return Ok();
  }
  const std::string text = NACRE_TRY(ReadRegularFile(next_path, kCheckpointBytesMax));
  const auto next = SigningKey::Parse(text);
  const KeyChain keys = NACRE_TRY(KeyChain::Load(directory));
  // Made by a rename, so it is whole; what is no key is not ours.
  if (!next.ok()) {
    return WithContext(next_path, next.error());
  }
  const std::string public_text = next.value().verifying_key().ToText();
  if (keys.changes().empty() || keys.current().ToText() != public_text) {
    (void)storage.Remove(next_path);  // nobody was told of it; the next change writes over it
    return Ok();
  }
  NACRE_TRY(storage.Replace(directory + "/" + kKeyFile, text, 0600));
  NACRE_TRY(storage.Replace(directory + "/" + kPublicKeyFile, public_text, 0644));
  (void)storage.Remove(next_path);  // a copy of `key` by now
  return storage.SyncDirectory(directory);
}

Status ChangeKey(const std::string& directory, const Checkpoint& at, const SigningKey& old,
                 const SigningKey& next, Storage& storage) {
  const KeyChain keys = NACRE_TRY(KeyChain::Load(directory));
  std::string text = keys.first().ToText() + "\n";
  for (const KeyChange& change : keys.changes()) {
    text += change.note + "\n";
  }
  text += NACRE_TRY(SignKeyChange(at, next, old)) + "\n";
  if (text.size() > kKeysBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "the log has had too many keys: begin a new one"};
  }
  NACRE_TRY(storage.Replace(directory + "/" + kNextKeyFile, next.ToText(), 0600));
  // From this instant on the new key is in force.
  NACRE_TRY(storage.Replace(directory + "/" + kKeysFile, text, 0644));
  return FinishKeyChange(directory, storage);
}

Status CheckpointFiles::ReloadKeys() {
  KeyChain keys = NACRE_TRY(KeyChain::Load(directory_));
  if (keys.current().ToText() != key_->verifying_key().ToText()) {
    return Tampered(directory_ + "/" + kKeyFile, "it is not the last key that was introduced");
  }
  keys_.emplace(std::move(keys));
  return Ok();
}

Result<CheckpointFiles> CheckpointFiles::Open(const std::string& directory, bool fresh,
                                              const SigningKey& key, Storage& storage) {
  CheckpointFiles files(directory, key, storage);
  NACRE_TRY(files.ReloadKeys());
  const std::string head_path = directory + "/" + kHeadFile;
  if (fresh && !Exists(head_path)) {
    const std::string empty = NACRE_TRY(SignCheckpoint({.size = 0, .root = Sha256("")}, key));
    NACRE_TRY(storage.Replace(head_path, empty, 0600));
  }
  files.head_ = NACRE_TRY(storage.Open(head_path, false));
  const std::string history_path = directory + "/" + kCheckpointsFile;
  files.history_ = NACRE_TRY(storage.Open(history_path, fresh));

  const auto promise = [&](const std::string& file, const std::string& note) -> Status {
    const auto checkpoint = files.keys_->OpenCheckpoint(note);
    if (!checkpoint.ok()) {
      return Tampered(directory + "/" + file, checkpoint.error().message);
    }
    files.promises_.push_back(checkpoint.value());
    return Ok();
  };
  const std::string head = NACRE_TRY(ReadRegularFile(head_path, kCheckpointBytesMax));
  NACRE_TRY(promise(kHeadFile, head));
  const std::string newest = NACRE_TRY(files.NewestOfHistory());
  if (!newest.empty()) {
    NACRE_TRY(promise(kCheckpointsFile, newest));
    files.durable_size_ = files.promises_.back().size;
  }
  const std::string checkpoint_path = directory + "/" + kCheckpointFile;
  if (Exists(checkpoint_path)) {
    const std::string checkpoint = NACRE_TRY(ReadRegularFile(checkpoint_path, kCheckpointBytesMax));
    NACRE_TRY(promise(kCheckpointFile, checkpoint));
    files.newest_size_ = files.promises_.back().size;
    files.newest_note_ = checkpoint;
  }
  return files;
}

// Cuts off what a crash left of an unfinished append.
Result<std::string> CheckpointFiles::NewestOfHistory() {
  const std::string path = directory_ + "/" + kCheckpointsFile;
  struct stat info {};
  if (::fstat(history_.get(), &info) != 0) {
    return SysError("stat " + path, errno);
  }
  const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(4 * kCheckpointBytesMax));
  std::string text(static_cast<size_t>(info.st_size - from), '\0');
  const ssize_t count = ::pread(history_.get(), text.data(), text.size(), from);
  if (count != static_cast<ssize_t>(text.size())) {
    return count < 0 ? SysError("read " + path, errno) : Tampered(path, "it became shorter");
  }
  size_t begin = 0;
  const size_t end = LastNote(text, &begin);
  if (text.size() - end > kCheckpointBytesMax || (end == 0 && from > 0)) {
    return Tampered(path, "its end is no checkpoint");
  }
  if (end < text.size()) {
    NACRE_TRY(storage_->Truncate(history_.get(), static_cast<uint64_t>(from) + end));
    NACRE_TRY(storage_->Sync(history_.get()));
  }
  return end == 0 ? std::string() : text.substr(begin, end - 1 - begin);
}

Result<Checkpoint> CheckpointFiles::ReadHead() const {
  return keys_->OpenCheckpoint(
      NACRE_TRY(ReadRegularFile(directory_ + "/" + kHeadFile, kCheckpointBytesMax)));
}

Result<std::string> CheckpointFiles::SignHead(const Checkpoint& checkpoint) const {
  return SignCheckpoint(checkpoint, *key_);
}

Status CheckpointFiles::WriteHead(const std::string& note) {
  // One write below a page: a reader sees the old note or the new one. It never gets shorter.
  if (Status written = storage_->Write(head_.get(), note, 0); !written.ok()) {
    return WithContext(directory_ + "/" + kHeadFile, written.error());
  }
  return Ok();
}

Status CheckpointFiles::TakeDurable(uint64_t size) {
  const std::string newest = NACRE_TRY(NewestOfHistory());
  if (newest.empty()) {
    return Ok();
  }
  const auto checkpoint = keys_->OpenCheckpoint(newest);
  if (!checkpoint.ok()) {
    return Tampered(directory_ + "/" + kCheckpointsFile, checkpoint.error().message);
  }
  if (checkpoint.value().size > size) {
    return Tampered(directory_ + "/" + kCheckpointsFile,
                    "its newest note is over " + std::to_string(checkpoint.value().size) +
                        " records, and there are " + std::to_string(size));
  }
  durable_size_ = std::max(durable_size_, checkpoint.value().size);
  return Ok();
}

Result<uint64_t> CheckpointFiles::WriteCheckpoint(const Checkpoint& checkpoint) {
  std::string note = NACRE_TRY(SignCheckpoint(checkpoint, *key_));
  const std::string newest = NACRE_TRY(NewestOfHistory());
  // Nor is there anything new when the old key has signed the same.
  if (const auto same = keys_->OpenCheckpoint(newest); same.ok() && same.value() == checkpoint) {
    note = newest;
    // Who wrote it may have died before its sync.
    if (Status synced = storage_->Sync(history_.get()); !synced.ok()) {
      return WithContext(directory_ + "/" + kCheckpointsFile, synced.error());
    }
  } else {
    const off_t end = ::lseek(history_.get(), 0, SEEK_END);
    if (end < 0) {
      return SysError("seek", errno);
    }
    const auto offset = static_cast<uint64_t>(end);
    Status written = storage_->Write(history_.get(), note + "\n", offset);
    if (written.ok()) {
      written = storage_->Sync(history_.get());
    }
    if (!written.ok()) {
      (void)storage_->Truncate(history_.get(), offset);  // else the next writer cuts it off
      return WithContext(directory_ + "/" + kCheckpointsFile, written.error());
    }
  }
  const std::string path = directory_ + "/" + kCheckpointFile;
  const auto current = ReadRegularFile(path, kCheckpointBytesMax);
  const auto before =
      current.ok() ? keys_->OpenCheckpoint(current.value()) : Result<Checkpoint>(current.error());
  if (!current.ok() || current.value() != note) {
    NACRE_TRY(storage_->Replace(path, note, 0600));
  }
  newest_size_ = checkpoint.size;
  newest_note_ = std::move(note);
  durable_size_ = checkpoint.size;
  return before.ok() ? before.value().size : 0;
}

}  // namespace nacre::audit
