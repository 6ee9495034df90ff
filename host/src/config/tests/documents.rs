//! The shipped example and the documentation agree with the code.

use std::collections::BTreeSet;

use super::super::keys::ALL;
use super::*;

const DOCUMENTATION: &str = include_str!("../../../../docs/configuration.md");
const EXAMPLE: &str = include_str!("../../../../config/services.yaml");

fn between_quotes(line: &str) -> Option<&str> {
    line.split('`').nth(1)
}

/// The keys of the documentation as `section / key`: the first column of the tables below a heading with a section's
/// name in back-quotes.
fn documented() -> BTreeSet<String> {
    let mut section = "";
    let mut keys = BTreeSet::new();
    for line in DOCUMENTATION.lines() {
        if line.starts_with('#') {
            section = between_quotes(line).unwrap_or_default();
        } else if line.starts_with("| `") && !section.is_empty() {
            keys.extend(between_quotes(line).map(|key| format!("{section} / {key}")));
        }
    }
    keys
}

#[test]
fn every_key_is_documented_and_every_documented_key_exists() {
    let in_code: BTreeSet<String> = ALL
        .iter()
        .flat_map(|section| {
            section.keys.iter().chain(section.later).map(|key| format!("{} / {key}", section.name))
        })
        .collect();
    let in_docs = documented();
    let undocumented: Vec<_> = in_code.difference(&in_docs).collect();
    let invented: Vec<_> = in_docs.difference(&in_code).collect();
    assert!(undocumented.is_empty(), "not in docs/configuration.md: {undocumented:?}");
    assert!(invented.is_empty(), "only in docs/configuration.md: {invented:?}");
}

#[test]
fn keys_that_come_later_are_documented_as_such() {
    for section in ALL {
        for key in section.later {
            let row = DOCUMENTATION.lines().find(|line| line.starts_with(&format!("| `{key}`"))).unwrap();
            assert!(row.contains("not supported yet"), "{row}");
        }
    }
}

#[test]
fn the_examples_of_the_documentation_are_valid() {
    let mut count = 0;
    for block in DOCUMENTATION.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let text = if text.contains("services:") { text.to_owned() } else { format!("{text}services: []\n") };
        let variables = [
            ("DISCORD_WEBHOOK_URL", WEBHOOK),
            ("HEALTHCHECK_URL", "https://hc-ping.com/some-uuid"),
            ("TELEGRAM_TOKEN", "1234:abcdefgh-token"),
            ("NTFY_TOPIC", "pihook-topic"),
            ("HOOK_SECRET", "0123456789abcdef"),
            ("PIHOOK_PASSWORD", "x"),
            ("MAIL_PASSWORD", "mail-password"),
            ("GITEA_TOKEN", "gitea-token"),
            ("BACKUP_TOKEN", "backup-token-0123"),
        ];
        let files = [("/etc/pihook/nas-password", "nas-password")];
        read_with(text.as_bytes(), &variables, &files)
            .unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        count += 1;
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn the_shipped_file_works_as_it_stands() {
    let config = read_with(EXAMPLE.as_bytes(), &[], &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!config.services.is_empty());
    assert!(config.secrets.is_empty() && config.sinks.is_empty());
    let Dashboard::At { listen, auth: Auth::Open, .. } = &config.dashboard else {
        panic!("the dashboard is served")
    };
    let page = json!({ "url": format!("http://{listen}/healthz") });
    assert!(config.services.iter().any(|service| service.check.settings == page), "it watches its own page");
}

#[test]
fn the_shipped_file_works_with_its_suggestions_too() {
    // After the `#` an explanation has one space, and a suggestion none, or the two or more of its indentation.
    let uncommented: Vec<_> = EXAMPLE
        .lines()
        .map(|line| match line.trim_start().strip_prefix('#') {
            Some(rest) if rest.starts_with("  ") || rest.starts_with(|c| c != ' ') => {
                line.replacen('#', "", 1)
            }
            _ => line.to_owned(),
        })
        .collect();
    let text = uncommented.join("\n");
    assert_ne!(text, EXAMPLE);
    let variables = [
        ("DISCORD_WEBHOOK_URL", WEBHOOK),
        ("TELEGRAM_TOKEN", "1234:abcdefgh-token"),
        ("NTFY_TOPIC", "pihook-topic"),
        ("HOOK_SECRET", "0123456789abcdef"),
        ("HEALTHCHECK_URL", "https://hc-ping.com/some-uuid"),
        ("GITEA_TOKEN", "gitea-token"),
        ("BACKUP_TOKEN", "backup-token-0123"),
        ("PIHOOK_PASSWORD", "x"),
        ("MAIL_PASSWORD", "mail-password"),
    ];
    let config = read_with(text.as_bytes(), &variables, &[]);
    let config = config.unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    assert_eq!(config.sinks.len(), 6);
    // Each check that comes with PiHook is shown.
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins")).unwrap();
    let checks: BTreeSet<String> = folders
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .filter(|id| !["sdk", "compact", "detailed", "digest", "plain"].contains(&id.as_str()))
        .collect();
    let shown: BTreeSet<String> =
        config.services.iter().map(|service| service.check.plugin.clone()).collect();
    assert_eq!(shown, checks);
    assert_eq!(config.services[0].service.ladder.levels().count(), 2);
    assert!(matches!(config.dashboard, Dashboard::At { auth: Auth::Basic { .. }, .. }));
}
