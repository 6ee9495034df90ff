//! The wall, tried with guests that misbehave: `tests/fixtures/rogue-*`, built by `./build.sh plugins`' sister step.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{
    Alert, AlertKind, IncidentId, Measure, Moment, Reason, ServiceId, Severity, Status, Timestamp, ZoneId,
};
use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::probes::{CommandGrant, Grants};

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { uptime: Duration::from_secs(7), wall: Timestamp::UNIX_EPOCH }
    }
}

struct Wall {
    host: PluginHost,
    _cache: TempDir,
}

impl Wall {
    fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        Self { host: PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap(), _cache: cache }
    }

    async fn load(&self, id: &str, limits: Option<Limits>) -> Plugin {
        let file = format!("{}/../target/plugins/{id}.wasm", env!("CARGO_MANIFEST_DIR"));
        let wasm =
            std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}; ./build.sh test builds it"));
        let mut plugin = self.host.load(&PluginSource::new(id, Cow::Owned(wasm))).await.unwrap();
        if let Some(limits) = limits {
            plugin.limits = limits;
        }
        plugin
    }
}

fn reach() -> Reach {
    let outside = Outside { probes: Arc::default(), grants: Arc::default() };
    Reach { clock: Arc::new(Still), outside: Some(outside), kept: Kept::default() }
}

fn request(settings: &str) -> CheckRequest {
    CheckRequest {
        service: "Rogue".into(),
        zone: "local".into(),
        settings: settings.into(),
        connect_timeout: Duration::from_secs(1),
        read_timeout: Duration::from_secs(1),
        attempt: 1,
    }
}

async fn act(plugin: &Plugin, act: &str) -> Result<Attempt, Fault> {
    let settings = format!(r#"{{"act": "{act}"}}"#);
    plugin.check(request(&settings), reach()).await.map(|(attempt, _)| attempt).map_err(|error| error.fault)
}

#[tokio::test]
async fn faults_are_told_apart_and_the_plugin_can_be_used_afterwards() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    assert!(matches!(act(&plugin, "trap").await, Err(Fault::Trap(_))));
    assert!(matches!(act(&plugin, "recurse").await, Err(Fault::Trap(_))));
    assert!(matches!(act(&plugin, "grow").await, Err(Fault::Memory(_))));
    assert!(matches!(act(&plugin, "impossible-time").await, Err(Fault::BadAnswer(_))));
    assert!(matches!(act(&plugin, "fail").await, Err(Fault::Failed(text)) if text == "on purpose"));
    let error = plugin.check(request("{}"), reach()).await.unwrap_err();
    assert!(matches!(&error.fault, Fault::Failed(text) if text.starts_with("settings: ")), "{error}");
    assert!(error.to_string().starts_with("plugin rogue-check (sha256:"), "{error}");
    assert_eq!(act(&plugin, "count").await.unwrap().status, Status::Up);
}

#[tokio::test]
async fn an_endless_loop_ends_with_its_cpu_budget_and_lets_others_run() {
    let wall = Wall::new();
    let limits = Limits { cpu: Duration::from_millis(100), ..Limits::CHECK };
    let plugin = wall.load("rogue-check", Some(limits)).await;
    let other = tokio::spawn(async { tokio::task::yield_now().await });
    assert!(matches!(act(&plugin, "loop").await, Err(Fault::Cpu(_))));
    assert!(other.is_finished(), "the loop held the runtime's only thread");
}

#[tokio::test]
async fn waiting_costs_no_cpu_time_but_ends_at_the_deadline() {
    let wall = Wall::new();
    let limits = Limits { cpu: Duration::from_millis(10), deadline: Duration::from_secs(4), ..Limits::CHECK };
    let plugin = wall.load("rogue-check", Some(limits)).await;
    assert!(matches!(act(&plugin, "linger").await, Err(Fault::Deadline(_))));
    let ticks = plugin.engine.ticks();
    assert!(ticks <= 5, "the host's thread woke up {ticks} times for a guest that slept");
}

