//! The reference model of one service: naive on purpose. It keeps every outcome, counts second by second, and looks
//! everything up anew.

use pihook_core::{After, Alert, AlertKind, Flap, Ladder, Reason, Service, SinkId, Status};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) kind: AlertKind,
    pub(crate) reason: Reason,
    pub(crate) level: u32,
    pub(crate) status: Status,
    pub(crate) lasted: u64,
    pub(crate) failures: u32,
    pub(crate) sinks: Vec<SinkId>,
    pub(crate) news: Option<String>,
}

impl Said {
    pub(crate) fn of(alert: &Alert) -> Self {
        Said {
            kind: alert.kind,
            reason: alert.reason,
            level: alert.level,
            status: alert.status,
            lasted: alert.lasted.as_secs(),
            failures: alert.failures,
            sinks: alert.sinks.clone(),
            news: (alert.kind == AlertKind::Notice).then(|| alert.summary.clone()),
        }
    }
}

pub(crate) struct Reference {
    service: Service,
    /// Each outcome, with the audible seconds that had passed by then.
    history: Vec<(Status, u64)>,
    audible_seconds: u64,
    muted: bool,
    outage: Option<Outage>,
    /// Whether something else explained the newest outcome.
    explained: bool,
    /// Each outcome that counts for flapping: whether it was bad.
    blinks: Vec<bool>,
    held_news: Option<String>,
}

struct Outage {
    began: u64,
    level: usize,
    status: Status,
    worst: Status,
    failures: u32,
    lasted: u64,
    silent: u64,
    told: Vec<SinkId>,
    announced: bool,
    maintenance: bool,
    held: Option<u64>,
    flapping: bool,
}

/// What flapping makes of an outcome.
#[derive(PartialEq)]
enum Blink {
    Nothing,
    Flaps,
    Settled,
    SettledBad,
}

/// Whether the service flaps, going by all it ever did: the share of changes among the newest, weighed from 4 for the oldest
/// to 6 for the newest.
fn rate(flap: Flap, blinks: &[bool]) -> f64 {
    let window = flap.window as usize;
    let newest = &blinks[blinks.len().saturating_sub(window)..];
    // Before the first there was nothing bad.
    let newest = [&vec![false; window - newest.len()], newest].concat();
    let last = (window - 2) as f64;
    let weight = |place: usize| 4.0 + 2.0 * place as f64 / last;
    let changed = |place: &usize| newest[*place] != newest[place + 1];
    let sum = |places: Vec<usize>| places.into_iter().map(weight).sum::<f64>();
    sum((0..window - 1).filter(changed).collect()) / sum((0..window - 1).collect())
}

impl Reference {
    pub(crate) fn new(service: Service, muted: bool) -> Self {
        Self {
            service,
            history: Vec::new(),
            audible_seconds: 0,
            muted,
            outage: None,
            explained: false,
            blinks: Vec::new(),
            held_news: None,
        }
    }

    pub(crate) fn reload(&mut self, service: Service) -> Option<Said> {
        self.reconfigure(service);
        self.speak(false)
    }

    /// The same, before it says anything.
    pub(crate) fn reconfigure(&mut self, service: Service) {
        self.service = service;
        self.explained &= !self.service.depends_on.is_empty();
        if self.service.flap.is_none() {
            self.blinks.clear();
            self.outage.iter_mut().for_each(|outage| outage.flapping = false);
        }
        let ladders = [Some(&self.service.ladder), self.service.degraded.as_ref()];
        let top = ladders.into_iter().flatten().map(|ladder| ladder.levels().count()).max().unwrap() - 1;
        self.outage.iter_mut().for_each(|outage| outage.level = outage.level.min(top));
    }

    pub(crate) fn second(&mut self) -> Option<Said> {
        self.seconds(1);
        self.speak(false)
    }

    /// So many seconds at once; nothing is said meanwhile.
    pub(crate) fn seconds(&mut self, seconds: u64) {
        let audible = if self.muted || self.explained { 0 } else { seconds };
        self.audible_seconds += audible;
        if let Some(outage) = &mut self.outage {
            outage.lasted += seconds;
            outage.silent += audible;
        }
    }

    pub(crate) fn mute(&mut self, muted: bool) -> Option<Said> {
        self.set_muted(muted);
        self.speak(false)
    }

