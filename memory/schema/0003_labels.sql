-- The session store, version 3: labels that outlive the session that gave them (docs/information-flow.md). The words
-- are the policy's and mean nothing here; a set of them is sorted, one a line. Joining is the union. No row: clean.

-- What is known of a file, folder or link of a workspace. The path is the host's, so that workspaces which lie in one
-- another know the same.
CREATE TABLE file_labels (
  path       TEXT    NOT NULL PRIMARY KEY,
  labels     TEXT    NOT NULL CHECK (labels <> ''),
  below      INTEGER NOT NULL CHECK (below IN (0, 1)),  -- 1: of all that lies below it, too
  digest     TEXT    NOT NULL,  -- of the file as the call wrote it; empty: not known, or no file
  call       TEXT    NOT NULL,  -- the last that wrote it
  changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Of what an agent knew when it wrote the note.
ALTER TABLE notes ADD COLUMN labels TEXT NOT NULL DEFAULT '';
