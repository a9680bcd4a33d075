-- The session store, version 1. Times are milliseconds since 1970-01-01T00:00:00Z. Ids are ULIDs.
-- Nothing is ever inferred from a missing row: what happened is a row, what did not happen is none.

-- A conversation of one agent.
CREATE TABLE sessions (
  id            TEXT    NOT NULL PRIMARY KEY,
  created_ms    INTEGER NOT NULL,
  updated_ms    INTEGER NOT NULL,  -- the newest time of anything below it
  workspace     TEXT    NOT NULL,  -- host path
  policy        TEXT    NOT NULL,  -- its name, as given by the user
  policy_digest TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  title         TEXT    NOT NULL   -- the first request, shortened
) STRICT;

-- One user request until the agent's answer.
CREATE TABLE turns (
  id         TEXT    NOT NULL PRIMARY KEY,
  session_id TEXT    NOT NULL REFERENCES sessions (id),
  position   INTEGER NOT NULL CHECK (position >= 0),  -- from 0, within the session
  created_ms INTEGER NOT NULL,
  state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),  -- running, finished, failed, cancelled
  request    TEXT    NOT NULL,
  answer     TEXT    NOT NULL,
  error      TEXT    NOT NULL,
  UNIQUE (session_id, position)
) STRICT;

-- A session runs one turn at a time. A turn that a crash left running is resumed, not forgotten.
CREATE UNIQUE INDEX turns_running ON turns (session_id) WHERE state = 0;

-- One engine reply: an answer, a malformed call, or (with a row in calls) a call.
CREATE TABLE steps (
  turn_id          TEXT    NOT NULL REFERENCES turns (id),
  position         INTEGER NOT NULL CHECK (position >= 0),  -- from 0, within the turn
  answer           TEXT    NOT NULL,
  malformed        TEXT    NOT NULL,
  malformed_reason TEXT    NOT NULL,
  prompt_tokens    INTEGER NOT NULL,
  generated_tokens INTEGER NOT NULL,
  PRIMARY KEY (turn_id, position)
) STRICT, WITHOUT ROWID;

-- One execution of a tool, or its denial. A row in state started was committed before the sandbox
-- started; if it is still there after a crash, the call may or may not have had its effect.
CREATE TABLE calls (
  id             TEXT    NOT NULL PRIMARY KEY,
  turn_id        TEXT    NOT NULL,
  step           INTEGER NOT NULL,
  tool           TEXT    NOT NULL,
  arguments_json TEXT    NOT NULL,  -- as judged
  state          INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),  -- denied, started, finished, interrupted
  verdict        TEXT    NOT NULL,
  rule           TEXT    NOT NULL,
  reason         TEXT    NOT NULL,
  started_ms     INTEGER NOT NULL,
  finished_ms    INTEGER NOT NULL,
  outcome_json   TEXT    NOT NULL,  -- sandbox outcome, resource use, layers in force; no output
  result_text    TEXT    NOT NULL,  -- what the model was told
  result_error   INTEGER NOT NULL CHECK (result_error IN (0, 1)),
  UNIQUE (turn_id, step),
  FOREIGN KEY (turn_id, step) REFERENCES steps (turn_id, position)
) STRICT;

-- What agents wrote down to find again, one workspace for all sessions in it.
CREATE TABLE notes (
  id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  workspace  TEXT    NOT NULL,
  created_ms INTEGER NOT NULL,
  text       TEXT    NOT NULL
) STRICT;
CREATE INDEX notes_newest ON notes (workspace, id);

-- The words of notes, stemmed. The text itself stays in notes alone. Whoever adds a note adds its
-- words in the same transaction: a trigger may not touch a virtual table while trusted_schema is off.
CREATE VIRTUAL TABLE notes_words USING fts5 (
  text, content = 'notes', content_rowid = 'id', tokenize = 'porter unicode61'
);
