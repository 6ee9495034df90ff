-- What a service's check keeps between its runs.
CREATE TABLE kept (
    service INTEGER NOT NULL REFERENCES services (id),
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    PRIMARY KEY (service, key)
) WITHOUT ROWID;
