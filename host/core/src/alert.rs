//! A decision to tell someone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{IncidentId, Mention, ServiceId, Severity, SinkId, Status, Timestamp, ZoneId};

/// What kind of news it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// An incident began.
    Opened,
    /// It got worse, or lasted long enough for the next level.
    Escalated,
    /// It still lasts.
    Reminder,
    /// It is over.
    Recovered,
    /// Something happened that is no outage. It belongs to no incident.
    Notice,
}

impl AlertKind {
    /// All of them: in the order of an incident, and what belongs to none.
    pub const ALL: [AlertKind; 5] = [
        AlertKind::Opened,
        AlertKind::Escalated,
        AlertKind::Reminder,
        AlertKind::Recovered,
        AlertKind::Notice,
    ];

    /// The lower-case name of the public contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::Opened => "opened",
            AlertKind::Escalated => "escalated",
            AlertKind::Reminder => "reminder",
            AlertKind::Recovered => "recovered",
            AlertKind::Notice => "notice",
        }
    }

    /// The reverse of [`AlertKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<AlertKind> {
        AlertKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why the alert was decided: a reason and not a bool, so that a message can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// So many consecutive failures.
    Failures,
    /// It has lasted so long.
    Elapsed,
    /// The status became worse within the incident.
    Worse,
    /// The repeat interval has passed.
    Repeat,
    /// PiHook has not been able to tell for so long.
    CannotTell,
    /// Maintenance ended and it is still so, or this was held back until then.
    AfterMaintenance,
    /// Enough good outcomes in a row.
    Recovered,
    /// It goes up and down all the time.
    Flapping,
    /// It has stopped to do so.
    Settled,
    /// A check had news.
    Event,
    /// A person asked for a test alert.
    Test,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 11] = [
        Reason::Failures,
        Reason::Elapsed,
        Reason::Worse,
        Reason::Repeat,
        Reason::CannotTell,
        Reason::AfterMaintenance,
        Reason::Recovered,
        Reason::Flapping,
        Reason::Settled,
        Reason::Event,
        Reason::Test,
    ];

    /// A stable name for the database and for formatter plugins.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Failures => "failures",
            Reason::Elapsed => "elapsed",
            Reason::Worse => "worse",
            Reason::Repeat => "repeat",
            Reason::CannotTell => "cannot-tell",
            Reason::AfterMaintenance => "after-maintenance",
            Reason::Recovered => "recovered",
            Reason::Flapping => "flapping",
            Reason::Settled => "settled",
            Reason::Event => "event",
            Reason::Test => "test",
        }
    }

    /// The reverse of [`Reason::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A decision to tell someone, with all that a message may want to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// What kind of news it is.
    pub kind: AlertKind,
    /// Why it was decided.
    pub reason: Reason,
    /// The incident it belongs to; [`IncidentId::NONE`] for a notice.
    pub incident: IncidentId,
    /// Whom it is about.
    pub service: ServiceId,
    /// The service's name at that time.
    pub name: Arc<str>,
    /// The service's zone.
    pub zone: ZoneId,
    /// The confirmed status that it reports; `Up` for a recovery.
    pub status: Status,
    /// How loud it is. A recovery is as loud as the incident was, and a notice is for information.
    pub severity: Severity,
    /// Index of the ladder's level, from 0.
    pub level: u32,
    /// Who is pinged.
    pub mention: Option<Mention>,
    /// The formatter that words it, where the ladder's level or the service names one; else the sink's own.
    pub formatter: Option<Arc<str>>,
    /// When it was decided.
    pub at: Timestamp,
    /// Wall time of the incident's first bad outcome; for a notice, of the outcome that brought it.
    pub since: Timestamp,
    /// How long the incident has lasted; for a recovery, the downtime; for a notice, zero. Measured by uptime.
    pub lasted: Duration,
    /// Failed checks of this incident so far; for a notice, none.
    pub failures: u32,
    /// The newest outcome's summary; for a notice, the news.
    pub summary: String,
    /// The newest outcome's response time; for a notice, none.
    pub response_time: Option<Duration>,
    /// Who is told, one delivery each.
    pub sinks: Vec<SinkId>,
}
