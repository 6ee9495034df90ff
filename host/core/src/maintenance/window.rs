//! A window: maintenance that services.yaml announces.

use super::{Ongoing, Scope, Source, When};
use crate::{Service, Timestamp};

/// Maintenance at times that are known beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What people call it.
    pub name: String,
    /// At which times.
    pub when: When,
    /// Names or ids of the services that it covers; with `zones` empty too, all of them.
    pub services: Vec<String>,
    /// Zones that it covers.
    pub zones: Vec<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Window {
    /// Whether the window mutes this service now.
    #[must_use]
    pub fn covers(&self, service: &Service, now: Timestamp) -> bool {
        self.scope().covers(service) && self.when.contains(now)
    }

    /// Whom it covers.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope { services: &self.services, zones: &self.zones }
    }

    /// What lasts of it now, if it is open.
    #[must_use]
    pub fn ongoing(&self, now: Timestamp) -> Option<Ongoing<'_>> {
        self.when.contains(now).then(|| Ongoing {
            source: Source::Window,
            name: &self.name,
            reason: self.reason.as_deref(),
            scope: self.scope(),
            until: self.when.next_change(now),
        })
    }
}
