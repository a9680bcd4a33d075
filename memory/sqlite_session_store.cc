#include "memory/sqlite_session_store.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/unique_fd.h"
#include "memory/migrations.h"
#include "memory/session_lock.h"

namespace nacre::memory {
namespace {

constexpr std::string_view kSessionColumns =
    "SELECT id, created_ms, updated_ms, workspace, policy, policy_digest, model, title, tenant,"
    " (SELECT count(*) FROM turns WHERE session_id = sessions.id),"
    " EXISTS (SELECT 1 FROM turns WHERE session_id = sessions.id AND state = 0) FROM sessions ";

SessionRecord SessionOfRow(const Statement& row) {
  SessionRecord session;
  session.id = row.Text(0);
  session.created_ms = row.Int(1);
  session.updated_ms = row.Int(2);
  session.workspace = row.Text(3);
  session.policy = row.Text(4);
  session.policy_digest = row.Text(5);
  session.model = row.Text(6);
  session.title = row.Text(7);
  session.tenant = row.Text(8);
  session.turns = row.Int(9);
  session.unfinished = row.Int(10) != 0;
  return session;
}

// The columns from `first` on are those of calls, in the order of LoadSteps' query.
CallRecord CallOfRow(const Statement& row, int first) {
  CallRecord call;
  call.id = row.Text(first);
  call.tool = row.Text(first + 1);
  call.arguments_json = row.Text(first + 2);
  call.state = static_cast<CallState>(row.Int(first + 3));  // 0 to 3: a CHECK of the schema
  call.verdict = row.Text(first + 4);
  call.rule = row.Text(first + 5);
  call.reason = row.Text(first + 6);
  call.started_ms = row.Int(first + 7);
  call.finished_ms = row.Int(first + 8);
  call.outcome_json = row.Text(first + 9);
  call.result_text = row.Text(first + 10);
  call.result_error = row.Int(first + 11) != 0;
  call.withheld = row.Text(first + 12);
  call.run_us = row.Int(first + 13);
  call.argument_bytes = row.Int(first + 14);
  return call;
}

// "the cat's name" -> "\"the\" OR \"cat\" OR \"s\" OR \"name\"". Inside the quotes only the quote
// itself would mean something to FTS5, and it is no letter.
std::string WordsQuery(const std::string& query) {
  std::string words;
  size_t count = 0;
  for (size_t i = 0; i < query.size() && count < SqliteSessionStore::kQueryWordsMax;) {
    const auto is_word = [&](size_t at) {
      const auto byte = static_cast<unsigned char>(query[at]);
      return byte >= 0x80 || std::isalnum(byte) != 0;
    };
    size_t end = i;
    while (end < query.size() && is_word(end)) {
      ++end;
    }
    if (end > i) {
      words += (words.empty() ? "\"" : " OR \"") + query.substr(i, end - i) + "\"";
      ++count;
    }
    i = end + 1;
  }
  return words;
}

Status Touch(Database& database, const std::string& turn_id, int64_t now_ms) {
  return database.Run(
      "UPDATE sessions SET updated_ms = max(updated_ms, ?)"
      " WHERE id = (SELECT session_id FROM turns WHERE id = ?)",
      now_ms, turn_id);
}

Status RequireRunningTurn(Database& database, const std::string& turn_id) {
  Statement row = NACRE_TRY(database.Query("SELECT state FROM turns WHERE id = ?", turn_id));
  const bool found = NACRE_TRY(row.Next());
  if (!found) {
    return Error{ErrorCode::kNotFound, "no turn " + turn_id};
  }
  if (row.Int(0) != static_cast<int>(TurnState::kRunning)) {
    return Error{ErrorCode::kFailedPrecondition,
                 "turn " + turn_id + " is " + TurnStateName(static_cast<TurnState>(row.Int(0))) +
                     " already"};
  }
  return Ok();
}

class SessionLease final : public SessionStore::Lease {
 public:
  explicit SessionLease(SessionLock lock) : lock_(std::move(lock)) {}