    /// The same, before it says anything.
    pub(crate) fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
        if let Some(outage) = self.outage.as_mut().filter(|_| muted) {
            outage.maintenance = true;
        }
    }

    /// What time alone makes due.
    pub(crate) fn speak_now(&mut self) -> Option<Said> {
        self.speak(false)
    }

    /// News that came with the outcome before.
    pub(crate) fn news(&mut self, text: String) -> Option<Said> {
        if self.muted {
            self.held_news = Some(text);
            return None;
        }
        Some(self.tell(Reason::Event, text))
    }

    /// News that may be told after all.
    pub(crate) fn held_news(&mut self) -> Option<Said> {
        let text = if self.muted { None } else { self.held_news.take() };
        text.map(|text| self.tell(Reason::AfterMaintenance, text))
    }

    fn tell(&self, reason: Reason, text: String) -> Said {
        let outage = self.outage.as_ref().filter(|outage| outage.held.is_none());
        Said {
            kind: AlertKind::Notice,
            reason,
            level: 0,
            status: outage.map_or(Status::Up, |outage| outage.status),
            lasted: 0,
            failures: 0,
            sinks: self.service.ladder.first().sinks.clone(),
            news: Some(text),
        }
    }

    /// PiHook was off for so long.
    pub(crate) fn absent(&mut self, seconds: u64) {
        self.outage.iter_mut().for_each(|outage| outage.lasted += seconds);
    }

    /// Whether time alone may make it speak.
    pub(crate) fn may_speak(&self) -> bool {
        self.outage.is_some() && !self.explained && !self.muted
    }

    /// An outcome that something else explains.
    pub(crate) fn explain(&mut self) {
        self.explained = true;
    }

    pub(crate) fn outcome(&mut self, status: Status) -> Option<Said> {
        self.explained = false;
        self.history.push((status, self.audible_seconds));
        match (self.blink(status), &self.outage) {
            (Blink::Flaps, _) => return self.begin_flapping(),
            (Blink::Settled, _) => return self.over(Reason::Settled),
            (Blink::SettledBad, _) => return self.settle_badly(status),
            (Blink::Nothing, Some(outage)) if outage.flapping => {
                self.count(status);
                return self.speak(false);
            }
            (Blink::Nothing, _) => {}
        }
        match &self.outage {
            None => self.maybe_open(),
            Some(outage) if outage.held.is_some() => self.maybe_reopen(),
            Some(_) => self.during(status),
        }
    }

    /// Takes the outcome into account for flapping.
    fn blink(&mut self, status: Status) -> Blink {
        let Some(flap) = self.service.flap.filter(|_| !self.muted && status != Status::Unknown) else {
            return Blink::Nothing;
        };
        self.blinks.push(status.is_bad());
        // A share of whole percents and sums of a few weights are never closer than this without being equal.
        let percent = || rate(flap, &self.blinks) * 100.0 + 1e-9;
        let enters = || percent() >= f64::from(flap.high);
        let leaves = || percent() < f64::from(flap.low);
        let well = || self.good() >= self.service.recover_after.get() as usize;
        let flapping = self.outage.as_ref().is_some_and(|outage| outage.flapping);
        match (flapping, status.is_bad()) {
            (false, true) if enters() => Blink::Flaps,
            (true, true) if leaves() => Blink::SettledBad,
            (true, false) if leaves() && well() => Blink::Settled,
            _ => Blink::Nothing,
        }
    }

    fn begin_flapping(&mut self) -> Option<Said> {
        let status = self.history.last()?.0;
        match &self.outage {
            None => self.open(0),
            Some(_) => drop(self.count(status)),
        }
        let outage = self.outage.as_mut()?;
        outage.flapping = true;
        let level = outage.level;
        let (kind, lowest) =
            if outage.announced { (AlertKind::Escalated, level) } else { (AlertKind::Opened, 0) };
        let sinks = self.sinks(lowest, level);
        self.say(kind, Reason::Flapping, sinks)
    }

    /// It does not flap any more, and is not well.
    fn settle_badly(&mut self, status: Status) -> Option<Said> {
        self.count(status);
        let outage = self.outage.as_mut()?;
        outage.flapping = false;
        if !outage.announced || outage.maintenance {
            return self.speak(false);
        }
        let old = outage.level;
        let level = self.climb(old + 1).map_or(old, |(level, _)| level);
        self.outage.as_mut()?.level = level;
        let sinks = self.sinks(level.min(old + 1), level);
        self.say(AlertKind::Escalated, Reason::Settled, sinks)
    }

    /// Counts a failure, and takes the status over; whether that is a new worst.
    fn count(&mut self, status: Status) -> bool {
        let Some(outage) = &self.outage else { return false };
        let confirmed =
            outage.worst != Status::Unknown || self.holds_on(self.ladder_of(Some(status)), 0).is_some();
        let Some(outage) = &mut self.outage else { return false };
        if status.is_bad() || (status == Status::Unknown && outage.worst == Status::Unknown) {
            outage.failures += 1;
        }
        if !status.is_bad() || !confirmed {
            return false;
        }
        outage.status = status;
        let worse = status.badness() > outage.worst.badness();
        outage.worst = outage.worst.worse(status);
        worse
    }

    fn definite(&self) -> impl Iterator<Item = &(Status, u64)> {
        self.history.iter().rev().filter(|(status, _)| *status != Status::Unknown)
    }

    fn bad(&self) -> Vec<u64> {
        self.definite().take_while(|(status, _)| status.is_bad()).map(|(_, at)| *at).collect()
    }

    fn good(&self) -> usize {
        self.definite().take_while(|(status, _)| *status == Status::Up).count()
    }

    fn unknown(&self) -> Vec<u64> {
        let newest = self.history.iter().rev();
        newest.take_while(|(status, _)| *status == Status::Unknown).map(|(_, at)| *at).collect()
    }

    /// When the clock of the present trouble began, in audible seconds.
    fn began(&self) -> u64 {
        match &self.outage {
            Some(outage) if outage.held.is_none() => outage.began,
            _ => self.bad().last().or(self.unknown().last()).copied().unwrap_or(self.audible_seconds),
        }
    }

    /// The ladder by the worst that is known of the outage; before it, by the newest outcome.
    fn ladder(&self) -> &Ladder {
        let newest = self.history.last().map(|(status, _)| *status);
        let worst = match &self.outage {
            Some(outage) if outage.held.is_none() => Some(outage.worst),
            _ => newest,
        };
        self.ladder_of(worst)
    }

    fn ladder_of(&self, worst: Option<Status>) -> &Ladder {
        match &self.service.degraded {
            Some(degraded) if worst == Some(Status::Degraded) => degraded,
            _ => &self.service.ladder,
        }
    }

    fn holds(&self, level: usize) -> Option<Reason> {
        self.holds_on(self.ladder(), level)
    }

    fn holds_on(&self, ladder: &Ladder, level: usize) -> Option<Reason> {
        let after = ladder.level(level)?.after;
        let time = self.audible_seconds - self.began();
        let unknown = self.unknown().len();
        let bad = self.bad().len();
        let unclear = self.outage.as_ref().is_some_and(|outage| outage.worst == Status::Unknown);
        match after {
            After::Failures(count) if unknown > 0 => {
                (unknown >= 2 * count.get() as usize).then_some(Reason::CannotTell)
            }
            After::Elapsed(limit) if unknown > 0 => {
                (time >= 2 * limit.as_secs()).then_some(Reason::CannotTell)
            }
            _ if bad == 0 || (unclear && level > 0) => None,
            After::Failures(count) => (bad >= count.get() as usize).then_some(Reason::Failures),
            After::Elapsed(limit) => (time >= limit.as_secs()).then_some(Reason::Elapsed),
        }
    }

    fn climb(&self, mut from: usize) -> Option<(usize, Reason)> {
        let mut reached = None;
        while let Some(reason) = self.holds(from) {
            reached = Some((from, reason));
            from += 1;
        }
        reached
    }

    fn sinks(&self, from: usize, to: usize) -> Vec<SinkId> {
        let mut sinks: Vec<SinkId> = Vec::new();
        let ladder = self.ladder();
        let (top, told) = (ladder.levels().count() - 1, &self.outage.as_ref().unwrap().told);
        for level in 0..=to.min(top) {
            for sink in &ladder.level(level).unwrap().sinks {
                let concerned = level >= from.min(top) || !told.contains(sink);
                if concerned && !sinks.contains(sink) {
                    sinks.push(sink.clone());
                }
            }
        }
        sinks
    }

    fn maybe_open(&mut self) -> Option<Said> {
        let (level, reason) = self.climb(0)?;
        self.open(level);
        if self.muted {
            return None;
        }
        self.say(AlertKind::Opened, reason, self.sinks(0, level))
    }

    fn open(&mut self, level: usize) {
        let Some((status, _)) = self.history.last().copied() else { return };
        let unknown = self.unknown().len();
        let failures = if unknown > 0 { unknown } else { self.bad().len() };
        let began = self.began();
        self.outage = Some(Outage {
            began,
            level,
            status,
            worst: status,
            failures: failures as u32,
            lasted: self.audible_seconds - began,
            silent: 0,
            told: Vec::new(),
            announced: false,
            maintenance: self.muted,
            held: None,
            flapping: false,
        });
    }

    fn maybe_reopen(&mut self) -> Option<Said> {
        if self.climb(0).is_none() {
            // That it is over could not be said before, if something explained how it was when maintenance ended.
            return if self.muted { None } else { self.over(Reason::Recovered) };
        }
        let (status, began) = (self.history.last()?.0, self.began());
        let unknown = self.unknown().len();
        let failures = if unknown > 0 { unknown } else { self.bad().len() };
        let outage = self.outage.as_mut()?;
        outage.held = None;
        outage.began = began;
        outage.failures += failures as u32;
        outage.status = status;
        outage.worst = outage.worst.worse(status);
        let level = outage.level;
        if self.muted {
            return None;
        }
        self.say(AlertKind::Reminder, Reason::AfterMaintenance, self.sinks(level, level))
    }

    fn during(&mut self, status: Status) -> Option<Said> {
        if status == Status::Up && self.good() >= self.service.recover_after.get() as usize {
            return self.recover();
        }
        let worse = self.count(status);
        self.speak(worse)
    }

    fn recover(&mut self) -> Option<Said> {
        let outage = self.outage.as_mut()?;
        if self.muted && outage.announced {
            outage.held = Some(outage.lasted);
            return None;
        }
        self.over(Reason::Recovered)
    }

    /// The end of the outage; said if its beginning was.
    fn over(&mut self, reason: Reason) -> Option<Said> {
        let outage = self.outage.take()?;
        outage.announced.then_some(Said {
            kind: AlertKind::Recovered,
            reason,
            level: outage.level as u32,
            status: Status::Up,
            lasted: outage.held.unwrap_or(outage.lasted),
            failures: outage.failures,
            sinks: outage.told,
            news: None,
        })
    }

    fn speak(&mut self, worse: bool) -> Option<Said> {
        let outage = self.outage.as_ref()?;
        if self.muted || self.explained {
            return None;
        }
        if outage.held.is_some() {
            return self.over(Reason::Recovered);
        }
        let (old, new) = (outage.level, self.climb(outage.level + 1).filter(|_| !outage.flapping));
        let levels: Vec<_> = self.ladder().levels().collect();
        let repeat = levels[old.min(levels.len() - 1)].repeat;
        let (kind, reason, lowest) = match new {
            _ if !outage.announced => (AlertKind::Opened, Reason::AfterMaintenance, 0),
            _ if outage.maintenance => (AlertKind::Reminder, Reason::AfterMaintenance, old),
            _ if outage.flapping => return None,
            Some(_) if worse => (AlertKind::Escalated, Reason::Worse, old + 1),
            Some((_, reason)) => (AlertKind::Escalated, reason, old + 1),
            None if worse => (AlertKind::Escalated, Reason::Worse, old),
            None if repeat.is_some_and(|repeat| outage.silent >= repeat.as_secs()) => {
                (AlertKind::Reminder, Reason::Repeat, old)
            }
            None => return None,
        };
        let level = new.map_or(old, |(level, _)| level);
        self.outage.as_mut()?.level = level;
        let mut sinks = self.sinks(lowest, level);
        if reason == Reason::Worse {
            let told = &self.outage.as_ref()?.told;
            let more: Vec<_> = told.iter().filter(|sink| !sinks.contains(sink)).cloned().collect();
            sinks.extend(more);
        }
        self.say(kind, reason, sinks)
    }

    fn say(&mut self, kind: AlertKind, reason: Reason, sinks: Vec<SinkId>) -> Option<Said> {
        let outage = self.outage.as_mut()?;
        outage.announced = true;
        outage.maintenance = false;
        outage.silent = 0;
        for sink in &sinks {
            if !outage.told.contains(sink) {
                outage.told.push(sink.clone());
            }
        }
        let (level, failures) = (outage.level as u32, outage.failures);
        let (status, lasted) = (outage.status, outage.lasted);
        Some(Said { kind, reason, level, status, lasted, failures, sinks, news: None })
    }
}
