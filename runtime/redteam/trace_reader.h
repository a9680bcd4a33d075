// TraceReader: recorded runs of agents, one JSON object a line (docs/information-flow.md lists the
// members), from a plain file or one that zstd compressed. Both are other people's bytes: a line has
// at most 16 MiB, a file 4 GiB after decompression and 10,000,000 lines, a run 2,000 calls, and
// decompression uses at most 128 MiB (zstd's --long=27).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace nacre::redteam {

// What the person or the operator said.
struct UserText {
  std::string text;

  friend bool operator==(const UserText&, const UserText&) = default;
};

// What the model asked for, and what the tool answered then.
struct RecordedCall {
  std::string function;
  Json arguments = Json::object();
  std::string result;
  bool error = false;

  friend bool operator==(const RecordedCall&, const RecordedCall&) = default;
};

struct Trace {
  int64_t line = 0;  // of the file, from 1
  std::string pipeline;
  std::string suite;
  std::string user_task;
  std::string attack;          // "none" without one
  std::string injection_task;  // "none" without one
  std::vector<std::string> injections;
  bool task_done = false;         // "utility"
  bool attack_succeeded = false;  // "security"; meaningless without an attack
  std::vector<std::variant<UserText, RecordedCall>> steps;

  bool attacked() const { return attack != "none"; }
};

// kInvalidArgument names the member that is missing or of another type.
Result<Trace> ParseTrace(std::string_view line);

// Lines of DATA/traces.jsonl.zst or DATA/traces.jsonl. Not thread-safe.
class TraceReader final {
 public:
  static Result<std::unique_ptr<TraceReader>> Open(const std::string& path);
  ~TraceReader();

  // False at the end. The line stays valid until the next call.
  Result<bool> Next(std::string_view& line);
  int64_t line() const { return line_; }

 private:
  class Decoder;
  explicit TraceReader(std::unique_ptr<Decoder> decoder);

  std::unique_ptr<Decoder> decoder_;
  std::string buffer_;
  size_t begin_ = 0;  // of what was not yet handed out
  bool ended_ = false;
  uint64_t bytes_ = 0;
  int64_t line_ = 0;
};

}  // namespace nacre::redteam
