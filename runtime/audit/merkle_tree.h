// The Merkle tree hash of RFC 9162, section 2.1, computed as leaves come, and its hash tiles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"

namespace nacre::audit {

// SHA-256(0x00 || bytes).
Sha256Digest LeafHash(std::string_view bytes);
// SHA-256(0x01 || left || right).
Sha256Digest NodeHash(const Sha256Digest& left, const Sha256Digest& right);

// The right edge of a tree: the roots of its complete subtrees, largest first. At most 64 hashes,
// whatever the tree's size. Not thread-safe.
class MerkleFrontier final {
 public:
  // `tile_roots`, unless null, gets the roots of the tiles that this leaf completes, lowest first.
  void Append(const Sha256Digest& leaf_hash, std::vector<Sha256Digest>* tile_roots = nullptr);
  uint64_t size() const { return size_; }
  // Of the empty tree: SHA-256 of nothing.
  Sha256Digest Root() const;

 private:
  friend class TreeEdge;
  std::vector<Sha256Digest> subtrees_;
  uint64_t size_ = 0;
};

// The root over hashes that stand side by side on one level; there must be one at least.
Sha256Digest RootOfHashes(const std::vector<Sha256Digest>& hashes);

// A hash tile that became full.
struct FullTile {
  int level = 0;
  uint64_t number = 0;
  std::string bytes;
};

// What is needed to go on with a tree and its tiles: the frontier, and for each level of tiles the
// hashes of the one that is not full yet. Not thread-safe.
class TreeEdge final {
 public:
  TreeEdge() = default;
  // Of a tree of `size` leaves: open[L] are the hashes of the unfinished tile of level L, so
  // (size >> 8 L) % 256 of them.
  TreeEdge(uint64_t size, std::vector<std::vector<Sha256Digest>> open);

  // Adds to `full`, unless null, the tiles that this leaf completes: lowest level first.
  void Append(const Sha256Digest& leaf_hash, std::vector<FullTile>* full);
  uint64_t size() const { return frontier_.size(); }
  Sha256Digest Root() const { return frontier_.Root(); }
  // The unfinished tiles, lowest level first; each may be empty.
  const std::vector<std::vector<Sha256Digest>>& open() const { return open_; }

 private:
  MerkleFrontier frontier_;
  std::vector<std::vector<Sha256Digest>> open_;
  std::vector<Sha256Digest> roots_;  // of one Append; kept for its memory
};

std::string TileBytes(const std::vector<Sha256Digest>& hashes);

}  // namespace nacre::audit
