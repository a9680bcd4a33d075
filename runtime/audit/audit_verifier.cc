#include "runtime/audit/audit_verifier.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/safe_text.h"
#include "base/unique_fd.h"
#include "runtime/audit/base64.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/content_keys.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/cosignature.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/line_reader.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/tile_reader.h"

namespace nacre::audit {
namespace {

// A signed promise: the tree over the first `size` records has this root.
struct Anchor {
  Checkpoint checkpoint;
  std::string name;  // "checkpoint 3", "head"
};

// How far a scan has come.
struct Position {
  uint64_t index = 0;
  std::optional<Sha256Digest> previous;  // leaf hash of the record before, where one was passed

  void Pass(const Sha256Digest& leaf) {
    ++index;
    previous = leaf;
  }
  // What the link of the record `index` must be.
  std::string Link() const { return previous.has_value() ? ToHex(*previous) : std::string(); }
};

// log.begun_beside_sessions is the first one, or comes after log.recovered.
constexpr uint64_t kBeginningRecords = 2;

VerifyReport AllMissing(const SeenCheckpoint& seen) {
  VerifyReport report;
  report.seen = seen.checkpoint.size;
  report.first_bad = 0;
  report.problems.push_back(seen.Missing(0) + ": missing, there is no log any more");
  return report;
}

class Verifier final {
 public:
  Verifier(const std::string& directory, const VerifyOptions& options)
      : directory_(directory), options_(options), first_(FirstRecord(directory)) {}

  VerifyReport Run() {
    if (LoadKey()) {
      // Signatures first, records last: what is appended meanwhile is only ever too much.
      LoadSince();
      LoadSeen();
      LoadExpected();
      LoadHead();
      LoadHistory();
      CheckRecords();
      CheckPruned();
    }
    report_.ok = report_.problems.empty();
    return std::move(report_);
  }

 private:
  struct BadOne {
    uint64_t index = 0;
    std::string why;
  };

  void Problem(std::string text) { report_.problems.push_back(std::move(text)); }
  void BadRecord(uint64_t index, const std::string& why) {
    report_.first_bad = std::min(report_.first_bad.value_or(index), index);
    Problem("record " + std::to_string(index) + ": " + why);
  }
  std::string Path(const std::string& file) const { return directory_ + "/" + file; }

  bool LoadKey() {
    auto keys = KeyChain::Load(directory_);
    if (!keys.ok()) {
      Problem(keys.error().message);
      return false;
    }
    keys_.emplace(std::move(keys).value());
    report_.keys = keys_->changes().size() + 1;
    for (size_t i = 0; i < keys_->changes().size(); ++i) {
      anchors_.push_back(
          {keys_->changes()[i].at, "change " + std::to_string(i + 1) + " of the key"});
    }
    if (!options_.trusted_key.has_value()) {
      return true;
    }
    std::string trusted = *options_.trusted_key;
    if (trusted.empty()) {
      Problem("the trusted key is empty");
      return true;
    }
    trusted += trusted.back() == '\n' ? "" : "\n";
    // Each key vouches for the next: whoever trusts one of them may trust those after it.
    if (!keys_->Has(trusted)) {
      Problem(std::string(kPublicKeyFile) + ": it is not the trusted key" +
              (keys_->changes().empty() ? "" : ", and that one is none of those before it"));
    }
    return true;
  }

  std::optional<Checkpoint> Parse(const std::string& name, std::string_view note) {
    const auto checkpoint = keys_->OpenCheckpoint(note);
    if (!checkpoint.ok()) {
      Problem(name + ": " + checkpoint.error().message);
      return std::nullopt;
    }
    return checkpoint.value();
  }

