#include "policy/internal/text_index.h"

#include <functional>

namespace nacre::policy {
namespace {

constexpr size_t kSlotsMin = 16;

uint64_t HashOf(uint32_t parent, std::string_view text) {
  const uint64_t hash = std::hash<std::string_view>{}(text) + parent * 0x9E3779B97F4A7C15ULL;
  return (hash ^ (hash >> 32U)) * 0xD6E8FEB86659FD93ULL;
}

}  // namespace

// The slot of the text, or the free one where it belongs.
size_t TextIndex::Place(uint64_t hash, uint32_t parent, std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  for (size_t i = (hash >> 32U) & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.child == kNone ||
        (slot.hash == hash && slot.parent == parent &&
         std::string_view(texts_).substr(slot.offset, slot.length) == text)) {
      return i;
    }
  }
}

uint32_t TextIndex::Put(uint32_t parent, std::string_view text) {
  if (slots_.size() < 2 * (size_ + 1ULL)) {
    Grow();
  }
  const uint64_t hash = HashOf(parent, text);
  Slot& slot = slots_[Place(hash, parent, text)];
  if (slot.child == kNone) {
    slot = {hash, parent, ++size_, static_cast<uint32_t>(texts_.size()),
            static_cast<uint32_t>(text.size())};
    texts_ += text;
  }
  return slot.child;
}

uint32_t TextIndex::Find(uint32_t parent, std::string_view text) const {
  return slots_.empty() ? kNone : slots_[Place(HashOf(parent, text), parent, text)].child;
}

void TextIndex::Grow() {
  std::vector<Slot> old(slots_.empty() ? kSlotsMin : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.child != kNone) {
      slots_[Place(slot.hash, slot.parent,
                   std::string_view(texts_).substr(slot.offset, slot.length))] = slot;
    }
  }
}

}  // namespace nacre::policy
