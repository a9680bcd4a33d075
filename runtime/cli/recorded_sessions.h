// What the database has of the calls of sessions, for who reads a whole log: in memory up to a bound, the session
// that was not asked for longest going first. A session that is larger than the bound is read call by call.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "memory/session_store.h"
#include "runtime/agent/quarantine.h"

namespace nacre::cli {

// Not thread-safe. Borrows the store.
class RecordedSessions final {
 public:
  explicit RecordedSessions(memory::SessionStore& store)
      : RecordedSessions(store, kRecordedBytesMax) {}
  // `bytes_max`: of arguments and withheld texts.
  RecordedSessions(memory::SessionStore& store, size_t bytes_max)
      : store_(store), bytes_max_(bytes_max) {}

  struct Stored {
    std::string workspace;
    std::string arguments;  // as the model wrote them
    // For the handles in them; null in a session without any. Until the next Find().
    const agent::Quarantine* quarantine = nullptr;
  };
  // nullopt: the database has no such call.
  std::optional<Stored> Find(const std::string& session, const std::string& call);

  size_t bytes() const { return bytes_; }  // kept now

 private:
  static constexpr size_t kRecordedBytesMax = 64U << 20;

  struct Session {
    std::string id;
    std::string workspace;
    size_t bytes = 0;
    std::map<std::string, std::string>
        arguments;                 // of its calls, by id; empty when it is too large
    agent::Quarantine quarantine;  // likewise
    bool large = false;
    // Of a large one: the calls whose results were, in order, and how many texts of each.
    std::vector<std::pair<std::string, size_t>> withheld;
  };
  Session& Load(const std::string& id);
  std::optional<Stored> FindInLarge(const Session& session, const std::string& call);

  memory::SessionStore& store_;
  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::list<Session> sessions_;  // the last one asked for first
  std::map<std::string, std::list<Session>::iterator> by_id_;
  agent::Quarantine of_large_;  // of the last call of a large session
};

}  // namespace nacre::cli
