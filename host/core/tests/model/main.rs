//! The monitor from outside: the escalation table row by row, and properties over random lives of services, compared
//! with a naive reference model.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod acknowledgement;
mod agreement;
mod cadence;
mod held;
mod ledger;
mod maintenance;
mod notices;
mod reference;
mod restart;
mod silence;
mod simulation;
mod table;
mod world;
