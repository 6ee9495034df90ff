//! The dashboards for Grafana: their structure, and each of their queries run against a real Prometheus that scrapes the
//! daemon, and against the daemon's database.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Duration, Instant, sleep, timeout};
use url::form_urlencoded;

use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use super::dashboard::address;
use crate::web::{Authority, Behaviour, Show, WebServer};

/// What may have no answer here: a machine without a sensor has no temperature.
const OPTIONAL: [&str; 1] = ["temperature_celsius"];
const HOUR_MS: i64 = 3_600_000;

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/grafana").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

fn variables(dashboard: &Value) -> &[Value] {
    dashboard["templating"]["list"].as_array().unwrap()
}

/// The queries of all panels under this key, with the panels' titles.
fn queries<'a>(dashboard: &'a Value, key: &str) -> Vec<(&'a str, &'a str)> {
    let of_panel = |panel: &'a Value| {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().unwrap();
        let found: Vec<_> = targets.iter().map(|target| (title, target[key].as_str().unwrap())).collect();
        found
    };
    panels(dashboard).iter().flat_map(of_panel).collect()
}

#[test]
fn the_dashboards_are_whole() {
    for (name, kind) in [("pihook.json", "prometheus"), ("pihook-sqlite.json", "frser-sqlite-datasource")] {
        let dashboard = read(name);
        assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36 && dashboard["id"].is_null(), "{name}");
        assert!((1..=40).contains(&dashboard["uid"].as_str().unwrap().len()), "{name}");
        let names: BTreeSet<&str> =
            variables(&dashboard).iter().map(|variable| variable["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["datasource", "service", "zone"].into(), "{name}");
        assert_eq!(variables(&dashboard)[0]["query"], kind, "{name}");
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
            let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(place("x") + place("w") <= 24 && place("w") > 0 && place("h") > 0, "{title}");
            for x in place("x")..place("x") + place("w") {
                for y in place("y")..place("y") + place("h") {
                    assert!(taken.insert((x, y)), "{title} lies over another panel");
                }
            }
            let mut letters = BTreeSet::new();
            for target in panel["targets"].as_array().unwrap() {
                assert!(letters.insert(target["refId"].as_str().unwrap()), "{title}");
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
                assert_eq!(target["datasource"]["type"], kind, "{title}");
            }
            assert!(!letters.is_empty(), "{title}");
        }
    }
}

/// Prometheus, as Debian has it, that scrapes one address each second.
struct Prometheus {
    _folder: tempfile::TempDir,
    _process: Child,
    address: String,
}

