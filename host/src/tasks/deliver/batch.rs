//! What goes out as one message: one delivery, or several of one sink.

use std::cmp::Reverse;
use std::fmt::Write;

use pihook_core::plain::plain_digest;
use pihook_core::{Alert, AlertKind, Message, SinkId, Timestamp};

use crate::store::Delivery;

/// Deliveries of one sink, oldest first, and at least one. Their alerts are kept apart, since formatters want them so.
pub(super) struct Batch {
    first: Part,
    others: Vec<Part>,
    alerts: Vec<Alert>,
    /// How it was worded before, if it was.
    pub(super) saved: Option<Message>,
}

struct Part {
    id: i64,
    attempts: u32,
    meant_for: Option<SinkId>,
}

impl Batch {
    /// None of nothing.
    pub(super) fn of(deliveries: Vec<Delivery>) -> Option<Self> {
        let mut saved = None;
        let mut alerts = Vec::with_capacity(deliveries.len());
        let mut parts = Vec::with_capacity(deliveries.len());
        for Delivery { id, alert, message, attempts, meant_for, .. } in deliveries {
            saved = saved.or(message);
            alerts.push(alert);
            parts.push(Part { id, attempts, meant_for });
        }
        let mut parts = parts.into_iter();
        Some(Self { first: parts.next()?, others: parts.collect(), alerts, saved })
    }

    /// Its number: that of its first delivery.
    pub(super) fn id(&self) -> i64 {
        self.first.id
    }

    /// The numbers of its deliveries.
    pub(super) fn ids(&self) -> Vec<i64> {
        self.parts().map(|part| part.id).collect()
    }

    /// Attempts made so far.
    pub(super) fn attempts(&self) -> u32 {
        self.parts().map(|part| part.attempts).max().unwrap_or_default()
    }

    /// What was decided.
    pub(super) fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The alert that matters most, and the others in order.
    pub(super) fn lead(&self) -> Option<(&Alert, Vec<&Alert>)> {
        let weight = |alert: &Alert| match alert.kind {
            AlertKind::Opened | AlertKind::Escalated | AlertKind::Reminder => (2, alert.severity),
            AlertKind::Recovered => (1, alert.severity),
            AlertKind::Notice => (0, alert.severity),
        };
        let (place, lead) = self.alerts.iter().enumerate().min_by_key(|(_, alert)| Reverse(weight(alert)))?;
        let others = self.alerts.iter().enumerate().filter(|(index, _)| *index != place);
        Some((lead, others.map(|(_, alert)| alert).collect()))
    }

    /// When the oldest was decided.
    pub(super) fn decided(&self) -> Option<Timestamp> {
        self.alerts.first().map(|alert| alert.at)
    }

    /// The built-in wording.
    pub(super) fn plain(&self) -> Message {
        self.noted(plain_digest(&self.alerts))
    }

    /// The message with a note of whom it was meant for, if this sink stands in for another.
    pub(super) fn noted(&self, mut message: Message) -> Message {
        let mut meant_for: Vec<&str> =
            self.parts().filter_map(|part| Some(part.meant_for.as_ref()?.as_str())).collect();
        let all = meant_for.len() == self.alerts.len();
        meant_for.sort_unstable();
        meant_for.dedup();
        if !meant_for.is_empty() {
            let what = if all { "This" } else { "Some of this" };
            let gap = if message.body.is_empty() { "" } else { "\n" };
            let sinks = if meant_for.len() == 1 { "sink" } else { "sinks" };
            // Writing to a string cannot fail.
            let _ = write!(message.body, "{gap}{what} was meant for the {sinks} {}.", meant_for.join(", "));
        }
        message
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
