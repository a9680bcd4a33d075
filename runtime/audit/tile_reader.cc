#include "runtime/audit/tile_reader.h"

#include <algorithm>
#include <bit>

#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

using Hashes = std::vector<Sha256Digest>;

// A tile of `width` hashes; any other length is no such tile.
Result<Hashes> ReadTile(const std::string& directory, int level, uint64_t number, uint64_t width) {
  const std::string path = TilePath(level, number, width % kTileWidth);
  const std::string bytes = NACRE_TRY(ReadRegularFile(directory + "/" + path, kTileBytes));
  if (bytes.size() != width * sizeof(Sha256Digest)) {
    return Error{ErrorCode::kDataLoss, path + ": its length is that of no tile"};
  }
  Hashes hashes(width);
  for (size_t i = 0; i < width; ++i) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(Sha256Digest)),
                sizeof(Sha256Digest), hashes[i].begin());
  }
  return hashes;
}

// The first `count` hashes of the unfinished tile `number` of `level`.
Result<Hashes> OpenHashes(const std::string& directory, int level, uint64_t number, uint64_t count,
                          uint64_t checkpoint_size) {
  Hashes hashes;
  const uint64_t known = checkpoint_size >> (8 * level);
  if (count > 0 && known / kTileWidth == number && known % kTileWidth > 0) {
    auto partial = ReadTile(directory, level, number, known % kTileWidth);
    if (partial.ok()) {
      hashes = std::move(partial).value();
      hashes.resize(std::min<uint64_t>(hashes.size(), count));
    }
  }
  if (level > 0) {
    for (uint64_t i = hashes.size(); i < count; ++i) {
      const Hashes below =
          NACRE_TRY(ReadTile(directory, level - 1, number * kTileWidth + i, kTileWidth));
      hashes.push_back(RootOfHashes(below));
    }
    return hashes;
  }
  EntryReader reader(directory, number * kTileWidth + hashes.size());
  while (hashes.size() < count) {
    std::string_view entry;
    const bool more = NACRE_TRY(reader.Next(&entry));
    if (!more) {
      return Error{ErrorCode::kDataLoss,
                   "there are only " + std::to_string(reader.index()) + " records"};
    }
    hashes.push_back(LeafHash(entry));
  }
  return hashes;
}

uint64_t SplitOf(uint64_t size) {
  return std::bit_floor(size - 1);
}

}  // namespace

Result<TreeEdge> LoadTreeEdge(const std::string& directory, uint64_t size,
                              uint64_t checkpoint_size) {
  std::vector<Hashes> open;
  for (int level = 0; level < kTileLevelsMax && (size >> (8 * level)) > 0; ++level) {
    const uint64_t width = size >> (8 * level);
    open.push_back(NACRE_TRY(
        OpenHashes(directory, level, width / kTileWidth, width % kTileWidth, checkpoint_size)));
  }
  return TreeEdge(size, std::move(open));
}

Result<TileReader> TileReader::Open(std::string directory, uint64_t size,
                                    uint64_t checkpoint_size) {
  TreeEdge edge = NACRE_TRY(LoadTreeEdge(directory, size, checkpoint_size));
  return TileReader(std::move(directory), std::move(edge));
}

Result<const Hashes*> TileReader::Tile(int level, uint64_t number) {
  if (number == (edge_.size() >> (8 * level)) / kTileWidth) {
    return &edge_.open()[static_cast<size_t>(level)];
  }
  const auto key = std::pair(level, number);
  auto found = tiles_.find(key);
  if (found == tiles_.end()) {
    constexpr size_t kTilesKeptMax = 1024;  // 8 MiB
    if (tiles_.size() >= kTilesKeptMax) {
      tiles_.clear();
      checked_.clear();
    }
    found = tiles_.emplace(key, NACRE_TRY(ReadTile(directory_, level, number, kTileWidth))).first;
  }
  return &found->second;
}

Result<const Hashes*> TileReader::CheckedTile(int level, uint64_t number) {
  if (number == (edge_.size() >> (8 * level)) / kTileWidth) {
    return &edge_.open()[static_cast<size_t>(level)];
  }
  const auto key = std::pair(level, number);
  if (checked_.count(key) == 0) {
    const Hashes* above = NACRE_TRY(CheckedTile(level + 1, number / kTileWidth));
    const Sha256Digest expected = (*above)[number % kTileWidth];
    const Hashes* tile = NACRE_TRY(Tile(level, number));
    if (RootOfHashes(*tile) != expected) {
      return Error{ErrorCode::kDataLoss,
                   TilePath(level, number) + ": it does not lead to the root of the tree"};
    }
    checked_.insert(key);
    return tile;
  }
  return Tile(level, number);
}

Result<Sha256Digest> TileReader::CheckedRoot(int height, uint64_t number) {
  if (number >= edge_.size() >> height) {
    return Error{ErrorCode::kOutOfRange, "the tree has no such subtree"};
  }
  const int level = height / 8;
  const uint64_t count = uint64_t{1} << (height % 8);
  const uint64_t first = number * count;
  const Hashes* tile = NACRE_TRY(CheckedTile(level, first / kTileWidth));
  const auto at = tile->begin() + static_cast<std::ptrdiff_t>(first % kTileWidth);
  return RootOfHashes({at, at + static_cast<std::ptrdiff_t>(count)});
}

