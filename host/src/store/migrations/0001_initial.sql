-- Identifies the file, so that a foreign database is never migrated ("PHOK").
PRAGMA application_id = 0x50484F4B;

-- Every service that was ever seen. position is its place in services.yaml; none if it is not configured now.
CREATE TABLE services (
    id       INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    zone     TEXT NOT NULL,
    "check"  TEXT NOT NULL,
    position INTEGER
);

-- What survives a restart, as JSON. A row of its own, so that a streak rewrites one small page.
CREATE TABLE states (
    service INTEGER PRIMARY KEY REFERENCES services (id),
    json    TEXT NOT NULL
);

-- Every outcome. Appended only: no index beside the row number, so that a batch touches one or two pages.
-- status: 0 up, 1 down, 2 degraded, 3 unknown. 0 and 1 take no room in a row.
CREATE TABLE checks (
    id             INTEGER PRIMARY KEY,
    service        INTEGER NOT NULL REFERENCES services (id),
    at_ms          INTEGER NOT NULL,
    status         INTEGER NOT NULL,
    response_us    INTEGER,
    attempts       INTEGER NOT NULL,
    in_maintenance INTEGER NOT NULL,
    summary        TEXT NOT NULL
);

-- Each service's newest check as of the highest check_id in here; what is newer is found by scanning from there.
CREATE TABLE latest (
    service  INTEGER PRIMARY KEY REFERENCES services (id),
    check_id INTEGER NOT NULL
);

-- What a service's check keeps between its runs.
CREATE TABLE kept (
    service INTEGER NOT NULL REFERENCES services (id),
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (service, key)
) WITHOUT ROWID;

-- AUTOINCREMENT: a number is never used again, not even after pruning.
CREATE TABLE incidents (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    service       INTEGER NOT NULL REFERENCES services (id),
    opened_ms     INTEGER NOT NULL,
    closed_ms     INTEGER,
    severity      TEXT NOT NULL,
    status        TEXT NOT NULL,
    reason        TEXT NOT NULL,
    checks_failed INTEGER NOT NULL
);
CREATE INDEX incidents_open ON incidents (id) WHERE closed_ms IS NULL;

CREATE TABLE alerts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL,
    service  INTEGER NOT NULL REFERENCES services (id),
    kind     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    json     TEXT NOT NULL
);
CREATE INDEX alerts_incident ON alerts (incident);

-- The outbox: one alert to one sink. state: pending, sent, dead. message is the formatted alert as JSON.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    alert           INTEGER NOT NULL REFERENCES alerts (id),
    sink            TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead')),
    message         TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_ms INTEGER,
    finished_ms     INTEGER,
    last_error      TEXT,
    UNIQUE (alert, sink)
);
CREATE INDEX deliveries_pending ON deliveries (sink, id) WHERE state = 'pending';

CREATE TABLE disabled_sinks (
    sink        TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    reason      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL
);

-- Public, stable across versions. Times are milliseconds since 1970 UTC.
CREATE VIEW check_log (at_ms, service, zone, "check", status, response_ms, attempts, summary, in_maintenance) AS
SELECT c.at_ms, s.name, s.zone, s."check",
       CASE c.status WHEN 0 THEN 'up' WHEN 1 THEN 'down' WHEN 2 THEN 'degraded' ELSE 'unknown' END,
       c.response_us / 1000.0, c.attempts, c.summary, c.in_maintenance
FROM checks c JOIN services s ON s.id = c.service;

CREATE VIEW incident_log (id, service, zone, opened_ms, closed_ms, severity, reason, checks_failed) AS
SELECT i.id, s.name, s.zone, i.opened_ms, i.closed_ms, i.severity, i.reason, i.checks_failed
FROM incidents i JOIN services s ON s.id = i.service;
