-- What memory could not hold while the database could not be written, one row each time: it is in no other table.
CREATE TABLE losses (
    id        INTEGER PRIMARY KEY,
    from_ms   INTEGER NOT NULL,
    to_ms     INTEGER NOT NULL,
    outcomes  INTEGER NOT NULL,
    incidents INTEGER NOT NULL,
    alerts    INTEGER NOT NULL
);

-- Maintenance: the flag and windows while they lasted. services and zones are JSON arrays, both empty for everything.
CREATE TABLE maintenance (
    id       INTEGER PRIMARY KEY,
    source   TEXT NOT NULL,
    name     TEXT NOT NULL,
    services TEXT NOT NULL,
    zones    TEXT NOT NULL,
    reason   TEXT,
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    until_ms INTEGER
);
CREATE INDEX maintenance_lasting ON maintenance (id) WHERE ended_ms IS NULL;

-- Public, stable across versions: one row a maintenance. services and zones are names with commas between.
CREATE VIEW maintenance_log (began_ms, ended_ms, until_ms, source, name, services, zones, reason) AS
SELECT began_ms, ended_ms, until_ms, source, name,
       iif(json_valid(services), (SELECT group_concat(value, ', ') FROM json_each(services)), NULL),
       iif(json_valid(zones), (SELECT group_concat(value, ', ') FROM json_each(zones)), NULL), reason
FROM maintenance;

-- Public, stable across versions: one row a time that something was lost.
CREATE VIEW loss_log (from_ms, to_ms, checks, incidents, alerts) AS
SELECT from_ms, to_ms, outcomes, incidents, alerts FROM losses;

-- What history has always known of an hour, at the end of the columns that the view had before.
DROP VIEW hour_log;
CREATE VIEW hour_log (at_ms, service, zone, "check", up, degraded, down, unknown, in_maintenance,
                      avg_response_ms, min_response_ms, max_response_ms, downtime_seconds,
                      unknown_seconds, maintenance_seconds) AS
SELECT r.hour * 3600000, s.name, s.zone, s."check", r.up, r.degraded, r.down, r.unknown, r.maintained,
       r.response_sum / 1000.0 / nullif(r.responses, 0),
       iif(r.responses > 0, r.response_min / 1000.0, NULL),
       iif(r.responses > 0, r.response_max / 1000.0, NULL), r.down_ms / 1000,
       r.unknown_ms / 1000, r.maintained_ms / 1000
FROM rollups r JOIN services s ON s.id = r.service;
