-- Services that a sign of life is waited for: since when, and the newest one, if there was one. ok and took_us are the
-- job's own words.
CREATE TABLE heartbeats (
    service  INTEGER PRIMARY KEY REFERENCES services (id),
    since_ms INTEGER NOT NULL,
    at_ms    INTEGER,
    ok       INTEGER,
    message  TEXT,
    took_us  INTEGER
);
