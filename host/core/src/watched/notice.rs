//! News that are an event and no outage: told at once and once, or held while muted.

use std::time::Duration;

use super::Watched;
use crate::event::Muting;
use crate::saved::HeldNotice;
use crate::{Alert, AlertKind, IncidentId, Moment, Outcome, Reason, Severity};

impl Watched {
    /// What there is to tell of news: what was held back if it may be told now, and what the outcome brings. While muted
    /// nothing, and the newest is held.
    pub(super) fn tell_news(&mut self, outcome: Option<&Outcome>, now: Moment) -> Vec<Alert> {
        let fresh = outcome.and_then(|outcome| {
            let text = outcome.notice.clone()?;
            Some(HeldNotice { text, at: outcome.at })
        });
        if self.muting == Muting::Muted {
            self.state.held_notice = fresh.or(self.state.held_notice.take());
            return Vec::new();
        }
        let held = self.state.held_notice.take().map(|news| (Reason::AfterMaintenance, news));
        let fresh = fresh.map(|news| (Reason::Event, news));
        held.into_iter().chain(fresh).map(|(reason, news)| self.word(reason, news, now)).collect()
    }

    /// Whether there is something to tell as soon as it is not muted.
    pub(super) fn holds_news(&self) -> bool {
        self.state.held_notice.is_some()
    }

    /// News are for whoever hears first of an outage. They ask for nothing, so they are quiet and ping nobody.
    fn word(&self, reason: Reason, news: HeldNotice, now: Moment) -> Alert {
        Alert {
            kind: AlertKind::Notice,
            reason,
            incident: IncidentId::NONE,
            service: self.service.id.clone(),
            name: self.service.name.clone(),
            zone: self.service.zone.clone(),
            status: self.state.confirmed(),
            severity: Severity::Info,
            level: 0,
            mention: None,
            formatter: self.service.ladder.first().formatter.clone(),
            at: now.wall,
            since: news.at,
            lasted: Duration::ZERO,
            failures: 0,
            summary: news.text,
            response_time: None,
            sinks: self.service.ladder.first().sinks.clone(),
        }
    }
}
