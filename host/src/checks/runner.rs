//! The runner that asks plugins.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use pihook_core::{Outcome, ServiceId, Status};
use tokio::sync::watch;

use super::ward::{PluginStandings, Ward};
use super::{CheckRunner, CheckSpec, Finished, KeptEntries, Redactor};
use crate::clock::Clock;
use crate::plugins::{Attempt, CheckRequest, Kept, Library, Outside, Plugin, PluginError, Reach};
use crate::probes::Probes;
use crate::words::{MINUTES, chain, local};

/// Runs checks by their plugins. Cloning shares it.
#[derive(Clone)]
pub struct PluginRunner(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    probes: Arc<Probes>,
    current: Mutex<Arc<Current>>,
    /// Of each configured service. A service that was removed and comes back has another entry, so that a run of its
    /// former life, whose outcome counts no more, does not write here either.
    kept: Mutex<BTreeMap<ServiceId, Arc<KeptEntries>>>,
    ward: Ward,
}

/// What a reload replaces as a whole. A run keeps the one that it began with.
struct Current {
    library: Arc<Library>,
    specs: BTreeMap<ServiceId, Arc<CheckSpec>>,
}

impl PluginRunner {
    /// A runner without services; `kept` is what their checks kept before the restart.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, probes: Arc<Probes>, kept: BTreeMap<ServiceId, KeptEntries>) -> Self {
        let current = Arc::new(Current { library: Arc::default(), specs: BTreeMap::new() });
        let kept = kept.into_iter().map(|(service, entries)| (service, Arc::new(entries))).collect();
        let (current, kept) = (Mutex::new(current), Mutex::new(kept));
        Self(Arc::new(Shared { clock, probes, current, kept, ward: Ward::default() }))
    }

    /// How the plugins behave that have run.
    #[must_use]
    pub fn standings(&self) -> watch::Receiver<PluginStandings> {
        self.0.ward.standings()
    }

    /// From now on these services, by these plugins.
    pub fn replace(&self, library: Arc<Library>, specs: BTreeMap<ServiceId, Arc<CheckSpec>>) {
        let mut kept = lock(&self.0.kept);
        kept.retain(|service, _| specs.contains_key(service));
        for service in specs.keys() {
            kept.entry(service.clone()).or_default();
        }
        drop(kept);
        self.0.ward.replace(&library, self.0.clock.now());
        *lock(&self.0.current) = Arc::new(Current { library, specs });
    }
}

impl CheckRunner for PluginRunner {
    fn run(&self, service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        let shared = self.0.clone();
        Box::pin(async move { shared.run(service).await })
    }
}

impl Shared {
    async fn run(&self, service: ServiceId) -> Finished {
        let at = self.clock.now().wall;
        let current = lock(&self.current).clone();
        let Some(spec) = current.specs.get(&service) else {
            let outcome = unknown("it is not configured any more".to_owned(), 1, at);
            return Finished { service, outcome, kept: None };
        };
        let before = lock(&self.kept).get(&service).cloned().unwrap_or_default();
        let (outcome, kept) = match plugin_of(&current.library, spec) {
            Ok(plugin) => self.guarded(plugin, spec, &before, at).await,
            Err(reason) => (unknown(reason, 1, at), None),
        };
        if let (Some(entries), Some(entry)) = (&kept, lock(&self.kept).get_mut(&service))
            && Arc::ptr_eq(entry, &before)
        {
            *entry = Arc::new(entries.clone());
        }
        Finished { service, outcome: redacted(outcome, spec), kept }
    }

    /// A run with its retries, of a plugin that may be left alone.
    async fn guarded(
        &self,
        plugin: &Plugin,
        spec: &CheckSpec,
        before: &KeptEntries,
        at: pihook_core::Timestamp,
    ) -> (Outcome, Option<KeptEntries>) {
        let permit = match self.ward.admit(plugin, self.clock.now()) {
            Ok(permit) => permit,
            Err(shut) => {
                let until = local(shut.until.wall, MINUTES);
                let reason = format!("plugin {} is quarantined until {until}: {}", plugin.id(), shut.reason);
                return (unknown(reason, 1, at), None);
            }
        };
        let mut attempts = 1;
        // Each attempt begins with the same, and what the one that counts keeps goes with its verdict and its notice:
        // an attempt that does not count must not mark as told what it alone would have told.
        loop {
            match self.attempt(plugin, spec, attempts, Kept::new(before.clone())).await {
                // Another attempt is for a blink: only being down can be one.
                Ok((attempt, _)) if attempt.status == Status::Down && attempts <= spec.retries => {
                    attempts += 1;
                }
                Ok((attempt, kept)) => {
                    self.ward.note(plugin, permit, Ok(()), self.clock.now());
                    return (outcome(attempt, attempts, at), kept.into_changed());
                }
                Err(error) => {
                    // All services of the plugin will show it, and this one's secrets are not theirs.
                    let fault = Redactor::new(&spec.secrets).redact(error.fault.to_string());
                    let result = if error.fault.is_misbehaviour() { Err(fault) } else { Ok(()) };
                    self.ward.note(plugin, permit, result, self.clock.now());
                    return (unknown(error.to_string(), attempts, at), None);
                }
            }
        }
    }

    async fn attempt(
        &self,
        plugin: &Plugin,
        spec: &CheckSpec,
        attempt: u32,
        kept: Kept,
    ) -> Result<(Attempt, Kept), PluginError> {
        let request = CheckRequest {
            service: spec.name.clone(),
            zone: spec.zone.clone(),
            settings: spec.settings.clone(),
            connect_timeout: spec.connect_timeout,
            read_timeout: spec.read_timeout,
            attempt,
        };
        let reach = Reach {
            clock: self.clock.clone(),
            outside: Some(Outside { probes: self.probes.clone(), grants: spec.grants.clone() }),
            kept,
        };
        plugin.check(request, reach).await
    }
}

fn plugin_of<'a>(library: &'a Library, spec: &CheckSpec) -> Result<&'a Plugin, String> {
    match library.get(&spec.plugin) {
        Some(Ok(plugin)) => Ok(plugin),
        Some(Err(error)) => Err(format!("plugin {}: {}", spec.plugin, chain(error.as_ref()))),
        None => Err(format!("there is no plugin {}", spec.plugin)),
    }
}

fn outcome(attempt: Attempt, attempts: u32, at: pihook_core::Timestamp) -> Outcome {
    Outcome {
        status: attempt.status,
        summary: attempt.summary,
        notice: attempt.notice,
        response_time: attempt.response_time,
        attempts,
        metrics: attempt.metrics,
        at,
    }
}

/// The outcome of a run that says nothing about the service.
fn unknown(reason: String, attempts: u32, at: pihook_core::Timestamp) -> Outcome {
    Outcome {
        status: Status::Unknown,
        summary: reason,
        notice: None,
        response_time: None,
        attempts,
        metrics: Vec::new(),
        at,
    }
}

fn redacted(mut outcome: Outcome, spec: &CheckSpec) -> Outcome {
    if !spec.secrets.is_empty() {
        let redactor = Redactor::new(&spec.secrets);
        outcome.summary = redactor.redact(outcome.summary);
        outcome.notice = outcome.notice.map(|text| redactor.redact(text));
        for metric in &mut outcome.metrics {
            metric.name = redactor.redact(std::mem::take(&mut metric.name));
            metric.unit = redactor.redact(std::mem::take(&mut metric.unit));
        }
    }
    outcome
}

/// A panic elsewhere must not stop checks: what is behind these locks is replaced as a whole, never half-written.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
