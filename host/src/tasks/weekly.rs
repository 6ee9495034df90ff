//! Keeps history small: packs hours that are over, writes the weekly CSV, tells how the week was, and prunes.
//!
//! What is due follows from what is in the database, so that a restart or a month without power needs nothing special.
//! Files and pruning wait until the clock has gone steadily for some minutes and is not behind the newest check: a Pi
//! boots with the wrong time.

mod digest;
mod sheet;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use pihook_core::maintenance::Maintenance;
use pihook_core::week::{due, newest_over};
use pihook_core::{
    Alert, AlertKind, IncidentId, Moment, Reason, Service, Severity, SinkId, Status, Timestamp, Week,
};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::store::{Cutoff, Store, StoreError, StoreReader};
use crate::words::chain;

pub use digest::text as digest_text;
pub use sheet::{Line, SheetError, export, line, text as sheet_text};

/// How often to look.
const LOOK: Duration = Duration::from_secs(60);
/// How long the clock has to have gone steadily.
const STEADY: Duration = Duration::from_secs(600);
/// By how much it may drift from uptime between two looks.
const DRIFT_MS: i128 = 30_000;
/// How far it may be behind the newest check.
const BEHIND_MS: i64 = 60_000;
/// Checks that one transaction packs at most: every commit waits for it, for some milliseconds. An hour of 100 services
/// every minute fits, so that each page of it is written once.
pub const PACKED: usize = 8192;

/// What the configuration says about history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long every single check is kept.
    pub keep_checks: Duration,
    /// How long hourly summaries are kept.
    pub keep_rollups: Duration,
    /// The folder of the weekly files.
    pub export_dir: PathBuf,
    /// Who is told how the week was.
    pub sinks: Vec<SinkId>,
}

/// Keeps history small.
pub struct Weekly {
    /// The database.
    pub store: Store,
    /// Its file, to read from.
    pub database: PathBuf,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where weeks begin.
    pub zone: TimeZone,
    /// What the configuration says.
    pub policy: watch::Receiver<Policy>,
    /// What may mute the digest; it is told when that ends.
    pub maintenance: watch::Receiver<Maintenance>,
    /// History as a service: who speaks, and what maintenance has to cover.
    pub speaker: Service,
}