 private:
  SessionLock lock_;
};

}  // namespace

Result<std::unique_ptr<SqliteSessionStore>> SqliteSessionStore::Open(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) {
    directory = ".";
  }
  const std::string locks = directory + "/locks";
  if (Status made = MakeDirectories(locks); !made.ok()) {
    return WithContext("session store " + path, made.error());
  }
  // Two processes that make one database at the same moment would see each other as "locked":
  // the switch to WAL does not wait.
  const UniqueFd opening(::open((locks + "/open").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!opening) {
    return SysError("session store " + path + ": open " + locks + "/open", errno);
  }
  while (::flock(opening.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      return SysError("lock " + locks + "/open", errno);
    }
  }
  Database database = NACRE_TRY(Database::Open(path));
  NACRE_TRY(Migrate(database));
  return std::unique_ptr<SqliteSessionStore>(new SqliteSessionStore(std::move(database), locks));
}

Result<uint64_t> SqliteSessionStore::CountSessions(const std::string& path) {
  std::error_code error;
  if (const auto status = std::filesystem::symlink_status(path, error);
      status.type() == std::filesystem::file_type::not_found) {
    return 0;
  }
  const std::unique_ptr<SqliteSessionStore> store = NACRE_TRY(Open(path));
  const int64_t count = NACRE_TRY(store->database_.QueryInt("SELECT count(*) FROM sessions"));
  return static_cast<uint64_t>(count);
}

Status SqliteSessionStore::CreateSession(const SessionRecord& session) {
  const std::lock_guard lock(mutex_);
  return database_.Run(
      "INSERT INTO sessions (id, created_ms, updated_ms, workspace, policy, policy_digest, model,"
      " title, tenant) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      session.id, session.created_ms, std::max(session.created_ms, session.updated_ms),
      session.workspace, session.policy, session.policy_digest, session.model, session.title,
      session.tenant);
}

Status SqliteSessionStore::BeginTurn(const std::string& session_id, const TurnRecord& turn) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  {
    Statement running = NACRE_TRY(
        database_.Query("SELECT id FROM turns WHERE session_id = ? AND state = 0", session_id));
    const bool found = NACRE_TRY(running.Next());
    if (found) {
      return Error{ErrorCode::kFailedPrecondition, "session " + session_id +
                                                       " has an unfinished turn " +
                                                       running.Text(0) + ": resume it first"};
    }
  }
  NACRE_TRY(database_.Run("UPDATE sessions SET updated_ms = max(updated_ms, ?) WHERE id = ?",
                          turn.created_ms, session_id));
  if (database_.changes() == 0) {
    return Error{ErrorCode::kNotFound, "no session " + session_id};
  }
  NACRE_TRY(database_.Run(
      "INSERT INTO turns (id, session_id, position, created_ms, state, request, answer, error)"
      " VALUES (?1, ?2, (SELECT count(*) FROM turns WHERE session_id = ?2), ?3, 0, ?4, '', '')",
      turn.id, session_id, turn.created_ms, turn.request));
  return transaction.Commit();
}

