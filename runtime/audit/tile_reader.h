// What can be said about a tree from its hash tiles, without reading the records. Tiles are derived
// and not trusted: whoever calls compares the root with a signed one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/audit/merkle_tree.h"

namespace nacre::audit {

// The edge of the tree over the first `size` records. `checkpoint_size`: a size whose partial tiles may
// be there; what they lack is computed from full tiles, and for the lowest level from the records.
// kDataLoss or kNotFound when a tile is missing or has another length.
Result<TreeEdge> LoadTreeEdge(const std::string& directory, uint64_t size,
                              uint64_t checkpoint_size);

// Proofs of RFC 9162, sections 2.1.3 and 2.1.4, in the tree over the first `size` records.
// Not thread-safe: keeps the tiles it has read.
class TileReader final {
 public:
  static Result<TileReader> Open(std::string directory, uint64_t size) {
    return Open(std::move(directory), size, size);
  }
  // `checkpoint_size`: as for LoadTreeEdge().
  static Result<TileReader> Open(std::string directory, uint64_t size, uint64_t checkpoint_size);

  Sha256Digest Root() const { return edge_.Root(); }
  const TreeEdge& edge() const { return edge_; }
  // The root of the complete subtree `number` of 2^height leaves. Each tile that it is taken from was compared
  // with the one above, up to the edge: it is as good as Root(). kOutOfRange when the tree does not have it.
  Result<Sha256Digest> CheckedRoot(int height, uint64_t number);
  // Of the tree over the first `size` records, as good as Root(). kOutOfRange unless 0 < size <= that of the tree.
  Result<Sha256Digest> RootAt(uint64_t size);
  // kOutOfRange unless index < size.
  Result<std::vector<Sha256Digest>> InclusionProof(uint64_t index);
  // That the tree over the first `old_size` records is the beginning of this one. kOutOfRange unless
  // 0 < old_size <= size.
  Result<std::vector<Sha256Digest>> ConsistencyProof(uint64_t old_size);

 private:
  using Hashes = std::vector<Sha256Digest>;
  TileReader(std::string directory, TreeEdge edge)
      : directory_(std::move(directory)), edge_(std::move(edge)) {}

  Result<const Hashes*> Tile(int level, uint64_t number);
  Result<const Hashes*> CheckedTile(int level, uint64_t number);
  // The root over the records from `begin` to before `end`; `begin` is a multiple of the largest power of
  // two below the number of records.
  Result<Sha256Digest> Root(uint64_t begin, uint64_t end);
  Status AppendPath(uint64_t index, uint64_t begin, uint64_t end, Hashes* path);
  Status AppendSubproof(uint64_t old_size, uint64_t begin, uint64_t end, bool known, Hashes* path);

  std::string directory_;
  TreeEdge edge_;
  std::map<std::pair<int, uint64_t>, Hashes> tiles_;
  std::set<std::pair<int, uint64_t>> checked_;  // those of tiles_ that lead to the edge
};

// The root that a proof of inclusion leads to: it must be that of the tree over `size` records.
// kDataLoss when the proof has the wrong length.
Result<Sha256Digest> RootOfInclusion(const Sha256Digest& leaf, uint64_t index, uint64_t size,
                                     const std::vector<Sha256Digest>& proof);

}  // namespace nacre::audit
