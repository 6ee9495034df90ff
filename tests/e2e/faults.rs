//! Faults of the database, injected for real: a full disk, a read-only one, a lock, damage, a power cut.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]
#![allow(clippy::print_stdout, reason = "a test that is left out says why")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;

use super::check_disk::Mounted;
use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use crate::discord::{FakeDiscord, Received};
use crate::web::{Behaviour, WebServer};

/// A daemon whose database is on a small disk of its own.
fn on_a_small_disk(text: &str) -> Option<(Daemon, Mounted)> {
    let daemon = Daemon::prepare(text);
    let cache = daemon.path("data/cache");
    fs::rename(&cache, daemon.path("cache")).unwrap();
    let disk = Mounted::new(daemon.path("data"), "size=2m")?;
    std::os::unix::fs::symlink(daemon.path("cache"), cache).unwrap();
    Some((daemon, disk))
}

/// What was told of the service; a disk this small is told of too.
fn about_nas(discord: &FakeDiscord) -> Vec<Received> {
    let mut received = discord.received();
    received.retain(|message| message.title().contains("NAS"));
    received
}

#[tokio::test]
async fn a_full_disk_stops_no_check_and_loses_no_alert() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let text = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let Some((mut daemon, disk)) = on_a_small_disk(&text) else { return };
    daemon.restart().await;
    daemon.further_checks("NAS", 2).await;
    let filler = disk.0.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    daemon.until("the trouble", |it| it.log().contains("the database cannot be written")).await;
    let before = server.requests();
    daemon.until("checks to go on", |_| server.requests() >= before + 5).await;
    server.set(Behaviour::Close).await;
    daemon.until("an incident", |it| it.log().contains("opened")).await;
    // Told although it cannot be written, and so is its end; each once.
    daemon.until("the outage to be told", |_| about_nas(&discord).len() == 1).await;
    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery to be told", |_| about_nas(&discord).len() == 2).await;
    assert!(daemon.alerts().iter().all(|alert| alert.service != "NAS"), "the disk was not full");
    let told = about_nas(&discord);
    assert!(told[0].title().contains("NAS is down"), "{}", told[0].title());
    assert!(told[0].text().contains("Told from memory"), "{}", told[0].text());
    assert!(told[1].title().contains("NAS is up again"), "{}", told[1].title());
    let checked = server.requests();
    fs::remove_file(&filler).unwrap();
    daemon.until("the recovery", |it| it.log().contains("the database can be written again")).await;
    daemon.further_checks("NAS", 4).await;
    let alerts: Vec<_> = daemon.alerts().into_iter().filter(|alert| alert.service == "NAS").collect();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert!(alerts.iter().all(|alert| alert.state == "sent"), "{alerts:?}");
    assert!(daemon.count("NAS", "up") >= checked, "what was held is missing in history");
    assert!(daemon.count("NAS", "down") >= 3, "what was held is missing in history");
    assert_eq!(about_nas(&discord).len(), 2, "something was told twice");
    assert_eq!(daemon.integrity(), "ok");
    daemon.stop().await;
}

#[tokio::test]
async fn a_start_on_a_read_only_disk_says_so() {
    let discord = FakeDiscord::start().await;
    let text = config(&discord.url(), LADDER, &[service("NAS", "http://127.0.0.1:9/")]);
    let Some((mut daemon, disk)) = on_a_small_disk(&text) else { return };
    daemon.restart().await;
    daemon.stop().await;
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status().unwrap();
    assert!(remounted.success());
    daemon.spawn();
    assert_eq!(daemon.ended(PATIENCE).await.code(), Some(70));
    assert!(daemon.log().contains("Read-only file system"), "{}", daemon.log());
}

/// A small ext4 filesystem in a file, which breaks when it is told to. Unmounted at the end.
struct Breakable {
    at: PathBuf,
    image: PathBuf,
}

impl Breakable {
    /// None, with a printed reason, where this machine lets nobody mount.
    fn new(at: PathBuf, image: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        fs::File::create(&image).unwrap().set_len(24 << 20).unwrap();
        let disk = Self { at, image };
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk.image).output();
        let made = made.is_ok_and(|made| made.status.success());
        if made && disk.mount() {
            return Some(disk);
        }
        println!("not tested: no filesystem in a file can be made and mounted");
        None
    }

    fn mount(&self) -> bool {
        let mount = Command::new("mount")
            .args(["-o", "loop,errors=remount-ro"])
            .arg(&self.image)
            .arg(&self.at)
            .output()
            .unwrap();
        mount.status.success()
    }

    /// From now on the kernel refuses to write there, also to files that are open for it: this is what an error of the
    /// disk does.
    fn break_it(&self) {
        let broken = Command::new("mount").args(["-o", "remount,abort"]).arg(&self.at).status().unwrap();
        assert!(broken.success());
    }

    /// As a repair does, nothing of it may be in use.
    fn mend(&self) {
        let unmounted = Command::new("umount").arg(&self.at).status().unwrap();
        assert!(unmounted.success() && self.mount());
    }
}

