//! What quiet hours hold back.
//!
//! - Alerts below critical wait for the end of the quiet hours and then go out together.
//! - An incident with something critical to tell is told as a whole, at once.
//! - One that has come and gone within the same quiet hours is not told at all, unless something of it was told before.

use std::collections::BTreeMap;

use crate::maintenance::When;
use crate::{AlertKind, IncidentId, Severity, Timestamp};

/// An alert that waits for a sink, as far as quiet hours look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The incident it belongs to; [`IncidentId::NONE`] for news.
    pub incident: IncidentId,
    /// What kind of news it is.
    pub kind: AlertKind,
    /// How loud it is.
    pub severity: Severity,
    /// When it was decided.
    pub at: Timestamp,
    /// Whether the sink was told of its incident before.
    pub told: Told,
}

/// Whether something is known already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is.
    Before,
    /// It is not.
    Never,
}

/// What becomes of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may go out.
    Due,
    /// It waits for the end of the quiet hours.
    Held,
    /// It is not told: all of its incident lay within the same quiet hours.
    Spared,
}

/// Quiet hours as of some moment.
#[derive(Clone, Copy, Debug)]
pub struct Night<'q> {
    quiet: &'q When,
    now: Timestamp,
}

impl<'q> Night<'q> {
    /// The quiet hours as of now.
    #[must_use]
    pub fn new(quiet: &'q When, now: Timestamp) -> Self {
        Self { quiet, now }
    }

    /// When the quiet hours end that last now; none if none do, or not for months.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.quiet.contains(self.now).then(|| self.quiet.next_change(self.now)).flatten()
    }

    /// What becomes of each of a sink's alerts, which are given in order.
    #[must_use]
    pub fn fates(&self, alerts: &[Waiting]) -> Vec<Fate> {
        let mut incidents: BTreeMap<IncidentId, Vec<&Waiting>> = BTreeMap::new();
        for alert in alerts.iter().filter(|alert| alert.incident != IncidentId::NONE) {
            incidents.entry(alert.incident).or_default().push(alert);
        }
        let incidents: BTreeMap<IncidentId, Fate> =
            incidents.into_iter().map(|(incident, alerts)| (incident, self.fate(&alerts))).collect();
        let alone = |alert| self.fate(&[alert]);
        alerts
            .iter()
            .map(|alert| incidents.get(&alert.incident).copied().unwrap_or_else(|| alone(alert)))
            .collect()
    }

    /// What becomes of all that waits of one incident, or of one piece of news.
    fn fate(&self, alerts: &[&Waiting]) -> Fate {
        if alerts.iter().any(|alert| alert.severity == Severity::Critical) {
            Fate::Due
        } else if self.has_passed(alerts) {
            Fate::Spared
        } else if self.quiet.contains(self.now) {
            Fate::Held
        } else {
            Fate::Due
        }
    }

    /// Whether these are a whole incident that lay within one night.
    fn has_passed(&self, alerts: &[&Waiting]) -> bool {
        let (Some(first), Some(last)) = (alerts.first(), alerts.last()) else { return false };
        let is_whole = first.kind != AlertKind::Recovered && last.kind == AlertKind::Recovered;
        let untold = alerts.iter().all(|alert| alert.told == Told::Never);
        let one_night = self.quiet.contains(first.at)
            && self.quiet.contains(last.at)
            && self.quiet.next_change(first.at).is_none_or(|end| last.at < end);
        is_whole && untold && one_night
    }
}

#[cfg(test)]
mod tests;
