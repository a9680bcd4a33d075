// Searching a log: with an index, when there can be one, but with answers from the log only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_filter.h"

namespace nacre::audit {

struct QueryOptions {
  // Where the index of this log is, or is made; see log_index.h. Empty: the whole log is read.
  std::string index_directory;
  // Only the newest so many; 0: all.
  uint64_t newest = 0;
  // Nothing before this record.
  uint64_t first_record = 0;
  // Contents whose key is not there are told with what a signed record says of it (Erasures).
  bool explain_erased = true;
  // Called now and then while the index is made, with how many records were read for it.
  std::function<void(uint64_t records)> progress;
};

struct QueryReport {
  uint64_t found = 0;
  uint64_t signed_records =
      0;                 // under the newest signature; what was found after them is only linked
  uint64_t bundles = 0;  // of the log
  uint64_t bundles_read = 0;  // in search of records
  // First records that are not there any more, as a signed record says.
  std::optional<Pruning> pruned;
  // Why the answer may be incomplete: records that are not those that were signed.
  std::vector<std::string> problems;
  // What is worth saying: an index that could not be used or was made anew.
  std::vector<std::string> notes;
};

// Calls `visit` with each matching record, in the order of the log, until it answers false. Every record shown
// was compared with the signed tree or, after its end, with its links. An error only when the directory cannot
// be read at all.
Result<QueryReport> QueryAuditLog(
    const std::string& directory, const RecordFilter& filter, const QueryOptions& options,
    Random& random, const std::function<bool(uint64_t index, const Json& record)>& visit);

// The folder below `parent` for the index of the log in `directory`: two logs never share one.
std::string IndexDirectory(const std::string& parent, const std::string& directory);

}  // namespace nacre::audit
