// CheckedLog: records for people and programs who want to rely on them. What is under the newest signature
// comes with its bundle's hashes compared with the signed tree, the few records after it with their links.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "runtime/audit/tile_reader.h"

namespace nacre::audit {

struct CheckedBundle {
  struct Record {
    size_t offset = 0;  // in the file
    size_t size = 0;
    Sha256Digest leaf{};
  };

  std::string_view BytesOf(const Record& record) const {
    return std::string_view(file).substr(record.offset, record.size);
  }

  uint64_t first = 0;  // index of its first record
  std::string file;
  std::vector<Record> records;
};

// Is there anything of a log in the directory, be it damaged?
bool HasLog(const std::string& directory);

// The log as it was signed when it was opened, and what was added since. Needs no lock and no private key.
// Not thread-safe.
class CheckedLog final {
 public:
  // Reads the signatures and the edge of the tree. Succeeds also when no signature holds: then problem() says
  // why, nothing counts as signed, and all that can be checked is the links.
  static Result<CheckedLog> Open(const std::string& directory);

  CheckedLog(CheckedLog&&) noexcept = default;
  CheckedLog& operator=(CheckedLog&&) = delete;

  const std::string& directory() const { return directory_; }
  const std::string& problem() const { return problem_; }
  // The line of key.pub; empty when there is none.
  const std::string& key() const { return key_; }
  uint64_t signed_records() const { return tree_.has_value() ? tree_->edge().size() : 0; }
  // Null when nothing is signed.
  TileReader* tree() { return tree_.has_value() ? &*tree_ : nullptr; }

  // The records of a bundle, of the newest those that are there by now. kNotFound when there is none, kDataLoss when
  // they are not those that were signed or not linked, and errors of reading; each names the records.
  Result<CheckedBundle> Bundle(uint64_t number);

 private:
  explicit CheckedLog(std::string directory) : directory_(std::move(directory)) {}
  Status LoadTree();
  Result<CheckedBundle> Read(uint64_t number) const;
  Status Check(const CheckedBundle& bundle);

  std::string directory_;
  std::string key_;
  std::string problem_;
  std::optional<TileReader> tree_;
};

}  // namespace nacre::audit
