//! Configurations with mistakes: all of them told at once, each with its place and what would be right.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::oneshot::{Home, run};

const SHIPPED: &str = include_str!("../../config/services.yaml");

/// A file line by line, and what is said of each.
#[rustfmt::skip]
const MISTAKEN: &[(&str, &[&str])] = &[
    ("data_dir: 7", &["data_dir: expected text, found a number; put it in quotes"]),
    ("banana: 1", &["banana: the key `banana` is not known here; known here: data_dir, maintenance_flag, dashboard, history, defaults, escalation, escalation_degraded, zones, sinks, plugins, services, watchdog, maintenance, startup_message"]),
    ("maintenance_flag: ''", &["maintenance_flag: this is not a path; the path of a file or folder"]),
    ("maintenance: 5", &["maintenance: expected a list, found a number; such as `- { name: backups, weekly: \"Sun 03:00-05:00\" }`"]),
    ("dashboard:", &[]),
    ("  listen: 0.0.0.0:8420", &[r#"dashboard.listen: everybody who reaches this address could see the dashboard; add `auth: { user: …, password: "${PIHOOK_PASSWORD}" }`, or `auth: none` if that is what you want"#]),
    ("  lisen: 1", &["dashboard.lisen: the key `lisen` is not known here; did you mean `listen`?"]),
    ("history:", &[]),
    ("  keep_checks: 30", &["history.keep_checks: the duration `30` has no unit; with its unit: `30s` for seconds, or `30m`, `30h`"]),
    ("  keep_rollups: 1h", &["history.keep_rollups: `1h` is too little; from `1d` to `3660d`"]),
    ("  commit_every: soon", &["history.commit_every: `soon` is not a duration; a whole number and a unit, such as `500ms`, `90s`, `5m`, `2h` or `7d`"]),
    ("defaults:", &[]),
    ("  interval: 500ms", &["defaults.interval: `500ms` is too little; from `1s` to `30d`"]),
    ("  retries: 11", &["defaults.retries: `11` is too much; from 0 to 10"]),
    ("  conect_timeout: 1s", &["defaults.conect_timeout: the key `conect_timeout` is not known here; did you mean `connect_timeout`?"]),
    ("  read_timeout: 2m", &["defaults.read_timeout: the timeout `2m` is longer than the interval `1m`; a timeout of at most the interval, or a longer interval"]),
    ("  recover_after: 0", &["defaults.recover_after: `0` is too little; from 1 to 100"]),
    ("  flap: { window: 1 }", &["defaults.flap.window: `1` is too little; from 3 to 60"]),
    ("escalation:", &[]),
    ("  - { severity: info }", &["escalation[0]: `after` is missing; `after: 3` for three failed checks in a row, or `after: 30m`"]),
    ("  - { after: 3, severity: crtical, sinks: [dicsord], mention: role:admins }", &["escalation[1].severity: there is no severity `crtical`; did you mean `critical`?", "escalation[1].sinks[0]: there is no sink `dicsord`; did you mean `discord`?", "escalation[1].mention: `role:admins` is nobody to mention; `here`, `everyone`, `role:ID` or `user:ID`, with the number that Discord shows as ID"]),
    ("zones:", &[]),
    ("  local: {}", &[]),
    ("  far away: {}", &[r#"zones["far away"]: `far away` cannot be a name here; up to 64 letters, digits, `-` and `_`, such as `my-name`"#]),
    ("sinks:", &[]),
    (r#"  discord: { type: disscord, url: "https://discord.com/api/webhooks/1/a" }"#, &["sinks.discord.type: there is no sink type `disscord`; did you mean `discord`?"]),
    ("  phone: { type: telegram, token: x, chat: 5 }", &["sinks.phone.token: this is not a bot's token; the bot's token as @BotFather gives it, best as \"${TELEGRAM_TOKEN}\""]),
    (r#"  hook: { type: discord, url: "${NOT_SET}" }"#, &["sinks.hook.url: the environment variable `NOT_SET` is not set; set it where pihook is started, or put the value in a file and write `${file:PATH}`"]),
    (r#"  other: { type: discord, url: "https://discord.com/channels/1/2", formatter: poem }"#, &[r#"sinks.other.url: this is not the address of a Discord webhook; the webhook's address as Discord gives it: `https://discord.com/api/webhooks/…`, best as "${DISCORD_WEBHOOK_URL}""#]),
    (r#"  fourth: { type: discord, url: "http://127.0.0.1:9/hook", formatter: poem }"#, &["sinks.fourth.formatter: there is no formatter `poem`; one of compact, detailed, digest, plain, mine, or declare it under `plugins:`"]),
    (r#"  fifth: { type: discord, url: "http://127.0.0.1:9/hook", formatter: http, thread_id: general }"#, &[r#"sinks.fifth.thread_id: this is not a thread's ID; the number that Discord gives for "Copy Thread ID""#, "sinks.fifth.formatter: `http` is a check and not a formatter; name a formatter: compact, detailed, digest, plain, mine"]),
    ("plugins:", &[]),
    ("  mine: { file: mine.wasm, sha256: abc, memory: 32 MB, allow: { files: [../x] } }", &["plugins.mine.sha256: this is not a SHA-256 digest; 64 hexadecimal digits, as `sha256sum FILE` prints", "plugins.mine.allow.files[0]: `../x` is not a path to allow: it does not begin with `/`; an absolute path such as `/proc/mdstat`, `/sys/fs/ext4/*/errors_count` or `/var/log/apt/**`", "plugins.mine.memory: `32 MB` is not a size; a whole number and a unit, such as `512KiB` or `32MiB`"]),
    ("services:", &[]),
    (r#"  - { url: "http://a/" }"#, &["services[0]: `name` is missing; `name: Jellyfin`, say"]),
    ("  - { name: Empty }", &["services[1]: this service has nothing to check; `url: http://…` for a web page, or `check:` and `settings:`"]),
    (r#"  - { name: Zone, zone: lokal, url: "http://a/" }"#, &["services[2].zone: there is no zone `lokal`; did you mean `local`?"]),
    (r#"  - { name: Address, url: "ftp://a/", intervall: 5s }"#, &["services[3].intervall: the key `intervall` is not known here; did you mean `interval`?", "services[3].url: this is not an address that starts with `http://` or `https://`; such as `http://192.168.1.10:8096/health`"]),
    (r#"  - { name: Address, id: other, url: "http://a/", interval: 60 }"#, &["services[4].name: `Address` is the name of `services[3]` already, in line 38; a name that no other service has", "services[4].interval: the duration `60` has no unit; with its unit: `60s` for seconds, or `60m`, `60h`"]),
    ("  - { name: Unknown check, check: dsik }", &["services[5].check: there is no plugin `dsik`; one of {plugins}, or declare it under `plugins:`"]),
    ("  - { name: Formatter, check: detailed }", &["services[6].check: `detailed` is a formatter and not a check; name a check, such as `http`"]),
    ("  - name: Settings", &[]),
    ("    check: http", &[]),
    ("    settings:", &[]),
    ("      url: nas.lan", &[r#"services[7].settings.url: "nas.lan" does not begin with http:// or https://; such as http://192.168.1.10:8096/health"#]),
    ("      methd: GET", &["services[7].settings.methd: unknown key `methd`; did you mean `method`?"]),
    ("      method: FETCH", &[r#"services[7].settings.method: "FETCH" is no method; one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"#]),
    ("      ca_file: ca.pem", &[r#"services[7].settings.ca_file: "ca.pem" is a relative path; an absolute path, such as /etc/pihook/ca.pem"#]),
    ("      redirects: -1", &["services[7].settings.redirects: is the number -1; expected a whole number, not negative"]),
    ("      auth: { basic: { user: me } }", &["services[7].settings.auth.basic.password: is missing; `password` is required"]),
    (r#"      headers: { X-Key: "${ALSO_NOT_SET}" }"#, &["services[7].settings.headers.X-Key: the environment variable `ALSO_NOT_SET` is not set; set it where pihook is started, or put the value in a file and write `${file:PATH}`"]),
    ("      expect:", &[]),
    ("        status: 2xx", &[r#"services[7].settings.expect.status: "2xx" is neither a number nor a range; such as 200-299 or 200,204,300-399"#]),
    (r#"        body_matches: "(""#, &[r#"services[7].settings.expect.body_matches: "(" is no regular expression: found open group without closing ')'; escape . * + ? ( ) [ ] { } | ^ $ and \ with a \"#]),
    ("        max_response_time: 2", &["services[7].settings.expect.max_response_time: is the number 2; expected a number with its unit, such as 500ms, 2s, 5m, 2h or 14d"]),
    ("        certificate_valid_for: a while", &[r#"services[7].settings.expect.certificate_valid_for: is the text "a while"; expected a number with its unit, such as 500ms, 2s, 5m, 2h or 14d"#]),
    ("  - name: More settings", &[]),
    ("    check: http", &[]),
    ("    settings:", &[]),
    ("      url: http://a/", &[]),
    ("      method: HEAD", &[]),
    ("      auth: { bearer: token }", &[]),
    (r#"      headers: { Authorization: token, "A b": c }"#, &["services[8].settings.headers.A b: is no name of a header; letters, digits and -, such as X-Api-Key", "services[8].settings.headers.Authorization: contradicts `auth`; use only one of the two"]),
    ("      expect:", &[]),
    ("        status: 0-700", &["services[8].settings.expect.status: 0-700 is outside of what HTTP has; between 100 and 599"]),
    ("        body_contains: x", &["services[8].settings.expect.body_contains: an answer to HEAD has no body; use method: GET"]),
    ("        json: { status: pass }", &["services[8].settings.expect.json.status: is no JSON pointer; begin it with /, such as /status/health", "services[8].settings.expect.json: an answer to HEAD has no body; use method: GET"]),
];

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let lines: Vec<_> = MISTAKEN.iter().map(|(line, _)| *line).collect();
    let home = Home::new(&lines.join("\n")).await;
    let plugins = plugins_and("mine");
    let plugins = plugins.as_str();
    let told: Vec<_> = MISTAKEN
        .iter()
        .enumerate()
        .flat_map(|(index, (_, said))| {
            let said = said.iter().map(|said| said.replace("{plugins}", plugins));
            said.map(move |said| format!("./services.yaml:{}: {said}\n", index + 1))
        })
        .collect();
    assert!(told.len() >= 50, "{}", told.len());
    let expected = format!("{}error: {} problems in ./services.yaml\n", told.concat(), told.len());
    // Whatever needs the configuration says the same.
    for words in [&["validate"][..], &["check"], &["run"], &["alert", "test"], &["alert", "preview"]] {
        let ran = home.run(words).await.ended(78);
        assert_eq!(ran.stderr, expected, "{words:?}");
        assert_eq!(ran.stdout, "", "{words:?}");
    }
    assert!(!home.join("data/pihook.db").exists(), "a daemon that does not start leaves nothing behind");
}

/// The ids of the plugins that come with PiHook and of one more, as they are listed.
fn plugins_and(another: &str) -> String {
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let mut ids: Vec<String> = folders.filter(|id| id != "sdk").collect();
    ids.sort();
    format!("{}, {another}", ids.join(", "))
}

/// Files with one mistake, and what is said of it.
#[rustfmt::skip]
const ALONE: &[(&str, &str)] = &[
    ("", "1: services: there is no list of services; a list of services, such as *; `services: []` for none"),
    ("services: [", "2: not YAML from column 1 on: *; look at the indentation (spaces, no tabs), at `: ` after keys and at the quotes, here and one line above"),
    ("services: []\n\tzones: {}", "2: not YAML from column *; look at the indentation (spaces, no tabs), at `: ` after keys and at the quotes, here and one line above"),
    ("services: []\n---\nservices: []", "2: a second document begins here; one file holds one document: remove the line `---`"),
    ("services: []\nservices: []", "2: services: `services` stands here for the second time, first in line 1; keep one of the two"),
    ("dashboard: { listen: pi.lan:80 }\nservices: []", "1: dashboard.listen: `pi.lan:80` is not an address to listen on; an IP address and a port, such as `127.0.0.1:8420`, `0.0.0.0:8420` or `\"[::]:8420\"`"),
    ("dashboard: { auth: { user: me } }\nservices: []", "1: dashboard.auth: `password` is missing; `none`, or `{ user: …, password: \"${PIHOOK_PASSWORD}\" }`"),
    ("escalation: [{ after: 3, sinks: [phone] }]\nservices: []", "1: escalation[0].sinks[0]: there is no sink `phone`; *"),
    ("zones: { local: { canaries: [] } }\nservices: []", "1: zones.local.canaries: a zone has 1 to 10 canaries, and this has 0; such as `[https://1.1.1.1, \"192.168.1.1:53\"]`, or leave the key out"),
    ("services:\n  - { name: A, check: http, settings: {} }", "2: services[0].settings.url: is missing; `url` is required"),
    ("services:\n  - { name: A, check: http }", "2: services[0].settings.url: is missing; `url` is required"),
    ("services:\n  - name: A\n    url: http://a b/", "3: services[0].url: this is not a web address; such as `http://192.168.1.10:8096/health`"),
    ("services:\n  - name: A\n    url: http://me:secret@a/", "3: services[0].url: holds a user or a password; write them as auth: { basic: { user, password } }"),
    ("services:\n  - name: A\n    url: http://${TZ}/", "3: services[0].url: the host and port of an address cannot come from `${…}`: secrets are sent there alone; *"),
    ("services:\n  - name: A\n    url: http://a/\n    settings:\n      expect:\n        staus: 200", "6: services[0].settings.expect.staus: unknown key `staus`; did you mean `status`?"),
    ("services:\n  - name: A\n    url: http://a/\n    settings:\n      auth: { basic: { user: u, password: p }, bearer: t }", "5: services[0].settings.auth: has 2 keys; exactly one of basic, bearer"),
];

#[tokio::test]
async fn each_mistake_is_told_alone() {
    let home = Home::bare();
    home.seed("data").await;
    let mut missed = Vec::new();
    for (text, said) in ALONE {
        home.write("services.yaml", &format!("{text}\n"));
        let ran = home.run(["validate"]).await.ended(78);
        let lines: Vec<_> = ran.stderr.lines().collect();
        let told = lines[0].strip_prefix("./services.yaml:").unwrap_or_else(|| panic!("{ran:#?}"));
        let (start, end) = said.split_once('*').unwrap_or((said, ""));
        if !(told.starts_with(start)
            && told[start.len()..].ends_with(end)
            && (said.contains('*') || told == *said))
        {
            missed.push((text, said, told.to_owned()));
        }
        assert_eq!(lines[1..], ["error: 1 problem in ./services.yaml"], "{text}");
        assert!(!ran.stderr.contains("secret@"), "what may be a secret is not shown: {ran:#?}");
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[tokio::test]
async fn secrets_that_are_not_there_are_mistakes_and_others_are_never_shown() {
    let file = "sinks: { d: { type: discord, url: \"${HOOK}\" }, e: { type: discord, url: \"${file:key}\" } }\nservices: []\n";
    let home = Home::new(file).await;
    let ran = home.run(["validate"]).await.ended(78);
    assert!(ran.stderr.contains("1: sinks.d.url: the environment variable `HOOK` is not set; "), "{ran:#?}");
    assert!(ran.stderr.contains("1: sinks.e.url: the file `key` cannot be read"), "{ran:#?}");
    // Both are there now, and neither is an address.
    home.write("key", "filed-hunter2\n");
    let ran = run(home.command(["validate"]).env("HOOK", "hunter2")).await.ended(78);
    assert!(ran.stderr.contains("sinks.d.url: this is not a web address; "), "{ran:#?}");
    assert!(!ran.stderr.contains("hunter2"), "{ran:#?}");
    home.write("key", "http://127.0.0.1:9/hook");
    run(home.command(["validate"]).env("HOOK", "http://127.0.0.1:9/hook")).await.ended(0);
}

/// The YAML blocks of a page of the documentation.
fn examples(page: &str) -> impl Iterator<Item = &str> {
    page.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next())
}

#[tokio::test]
async fn the_examples_of_the_documentation_are_valid() {
    let home = Home::bare();
    home.seed("data").await;
    home.write("nas-password", "long enough");
    let mut count = 0;
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
    let checks = std::fs::read_dir(format!("{docs}/checks")).unwrap().map(|page| page.unwrap().path());
    for page in checks.chain([format!("{docs}/configuration.md").into()]) {
        let page = std::fs::read_to_string(page).unwrap();
        for example in examples(&page) {
            let services = if example.contains("services:") { "" } else { "services: []\n" };
            home.write("services.yaml", &format!("{example}{services}"));
            let mut command = home.command(["validate"]);
            command.env("DISCORD_WEBHOOK_URL", "https://discord.com/api/webhooks/1/x");
            command.env("TELEGRAM_TOKEN", "1234:abcdefgh-token").env("NTFY_TOPIC", "pihook-topic");
            command.env("HOOK_SECRET", "0123456789abcdef");
            command.env("HEALTHCHECK_URL", "https://hc-ping.com/some-uuid");
            let ran = run(command
                .env("PIHOOK_PASSWORD", "long enough")
                .env("MAIL_PASSWORD", "long enough")
                .env("GITEA_TOKEN", "long enough")
                .env("BACKUP_TOKEN", "a-token-that-is-long-enough"))
            .await;
            // The file of a plugin that is named as an example is not there; nothing else may be wrong.
            let lacks_plugin = example.contains("plugins:") && ran.stderr.contains("cannot read");
            assert!(ran.code == 0 || lacks_plugin, "{example}\n{ran:#?}");
            count += 1;
        }
    }
    assert!(count >= 6, "{count}");
}

/// Variants of a file: pieces taken out, put in, moved and doubled. The same ones each time.
fn variants(text: &str, count: usize) -> Vec<Vec<u8>> {
    let piece = prop_oneof![
        "[ -~\n]{0,4}",
        "[\\-?:,\\[\\]{}&*!|>'\"%@` \t#~<$]{1,3}",
        prop::sample::select(vec![
            "\n  - ",
            ": ",
            "${",
            "*a",
            "&a ",
            "<<: ",
            "\u{0}",
            "é",
            "-1",
            "99999999999999999999",
            "[[[[[["
        ])
        .prop_map(str::to_owned),
    ];
    let place = || any::<prop::sample::Index>();
    let edits = prop::collection::vec((place(), 0usize..8, piece, place(), any::<bool>()), 1..4);
    let mut runner = TestRunner::deterministic();
    let mut variant = || {
        let mut bytes = text.as_bytes().to_vec();
        for (at, length, piece, from, is_moved) in edits.new_tree(&mut runner).unwrap().current() {
            let start = at.index(bytes.len());
            let end = (start + length).min(bytes.len());
            let from = from.index(bytes.len());
            let moved = bytes[from..(from + length).min(bytes.len())].to_vec();
            bytes.splice(start..end, if is_moved { moved } else { piece.into_bytes() });
        }
        bytes
    };
    (0..count).map(|_| variant()).collect()
}

#[tokio::test]
async fn no_file_makes_it_panic() {
    // With its suggestions switched on, and with its data within the folder whatever becomes of that line.
    let suggested = SHIPPED.lines().filter(|line| !line.starts_with("data_dir:")).map(|line| {
        let is_suggestion = line.starts_with('#') && (!line.starts_with("# ") || line.starts_with("#  "));
        if is_suggestion { &line[1..] } else { line }
    });
    let text: Vec<_> = suggested.filter(|line| !line.trim_start().starts_with("# ")).collect();
    let text = text.join("\n");
    let home = Arc::new(Home::bare());
    home.seed("data").await;
    let slots = Arc::new(Semaphore::new(4));
    let mut running = JoinSet::new();
    for (index, variant) in variants(&text, 200).into_iter().enumerate() {
        let (home, slots) = (home.clone(), slots.clone());
        running.spawn(async move {
            let _slot = slots.acquire_owned().await;
            let name = format!("{index}.yaml");
            fs::write(home.join(&name), &variant).unwrap();
            let mut command = home.command(["validate", "--config", &name]);
            command.env("DISCORD_WEBHOOK_URL", "https://discord.com/api/webhooks/1/x");
            command.env("TELEGRAM_TOKEN", "1234:abcdefgh-token").env("NTFY_TOPIC", "pihook-topic");
            command.env("HOOK_SECRET", "0123456789abcdef");
            command.env("HEALTHCHECK_URL", "https://hc-ping.com/some-uuid");
            let ran = run(command
                .env("PIHOOK_PASSWORD", "long enough")
                .env("MAIL_PASSWORD", "long enough")
                .env("GITEA_TOKEN", "long enough")
                .env("BACKUP_TOKEN", "a-token-that-is-long-enough"))
            .await;
            let is_told = ran.code == 0 || ran.stderr.starts_with(&format!("{name}:"));
            assert!(
                [0, 78].contains(&ran.code) && is_told,
                "{}\n{ran:#?}",
                String::from_utf8_lossy(&variant)
            );
            ran.code
        });
    }
    let codes = running.join_all().await;
    let valid = codes.iter().filter(|code| **code == 0).count();
    assert!((10..190).contains(&valid), "{valid} of 200 variants are valid: they say little");
}

#[tokio::test]
async fn what_is_no_file_of_text_is_told() {
    let home = Home::bare();
    for (name, content, said) in [
        ("bytes", &b"a: 1\nb: \xff\n"[..], "bytes:2: this is not UTF-8; save the file in UTF-8"),
        ("large", &vec![b'#'; (1 << 20) + 1], "large:1: the file is larger than 1 MiB; "),
        ("bomb", bomb().as_bytes(), "with its aliases written out, the file is far too large; "),
        ("deep", "[".repeat(10_000).as_bytes(), "deep:1: "),
    ] {
        fs::write(home.join(name), content).unwrap();
        let ran = home.run(["validate", "--config", name]).await.ended(78);
        assert!(ran.stderr.contains(said), "{ran:#?}");
    }
    fs::create_dir(home.join("folder")).unwrap();
    let ran = home.run(["validate", "--config", "folder"]).await.ended(78);
    assert!(ran.stderr.starts_with("folder:1: cannot be read: "), "{ran:#?}");
    assert!(!Path::new(&home.join("data")).exists());
}

/// Nine aliases of nine aliases of nine aliases.
fn bomb() -> String {
    let level = |index: usize| format!("a{index}: &a{index} [{}]\n", format!("*a{},", index - 1).repeat(9));
    "a0: &a0 x\n".to_owned() + &(1..12).map(level).collect::<String>()
}
