//! The whole way from text to configuration. The table of mistakes is in `tests/mistakes.rs`.

mod bounds;
mod documents;
mod mistakes;
mod push;
mod secrecy;
mod windows;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pihook_core::{After, Cadence, Mention, Severity, SinkId};
use serde_json::json;

use super::*;

/// Reads the text as `/etc/pihook/services.yaml`, with these environment variables and files.
fn read_with(text: &[u8], variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Config, Problems> {
    let environment =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let read_file = |path: &Path| {
        let file = files.iter().find(|(known, _)| Path::new(known) == path);
        file.map(|(_, content)| (*content).to_owned()).ok_or(io::Error::from(io::ErrorKind::NotFound))
    };
    let surroundings = Surroundings {
        file: Path::new("services.yaml"),
        base: Path::new("/etc/pihook"),
        environment: &environment,
        read_file: &read_file,
    };
    parse(text, &surroundings)
}

const WEBHOOK: &str = "https://discord.com/api/webhooks/123/topsecrettoken";

fn read(text: &str) -> Result<Config, Problems> {
    read_with(text.as_bytes(), &[("WEBHOOK", WEBHOOK)], &[("/etc/pihook/key", "  filed-secret\n")])
}

#[track_caller]
fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

const FULL: &str = r#"
data_dir: ./data
maintenance_flag: quiet.flag
dashboard:
  listen: 0.0.0.0:9000
  auth: { user: admin, password: "${file:key}" }
  public_badges: true
history: { keep_checks: 10d, keep_rollups: 100d, export_dir: csv, commit_every: 500ms }
defaults: { interval: 10s, retries: 1, connect_timeout: 1s, read_timeout: 2s, recover_after: 2 }
escalation:
  - { after: 3, severity: warning, sinks: [discord] }
  - { after: 30m, sinks: [discord, other], mention: role:42, repeat: 4h }
zones: { local: {}, external: {} }
sinks:
  discord: { type: discord, url: "${WEBHOOK}", username: PiHook, thread_id: 99 }
  other: { type: discord, url: "http://127.0.0.1:9/hook", formatter: compact }
plugins:
  my-check:
    file: plugins/my_check.wasm
    sha256: 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef
    allow: { http: ["*.lan:443", "[::1]:80"] }
    memory: 32MiB
    cpu: 500ms
services:
  - { name: Jellyfin, zone: local, url: "http://192.168.1.10:8096/health" }
  - name: Gitea at home
    id: git
    zone: external
    check: http
    interval: 1s
    retries: 0
    recover_after: 3
    escalation: [{ after: 1, mention: here, sinks: [] }]
    settings:
      url: https://git.example.org/${file:key}
      auth: { bearer: "${file:key}" }
      body: costs $$5 or $5
      expect: { status: "200-299", max_response_time: 2s, json: { /a/b: 1.5 } }
"#;

#[test]
fn everything_at_once() {
    let config = good(FULL);
    assert_eq!(config.data_dir, PathBuf::from("/etc/pihook/data"));
    assert_eq!(config.maintenance_flag, PathBuf::from("/etc/pihook/data/quiet.flag"));
    let password = Secret::new("filed-secret".to_owned());
    let auth = Auth::Basic { user: "admin".to_owned(), password: Password::Plain(password.clone()) };
    let listen = SocketAddr::from(([0, 0, 0, 0], 9000));
    assert_eq!(
        config.dashboard,
        Dashboard::At { listen, auth, badges: Badges::Public, reach: Box::default() }
    );
    assert_eq!(config.history.export_dir, PathBuf::from("/etc/pihook/data/csv"));
    assert_eq!(config.history.commit_every, Duration::from_millis(500));
    assert_eq!(config.zones.len(), 2);

    let SinkKind::Discord { url, username, thread_id, .. } = &config.sinks[&SinkId::new("discord")].kind
    else {
        panic!("no Discord")
    };
    assert_eq!(
        (url.expose(), username.as_deref(), thread_id.as_deref()),
        (WEBHOOK, Some("PiHook"), Some("99"))
    );
    assert_eq!(config.sinks[&SinkId::new("discord")].formatter, "detailed");
    assert_eq!(config.sinks[&SinkId::new("other")].formatter, "compact");

    let plugin = &config.plugins["my-check"];
    assert_eq!(plugin.file, Some(PathBuf::from("/etc/pihook/data/plugins/my_check.wasm")));
    assert_eq!((plugin.memory, plugin.cpu), (Some(32 << 20), Some(Duration::from_millis(500))));
    assert_eq!(plugin.allow.http, ["*.lan:443", "[::1]:80"].map(|host| host.parse().unwrap()));

    let [jellyfin, gitea] = config.services.as_slice() else { panic!("two services") };
    assert_eq!((jellyfin.service.id.as_str(), &*jellyfin.service.name), ("jellyfin", "Jellyfin"));
    assert_eq!(jellyfin.service.cadence, Cadence::Every(Duration::from_secs(10)));
    assert_eq!(jellyfin.check.plugin, "http");
    assert_eq!(jellyfin.check.settings, json!({ "url": "http://192.168.1.10:8096/health" }));
    assert_eq!((jellyfin.check.retries, jellyfin.check.read_timeout), (1, Duration::from_secs(2)));
    assert_eq!(jellyfin.path_of_setting("url"), "services[0].url");

    let levels: Vec<_> = jellyfin.service.ladder.levels().collect();
    assert_eq!(levels.len(), 2);
    assert_eq!(levels[0].severity, Severity::Warning);
    assert_eq!(levels[1].after, After::Elapsed(Duration::from_secs(1800)));
    assert_eq!(levels[1].mention, Some(Mention::Role("42".to_owned())));
    assert_eq!(levels[1].sinks, [SinkId::new("discord"), SinkId::new("other")]);

    assert_eq!(gitea.service.id.as_str(), "git");
    assert_eq!(gitea.service.recover_after.get(), 3);
    assert_eq!(gitea.service.ladder.levels().count(), 1);
    assert!(gitea.service.ladder.first().sinks.is_empty());
    assert_eq!(gitea.check.secrets, [password]);
    assert_eq!(
        gitea.check.settings,
        json!({
            "url": "https://git.example.org/${secret:0}",
            "auth": { "bearer": "${secret:0}" },
            "body": "costs $5 or $5",
            "expect": { "status": "200-299", "max_response_time": "2s", "json": { "/a/b": 1.5 } },
        })
    );
    assert_eq!(gitea.path_of_setting("expect.status"), "services[1].settings.expect.status");
    assert_eq!(gitea.path_of_setting(""), "services[1].settings");
    assert_eq!(config.secrets.len(), 3, "the file's, and both webhooks");
}

#[test]
fn the_defaults_of_a_short_file() {
    let config = good(
        "services:\n  - { name: A, url: http://a/ }\nsinks:\n  d: { type: discord, url: \"${WEBHOOK}\" }",
    );
    assert_eq!(config.data_dir, PathBuf::from("/etc/pihook/data"));
    assert_eq!(config.maintenance_flag, PathBuf::from("/etc/pihook/data/maintenance.flag"));
    let listen = SocketAddr::from(([127, 0, 0, 1], 8420));
    assert_eq!(
        config.dashboard,
        Dashboard::At { listen, auth: Auth::Open, badges: Badges::Guarded, reach: Box::default() }
    );
    assert_eq!(config.history.keep_checks, Duration::from_secs(30 * 86_400));
    assert_eq!(config.history.keep_rollups, Duration::from_secs(400 * 86_400));
    let service = &config.services[0].service;
    assert_eq!((service.zone.as_str(), service.recover_after.get()), ("local", 1));
    assert_eq!(service.cadence, Cadence::Every(Duration::from_secs(60)));
    assert_eq!(config.services[0].check.retries, 2);
    assert_eq!(config.services[0].check.connect_timeout, Duration::from_secs(3));
    assert_eq!(config.services[0].check.read_timeout, Duration::from_secs(10));
    let level = service.ladder.first();
    assert_eq!(level.after, After::Failures(3.try_into().unwrap()));
    assert_eq!((level.severity, level.sinks.as_slice()), (Severity::Critical, [SinkId::new("d")].as_slice()));
}

#[test]
fn a_key_without_a_value_is_as_good_as_absent() {
    let config = good("services: []\nsinks:\nescalation:\ndashboard:\nzones: { local: , b: {} }");
    assert!(config.sinks.is_empty() && config.services.is_empty());
    assert_eq!(config.zones.len(), 2);
}

#[test]
fn the_dashboard_can_be_off_or_open_on_purpose() {
    assert_eq!(good("services: []\ndashboard: off").dashboard, Dashboard::Off);
    let open = good("services: []\ndashboard: { listen: \"[::]:80\", auth: none }").dashboard;
    assert!(matches!(open, Dashboard::At { auth: Auth::Open, .. }));
    let local = good("services: []\ndashboard: { listen: localhost:0 }").dashboard;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    assert_eq!(
        local,
        Dashboard::At { listen, auth: Auth::Open, badges: Badges::Guarded, reach: Box::default() }
    );
}

#[test]
fn how_the_dashboard_is_reached_is_read_and_tidied() {
    let text = "services: []\ndashboard: { hosts: [pi.example, NAS], base_path: /pihook/, trusted_proxies: [127.0.0.1, \"::1\"], \
                tls: { certificate: tls/cert.pem, key: /run/key.pem } }";
    let Dashboard::At { reach, .. } = good(text).dashboard else { panic!("it is on") };
    assert_eq!((reach.base_path.as_str(), reach.hosts.len()), ("/pihook", 2));
    assert_eq!(reach.trusted_proxies, ["127.0.0.1", "::1"].map(|it| it.parse::<std::net::IpAddr>().unwrap()));
    let tls = reach.tls.unwrap();
    assert_eq!(tls.certificate, PathBuf::from("/etc/pihook/tls/cert.pem"));
    assert_eq!(tls.key, PathBuf::from("/run/key.pem"));
    let Dashboard::At { reach, .. } = good("services: []\ndashboard: { base_path: / }").dashboard else {
        panic!("it is on")
    };
    assert_eq!(reach.base_path, "");
}

#[test]
fn a_hash_stands_for_the_password() {
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let text = format!("services: []\ndashboard: {{ auth: {{ user: a, password_hash: '{hash}' }} }}");
    let Dashboard::At { auth: Auth::Basic { password: Password::Hashed(read), .. }, .. } =
        good(&text).dashboard
    else {
        panic!("it is a hash")
    };
    assert_eq!(read.as_str(), hash);
}

#[test]
fn a_short_interval_goes_with_the_default_timeouts() {
    good("services: [{ name: A, url: http://a/, interval: 1s }]");
    good("services: [{ name: A, url: http://a/, interval: 1s, read_timeout: 1s }]");
    good("defaults: { read_timeout: 10s }\nservices: [{ name: A, url: http://a/, interval: 1s }]");
}

#[test]
fn anchors_and_merges_nested_ones_too() {
    let config = good(
        "services:
  - &first { name: A, url: http://a/, interval: 5s, retries: 7 }
  - &second
    <<: *first
    name: B
    interval: 6s
  - <<: [{ id: c-d }, *second]
    name: C
    settings: &settings { method: HEAD }
  - { name: D, check: other, settings: *settings }
",
    );
    let seen: Vec<_> = config
        .services
        .iter()
        .map(|service| (service.service.id.as_str(), service.service.cadence, service.check.retries))
        .collect();
    let every = |seconds| Cadence::Every(Duration::from_secs(seconds));
    assert_eq!(seen, [("a", every(5), 7), ("b", every(6), 7), ("c-d", every(6), 7), ("d", every(60), 2)]);
    assert_eq!(config.services[3].check.settings, json!({ "method": "HEAD" }));
    assert_eq!(config.locate("services[1].retries"), 2, "where the merged text stands");
    assert_eq!(config.locate("services[2].retries"), 2);
    assert_eq!(config.locate("services[2].interval"), 6);
    assert_eq!(config.locate("services[3].settings.method"), 9);
}

#[test]
fn a_path_is_located_or_else_its_nearest_ancestor() {
    let config = good(FULL);
    for (path, text) in [
        ("data_dir", "data_dir: ./data"),
        ("services[0].url", "  - { name: Jellyfin"),
        ("services[1]", "  - name: Gitea"),
        ("services[1].settings.expect.status", "      expect:"),
        ("services[1].settings.expect.json./a/b", "      expect:"),
        ("services[1].settings.verify", "    settings:"),
        ("services[1].settings[\"body\"]", "      body:"),
        ("sinks.other.url", "  other:"),
    ] {
        let line = config.locate(path);
        assert!(FULL.lines().nth(line - 1).unwrap().starts_with(text), "{path}: {line}");
    }
    for path in ["", "nothing.there[2]", "[", "]", "[\"", "..", "[99999999999999999999]"] {
        assert_eq!(config.locate(path), 2, "{path:?}");
    }
    assert_eq!(config.locate("services[7]"), config.locate("services"));
}

#[test]
fn others_can_add_problems_and_they_are_sorted_in() {
    let config = good(FULL);
    let late = config.problem("services[1].settings.expect", "what".to_owned(), "remedy".to_owned());
    let early = config.problem("history.export_dir", "what".to_owned(), "remedy".to_owned());
    let problems: Problems = [late, early].into_iter().collect();
    let expected = "services.yaml:8: history.export_dir: what; remedy\n\
        services.yaml:38: services[1].settings.expect: what; remedy";
    assert_eq!(problems.to_string(), expected);
}

#[test]
fn a_file_with_mistakes_still_gives_what_can_be_read() {
    let problems =
        read("history: { keep: 1d }\nservices:\n  - { url: http://a/ }\n  - { name: B, url: http://b/ }")
            .unwrap_err();
    assert_eq!(problems.len(), 2);
    let partial = problems.partial().unwrap();
    assert_eq!(partial.services.len(), 1);
    assert_eq!(partial.services[0].path, "services[1]");
    assert_eq!(partial.locate(&partial.services[0].path_of_setting("url")), 4);
}

#[test]
fn a_file_is_loaded_with_its_folder_as_base() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services.yaml");
    std::fs::write(folder.path().join("hook"), format!("{WEBHOOK}\n")).unwrap();
    std::fs::write(
        &file,
        "data_dir: ../state\nsinks: { d: { type: discord, url: \"${file:hook}\" } }\nservices: []",
    )
    .unwrap();
    let config = load(&file, &|_| None).unwrap();
    assert_eq!(config.data_dir, folder.path().parent().unwrap().join("state"));
    let SinkKind::Discord { url, .. } = &config.sinks[&SinkId::new("d")].kind else { panic!("no Discord") };
    assert_eq!(url.expose(), WEBHOOK);

    let absent = load(&folder.path().join("absent.yaml"), &|_| None).unwrap_err().to_string();
    assert!(
        absent.contains("absent.yaml:1: cannot be read: ") && absent.contains("--config FILE"),
        "{absent}"
    );
    std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(load(&file, &|_| None).unwrap_err().to_string().contains("larger than 1 MiB"));
}
