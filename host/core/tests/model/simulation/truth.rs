//! What really happens in the simulated homelab, all of it known beforehand: outages, zones that are cut off, services that
//! flap, maintenance, restarts, clocks that jump and sinks that fail.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::maintenance::{Flag, When, Window};
use pihook_core::silence::zone_service;
use pihook_core::{Cadence, Flap, Service, ServiceId, SinkId, Status, ZoneId};

use crate::world::{START, elapsed, failures, ladder, level, moved, secs, service};

/// All that happens does so at multiples of this, which is the longest beat of the schedule.
pub(super) const TICK: Duration = Duration::from_millis(500);
pub(super) const TICKS_A_SECOND: u64 = 2;
const HOUR: u64 = 3600 * TICKS_A_SECOND;
const ROUTER: usize = 0;

/// In ticks since the beginning.
pub(super) type Span = Range<u64>;

/// A generator of numbers that are the same each time (splitmix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    fn spans(&mut self, count: u64, end: u64, lengths: Range<u64>) -> Vec<Span> {
        let one = |_| {
            let start = self.within(0..end);
            start..start + self.within(lengths.clone())
        };
        (0..count).map(one).collect()
    }
}

/// What is wrong with a service itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Is(Status),
    Blinks,
}

#[derive(Clone, Debug)]
pub(super) enum Happening {
    Flag(Option<Flag>),
    /// PiHook is off for so many ticks.
    Restart(u64),
    /// The wall clock jumps by so many seconds.
    Jump(i64),
    Reload,
}

pub(super) struct Truth {
    /// The configured ones first, then those that stand for zones.
    pub(super) services: Vec<Service>,
    pub(super) windows: Vec<Window>,
    pub(super) happenings: BTreeMap<(u64, u64), Happening>,
    pub(super) end: u64,
    own: Vec<Vec<(Span, Trouble)>>,
    cut_off: BTreeMap<ZoneId, Vec<Span>>,
    sinks_down: BTreeMap<SinkId, Vec<Span>>,
}

impl Truth {
    pub(super) fn new(seed: u64, services: usize, days: u64) -> Self {
        let mut random = Random::new(seed);
        let end = days * 24 * HOUR;
        let own = (0..services).map(|_| troubles(&mut random, end, days)).collect();
        let zones = ["local", "external"].map(ZoneId::new);
        let cut_off = zones.map(|zone| (zone, random.spans(2 * days, end, 40..2 * HOUR)));
        let sinks_down =
            ["d", "p"].map(|sink| (SinkId::new(sink), random.spans(days, end, HOUR / 60..3 * HOUR)));
        Self {
            services: homelab(&mut random, services),
            windows: windows(&mut random, end, days),
            happenings: happenings(&mut random, end, days),
            end,
            own,
            cut_off: cut_off.into(),
            sinks_down: sinks_down.into(),
        }
    }

    /// How a check that ends then finds it.
    pub(super) fn status(&self, index: usize, tick: u64, random: &mut Random) -> Status {
        if self.own.len() <= index {
            return if self.is_cut_off(index, tick..tick + 1) { Status::Down } else { Status::Up };
        }
        let behind_router =
            index != ROUTER && self.services[index].depends_on.contains(&self.services[ROUTER].id);
        if self.is_cut_off(index, tick..tick + 1) || (behind_router && self.is_down(ROUTER, tick)) {
            return Status::Down;
        }
        match self.trouble(index, tick) {
            Some(Trouble::Is(status)) => status,
            Some(Trouble::Blinks) if random.once_in(2) => Status::Down,
            _ if random.once_in(4000) => Status::Unknown,
            _ => Status::Up,
        }
    }

    fn trouble(&self, index: usize, tick: u64) -> Option<Trouble> {
        self.own[index].iter().find(|(span, _)| span.contains(&tick)).map(|(_, trouble)| *trouble)
    }

    fn is_down(&self, index: usize, tick: u64) -> bool {
        self.trouble(index, tick) == Some(Trouble::Is(Status::Down))
    }

    /// Whether something is wrong with the service itself at any time of this span.
    pub(super) fn has_trouble(&self, index: usize, span: &Span) -> bool {
        self.own.get(index).is_some_and(|troubles| troubles.iter().any(|(own, _)| overlap(own, span)))
    }

    /// The router's own, or its zone's.
    pub(super) fn router_has_trouble(&self, span: &Span) -> bool {
        self.has_trouble(ROUTER, span) || self.is_cut_off(ROUTER, span.clone())
    }

    /// Whether the service's zone is cut off at any time of this span.
    pub(super) fn is_cut_off(&self, index: usize, span: Span) -> bool {
        self.cuts(index).iter().any(|cut| overlap(cut, &span))
    }

    /// Whether it is all the time.
    pub(super) fn is_cut_off_throughout(&self, index: usize, span: &Span) -> bool {
        self.cuts(index).iter().any(|cut| cut.start <= span.start && span.end <= cut.end)
    }

