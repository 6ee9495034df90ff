//! Signs of life that jobs send by themselves: the newest of each service in memory, and the way in. Whoever takes them
//! in, writes them and is asked for them shares this.

mod inlet;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pihook_core::{Moment, Secret, ServiceId, Timestamp};
use sha2::{Digest, Sha256};

pub use inlet::{Arrival, Inlet, Refused, inlet};

/// What a job says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sign {
    /// Whether it reports a success.
    pub ok: bool,
    /// What it says; empty if nothing. Untrusted text.
    pub message: String,
    /// How long the job took, if it says so.
    pub took: Option<Duration>,
}

/// What the database has of a service that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose.
    pub service: ServiceId,
    /// Since when it has been waited for.
    pub since: Timestamp,
    /// The newest sign of life, and when it came.
    pub last: Option<(Timestamp, Sign)>,
}

/// What is known of a service at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The newest sign of life: when it came, how long ago that was, and what it said.
    pub last: Option<(Timestamp, Duration, Sign)>,
    /// How long the service has been waited for.
    pub waited: Duration,
    /// How long signs of life have been heard without a break; none while they are not.
    pub listening: Option<Duration>,
}

/// The newest sign of life of each service.
#[derive(Debug, Default)]
pub struct Heartbeats(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    /// By the digest of the token, so that the time that a look-up takes says nothing about the text.
    owners: BTreeMap<[u8; 32], ServiceId>,
    jobs: BTreeMap<ServiceId, Job>,
    ears: Ears,
}

#[derive(Clone, Debug)]
struct Job {
    since: Past,
    last: Option<(Past, Sign)>,
}

/// Who hears the signs of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ears {
    /// Nobody.
    #[default]
    Closed,
    /// This process, since this uptime.
    Open(Duration),
    /// Another process, whose database this one has read.
    Elsewhere,
}

/// When something was.
#[derive(Clone, Copy, Debug)]
struct Past {
    at: Timestamp,
    age: Age,
}

/// How long ago something was, by the clock that does not jump.
#[derive(Clone, Copy, Debug)]
enum Age {
    /// It was at this uptime.
    ThisRun(Duration),
    /// It was this old at this uptime, as far as the wall clock could tell.
    Before(Duration, Duration),
}

impl Past {
    fn now(now: Moment) -> Self {
        Self { at: now.wall, age: Age::ThisRun(now.uptime) }
    }

    /// Something of before the start. What a wrong clock puts into the future was just now.
    fn before(at: Timestamp, now: Moment) -> Self {
        let age = Duration::try_from(now.wall.duration_since(at)).unwrap_or_default();
        Self { at, age: Age::Before(age, now.uptime) }
    }

    fn ago(&self, now: Moment) -> Duration {
        match self.age {
            Age::ThisRun(uptime) => now.since(uptime),
            Age::Before(age, uptime) => age.saturating_add(now.since(uptime)),
        }
    }

    /// Where the wall clock has jumped, the time that it would have shown. Of what was before the start nobody knows.
    fn correct(&mut self, now: Moment) {
        if let Age::ThisRun(uptime) = self.age {
            self.at = now.wall.checked_sub(now.since(uptime)).unwrap_or(self.at);
        }
    }
}

impl Heartbeats {
    /// From now on these services with these tokens. What is known of one that stays is kept; of the others that is
    /// known which the database has, and else that they are new.
    pub fn follow(&self, tokens: Vec<(ServiceId, Secret)>, records: Vec<Record>, now: Moment) {
        let mut records: BTreeMap<_, _> = records.into_iter().map(|it| (it.service.clone(), it)).collect();
        let mut inside = self.lock();
        let mut before = std::mem::take(&mut inside.jobs);
        inside.owners.clear();
        for (service, token) in tokens {
            let stored = || records.remove(&service).map(|record| Job::restore(record, now));
            let new = || Job { since: Past::now(now), last: None };
            let job = before.remove(&service).or_else(stored).unwrap_or_else(new);
            inside.jobs.insert(service.clone(), job);
            inside.owners.insert(digest(token.expose()), service);
        }
    }

    /// Whose token this is.
    #[must_use]
    pub fn owner(&self, token: &str) -> Option<ServiceId> {
        self.lock().owners.get(&digest(token)).cloned()
    }

    /// Signs of life are heard from now on.
    pub fn listen(&self, now: Moment) {
        self.lock().ears = Ears::Open(now.uptime);
    }

    /// None is heard any more.
    pub fn stop_listening(&self) {
        self.lock().ears = Ears::Closed;
    }

    /// Another process hears them, and this one has only read what it wrote.
    pub fn heard_elsewhere(&self) {
        self.lock().ears = Ears::Elsewhere;
    }

    /// A sign of life came. What is to be written of it; none if its service is not waited for any more.
    pub fn heard(&self, service: &ServiceId, sign: Sign, at: Moment) -> Option<Record> {
        let mut inside = self.lock();
        let job = inside.jobs.get_mut(service)?;
        job.last = Some((Past::now(at), sign));
        Some(job.record(service))
    }

    /// The wall clock has jumped: what was in this run of the process was at another time than it seemed. What is to be
    /// written of that.
    pub fn correct(&self, now: Moment) -> Vec<Record> {
        let mut inside = self.lock();
        let corrected = inside.jobs.iter_mut().map(|(service, job)| {
            job.since.correct(now);
            if let Some((came, _)) = &mut job.last {
                came.correct(now);
            }
            job.record(service)
        });
        corrected.collect()
    }

    /// What is known of the service; none if it is not waited for.
    #[must_use]
    pub fn known(&self, service: &ServiceId, now: Moment) -> Option<Known> {
        let inside = self.lock();
        let job = inside.jobs.get(service)?;
        let listening = match inside.ears {
            Ears::Closed => None,
            Ears::Open(since) => Some(now.since(since)),
            // As if it always had been: what it could not hear is for the other one to say.
            Ears::Elsewhere => Some(Duration::MAX),
        };
        let last = job.last.as_ref().map(|(came, sign)| (came.at, came.ago(now), sign.clone()));
        Some(Known { last, waited: job.since.ago(now), listening })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn restore(record: Record, now: Moment) -> Self {
        let last = record.last.map(|(at, sign)| (Past::before(at, now), sign));
        Self { since: Past::before(record.since, now), last }
    }

    fn record(&self, service: &ServiceId) -> Record {
        let last = self.last.as_ref().map(|(came, sign)| (came.at, sign.clone()));
        Record { service: service.clone(), since: self.since.at, last }
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests;
