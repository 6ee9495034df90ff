//! The daemon under test: the real binary, in a folder of its own.
//!
//! ```ignore
//! let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
//! daemon.until("two checks", |daemon| daemon.checks_of("NAS").len() >= 2).await;
//! daemon.kill();
//! ```
//! Whatever is waited for is waited for with a bound; a failure shows the daemon's log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a helper that fails fails its test"
)]

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, timeout};

const PIHOOK: &str = env!("CARGO_BIN_EXE_pihook");

/// How long a state may take to come. Far more than it takes, since the machine may be busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long stopping may take, as users are promised.
const STOPPING: Duration = Duration::from_secs(10);

/// How often a state is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Three failures, told to everybody; PiHook's default.
pub(super) const LADDER: &str = "[{ after: 3, severity: critical }]";

/// A services.yaml with quick checks, one sink that gets each alert by itself, and these services.
pub(super) fn config(webhook: &str, ladder: &str, services: &[String]) -> String {
    format!(
        "data_dir: data\n\
         dashboard: off\n\
         history: {{ commit_every: 100ms }}\n\
         defaults: {{ interval: 1s, retries: 0, connect_timeout: 1s, read_timeout: 1s }}\n\
         zones: {{ local: {{}}, external: {{}} }}\n\
         sinks: {{ discord: {{ type: discord, url: \"{webhook}\", gather: 0s, max_per_minute: 600 }} }}\n\
         escalation: {ladder}\n\
         startup_message: never\n\
         services:\n{}\n",
        services.concat()
    )
}

/// A service that is asked for a page.
pub(super) fn service(name: &str, url: &str) -> String {
    in_zone("local", name, url)
}

/// The same, in another zone.
pub(super) fn in_zone(zone: &str, name: &str, url: &str) -> String {
    format!("  - {{ name: {name}, zone: {zone}, url: \"{url}\" }}\n")
}

/// A service whose plugin misbehaves as it is told; it takes [`rogue_plugin`].
pub(super) fn rogue(name: &str, act: &str) -> String {
    format!("  - {{ name: {name}, check: rogue-check, settings: {{ act: {act} }} }}\n")
}

/// The section of services.yaml that declares the misbehaving plugin.
pub(super) fn rogue_plugin() -> String {
    format!("plugins: {{ rogue-check: {{ file: \"{}\" }} }}\n", rogue_wasm().display())
}

fn rogue_wasm() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins/rogue-check.wasm");
    path.canonicalize().expect("target/plugins/rogue-check.wasm is missing: `./build.sh check` makes it")
}

/// A row of `check_log`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logged {
    pub(super) at_ms: i64,
    pub(super) service: String,
    pub(super) status: String,
    pub(super) summary: String,
    pub(super) in_maintenance: bool,
}

/// A row of `incident_log`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Incident {
    pub(super) service: String,
    pub(super) opened_ms: i64,
    pub(super) closed_ms: Option<i64>,
    pub(super) severity: String,
    pub(super) checks_failed: i64,
}

/// A decision to tell someone, with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alert {
    pub(super) at_ms: i64,
    pub(super) service: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) attempts: i64,
}

/// The daemon and its folder. Both are gone when this is dropped.
pub(super) struct Daemon {
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    arguments: Vec<&'static str>,
    child: Option<Child>,
    /// How long the log was when the daemon was last started.
    began: usize,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}---", self.log());
        }
    }
}

impl Daemon {
    /// Starts with this configuration and waits until it watches.
    pub(super) async fn start(config: &str) -> Self {
        let mut daemon = Self::prepare(config);
        daemon.restart().await;
        daemon
    }

    /// A folder with this configuration and compiled plugins; nothing runs yet.
    pub(super) fn prepare(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(compiled_plugins(), &folder.path().join("data/cache"));
        let daemon = Self { folder, environment: Vec::new(), arguments: Vec::new(), child: None, began: 0 };
        daemon.configure(config);
        daemon
    }

    /// With one more environment variable from its next start on.
    pub(super) fn environment(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// With one more argument of `pihook run` from its next start on.
    pub(super) fn argument(&mut self, argument: &'static str) -> &mut Self {
        self.arguments.push(argument);
        self
    }

    /// Replaces services.yaml in one step.
    pub(super) fn configure(&self, config: &str) {
        let new = self.path("services.yaml.new");
        fs::write(&new, config).unwrap();
        fs::rename(&new, self.config()).unwrap();
    }

    /// Starts the daemon and does not wait for anything.
    pub(super) fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        self.began = self.log().len();
        let child = self.command("run").args(&self.arguments).stderr(log).stdout(Stdio::null()).spawn();
        self.child = Some(child.unwrap());
    }

