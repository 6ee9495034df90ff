use std::collections::BTreeSet;

use pihook_plugin::filesystems::Mount;
use pihook_plugin::guide::column;
use pihook_plugin::settings::read;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const GIB: u64 = 1 << 30;
const NOW: i64 = 1_795_348_800_000;

fn settings(rest: Value) -> Settings {
    let mut all = json!({"mount": "/"});
    if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
        all.extend(rest);
    }
    read(&all.to_string()).unwrap()
}

/// A disk of 100 GiB, of which 5 are reserved for root.
fn filled(used: u64) -> Usage {
    Usage {
        on: Mount {
            mount_point: "/".into(),
            source: "/dev/mmcblk0p2".into(),
            kind: "ext4".into(),
            read_only: false,
        },
        total_bytes: 100 * GIB,
        free_bytes: 100 * GIB - used,
        available_bytes: (95 * GIB).saturating_sub(used),
        inodes: 1000,
        free_inodes: 900,
    }
}

fn judged(rest: Value, usage: Usage) -> Outcome {
    judge(&settings(rest), Ok(usage), &Growth::default(), NOW).unwrap()
}

#[track_caller]
fn assert_verdict(rest: Value, usage: Usage, status: Status, summary: &str) {
    let outcome = judged(rest, usage);
    assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
}

#[test]
fn thresholds_are_met_at_their_edges() {
    // 76 of 95 GiB are 80 %.
    assert_verdict(json!({}), filled(76 * GIB - 1), Status::Up, "/ has enough room");
    assert_verdict(
        json!({}),
        filled(76 * GIB),
        Status::Degraded,
        "/ is 80 % full (warn at 80 %), 19 GiB free",
    );
    assert_verdict(
        json!({}),
        filled(855 * GIB / 10 - 1),
        Status::Degraded,
        "/ is 89 % full (warn at 80 %), 9.5 GiB free",
    );
    assert_verdict(
        json!({}),
        filled(86 * GIB),
        Status::Down,
        "/ is 90 % full (critical at 90 %), 9 GiB free",
    );
    assert_verdict(
        json!({}),
        filled(100 * GIB),
        Status::Down,
        "/ is 100 % full (critical at 90 %), 0 B free",
    );
    let finely = json!({"critical": "99.5%", "warn": "99%"});
    assert_verdict(
        finely,
        filled(95 * GIB - 1),
        Status::Down,
        "/ is 99.99 % full (critical at 99.5 %), 1 B free",
    );
}

#[test]
fn amounts_are_what_is_free_for_others_than_root() {
    let said = json!({"warn": "20GiB", "critical": "5GiB"});
    assert_verdict(said.clone(), filled(75 * GIB), Status::Up, "/ has enough room");
    assert_verdict(
        said.clone(),
        filled(75 * GIB + 1),
        Status::Degraded,
        "/ has 19 GiB free (warn below 20 GiB)",
    );
    assert_verdict(said, filled(91 * GIB), Status::Down, "/ has 4 GiB free (critical below 5 GiB)");
}

#[test]
fn inodes_count_too() {
    let usage = |free_inodes| Usage { free_inodes, ..filled(0) };
    assert_verdict(json!({}), usage(201), Status::Up, "/ has enough room");
    assert_verdict(
        json!({}),
        usage(200),
        Status::Degraded,
        "/ has used 80 % of its inodes (warn at 80 %), 200 are free",
    );
    assert_verdict(
        json!({}),
        Usage { free_inodes: 0, ..filled(80 * GIB) },
        Status::Down,
        "/ is 84 % full (warn at 80 %), 15 GiB free; has used 100 % of its inodes (critical at 90 %), 0 are free",
    );
    let none = judged(json!({}), Usage { inodes: 0, free_inodes: 0, ..filled(0) });
    assert!(none.status == Status::Up && none.metrics.iter().all(|metric| !metric.name.contains("inode")));
}

#[test]
fn a_folder_where_nothing_is_mounted_is_down() {
    let said = json!({"mount": "/mnt/usb/"});
    assert_verdict(said, filled(0), Status::Down, "nothing is mounted at /mnt/usb: it is a folder of /");
    assert_verdict(
        json!({"mount": "/mnt/usb", "mounted": false}),
        filled(0),
        Status::Up,
        "/mnt/usb has enough room",
    );
}

#[test]
fn what_is_the_disks_fault_is_down_and_nothing_else() {
    let verdict = |error| judge(&settings(json!({})), Err(error), &Growth::default(), NOW);
    for error in [Error::NotFound("x".into()), Error::Timeout("x".into())] {
        assert_eq!(verdict(error), Ok(Outcome::down("x")));
    }
    for error in [Error::Forbidden("x".into()), Error::Other("x".into())] {
        assert_eq!(verdict(error), Err(Failure::Other("x".into())));
    }
    let without_size = Usage {
        on: Mount { kind: "proc".into(), ..filled(0).on },
        total_bytes: 0,
        free_bytes: 0,
        available_bytes: 0,
        ..filled(0)
    };
    let failure = judge(&settings(json!({})), Ok(without_size), &Growth::default(), NOW).unwrap_err();
    assert!(
        matches!(failure, Failure::Settings(text) if text == "/ is a filesystem of the kind proc, which has no size")
    );
}

#[test]
fn a_forecast_is_told_with_the_fault_and_measured_always() {
    let mut growth = Growth::default();
    for hour in 0..24 {
        growth.note(&filled(hour * GIB), NOW + hour as i64 * 3_600_000);
    }
    let at = NOW + 24 * 3_600_000;
    let well = judge(&settings(json!({})), Ok(filled(24 * GIB)), &growth, at).unwrap();
    assert_eq!(well.summary, "/ has enough room");
    assert!(well.metrics.iter().any(|metric| metric.name == "full_in_days" && metric.unit == "days"));
    let bad = judge(&settings(json!({"warn": "20%"})), Ok(filled(24 * GIB)), &growth, at).unwrap();
    assert_eq!(bad.summary, "/ is 25 % full (warn at 20 %), 71 GiB free; full in about 3 days");
}

#[test]
fn the_documentation_names_each_metric_and_no_other() {
    let guide = include_str!("../../../../docs/checks/disk.md");
    let mut growth = Growth::default();
    for hour in 0..24 {
        growth.note(&filled(hour * GIB), NOW + hour as i64 * 3_600_000);
    }
    let all = judge(&settings(json!({})), Ok(filled(24 * GIB)), &growth, NOW + 24 * 3_600_000).unwrap();
    let in_code: BTreeSet<&str> = all.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(in_code, column(guide, "Metric").into_iter().collect());
}

proptest! {
    #[test]
    fn any_figures_are_judged(total: u64, free: u64, available: u64, inodes: u64, free_inodes: u64, now: i64) {
        let usage = Usage {
            total_bytes: total, free_bytes: free, available_bytes: available, inodes, free_inodes, ..filled(0)
        };
        if let Ok(outcome) = judge(&settings(json!({})), Ok(usage), &Growth::default(), now) {
            for metric in outcome.metrics {
                prop_assert!(metric.value.is_finite() && metric.value >= 0.0);
                prop_assert!(metric.unit != "percent" || metric.value <= 100.0);
            }
        }
    }
}
