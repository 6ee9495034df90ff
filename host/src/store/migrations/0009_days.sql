-- Hourly sums added up by the day (UTC), so that a year of a service is 365 rows and not 8,760. A day is added up when it is
-- over; what comes late for a day up to the newest in here is added to both tables.
CREATE TABLE days (
    day           INTEGER NOT NULL,
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
    PRIMARY KEY (day, service)
) WITHOUT ROWID;

-- A service's newest incidents, for its page.
CREATE INDEX incidents_service ON incidents (service, id);