#[tokio::test]
async fn what_a_guest_says_is_bounded() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    let attempt = act(&plugin, "long-summary").await.unwrap();
    assert!(attempt.summary.len() <= 500 && !attempt.summary.contains(char::is_control));
    let notice = act(&plugin, "odd-notice").await.unwrap().notice.unwrap();
    assert!(notice.starts_with("first second") && notice.len() <= 500 && !notice.contains(char::is_control));
    let attempt = act(&plugin, "odd-metrics").await.unwrap();
    assert_eq!(attempt.metrics.len(), 64);
    assert!(attempt.metrics.iter().all(|metric| metric.value.is_finite()));
    act(&plugin, "flood").await.unwrap();
}

#[tokio::test]
async fn state_outlives_a_run_that_succeeded_and_no_other() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    let (attempt, kept) = plugin.check(request(r#"{"act": "count"}"#), reach()).await.unwrap();
    assert_eq!(attempt.summary, "1");
    let kept = Kept::new(kept.into_changed().unwrap());
    let failed =
        plugin.check(request(r#"{"act": "count-then-trap"}"#), Reach { kept: kept.clone(), ..reach() }).await;
    assert!(failed.is_err());
    let (attempt, _) = plugin.check(request(r#"{"act": "count"}"#), Reach { kept, ..reach() }).await.unwrap();
    assert_eq!(attempt.summary, "2", "the run that trapped must not have counted");
}

#[tokio::test]
async fn without_a_grant_there_is_no_network() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    let settings = r#"{"act": "fetch", "url": "http://127.0.0.1:9/"}"#;
    let (attempt, _) = plugin.check(request(settings), reach()).await.unwrap();
    assert!(attempt.summary.contains("Denied"), "{}", attempt.summary);
}

#[tokio::test]
async fn commands_run_by_their_granted_names_alone() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    let ask = async |name: &str, words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let commands = CommandGrant([("greet".to_owned(), words)].into());
        let grants = Arc::new(Grants { commands, ..Grants::default() });
        let outside = Some(Outside { probes: Arc::default(), grants });
        let settings = format!(r#"{{"act": "command", "url": "{name}"}}"#);
        let answer = plugin.check(request(&settings), Reach { outside, ..reach() }).await;
        answer.map(|(attempt, _)| attempt.summary).map_err(|error| error.to_string())
    };
    let seen = ask("greet", &["echo", "$HOME"]).await.unwrap();
    assert!(
        seen.starts_with(r#"["greet"] Output { exit_code: Some(0), stdout: [36, 72, 79, 77, 69, 10]"#),
        "{seen}"
    );
    let refused = ask("id", &["echo"]).await.unwrap_err();
    assert!(refused.contains("does not allow this plugin the command `id`"), "{refused}");
    let late = ask("greet", &["sleep", "1000"]).await.unwrap_err();
    assert!(late.contains("`sleep` did not end within 1 s (read timeout)"), "{late}");
    let missing = ask("greet", &["no-such-program"]).await.unwrap_err();
    assert!(missing.contains("there is no program `no-such-program`"), "{missing}");
}

#[tokio::test]
async fn a_few_granted_files_are_open_at_once() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "12345").unwrap();
    let ask = async |files: Vec<crate::paths::PathPattern>| {
        let grants = Arc::new(Grants { files: crate::probes::FileGrant(files), ..Grants::default() });
        let outside = Some(Outside { probes: Arc::default(), grants });
        let settings = format!(r#"{{"act": "open-files", "url": "{}"}}"#, file.display());
        plugin.check(request(&settings), Reach { outside, ..reach() }).await.unwrap().0.summary
    };
    let granted = crate::paths::PathPattern::exactly(&file).unwrap();
    let seen = ask(vec![granted]).await;
    assert_eq!(seen, "123|45 4 4 files are open already, and no more may be at once true");
    let denied = ask(Vec::new()).await;
    assert!(denied.starts_with("Denied(\"services.yaml does not allow this plugin to read /"), "{denied}");
}

#[tokio::test]
async fn validation_finds_problems_and_survives_a_trap() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-check", None).await;
    let problems = plugin.validate(r#"{"act": "fail"}"#, reach()).await.unwrap();
    assert_eq!(problems[0].path, "act");
    assert!(plugin.validate(r#"{"act": "trap"}"#, reach()).await.is_err());
    assert!(!plugin.validate(r#"{"act": "fail", "atc": 1}"#, reach()).await.unwrap().is_empty());
    let offline = Reach { outside: None, ..reach() };
    let problems = plugin.validate(r#"{"act": "fetch", "url": "http://a/"}"#, offline).await.unwrap();
    assert_eq!(problems[0].what, "nothing is looked at while settings are validated");
}

#[tokio::test]
async fn a_swept_cache_still_has_the_plugins_in_use() {
    let cache = tempfile::tempdir().unwrap();
    let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
    Library::load(&host, ["detailed"], &Default::default()).await;
    let library = Library::load(&host, ["http"], &Default::default()).await;
    let all = walk(cache.path()).len();
    host.sweep_cache(&library);
    assert_eq!(walk(cache.path()).len(), all, "what is new may be in use by somebody else");
    let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1 << 30);
    for file in walk(cache.path()) {
        std::fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
    }
    host.sweep_cache(&library);
    assert_eq!((all, walk(cache.path()).len()), (4, 2));
    let plugin = library.get("http").unwrap().as_ref().unwrap();
    assert!(plugin.validate("{}", reach()).await.is_ok());
}

fn alert(summary: &str) -> Alert {
    Alert {
        kind: AlertKind::Opened,
        reason: Reason::Failures,
        incident: IncidentId(1),
        service: ServiceId::new("web"),
        name: "Web".into(),
        zone: ZoneId::new("local"),
        status: Status::Down,
        severity: Severity::Critical,
        level: 0,
        mention: None,
        formatter: None,
        at: Timestamp::UNIX_EPOCH,
        since: Timestamp::UNIX_EPOCH,
        lasted: Duration::ZERO,
        failures: 3,
        summary: summary.into(),
        response_time: None,
        sinks: Vec::new(),
    }
}

#[tokio::test]
async fn a_formatter_can_word_or_fail_but_not_flood() {
    let wall = Wall::new();
    let plugin = wall.load("rogue-formatter", None).await;
    let target =
        FormatTarget { sink: "discord".into(), utc_offset_seconds: 3600, zone_abbreviation: "CET".into() };
    let format = async |summary| {
        plugin
            .format(&alert(summary), &target, Briefing::default(), Reach { outside: None, ..reach() })
            .await
            .map_err(|e| e.fault)
    };
    assert_eq!(format("fine").await.unwrap().title, "worded by the rogue");
    assert!(matches!(format("trap").await, Err(Fault::Trap(_))));
    assert!(matches!(format("loop").await, Err(Fault::Cpu(_))));
    assert!(matches!(format("refuse").await, Err(Fault::Failed(_))));
    assert!(matches!(format("empty").await, Err(Fault::BadAnswer(_))));
    assert!(matches!(format("huge").await, Err(Fault::BadAnswer(text)) if text.contains("200000")));
}

#[tokio::test]
async fn a_formatter_is_told_of_the_history_and_the_limits_and_may_word_many() {
    let wall = Wall::new();
    let library = Library::load(&wall.host, BUNDLED_FORMATTERS, &Default::default()).await;
    let target =
        FormatTarget { sink: "discord".into(), utc_offset_seconds: 0, zone_abbreviation: "UTC".into() };
    let get = |id: &str| library.get(id).unwrap().as_ref().unwrap().clone();
    let past =
        |status| PastOutcome { at: Timestamp::UNIX_EPOCH, status, response_ms: None, in_maintenance: false };
    let briefing = Briefing {
        recent: vec![past(Status::Down), past(Status::Up)],
        uptime_week: Some(99.5),
        limits: Measure { title: 40, ..Measure::default() },
        ..Briefing::default()
    };
    let one = alert("HTTP 503, and a lot more that does not fit");
    let detailed = get("detailed").format(&one, &target, briefing.clone(), reach()).await.unwrap();
    let values: Vec<_> = detailed.fields.iter().map(|field| field.value.as_str()).collect();
    assert!(values.contains(&"▲▼") && values.contains(&"99.50 %"), "{values:?}");
    let compact = get("compact").format(&one, &target, briefing.clone(), reach()).await.unwrap();
    assert!(compact.title.chars().count() <= 20, "{}", compact.title);
    let many = [one.clone(), one.clone()];
    let digest = get("digest").digest(&many, &target, briefing.clone(), reach()).await.unwrap();
    assert_eq!(digest.title, "2 alerts: 2 down");
    assert!(get("digest").is_digester() && !get("compact").is_digester());
    assert!(get("compact").digest(&many, &target, briefing, reach()).await.is_err());
}

/// What each bundled plugin uses of the host.
#[rustfmt::skip]
const IMPORTS: &[(&str, &str)] = &[
    ("apt-updates", "clock files state"),
    ("compact", "limits"),
    ("container", "clock containers state"),
    ("detailed", "history"),
    ("digest", "limits"),
    ("disk", "clock filesystems state"),
    ("disk-health", "clock commands files filesystems state"),
    ("dns", "dns"),
    ("heartbeat", "heartbeat state"),
    ("http", "clock http"),
    ("ping", "icmp"),
    ("plain", ""),
    ("process", "processes state"),
    ("system", "files state system"),
    ("systemd-unit", "clock state units"),
    ("tcp", "tcp"),
    ("tls", "clock tls"),
    ("wan-ip", "clock dns http state"),
];

/// The most that a bundled plugin may have, in bytes.
const SIZE: usize = 300_000;

#[tokio::test]
async fn the_bundled_plugins_import_nothing_beyond_what_they_need() {
    let wall = Wall::new();
    let library = Library::load(&wall.host, BUNDLED.iter().map(|(id, _)| *id), &Default::default()).await;
    let imports = |id: &str| library.get(id).unwrap().as_ref().unwrap().imports().to_vec();
    let own = |id: &str| {
        let names = imports(id).into_iter();
        let names: Vec<String> = names
            .filter_map(|name| Some(name.strip_prefix("pihook:plugin/")?.strip_suffix("@0.1.0")?.to_owned()))
            .filter(|name| !["types", "net", "alerts"].contains(&name.as_str()))
            .collect();
        names.join(" ")
    };
    let found: Vec<(&str, String)> = BUNDLED.iter().map(|(id, _)| (*id, own(id))).collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(id, imports)| (*id, imports.as_str())).collect();
    assert_eq!(found, IMPORTS);
    for (id, wasm) in BUNDLED {
        assert!(wasm.len() < SIZE, "{id} has {} bytes", wasm.len());
        let foreign: Vec<_> = imports(id)
            .into_iter()
            // What Rust's own start-up and panics bring in; behind it is an empty world.
            .filter(|name| {
                !["pihook:", "wasi:cli/", "wasi:io/", "wasi:random/insecure-seed"]
                    .iter()
                    .any(|known| name.starts_with(known))
            })
            .collect();
        assert_eq!(foreign, Vec::<String>::new(), "{id}");
    }
}

#[tokio::test]
async fn what_services_yaml_says_changes_only_the_limits_that_it_names() {
    let wall = Wall::new();
    let load = async |id: &str| {
        let source = PluginSource { memory: Some(32 << 20), ..PluginSource::bundled(id).unwrap() };
        wall.host.load(&source).await.unwrap().limits
    };
    assert_eq!(load("detailed").await, Limits { memory: 32 << 20, ..Limits::FORMATTER });
    assert_eq!(load("http").await, Limits { memory: 32 << 20, ..Limits::CHECK });
}

#[tokio::test]
async fn a_rotten_cache_is_made_anew() {
    let cache = tempfile::tempdir().unwrap();
    let source = PluginSource::bundled("http").unwrap();
    let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
    host.load(&source).await.unwrap();
    drop(host);
    let compiled =
        walk(cache.path()).into_iter().find(|path| path.extension().is_some_and(|e| e == "cwasm")).unwrap();
    let whole = std::fs::read(&compiled).unwrap();
    std::fs::write(&compiled, &whole[..whole.len() / 2]).unwrap();
    let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
    host.load(&source).await.unwrap();
    assert_eq!(std::fs::read(&compiled).unwrap().len(), whole.len());
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_a_reason() {
    let wall = Wall::new();
    let load = async |wasm: &'static [u8]| {
        let source = PluginSource::new("x", Cow::Borrowed(wasm));
        wall.host.load(&source).await.map(|_| ()).unwrap_err()
    };
    assert!(matches!(load(b"not wasm at all").await, LoadError::Compile(_)));
    // An empty core module, and an empty component.
    assert!(matches!(load(b"\0asm\x01\0\0\0").await, LoadError::Compile(_)));
    let error = load(b"\0asm\x0d\0\x01\0").await;
    assert!(matches!(&error, LoadError::Unfit(text) if text.contains("exports neither")), "{error}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
