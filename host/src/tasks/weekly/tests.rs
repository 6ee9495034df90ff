use std::path::Path;
use std::sync::Mutex;

use jiff::SignedDuration;

use pihook_core::monitor::{Commit, Logged, Muting, Urgency};
use pihook_core::{After, Cadence, Ladder, Level, Outcome, ServiceId, ZoneId};
use tempfile::TempDir;

use super::*;
use crate::store::RegisteredService;

/// A clock that stands where it is put.
struct Scripted(Mutex<Moment>);

impl Clock for Scripted {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap()
    }
}

struct Stage {
    folder: TempDir,
    clock: Arc<Scripted>,
    weekly: Weekly,
    known: Known,
    maintenance: watch::Sender<Maintenance>,
    _policy: watch::Sender<Policy>,
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("pihook.db");
        let store = Store::open(&database, Duration::from_secs(3600)).unwrap();
        let clock = Arc::new(Scripted(Mutex::new(Moment {
            uptime: Duration::ZERO,
            wall: time("2026-01-01T00:00:00Z"),
        })));
        let (policy, receiver) = watch::channel(Policy {
            keep_checks: Duration::from_secs(30 * 86_400),
            keep_rollups: Duration::from_secs(400 * 86_400),
            export_dir: folder.path().join("exports"),
            sinks: vec![SinkId::new("discord")],
        });
        let maintenance = watch::Sender::new(Maintenance::default());
        let level = Level {
            after: After::Failures(std::num::NonZeroU32::MIN),
            severity: Severity::Info,
            sinks: Vec::new(),
            mention: None,
            repeat: None,
            formatter: None,
        };
        let weekly = Weekly {
            store,
            database,
            clock: clock.clone(),
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
            policy: receiver,
            maintenance: maintenance.subscribe(),
            speaker: Service {
                id: ServiceId::new("pihook:history"),
                name: "History".into(),
                zone: ZoneId::new("pihook"),
                cadence: Cadence::Pushed,
                recover_after: std::num::NonZeroU32::MIN,
                ladder: Arc::new(Ladder::new(level, Vec::new())),
                degraded: None,
            },
        };
        Self { folder, clock, weekly, known: Known::default(), maintenance, _policy: policy }
    }

    async fn register(&self, names: &[(&str, &str)]) {
        let service = |(name, zone): &(&str, &str)| RegisteredService {
            id: ServiceId::new(name),
            name: (*name).to_owned(),
            zone: ZoneId::new(zone),
            check: "http".to_owned(),
            every: Some(Duration::from_secs(60)),
        };
        self.weekly.store.register(names.iter().map(service).collect()).await.unwrap();
    }

    /// Logs checks a minute apart.
    async fn log(&self, name: &str, from: &str, seen: &[(Status, Option<u64>, Muting)]) {
        for (minute, (status, millis, maintenance)) in (0..).zip(seen) {
            let outcome = Outcome {
                status: *status,
                summary: String::new(),
                notice: None,
                response_time: millis.map(Duration::from_millis),
                attempts: 1,
                metrics: Vec::new(),
                at: time(from) + SignedDuration::from_mins(minute),
            };
            let commit = Commit {
                service: ServiceId::new(name),
                urgency: Urgency::Ordinary,
                outcome: Some(Logged { outcome, maintenance: *maintenance }),
                transition: None,
                incident: None,
                state: None,
                alerts: Vec::new(),
            };
            self.weekly.store.commit(commit).await.unwrap();
        }
        self.weekly.store.flush().await.unwrap();
    }

    /// Looks at that time, and once more when the clock has gone steadily for long enough.
    async fn look(&mut self, at: &str) {
        for minutes in [0, 5, 10] {
            let wall = time(at) + SignedDuration::from_mins(minutes);
            let uptime = Duration::from_secs(60 * u64::try_from(minutes).unwrap());
            *self.clock.0.lock().unwrap() = Moment { uptime, wall };
            self.weekly.look(&mut self.known).await.unwrap();
        }
    }

    fn exports(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.folder.path().join("exports")) else { return Vec::new() };
        let mut names: Vec<_> =
            folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("exports").join(name)).unwrap()
    }

    async fn digest(&self) -> Option<crate::store::Delivery> {
        self.weekly.store.next_delivery(&SinkId::new("discord")).await.unwrap()
    }
}

