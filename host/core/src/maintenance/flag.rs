//! The flag: maintenance from when somebody says so until somebody says so.

use super::{Ongoing, Scope, Source};
use crate::{Service, Timestamp};

/// What the flag file says. The empty flag mutes everything until it is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flag {
    /// When it ends by itself, by the wall clock.
    pub until: Option<Timestamp>,
    /// Names or ids of the services that it covers; with `zones` empty too, all of them.
    pub services: Vec<String>,
    /// Zones that it covers.
    pub zones: Vec<String>,
    /// Why, in the words of whoever set it.
    pub reason: Option<String>,
}

impl Flag {
    /// Whether the flag mutes this service now.
    #[must_use]
    pub fn covers(&self, service: &Service, now: Timestamp) -> bool {
        self.lasts(now) && self.scope().covers(service)
    }

    /// Whether its time is not over.
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whom it covers.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope { services: &self.services, zones: &self.zones }
    }

    pub(super) fn ongoing(&self) -> Ongoing<'_> {
        Ongoing {
            source: Source::Flag,
            name: "flag",
            reason: self.reason.as_deref(),
            scope: self.scope(),
            until: self.until,
        }
    }
}
