// KeyChain: the keys that a log has had, and which of them signs a tree of which size.
//
// A log keeps its name when it gets a new key. Each change is in the file `keys` as a checkpoint that the old key
// signed, with one more line that introduces the new one:
//
//   nacre/audit/01JD...+1a2b3c4d+AbCd...     the log's first key, a line of its own, and an empty one
//
//   nacre/audit/01JD...                      the origin
//   42                                       the number of records; the last of them is log.key_rotated
//   BASE64                                   the root of the tree over them
//   next-key nacre/audit/01JD...+5e6f+Eg...  the new key
//                                            (empty)
//   — nacre/audit/01JD... BASE64             the old key's signature over the four lines
//   — nacre/audit/01JD... BASE64             the new key's
//                                            (empty; then the next change)
//
// A tree of at most so many records is signed by the old key, a larger one by the new: whoever has an old key
// later can sign nothing that is newer than the change. Nor can they make another past that ends in the same new
// key: that key has signed the records before it once, and is not theirs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/note_key.h"
#include "runtime/audit/signed_note.h"

namespace nacre::audit {

// A new key a day for ten years, and its file.
constexpr size_t kKeysBytesMax = 4U << 20;

struct KeyChange {
  Checkpoint at;     // over the records before the new key, the change among them
  std::string key;   // the line of the new one
  std::string note;  // as it was signed
};

Result<std::string> SignKeyChange(const Checkpoint& at, const SigningKey& next,
                                  const SigningKey& old);

// Immutable, so thread-safe.
class KeyChain final {
 public:
  // Of the files `key.pub` and `keys`; `changes` is empty when there is none. kDataLoss, naming the key, when
  // a change is not signed by the key before it, or `public_key` is none that was introduced.
  static Result<KeyChain> Parse(std::string_view public_key, std::string_view changes);
  static Result<KeyChain> Load(const std::string& directory);

  // What they all have in common.
  const std::string& name() const { return keys_.front().name(); }
  const VerifyingKey& first() const { return keys_.front(); }
  const VerifyingKey& current() const { return keys_.back(); }
  const std::vector<KeyChange>& changes() const { return changes_; }
  // The one that signs trees of this size.
  const VerifyingKey& KeyFor(uint64_t size) const;
  // Whether the line is that of one of them.
  bool Has(std::string_view key_line) const;

  // As ParseCheckpoint() and OpenNote() with the one key that it must be. A note of another kind
  // than a checkpoint may be of any of them.
  Result<Checkpoint> OpenCheckpoint(std::string_view note) const;
  Result<std::string> OpenNote(std::string_view note) const;

 private:
  KeyChain() = default;
  Status Add(std::string_view note);

  std::vector<VerifyingKey> keys_;
  std::vector<KeyChange> changes_;
};

}  // namespace nacre::audit
