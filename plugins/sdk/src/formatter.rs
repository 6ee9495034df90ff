//! What a formatter is given and what it answers.

use crate::{Ext, Status};

/// What kind of news an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An incident began.
    #[default]
    Opened,
    /// It got worse or lasts long.
    Escalated,
    /// It still lasts.
    Reminder,
    /// It is over.
    Recovered,
    /// Something happened that is no outage. It belongs to no incident.
    Notice,
}

/// How loud an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at some time.
    #[default]
    Warning,
    /// To be looked at now.
    Critical,
}

/// An alert to be worded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alert {
    /// What kind of news it is.
    pub kind: Kind,
    /// Why it was decided: `failures`, `elapsed`, `worse`, `repeat`, `cannot-tell`, `after-maintenance`, `recovered`,
    /// `event`, `flapping`, `settled`, `test`, or a later one.
    pub reason: String,
    /// The incident's number; 0 if it belongs to none.
    pub incident: u64,
    /// The service's name. Untrusted text.
    pub service: String,
    /// The service's zone.
    pub zone: String,
    /// The confirmed status that it reports.
    pub status: Status,
    /// How loud it is.
    pub severity: Severity,
    /// The ladder's level, from 0.
    pub level: u32,
    /// When it was decided, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// When the first failed check began, likewise; for a notice, the check that brought it.
    pub since_ms: i64,
    /// How long the incident has lasted in milliseconds; for a recovery, the downtime; for a notice, 0.
    pub lasted_ms: u64,
    /// Failed checks of this incident so far; for a notice, 0.
    pub failures: u32,
    /// The newest outcome's summary; for a notice, the news. Untrusted text.
    pub summary: String,
    /// The newest outcome's response time in milliseconds; for a notice, none.
    pub response_ms: Option<f64>,
    /// `about` is `zone` if it is the zone itself that is cut off or back, and not a service. What a later host may add.
    pub ext: Ext,
}

impl Alert {
    /// Whether it is about a zone that is cut off or back.
    #[must_use]
    pub fn is_about_zone(&self) -> bool {
        self.ext.iter().any(|(key, value)| key == "about" && value == "zone")
    }
}

/// Where the message goes, so that it can be cut to measure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The sink's type, such as `discord`.
    pub sink: String,
    /// The host's time zone offset from UTC at the alert's time, in seconds.
    pub utc_offset_seconds: i32,
    /// The abbreviation of that time zone, such as `CET`.
    pub zone_abbreviation: String,
    /// What a later host may add.
    pub ext: Ext,
}

/// A colour by its meaning; the sink picks the shade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colour {
    /// All is well again.
    Good,
    /// Worth a look.
    Warning,
    /// Broken.
    Bad,
    /// Neither.
    #[default]
    Neutral,
}

/// A name and a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its label.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it may stand beside its neighbours.
    pub inline: bool,
}

impl Field {
    /// A field on a row of its own.
    #[must_use]
    pub fn row(name: impl Into<String>, value: impl Into<String>) -> Field {
        Field { name: name.into(), value: value.into(), inline: false }
    }

    /// A field that may stand beside its neighbours.
    #[must_use]
    pub fn cell(name: impl Into<String>, value: impl Into<String>) -> Field {
        Field { inline: true, ..Field::row(name, value) }
    }
}

/// The wording, plain text throughout: the sink escapes it and cuts it to the provider's limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// One line, not empty.
    pub title: String,
    /// A few lines; may be empty.
    pub body: String,
    /// Details in order, at most 25.
    pub fields: Vec<Field>,
    /// The colour by its meaning.
    pub colour: Colour,
}

/// A formatter plugin.
pub trait Formatter {
    /// Words the alert.
    ///
    /// # Errors
    /// A text for PiHook's log. The alert then goes out in PiHook's own plain wording, as it does after a trap or an
    /// empty title: no alert is ever lost to a formatter.
    fn format(alert: &Alert, target: &Target) -> Result<Message, String>;
}

/// A formatter that also makes one message of many alerts; exported by [`export_digest_formatter!`](crate::export_digest_formatter).
pub trait DigestFormatter: Formatter {
    /// Words at least two alerts, oldest first, in one message. They may be of different services.
    ///
    /// # Errors
    /// As for [`Formatter::format`].
    fn digest(alerts: &[Alert], target: &Target) -> Result<Message, String>;
}
