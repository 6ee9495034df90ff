//! Random lives of services: the monitor says what the reference model says, when it says it.

use proptest::prelude::*;

use pihook_core::maintenance::{Flag, Maintenance, When, Window};
use pihook_core::monitor::{Commit, Event};
use pihook_core::{Flap, Level, Service, ServiceId, Status, Timestamp, ZoneId};

use crate::reference::{Reference, Said};
use crate::world::{World, elapsed, failures, ladder, level, news, service};

const IDS: [&str; 3] = ["a", "b", "c"];
/// A window stays the same, since what is beyond it is forgotten.
const FLAPS: [Flap; 3] = [
    Flap { window: 3, high: 60, low: 30 },
    Flap { window: 6, high: 50, low: 25 },
    Flap { window: 10, high: 40, low: 35 },
];
const YEAR: i64 = 365 * 86_400;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// So many equal ones.
    Outcomes(usize, Status, usize),
    /// Down and up so many times.
    Blinks(usize, usize),
    /// One with news.
    News(usize, Status),
    Pass(u64),
    Jump(i64),
    Flag(Option<Flag>),
    /// Windows that begin so many seconds from now, and how long they last; for everything or for zone `external`.
    Windows(Vec<(i64, i64, bool)>),
    Restart,
    Crash,
    Wake,
    Reload(usize, Service),
    Remove(usize),
    RestartWithout(usize),
}

pub(crate) fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![
        3 => Just(Status::Down),
        2 => Just(Status::Degraded),
        2 => Just(Status::Unknown),
        2 => Just(Status::Up),
    ]
}

fn any_level() -> impl Strategy<Value = Level> {
    let after = prop_oneof![(1_u32..5).prop_map(failures), (0_u64..900).prop_map(elapsed)];
    (after, "[xyz]{0,2}", prop::option::of(1_u64..2000))
        .prop_map(|(after, sinks, repeat)| level(after, &sinks, repeat))
}

/// The top rung and `recover_after` stay the same, so that a reload does not move the counts at which streaks stop.
fn any_service(index: usize) -> impl Strategy<Value = Service> {
    let degraded = prop::option::of(prop::collection::vec(any_level(), 1..6));
    let levels = prop::collection::vec(any_level(), 1..4);
    (levels, degraded, prop::bool::weighted(0.6)).prop_map(move |(mut levels, degraded, watches_flapping)| {
        levels.push(level(failures(6), "t", Some(700)));
        let mut service = service(IDS[index], ladder(levels), [1, 2, 3][index]);
        service.degraded = degraded.map(ladder);
        service.flap = watches_flapping.then_some(FLAPS[index]);
        service.zone = ZoneId::new(if index == 0 { "local" } else { "external" });
        service
    })
}

fn any_flag() -> impl Strategy<Value = Option<Flag>> {
    let everything = Flag::default();
    let one = Flag { services: vec!["A".to_owned()], ..Flag::default() };
    let zone = Flag { zones: vec!["external".to_owned()], ..Flag::default() };
    prop_oneof![3 => Just(None), 2 => Just(Some(everything)), 1 => Just(Some(one)), 1 => Just(Some(zone))]
}

pub(crate) fn any_step() -> impl Strategy<Value = Step> {
    let index = 0..IDS.len();
    prop_oneof![
        10 => (index.clone(), any_status()).prop_map(|(index, status)| Step::Outcomes(index, status, 1)),
        3 => (index.clone(), 1_usize..12).prop_map(|(index, times)| Step::Blinks(index, times)),
        4 => (index.clone(), any_status(), 2_usize..14)
            .prop_map(|(index, status, count)| Step::Outcomes(index, status, count)),
        4 => (index.clone(), any_status()).prop_map(|(index, status)| Step::News(index, status)),
        6 => prop_oneof![Just(0), 1_u64..100, 100_u64..3000].prop_map(Step::Pass),
        1 => (-30 * YEAR..30 * YEAR).prop_map(Step::Jump),
        2 => any_flag().prop_map(Step::Flag),
        2 => prop::collection::vec((-1000_i64..1000, 1_i64..2000, any::<bool>()), 0..4).prop_map(Step::Windows),
        2 => Just(Step::Restart),
        1 => Just(Step::Crash),
        1 => Just(Step::Wake),
        1 => index.clone().prop_flat_map(|index| {
            any_service(index).prop_map(move |service| Step::Reload(index, service))
        }),
        1 => index.clone().prop_map(Step::Remove),
        1 => index.prop_map(Step::RestartWithout),
    ]
}

