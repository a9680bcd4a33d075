// SqliteSessionStore: the SessionStore of one machine. One SQLite file; beside it a folder "locks"
// with one lock file per session in use.
//
//   auto store = NACRE_TRY(memory::SqliteSessionStore::Open(state_directory + "/sessions.db"));
//   NACRE_TRY(store->CreateSession(session));
//
// Several processes may have one store open. Writers wait for each other for up to
// Database::kBusyTimeoutMs, then fail with kUnavailable.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memory/session_store.h"
#include "memory/sqlite.h"
#include "memory/sqlite_file_labels.h"

namespace nacre::memory {

class SqliteSessionStore final : public SessionStore {
 public:
  static constexpr size_t kNoteBytesMax = 16 << 10;
  static constexpr size_t kQueryWordsMax = 32;
  static constexpr size_t kIdPrefixMin = 4;

  // Creates the file and its folder (0700) when absent. kDataLoss for a damaged file,
  // kFailedPrecondition for one of a newer nacre or another program, kPermissionDenied when it is
  // not writable; in none of these is the file changed.
  static Result<std::unique_ptr<SqliteSessionStore>> Open(const std::string& path);

  // How many sessions the store at `path` has, for who needs no more of it: 0 when there is none, and none is made.
  // Errors: those of Open().
  static Result<uint64_t> CountSessions(const std::string& path);

  // The order is enforced: one running turn a session (kFailedPrecondition names it), steps from 0
  // without gaps and only in a running turn, each call and turn finished once.
  Status CreateSession(const SessionRecord& session) override;
  Status BeginTurn(const std::string& session_id, const TurnRecord& turn) override;
  Status AppendStep(const std::string& turn_id, const StepRecord& step) override;
  Status FinishCall(const CallRecord& call) override;
  Status NoteRun(const std::string& call_id, int64_t run_us) override;
  Status FinishTurn(const std::string& turn_id, TurnState state, const std::string& answer,
                    const std::string& error, int64_t now_ms) override;

  Result<std::vector<SessionRecord>> ListSessions(int64_t limit) override;
  Result<Use> UseSince(int64_t since_ms) override;
  Result<std::map<std::string, ToolUse>> CallsSince(int64_t since_ms) override;
  Result<SessionDetail> LoadSession(const std::string& id) override;
  Result<CallDetail> LoadCall(const std::string& id) override;

  Status AddNote(const std::string& workspace, const std::string& text,
                 const std::vector<std::string>& labels, int64_t now_ms) override;
  // A note matches with any of the query's words (stemmed, letters and digits only, the first
  // kQueryWordsMax); no character has a meaning of its own. A query without words is empty.
  Result<std::vector<NoteRecord>> SearchNotes(const std::string& workspace,
                                              const std::string& query, int64_t limit) override;

  FileLabels& file_labels() override { return file_labels_; }

  Result<std::unique_ptr<Lease>> LockSession(const std::string& session_id) override;
  Status Check() override;

 private:
  SqliteSessionStore(Database database, std::string locks_directory)
      : database_(std::move(database)), locks_directory_(std::move(locks_directory)) {}

  // `kind`: "session" or "call", whose table is that with an "s".
  Result<std::string> ResolveId(const std::string& id, const std::string& kind);
  Result<SessionRecord> LoadSessionRow(const std::string& id);
  Result<std::vector<TurnRecord>> LoadTurns(const std::string& session_id);
  Result<std::vector<StepRecord>> LoadSteps(const std::string& turn_id);

  std::mutex mutex_;  // guards database_
  Database database_;
  SqliteFileLabels file_labels_{database_, mutex_};
  const std::string locks_directory_;
};

}  // namespace nacre::memory
