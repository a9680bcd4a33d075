#include "runtime/audit/merkle_tree.h"

#include <string>

namespace nacre::audit {
namespace {

Sha256Digest NodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  std::string node(1, '\x01');
  node.append(left.begin(), left.end());
  node.append(right.begin(), right.end());
  return Sha256(node);
}

}  // namespace

Sha256Digest LeafHash(std::string_view bytes) {
  std::string leaf;
  leaf.reserve(bytes.size() + 1);
  leaf += '\0';
  leaf += bytes;
  return Sha256(leaf);
}

void MerkleFrontier::Append(const Sha256Digest& leaf_hash) {
  Sha256Digest hash = leaf_hash;
  // One complete subtree per 1 bit of the size; adding a leaf carries like adding 1.
  for (uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1) {
    hash = NodeHash(subtrees_.back(), hash);
    subtrees_.pop_back();
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

}  // namespace nacre::audit
