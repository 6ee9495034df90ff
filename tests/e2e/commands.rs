//! Every command as a person types it: what it prints, and what it ends with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a helper that fails fails its test, and one that is left out says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::daemon::{self, Daemon};
use crate::discord::{Answer, FakeDiscord, TOKEN};
use crate::oneshot::{Home, PATIENCE, PIHOOK, Ran, run};
use crate::web::{Behaviour, WebServer};

/// Services that are up, degraded and down; and a home with one that cannot be told.
async fn home_of(services: &str) -> Home {
    Home::new(&format!(
        "dashboard: off\nzones: {{ local: {{}}, far: {{}} }}\n\
         defaults: {{ retries: 0, connect_timeout: 1s, read_timeout: 5s }}\nservices:\n{services}"
    ))
    .await
}

/// Words of the command line, each with all its own.
const COMMANDS: [&[&str]; 19] = [
    &[],
    &["run"],
    &["check"],
    &["validate"],
    &["status"],
    &["maintenance"],
    &["maintenance", "on"],
    &["maintenance", "off"],
    &["maintenance", "status"],
    &["report"],
    &["export"],
    &["alert"],
    &["alert", "test"],
    &["alert", "preview"],
    &["db"],
    &["db", "check"],
    &["db", "backup"],
    &["db", "vacuum"],
    &["hash-password"],
];