  void LoadSince() {
    if (!options_.since.has_value()) {
      if (options_.witness.has_value()) {
        Problem("a witness signs a remembered checkpoint, and there is none");
      }
      return;
    }
    if (options_.since->empty()) {
      return Problem("the remembered checkpoint is empty");
    }
    const auto notes = SplitNotes(*options_.since);
    if (!notes.ok()) {
      return Problem("the remembered checkpoint: " + notes.error().message);
    }
    for (size_t i = 0; i < notes.value().size(); ++i) {
      const std::string& note = notes.value()[i];
      const std::string name = "the remembered checkpoint" +
                               (notes.value().size() > 1 ? " " + std::to_string(i + 1) : "");
      // Witnesses may have signed it as well.
      const auto checkpoint = keys_->OpenCheckpoint(WithSignatureOf(note, keys_->name()));
      if (!checkpoint.ok()) {
        Problem(name + ": " + checkpoint.error().message +
                " (a copy from before a change of the key does not know the new one)");
        continue;
      }
      anchors_.push_back({checkpoint.value(), name});
      remembered_.push_back({checkpoint.value(), name});
      if (checkpoint.value().size >= since_.size) {
        since_ = checkpoint.value();
        newest_remembered_ = note;
      }
    }
    CheckWitness();
  }

  void LoadSeen() {
    if (!options_.seen.has_value()) {
      return;
    }
    report_.seen = options_.seen->checkpoint.size;
    if (options_.seen->origin != keys_->name()) {
      report_.first_bad = 0;
      return Problem(options_.seen->Missing(0) + ": missing, the log is another one, " +
                     keys_->name());
    }
    const Anchor seen{options_.seen->checkpoint, "the checkpoint that was seen last"};
    anchors_.push_back(seen);
    remembered_.push_back(seen);
  }