const UP: (Status, Option<u64>, Muting) = (Status::Up, Some(40), Muting::Audible);
const SLOW: (Status, Option<u64>, Muting) = (Status::Degraded, Some(60), Muting::Audible);
const DOWN: (Status, Option<u64>, Muting) = (Status::Down, None, Muting::Audible);
const UNKNOWN: (Status, Option<u64>, Muting) = (Status::Unknown, None, Muting::Audible);
const MUTED: (Status, Option<u64>, Muting) = (Status::Down, Some(9000), Muting::Muted);

const EXPECTED: &str = "week,service,zone,check,checks,up,degraded,down,unknown,uptime_percent,avg_response_ms,\
p50_response_ms,p95_response_ms,max_response_ms,avg_change_percent,incidents,downtime_seconds,maintenance_seconds\r\n\
2026-W47,\"Git, the \"\"forge\"\"\",external,http,2,0,0,0,1,,,,,,,0,0,60\r\n\
2026-W47,=Büro,local,http,5,2,1,1,1,75.000,46.667,40.447,59.903,60.000,16.7,0,60,0\r\n";

/// A history of which everything is known.
async fn known_history() -> Stage {
    let mut stage = Stage::new();
    stage.register(&[("=Büro", "local"), ("Git, the \"forge\"", "external"), ("Old", "local")]).await;
    stage.log("=Büro", "2026-11-12T10:00:00Z", &[UP, UP]).await;
    stage.log("=Büro", "2026-11-15T22:58:00Z", &[UP, UP]).await;
    stage.log("=Büro", "2026-11-15T23:00:00Z", &[UP, DOWN, SLOW, UP, UNKNOWN]).await;
    stage.log("Git, the \"forge\"", "2026-11-22T22:58:00Z", &[UNKNOWN, MUTED, UP]).await;
    stage.log("Old", "2026-11-11T12:00:00Z", &[UP]).await;
    stage.look("2026-11-23T09:00:00Z").await;
    stage
}

#[tokio::test]
async fn a_known_week_is_written_to_the_byte() {
    let stage = known_history().await;
    assert_eq!(stage.exports(), ["uptime-2026-W46.csv", "uptime-2026-W47.csv"]);
    assert_eq!(stage.text("uptime-2026-W47.csv"), EXPECTED);
}

#[tokio::test]
async fn python_reads_the_file() {
    let stage = known_history().await;
    let program = "import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))
assert all(len(row) == 18 and None not in row and None not in row.values() for row in rows), rows
print([(row['service'], row['checks'], row['uptime_percent'], row['maintenance_seconds']) for row in rows])";
    let file = stage.folder.path().join("exports/uptime-2026-W47.csv");
    let ran = std::process::Command::new("python3").arg("-c").arg(program).arg(file).output().unwrap();
    assert_eq!(
        String::from_utf8(ran.stdout).unwrap().trim(),
        "[('Git, the \"forge\"', '2', '', '60'), ('=Büro', '5', '75.000', '0')]"
    );
}

#[tokio::test]
async fn a_week_is_written_and_told_once() {
    let mut stage = known_history().await;
    let digest = stage.digest().await.unwrap();
    assert_eq!(
        digest.alert.summary,
        "Week 2026-W47: 2 services, 75.00 % up, 0 incidents.\nWorst: =Büro 75.00 % (1 min down)."
    );
    stage.weekly.store.delivery_sent(digest.id, time("2026-11-23T09:11:00Z")).await.unwrap();
    let file = stage.folder.path().join("exports/uptime-2026-W47.csv");
    std::fs::remove_file(file).unwrap();
    stage.known = Known::default();
    stage.look("2026-11-23T10:00:00Z").await;
    assert_eq!(stage.exports(), ["uptime-2026-W46.csv"], "what a person removed stays away");
    assert_eq!(stage.digest().await, None);
}

#[tokio::test]
async fn who_is_slower_by_more_than_a_quarter_is_named() {
    let mut stage = Stage::new();
    stage
        .register(&[("Slower", "local"), ("A quarter", "local"), ("Faster", "local"), ("New", "local")])
        .await;
    let took = |millis| [(Status::Up, Some(millis), Muting::Audible)];
    for (name, before, now) in [("Slower", 100, 126), ("A quarter", 100, 125), ("Faster", 100, 50)] {
        stage.log(name, "2026-11-11T10:00:00Z", &took(before)).await;
        stage.log(name, "2026-11-18T10:00:00Z", &took(now)).await;
    }
    stage.log("New", "2026-11-18T10:00:00Z", &took(9000)).await;
    stage.look("2026-11-23T09:00:00Z").await;
    assert_eq!(
        stage.digest().await.unwrap().alert.summary,
        "Week 2026-W47: 4 services, 100.00 % up, 0 incidents.\nSlower than the week before: Slower +26 % (100 → 126 ms)."
    );
}

