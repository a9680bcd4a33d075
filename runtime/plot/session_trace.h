// SessionTrace: what a session's records say happened, call by call: what its pictures are drawn from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "runtime/audit/record_time.h"

namespace nacre::plot {

// Further records are left out, and pictures say so.
constexpr uint64_t kTraceRecordsMax = 1'000'000;

enum class CallEnd {
  kRefused = 0,  // denied, or not approved
  kAnswered,     // the tool's program exited by itself and its result is no error
  kFailed,       // its result is an error
  kStopped,      // the sandbox ended it: a limit, a violation, a cancellation, a failed set-up
  kUnknown,      // not in the records: still running, or killed with nacre
};

// Times are in milliseconds since 1970, and never go back within a trace.
struct Span {
  int64_t begin = 0;
  int64_t end = 0;
};

struct TracedCall {
  std::string id;
  std::string tool;
  std::string rule;
  std::string reason;
  std::string verdict;   // allow, deny or ask
  std::string approver;  // who answered an ask
  bool approved = false;
  std::string outcome;    // kind: exited, timed_out, ...
  std::string arguments;  // where the log has them
  CallEnd end = CallEnd::kUnknown;
  Span span;
  uint64_t argument_bytes = 0;
  uint64_t result_bytes = 0;
  uint64_t files_changed = 0;
  uint64_t first_record = 0;
  bool untrusted_context = false;         // when it was decided
  std::vector<std::string> labels_added;  // to the context, by its result
};

struct TracedTurn {
  std::string id;
  Span span;
  std::string state;  // empty while it runs
  uint64_t request_bytes = 0;
  uint64_t answer_bytes = 0;
};

// From when on the context had a label, until the end or until a stronger one took its place.
struct TracedLabel {
  std::string label;
  Span span;
  std::string by;  // the tool whose result brought it; empty when it was there before
};

// Built record by record, in the log's order. Not thread-safe.
class SessionTrace final {
 public:
  // Of hostile bytes that have the form of a record. False when it is full.
  bool Add(uint64_t index, const Json& record);
  // Ends what is open. Once, after the last record.
  void Finish();

  std::string session;
  std::string workspace;
  std::string policy;
  std::string model;
  std::vector<TracedTurn> turns;
  std::vector<Span> engine;
  std::vector<TracedCall> calls;
  std::vector<TracedLabel> labels;
  Span span;
  uint64_t records = 0;
  uint64_t first_record = 0;
  uint64_t last_record = 0;
  uint64_t malformed_calls = 0;
  uint64_t clock_set_back = 0;  // how often the wall clock went back by a second or more
  bool cut = false;

 private:
  int64_t TimeOf(const Json& record);
  void SetLabels(const Json& record, int64_t now, TracedCall* by);
  TracedCall* Find(const std::string& id);

  std::vector<size_t> open_calls_;
  bool asked_ = false;
};

using audit::MillisOf;
// The other way, without the milliseconds: "2026-11-26 16:12:03".
std::string DateTimeText(int64_t millis);
// "840 ms", "12.5 s", "2 min 5 s", "3 h 20 min", "4 d 2 h".
std::string DurationText(int64_t millis);
// "812 bytes", "3.4 kB", "1.2 MB".
std::string BytesText(uint64_t bytes);
// "1 call", "2 calls", "4,812 calls".
std::string Count(uint64_t count, std::string_view one);

}  // namespace nacre::plot