    fn cuts(&self, index: usize) -> &[Span] {
        self.cut_off.get(&self.services[index].zone).map_or(&[], Vec::as_slice)
    }

    pub(super) fn sink_works(&self, sink: &SinkId, tick: u64) -> bool {
        !self.sinks_down[sink].iter().any(|span| span.contains(&tick))
    }
}

fn overlap(one: &Span, other: &Span) -> bool {
    one.start < other.end && other.start < one.end
}

/// Blinks of one check, outages of minutes, a long one now and then, and a flapping afternoon for some.
fn troubles(random: &mut Random, end: u64, days: u64) -> Vec<(Span, Trouble)> {
    let status = if random.once_in(4) { Status::Degraded } else { Status::Down };
    let mut troubles: Vec<_> = random.spans(days, end, 1..HOUR / 60);
    troubles.extend(random.spans(days / 2 + 1, end, HOUR / 20..HOUR));
    let long = u64::from(random.once_in(8));
    troubles.extend(random.spans(long, end, 2 * HOUR..8 * HOUR));
    let flapping = u64::from(random.once_in(10));
    let blinks = random.spans(flapping, end, HOUR..5 * HOUR);
    let of = |trouble| move |span| (span, trouble);
    blinks
        .into_iter()
        .map(of(Trouble::Blinks))
        .chain(troubles.into_iter().map(of(Trouble::Is(status))))
        .collect()
}

/// A router first; a part of what is at home is behind it. Both zones have canaries but the attic.
fn homelab(random: &mut Random, count: usize) -> Vec<Service> {
    let levels = vec![level(failures(3), "d", None), level(elapsed(1800), "p", Some(4 * 3600))];
    let ladder = ladder(levels);
    let mut services = Vec::new();
    for index in 0..count {
        let id = if index == ROUTER { "router".to_owned() } else { format!("s{index}") };
        let mut service = service(&id, ladder.clone(), 1 + u32::from(random.once_in(5)));
        let zone = ["local", "external", "attic"][if index == ROUTER { 0 } else { index % 3 }];
        service.zone = ZoneId::new(zone);
        service.cadence = Cadence::Every(secs([60, 120, 300, 300][random.within(0..4) as usize]));
        service.flap = (!random.once_in(10)).then_some(Flap::default());
        if zone == "local" && index != ROUTER && random.once_in(3) {
            service.depends_on.push(ServiceId::new("router"));
        }
        if zone != "attic" {
            service.depends_on.push(zone_service(&service.zone));
        }
        services.push(service);
    }
    for zone in ["local", "external"].map(ZoneId::new) {
        let mut of_zone = service("zone", ladder.clone(), 1);
        of_zone.id = zone_service(&zone);
        of_zone.name = Arc::from(format!("Zone {zone}"));
        of_zone.zone = zone;
        of_zone.cadence = Cadence::Every(secs(60));
        of_zone.flap = Some(Flap::default());
        services.push(of_zone);
    }
    services
}

fn windows(random: &mut Random, end: u64, days: u64) -> Vec<Window> {
    let begin = pihook_core::Timestamp::from_second(START).unwrap();
    let at = |tick: u64| moved(begin, i64::try_from(tick / TICKS_A_SECOND).unwrap());
    let spans = random.spans(days, end, HOUR / 4..2 * HOUR);
    let window = |(number, span): (usize, Span)| Window {
        name: format!("w{number}"),
        when: When::Once(at(span.start)..at(span.end)),
        services: Vec::new(),
        zones: vec![["local", "external", "attic"][number % 3].to_owned()],
        reason: None,
    };
    spans.into_iter().enumerate().map(window).collect()
}

fn happenings(random: &mut Random, end: u64, days: u64) -> BTreeMap<(u64, u64), Happening> {
    let mut all = Vec::new();
    for span in random.spans(days, end, HOUR / 4..3 * HOUR) {
        let flag = match random.within(0..3) {
            0 => Flag::default(),
            1 => Flag { zones: vec!["external".to_owned()], ..Flag::default() },
            _ => Flag { services: vec!["S5".to_owned(), "S7".to_owned()], ..Flag::default() },
        };
        all.extend([(span.start, Happening::Flag(Some(flag))), (span.end, Happening::Flag(None))]);
    }
    for _ in 0..3 * days {
        all.push((random.within(0..end), Happening::Restart(random.within(1..600 * TICKS_A_SECOND))));
        all.push((random.within(0..end), Happening::Reload));
    }
    for span in random.spans(days, end, 1..HOUR) {
        let years = (1 + random.within(0..20)).cast_signed() * if random.once_in(2) { 1 } else { -1 };
        let seconds = years * 365 * 86_400;
        all.extend([(span.start, Happening::Jump(seconds)), (span.end, Happening::Jump(-seconds))]);
    }
    all.into_iter().zip(0..).map(|((tick, what), number)| ((tick, number), what)).collect()
}
