//! Power cuts and other bad ends: nothing decided is lost, nothing told is disordered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a helper that fails fails its test"
)]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::daemon::{Daemon, LADDER, Logged, PATIENCE, config, service};
use crate::discord::{Answer, FakeDiscord, Received};
use crate::web::{Behaviour, WebServer};

/// How often the daemon is killed.
const KILLS: usize = 50;

/// Failed checks in a row that open an incident.
const THRESHOLD: usize = 3;

/// Random numbers from a seed (splitmix64), so that a failure can be had again: `PIHOOK_TEST_SEED` sets it.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        let given = std::env::var("PIHOOK_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        // Shown if the test fails.
        println!("PIHOOK_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    pub(super) fn micros(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(from + self.below(to - from))
    }

    /// What a Discord in trouble does next.
    fn answers(&mut self) -> Vec<Answer> {
        let moods = [
            Answer::Ok,
            Answer::ServerError,
            Answer::Close,
            Answer::Hang,
            Answer::TakeAndHang,
            Answer::RateLimited(0.2),
            Answer::NoContent,
        ];
        (0..8).map(|_| moods[self.below(moods.len() as u64) as usize]).collect()
    }
}

/// A service with its server.
struct Watched {
    name: String,
    server: WebServer,
    down: bool,
}

impl Watched {
    async fn start(name: &str) -> Self {
        Self { name: name.to_owned(), server: WebServer::start(Behaviour::ok("")).await, down: false }
    }

    async fn turn(&mut self) {
        self.down = !self.down;
        self.server.set(if self.down { Behaviour::Refuse } else { Behaviour::ok("") }).await;
    }
}

/// The time around a kill in which a delivery may have been in flight.
struct Kill {
    at: Instant,
    restarted: Instant,
}

/// A service and what is said of it.
type News = (String, String);

/// What should have been told, by nothing but the logged checks: an oracle without a database and a sandbox.
fn deserved(checks: &[Logged], service: &str) -> Vec<News> {
    let mut news = Vec::new();
    let mut tell = |kind: &str| news.push((service.to_owned(), kind.to_owned()));
    let (mut streak, mut open) = (0, false);
    for check in checks.iter().filter(|check| check.service == service) {
        streak = if check.status == "up" { 0 } else { streak + 1 };
        if streak == THRESHOLD && !open {
            tell("opened");
        }
        if streak == 0 && open {
            tell("recovered");
        }
        open = streak >= THRESHOLD || (open && streak > 0);
    }
    news
}

/// What was told, each message with when.
fn told(received: &[Received]) -> Vec<(News, Instant)> {
    let news = |message: &Received| {
        let title = message.title().split_once(' ').unwrap_or_default().1;
        if let Some(name) = title.strip_suffix(" is down") {
            return (name.to_owned(), "opened".to_owned());
        }
        let name = title.strip_suffix(" is up again").unwrap_or_else(|| panic!("what is {title:?}?"));
        (name.to_owned(), "recovered".to_owned())
    };
    received.iter().map(|message| (news(message), message.at)).collect()
}

/// Holds what was told against what was decided: nothing is missing, nothing out of order, and nothing is doubled but
/// what may have been in flight at a kill.
fn compare(decided: &[News], told: &[(News, Instant)], kills: &[Kill]) {
    let mut next = 0;
    let mut last: Option<(&News, Instant)> = None;
    for (news, at) in told {
        if decided.get(next) == Some(news) {
            next += 1;
        } else {
            let (before, before_at) = last.unwrap_or_else(|| panic!("{news:?} comes first: {told:#?}"));
            assert_eq!(news, before, "out of order: decided {decided:#?}, told {told:#?}");
            let killed = kills.iter().any(|kill| before_at <= kill.restarted && *at >= kill.at);
            assert!(killed, "{news:?} is doubled without a kill between: {told:#?}");
        }
        last = Some((news, *at));
    }
    assert_eq!(next, decided.len(), "not all is told: decided {decided:#?}, told {told:#?}");
}

/// Kills the daemon again and again, while services come and go and Discord is in trouble.
async fn kill_and_kill(
    daemon: &mut Daemon,
    discord: &FakeDiscord,
    services: &mut [Watched],
    random: &mut Random,
) -> Vec<Kill> {
    let mut kills: Vec<Kill> = Vec::new();
    for _ in 0..KILLS {
        discord.script(random.answers());
        for service in services.iter_mut() {
            if random.one_in(6) {
                service.turn().await;
            }
        }
        daemon.spawn();
        if let Some(kill) = kills.last_mut() {
            kill.restarted = Instant::now();
        }
        // Not a state to wait for: a crash comes when it comes.
        sleep(random.millis(200, 1500)).await;
        daemon.kill();
        kills.push(Kill { at: Instant::now(), restarted: Instant::now() });
    }
    kills
}