pub(crate) fn any_services() -> impl Strategy<Value = Vec<Service>> {
    (any_service(0), any_service(1), any_service(2)).prop_map(|(a, b, c)| vec![a, b, c])
}

/// The services with this one replaced, or added at its place.
pub(crate) fn with(services: &[Service], service: &Service) -> Vec<Service> {
    let mut services: Vec<_> = services.iter().filter(|other| other.id != service.id).cloned().collect();
    services.push(service.clone());
    services.sort_by(|a, b| a.id.cmp(&b.id));
    services
}

/// Windows that begin so many seconds after `now`.
fn windows(spans: &[(i64, i64, bool)], now: Timestamp) -> Vec<Window> {
    let at = |seconds: i64| {
        let second = now.as_second().saturating_add(seconds);
        Timestamp::from_second(second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second())).unwrap()
    };
    let window = |(from, lasting, everything): &(i64, i64, bool)| Window {
        name: "w".to_owned(),
        when: When::Once(at(*from)..at(from + lasting)),
        services: Vec::new(),
        zones: if *everything { Vec::new() } else { vec!["external".to_owned()] },
        reason: None,
    };
    spans.iter().map(window).collect()
}

fn blinks(times: usize) -> impl Iterator<Item = Status> {
    std::iter::repeat_n([Status::Down, Status::Up], times).flatten()
}

/// Carries the step out in the world alone.
pub(crate) fn carry_out(world: &mut World, step: &Step) -> Vec<(u64, Commit)> {
    let commits = match step {
        Step::Outcomes(index, status, count) => {
            (0..*count).flat_map(|_| world.outcome(IDS[*index], *status)).collect()
        }
        Step::Blinks(index, times) => {
            blinks(*times).flat_map(|status| world.outcome(IDS[*index], status)).collect()
        }
        Step::News(index, status) => world.news(IDS[*index], *status),
        Step::Pass(seconds) => return world.pass(*seconds),
        Step::Jump(seconds) => {
            world.jump(*seconds);
            world.send(Event::Woken)
        }
        Step::Flag(flag) => world.set_flag(flag.clone()),
        Step::Windows(spans) => world.set_windows(windows(spans, world.wall)),
        Step::Restart => world.restart(),
        Step::Crash => world.crash(),
        Step::Wake => world.send(Event::Woken),
        Step::Reload(_, service) => {
            world.ledger.forget_levels();
            world.reconfigure(with(&world.services, service))
        }
        Step::Remove(index) => {
            let mut services = world.services.clone();
            services.retain(|service| service.id.as_str() != IDS[*index]);
            world.reconfigure(services)
        }
        Step::RestartWithout(index) => {
            world.services.retain(|service| service.id.as_str() != IDS[*index]);
            world.restart()
        }
    };
    commits.into_iter().map(|commit| (0, commit)).collect()
}

struct References {
    /// By the index of the service's id; none while it is not configured.
    models: Vec<Option<Reference>>,
    maintenance: Maintenance,
    wall: Timestamp,
    services: Vec<Service>,
    newest_news: u32,
}

impl References {
    fn muted(&self, service: &Service) -> bool {
        let Maintenance { flag, windows } = &self.maintenance;
        flag.as_ref().is_some_and(|flag| flag.covers(service, self.wall))
            || windows.iter().any(|window| window.covers(service, self.wall))
    }

    /// Asks everyone anew whether they are muted.
    fn look_at_the_wall(&mut self, second: u64, said: &mut Vec<(u64, usize, Said)>) {
        for service in self.services.clone() {
            let index = IDS.iter().position(|id| *id == service.id.as_str()).unwrap();
            let muted = self.muted(&service);
            let Some(model) = &mut self.models[index] else { continue };
            let news = [model.mute(muted), model.held_news()];
            said.extend(news.into_iter().flatten().map(|what| (second, index, what)));
        }
    }