  void CheckWitness() {
    if (!options_.witness.has_value()) {
      return;
    }
    std::string line = *options_.witness;
    if (line.empty()) {
      return Problem("the witness's line is empty");
    }
    line += line.back() == '\n' ? "" : "\n";
    if (const auto time = CosignedAt(newest_remembered_, line); time.ok()) {
      report_.notes.push_back("the witness " + line.substr(0, line.find('+')) + " signed at " +
                              FormatRfc3339(WallTime(std::chrono::seconds(
                                  std::min<uint64_t>(time.value(), 4'000'000'000)))));
    } else {
      Problem("the remembered checkpoint: " + time.error().message);
    }
  }

  void LoadExpected() {
    if (options_.expected.empty()) {
      return;
    }
    if (const auto checkpoint = Parse("the expected checkpoint", options_.expected)) {
      anchors_.push_back({*checkpoint, "the expected checkpoint"});
    }
  }

  void LoadHead() {
    constexpr int kTries = 3;  // it may be overwritten while we read it
    for (int i = 1; i <= kTries; ++i) {
      const auto note = ReadRegularFile(Path(kHeadFile), kCheckpointBytesMax);
      if (!note.ok()) {
        return Problem(std::string(kHeadFile) + ": " + note.error().message);
      }
      if (i < kTries && !keys_->OpenCheckpoint(note.value()).ok()) {
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
    const auto newest = ReadRegularFile(Path(kCheckpointFile), kCheckpointBytesMax);
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
    const auto checkpoint = Parse(kCheckpointFile, newest.value());
    if (!checkpoint.has_value()) {
      return;
    }
    published_ = checkpoint->size;
    report_.published = newest.value();
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

  // The edge of the tree from which on records are read: that of a remembered checkpoint when the
  // tiles lead to it, or else the beginning.
  TreeEdge Begin() {
    if (since_.size == 0 || since_.size < first_) {
      return AfterPruned();
    }
    auto tiles = TileReader::Open(directory_, since_.size, published_);
    if (!tiles.ok() || tiles.value().Root() != since_.root) {
      return AfterPruned();
    }
    // What is under the largest one is not read again. The smaller ones are compared with the tiles that
    // lead to it.
    for (const Anchor& smaller : remembered_) {
      const Checkpoint& at = smaller.checkpoint;
      if (at.size != 0 && at.size < since_.size) {
        const auto old = tiles.value().RootAt(at.size);
        if (!old.ok() || old.value() != at.root) {
          return AfterPruned();  // all of it is read, and says where
        }
      }
    }
    report_.remembered = since_.size;
    report_.notes.push_back(
        "the first " + std::to_string(since_.size) +
        " records were not read again, only their hashes: whether they are still "
        "what was signed, verify without --since says");
    return tiles.value().edge();
  }

  // The edge at the first record that is there. What the tiles say of those before it is compared with what was
  // signed later, like all that comes after it.
  TreeEdge AfterPruned() {
    if (first_ == 0) {
      return {};
    }
    auto edge = LoadTreeEdge(directory_, first_, published_);
    if (!edge.ok()) {
      Problem("the tiles of the records before " + std::to_string(first_) + ": " +
              edge.error().message);
      return {};
    }
    return std::move(edge).value();
  }

  // First records are missing: a signed record must say so, and their hashes must still lead to every root.
  void CheckPruned() {
    if (first_ == 0) {
      return;
    }
    auto log = CheckedLog::Open(directory_);
    const auto pruning =
        log.ok() ? FindPruning(log.value()) : Result<std::optional<Pruning>>(log.error());
    if (!pruning.ok()) {
      const auto said = log.ok() ? NewestPruning(log.value()) : std::optional<Pruning>();
      report_.first_bad = said.has_value() ? said->before : 0;
      return Problem(pruning.error().message);
    }
    // They were there when `pruned` was read again, or fewer were pruned: what was not read is not vouched for.
    if (!pruning.value().has_value() || pruning.value()->before < first_) {
      report_.first_bad = 0;
      return Problem("records before " + std::to_string(first_) +
                     " were passed over, and no signed record says that all of them were pruned");
    }
    report_.pruned = pruning.value();
    TileReader& tree = *log.value().tree();
    for (uint64_t number = 0; number < first_ / kTileWidth; ++number) {
      if (const auto leaf = tree.CheckedRoot(0, number * kTileWidth); !leaf.ok()) {
        return Problem(leaf.error().message);
      }
    }
    for (const Anchor& anchor : anchors_) {
      const Checkpoint& at = anchor.checkpoint;
      if (at.size == 0 || at.size >= first_) {
        continue;
      }
      const auto root = tree.RootAt(at.size);
      if (!root.ok() || root.value() != at.root) {
        Problem(anchor.name + ": the hashes of the pruned records do not lead to its root");
      }
    }
    report_.notes.push_back(Describe(*pruning.value()) + "; their hashes verify");
  }

  void CheckRecords() {
    std::stable_sort(anchors_.begin(), anchors_.end(), [](const Anchor& a, const Anchor& b) {
      return a.checkpoint.size < b.checkpoint.size;
    });
    TreeEdge tree = Begin();
    report_.root = EncodeRoot(tree.Root());
    Position now{.index = tree.size(), .previous = LeafBefore(tree.size())};
    Position good = now;  // after the last record under a matching anchor
    auto anchor = std::find_if(anchors_.begin(), anchors_.end(), [&](const Anchor& each) {
      return each.checkpoint.size >= tree.size();
    });
    EntryReader reader(directory_, tree.size());
    std::vector<FullTile> full;
    bool trust = true;  // until the first record that does not fit: after it nothing can
    std::optional<BadOne> formless;
    while (true) {
      for (; trust && anchor != anchors_.end() && anchor->checkpoint.size == now.index; ++anchor) {
        if (tree.Root() == anchor->checkpoint.root) {
          good = now;
          report_.covered = now.index;
          report_.root = EncodeRoot(tree.Root());
        } else {
          Locate(good, *anchor);
          trust = false;
        }
        TakeTileProblems();
      }
      if (trust && published_ != 0 && published_ == now.index) {
        CheckPartials(tree);
      }
      std::string_view entry;
      const auto more = reader.Next(&entry);
      if (!more.ok() || !more.value()) {
        // Fewer records than were signed: one that was removed before the end, or changed, is named too.
        if (trust && anchor != anchors_.end()) {
          LocateBefore(good, now.index, *anchor);
        }
        if (!more.ok()) {
          BadRecord(now.index, more.error().message);
        }
        TakeTileProblems();
        break;
      }
      CheckKeyChange(now.index, entry);
      if (now.index < kBeginningRecords) {
        ReadBeginning(now.index, entry);
      }
      const Sha256Digest leaf = LeafHash(entry);
      // Beyond the last signature only form and links can be checked.
      if (trust && anchor == anchors_.end()) {
        if (const Status checked = CheckRecord(entry, now.index, now.Link()); !checked.ok()) {
          BadRecord(now.index, checked.error().message);
          trust = false;
        }
      } else if (trust && options_.deep && !formless.has_value()) {
        if (const Status checked = CheckRecord(entry, now.index, now.Link()); !checked.ok()) {
          formless = BadOne{now.index, checked.error().message};
        }
      }
      tree.Append(leaf, &full);
      now.Pass(leaf);
      ++report_.read;
      if (!full.empty()) {
        CheckTiles(full, now.index, trust);
        full.clear();
      }
    }
    if (trust && formless.has_value()) {
      BadRecord(formless->index, "it was signed so, but " + formless->why);
    }
    report_.records = now.index;
    CheckEnd(now, reader.tail().find_last_not_of('\0') + 1);  // npos + 1 is 0
  }

  // The last record that an old key signs says so.
  void CheckKeyChange(uint64_t index, std::string_view entry) {
    if (next_change_ == keys_->changes().size() ||
        index + 1 < keys_->changes()[next_change_].at.size) {
      return;
    }
    while (next_change_ < keys_->changes().size() &&
           index >= keys_->changes()[next_change_].at.size) {
      ++next_change_;  // before the records that are read
    }
    if (next_change_ == keys_->changes().size() ||
        index + 1 != keys_->changes()[next_change_].at.size) {
      return;
    }
    const KeyChange& change = keys_->changes()[next_change_++];
    const auto record = ParseRecord(entry);
    const Json* data = record.ok() ? FindMember(record.value(), "data") : nullptr;
    if (data == nullptr || StringMember(record.value(), "event") != "log.key_rotated" ||
        StringMember(*data, "key") != change.key) {
      BadRecord(index,
                "change " + std::to_string(next_change_) + " of the key is not recorded in it");
    }
  }

  void ReadBeginning(uint64_t index, std::string_view entry) {
    const auto record = ParseRecord(entry);
    const Json* data = record.ok() ? FindMember(record.value(), "data") : nullptr;
    if (data == nullptr || StringMember(record.value(), "event") != kBegunBesideSessionsEvent) {
      return;
    }
    report_.begun_beside_sessions =
        static_cast<uint64_t>(std::max<int64_t>(0, IntMember(*data, "sessions")));
    report_.notes.push_back("this log begins after " +
                            SessionsWithoutRecords(report_.begun_beside_sessions) + " (record " +
                            std::to_string(index) + ", " +
                            SafeLine(StringMember(record.value(), "time"), 32) + ")");
  }

  // For a start in the middle.
  std::optional<Sha256Digest> LeafBefore(uint64_t index) const {
    if (index == 0) {
      return std::nullopt;
    }
    if (index == first_) {
      const auto tile = LowestTile(index / kTileWidth - 1);
      return tile.has_value() ? HashIn(*tile, kTileWidth - 1) : std::nullopt;
    }
    EntryReader reader(directory_, index - 1);
    std::string_view entry;
    const auto found = reader.Next(&entry);
    return found.ok() && found.value() ? std::optional(LeafHash(entry)) : std::nullopt;
  }

  // A wrong record makes its tile look wrong: what is said of the record comes first.
  void TakeTileProblems() {
    for (std::string& problem : tile_problems_) {
      Problem(std::move(problem));
    }
    tile_problems_.clear();
  }

  // A full tile is on the disk before the next checkpoint.
  void CheckTiles(const std::vector<FullTile>& tiles, uint64_t size, bool trust) {
    for (const FullTile& tile : tiles) {
      const std::string path = TilePath(tile.level, tile.number);
      const auto found = ReadRegularFile(Path(path), kTileBytes);
      if (found.ok() && found.value() == tile.bytes) {
        continue;
      }
      // Or a power failure took it, or its end.
      const bool lost =
          found.ok()
              ? tile.bytes.starts_with(std::string_view(found.value())
                                           .substr(0, found.value().find_last_not_of('\0') + 1))
              : found.error().code == ErrorCode::kNotFound;
      if (lost && size > history_size_) {
        report_.notes.push_back(path + ": not there yet, the next writer makes it");
      } else if (trust) {
        const uint64_t width = uint64_t{1} << (8 * (tile.level + 1));
        tile_problems_.push_back(path + ": " +
                                 (found.ok() ? "it is not that of records " +
                                                   std::to_string(tile.number * width) + " to " +
                                                   std::to_string((tile.number + 1) * width - 1)
                                             : found.error().message));
      }
    }
  }

  // What other programs read to check the newest checkpoint.
  void CheckPartials(const TreeEdge& tree) {
    for (size_t level = 0; level < tree.open().size(); ++level) {
      const auto& hashes = tree.open()[level];
      if (hashes.empty()) {
        continue;
      }
      const uint64_t number = (tree.size() >> (8 * level)) / kTileWidth;
      const std::string path = TilePath(static_cast<int>(level), number, hashes.size());
      ComparePartial(path, TileBytes(hashes), kTileBytes);
      if (level == 0) {
        std::string bundle;
        EntryReader reader(directory_, number * kTileWidth);
        std::string_view entry;
        for (size_t i = 0; i < hashes.size(); ++i) {
          const auto more = reader.Next(&entry);
          if (!more.ok() || !more.value()) {
            return;
          }
          AppendEntry(entry, &bundle);
        }
        ComparePartial(BundlePath(number, hashes.size()), bundle, kBundleBytesMax);
      }
    }
  }

  void ComparePartial(const std::string& path, std::string_view expected, size_t bytes_max) {
    const auto found = ReadRegularFile(Path(path), bytes_max);
    if (!found.ok() && found.error().code == ErrorCode::kNotFound) {
      // A newer checkpoint may have taken its place, and a power failure may have taken it away.
      report_.notes.push_back(path + ": not there; the next checkpoint has its own");
    } else if (!found.ok() || found.value() != expected) {
      Problem(path + ": " + (found.ok() ? "it does not match the records" : found.error().message));
    }
  }

  void CheckEnd(const Position& end, size_t tail_bytes) {
    if (!anchors_.empty() && anchors_.back().checkpoint.size > end.index) {
      report_.first_bad = std::min(report_.first_bad.value_or(end.index), end.index);
      Problem("records " + std::to_string(end.index) + " to " +
              std::to_string(anchors_.back().checkpoint.size - 1) + ": missing, " +
              anchors_.back().name + " covers them");
    }
    if (tail_bytes > 0) {
      report_.notes.push_back(BundlePath(end.index / kTileWidth) + ": the last " +
                              std::to_string(tail_bytes) + " bytes are an unfinished write");
    }
    if (report_.problems.empty() && report_.covered < end.index) {
      report_.notes.push_back("the last " + std::to_string(end.index - report_.covered) +
                              " records are linked, but not signed yet");
    }
  }

  // The root over the anchor's records is wrong.
  void Locate(const Position& good, const Anchor& anchor) {
    const uint64_t size = anchor.checkpoint.size;
    // The record after the last one still shows a change of that.
    if (const auto bad = FirstBad(good, anchor, size, size + 1)) {
      return BadRecord(bad->index, Unlike(anchor) + bad->why);
    }
    if (size <= good.index + 1) {
      return BadRecord(good.index, Unlike(anchor));
    }
    report_.first_bad = std::min(report_.first_bad.value_or(good.index), good.index);
    Problem("records " + std::to_string(good.index) + " to " + std::to_string(size - 1) + ": " +
            Unlike(anchor));
  }

  // There are only `end` records of those under the anchor: is one of them wrong, or just the rest missing?
  void LocateBefore(const Position& good, uint64_t end, const Anchor& anchor) {
    if (const auto bad = FirstBad(good, anchor, end, end)) {
      BadRecord(bad->index, Unlike(anchor) + bad->why);
    }
  }

  static std::string Unlike(const Anchor& anchor) {
    return "content does not match the tree signed at " + std::to_string(anchor.checkpoint.size) +
           " records";
  }

  // The first wrong one of the records from `good` to before `size`, reading to before `read_end`. The
  // tiles say which it is when they lead to the signed root; else the links, when they were not forged; else
  // the tiles, as they are.
  std::optional<BadOne> FirstBad(const Position& good, const Anchor& anchor, uint64_t size,
                                 uint64_t read_end) const {
    if (TilesLeadTo(anchor.checkpoint)) {
      return FirstOutsideTiles(good, size);
    }
    EntryReader reader(directory_, good.index);
    Position now = good;
    std::string_view entry;
    while (now.index < read_end) {
      const auto more = reader.Next(&entry);
      if (!more.ok() || !more.value()) {
        break;
      }
      const Status checked = CheckRecord(entry, now.index, now.Link());
      if (!checked.ok()) {
        const bool link = checked.error().code == ErrorCode::kFailedPrecondition;
        const uint64_t changed = link && now.index > good.index ? now.index - 1 : now.index;
        if (changed >= size) {
          break;
        }
        return BadOne{changed, " (record " + std::to_string(now.index) + ": " +
                                   checked.error().message + ")"};
      }
      now.Pass(LeafHash(entry));
    }
    return FirstOutsideTiles(good, size);
  }

  // The hashes of the lowest tile `number`: of the whole one, or of the one that `checkpoint` needs.
  std::optional<std::string> LowestTile(uint64_t number) const {
    auto found = ReadRegularFile(Path(TilePath(0, number)), kTileBytes);
    const uint64_t width = published_ % kTileWidth;
    if (!found.ok() && number == published_ / kTileWidth && width > 0) {
      found = ReadRegularFile(Path(TilePath(0, number, width)), kTileBytes);
    }
    return found.ok() ? std::optional(std::move(found).value()) : std::nullopt;
  }

  static std::optional<Sha256Digest> HashIn(const std::string& tile, uint64_t place) {
    Sha256Digest hash;
    if (tile.size() < (place + 1) * hash.size()) {
      return std::nullopt;
    }
    std::copy_n(tile.begin() + static_cast<std::ptrdiff_t>(place * hash.size()), hash.size(),
                hash.begin());
    return hash;
  }

  bool TilesLeadTo(const Checkpoint& checkpoint) const {
    MerkleFrontier tree;
    std::optional<std::string> tile;
    while (tree.size() < checkpoint.size) {
      const uint64_t place = tree.size() % kTileWidth;
      if (place == 0) {
        tile = LowestTile(tree.size() / kTileWidth);
      }
      const auto hash = tile.has_value() ? HashIn(*tile, place) : std::nullopt;
      if (!hash.has_value()) {
        return false;
      }
      tree.Append(*hash);
    }
    return tree.Root() == checkpoint.root;
  }

  // The first record from `good` to before `end` whose hash is not the one in its tile.
  std::optional<BadOne> FirstOutsideTiles(const Position& good, uint64_t end) const {
    EntryReader reader(directory_, good.index);
    std::string_view entry;
    std::optional<std::string> tile;
    for (Position now = good; now.index < end; now.Pass(LeafHash(entry))) {
      const auto more = reader.Next(&entry);
      if (!more.ok() || !more.value()) {
        return std::nullopt;
      }
      if (!tile.has_value() || now.index % kTileWidth == 0) {
        tile = LowestTile(now.index / kTileWidth);
      }
      const auto expected = tile.has_value() ? HashIn(*tile, now.index % kTileWidth) : std::nullopt;
      if (!expected.has_value()) {
        return std::nullopt;
      }
      if (const Sha256Digest leaf = LeafHash(entry); leaf != *expected) {
        const Status checked = CheckRecord(entry, now.index, now.Link());
        return BadOne{now.index, ", its hash is " + ToHex(leaf) + " and not " + ToHex(*expected) +
                                     " as in its tile" +
                                     (checked.ok() ? "" : " (" + checked.error().message + ")")};
      }
    }
    return std::nullopt;
  }

  static std::string EncodeRoot(const Sha256Digest& root) {
    return EncodeBase64(std::string(root.begin(), root.end()));
  }

  const std::string& directory_;
  const VerifyOptions& options_;
  const uint64_t first_;  // the first record that is there
  VerifyReport report_;
  std::vector<std::string> tile_problems_;  // not told yet
  std::optional<KeyChain> keys_;
  std::vector<Anchor> remembered_;
  std::string newest_remembered_;
  size_t next_change_ = 0;  // the first one whose record was not passed
  std::vector<Anchor> anchors_;
  Checkpoint since_;                // of size 0: none was remembered
  uint64_t published_ = 0;          // the size of `checkpoint`
  std::vector<std::string> notes_;  // of checkpoints, in order
  uint64_t history_offset_ = 0;
  uint64_t history_size_ = 0;
  std::string history_tail_;
};

}  // namespace

Result<VerifyReport> VerifyAuditLog(const std::string& directory, const VerifyOptions& options) {
  const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool none = opened ? !HasLog(directory) : errno == ENOENT || errno == ENOTDIR;
  if (none && options.seen.has_value()) {
    return AllMissing(*options.seen);
  }
  if (none && !opened) {
    return Error{ErrorCode::kNotFound, directory + ": there is no audit log"};
  }
  if (!opened) {
    return SysError("audit log " + directory, errno);
  }
  constexpr int kTries = 3;  // records may be pruned while they are read
  for (int i = 1;; ++i) {
    const uint64_t first = FirstRecord(directory);
    VerifyReport report = Verifier(directory, options).Run();
    if (report.ok || i == kTries || FirstRecord(directory) == first) {
      return report;
    }
  }
}

OrderedJson ToJson(const std::optional<Pruning>& pruned) {
  return !pruned.has_value() ? OrderedJson(nullptr)
                             : OrderedJson{{"before", pruned->before},
                                           {"time", pruned->time},
                                           {"rule", pruned->rule},
                                           {"record", pruned->record}};
}

OrderedJson ToJson(const VerifyReport& report) {
  return {{"ok", report.ok},
          {"records", report.records},
          {"read", report.read},
          {"remembered", report.remembered},
          {"checkpoints", report.checkpoints},
          {"keys", report.keys},
          {"seen", report.seen},
          {"covered", report.covered},
          {"root", report.root},
          {"pruned", ToJson(report.pruned)},
          {"begun_beside_sessions", report.begun_beside_sessions},
          {"first_bad",
           report.first_bad.has_value() ? OrderedJson(*report.first_bad) : OrderedJson(nullptr)},
          {"problems", report.problems},
          {"notes", report.notes}};
}

std::string ToText(const VerifyReport& report) {
  std::string text = report.ok ? "verified" : "NOT VERIFIED";
  text += "  " + std::to_string(report.records) + " records, " +
          (report.remembered > 0 ? std::to_string(report.read) + " of them read, " : "") +
          std::to_string(report.checkpoints) + " checkpoints, " +
          (report.keys > 1 ? std::to_string(report.keys) + " keys, " : "") +
          std::to_string(report.covered) + " records under the newest signature\n";
  const auto add = [&](const char* before, const std::string& line) {
    text += before;
    for (const char letter : line) {
      text += letter >= ' ' && letter <= '~' ? letter : '?';
    }
    text += '\n';
  };
  for (const std::string& problem : report.problems) {
    add("  ", problem);
  }
  for (const std::string& note : report.notes) {
    add("  note: ", note);
  }
  return text;
}

uint64_t RecordsHint(const std::string& directory) {
  const auto note = ReadRegularFile(directory + "/" + kHeadFile, kCheckpointBytesMax);
  const size_t begin = note.ok() ? note.value().find('\n') : std::string::npos;
  uint64_t size = 0;
  if (begin != std::string::npos) {
    const std::string& text = note.value();
    std::from_chars(text.data() + begin + 1, text.data() + text.size(), size);
  }
  return size;
}

Status ReadAuditLog(const std::string& directory, uint64_t first,
                    const std::function<bool(uint64_t index, const Json& record)>& visit) {
  if (const uint64_t there = FirstRecord(directory); there > first) {
    // What the directory says of itself could hide records: only what was signed away is passed over.
    CheckedLog log = NACRE_TRY(CheckedLog::Open(directory));
    if (log.tree() == nullptr) {
      return Error{ErrorCode::kDataLoss, "whether records before " + std::to_string(there) +
                                             " were pruned is not to be told: " + log.problem()};
    }
    NACRE_TRY(FindPruning(log));
    first = there;
  }
  const ContentKeys keys(directory);
  EntryReader reader(directory, first);
  std::string_view entry;
  while (true) {
    const uint64_t index = std::max(first, reader.index());
    const Result<bool> more = reader.Next(&entry);
    if (!more.ok()) {
      const bool none = more.error().code == ErrorCode::kNotFound && first > 0;
      return none ? Ok()
                  : Status(WithContext("audit record " + std::to_string(index), more.error()));
    }
    if (!more.value()) {
      return Ok();
    }
    auto record = ParseRecord(entry);
    if (!record.ok()) {
      return WithContext("audit record " + std::to_string(index), record.error());
    }
    if (MayBeSealed(entry)) {
      OpenContents(keys, &record.value());
    }
    if (!visit(index, record.value())) {
      return Ok();
    }
  }
}

}  // namespace nacre::audit