    /// Starts the daemon and waits until it watches.
    pub(super) async fn restart(&mut self) {
        self.spawn();
        self.until("the daemon to watch", |daemon| daemon.log()[daemon.began..].contains("watching ")).await;
    }

    /// Ends it as a crash or a power cut would.
    pub(super) fn kill(&mut self) {
        let mut child = self.child.take().expect("it does not run");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ends it politely.
    ///
    /// # Panics
    /// If it takes longer than promised, or says that something went wrong.
    pub(super) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.ended(STOPPING).await;
        assert!(status.success(), "it ended with {status}");
    }

    /// Waits until it has ended by itself.
    pub(super) async fn ended(&mut self, bound: Duration) -> ExitStatus {
        let began = Instant::now();
        let mut child = self.child.take().expect("it does not run");
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if began.elapsed() > bound {
                self.child = Some(child);
                panic!("it still runs after {bound:?}");
            }
            sleep(LOOK).await;
        }
    }

    /// Asks it to reload.
    pub(super) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it does not run");
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Runs another command on the same configuration.
    pub(super) async fn pihook(&self, arguments: &[&str]) -> Output {
        let mut command = tokio::process::Command::from(self.command(arguments[0]));
        let output = command.args(&arguments[1..]).kill_on_drop(true).output();
        timeout(PATIENCE, output).await.expect("the command does not end").unwrap()
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(PIHOOK);
        command.arg("--config").arg(self.config()).arg(name).current_dir(self.folder.path());
        command.env_remove("PIHOOK_LOG").envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// A file in its folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its services.yaml.
    pub(super) fn config(&self) -> PathBuf {
        self.path("services.yaml")
    }

    /// All that it has logged, also before it was killed.
    pub(super) fn log(&self) -> String {
        fs::read(self.path("log")).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Puts the maintenance flag up, with this content.
    pub(super) fn flag(&self, content: &str) {
        fs::write(self.path("data/maintenance.flag"), content).unwrap();
    }

    /// Takes the maintenance flag down.
    pub(super) fn unflag(&self) {
        fs::remove_file(self.path("data/maintenance.flag")).unwrap();
    }

    /// Waits for a state of the daemon.
    ///
    /// # Panics
    /// When it does not come.
    pub(super) async fn until(&mut self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !reached(self) {
            assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for {what}");
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("the daemon ended with {status} while waiting for {what}");
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until so many further checks of the service are logged: time enough for what must not happen.
    pub(super) async fn further_checks(&mut self, service: &str, count: usize) {
        let now = self.checks_of(service).len();
        self.until("further checks", |daemon| daemon.checks_of(service).len() >= now + count).await;
    }

    /// The checks of all services, in order.
    pub(super) fn checks(&self) -> Vec<Logged> {
        self.rows(
            "SELECT at_ms, service, status, summary, in_maintenance FROM check_log ORDER BY at_ms",
            |row| {
                Ok(Logged {
                    at_ms: row.get(0)?,
                    service: row.get(1)?,
                    status: row.get(2)?,
                    summary: row.get(3)?,
                    in_maintenance: row.get(4)?,
                })
            },
        )
    }

    /// The checks of a service, in order.
    pub(super) fn checks_of(&self, service: &str) -> Vec<Logged> {
        let mut checks = self.checks();
        checks.retain(|check| check.service == service);
        checks
    }

    /// How often the service was seen with this status.
    pub(super) fn count(&self, service: &str, status: &str) -> usize {
        self.checks_of(service).iter().filter(|check| check.status == status).count()
    }

    /// The incidents, in order.
    pub(super) fn incidents(&self) -> Vec<Incident> {
        self.rows(
            "SELECT service, opened_ms, closed_ms, severity, checks_failed FROM incident_log ORDER BY id",
            |row| {
                Ok(Incident {
                    service: row.get(0)?,
                    opened_ms: row.get(1)?,
                    closed_ms: row.get(2)?,
                    severity: row.get(3)?,
                    checks_failed: row.get(4)?,
                })
            },
        )
    }

    /// The alerts, in the order in which they were decided.
    pub(super) fn alerts(&self) -> Vec<Alert> {
        self.rows(
            "SELECT a.at_ms, s.name, a.kind, d.state, d.attempts
             FROM deliveries d JOIN alerts a ON a.id = d.alert JOIN services s ON s.id = a.service ORDER BY d.id",
            |row| {
                Ok(Alert {
                    at_ms: row.get(0)?,
                    service: row.get(1)?,
                    kind: row.get(2)?,
                    state: row.get(3)?,
                    attempts: row.get(4)?,
                })
            },
        )
    }

    /// What history has of maintenance: by what, whom and why, and when it ended.
    pub(super) fn maintenance(&self) -> Vec<(String, Option<i64>)> {
        let sql = "SELECT source || ' ' || name || ': ' || coalesce(services, 'all') || coalesce(' (' || reason || ')', ''),
                       ended_ms FROM maintenance_log ORDER BY began_ms";
        self.rows(sql, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The sinks that are disabled, by name.
    pub(super) fn disabled_sinks(&self) -> Vec<String> {
        self.rows("SELECT sink FROM disabled_sinks ORDER BY sink", |row| row.get(0))
    }

    /// The keys of what is kept under the name of something that PiHook watches.
    pub(super) fn kept_keys(&self, service: &str) -> Vec<String> {
        let mut rows = self.rows(
            "SELECT s.key, k.key FROM kept k JOIN services s ON s.id = k.service ORDER BY k.key",
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        );
        rows.retain(|(of, _)| of == service);
        rows.into_iter().map(|(_, key)| key).collect()
    }

    /// Makes all that the stopped daemon knows by so many milliseconds younger.
    pub(super) fn shift_history(&self, millis: i64) {
        let db = Connection::open(self.path("data/pihook.db")).unwrap();
        db.execute("UPDATE checks SET at_ms = at_ms + ?1", [millis]).unwrap();
        let stopped = "UPDATE kept SET value = CAST(CAST(CAST(value AS TEXT) AS INTEGER) + ?1 AS TEXT)
                       WHERE key = 'stopped'";
        assert_eq!(db.execute(stopped, [millis]).unwrap(), 1, "it was not stopped in an orderly way");
        db.execute("UPDATE kept SET value = CAST(value AS BLOB) WHERE key = 'stopped'", []).unwrap();
    }

    /// What SQLite thinks of the file: `ok`.
    pub(super) fn integrity(&self) -> String {
        self.rows("PRAGMA integrity_check", |row| row.get::<_, String>(0)).join("\n")
    }

    /// Everything in the database's files, as it is on disk.
    pub(super) fn database_bytes(&self) -> Vec<u8> {
        let parts = ["pihook.db", "pihook.db-wal"].map(|name| self.path("data").join(name));
        parts.iter().flat_map(|path| fs::read(path).unwrap_or_default()).collect()
    }

    /// No rows as long as there is no database, or nothing in it.
    fn rows<T>(&self, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let path = self.path("data/pihook.db");
        if !path.exists() {
            return Vec::new();
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let rows = Connection::open_with_flags(path, flags).and_then(|db| {
            db.busy_timeout(PATIENCE)?;
            db.prepare(sql)?.query_map([], read)?.collect()
        });
        match rows {
            Ok(rows) => rows,
            Err(error) if error.to_string().contains("no such table") => Vec::new(),
            Err(error) => panic!("the database cannot be read: {error}"),
        }
    }
}

/// The plugins, compiled once for all tests and kept for the next run of them.
fn compiled_plugins() -> &'static Path {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("daemon");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(folder.join("data")).unwrap();
        let wan_ip = "  - { name: wan-ip, check: wan-ip }\n".to_owned();
        let services = [service("http", "http://127.0.0.1:9/"), rogue("rogue", "count"), wan_ip];
        let config = config("http://127.0.0.1:9/api/webhooks/1/none", LADDER, &services);
        let file = folder.join("services.yaml");
        fs::write(&file, rogue_plugin() + &config).unwrap();
        let output = Command::new(PIHOOK).arg("--config").arg(&file).arg("validate").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.join("data/cache")
    })
}

/// Copies a folder; like the daemon's own, the copy is for its owner alone.
fn copy_folder(from: &Path, to: &Path) {
    DirBuilder::new().recursive(true).mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