#[tokio::test]
async fn after_a_month_without_power_the_missing_weeks_are_written() {
    let mut stage = Stage::new();
    stage.register(&[("NAS", "local")]).await;
    stage.log("NAS", "2026-10-06T10:00:00Z", &[UP, UP]).await;
    stage.log("NAS", "2026-10-14T10:00:00Z", &[UP, UP]).await;
    stage.look("2026-11-24T09:00:00Z").await;
    assert_eq!(stage.exports(), ["uptime-2026-W41.csv", "uptime-2026-W42.csv"]);
    assert_eq!(stage.digest().await, None, "old weeks are no news");
}

#[tokio::test]
async fn a_clock_that_is_not_set_does_nothing() {
    let mut stage = Stage::new();
    stage.register(&[("NAS", "local")]).await;
    stage.log("NAS", "2026-11-18T10:00:00Z", &[UP, UP, UP]).await;
    for wrong in ["1970-01-01T00:00:00Z", "2026-11-01T00:00:00Z"] {
        stage.look(wrong).await;
        assert_eq!(stage.exports(), [""; 0], "{wrong}");
    }
    // It jumps ahead, and nobody knows yet whether that is right.
    *stage.clock.0.lock().unwrap() =
        Moment { uptime: Duration::from_secs(660), wall: time("2026-11-24T00:00:00Z") };
    stage.weekly.look(&mut stage.known).await.unwrap();
    assert_eq!(stage.exports(), [""; 0]);
    stage.look("2026-11-24T00:01:00Z").await;
    assert_eq!(stage.exports(), ["uptime-2026-W47.csv"]);
}

#[tokio::test]
async fn the_digest_waits_for_the_end_of_maintenance() {
    let mut stage = Stage::new();
    stage.register(&[("NAS", "local")]).await;
    stage.log("NAS", "2026-11-18T10:00:00Z", &[UP, UP, UP]).await;
    let flag = Some(pihook_core::maintenance::Flag::default());
    stage.maintenance.send_replace(Maintenance { flag, windows: Vec::new() });
    stage.look("2026-11-23T09:00:00Z").await;
    assert_eq!(stage.exports(), ["uptime-2026-W47.csv"], "maintenance mutes alerts, never history");
    assert_eq!(stage.digest().await, None);
    stage.maintenance.send_replace(Maintenance::default());
    stage.look("2026-11-23T09:30:00Z").await;
    assert!(stage.digest().await.is_some());
}

#[tokio::test]
async fn old_checks_go_after_the_file_and_their_sums_stay() {
    let mut stage = Stage::new();
    stage.register(&[("NAS", "local")]).await;
    stage.log("NAS", "2026-09-01T10:00:00Z", &[UP, UP, UP]).await;
    stage.log("NAS", "2026-11-18T10:00:00Z", &[UP, UP]).await;
    stage.look("2026-11-23T09:00:00Z").await;
    let db = StoreReader::open(&stage.weekly.database).unwrap();
    let edges = [time("2026-09-01T00:00:00Z"), time("2026-09-02T00:00:00Z")];
    assert_eq!(db.series(&edges, None).unwrap()[0].spans[0].up, 3);
    // Half an hour was single checks once; now the hour counts where it begins.
    let edges = [time("2026-09-01T09:30:00Z"), time("2026-09-01T10:01:00Z")];
    assert_eq!(db.series(&edges, None).unwrap()[0].spans[0].up, 3);
    assert!(db.weeks().unwrap().iter().any(|note| note.pruned));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again() {
    let mut stage = Stage::new();
    stage.register(&[("NAS", "local")]).await;
    stage.log("NAS", "2026-11-18T10:00:00Z", &[UP, UP]).await;
    let folder = stage.folder.path().join("exports");
    std::fs::write(&folder, "in the way").unwrap();
    *stage.clock.0.lock().unwrap() = Moment { uptime: Duration::ZERO, wall: time("2026-11-23T09:00:00Z") };
    stage.weekly.look(&mut stage.known).await.unwrap();
    *stage.clock.0.lock().unwrap() =
        Moment { uptime: Duration::from_secs(600), wall: time("2026-11-23T09:10:00Z") };
    assert!(matches!(stage.weekly.look(&mut stage.known).await, Err(WeeklyError::Sheet(_))));
    std::fs::remove_file(Path::new(&folder)).unwrap();
    stage.weekly.look(&mut stage.known).await.unwrap();
    assert_eq!(stage.exports(), ["uptime-2026-W47.csv"]);
}
