//! Leaves plugins alone that break again and again, and says which.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pihook_core::quarantine::{Permit, Quarantine, Shut};
use pihook_core::{Moment, Timestamp};
use tokio::sync::watch;

use crate::plugins::{Digest, Library, Limits, Plugin};

/// How a plugin behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginStanding {
    /// It has worked.
    Works,
    /// It is not run.
    Quarantined {
        /// When it is tried again.
        until: Timestamp,
        /// What it did last; without secrets.
        reason: String,
    },
}

/// How the plugins behave that have run, by id.
pub type PluginStandings = BTreeMap<String, PluginStanding>;

/// Watches over the plugins that are run.
#[derive(Default)]
pub(super) struct Ward {
    plugins: Mutex<BTreeMap<String, Known>>,
    standings: watch::Sender<PluginStandings>,
}

struct Known {
    make: Make,
    quarantine: Quarantine,
}

/// What makes a plugin another one, whose faults are its own.
type Make = (Digest, Limits);

impl Ward {
    /// How the plugins behave.
    pub(super) fn standings(&self) -> watch::Receiver<PluginStandings> {
        self.standings.subscribe()
    }

    /// From now on these plugins: what is known of others goes, and whoever is left alone is tried at the next run.
    pub(super) fn replace(&self, library: &Library, now: Moment) {
        let mut plugins = self.plugins();
        plugins.retain(|id, known| match library.get(id) {
            Some(Ok(plugin)) => {
                known.quarantine.try_soon(now);
                known.make == make(plugin)
            }
            _ => false,
        });
        // What is not known any more is neither said to work before it has.
        self.standings.send_if_modified(|standings| {
            let before = standings.len();
            standings.retain(|id, _| plugins.contains_key(id));
            standings.len() != before
        });
    }

    /// Whether a run of the plugin may start.
    ///
    /// # Errors
    /// It is left alone.
    pub(super) fn admit(&self, plugin: &Plugin, now: Moment) -> Result<Permit, Shut> {
        let mut plugins = self.plugins();
        let known = plugins
            .entry(plugin.id().to_owned())
            .or_insert_with(|| Known { make: make(plugin), quarantine: Quarantine::new(plugin.id()) });
        // A run that began before a reload has nothing to do with the plugin that is known now.
        if known.make == make(plugin) { known.quarantine.admit(now) } else { Ok(Permit::Usual) }
    }

    /// A run of the plugin has ended: well, or why not.
    pub(super) fn note(&self, plugin: &Plugin, permit: Permit, result: Result<(), String>, now: Moment) {
        let mut plugins = self.plugins();
        let Some(known) = plugins.get_mut(plugin.id()).filter(|known| known.make == make(plugin)) else {
            return;
        };
        let standing = match result {
            Ok(()) => {
                known.quarantine.worked(permit);
                known.quarantine.shut().is_none().then_some(PluginStanding::Works)
            }
            Err(reason) => {
                known.quarantine.broke(permit, &reason, now);
                known.quarantine.shut().map(|shut| PluginStanding::Quarantined {
                    until: shut.until.wall,
                    reason: shut.reason.clone(),
                })
            }
        };
        let Some(standing) = standing else { return };
        self.standings.send_if_modified(|standings| {
            if standings.get(plugin.id()) == Some(&standing) {
                return false;
            }
            standings.insert(plugin.id().to_owned(), standing);
            true
        });
    }

    /// Nothing in here is ever half-written, so a panic elsewhere must not stop checks.
    fn plugins(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(plugin: &Plugin) -> Make {
    (*plugin.file_digest(), *plugin.limits())
}
