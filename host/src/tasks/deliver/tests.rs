//! Scripted sinks on paused time for what is about time; the fake Discord for what is about the wire. The store is a
//! real one throughout.

mod over_http;
mod scripted;
mod stage;
mod storms;
