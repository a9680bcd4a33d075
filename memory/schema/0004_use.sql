-- The session store, version 4: what a step used besides tokens, for budgets. 0 of older steps, and where nothing
-- measures it.
ALTER TABLE steps ADD COLUMN wall_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN bytes_out INTEGER NOT NULL DEFAULT 0;  -- that an engine elsewhere was sent
ALTER TABLE steps ADD COLUMN energy_uj INTEGER NOT NULL DEFAULT 0;  -- millionths of a joule, of this machine's processors
