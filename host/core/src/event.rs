//! What goes into the monitor and what comes out of it.

use crate::maintenance::Flag;
use crate::monitor::Setup;
use crate::saved::{Incident, SavedService};
use crate::{Alert, IncidentId, Outcome, ServiceId, Status, Timestamp};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Time has passed. Spurious ones are harmless.
    Woken,
    /// A run that [`Effect::StartCheck`] asked for has ended, or an outcome was pushed in.
    CheckFinished {
        /// Whose.
        service: ServiceId,
        /// The verdict.
        outcome: Outcome,
    },
    /// The service's check is due now, since something is known that its next one would see. While it is running it is
    /// run once more afterwards.
    CheckDue {
        /// Whose.
        service: ServiceId,
    },
    /// The configuration was reloaded: these are the services and windows from now on. What is known of a service that
    /// stays is kept.
    Reconfigured(Setup),
    /// Somebody sees to this incident. Nothing happens if it is not open.
    Acknowledged(IncidentId),
    /// The maintenance flag appeared, changed or went away (`None`).
    MaintenanceChanged(Option<Flag>),
}

/// Something to do.
#[expect(
    clippy::large_enum_variant,
    reason = "most effects are commits and short-lived: a box would only cost"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Run this service's check and report with [`Event::CheckFinished`]. Never asked for while one is running.
    StartCheck(ServiceId),
    /// Make this durable, as one transaction.
    Commit(Commit),
}

/// How soon a commit must be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It may wait for others, up to `history.commit_every`.
    Ordinary,
    /// Handed to the kernel at once, so that it survives the end of the process, though not a power cut: a suspicion
    /// has grown or passed, or news are held back.
    Soon,
    /// Synced at once: an incident begins or ends, becomes worse, or somebody is told.
    AtOnce,
}

/// Facts that belong together: all of them are on disk, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Whose.
    pub service: ServiceId,
    /// How soon.
    pub urgency: Urgency,
    /// The outcome to log; none when something else (time, the flag) caused the commit.
    pub outcome: Option<Logged>,
    /// The change of health, if there was one.
    pub transition: Option<Transition>,
    /// The incident as it is now, to be inserted or replaced by its number; none if it is as it was, or only its counts
    /// have moved on since less than a minute.
    pub incident: Option<Incident>,
    /// The state to restore after a restart; none if it is as it was, or only its clocks and counts have moved on since
    /// less than a minute.
    pub state: Option<SavedService>,
    /// Whom to tell what, in this order: of the incident, and then news. One delivery for each of the alert's sinks.
    pub alerts: Vec<Alert>,
}

/// An outcome with what the log says about its circumstances.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether maintenance covered the service then.
    pub maintenance: Muting,
}

/// Whether alerts about a service are muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muting {
    /// Maintenance covers it.
    Muted,
    /// It speaks.
    Audible,
}

/// A change of health: the service leaves `Up`, comes back to it, or is worse than ever in this incident. It counts as
/// `Up` as long as no incident says otherwise. What an incident swings between otherwise is no transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The confirmed status before.
    pub from: Status,
    /// The confirmed status from now on.
    pub to: Status,
    /// When it was confirmed.
    pub at: Timestamp,
}