async fn help(words: &[&str]) -> String {
    let home = Home::bare();
    let ran = run(home.command(words).arg("--help").env("COLUMNS", "100")).await.ended(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

#[tokio::test]
async fn help_of_every_command() {
    let mut all = String::new();
    for words in COMMANDS {
        let text = help(words).await;
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        all += &format!("$ {} --help\n{}\n\n", [&["pihook"], words].concat().join(" "), lines.join("\n"));
    }
    insta::assert_snapshot!("help", all);
}

/// The words in front of a help text's list, such as its commands.
fn listed(help: &str, heading: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    let entries = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    entries.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Everything in a text that looks like a long option.
fn options(text: &str) -> BTreeSet<String> {
    let letter = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c| !letter(c));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_documentation_has_every_command_and_option_and_no_other() {
    let general = ["--config", "--help", "--version"].map(str::to_owned);
    let mut in_code = BTreeMap::new();
    for words in COMMANDS {
        let text = help(words).await;
        let inner: Vec<_> = listed(&text, "Commands:").into_iter().filter(|word| word != "help").collect();
        for word in &inner {
            let found = COMMANDS.iter().any(|known| **known == [words, &[word.as_str()]].concat());
            assert!(found, "`{word}` is missing in this test");
        }
        if inner.is_empty() {
            let usage = text.lines().find(|line| line.starts_with("Usage:")).unwrap();
            let mut known: BTreeSet<_> =
                listed(&text, "Options:").iter().flat_map(|word| options(word)).collect();
            known.retain(|option| !general.contains(option));
            known.extend(usage.contains("[NAME]").then(|| "NAME".to_owned()));
            in_code.insert(words.join(" "), known);
        }
    }
    let guide = include_str!("../../docs/commands.md");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `pihook ")?.split_once('`'));
    let in_docs: BTreeMap<_, _> = rows
        .map(|(usage, _)| {
            let plain = |word: &&str| {
                !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            };
            let words: Vec<_> = usage.split(' ').take_while(plain).collect();
            let mut known = options(usage);
            known.extend(usage.contains("[NAME…]").then(|| "NAME".to_owned()));
            (words.join(" "), known)
        })
        .collect();
    assert_eq!(in_code, in_docs);
    for option in general.iter().take(2) {
        assert!(guide.contains(option.as_str()), "{option}");
    }
}

#[tokio::test]
async fn the_documentation_has_every_exit_code() {
    use pihook::exit_code::ExitCode;
    let all = [
        ExitCode::Ok,
        ExitCode::Bad,
        ExitCode::Unknown,
        ExitCode::Usage,
        ExitCode::Internal,
        ExitCode::Config,
    ];
    let guide = include_str!("../../docs/commands.md");
    let codes = guide.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok());
    let in_docs: Vec<_> = codes.map(|code: u8| format!("{:?}", std::process::ExitCode::from(code))).collect();
    let in_code = all.map(|code| format!("{:?}", std::process::ExitCode::from(code)));
    assert_eq!(in_docs, in_code);
}

#[tokio::test]
async fn what_cannot_be_understood_ends_with_64() {
    let home = home_of("  - { name: A, url: 'http://127.0.0.1:9/' }").await;
    for (words, said) in [
        (&[][..], "Usage: pihook"),
        (&["maintenance"], "Usage: pihook maintenance"),
        (&["alert"], "Usage: pihook alert"),
        (&["chekc"], "a similar subcommand exists: 'check'"),
        (&["check", "--jsno"], "a similar argument exists: '--json'"),
        (&["validate", "file"], "unexpected argument 'file'"),
        (&["--config"], "a value is required for '--config <FILE>'"),
        (&["run", "--log-format", "xml"], "possible values: plain, json"),
        (&["maintenance", "on", "--for", "2"], "write with its unit: `2s` for seconds"),
        (&["maintenance", "on", "--for", "soon"], "`soon` is not a duration"),
        (&["maintenance", "on", "--service", "B"], "there is no service \"B\"; there are: A"),
        (&["maintenance", "on", "--zone", "afar"], "there is no zone \"afar\"; there are: far, local"),
        (
            &["alert", "preview", "--event", "closed"],
            "possible values: opened, escalated, reminder, recovered, notice, cannot-tell",
        ),
        (&["alert", "preview", "--formatter", "poem"], "there is no plugin \"poem\"; there are: "),
        (&["alert", "preview", "--formatter", "http"], "http is a check and not a formatter"),
        (&["check", "B"], "there is no service \"B\" in ./services.yaml; it has: A"),
    ] {
        let ran = home.run(words).await.ended(64);
        assert!(ran.stderr.contains(said) && ran.stdout.is_empty(), "{words:?}: {ran:#?}");
    }
    assert!(!home.join("data/maintenance.flag").exists(), "a mistyped name must not silence anything");
}

#[tokio::test]
async fn the_configuration_is_found_or_asked_for() {
    let home = Home::bare();
    let asked = home.run(["check"]).await.ended(78);
    assert_eq!(
        asked.stderr,
        "error: no services.yaml found in ./services.yaml, ./config/services.yaml, /etc/pihook/services.yaml; \
         name one with `--config FILE` or `PIHOOK_CONFIG`\n"
    );
    let absent = home.run(["check", "--config", "absent.yaml"]).await.ended(78);
    assert!(absent.stderr.starts_with("absent.yaml:1: cannot be read: No such file"), "{absent:?}");

    for name in ["config", "elsewhere"] {
        fs::create_dir(home.join(name)).unwrap();
        home.seed(&format!("{name}/data")).await;
        home.write(&format!("{name}/services.yaml"), "services: []\n");
    }
    let found = |path: &str| format!("valid: {path}: 0 services, 0 sinks\n");
    assert_eq!(home.run(["validate"]).await.ended(0).stdout, found("./config/services.yaml"));
    let mut by_variable = home.command(["validate"]);
    by_variable.env("PIHOOK_CONFIG", "elsewhere/services.yaml");
    assert_eq!(run(&mut by_variable).await.ended(0).stdout, found("elsewhere/services.yaml"));
    let by_option = run(by_variable.args(["--config", "config/services.yaml"])).await.ended(0);
    assert_eq!(by_option.stdout, found("config/services.yaml"));
}

#[tokio::test]
async fn the_shipped_configuration_is_valid() {
    let home = Home::bare();
    fs::create_dir(home.join("config")).unwrap();
    home.write("config/services.yaml", include_str!("../../config/services.yaml"));
    home.seed("data").await;
    let ran = home.run(["validate"]).await.ended(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("valid: ./config/services.yaml: 5 services, 0 sinks\n", "")
    );
}

#[tokio::test]
async fn a_table_of_checks() {
    let up = WebServer::start(Behaviour::ok("")).await;
    let refused = WebServer::start(Behaviour::Refuse).await;
    let services = format!(
        "  - {{ name: Küche, zone: far, url: '{}' }}\n  - {{ name: Down below, url: '{}', retries: 1 }}\n",
        up.url("/"),
        refused.url("/")
    );
    let home = home_of(&services).await;
    let ran = home.run(["check"]).await.ended(1);
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains('\x1b'), "no escape codes where nobody sees colours: {ran:?}");
    // Rows come as checks finish.
    let lines: Vec<_> = ran.stdout.lines().collect();
    let [heading, rows @ .., gap, sum] = lines.as_slice() else { panic!("{ran:#?}") };
    assert_eq!(*heading, "  STATUS    SERVICE     ZONE   RESPONSE  WHAT WAS SEEN");
    assert_eq!((*gap, *sum), ("", "1 up, 1 down"));
    let row = |mark: &str| *rows.iter().find(|row| row.starts_with(mark)).unwrap();
    let down = format!(
        "✗ down      Down below  local            connection refused by {} (2 attempts)",
        refused.address()
    );
    assert_eq!(row("✗"), down);
    let (before, after) = (row("✓").split(" ms").next().unwrap(), row("✓").split(" ms").nth(1).unwrap());
    assert!(before.starts_with("✓ up        Küche       far    "), "{rows:?}");
    assert_eq!(after.trim_start(), "HTTP 200");

    for name in ["Küche", "küCHE", "k-che"] {
        let ran = home.run(["check", name]).await.ended(0);
        assert!(ran.stdout.ends_with("\n\n1 up\n") && !ran.stdout.contains("Down"), "{ran:#?}");
    }
    let both = home.run(["check", "Küche", "down-below", "Küche", "--json"]).await.ended(1).json();
    let names: Vec<_> = both.as_array().unwrap().iter().map(|row| row["service"].clone()).collect();
    assert_eq!(names, ["Küche", "Down below"], "in the file's order, each once");
}

#[tokio::test]
async fn rows_come_as_checks_finish() {
    let (up, silent) = (WebServer::start(Behaviour::ok("")).await, WebServer::start(Behaviour::Silent).await);
    let services = [("Slow", &silent), ("Quick", &up)].map(|(name, server)| {
        format!("  - {{ name: {name}, url: '{}', read_timeout: 60s }}\n", server.url("/"))
    });
    let home = home_of(&services.concat()).await;
    let mut child = home.command(["check"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(line().await.starts_with("  STATUS"));
    assert!(line().await.starts_with("✓ up        Quick"), "the one that is silent is not waited for");
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().await.unwrap();
}

#[tokio::test]
async fn many_services_are_checked_in_one_go() {
    let server = WebServer::start(Behaviour::ok("").after(Duration::from_millis(10))).await;
    let service = |index| format!("  - {{ name: S{index}, url: '{}' }}\n", server.url("/"));
    let home = home_of(&(0..200).map(service).collect::<String>()).await;
    let rows = home.run(["check", "--json"]).await.ended(0).json();
    let names = rows.as_array().unwrap().iter().map(|row| row["service"].as_str().unwrap().to_owned());
    let expected: Vec<_> = (0..200).map(|index| format!("S{index}")).collect();
    assert_eq!(names.collect::<Vec<_>>(), expected, "in the file's order, whichever finished first");
    assert_eq!(server.requests(), 200);
}

#[tokio::test]
async fn the_worst_status_decides_the_exit_code() {
    let up = WebServer::start(Behaviour::ok("")).await;
    let url = up.url("/");
    let home = home_of(&format!(
        "  - {{ name: up, url: '{url}' }}\n\
         \x20 - {{ name: degraded, url: '{url}', settings: {{ expect: {{ certificate_valid_for: 1d }} }} }}\n\
         \x20 - {{ name: down, url: '{url}', settings: {{ expect: {{ status: 404 }} }} }}\n\
         \x20 - {{ name: unknown, url: 'https://127.0.0.1:9/', settings: {{ ca_file: /nowhere.pem }} }}\n"
    ))
    .await;
    for (names, code, sum) in [
        (&["up"][..], 0, "1 up"),
        (&["up", "degraded"], 1, "1 up, 1 degraded"),
        (&["up", "down"], 1, "1 up, 1 down"),
        (&["up", "unknown"], 2, "1 up, 1 unknown"),
        (&["unknown", "degraded"], 1, "1 degraded, 1 unknown"),
        (&[], 1, "1 up, 1 degraded, 1 down, 1 unknown"),
    ] {
        let ran = home.run([&["check"], names].concat()).await.ended(code);
        assert_eq!(ran.stdout.lines().last(), Some(sum), "{names:?}");
    }
    let none = home_of("  []").await;
    assert_eq!(none.run(["check"]).await.ended(0).stdout.lines().last(), Some("no services"));
    assert_eq!(none.run(["check", "--json"]).await.ended(0).json(), json!([]));
}

/// Runs `pihook` under a pseudo terminal; none if this machine has no `script`.
async fn on_a_terminal(home: &Home, words: &str, environment: &[(&str, &str)]) -> Option<Ran> {
    let script = Path::new("/usr/bin/script");
    if !script.exists() {
        eprintln!("/usr/bin/script is not installed: colours are not tested");
        return None;
    }
    let mut command = Command::new(script);
    command.args(["--quiet", "--return", "--command", &format!("'{PIHOOK}' {words}"), "/dev/null"]);
    command.current_dir(home.path()).env_clear().env("TERM", "xterm").envs(environment.iter().copied());
    Some(run(&mut command).await)
}

#[tokio::test]
async fn colours_are_for_terminals() {
    let up = WebServer::start(Behaviour::ok("")).await;
    let home = home_of(&format!("  - {{ name: A, url: '{}' }}", up.url("/"))).await;
    let Some(ran) = on_a_terminal(&home, "check", &[]).await else { return };
    let ran = ran.ended(0);
    assert!(ran.stdout.contains("\x1b[32m✓ up      \x1b[0m  A"), "{ran:#?}");
    assert!(ran.stdout.contains("\x1b[32m1 up\x1b[0m"), "{ran:#?}");
    let wrong = on_a_terminal(&home, "check B", &[]).await.unwrap().ended(64);
    assert!(wrong.stdout.contains("\x1b[1;31merror:\x1b[0m there is no"), "{wrong:#?}");
    let json = on_a_terminal(&home, "check --json", &[]).await.unwrap().ended(0);
    assert!(!json.stdout.contains('\x1b'), "{json:#?}");
    for words in ["check", "check B", "status", "maintenance on", "alert preview", "check --bogus", "--help"]
    {
        let ran = on_a_terminal(&home, words, &[("NO_COLOR", "1")]).await.unwrap();
        assert!(!ran.stdout.contains('\x1b'), "{words}: {ran:#?}");
    }
}

#[tokio::test]
async fn validate_says_that_all_is_right_or_what_is_not() {
    let home = home_of("  - { name: A, url: 'http://127.0.0.1:9/' }").await;
    let ran = home.run(["validate"]).await.ended(0);
    assert_eq!(ran.stdout, "valid: ./services.yaml: 1 service, 0 sinks\n");
    home.write("services.yaml", "services:\n  - { name: A, url: 'http://127.0.0.1:9/', intervall: 5s }\n");
    let ran = home.run(["validate"]).await.ended(78);
    assert_eq!(ran.stdout, "");
    assert_eq!(
        ran.stderr,
        "./services.yaml:2: services[0].intervall: the key `intervall` is not known here; did you mean `interval`?\n\
         error: 1 problem in ./services.yaml\n"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_named() {
    let services =
        |data: &str| format!("data_dir: {data}\nservices: [{{ name: A, url: 'http://127.0.0.1:9/' }}]\n");
    let home = Home::bare();
    let locked = home.join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o555)).unwrap();
    // Nothing keeps root out but a file system that cannot be written to at all.
    let is_root = fs::create_dir(locked.join("probe")).is_ok();
    let folder = if is_root { "/proc/pihook".to_owned() } else { locked.join("data").display().to_string() };
    home.write("services.yaml", &services(&folder));
    for words in [&["run"][..]] {
        let ran = home.run(words).await.ended(70);
        let said = format!("error: cannot create the data folder {folder}: ");
        assert!(ran.stderr.starts_with(&said) && ran.stderr.lines().count() == 1, "{words:?}: {ran:#?}");
    }
    let ran = home.run(["maintenance", "on"]).await.ended(70);
    assert!(ran.stderr.starts_with(&format!("error: cannot write {folder}/maintenance.flag: ")), "{ran:#?}");
}

#[tokio::test]
async fn a_report_and_a_weeks_file_of_what_was_checked() {
    let bare = home_of("  - { name: A, url: 'http://127.0.0.1:9/' }").await;
    for words in [["report"], ["export"]] {
        let before = bare.run(words).await.ended(70);
        assert!(before.stderr.contains("nothing is known yet: "), "{before:?}");
    }
    assert!(
        bare.run(["export", "--week", "2026-W60"]).await.ended(64).stderr.contains("write it like 2026-W47")
    );

    let discord = FakeDiscord::start().await;
    let up = WebServer::start(Behaviour::ok("")).await;
    let services = [daemon::service("Good", &up.url("/"))];
    let mut daemon = Daemon::start(&daemon::config(&discord.url(), "[{ after: 1 }]", &services)).await;
    daemon.until("a good check", |daemon| daemon.count("Good", "up") > 0).await;
    // Beside the daemon.
    Ran::from(daemon.pihook(&["report"]).await).ended(0);
    daemon.stop().await;

    let table = Ran::from(daemon.pihook(&["report", "--since", "24h"]).await).ended(0).stdout;
    let row = table.lines().find(|line| line.starts_with("Good ")).unwrap();
    assert!(row.contains("100.00 %") && row.contains('✓') && !table.contains('\x1b'), "{table}");
    let json = Ran::from(daemon.pihook(&["report", "--format", "json"]).await).ended(0).json();
    let good = &json["services"][0];
    assert_eq!((&good["service"], &good["down"]), (&json!("Good"), &json!(0)), "{json:#}");
    assert!(good["checks"].as_u64().unwrap() > 0, "{json:#}");

    let csv = Ran::from(daemon.pihook(&["report", "--format", "csv"]).await).ended(0).stdout;
    let today = std::process::Command::new("date").arg("+%G-W%V").output().unwrap();
    let week = String::from_utf8(today.stdout).unwrap().trim().to_owned();
    let exported = Ran::from(daemon.pihook(&["export", "--week", &week]).await).ended(0).stdout;
    let file = fs::read_to_string(exported.trim()).unwrap();
    assert!(exported.trim().ends_with(&format!("exports/uptime-{week}.csv")), "{exported}");
    assert_eq!(file.lines().next(), csv.lines().next());
    assert!(file.lines().nth(1).unwrap().starts_with(&format!("{week},Good,local,http,")), "{file}");
    assert_eq!(file.lines().count(), 2, "{file}");
}

#[tokio::test]
async fn status_before_during_and_after() {
    let home = home_of("  - { name: A, url: 'http://127.0.0.1:9/' }").await;
    let before = home.run(["status"]).await.ended(70);
    assert!(
        before.stderr.contains("nothing is known yet: ") && before.stderr.contains("`pihook run`"),
        "{before:?}"
    );

    let discord = FakeDiscord::start().await;
    discord.script([Answer::ServerError]);
    let (up, refused) =
        (WebServer::start(Behaviour::ok("")).await, WebServer::start(Behaviour::Refuse).await);
    let services =
        [daemon::service("Good", &up.url("/")), daemon::in_zone("external", "Bad", &refused.url("/"))];
    let mut daemon = Daemon::start(&daemon::config(&discord.url(), "[{ after: 1 }]", &services)).await;
    daemon.until("a failed delivery", |daemon| daemon.alerts().iter().any(|alert| alert.attempts > 0)).await;
    daemon.until("a good check", |daemon| daemon.count("Good", "up") > 0).await;

    let during = Ran::from(daemon.pihook(&["status"]).await).ended(0);
    let json = Ran::from(daemon.pihook(&["status", "--json"]).await).ended(0).json();
    daemon.stop().await;
    let after = Ran::from(daemon.pihook(&["status"]).await).ended(0);
    for ran in [&during, &after] {
        let text = &ran.stdout;
        let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        assert!(line("  STATUS ").ends_with("RESPONSE  CHECKED     WHAT WAS SEEN"), "{text}");
        assert!(line("✓ up ").contains("Good") && line("✓ up ").ends_with("HTTP 200"), "{text}");
        assert!(
            line("✗ down ").contains("external") && line("✗ down ").contains("connection refused by"),
            "{text}"
        );
        assert!(line("  #1 Bad down since ").contains("failed checks: connection refused by"), "{text}");
        assert!(line("  Bad opened to discord, decided ").contains("attempts: "), "{text}");
        assert!(!text.contains(TOKEN) && !text.contains('\x1b'), "{text}");
    }
    assert_eq!(json["services"].as_array().unwrap().len(), 2, "{json:#}");
    let good = json["services"].as_array().unwrap().iter().find(|row| row["service"] == "Good").unwrap();
    assert_eq!((&good["last"]["status"], &good["last"]["summary"]), (&json!("up"), &json!("HTTP 200")));
    assert_eq!(
        (&good["id"], &good["zone"], &good["check"]),
        (&json!("good"), &json!("local"), &json!("http"))
    );
    let incident = &json["incidents"][0];
    assert_eq!((&incident["service"], &incident["severity"]), (&json!("Bad"), &json!("critical")));
    let undelivered = &json["undelivered"][0];
    assert_eq!((&undelivered["event"], &undelivered["state"]), (&json!("opened"), &json!("pending")));
    assert!(undelivered["last_error"].as_str().unwrap().contains("500"), "{undelivered:#}");

    daemon.configure("services: 5\ndata_dir: data\n");
    let broken = Ran::from(daemon.pihook(&["status"]).await).ended(0);
    assert!(broken.stdout.contains("Good"), "a broken configuration hides nothing: {broken:?}");
}

#[tokio::test]
async fn maintenance_is_switched_on_and_off() {
    let home =
        home_of("  - { name: NAS, url: 'http://127.0.0.1:9/' }\n  - { name: B, url: 'http://127.0.0.1:9/' }")
            .await;
    let flag = home.join("data/maintenance.flag");
    let said = async |words: &[&str]| {
        let ran = home.run([&["maintenance"], words].concat()).await.ended(0);
        assert_eq!(ran.stderr, "");
        ran.stdout
    };
    assert_eq!(said(&["status"]).await, "maintenance is off: alerts are sent\n");
    assert_eq!(said(&["off"]).await, "maintenance was not on\n");

    let everything = "maintenance is on: alerts are muted for everything until `pihook maintenance off`\n";
    assert_eq!(said(&["on"]).await, everything);
    assert_eq!(fs::read_to_string(&flag).unwrap(), "");
    assert_eq!(said(&["status"]).await, everything);
    assert_eq!(said(&["off"]).await, "maintenance is off: alerts are sent again\n");
    assert!(!flag.exists());

    let part = [
        "on",
        "--for",
        "2h",
        "--service",
        "NAS",
        "--service",
        "b",
        "--zone",
        "far",
        "--reason",
        "disk: swap",
    ];
    let text = said(&part).await;
    let start = "maintenance is on: alerts are muted for NAS, b, the zone far until ";
    assert!(text.starts_with(start) && text.ends_with(" UTC (disk: swap)\n"), "{text}");
    assert_eq!(said(&["status"]).await, text);
    let content = fs::read_to_string(&flag).unwrap();
    assert!(content.contains("services:\n- NAS\n- b\nzones:\n- far\n"), "{content}");
    let until = content.lines().next().and_then(|line| line.strip_prefix("until: ")).unwrap();
    let until: jiff::Timestamp = until.parse().unwrap();
    let now: jiff::Timestamp = fs::metadata(&flag).unwrap().modified().unwrap().try_into().unwrap();
    assert!((until - now).total(jiff::Unit::Minute).unwrap().round() == 120.0, "{content}");
    assert_eq!(said(&["on"]).await, everything, "the last word counts");

    home.write("data/maintenance.flag", "until: 2001-01-01T00:00:00Z\n");
    assert!(said(&["status"]).await.starts_with("maintenance is over: "));
    home.write("data/maintenance.flag", "untli: tomorrow\n");
    let odd = said(&["status"]).await;
    assert!(
        odd.starts_with(everything) && odd.contains("counts as full maintenance, since unknown field"),
        "{odd}"
    );
    home.write("services.yaml", "services: []\nbanana: 1\n");
    assert_eq!(said(&["on"]).await, everything, "silence must be possible while the file is broken");
}

async fn home_with_sinks(urls: &[(&str, &str)]) -> Home {
    let sinks: String =
        urls.iter().map(|(name, url)| format!("  {name}: {{ type: discord, url: '{url}' }}\n")).collect();
    Home::new(&format!("services: []\nsinks:\n{sinks}")).await
}

#[tokio::test]
async fn a_test_alert_goes_to_each_sink() {
    let discord = FakeDiscord::start().await;
    let url = discord.url();
    let home = home_with_sinks(&[("first", &url), ("second", &url)]).await;
    let ran = home.run(["alert", "test"]).await.ended(0);
    let sent = "sent; look whether it has arrived";
    assert_eq!(ran.stdout, format!("✓ first: {sent}\n✓ second: {sent}\n"));
    let ran = home.run(["alert", "test", "--sink", "second"]).await.ended(0);
    assert_eq!(ran.stdout, format!("✓ second: {sent}\n"));
    let received = discord.received();
    assert_eq!(received.len(), 3);
    for message in &received {
        assert!(message.text().to_lowercase().contains("test"), "{}", message.text());
        assert!(message.pings().is_empty());
    }
    assert_eq!(discord.violations(), [""; 0]);
    let unknown = home.run(["alert", "test", "--sink", "third"]).await.ended(64);
    assert_eq!(unknown.stderr, "error: there is no sink \"third\"; there are: first, second\n");
}

#[tokio::test]
async fn a_sink_that_does_not_take_a_test_alert_is_told() {
    let discord = FakeDiscord::start().await;
    let gone = discord.url_with("gone");
    discord.revoke("gone");
    let home =
        home_with_sinks(&[("broken", "http://127.0.0.1:1/hook"), ("fine", &discord.url()), ("gone", &gone)])
            .await;
    let ran = home.run(["alert", "test"]).await.ended(1);
    let lines: Vec<_> = ran.stdout.lines().collect();
    let [broken, fine, revoked] = lines.as_slice() else { panic!("{ran:#?}") };
    assert!(broken.starts_with("✗ broken: "), "{ran:#?}");
    assert!(fine.starts_with("✓ fine: sent"), "{ran:#?}");
    assert!(revoked.starts_with("✗ gone: ") && revoked.contains("404"), "{ran:#?}");
    assert!(
        !ran.stdout.contains(TOKEN) && !ran.stdout.contains("webhooks/"),
        "an address is a secret: {ran:#?}"
    );

    let none = Home::new("services: []\n").await;
    for words in [&["alert", "test"][..], &["alert", "test", "--sink", "x"]] {
        let ran = none.run(words).await.ended(78);
        assert!(ran.stderr.starts_with("error: no sink is configured: add one under `sinks:`"), "{ran:?}");
    }
}

#[tokio::test]
async fn alerts_can_be_looked_at_before_they_come() {
    let home = Home::new("services: []\n").await;
    let all = home.run(["alert", "preview", "--formatter", "detailed"]).await.ended(0).stdout;
    // The sample's times are those of the run.
    let lines = all.lines().map(|line| match line.contains(" UTC") {
        true => line.replace(|c: char| c.is_ascii_digit(), "0"),
        false => line.to_owned(),
    });
    insta::assert_snapshot!("preview", lines.collect::<Vec<_>>().join("\n"));
    for event in ["opened", "escalated", "reminder", "recovered", "notice"] {
        let one = home.run(["alert", "preview", "--formatter", "detailed", "--event", event]).await.ended(0);
        let titles: Vec<_> = one.stdout.lines().filter(|line| line.starts_with("-- ")).collect();
        assert_eq!(titles, [format!("-- {event}")]);
    }
}
