-- The session store, version 5: whose a session is (docs/audit-log.md). Empty: it began before that was kept.
ALTER TABLE sessions ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