/// Why something was not done. It is tried again at the next look.
#[derive(Debug, thiserror::Error)]
pub enum WeeklyError {
    /// The database failed.
    #[error("cannot keep the history small")]
    Store(#[from] StoreError),
    /// A week's file was not written.
    #[error("cannot write a week's file")]
    Sheet(#[from] SheetError),
    /// The thread that reads has died.
    #[error("cannot read the history")]
    Reading(#[from] tokio::task::JoinError),
}

/// What is known between two looks. It can be lost.
#[derive(Debug, Default)]
struct Known {
    packed: Option<i64>,
    done: Option<Week>,
    steady: Steady,
    complained: bool,
}

/// Whether the wall clock goes as uptime does.
#[derive(Debug, Default)]
struct Steady {
    last: Option<Moment>,
    since: Duration,
}

impl Steady {
    /// Whether it has done so for long enough.
    fn observe(&mut self, now: Moment) -> bool {
        let offset = |moment: Moment| {
            i128::from(moment.wall.as_millisecond())
                - i128::try_from(moment.uptime.as_millis()).unwrap_or(i128::MAX)
        };
        let went_on = self.last.is_some_and(|last| (offset(now) - offset(last)).abs() <= DRIFT_MS);
        self.last = Some(now);
        if !went_on {
            self.since = now.uptime;
        }
        now.since(self.since) >= STEADY
    }
}

impl Weekly {
    /// Works until shutdown.
    pub async fn run(self, mut shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.requested() => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = Known::default();
        loop {
            look.tick().await;
            match self.look(&mut known).await {
                Ok(()) => known.complained = false,
                Err(error) if !known.complained => {
                    known.complained = true;
                    warn!("{}", chain(&error));
                }
                Err(_again) => {}
            }
        }
    }

    async fn look(&self, known: &mut Known) -> Result<(), WeeklyError> {
        let now = self.clock.now();
        let steady = known.steady.observe(now);
        let hour = now.wall.as_second().div_euclid(3600);
        if known.packed != Some(hour) {
            self.pack(now.wall).await?;
            while self.store.add_up_day(now.wall).await? {}
            known.packed = Some(hour);
        }
        let newest = newest_over(now.wall, &self.zone);
        if steady && known.done != Some(newest) && self.week(newest, now.wall).await? {
            known.done = Some(newest);
        }
        Ok(())
    }

    /// Packs the hours that are over, a batch at a time: the writer has its other work in between.
    async fn pack(&self, now: Timestamp) -> Result<(), WeeklyError> {
        loop {
            let database = self.database.clone();
            let reading = move || StoreReader::open(&database)?.packable(now, PACKED);
            let batch = tokio::task::spawn_blocking(reading).await??;
            // Nothing at all is packed when the database was replaced in between: the next hour will do.
            if batch.is_empty() || self.store.pack(batch).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Does what is due now; true if nothing is left until the next week is over.
    async fn week(&self, newest: Week, now: Timestamp) -> Result<bool, WeeklyError> {
        let policy = self.policy.borrow().clone();
        let (database, zone, folder) = (self.database.clone(), self.zone.clone(), policy.export_dir.clone());
        let reading = move || -> Result<_, WeeklyError> {
            let reader = StoreReader::open(&database)?;
            let notes = reader.weeks()?;
            let behind = |newest: Timestamp| now.as_millisecond() < newest.as_millisecond() - BEHIND_MS;
            if reader.newest_check()?.is_some_and(behind) {
                return Ok(None);
            }
            let known: BTreeSet<Week> = notes.iter().map(|note| note.week).collect();
            let mut written = Vec::new();
            for week in due(now, &zone, reader.hours()?, &known) {
                // One that is there already, after the database was lost, stays as it is.
                if !sheet::path(&folder, week).exists() {
                    export(&reader, &folder, week, &zone)?;
                }
                written.push(week);
            }
            let lines = sheet::lines(&reader, newest, &zone)?;
            Ok(Some((notes, written, lines)))
        };
        let Some((notes, written, lines)) = tokio::task::spawn_blocking(reading).await?? else {
            return Ok(false);
        };
        for week in written {
            self.store.week_written(week).await?;
            info!(%week, "the week's file was written");
        }
        let note = notes.iter().find(|note| note.week == newest);
        let told = note.is_some_and(|note| note.told) || lines.is_empty() || policy.sinks.is_empty();
        if !told && self.is_muted(now) {
            return Ok(false);
        }
        if !told {
            self.store.tell_week(newest, self.alert(newest, &lines, &policy, now)).await?;
        }
        if !note.is_some_and(|note| note.pruned) {
            self.prune(&policy, now).await?;
            self.store.week_pruned(newest, now).await?;
        }
        Ok(true)
    }

    fn is_muted(&self, now: Timestamp) -> bool {
        self.maintenance.borrow().covers(&self.speaker, now)
    }

    /// In small steps, so that commits come in between.
    async fn prune(&self, policy: &Policy, now: Timestamp) -> Result<(), StoreError> {
        let ago = |kept: Duration| now.checked_sub(jiff::SignedDuration::try_from(kept).unwrap_or_default());
        let (Ok(checks), Ok(rollups)) = (ago(policy.keep_checks), ago(policy.keep_rollups)) else {
            return Ok(());
        };
        while self.store.prune_step(Cutoff { checks, rollups }).await? {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn alert(&self, week: Week, lines: &[Line], policy: &Policy, now: Timestamp) -> Alert {
        Alert {
            kind: AlertKind::Notice,
            reason: Reason::Event,
            incident: IncidentId::NONE,
            service: self.speaker.id.clone(),
            name: self.speaker.name.clone(),
            zone: self.speaker.zone.clone(),
            status: Status::Up,
            severity: Severity::Info,
            level: 0,
            mention: None,
            at: now,
            since: now,
            lasted: Duration::ZERO,
            failures: 0,
            summary: digest_text(week, lines),
            response_time: None,
            formatter: None,
            sinks: policy.sinks.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
