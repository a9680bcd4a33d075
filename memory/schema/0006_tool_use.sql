-- The session store, version 6: what a call used, for the budgets of its tool. 0 of older calls.
ALTER TABLE calls ADD COLUMN run_us INTEGER NOT NULL DEFAULT 0;  -- how long its tool ran, in microseconds
ALTER TABLE calls ADD COLUMN argument_bytes INTEGER NOT NULL DEFAULT 0;  -- of its arguments as judged, withheld texts in place
