// SessionStore: what must survive a crash. A session is a conversation of one agent; a turn is one
// user request until its answer; a step is one engine reply; a call is one execution of a tool.
//
// Record, then act: a call's row is there, state kStarted, before its sandbox starts, and its result
// is committed before anyone can see it. After kill -9 at any instant LoadSession() tells exactly
// which calls finished, so none is repeated.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/file_labels.h"

namespace nacre::memory {

enum class TurnState { kRunning = 0, kFinished, kFailed, kCancelled };
const char* TurnStateName(TurnState state);  // "running", ...

enum class CallState { kDenied = 0, kStarted, kFinished, kInterrupted };
const char* CallStateName(CallState state);

struct SessionRecord {
  std::string id;  // ULID
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::string workspace;  // host path
  std::string policy;     // its name, as given by the user: "coding" or a file
  std::string policy_digest;
  std::string model;
  std::string title;  // the first request, shortened
  std::string tenant =
      {};  // whose it is; empty: it began before that was kept, and is nobody's by name
  int64_t turns = 0;
  bool unfinished = false;  // its last turn is kRunning: a run was killed, or is running now
};

struct CallRecord {
  std::string id;  // ULID
  std::string tool;
  std::string arguments_json;  // as judged
  CallState state = CallState::kDenied;
  std::string verdict;  // "allow", "deny", "ask"
  std::string rule;
  std::string reason;
  int64_t started_ms = 0;
  int64_t finished_ms = 0;
  // Sandbox outcome, resource use and layers in force; of its output only the end of a failed call's standard error.
  std::string outcome_json;
  std::string result_text;  // what the model was told
  bool result_error = false;
  std::string
      withheld;  // what was kept from the model, which was told result_text instead; or empty
  // What the call itself used: FinishCall() adds it to its step, and LoadCall() knows no more.
  int64_t prompt_tokens = 0;
  int64_t generated_tokens = 0;
  int64_t wall_ms = 0;
  int64_t bytes_out = 0;
  int64_t energy_uj = 0;
  // For the budgets of its tool: how long the tool ran, known of a call that ended or was cancelled, and the bytes of
  // its arguments with withheld texts in their place.
  int64_t run_us = 0;
  int64_t argument_bytes = 0;
};

// One engine reply within a turn: an answer, or a call (whole or malformed), or one that never came whole.
struct StepRecord {
  int64_t index = 0;   // from 0, within the turn
  std::string answer;  // when it is no call
  std::optional<CallRecord> call;
  std::string malformed;         // the text of a malformed call, shortened ...
  std::string malformed_reason;  // ... and what the model was told; without a text: why none came
  int64_t prompt_tokens = 0;
  int64_t generated_tokens = 0;
  int64_t wall_ms = 0;    // from the step before until it was stored
  int64_t bytes_out = 0;  // that an engine elsewhere was sent
  int64_t energy_uj = 0;  // of this machine's processors, for the engine; 0 where not measured

  // The engine was asked, and no reply came of it: what it used counts, and nothing else.
  bool unanswered() const { return malformed.empty() && !malformed_reason.empty(); }
};

struct TurnRecord {
  std::string id;  // ULID
  int64_t created_ms = 0;
  TurnState state = TurnState::kRunning;
  std::string request;  // the user's words
  std::string answer;
  std::string error;  // of a failed turn
  std::vector<StepRecord> steps;
};

struct SessionDetail {
  SessionRecord session;
  std::vector<TurnRecord> turns;
};

// A call, and where it belongs.
struct CallDetail {
  CallRecord call;
  std::string session_id;
  std::string turn_id;
};

// What was used by several turns together.
struct Use {
  int64_t steps = 0;
  int64_t calls = 0;  // denied ones included
  int64_t tokens = 0;
  int64_t wall_ms = 0;
  int64_t bytes_out = 0;
  int64_t energy_uj = 0;
};

// What calls of one tool that were not denied used together.
struct ToolUse {
  int64_t calls = 0;
  int64_t run_us = 0;
  int64_t argument_bytes = 0;

  friend bool operator==(const ToolUse&, const ToolUse&) = default;
};

struct NoteRecord {
  int64_t id = 0;
  int64_t created_ms = 0;
  std::string text;
  std::vector<std::string> labels = {};  // what was known by who wrote it: words as in FileLabels
};

// Thread-safe. Each call is one durable transaction (synchronous=FULL): when it answers ok, the
// change survives power loss; when it does not, nothing of it happened.
class SessionStore {
 public:
  virtual ~SessionStore() = default;

  virtual Status CreateSession(const SessionRecord& session) = 0;
  virtual Status BeginTurn(const std::string& session_id, const TurnRecord& turn) = 0;
  // An answer, malformed or unanswered step, or a step with a call that is denied (final) or started.
  virtual Status AppendStep(const std::string& turn_id, const StepRecord& step) = 0;
  // kStarted -> kFinished or kInterrupted.
  virtual Status FinishCall(const CallRecord& call) = 0;
  // How long a call ran that was cut off: it stays kStarted.
  virtual Status NoteRun(const std::string& call_id, int64_t run_us) = 0;
  virtual Status FinishTurn(const std::string& turn_id, TurnState state, const std::string& answer,
                            const std::string& error, int64_t now_ms) = 0;

  // Newest first.
  virtual Result<std::vector<SessionRecord>> ListSessions(int64_t limit) = 0;
  // kNotFound when there is none. `id` may be a unique prefix of at least 4 characters; "last" is
  // the newest.
  virtual Result<SessionDetail> LoadSession(const std::string& id) = 0;

  // A call by its id, a unique prefix of at least 4 characters, or "last": the newest.
  virtual Result<CallDetail> LoadCall(const std::string& id) = 0;

  // What all sessions used since a time: the steps of turns that began then or later.
  virtual Result<Use> UseSince(int64_t since_ms) = 0;
  // The calls of all sessions that started since a time, by tool, and how long those ran that ended since; denied ones are not counted.
  virtual Result<std::map<std::string, ToolUse>> CallsSince(int64_t since_ms) = 0;

  // Notes belong to a workspace: every session there can recall them.
  virtual Status AddNote(const std::string& workspace, const std::string& text,
                         const std::vector<std::string>& labels, int64_t now_ms) = 0;
  // Best first (BM25 over words); an empty query answers the newest.
  virtual Result<std::vector<NoteRecord>> SearchNotes(const std::string& workspace,
                                                      const std::string& query, int64_t limit) = 0;

  // What is known of files, by all sessions. Lives as long as the store.
  virtual FileLabels& file_labels() = 0;

  // One process at a time may run a session's turns. Held until the returned token dies, and freed
  // by the kernel when the process dies, so a killed run never blocks its resume.
  class Lease {
   public:
    virtual ~Lease() = default;
  };
  virtual Result<std::unique_ptr<Lease>> LockSession(const std::string& session_id) = 0;

  // For doctor: opens, checks integrity and schema version.
  virtual Status Check() = 0;
};

}  // namespace nacre::memory
