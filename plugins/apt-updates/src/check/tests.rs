use std::collections::BTreeSet;

use pihook_plugin::guide;
use pihook_plugin::settings::read;

use super::*;
use crate::release::Validity;
use crate::survey::Found;
use crate::updates::Updates;

const DAY: i64 = 86_400_000;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn survey(pending: &[&str], security: usize) -> Survey {
    let updates = Updates { pending: names(pending), security, installed: 700, ..Updates::default() };
    Survey {
        found: Found { updates, knows_security: true, ..Found::default() },
        fetched_ms: 0,
        restart: None,
    }
}

#[track_caller]
fn check(settings: &str, survey: &Survey, now_ms: i64, status: Status, summary: &str) {
    let outcome = judge(&read(settings).unwrap(), survey, now_ms);
    assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
}

#[test]
fn updates_are_degraded_and_fixes_are_down() {
    check("{}", &survey(&[], 0), DAY, Status::Up, "no updates");
    check("{}", &survey(&["vim"], 0), DAY, Status::Degraded, "1 update, none of them security: vim");
    check("{}", &survey(&["ssl"], 1), DAY, Status::Down, "1 security update: ssl");
    check("{}", &survey(&["ssl", "a"], 2), DAY, Status::Down, "2 security updates: ssl, a");
    let many = survey(&["ssl", "a", "b", "c", "d", "e", "f"], 1);
    check("{}", &many, DAY, Status::Down, "7 updates, 1 of them security: ssl, a, b, c, d and 2 more");
    let quiet = r#"{"warn": "off", "security_critical": 2}"#;
    check(quiet, &many, DAY, Status::Up, "7 updates, 1 of them security: ssl, a, b, c, d and 2 more");
}

#[test]
fn where_no_list_tells_of_fixes_nothing_is_claimed() {
    let mut raspbian = survey(&["vim"], 0);
    raspbian.found.knows_security = false;
    check("{}", &raspbian, DAY, Status::Degraded, "1 update: vim");
    let outcome = judge(&read("{}").unwrap(), &raspbian, DAY);
    assert!(outcome.metrics.iter().all(|metric| metric.name != "security"), "{outcome:?}");
}

#[test]
fn what_is_held_phased_or_pinned_is_said() {
    let mut survey = survey(&[], 0);
    survey.found.updates.held = names(&["linux"]);
    survey.found.updates.phased = names(&["snapd"]);
    survey.found.pinned_by = Some("/etc/apt/preferences".to_owned());
    let summary = "no updates; held back by hand: linux; not for everybody yet: snapd \
        (approximate: the pins in /etc/apt/preferences are not followed)";
    check("{}", &survey, DAY, Status::Up, summary);
}

#[test]
fn old_lists_are_a_doubt() {
    check("{}", &survey(&[], 0), 7 * DAY, Status::Up, "no updates");
    let summary = "no updates; the package lists are 9 days old, so newer updates are unknown: run `apt-get update`, or have apt do so daily";
    check("{}", &survey(&[], 0), 9 * DAY + 5, Status::Degraded, summary);
    // A clock that is behind makes nothing old.
    check("{}", &survey(&[], 0), i64::MIN, Status::Up, "no updates");
}

#[test]
fn a_repository_that_was_not_fetched_is_a_doubt_though_others_were() {
    let mut survey = survey(&[], 0);
    survey.fetched_ms = 20 * DAY;
    survey.found.ends_first =
        Some(Validity { suite: "stable-security".to_owned(), from_ms: DAY, until_ms: 9 * DAY });
    let summary = "no updates; the lists of stable-security are no longer valid, so newer updates from there are unknown: \
        see what `apt-get update` says of them";
    check("{}", &survey, 9 * DAY, Status::Up, "no updates");
    check("{}", &survey, 9 * DAY + 1, Status::Degraded, summary);
    // Who allows for older lists is not told earlier.
    let patient = r#"{"lists_max_age": "30d"}"#;
    check(patient, &survey, 31 * DAY, Status::Up, "no updates");
    check(patient, &survey, 31 * DAY + 1, Status::Degraded, summary);
    check("{}", &survey, i64::MIN, Status::Up, "no updates");
    survey.found.ends_first = Some(Validity { suite: "x".to_owned(), from_ms: i64::MAX, until_ms: i64::MIN });
    check("{}", &survey, 21 * DAY, Status::Up, "no updates");
}

#[test]
fn a_restart_is_asked_for() {
    let mut survey = survey(&[], 0);
    survey.restart = Some(Restart::Asked(Vec::new()));
    check("{}", &survey, DAY, Status::Degraded, "no updates; a restart is required");
    survey.restart = Some(Restart::Asked(names(&["libc6", "linux-image"])));
    check("{}", &survey, DAY, Status::Degraded, "no updates; a restart is required for libc6, linux-image");
    check(r#"{"reboot_required": "ignore"}"#, &survey, DAY, Status::Up, "no updates");
    survey.restart = Some(Restart::KernelGone("6.1.21-v8+".to_owned()));
    let summary = "no updates; a restart is required: the running kernel 6.1.21-v8+ is no longer installed";
    check("{}", &survey, DAY, Status::Degraded, summary);
}

#[test]
fn the_metrics_are_those_of_the_documentation() {
    let outcome = judge(&read("{}").unwrap(), &survey(&["a"], 1), 90_500);
    let page = include_str!("../../../../docs/checks/apt-updates.md");
    let documented: BTreeSet<&str> = guide::column(page, "Metric").into_iter().collect();
    assert_eq!(
        outcome.metrics.iter().map(|metric| metric.name.as_str()).collect::<BTreeSet<_>>(),
        documented
    );
    let value =
        |name: &str| outcome.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
    assert_eq!(
        (value("pending"), value("security"), value("lists_age_seconds")),
        (Some(1.0), Some(1.0), Some(90.0))
    );
}
