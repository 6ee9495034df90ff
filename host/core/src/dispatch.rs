//! When a sink's alerts go out: at once, gathered into one message, or after quiet hours.
//!
//! The first alert after a calm time goes out at once. What follows within [`Policy::gather`] of a message is gathered
//! and goes out as one. Above [`Policy::per_minute`] messages in a minute the gathering takes longer, until it is calm
//! again. [`Rhythm`] decides that; [`Night`] decides what of it may go out at all.

mod night;
mod rhythm;

use std::num::NonZeroU32;
use std::time::Duration;

pub use night::{Fate, Night, Told, Waiting};
pub use rhythm::{Rhythm, Turn};

use crate::SinkId;
use crate::maintenance::When;

/// How a sink wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long after a message the next ones are gathered; zero gathers nothing while it is calm.
    pub gather: Duration,
    /// How many messages a minute are sent at most.
    pub per_minute: NonZeroU32,
    /// When nothing below critical is sent.
    pub quiet: Option<When>,
    /// Who is told instead.
    pub fallback: Option<Fallback>,
}

/// Who is told instead of a sink that takes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The other sink.
    pub sink: SinkId,
    /// For how long the sink may have taken nothing before.
    pub after: Duration,
}

impl Policy {
    /// Every alert is a message of its own, up to ten a second.
    pub const EACH: Policy =
        Policy { gather: Duration::ZERO, per_minute: SIX_HUNDRED, quiet: None, fallback: None };
}

const SIX_HUNDRED: NonZeroU32 = NonZeroU32::MIN.saturating_add(599);