Status SqliteSessionStore::AppendStep(const std::string& turn_id, const StepRecord& step) {
  if (step.call.has_value() && step.call->state != CallState::kDenied &&
      step.call->state != CallState::kStarted) {
    return Error{ErrorCode::kInvalidArgument, "a new call is denied or started, never finished"};
  }
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  NACRE_TRY(RequireRunningTurn(database_, turn_id));
  {
    Statement count =
        NACRE_TRY(database_.Query("SELECT count(*) FROM steps WHERE turn_id = ?", turn_id));
    NACRE_TRY(count.Next());
    if (count.Int(0) != step.index) {
      return Error{ErrorCode::kFailedPrecondition, "step " + std::to_string(step.index) +
                                                       " of turn " + turn_id + " must be step " +
                                                       std::to_string(count.Int(0))};
    }
  }
  NACRE_TRY(database_.Run(
      "INSERT INTO steps (turn_id, position, answer, malformed, malformed_reason, prompt_tokens,"
      " generated_tokens, wall_ms, bytes_out, energy_uj) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      turn_id, step.index, step.answer, step.malformed, step.malformed_reason, step.prompt_tokens,
      step.generated_tokens, step.wall_ms, step.bytes_out, step.energy_uj));
  if (step.call.has_value()) {
    const CallRecord& call = *step.call;
    NACRE_TRY(database_.Run(
        "INSERT INTO calls (id, turn_id, step, tool, arguments_json, state, verdict, rule, reason,"
        " started_ms, finished_ms, outcome_json, result_text, result_error, argument_bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        call.id, turn_id, step.index, call.tool, call.arguments_json, static_cast<int>(call.state),
        call.verdict, call.rule, call.reason, call.started_ms, call.finished_ms, call.outcome_json,
        call.result_text, call.result_error ? 1 : 0, call.argument_bytes));
    NACRE_TRY(Touch(database_, turn_id, std::max(call.started_ms, call.finished_ms)));
  }
  return transaction.Commit();
}

Status SqliteSessionStore::FinishCall(const CallRecord& call) {
  if (call.state != CallState::kFinished && call.state != CallState::kInterrupted) {
    return Error{ErrorCode::kInvalidArgument, "a call ends as finished or interrupted"};
  }
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  std::string turn_id;
  {
    Statement row =
        NACRE_TRY(database_.Query("SELECT turn_id, state FROM calls WHERE id = ?", call.id));
    const bool found = NACRE_TRY(row.Next());
    if (!found) {
      return Error{ErrorCode::kNotFound, "no call " + call.id};
    }
    if (row.Int(1) != static_cast<int>(CallState::kStarted)) {
      return Error{ErrorCode::kFailedPrecondition,
                   "call " + call.id + " is " + CallStateName(static_cast<CallState>(row.Int(1))) +
                       " already"};
    }
    turn_id = row.Text(0);
  }
  NACRE_TRY(database_.Run(
      "UPDATE calls SET state = ?, finished_ms = ?, outcome_json = ?, result_text = ?,"
      " result_error = ?, withheld = ?, run_us = ? WHERE id = ?",
      static_cast<int>(call.state), call.finished_ms, call.outcome_json, call.result_text,
      call.result_error ? 1 : 0, call.withheld, call.run_us, call.id));
  NACRE_TRY(database_.Run(
      "UPDATE steps SET prompt_tokens = prompt_tokens + ?, generated_tokens = generated_tokens + ?,"
      " wall_ms = wall_ms + ?, bytes_out = bytes_out + ?, energy_uj = energy_uj + ?"
      " WHERE (turn_id, position) = (SELECT turn_id, step FROM calls WHERE id = ?)",
      call.prompt_tokens, call.generated_tokens, call.wall_ms, call.bytes_out, call.energy_uj,
      call.id));
  NACRE_TRY(Touch(database_, turn_id, call.finished_ms));
  return transaction.Commit();
}

Status SqliteSessionStore::FinishTurn(const std::string& turn_id, TurnState state,
                                      const std::string& answer, const std::string& error,
                                      int64_t now_ms) {
  if (state == TurnState::kRunning) {
    return Error{ErrorCode::kInvalidArgument, "a turn ends as finished, failed or cancelled"};
  }
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  NACRE_TRY(RequireRunningTurn(database_, turn_id));
  NACRE_TRY(database_.Run("UPDATE turns SET state = ?, answer = ?, error = ? WHERE id = ?",
                          static_cast<int>(state), answer, error, turn_id));
  NACRE_TRY(Touch(database_, turn_id, now_ms));
  return transaction.Commit();
}

