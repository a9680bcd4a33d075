// What the turns of an audit log used, and who said yes to calls, for who learns from them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/learn_limits.h"

namespace nacre::cli {

// Not thread-safe.
class RecordedTurns final {
 public:
  // Each record, in the order of the log.
  void Add(const Json& record);

  // Turns that ended, each once, in the order in which they first did. One that was taken up again after a crash has
  // the calls of before; its time counts from there on.
  const std::vector<policy::TurnUse>& ended() const { return ended_; }

 private:
  struct Turn {
    int64_t began_ms = 0;
    policy::TurnUse use = {};
    std::optional<size_t> ended = {};  // where in ended_
  };
  std::map<std::string, Turn> turns_;  // by id
  std::vector<policy::TurnUse> ended_;
};

// The accounts in the `by` of a call.approval record: {"alice"} of "alice (uid 1000)". Empty when not every
// name in it is one of an account.
std::vector<std::string> AccountsIn(const std::string& by);

}  // namespace nacre::cli