Result<Sha256Digest> TileReader::RootAt(uint64_t size) {
  if (size == 0 || size > edge_.size()) {
    return Error{ErrorCode::kOutOfRange,
                 "the tree had no " + std::to_string(size) + " records, or has not yet"};
  }
  std::vector<Sha256Digest> subtrees;
  for (uint64_t begin = 0; begin < size;) {
    const int height = std::bit_width(size - begin) - 1;
    subtrees.push_back(NACRE_TRY(CheckedRoot(height, begin >> height)));
    begin += uint64_t{1} << height;
  }
  Sha256Digest root = subtrees.back();
  for (size_t i = subtrees.size() - 1; i-- > 0;) {
    root = NodeHash(subtrees[i], root);
  }
  return root;
}

Result<Sha256Digest> TileReader::Root(uint64_t begin, uint64_t end) {
  const uint64_t size = end - begin;
  if (!std::has_single_bit(size)) {
    const uint64_t split = SplitOf(size);
    const Sha256Digest left = NACRE_TRY(Root(begin, begin + split));
    const Sha256Digest right = NACRE_TRY(Root(begin + split, end));
    return NodeHash(left, right);
  }
  // A complete subtree: some hashes that stand side by side in one tile.
  const int height = std::countr_zero(size);
  const int level = height / 8;
  const uint64_t first = begin >> (8 * level);
  const Hashes* tile = NACRE_TRY(Tile(level, first / kTileWidth));
  const uint64_t offset = first % kTileWidth;
  const uint64_t count = uint64_t{1} << (height % 8);
  if (offset + count > tile->size()) {
    return Error{ErrorCode::kDataLoss,
                 TilePath(level, first / kTileWidth) + ": it has too few hashes"};
  }
  const auto at = tile->begin() + static_cast<std::ptrdiff_t>(offset);
  return RootOfHashes({at, at + static_cast<std::ptrdiff_t>(count)});
}

Status TileReader::AppendPath(uint64_t index, uint64_t begin, uint64_t end, Hashes* path) {
  if (end - begin == 1) {
    return Ok();
  }
  const uint64_t middle = begin + SplitOf(end - begin);
  if (index < middle) {
    NACRE_TRY(AppendPath(index, begin, middle, path));
    path->push_back(NACRE_TRY(Root(middle, end)));
  } else {
    NACRE_TRY(AppendPath(index, middle, end, path));
    path->push_back(NACRE_TRY(Root(begin, middle)));
  }
  return Ok();
}

Status TileReader::AppendSubproof(uint64_t old_size, uint64_t begin, uint64_t end, bool known,
                                  Hashes* path) {
  if (old_size == end) {
    if (!known) {
      path->push_back(NACRE_TRY(Root(begin, end)));
    }
    return Ok();
  }
  const uint64_t middle = begin + SplitOf(end - begin);
  if (old_size <= middle) {
    NACRE_TRY(AppendSubproof(old_size, begin, middle, known, path));
    path->push_back(NACRE_TRY(Root(middle, end)));
  } else {
    NACRE_TRY(AppendSubproof(old_size, middle, end, false, path));
    path->push_back(NACRE_TRY(Root(begin, middle)));
  }
  return Ok();
}

Result<Hashes> TileReader::InclusionProof(uint64_t index) {
  if (index >= edge_.size()) {
    return Error{ErrorCode::kOutOfRange, "record " + std::to_string(index) +
                                             " is not among the first " +
                                             std::to_string(edge_.size()) + " records"};
  }
  Hashes path;
  NACRE_TRY(AppendPath(index, 0, edge_.size(), &path));
  return path;
}

Result<Hashes> TileReader::ConsistencyProof(uint64_t old_size) {
  if (old_size == 0 || old_size > edge_.size()) {
    return Error{ErrorCode::kOutOfRange, "a tree of " + std::to_string(old_size) +
                                             " records is no beginning of one of " +
                                             std::to_string(edge_.size())};
  }
  Hashes path;
  NACRE_TRY(AppendSubproof(old_size, 0, edge_.size(), true, &path));
  return path;
}

Result<Sha256Digest> RootOfInclusion(const Sha256Digest& leaf, uint64_t index, uint64_t size,
                                     const std::vector<Sha256Digest>& proof) {
  const Error wrong{ErrorCode::kDataLoss, "the proof does not have the length of one of record " +
                                              std::to_string(index) + " among " +
                                              std::to_string(size)};
  if (index >= size) {
    return wrong;
  }
  // RFC 9162, section 2.1.3.2.
  uint64_t node = index;
  uint64_t last = size - 1;
  Sha256Digest hash = leaf;
  for (const Sha256Digest& sibling : proof) {
    if (last == 0) {
      return wrong;
    }
    if ((node & 1U) != 0 || node == last) {
      hash = NodeHash(sibling, hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 ? Result<Sha256Digest>(hash) : Result<Sha256Digest>(wrong);
}

}  // namespace nacre::audit
