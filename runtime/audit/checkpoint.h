// Checkpoint: what a log commits to, in the C2SP checkpoint format (c2sp.org/tlog-checkpoint), a
// signed note of exactly five lines with one signature:
//
//   nacre/audit/01JD...          the origin, which is also the key's name
//   42                           the number of records
//   BASE64                       the root of the tree over them
//                                (empty)
//   — nacre/audit/01JD... BASE64 the signature over the three lines above, before it the key id
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "runtime/audit/note_key.h"

namespace nacre::audit {

struct Checkpoint {
  uint64_t size = 0;
  Sha256Digest root{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

constexpr size_t kCheckpointBytesMax = 1024;

// The three lines that are signed, and their meaning; `origin` is the log's name.
std::string CheckpointText(const Checkpoint& checkpoint, const std::string& origin);
Result<Checkpoint> ParseCheckpointText(std::string_view text, const std::string& origin);

Result<std::string> SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key);

// The checkpoint of a note that `key` signed. kDataLoss with the reason otherwise. No byte of
// `note` can be changed without that.
Result<Checkpoint> ParseCheckpoint(std::string_view note, const VerifyingKey& key);

}  // namespace nacre::audit