impl Prometheus {
    async fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n  - job_name: pihook\n    static_configs: [{{ targets: ['{target}'] }}]\n"
        );
        fs::write(&file, text).unwrap();
        let mut process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus comes with Debian's package of that name");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listening = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("prometheus has ended");
                if let Some((_, rest)) = line.split_once("msg=\"Listening on\" address=") {
                    return rest.split(' ').next().unwrap().to_owned();
                }
            }
        };
        let address = timeout(PATIENCE, listening).await.expect("prometheus does not listen");
        // It must not wait for a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _folder: folder, _process: process, address }
    }

    /// The data of an answer of its API; none while it starts.
    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET /api/v1/{path}?{query} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if head.contains(" 503 ") {
            return None;
        }
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["status"], "success", "{parameters:?}: {body}");
        Some(body["data"].clone())
    }

    /// Asks until there is something; a query that is wrong fails at once.
    async fn has(&self, what: &str, path: &str, parameters: &[(&str, &str)]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let data = self.ask(path, parameters).await;
            let all = data.as_ref().map(|data| data.get("result").unwrap_or(data));
            let found = all.and_then(Value::as_array).is_some_and(|all| !all.is_empty());
            if found || data.is_some() && OPTIONAL.iter().any(|optional| parameters[0].1.contains(optional)) {
                return;
            }
            assert!(Instant::now() < deadline, "{what} finds nothing: {parameters:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }
}

fn promql(query: &str, services: &str) -> String {
    query
        .replace("$zone", ".*")
        .replace("$service", services)
        .replace("$__rate_interval", "20s")
        .replace("$__range", "60s")
}

/// Services that have all that the dashboards show. Nobody listens where the alerts go, so they wait.
async fn watched(server: &WebServer, gone: &WebServer) -> Daemon {
    let services = [
        format!(
            "  - {{ name: NAS, check: http, settings: {{ url: \"{}\", verify: false }} }}\n",
            server.url("/")
        ),
        service("Gone", &gone.url("/")),
        "  - { name: Machine, check: system }\n".to_owned(),
        "  - { name: Root disk, check: disk, settings: { mount: / } }\n".to_owned(),
    ];
    let text = config("http://127.0.0.1:9/api/webhooks/1/x", LADDER, &services);
    Daemon::start(&text.replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }")).await
}

#[tokio::test]
async fn every_query_of_the_dashboard_over_prometheus_finds_something() {
    let server = WebServer::start_tls(&Authority::new().issue(Show::Valid), Behaviour::ok("")).await;
    let gone = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = watched(&server, &gone).await;
    let prometheus = Prometheus::start(&address(&mut daemon).await).await;
    let dashboard = read("pihook.json");
    for (title, query) in queries(&dashboard, "expr") {
        for services in [".*", "NAS|Gone|Machine|Root disk"] {
            let query = promql(query, services);
            prometheus.has(title, "query", &[("query", &query)]).await;
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        let query = promql(annotation["expr"].as_str().unwrap(), ".*");
        prometheus.has("an annotation", "query", &[("query", &query)]).await;
    }
    for variable in variables(&dashboard).iter().filter(|variable| variable["type"] == "query") {
        let query = promql(variable["query"].as_str().unwrap(), ".*");
        let inner = query.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
        let (series, label) = inner.rsplit_once(", ").unwrap();
        prometheus.has("a variable", &format!("label/{label}/values"), &[("match[]", series)]).await;
    }
    daemon.stop().await;
}

/// How many rows the query has.
fn rows(db: &Connection, sql: &str) -> usize {
    let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let mut rows = statement.query([]).unwrap();
    let mut count = 0;
    while rows.next().unwrap_or_else(|error| panic!("{error}: {sql}")).is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn every_query_of_the_dashboard_over_sqlite_finds_something() {
    let server = WebServer::start(Behaviour::ok("")).await;
    let gone = WebServer::start(Behaviour::Refuse).await;
    let services = [service("NAS", &server.url("/")), service("Gone", &gone.url("/"))];
    let mut daemon = Daemon::start(&config("http://127.0.0.1:9/api/webhooks/1/x", LADDER, &services)).await;
    daemon.until("an incident", |daemon| !daemon.incidents().is_empty()).await;
    daemon.stop().await;
    // What is older than two hours is packed and summed up at the next start.
    daemon.shift_history(-3 * HOUR_MS);
    daemon.spawn();
    daemon.further_checks("NAS", 1).await;
    let path = daemon.path("data/pihook.db");
    let open = || Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    daemon
        .until("an hourly sum", |_| rows(&open(), "SELECT 1 FROM hour_log WHERE zone <> 'pihook'") > 0)
        .await;
    let now: i64 = open().query_row("SELECT unixepoch() * 1000", [], |row| row.get(0)).unwrap();
    let (from, to) = ((now - 24 * HOUR_MS).to_string(), (now + HOUR_MS).to_string());
    let dashboard = read("pihook-sqlite.json");
    for (title, query) in queries(&dashboard, "rawQueryText") {
        for services in ["'all'", "'NAS','Gone'"] {
            let sql = query
                .replace("$__from", &from)
                .replace("$__to", &to)
                .replace("${zone:singlequote}", "'all'")
                .replace("${service:singlequote}", services);
            assert!(!sql.contains('$'), "{title}: {sql}");
            assert!(rows(&open(), &sql) > 0, "{title} finds nothing: {sql}");
        }
    }
    for variable in variables(&dashboard).iter().filter(|variable| variable["type"] == "query") {
        assert!(rows(&open(), variable["query"].as_str().unwrap()) > 0);
    }
    daemon.stop().await;
}