Result<std::vector<SessionRecord>> SqliteSessionStore::ListSessions(int64_t limit) {
  const std::lock_guard lock(mutex_);
  Statement row = NACRE_TRY(
      database_.Query(std::string(kSessionColumns) + "ORDER BY created_ms DESC, id DESC LIMIT ?",
                      std::max<int64_t>(limit, 0)));
  std::vector<SessionRecord> sessions;
  while (NACRE_TRY(row.Next())) {
    sessions.push_back(SessionOfRow(row));
  }
  return sessions;
}

Result<Use> SqliteSessionStore::UseSince(int64_t since_ms) {
  const std::lock_guard lock(mutex_);
  Statement row = NACRE_TRY(database_.Query(
      "SELECT count(*), count(calls.id), coalesce(sum(prompt_tokens + generated_tokens), 0), "
      "coalesce(sum(wall_ms), 0), coalesce(sum(bytes_out), 0), coalesce(sum(energy_uj), 0) "
      "FROM turns JOIN steps ON steps.turn_id = turns.id "
      "LEFT JOIN calls ON calls.turn_id = steps.turn_id AND calls.step = steps.position "
      "WHERE turns.created_ms >= ?",
      since_ms));
  Use use;
  if (NACRE_TRY(row.Next())) {
    use = {row.Int(0), row.Int(1), row.Int(2), row.Int(3), row.Int(4), row.Int(5)};
  }
  return use;
}

Status SqliteSessionStore::NoteRun(const std::string& call_id, int64_t run_us) {
  const std::lock_guard lock(mutex_);
  return database_.Run("UPDATE calls SET run_us = ? WHERE id = ?", run_us, call_id);
}

// The time of a call that began earlier and ended since counts as a whole: too much, never too little.
Result<std::map<std::string, ToolUse>> SqliteSessionStore::CallsSince(int64_t since_ms) {
  const std::lock_guard lock(mutex_);
  Statement row = NACRE_TRY(database_.Query(
      "SELECT tool, sum(started_ms >= ?), sum(run_us),"
      " sum(CASE WHEN started_ms >= ? THEN argument_bytes ELSE 0 END) FROM calls"
      " WHERE (started_ms >= ? OR finished_ms >= ?) AND state <> ? GROUP BY tool",
      since_ms, since_ms, since_ms, since_ms, static_cast<int64_t>(CallState::kDenied)));
  std::map<std::string, ToolUse> used;
  while (NACRE_TRY(row.Next())) {
    used[row.Text(0)] = {row.Int(1), row.Int(2), row.Int(3)};
  }
  return used;
}