    /// What is said, by whom and after how many seconds.
    fn carry_out(&mut self, step: &Step, world: &World) -> Vec<(u64, usize, Said)> {
        let mut said = Vec::new();
        self.wall = world.wall;
        macro_rules! note {
            ($second:expr, $index:expr, $what:expr) => {
                said.extend($what.map(|what| ($second, $index, what)))
            };
        }
        match step {
            Step::Outcomes(index, status, count) => {
                for _ in 0..*count {
                    note!(0, *index, self.models[*index].as_mut().and_then(|model| model.outcome(*status)));
                }
            }
            Step::Blinks(index, times) => {
                for status in blinks(*times) {
                    note!(0, *index, self.models[*index].as_mut().and_then(|model| model.outcome(status)));
                }
            }
            Step::News(index, status) => {
                self.newest_news += 1;
                let text = news(self.newest_news);
                if let Some(model) = &mut self.models[*index] {
                    note!(0, *index, model.outcome(*status));
                    note!(0, *index, model.news(text));
                }
            }
            Step::Pass(seconds) => {
                for second in 1..=*seconds {
                    let windows = !self.maintenance.windows.is_empty();
                    for (index, model) in self.models.iter_mut().enumerate() {
                        note!(second, index, model.as_mut().and_then(Reference::second));
                    }
                    self.wall = crate::world::moved(self.wall, 1);
                    if windows {
                        self.look_at_the_wall(second, &mut said);
                    }
                }
            }
            Step::Flag(flag) => {
                self.maintenance.flag.clone_from(flag);
                self.look_at_the_wall(0, &mut said);
            }
            Step::Windows(spans) => {
                self.maintenance.windows = windows(spans, self.wall);
                self.look_at_the_wall(0, &mut said);
            }
            Step::Jump(seconds) => {
                self.wall = crate::world::moved(self.wall, *seconds);
                self.look_at_the_wall(0, &mut said);
            }
            Step::Reload(index, service) => {
                let muted = self.muted(service);
                self.services = with(&self.services, service);
                match &mut self.models[*index] {
                    Some(model) => note!(0, *index, model.reload(service.clone())),
                    gone => *gone = Some(Reference::new(service.clone(), muted)),
                }
            }
            Step::Remove(index) | Step::RestartWithout(index) => {
                self.services.retain(|service| service.id.as_str() != IDS[*index]);
                self.models[*index] = None;
            }
            Step::Restart | Step::Crash | Step::Wake => {}
        }
        said
    }
}

fn said(commits: &[(u64, Commit)]) -> Vec<(u64, usize, Said)> {
    let mut said = Vec::new();
    for (second, commit) in commits {
        let index = IDS.iter().position(|id| ServiceId::new(id) == commit.service).unwrap();
        said.extend(commit.alerts.iter().map(|alert| (*second, index, Said::of(alert))));
    }
    said.sort_by_key(|(second, index, _)| (*second, *index));
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Alerts are those of the table: right kind, reason, level, status, duration and audience, at the right second,
    /// whatever the wall clock does and however often PiHook restarts. The ledger checks all else on the way.
    #[test]
    fn the_monitor_says_what_the_reference_says(
        services in any_services(),
        steps in prop::collection::vec(any_step(), 1..80),
    ) {
        let models = services.iter().map(|service| Some(Reference::new(service.clone(), false))).collect();
        let mut references = References { models, maintenance: Maintenance::default(), wall: Timestamp::UNIX_EPOCH, services: services.clone(), newest_news: 0 };
        let mut world = World::new(services);
        for step in &steps {
            // A crash loses time, which the reference does not know of; `restart.rs` has it.
            if matches!(step, Step::Crash) {
                continue;
            }
            let expected = references.carry_out(step, &world);
            let commits = carry_out(&mut world, step);
            if matches!(step, Step::Restart | Step::Wake) {
                prop_assert!(commits.is_empty(), "{step:?} is invisible: {commits:?}");
            }
            prop_assert_eq!(said(&commits), expected, "{:?}", step);
        }
    }
}
