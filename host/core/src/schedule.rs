//! When checks start: spread out at first, then at a fixed cadence.
//!
//! Slots lie exactly one interval apart, so the average interval is exact. Each start comes up to a tenth of the
//! interval and at most a second after its slot: jitter, so that services of one interval do not stay in step, and then
//! the next beat of a clock that all services share. Checks that start on one beat share a wake-up and warm
//! caches. A slot that passes while the check is still running, or while the process was stalled, is skipped and not made
//! up for. A check that is called for in between runs at once, or once more after the run under way, and moves no slot.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::agenda::Agenda;
use crate::{Cadence, Service, ServiceId, jitter};

/// First runs are spread over the interval, but no longer than this.
const FIRST_RUNS: Duration = Duration::from_secs(60);
/// The longest beat. Jitter is at most as long, so a start lies up to twice this after its slot.
const LONGEST_BEAT: Duration = Duration::from_millis(500);
/// Guards against an interval of zero, which would never let go of the processor.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// The slots of all services, by their index in the file.
#[derive(Debug)]
pub(crate) struct Schedule {
    slots: Vec<Slot>,
    starts: Agenda,
    /// Services that were removed while their check was running; its outcome is of no interest any more.
    orphans: BTreeSet<ServiceId>,
}

#[derive(Clone, Debug)]
struct Slot {
    /// None for a service whose outcomes are pushed in.
    interval: Option<Duration>,
    /// Uptime of the newest slot.
    due: Duration,
    /// Number of the newest slot.
    run: u64,
    seed: u64,
    phase: Phase,
    /// Uptime of the newest start.
    started: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Running,
    /// It was called for since it started, and so is to start once more when it ends.
    RunningOnceMore,
}

/// What a finished run is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finished {
    /// Its outcome counts.
    Counts,
    /// It was started for a service that has been removed since.
    Orphaned,
}

impl Schedule {
    /// Starts the first service at once and spreads the others.
    pub(crate) fn new(services: &[Service], now: Duration) -> Self {
        let mut schedule = Self { slots: Vec::new(), starts: Agenda::new(), orphans: BTreeSet::new() };
        schedule.reconfigure(services, &BTreeMap::new(), now);
        schedule
    }

    /// Replaces the services. One whose interval is unchanged keeps its phase; the others are spread like new ones.
    /// `before` has the indices so far.
    pub(crate) fn reconfigure(
        &mut self,
        services: &[Service],
        before: &BTreeMap<ServiceId, usize>,
        now: Duration,
    ) {
        let old = std::mem::take(&mut self.slots);
        let kept: BTreeSet<&ServiceId> = services.iter().map(|service| &service.id).collect();
        for (id, index) in before {
            let running = old.get(*index).is_some_and(|slot| slot.phase != Phase::Waiting);
            if running && !kept.contains(id) {
                self.orphans.insert(id.clone());
            }
        }
        let mut newcomers = Vec::new();
        for (index, service) in services.iter().enumerate() {
            let previous = before.get(&service.id).and_then(|index| old.get(*index));
            let orphaned = self.orphans.contains(&service.id);
            let slot = Slot::of(service, previous, orphaned);
            if slot.interval.is_some() && previous.is_none_or(|previous| previous.interval != slot.interval) {
                newcomers.push(index);
            }
            self.slots.push(slot);
        }
        self.spread(&newcomers, now);
        self.starts = Agenda::new();
        for index in 0..self.slots.len() {
            self.arm(index);
        }
    }

    /// The next start.
    pub(crate) fn first(&self) -> Option<Duration> {
        self.starts.first()
    }

    /// Takes out the next service whose start has come; its check is running from now on.
    pub(crate) fn start_due(&mut self, now: Duration) -> Option<usize> {
        let index = self.starts.pop_due(now)?;
        if let Some(slot) = self.slots.get_mut(index) {
            slot.phase = Phase::Running;
            slot.started = now;
        }
        Some(index)
    }

