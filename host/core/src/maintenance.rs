//! Maintenance mutes alerts. It never stops a check and never leaves a gap in history.
//!
//! It is the flag that somebody sets, and the windows of services.yaml: what either covers is muted.

mod age;
mod chronicle;
mod flag;
mod when;
mod window;

use std::fmt;

use crate::{Service, Timestamp};

pub use age::{FlagAge, NagState, Overdue};
pub use chronicle::{Chronicle, Entry, Period};
pub use flag::Flag;
pub use when::{Days, InvalidSpan, MINUTES_A_DAY, Recurrence, When, Which};
pub use window::Window;

/// What mutes: the flag, if there is one, and all windows, be they open or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// The flag, be its time over or not.
    pub flag: Option<Flag>,
    /// The windows, in the file's order.
    pub windows: Vec<Window>,
}

/// One maintenance that lasts at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ongoing<'m> {
    /// Where it comes from.
    pub source: Source,
    /// The window's name; `flag` for the flag.
    pub name: &'m str,
    /// Why.
    pub reason: Option<&'m str>,
    /// Whom it covers.
    pub scope: Scope<'m>,
    /// When it ends by itself, by the wall clock; none if it does not, or not for months.
    pub until: Option<Timestamp>,
}

/// Where maintenance comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The flag file.
    Flag,
    /// A window of services.yaml.
    Window,
}

impl Source {
    /// The lower-case name, as history has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Flag => "flag",
            Source::Window => "window",
        }
    }

    /// The reverse of [`Source::as_str`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Source::Flag, Source::Window].into_iter().find(|source| source.as_str() == word)
    }
}

/// Whom maintenance covers. Its `Display` says so to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'m> {
    /// Names or ids of services.
    pub services: &'m [String],
    /// Zones.
    pub zones: &'m [String],
}

impl Scope<'_> {
    /// Whether it covers the service: everything is covered if nobody is named.
    #[must_use]
    pub fn covers(&self, service: &Service) -> bool {
        let everything = self.services.is_empty() && self.zones.is_empty();
        everything
            || self.zones.iter().any(|zone| zone == service.zone.as_str())
            || self.services.iter().any(|name| **name == *service.name || name == service.id.as_str())
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.services.is_empty() && self.zones.is_empty() {
            return f.write_str("everything");
        }
        let services = self.services.iter().map(|name| ("", name));
        let zones = self.zones.iter().map(|zone| ("the zone ", zone));
        for (index, (what, name)) in services.chain(zones).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{what}{name}")?;
        }
        Ok(())
    }
}

impl Maintenance {
    /// All that lasts now: the flag first, then the windows in the file's order.
    pub fn ongoing(&self, now: Timestamp) -> impl Iterator<Item = Ongoing<'_>> {
        let flag = self.flag.iter().filter(move |flag| flag.lasts(now)).map(Flag::ongoing);
        flag.chain(self.windows.iter().filter_map(move |window| window.ongoing(now)))
    }

    /// Whether it mutes this service now.
    #[must_use]
    pub fn covers(&self, service: &Service, now: Timestamp) -> bool {
        let flag = self.flag.as_ref().is_some_and(|flag| flag.covers(service, now));
        flag || self.windows.iter().any(|window| window.covers(service, now))
    }

    /// The first moment after now at which something of it may begin or end by itself.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let flag = self.flag.as_ref().and_then(|flag| flag.until).filter(|until| *until > now);
        let windows = self.windows.iter().filter_map(|window| window.when.next_change(now));
        flag.into_iter().chain(windows).min()
    }
}