impl Drop for Breakable {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[tokio::test]
async fn a_disk_that_turns_read_only_stops_no_check_and_loses_no_alert() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]));
    let cache = daemon.path("data/cache");
    fs::rename(&cache, daemon.path("cache")).unwrap();
    let Some(disk) = Breakable::new(daemon.path("data"), daemon.path("disk.img")) else { return };
    std::os::unix::fs::symlink(daemon.path("cache"), cache).unwrap();
    daemon.restart().await;
    daemon.further_checks("NAS", 2).await;
    let committed = daemon.count("NAS", "up");

    disk.break_it();
    daemon.until("the trouble", |it| it.log().contains("the database cannot be written")).await;
    let before = server.requests();
    daemon.until("checks to go on", |_| server.requests() >= before + 3).await;
    server.set(Behaviour::Close).await;
    daemon.until("the outage to be told", |_| about_nas(&discord).len() == 1).await;
    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery to be told", |_| about_nas(&discord).len() == 2).await;
    assert!(about_nas(&discord)[0].text().contains("Told from memory"));
    daemon.stop().await;
    assert!(daemon.log().contains("the database was closed before all could be written"), "{}", daemon.log());

    disk.mend();
    daemon.restart().await;
    daemon.further_checks("NAS", 2).await;
    assert!(daemon.count("NAS", "up") >= committed, "something committed is lost");
    assert_eq!(daemon.integrity(), "ok");
    assert_eq!(about_nas(&discord).len(), 2);
    daemon.stop().await;
}

/// Files that the kernel refuses to write to, also where they are open already, as on a read-only disk; until dropped.
struct Protected([PathBuf; 2]);

impl Protected {
    /// The daemon's database. None, with a printed reason, where this filesystem cannot do that.
    fn database(daemon: &Daemon) -> Option<Self> {
        let protected = Self(["data/pihook.db", "data/pihook.db-wal"].map(|name| daemon.path(name)));
        if protected.change("+i") {
            return Some(protected);
        }
        println!("not tested: no file can be protected here");
        None
    }

    fn change(&self, how: &str) -> bool {
        let changed = Command::new("chattr").arg(how).args(&self.0).output();
        changed.is_ok_and(|changed| changed.status.success())
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        // Or the folder cannot be removed.
        self.change("-i");
    }
}

#[tokio::test]
async fn a_database_that_is_read_only_for_a_while_goes_on_by_itself() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let text = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&text).await;
    daemon.further_checks("NAS", 2).await;
    let Some(protected) = Protected::database(&daemon) else { return };
    daemon.until("the trouble", |it| it.log().contains("the database cannot be written")).await;
    server.set(Behaviour::Close).await;
    daemon.until("the outage to be told", |_| about_nas(&discord).len() == 1).await;
    let checked = server.requests();
    drop(protected);
    daemon.until("the recovery", |it| it.log().contains("the database can be written again")).await;
    daemon.until("what was held", |it| it.checks_of("NAS").len() >= checked).await;
    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery to be told", |_| about_nas(&discord).len() == 2).await;
    let alerts: Vec<_> = daemon.alerts().into_iter().filter(|alert| alert.service == "NAS").collect();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert_eq!(daemon.integrity(), "ok");
    daemon.stop().await;
}

#[tokio::test]
async fn a_lock_held_for_long_loses_nothing() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let text = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&text).await;
    daemon.further_checks("NAS", 1).await;
    let lock = Connection::open(daemon.path("data/pihook.db")).unwrap();
    lock.busy_timeout(PATIENCE).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    daemon.until("the trouble", |it| it.log().contains("the database cannot be written")).await;
    let before = server.requests();
    daemon.until("checks to go on", |_| server.requests() >= before + 3).await;
    lock.execute_batch("ROLLBACK").unwrap();
    daemon.until("the recovery", |it| it.log().contains("the database can be written again")).await;
    daemon.stop().await;
    assert_eq!(daemon.count("NAS", "up"), server.requests(), "a check is missing");
}

#[tokio::test]
async fn a_damaged_database_is_replaced_and_told_once() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.until("the alert to be sent", |it| it.alerts().iter().any(|alert| alert.state == "sent")).await;
    daemon.stop().await;
    let before = daemon.checks().len();
    let path = daemon.path("data/pihook.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[..100].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    daemon.restart().await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert!(messages[1].text().contains("was damaged"), "{}", messages[1].text());
    daemon.further_checks("NAS", 3).await;
    assert!(daemon.checks().len() > before, "history is lost");
    let asides = fs::read_dir(daemon.path("data")).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("pihook.db.corrupt-") && !name.ends_with("-wal")
    });
    assert_eq!(asides.count(), 1);
    daemon.stop().await;
    daemon.restart().await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(discord.received().len(), 2, "the incident and the damage are each told once");
}

#[tokio::test]
async fn what_a_power_cut_leaves_is_started_from() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.until("the alert to be sent", |it| it.alerts().iter().any(|alert| alert.state == "sent")).await;
    daemon.kill();
    let committed = daemon.checks().len();
    // The end of the log is torn, as it is where a sector was being written.
    let log = daemon.path("data/pihook.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend([0x5A; 3000]);
    fs::write(&log, bytes).unwrap();
    daemon.restart().await;
    assert!(daemon.checks().len() >= committed, "something committed is lost");
    daemon.further_checks("NAS", 4).await;
    assert_eq!(discord.received().len(), 1);
    assert_eq!(daemon.integrity(), "ok");
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let discord = FakeDiscord::start().await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", "http://127.0.0.1:9/")])).await;
    daemon.stop().await;
    let path = daemon.path("data/pihook.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 999;").unwrap();
    drop(db);
    let before = fs::read(&path).unwrap();
    daemon.spawn();
    assert_eq!(daemon.ended(PATIENCE).await.code(), Some(70));
    assert!(daemon.log().contains("format 999"), "{}", daemon.log());
    assert!(fs::read(&path).unwrap() == before, "it was touched");
}
