//! The runner that asks plugins.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use pihook_core::{Outcome, ServiceId, Status};

use super::{CheckRunner, CheckSpec, Finished, KeptEntries, Redactor};
use crate::clock::Clock;
use crate::plugins::{Attempt, CheckRequest, Kept, Library, Outside, Reach};
use crate::probes::Probes;
use crate::words::chain;

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
        Self(Arc::new(Shared { clock, probes, current: Mutex::new(current), kept: Mutex::new(kept) }))
    }

    /// From now on these services, by these plugins.
    pub fn replace(&self, library: Arc<Library>, specs: BTreeMap<ServiceId, Arc<CheckSpec>>) {
        let mut kept = lock(&self.0.kept);
        kept.retain(|service, _| specs.contains_key(service));
        for service in specs.keys() {
            kept.entry(service.clone()).or_default();
        }
        drop(kept);
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
        let mut attempts = 1;
        // Each attempt begins with the same, and what the one that counts keeps goes with its verdict and its notice:
        // an attempt that does not count must not mark as told what it alone would have told.
        let (outcome, kept) = loop {
            match self.attempt(&current.library, spec, attempts, Kept::new(KeptEntries::clone(&before))).await
            {
                // Another attempt is for a blink: only being down can be one.
                Ok((attempt, _)) if attempt.status == Status::Down && attempts <= spec.retries => {
                    attempts += 1
                }
                Ok((attempt, kept)) => break (outcome(attempt, attempts, at), kept.into_changed()),
                Err(reason) => break (unknown(reason, attempts, at), None),
            }
        };
        if let (Some(entries), Some(entry)) = (&kept, lock(&self.kept).get_mut(&service))
            && Arc::ptr_eq(entry, &before)
        {
            *entry = Arc::new(entries.clone());
        }
        Finished { service, outcome: redacted(outcome, spec), kept }
    }

    async fn attempt(
        &self,
        library: &Library,
        spec: &CheckSpec,
        attempt: u32,
        kept: Kept,
    ) -> Result<(Attempt, Kept), String> {
        let plugin = match library.get(&spec.plugin) {
            Some(Ok(plugin)) => plugin,
            Some(Err(error)) => return Err(format!("plugin {}: {}", spec.plugin, chain(error.as_ref()))),
            None => return Err(format!("there is no plugin {}", spec.plugin)),
        };
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
        plugin.check(request, reach).await.map_err(|error| error.to_string())
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