Result<std::string> SqliteSessionStore::ResolveId(const std::string& id, const std::string& kind) {
  const std::string table = kind + "s";
  const std::string time = kind == "session" ? "created_ms" : "started_ms";
  if (id == "last") {
    Statement newest = NACRE_TRY(database_.Query("SELECT id FROM " + table + " ORDER BY " + time +
                                                 " DESC, id DESC LIMIT 1"));
    const bool found = NACRE_TRY(newest.Next());
    if (!found) {
      return Error{ErrorCode::kNotFound, "there is no " + kind + " yet"};
    }
    return newest.Text(0);
  }
  std::string prefix = id;
  for (char& letter : prefix) {
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  const bool usable = prefix.size() >= kIdPrefixMin && prefix.size() <= 26 &&
                      std::all_of(prefix.begin(), prefix.end(), [](char letter) {
                        return std::isalnum(static_cast<unsigned char>(letter));
                      });
  if (!usable) {
    return Error{ErrorCode::kInvalidArgument, "not a " + kind + " id: give at least its first " +
                                                  std::to_string(kIdPrefixMin) +
                                                  " characters, or \"last\""};
  }
  // '~' sorts after every digit of an id.
  Statement row = NACRE_TRY(
      database_.Query("SELECT id FROM " + table + " WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
                      prefix, prefix + "~"));
  const bool any = NACRE_TRY(row.Next());
  if (!any) {
    return Error{ErrorCode::kNotFound, "no " + kind + " " + prefix};
  }
  std::string found = row.Text(0);
  const bool another = NACRE_TRY(row.Next());
  if (another) {
    return Error{ErrorCode::kInvalidArgument, kind + " id " + prefix + " is ambiguous: " + found +
                                                  " and " + row.Text(0) + " begin with it"};
  }
  return found;
}

Result<SessionDetail> SqliteSessionStore::LoadSession(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Transaction transaction = NACRE_TRY(Transaction::BeginRead(database_));
  const std::string session_id = NACRE_TRY(ResolveId(id, "session"));
  SessionDetail detail;
  detail.session = NACRE_TRY(LoadSessionRow(session_id));
  detail.turns = NACRE_TRY(LoadTurns(session_id));
  for (TurnRecord& turn : detail.turns) {
    turn.steps = NACRE_TRY(LoadSteps(turn.id));
  }
  return detail;
}

Result<CallDetail> SqliteSessionStore::LoadCall(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Transaction transaction = NACRE_TRY(Transaction::BeginRead(database_));
  const std::string call_id = NACRE_TRY(ResolveId(id, "call"));
  Statement row = NACRE_TRY(database_.Query(
      "SELECT t.session_id, t.id, c.id, c.tool, c.arguments_json, c.state, c.verdict, c.rule,"
      " c.reason, c.started_ms, c.finished_ms, c.outcome_json, c.result_text, c.result_error,"
      " c.withheld, c.run_us, c.argument_bytes"
      " FROM calls c JOIN turns t ON t.id = c.turn_id WHERE c.id = ?",
      call_id));
  const bool found = NACRE_TRY(row.Next());
  if (!found) {
    return Error{ErrorCode::kNotFound, "no call " + call_id};
  }
  return CallDetail{CallOfRow(row, 2), row.Text(0), row.Text(1)};
}

Result<SessionRecord> SqliteSessionStore::LoadSessionRow(const std::string& id) {
  Statement row = NACRE_TRY(database_.Query(std::string(kSessionColumns) + "WHERE id = ?", id));
  const bool found = NACRE_TRY(row.Next());
  if (!found) {
    return Error{ErrorCode::kNotFound, "no session " + id};
  }
  return SessionOfRow(row);
}

Result<std::vector<TurnRecord>> SqliteSessionStore::LoadTurns(const std::string& session_id) {
  Statement row =
      NACRE_TRY(database_.Query("SELECT id, created_ms, state, request, answer, error FROM turns"
                                " WHERE session_id = ? ORDER BY position",
                                session_id));
  std::vector<TurnRecord> turns;
  while (NACRE_TRY(row.Next())) {
    TurnRecord turn;
    turn.id = row.Text(0);
    turn.created_ms = row.Int(1);
    turn.state = static_cast<TurnState>(row.Int(2));  // 0 to 3: a CHECK of the schema
    turn.request = row.Text(3);
    turn.answer = row.Text(4);
    turn.error = row.Text(5);
    turns.push_back(std::move(turn));
  }
  return turns;
}

Result<std::vector<StepRecord>> SqliteSessionStore::LoadSteps(const std::string& turn_id) {
  Statement row = NACRE_TRY(database_.Query(
      "SELECT s.position, s.answer, s.malformed, s.malformed_reason, s.prompt_tokens,"
      " s.generated_tokens, s.wall_ms, s.bytes_out, s.energy_uj, c.id IS NOT NULL, c.id, c.tool, "
      "c.arguments_json, c.state, c.verdict,"
      " c.rule, c.reason, c.started_ms, c.finished_ms, c.outcome_json, c.result_text,"
      " c.result_error, c.withheld, c.run_us, c.argument_bytes FROM steps s LEFT JOIN calls c ON "
      "c.turn_id = s.turn_id AND"
      " c.step = s.position WHERE s.turn_id = ? ORDER BY s.position",
      turn_id));
  std::vector<StepRecord> steps;
  while (NACRE_TRY(row.Next())) {
    StepRecord step;
    step.index = row.Int(0);
    step.answer = row.Text(1);
    step.malformed = row.Text(2);
    step.malformed_reason = row.Text(3);
    step.prompt_tokens = row.Int(4);
    step.generated_tokens = row.Int(5);
    step.wall_ms = row.Int(6);
    step.bytes_out = row.Int(7);
    step.energy_uj = row.Int(8);
    if (row.Int(9) != 0) {
      step.call = CallOfRow(row, 10);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Status SqliteSessionStore::AddNote(const std::string& workspace, const std::string& text,
                                   const std::vector<std::string>& labels, int64_t now_ms) {
  if (text.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a note needs a text"};
  }
  if (text.size() > kNoteBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "a note of " + std::to_string(text.size()) +
                                                    " bytes exceeds the limit of " +
                                                    std::to_string(kNoteBytesMax)};
  }
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  NACRE_TRY(
      database_.Run("INSERT INTO notes (workspace, created_ms, text, labels) VALUES (?, ?, ?, ?)",
                    workspace, now_ms, text, JoinWords(labels)));
  NACRE_TRY(
      database_.Run("INSERT INTO notes_words (rowid, text) VALUES (last_insert_rowid(), ?)", text));
  return transaction.Commit();
}

Result<std::vector<NoteRecord>> SqliteSessionStore::SearchNotes(const std::string& workspace,
                                                                const std::string& query,
                                                                int64_t limit) {
  const std::string words = WordsQuery(query);
  const int64_t rows_max = std::max<int64_t>(limit, 0);
  const std::lock_guard lock(mutex_);
  Result<Statement> prepared =
      words.empty() ? database_.Query(
                          "SELECT id, created_ms, text, labels FROM notes WHERE workspace = ?"
                          " ORDER BY id DESC LIMIT ?",
                          workspace, rows_max)
                    : database_.Query(
                          "SELECT n.id, n.created_ms, n.text, n.labels FROM notes_words"
                          " JOIN notes n ON n.id = notes_words.rowid"
                          " WHERE notes_words MATCH ? AND n.workspace = ?"
                          " ORDER BY bm25(notes_words), n.id DESC LIMIT ?",
                          words, workspace, rows_max);
  Statement row = NACRE_TRY(std::move(prepared));
  std::vector<NoteRecord> notes;
  while (NACRE_TRY(row.Next())) {
    notes.push_back({row.Int(0), row.Int(1), row.Text(2), SplitWords(row.Text(3))});
  }
  return notes;
}

Result<std::unique_ptr<SessionStore::Lease>> SqliteSessionStore::LockSession(
    const std::string& session_id) {
  SessionLock lock = NACRE_TRY(SessionLock::Acquire(locks_directory_, session_id));
  return std::unique_ptr<Lease>(std::make_unique<SessionLease>(std::move(lock)));
}

Status SqliteSessionStore::Check() {
  const std::lock_guard lock(mutex_);
  NACRE_TRY(CheckSchemaVersion(database_));
  Statement problem = NACRE_TRY(database_.Query("PRAGMA integrity_check(1)"));
  NACRE_TRY(problem.Next());
  if (problem.Text(0) != "ok") {
    return Error{ErrorCode::kDataLoss, "session store " + database_.path() +
                                           ": the file is damaged (" + problem.Text(0) +
                                           "): restore a backup"};
  }
  Statement orphan = NACRE_TRY(database_.Query("PRAGMA foreign_key_check"));
  const bool found = NACRE_TRY(orphan.Next());
  if (found) {
    return Error{ErrorCode::kDataLoss, "session store " + database_.path() + ": a row of table " +
                                           orphan.Text(0) + " has lost the row it belongs to"};
  }
  return database_.Run("INSERT INTO notes_words (notes_words) VALUES ('integrity-check')");
}

}  // namespace nacre::memory
