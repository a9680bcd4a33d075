// The Merkle tree hash of RFC 9162, section 2.1, computed as leaves come.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/digest.h"

namespace nacre::audit {

// SHA-256(0x00 || bytes).
Sha256Digest LeafHash(std::string_view bytes);

// The right edge of a tree: the roots of its complete subtrees, largest first. At most 64 hashes,
// whatever the tree's size. Not thread-safe.
class MerkleFrontier final {
 public:
  void Append(const Sha256Digest& leaf_hash);
  uint64_t size() const { return size_; }
  // Of the empty tree: SHA-256 of nothing.
  Sha256Digest Root() const;

 private:
  std::vector<Sha256Digest> subtrees_;
  uint64_t size_ = 0;
};

}  // namespace nacre::audit
