//! How the alert's service has been lately, for a formatter.

use crate::Status;

/// One run of the service's check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// When it began, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The verdict.
    pub status: Status,
    /// How long the service took to answer, in milliseconds; none if it did not, or has no such notion.
    pub response_ms: Option<f64>,
    /// Whether maintenance covered the service.
    pub in_maintenance: bool,
}

/// All that there is. Empty where nothing is known: for a digest, and in a native build.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The newest outcomes, newest first, 20 at the most.
    pub recent: Vec<Outcome>,
    /// Uptime of the last 24 hours, in percent; none if it is not known.
    pub uptime_day: Option<f64>,
    /// Uptime of the last seven days, likewise.
    pub uptime_week: Option<f64>,
}

/// The history of the alert's service, up to the alert.
#[must_use]
pub fn get() -> History {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::history::get();
    #[cfg(not(target_arch = "wasm32"))]
    History::default()
}
