//! The decisions of PiHook: pure functions of events and time.
//!
//! Nothing here does IO, reads a clock or knows tokio. The host feeds [`monitor::Event`]s in and carries the
//! [`monitor::Effect`]s out.
#![forbid(unsafe_code)]

pub mod absence;
mod agenda;
pub mod alert;
pub mod backoff;
pub mod dispatch;
mod escalation;
mod event;
pub mod flap;
mod health;
pub mod id;
mod jitter;
pub mod ladder;
pub mod liveness;
pub mod maintenance;
pub mod message;
pub mod moment;
pub mod monitor;
pub mod outcome;
pub mod plain;
pub mod punctuality;
pub mod quarantine;
mod saved;
mod schedule;
pub mod secret;
pub mod service;
pub mod sessions;
pub mod silence;
pub mod sketch;
pub mod status;
pub mod summary;
pub mod throttle;
pub mod vigil;
mod watched;
pub mod week;

pub use alert::{Alert, AlertKind, Reason};
pub use backoff::Backoff;
pub use flap::Flap;
pub use id::{IncidentId, ServiceId, SinkId, ZoneId};
pub use ladder::{After, Ladder, Level, Mention, Severity};
pub use message::{Colour, Field, FieldLayout, Measure, Message};
pub use moment::{Moment, Timestamp};
pub use outcome::{Metric, Outcome};
pub use secret::Secret;
pub use service::{Cadence, Service};
pub use status::Status;
pub use summary::Summary;
pub use week::Week;
