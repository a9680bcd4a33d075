// Anchors: checkpoints of a log, kept where whoever can change the log cannot change them. An anchor is a file of
// notes, as the log's own `checkpoints`: only ever appended to, each note followed by an empty line. It may lie on
// another machine, an append-only medium or in a git repository.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/note_key.h"

namespace nacre::audit {

// A checkpoint a minute for a year.
constexpr size_t kAnchorBytesMax = 256U << 20;

struct AnchorOptions {
  const SigningKey* witness = nullptr;          // also signs; null: only kept
  std::optional<std::string> trusted_key = {};  // as for VerifyOptions
  std::optional<SeenCheckpoint> seen = {};
};

struct AnchorReport {
  VerifyReport verified;   // when that is not ok, nothing was added
  bool added = false;      // false when the newest checkpoint was there already
  uint64_t records = 0;    // under it
  uint64_t cut_bytes = 0;  // of an unfinished note, which the added one took the place of
  std::string log;         // its name, that of its keys
  std::string note;        // the newest checkpoint; empty when the log does not verify
};

// Verifies that the log in `directory` begins with what the anchor file says, and adds its newest checkpoint, durably.
// Without a file (an empty path) the log is verified by itself, and `note` is for somebody else to keep.
// An unfinished note of this log, as a crash leaves it, is cut off when one is added; kDataLoss, and nothing
// is changed, when the file holds anything else. An error when a file cannot be read or written. Not for two at a time on one file.
Result<AnchorReport> AnchorLog(const std::string& directory, const std::string& file,
                               const AnchorOptions& options, WallTime now);

}  // namespace nacre::audit
