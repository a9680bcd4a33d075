// TextIndex: numbered nodes below numbered parents, by a text: a trie in one flat table. Also a plain
// map from texts to numbers, with one parent for all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::policy {

class TextIndex final {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The child's number; when it is new, the next one, counted from 1.
  uint32_t Put(uint32_t parent, std::string_view text);
  // kNone when there is no such child. One probe of a table that is at most half full. Thread-safe
  // while nothing is put.
  uint32_t Find(uint32_t parent, std::string_view text) const;

  uint32_t size() const { return size_; }
  size_t bytes() const { return slots_.capacity() * sizeof(Slot) + texts_.capacity(); }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t parent = 0;
    uint32_t child = kNone;  // kNone: free
    uint32_t offset = 0;     // of the text in texts_
    uint32_t length = 0;
  };

  size_t Place(uint64_t hash, uint32_t parent, std::string_view text) const;
  void Grow();

  std::vector<Slot> slots_;  // a power of two of them
  std::string texts_;
  uint32_t size_ = 0;
};

}  // namespace nacre::policy
