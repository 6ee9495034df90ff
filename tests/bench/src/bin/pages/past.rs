//! A past that was never lived through: sums for as long as it takes, and single checks of the newest days.

use std::path::Path;
use std::time::Duration;

use pihook::store::RegisteredService;
use pihook::store::bare::Bare;
use pihook::tasks::weekly::PACKED;
use pihook_core::monitor::{Commit, Incident, Logged, Muting, Urgency};
use pihook_core::summary::Sample;
use pihook_core::{IncidentId, Outcome, ServiceId, Severity, Status, Summary, Timestamp, ZoneId};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Days of which there are single checks.
const CHECKS: i64 = 2;
/// Days between two incidents of a service.
const PEACE: i64 = 21;

/// The present: the beginning of this minute.
pub(crate) fn now() -> Timestamp {
    second(Timestamp::now().as_second() / 60 * 60)
}

pub(crate) fn id(number: u64) -> ServiceId {
    ServiceId::new(&format!("service-{number}"))
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Makes the database.
pub(crate) fn make(path: &Path, services: u64, days: u64) {
    let ids: Vec<ServiceId> = (0..services).map(id).collect();
    let registered: Vec<_> = ids.iter().map(registered).collect();
    let mut db = Bare::open(path, &registered).unwrap();
    let end = now().as_second();
    let raw = (end - CHECKS * DAY) / HOUR * HOUR;
    let first = raw - (i64::try_from(days).unwrap() - CHECKS) * DAY;
    // Some hours of each service, from which its past is drawn.
    let hours: Vec<[Summary; 4]> =
        (0..services).map(|number| std::array::from_fn(|variant| hour(number, variant))).collect();
    for (count, hour) in (first..raw).step_by(3600).enumerate() {
        let sum = |(number, id): (usize, &ServiceId)| {
            let variant = noise(number as u64 * 7919 + count as u64) % 4;
            (id.clone(), hours[number][usize::try_from(variant).unwrap()].clone())
        };
        db.write_hour(second(hour), ids.iter().enumerate().map(sum).collect()).unwrap();
    }
    for (number, day) in (0..).zip((first..end).step_by(86_400 * usize::try_from(PEACE).unwrap())) {
        let incidents = ids.iter().zip(0..).map(|(id, at)| incident(id, number * services + at, day));
        db.write(incidents.collect()).unwrap();
    }
    for minute in (raw..end).step_by(60) {
        db.write(ids.iter().zip(0..).map(|(id, number)| check(id, number, minute)).collect()).unwrap();
        if minute % HOUR == 60 {
            loop {
                let batch = db.packable(second(minute), PACKED).unwrap();
                if batch.is_empty() {
                    break;
                }
                db.pack(batch).unwrap();
            }
        }
    }
    while db.add_up_day(now()).unwrap() {}
    db.close().unwrap();
}

fn registered(id: &ServiceId) -> RegisteredService {
    RegisteredService {
        id: id.clone(),
        name: id.to_string(),
        zone: ZoneId::new("local"),
        check: "http".to_owned(),
        every: Some(Duration::from_secs(60)),
    }
}

/// SplitMix64 of one number.
fn noise(seed: u64) -> u64 {
    let seed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Response times lie around a service's own, slower by day than by night and now and then far off.
pub(crate) fn outcome(number: u64, second_: i64) -> Outcome {
    let random = noise(number.wrapping_mul(0x1_0000_0001) ^ u64::try_from(second_).unwrap_or(0));
    let usual = 2_000 + number % 50 * 700;
    let day = u64::try_from(second_.rem_euclid(DAY) * 500 / DAY).unwrap_or(0);
    let spread = random % usual;
    let tail = if random.is_multiple_of(50) { usual * (random % 8) } else { 0 };
    let fails = (random >> 8).is_multiple_of(2000);
    Outcome {
        status: if fails { Status::Down } else { Status::Up },
        summary: if fails { "connection refused" } else { "HTTP 200" }.to_owned(),
        notice: None,
        response_time: (!fails).then(|| Duration::from_micros(usual / 2 + spread + tail + usual * day / 500)),
        attempts: 1,
        metrics: Vec::new(),
        at: second(second_) + Duration::from_millis(random % 4),
    }
}

fn hour(number: u64, variant: usize) -> Summary {
    let mut sum = Summary::default();
    for minute in 0..60 {
        let seen = outcome(number, i64::try_from(variant).unwrap() * 6 * HOUR + minute * 60);
        sum.record(&Sample {
            at: seen.at,
            status: seen.status,
            maintenance: Muting::Audible,
            response: seen.response_time,
            stands_for: Duration::from_secs(60),
        });
    }
    sum
}

fn commit(service: &ServiceId) -> Commit {
    Commit {
        service: service.clone(),
        urgency: Urgency::Ordinary,
        outcome: None,
        transition: None,
        incident: None,
        state: None,
        alerts: Vec::new(),
    }
}

fn check(service: &ServiceId, number: u64, second: i64) -> Commit {
    let logged = Logged { outcome: outcome(number, second), maintenance: Muting::Audible };
    Commit { outcome: Some(logged), ..commit(service) }
}

fn incident(service: &ServiceId, number: u64, begins: i64) -> Commit {
    let incident = Incident {
        id: IncidentId(number + 1),
        opened: second(begins),
        closed: Some(second(begins + 600)),
        severity: Severity::Critical,
        status: Status::Down,
        reason: "connection refused".to_owned(),
        checks_failed: 10,
        acknowledged: None,
    };
    Commit { incident: Some(incident), ..commit(service) }
}
