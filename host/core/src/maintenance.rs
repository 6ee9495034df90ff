//! Maintenance mutes alerts. It never stops a check and never leaves a gap in history.

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
        if self.until.is_some_and(|until| now >= until) {
            return false;
        }
        let everything = self.services.is_empty() && self.zones.is_empty();
        everything
            || self.zones.iter().any(|zone| zone == service.zone.as_str())
            || self.services.iter().any(|name| **name == *service.name || name == service.id.as_str())
    }
}
