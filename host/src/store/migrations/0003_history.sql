-- How often the service is checked: the time that one check stands for in summaries.
ALTER TABLE services ADD COLUMN every_ms INTEGER NOT NULL DEFAULT 60000;

-- Checks of hours that are over, packed: a row holds those of a service and an hour with the same status and attempts.
-- checks is a JSON array, for each check [deviation in ms from first_ms + place * every_ms, response_us], and its
-- summary as a third member where it is not the row's. hour counts from 1970. Appended only.
CREATE TABLE archive (
    id             INTEGER PRIMARY KEY,
    hour           INTEGER NOT NULL,
    service        INTEGER NOT NULL REFERENCES services (id),
    status         INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    in_maintenance INTEGER NOT NULL,
    first_ms       INTEGER NOT NULL,
    every_ms       INTEGER NOT NULL,
    summary        TEXT NOT NULL,
    checks         TEXT NOT NULL
);
CREATE INDEX archive_hour ON archive (hour, service);

-- The same hours summed up. Those of an hour lie together, so that one hour touches few pages.
CREATE TABLE rollups (
    hour          INTEGER NOT NULL,
    service       INTEGER NOT NULL REFERENCES services (id),
    up            INTEGER NOT NULL,
    degraded      INTEGER NOT NULL,
    down          INTEGER NOT NULL,
    unknown       INTEGER NOT NULL,
    maintained    INTEGER NOT NULL,
    down_ms       INTEGER NOT NULL,
    unknown_ms    INTEGER NOT NULL,
    maintained_ms INTEGER NOT NULL,
    responses     INTEGER NOT NULL,
    response_sum  INTEGER NOT NULL,
    response_min  INTEGER NOT NULL,
    response_max  INTEGER NOT NULL,
    sketch        BLOB NOT NULL,
    PRIMARY KEY (hour, service)
) WITHOUT ROWID;

-- Weeks whose CSV file was written, whether the digest was told, and old checks pruned after it.
CREATE TABLE weeks (
    week      TEXT PRIMARY KEY,
    told_ms   INTEGER,
    pruned_ms INTEGER
) WITHOUT ROWID;

DROP VIEW check_log;
CREATE VIEW check_log (at_ms, service, zone, "check", status, response_ms, attempts, summary, in_maintenance) AS
SELECT c.at_ms, s.name, s.zone, s."check",
       CASE c.status WHEN 0 THEN 'up' WHEN 1 THEN 'down' WHEN 2 THEN 'degraded' ELSE 'unknown' END,
       c.response_us / 1000.0, c.attempts, c.summary, c.in_maintenance
FROM (
    SELECT service, at_ms, status, response_us, attempts, in_maintenance, summary FROM checks
    UNION ALL
    SELECT a.service, a.first_ms + p.key * a.every_ms + json_extract(p.value, '$[0]'), a.status,
           json_extract(p.value, '$[1]'), a.attempts, a.in_maintenance,
           coalesce(json_extract(p.value, '$[2]'), a.summary)
    FROM archive a JOIN json_each(a.checks) p
) c JOIN services s ON s.id = c.service;

-- Public, stable across versions: one row a service and hour. at_ms is the hour's beginning.
CREATE VIEW hour_log (at_ms, service, zone, "check", up, degraded, down, unknown, in_maintenance,
                      avg_response_ms, min_response_ms, max_response_ms, downtime_seconds) AS
SELECT r.hour * 3600000, s.name, s.zone, s."check", r.up, r.degraded, r.down, r.unknown, r.maintained,
       r.response_sum / 1000.0 / nullif(r.responses, 0),
       iif(r.responses > 0, r.response_min / 1000.0, NULL),
       iif(r.responses > 0, r.response_max / 1000.0, NULL), r.down_ms / 1000
FROM rollups r JOIN services s ON s.id = r.service;
