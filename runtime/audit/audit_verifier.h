// Verifies a log without trusting who wrote it: re-reads every record, rebuilds the tree, checks
// each checkpoint's root and signature, and names the first record that does not fit.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/pruning.h"

namespace nacre::audit {

struct VerifyOptions {
  // The line of key.pub as it was remembered elsewhere, of the present key or of one before it; without it the log vouches for its own key,
  // which shows changes by whoever cannot read `key`, and no others.
  // Given and empty is a problem: an empty file vouches for nothing.
  std::optional<std::string> trusted_key;
  // A checkpoint of this log as it was remembered elsewhere, or a file of them (log_anchor.h), each followed by an empty
  // line: the log must still begin with the records of each,
  // which shows that an older copy was put in place of the log. The records under the largest one are
  // taken from the hash tiles, which must lead to its root and from it to those of the others, and not
  // read again.
  std::optional<std::string> since;
  // What was seen of this log before on this machine (latest_seen.h): it must still be the same log, and have those records.
  std::optional<SeenCheckpoint> seen;
  // A checkpoint that the log must have reached: the records up to it are read like all others.
  std::string expected;
  // The line of a witness: the largest remembered checkpoint must have its cosignature.
  std::optional<std::string> witness;
  // Of each record that is read: has it a record's form, place and link, also where it was signed so? nacre signs no
  // other; someone with the log's key could, and nobody could read them. Takes several times as long.
  bool deep = false;
};

struct VerifyReport {
  bool ok = false;
  uint64_t records = 0;
  uint64_t read = 0;        // of them were read: all, or those since the remembered checkpoint
  uint64_t remembered = 0;  // under that checkpoint, and not read again
  uint64_t seen = 0;        // records under VerifyOptions::seen; 0 when there was none
  uint64_t checkpoints = 0;
  uint64_t keys = 0;     // that the log has had, each introduced by the one before
  uint64_t covered = 0;  // records under the newest good checkpoint; later ones are unsigned as yet
  std::string root;      // base64, as in the checkpoint
  std::string published;  // the note in `checkpoint`; empty when there is none
  // Of first records that are not there any more, as a signed record of this log says.
  std::optional<Pruning> pruned;
  // Sessions that were there when the log was begun, and whose records are gone with the log before it, as its first record
  // says; 0 when that was not read or says nothing of it.
  uint64_t begun_beside_sessions = 0;
  // The first record that is known to be wrong or missing, where a problem is one of records.
  std::optional<uint64_t> first_bad;
  // One per problem: "record 17: content does not match the tree signed at 20 records".
  std::vector<std::string> problems;
  // What is no problem but worth saying: "the last 40 bytes are an unfinished write".
  std::vector<std::string> notes;
};

// Reads while others write; needs no lock and no private key. What is and is not detected:
// docs/audit-log.md. An Error only when the directory cannot be read at all: kNotFound when there is none.
Result<VerifyReport> VerifyAuditLog(const std::string& directory,
                                    const VerifyOptions& options = {});

// What VerifyAuditLog says, for machines and for people: the latter in printable ASCII only, whatever a
// hostile directory made it contain; several lines, each with its newline.
OrderedJson ToJson(const std::optional<Pruning>& pruned);
OrderedJson ToJson(const VerifyReport& report);
std::string ToText(const VerifyReport& report);

// How many records `head` says there are. Not checked: a hint at where the end is. 0 when it says
// nothing.
uint64_t RecordsHint(const std::string& directory);

// Calls `visit` with each record's index and JSON, from `first` on, until it answers false.
// Bounded reading of hostile bytes; stops with an error at the first record that does not parse.
// Sealed contents are opened where the keys are there (content_seal.h).
// Nothing is called when there are no more than `first` records. Pruned ones are passed over (FirstRecord).
Status ReadAuditLog(const std::string& directory, uint64_t first,
                    const std::function<bool(uint64_t index, const Json& record)>& visit);

}  // namespace nacre::audit
