#include "runtime/audit/audit_verifier.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "base/unique_fd.h"
#include "runtime/audit/base64.h"
#include "runtime/audit/checkpoint_files.h"
#include "runtime/audit/line_reader.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {
namespace {

// A signed promise: the tree over the first `size` records has this root.
struct Anchor {
  Checkpoint checkpoint;
  std::string name;  // "checkpoint 3", "head"
};

// Where in the file a record begins, and what its link must be.
struct Position {
  uint64_t index = 0;
  uint64_t offset = 0;
  std::string previous;

  void Pass(std::string_view line, const Sha256Digest& leaf) {
    ++index;
    offset += line.size() + 1;
    previous = ToHex(leaf);
  }
};

Result<UniqueFd> OpenForReading(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return SysError("open " + path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kDataLoss, path + " is no regular file"};
  }
  return file;
}

class Verifier final {
 public:
  Verifier(const std::string& directory, const std::string& trusted_key)
      : directory_(directory), trusted_key_(trusted_key) {}

  VerifyReport Run() {
    if (LoadKey()) {
      // Signatures first, records last: what is appended meanwhile is only ever too much.
      LoadHead();
      LoadHistory();
      CheckRecords();
    }
    report_.ok = report_.problems.empty();
    return std::move(report_);
  }

 private:
  void Problem(std::string text) { report_.problems.push_back(std::move(text)); }
  std::string Path(const char* file) const { return directory_ + "/" + file; }

  bool LoadKey() {
    const auto text = ReadFile(Path(kPublicKeyFile), kCheckpointBytesMax);
    auto key = text.ok() ? VerifyingKey::Parse(text.value()) : Result<VerifyingKey>(text.error());
    if (!key.ok()) {
      Problem(std::string(kPublicKeyFile) + ": " + key.error().message);
      return false;
    }
    key_.emplace(std::move(key).value());
    std::string trusted = trusted_key_;
    if (!trusted.empty() && trusted.back() != '\n') {
      trusted += '\n';
    }
    if (!trusted.empty() && trusted != text.value()) {
      Problem(std::string(kPublicKeyFile) + ": it is not the trusted key");
    }
    return true;
  }

  std::optional<Checkpoint> Parse(const std::string& name, std::string_view note) {
    const auto checkpoint = ParseCheckpoint(note, *key_);
    if (!checkpoint.ok()) {
      Problem(name + ": " + checkpoint.error().message);
      return std::nullopt;
    }
    return checkpoint.value();
  }

  void LoadHead() {
    constexpr int kTries = 3;  // it may be overwritten while we read it
    for (int i = 1; i <= kTries; ++i) {
      const auto note = ReadFile(Path(kHeadFile), kCheckpointBytesMax);
      if (!note.ok()) {
        return Problem(std::string(kHeadFile) + ": " + note.error().message);
      }
      if (i < kTries && !ParseCheckpoint(note.value(), *key_).ok()) {
        continue;
      }
      if (const auto checkpoint = Parse(kHeadFile, note.value())) {
        anchors_.push_back({*checkpoint, kHeadFile});
      }
      return;
    }
  }

  void LoadHistory() {
    const auto file = OpenForReading(Path(kCheckpointsFile));
    if (!file.ok()) {
      return Problem(std::string(kCheckpointsFile) + ": " + file.error().message);
    }
    ReadHistory(file.value().get());
    const size_t before_newest = notes_.size();
    const auto newest = ReadFile(Path(kCheckpointFile), kCheckpointBytesMax);
    if (newest.ok() && (notes_.empty() || notes_.back() != newest.value())) {
      ReadHistory(file.value().get());  // it may have been appended in between
    }
    CheckNewest(newest, before_newest);
    if (!history_tail_.empty()) {
      report_.notes.push_back("checkpoints: the last " + std::to_string(history_tail_.size()) +
                              " bytes are an unfinished write");
    }
  }

  // A crash between the two writes leaves `checkpoint` one behind `checkpoints`; more is no crash.
  void CheckNewest(const Result<std::string>& newest, size_t before_newest) {
    if (!newest.ok()) {
      if (newest.error().code != ErrorCode::kNotFound || before_newest > 1) {
        Problem(std::string(kCheckpointFile) + ": " + newest.error().message);
      }
      return;
    }
    if (!Parse(kCheckpointFile, newest.value()).has_value()) {
      return;
    }
    const auto from = before_newest >= 2 ? before_newest - 2 : 0;
    if (std::find(notes_.begin() + static_cast<std::ptrdiff_t>(from), notes_.end(),
                  newest.value()) == notes_.end()) {
      Problem(std::string(kCheckpointFile) + ": it is not among the newest of checkpoints");
    }
  }

  // Every whole note from history_offset_ on.
  void ReadHistory(int fd) {
    LineReader reader(fd, history_offset_, kCheckpointBytesMax);
    std::string note;
    int lines = 0;
    while (true) {
      std::string_view line;
      const auto more = reader.Next(&line);
      if (!more.ok()) {
        return Problem(std::string(kCheckpointsFile) + ": " + more.error().message);
      }
      if (!more.value()) {
        history_tail_ = note + std::string(reader.tail());
        return;
      }
      if (++lines <= 5) {
        note += std::string(line) + "\n";
        continue;
      }
      const std::string name = "checkpoint " + std::to_string(notes_.size() + 1);
      if (!line.empty()) {
        return Problem(name + ": it is not followed by an empty line");
      }
      if (const auto checkpoint = Parse(name, note)) {
        if (checkpoint->size <= history_size_ && history_size_ != 0) {
          Problem(name + ": it is not larger than the one before it");
        }
        history_size_ = checkpoint->size;
        anchors_.push_back({*checkpoint, name});
        ++report_.checkpoints;
      }
      notes_.push_back(std::exchange(note, {}));
      lines = 0;
      history_offset_ = reader.offset();
    }
  }

