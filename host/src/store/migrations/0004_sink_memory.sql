-- What sinks have to know for longer than one attempt, such as the chat that a group has become.
CREATE TABLE sink_memory (
    id INTEGER PRIMARY KEY,
    sink TEXT NOT NULL,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (sink, topic, key)
) STRICT;
