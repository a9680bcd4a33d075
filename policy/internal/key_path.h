// KeyPath: where a value stands in a document, such as "tools[3].args.host". It is passed down by whoever
// reads, for each value; only a message needs its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nacre::policy {

// Borrows the texts and paths that it is made of, so it is a parameter or a local, and is never kept.
class KeyPath {
 public:
  // A whole path, "" being the document.
  KeyPath(std::string_view path) : key_(path) {}    // NOLINT(google-explicit-constructor)
  KeyPath(const std::string& path) : key_(path) {}  // NOLINT(google-explicit-constructor)
  KeyPath(const char* path) : key_(path) {}         // NOLINT(google-explicit-constructor)

  KeyPath Key(std::string_view key) const { return {*this, key, kNoItem}; }
  KeyPath Item(size_t index) const { return {*this, {}, index}; }

  std::string Text() const {
    std::string text = above_ == nullptr ? std::string() : above_->Text();
    if (item_ != kNoItem) {
      return text + "[" + std::to_string(item_) + "]";
    }
    return (text.empty() ? text : text + ".").append(key_);
  }

 private:
  static constexpr size_t kNoItem = SIZE_MAX;

  KeyPath(const KeyPath& above, std::string_view key, size_t item)
      : above_(&above), key_(key), item_(item) {}

  const KeyPath* above_ = nullptr;
  std::string_view key_;
  size_t item_ = kNoItem;
};

}  // namespace nacre::policy