  void CheckRecords() {
    const auto file = OpenForReading(Path(kRecordsFile));
    if (!file.ok()) {
      return Problem(std::string(kRecordsFile) + ": " + file.error().message);
    }
    std::stable_sort(anchors_.begin(), anchors_.end(), [](const Anchor& a, const Anchor& b) {
      return a.checkpoint.size < b.checkpoint.size;
    });
    report_.root = EncodeRoot(Sha256(""));
    LineReader reader(file.value().get(), 0, kRecordBytesMax);
    MerkleFrontier tree;
    Position now;
    Position good;  // after the last record under a matching anchor
    auto anchor = anchors_.begin();
    bool trust = true;  // until the first record that does not fit: after it nothing can
    while (true) {
      for (; trust && anchor != anchors_.end() && anchor->checkpoint.size == now.index; ++anchor) {
        if (tree.Root() == anchor->checkpoint.root) {
          good = now;
          report_.covered = now.index;
          report_.root = EncodeRoot(tree.Root());
        } else {
          Problem(Locate(file.value().get(), good, *anchor));
          trust = false;
        }
      }
      std::string_view line;
      const auto more = reader.Next(&line);
      if (!more.ok()) {
        Problem("record " + std::to_string(now.index) + ": " + more.error().message);
        break;
      }
      if (!more.value()) {
        break;
      }
      // Beyond the last signature only form and links can be checked.
      if (trust && anchor == anchors_.end()) {
        if (const Status checked = CheckRecord(line, now.index, now.previous); !checked.ok()) {
          Problem("record " + std::to_string(now.index) + ": " + checked.error().message);
          trust = false;
        }
      }
      const Sha256Digest leaf = LeafHash(line);
      tree.Append(leaf);
      now.Pass(line, leaf);
    }
    report_.records = now.index;
    CheckEnd(now, reader.tail().size());
  }

  void CheckEnd(const Position& end, size_t tail_bytes) {
    if (!anchors_.empty() && anchors_.back().checkpoint.size > end.index) {
      Problem("records " + std::to_string(end.index) + " to " +
              std::to_string(anchors_.back().checkpoint.size - 1) + ": missing, " +
              anchors_.back().name + " covers them");
    }
    if (tail_bytes > 0) {
      report_.notes.push_back("records.jsonl: the last " + std::to_string(tail_bytes) +
                              " bytes are an unfinished write");
    }
    if (report_.problems.empty() && report_.covered < end.index) {
      report_.notes.push_back("the last " + std::to_string(end.index - report_.covered) +
                              " records are linked, but not signed yet");
    }
  }

  // The root over the anchor's records is wrong: the links say where, if they were not forged too.
  static std::string Locate(int fd, const Position& good, const Anchor& anchor) {
    const uint64_t size = anchor.checkpoint.size;
    const std::string what =
        ": content does not match the tree signed at " + std::to_string(size) + " records";
    LineReader reader(fd, good.offset, kRecordBytesMax);
    Position now = good;
    std::string_view line;
    while (now.index <= size) {  // the record after the last one still shows a change of that
      const auto more = reader.Next(&line);
      if (!more.ok() || !more.value()) {
        break;
      }
      const Status checked = CheckRecord(line, now.index, now.previous);
      if (!checked.ok()) {
        const bool link = checked.error().code == ErrorCode::kFailedPrecondition;
        const uint64_t changed = link && now.index > good.index ? now.index - 1 : now.index;
        if (changed >= size) {
          break;
        }
        return "record " + std::to_string(changed) + what + " (record " +
               std::to_string(now.index) + ": " + checked.error().message + ")";
      }
      now.Pass(line, LeafHash(line));
    }
    if (size == good.index + 1) {
      return "record " + std::to_string(good.index) + what;
    }
    return "records " + std::to_string(good.index) + " to " +
           std::to_string(size == 0 ? 0 : size - 1) + what;
  }

  static std::string EncodeRoot(const Sha256Digest& root) {
    return EncodeBase64(std::string(root.begin(), root.end()));
  }

  const std::string& directory_;
  const std::string& trusted_key_;
  VerifyReport report_;
  std::optional<VerifyingKey> key_;
  std::vector<Anchor> anchors_;
  std::vector<std::string> notes_;  // of checkpoints, in order
  uint64_t history_offset_ = 0;
  uint64_t history_size_ = 0;
  std::string history_tail_;
};

}  // namespace

Result<VerifyReport> VerifyAuditLog(const std::string& directory, const std::string& trusted_key) {
  const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) {
    return SysError("audit log " + directory, errno);
  }
  return Verifier(directory, trusted_key).Run();
}

Status ReadAuditLog(const std::string& directory, uint64_t first,
                    const std::function<bool(uint64_t index, const Json& record)>& visit) {
  const UniqueFd file = NACRE_TRY(OpenForReading(directory + "/" + kRecordsFile));
  LineReader reader(file.get(), 0, kRecordBytesMax);
  std::string_view line;
  for (uint64_t index = 0; NACRE_TRY(reader.Next(&line)); ++index) {
    if (index < first) {
      continue;
    }
    const auto record = ParseRecord(line);
    if (!record.ok()) {
      return WithContext("audit record " + std::to_string(index), record.error());
    }
    if (!visit(index, record.value())) {
      break;
    }
  }
  return Ok();
}

}  // namespace nacre::audit
