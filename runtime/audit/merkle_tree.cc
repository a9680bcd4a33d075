#include "runtime/audit/merkle_tree.h"

#include <algorithm>
#include <cstring>

#include "runtime/audit/layout.h"

namespace nacre::audit {

Sha256Digest NodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  char node[1 + 2 * sizeof(Sha256Digest)];
  node[0] = '\x01';
  std::memcpy(node + 1, left.data(), left.size());
  std::memcpy(node + 1 + left.size(), right.data(), right.size());
  return Sha256(std::string_view(node, sizeof node));
}

Sha256Digest LeafHash(std::string_view bytes) {
  return Sha256(std::string_view("\0", 1), bytes);
}

void MerkleFrontier::Append(const Sha256Digest& leaf_hash, std::vector<Sha256Digest>* tile_roots) {
  constexpr int kTileHeight = 8;
  Sha256Digest hash = leaf_hash;
  int height = 0;
  // One complete subtree per 1 bit of the size; adding a leaf carries like adding 1.
  for (uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1) {
    hash = NodeHash(subtrees_.back(), hash);
    subtrees_.pop_back();
    if (++height % kTileHeight == 0 && tile_roots != nullptr) {
      tile_roots->push_back(hash);
    }
  }
  subtrees_.push_back(hash);
  ++size_;
}

Sha256Digest MerkleFrontier::Root() const {
  if (subtrees_.empty()) {
    return Sha256("");
  }
  Sha256Digest root = subtrees_.back();
  for (size_t i = subtrees_.size() - 1; i-- > 0;) {
    root = NodeHash(subtrees_[i], root);
  }
  return root;
}

Sha256Digest RootOfHashes(const std::vector<Sha256Digest>& hashes) {
  MerkleFrontier frontier;
  for (const Sha256Digest& hash : hashes) {
    frontier.Append(hash);
  }
  return frontier.Root();
}

std::string TileBytes(const std::vector<Sha256Digest>& hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * sizeof(Sha256Digest));
  for (const Sha256Digest& hash : hashes) {
    bytes.append(hash.begin(), hash.end());
  }
  return bytes;
}

TreeEdge::TreeEdge(uint64_t size, std::vector<std::vector<Sha256Digest>> open)
    : open_(std::move(open)) {
  frontier_.size_ = size;
  // Within a level each 1 bit of the number of its hashes is a complete subtree.
  for (size_t level = open_.size(); level-- > 0;) {
    auto begin = open_[level].begin();
    for (uint64_t width = kTileWidth / 2; width > 0; width /= 2) {
      if ((open_[level].size() & width) != 0) {
        const auto end = begin + static_cast<std::ptrdiff_t>(width);
        frontier_.subtrees_.push_back(RootOfHashes({begin, end}));
        begin = end;
      }
    }
  }
}

void TreeEdge::Append(const Sha256Digest& leaf_hash, std::vector<FullTile>* full) {
  roots_.clear();
  frontier_.Append(leaf_hash, &roots_);
  for (size_t level = 0; level <= roots_.size(); ++level) {
    if (open_.size() <= level) {
      open_.emplace_back();
      open_.back().reserve(kTileWidth);
    }
    std::vector<Sha256Digest>& open = open_[level];
    open.push_back(level == 0 ? leaf_hash : roots_[level - 1]);
    if (open.size() < kTileWidth) {
      break;
    }
    if (full != nullptr) {
      const uint64_t number = (frontier_.size() >> (8 * (level + 1))) - 1;
      full->push_back({static_cast<int>(level), number, TileBytes(open)});
    }
    open.clear();
  }
}

}  // namespace nacre::audit