#[tokio::test]
async fn fifty_kills_lose_nothing_and_disorder_nothing() {
    let mut random = Random::new();
    let discord = FakeDiscord::start().await;
    let mut services = Vec::new();
    for name in ["Alpha", "Beta", "Gamma", "Delta"] {
        services.push(Watched::start(name).await);
    }
    let lines: Vec<_> = services.iter().map(|it| service(&it.name, &it.server.url("/"))).collect();
    // The oracle knows the ladder alone, and these services come and go so often that they would flap.
    let config = config(&discord.url(), LADDER, &lines).replace("retries: 0", "retries: 0, flap: off");
    let mut daemon = Daemon::prepare(&config);
    let mut kills = kill_and_kill(&mut daemon, &discord, &mut services, &mut random).await;

    discord.script([Answer::Ok]);
    daemon.restart().await;
    kills[KILLS - 1].restarted = Instant::now();
    for service in &services {
        daemon.further_checks(&service.name, THRESHOLD).await;
    }
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.stop().await;

    assert_eq!(daemon.integrity(), "ok");
    assert_eq!(discord.violations(), [""; 0]);
    let decided: Vec<News> = daemon.alerts().into_iter().map(|alert| (alert.service, alert.kind)).collect();
    let checks = daemon.checks();
    for service in &services {
        let mut decided = decided.clone();
        decided.retain(|(name, _)| *name == service.name);
        assert_eq!(decided, deserved(&checks, &service.name), "{}", service.name);
        let says_down = decided.last().is_some_and(|(_, kind)| kind == "opened");
        assert_eq!(says_down, service.down, "the last that is said of {} is not true", service.name);
    }
    let told = told(&discord.received());
    compare(&decided, &told, &kills);
    println!("{} checks, {} alerts, {} messages", checks.len(), decided.len(), told.len());
    assert!(decided.len() >= 4, "too little happened to show anything: {decided:?}");
}

#[test]
fn the_comparison_finds_what_is_missing_doubled_or_out_of_order() {
    let begin = Instant::now();
    let at = |ms| begin + Duration::from_millis(ms);
    let news = |name: &str| (name.to_owned(), "opened".to_owned());
    let decided = [news("a"), news("b")];
    let kills = [Kill { at: at(15), restarted: at(16) }];
    let holds = |told: &[(&str, u64)]| {
        let told: Vec<_> = told.iter().map(|(name, ms)| (news(name), at(*ms))).collect();
        std::panic::catch_unwind(|| compare(&decided, &told, &kills)).is_ok()
    };
    assert!(holds(&[("a", 10), ("b", 20)]));
    assert!(holds(&[("a", 10), ("a", 20), ("b", 30)]), "in flight at the kill");
    assert!(!holds(&[("a", 20), ("a", 30), ("b", 40)]), "doubled without a kill");
    assert!(!holds(&[("a", 10)]), "one is missing");
    assert!(!holds(&[("b", 10), ("a", 20)]), "out of order");
    assert!(!holds(&[("a", 10), ("b", 20), ("a", 30)]), "told again later");
}

#[tokio::test]
async fn a_streak_survives_a_kill() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let config = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&config).await;
    daemon.until("two failed checks", |daemon| daemon.count("NAS", "down") == 2).await;
    daemon.kill();
    daemon.restart().await;
    let message = discord.wait_for(1, PATIENCE).await.remove(0);
    assert!(message.text().contains("Failed checks: 3"), "{}", message.text());
    daemon.kill();
    daemon.restart().await;
    daemon.further_checks("NAS", 4).await;
    assert_eq!(daemon.alerts().len(), 1, "an open incident is not opened again");

    daemon.kill();
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    daemon.until("the recovery", |daemon| daemon.alerts().len() == 2).await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(daemon.alerts().len(), 2);
}

#[tokio::test]
async fn a_delivery_that_hangs_does_not_keep_it_from_stopping() {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::Hang, Answer::Ok]);
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    discord.wait_for_requests(1, PATIENCE).await;
    daemon.stop().await;
    assert_eq!(daemon.alerts()[0].state, "pending", "it is not lost");
    daemon.restart().await;
    discord.wait_for(1, PATIENCE).await;
    daemon.until("it to be sent", |daemon| daemon.alerts()[0].state == "sent").await;
}

#[tokio::test]
async fn a_check_that_hangs_does_not_keep_it_from_stopping() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Silent).await;
    let config = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(
        &config.replace("read_timeout: 1s", "read_timeout: 60s").replace("interval: 1s", "interval: 60s"),
    )
    .await;
    daemon.until("the check to wait", |_| server.requests() == 1).await;
    daemon.stop().await;
    assert!(daemon.log().trim_end().ends_with("stopped"), "{}", daemon.log());
}

#[tokio::test]
async fn what_waits_to_be_written_is_written_at_the_end() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let config = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&config.replace("commit_every: 100ms", "commit_every: 5m")).await;
    daemon.until("three checks", |_| server.requests() >= 3).await;
    daemon.stop().await;
    assert!(!daemon.path("data/pihook.db-wal").exists(), "the log is folded into the database");
    assert!(daemon.count("NAS", "up") >= 3, "{:?}", daemon.checks());
}

#[tokio::test]
async fn a_second_daemon_on_the_same_data_refuses() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    let output = daemon.pihook(&["run"]).await;
    assert_eq!(output.status.code(), Some(70));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another pihook is running on") && said.contains("data"), "{said}");
    daemon.further_checks("NAS", 1).await;
    daemon.kill();
    daemon.restart().await;
}

#[tokio::test]
async fn a_failed_start_says_why_and_touches_nothing() {
    let discord = FakeDiscord::start().await;
    let mut daemon =
        Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", "http://127.0.0.1:9/")]));
    let database = daemon.path("data/pihook.db");
    std::fs::write(&database, "This is not a database, it is somebody's diary.").unwrap();
    daemon.spawn();
    assert_eq!(daemon.ended(PATIENCE).await.code(), Some(70));
    assert!(daemon.log().contains("pihook.db"), "{}", daemon.log());
    assert!(std::fs::read_to_string(&database).unwrap().contains("diary"));
}