    /// A run has ended; `index` is where its service stands now, if it still does.
    pub(crate) fn finish(&mut self, id: &ServiceId, index: Option<usize>, now: Duration) -> Finished {
        let orphaned = self.orphans.remove(id);
        if let Some((index, slot)) = index.and_then(|index| Some((index, self.slots.get_mut(index)?))) {
            let phase = std::mem::replace(&mut slot.phase, Phase::Waiting);
            if phase != Phase::Waiting {
                slot.skip_to(now);
            }
            self.arm(index);
            if phase == Phase::RunningOnceMore {
                self.call(index, now);
            }
        }
        if orphaned { Finished::Orphaned } else { Finished::Counts }
    }

    /// Its check is due now, whatever its slot says. While it is running it is due once more afterwards, however often it
    /// is called for. A service whose outcomes are pushed in has no check.
    pub(crate) fn call(&mut self, index: usize, now: Duration) {
        let Some(slot) = self.slots.get_mut(index).filter(|slot| slot.interval.is_some()) else { return };
        match slot.phase {
            Phase::Waiting => self.starts.set(index, Some(now)),
            Phase::Running | Phase::RunningOnceMore => slot.phase = Phase::RunningOnceMore,
        }
    }

    /// When the check that is running began; none if none is.
    pub(crate) fn running_since(&self, index: usize) -> Option<Duration> {
        let slot = self.slots.get(index)?;
        (slot.phase != Phase::Waiting).then_some(slot.started)
    }

    /// Whether its check is running.
    pub(crate) fn is_running(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(|slot| slot.phase != Phase::Waiting)
    }

    fn spread(&mut self, newcomers: &[usize], now: Duration) {
        let count = u32::try_from(newcomers.len()).unwrap_or(u32::MAX);
        for (place, index) in (0_u32..).zip(newcomers) {
            let Some(slot) = self.slots.get_mut(*index) else { continue };
            let span = slot.interval.unwrap_or_default().min(FIRST_RUNS);
            slot.due = now.saturating_add(span.saturating_mul(place) / count);
            slot.run = 0;
        }
    }

    fn arm(&mut self, index: usize) {
        let start = self.slots.get(index).and_then(Slot::start);
        self.starts.set(index, start);
    }
}

impl Slot {
    fn of(service: &Service, previous: Option<&Slot>, orphaned: bool) -> Self {
        let interval = match service.cadence {
            Cadence::Every(interval) => Some(interval.max(MIN_INTERVAL)),
            Cadence::Pushed => None,
        };
        let phase = match previous {
            Some(slot) => slot.phase,
            None if orphaned => Phase::Running,
            None => Phase::Waiting,
        };
        Self {
            interval,
            due: previous.map_or(Duration::ZERO, |slot| slot.due),
            run: previous.map_or(0, |slot| slot.run),
            started: previous.map_or(Duration::ZERO, |slot| slot.started),
            seed: jitter::seed_of(service.id.as_str()),
            phase,
        }
    }

    /// When to start; none while it runs, or if it is never started.
    fn start(&self) -> Option<Duration> {
        let interval = self.interval.filter(|_| self.phase == Phase::Waiting)?;
        // The first run is not held back: the time from the daemon's start to the first result counts.
        if self.run == 0 {
            return Some(self.due);
        }
        let beat = (interval / 20).min(LONGEST_BEAT);
        Some(next_beat(self.due.saturating_add(jitter::within(beat, self.seed, self.run)), beat))
    }

    /// Moves to the first slot after `now`.
    fn skip_to(&mut self, now: Duration) {
        let Some(interval) = self.interval else { return };
        let Some(late) = now.checked_sub(self.due) else { return };
        let into_slot = remainder(late, interval);
        self.due = now.saturating_add(interval.saturating_sub(into_slot));
        self.run = self.run.saturating_add(1);
    }
}

/// `time` modulo `interval`, which is not zero.
fn remainder(time: Duration, interval: Duration) -> Duration {
    const NANOS: u128 = 1_000_000_000;
    let nanos = time.as_nanos().checked_rem(interval.as_nanos()).unwrap_or(0);
    let seconds = u64::try_from(nanos / NANOS).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(nanos % NANOS).unwrap_or(0))
}

/// The first multiple of `beat` that is not before `at`.
fn next_beat(at: Duration, beat: Duration) -> Duration {
    match remainder(at, beat) {
        Duration::ZERO => at,
        rest => at.saturating_add(beat.saturating_sub(rest)),
    }
}

#[cfg(test)]
mod tests;
