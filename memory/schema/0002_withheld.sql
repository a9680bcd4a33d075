-- The session store, version 2: what a policy withheld from the model (docs/information-flow.md). Then
-- result_text is what the model was told instead. Empty: nothing was withheld.
ALTER TABLE calls ADD COLUMN withheld TEXT NOT NULL DEFAULT '';
