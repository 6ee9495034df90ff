use std::collections::BTreeSet;

use pihook_plugin::filesystems::Mount;
use pihook_plugin::guide::column;
use pihook_plugin::settings::read;

use super::*;
use crate::ext4::{Btrfs, Ext4};

const NOW: i64 = 1_795_348_800_000;

fn judged(seen: &Seen) -> Outcome {
    judge(&read("{}").unwrap(), seen, &mut Memory::default(), NOW)
}

fn root(read_only: bool) -> Mount {
    Mount { mount_point: "/".into(), source: "/dev/mmcblk0p2".into(), kind: "ext4".into(), read_only }
}

fn well_seen() -> Seen {
    Seen {
        mounts: vec![root(false)],
        fstab: Some("PARTUUID=1 / ext4 defaults 0 1".into()),
        mdstat: Some("Personalities : [raid1]\nmd0 : active raid1 sda1[0] sdb1[1]\n      9 blocks super 1.2 [2/2] [UU]\n".into()),
        disks: vec![Answer::Told(Box::new(Disk {
            name: "/dev/sda".into(),
            passed: Some(true),
            reallocated: Some(0),
            pending: Some(0),
            uncorrectable: Some(0),
            wear: Some(1),
            media_errors: Some(0),
            temperature: Some(30.0),
            ..Disk::default()
        }))],
        ext4: vec![Ext4 { device: "mmcblk0p2".into(), ..Ext4::default() }],
        btrfs: vec![Btrfs { counts: vec![("read_errs".into(), 0)], ..Btrfs::default() }],
        gaps: Vec::new(),
    }
}

#[test]
fn all_is_well_in_constant_words() {
    let outcome = judged(&well_seen());
    assert_eq!(
        (outcome.status, outcome.summary.as_str()),
        (Status::Up, "nothing wrong with 1 filesystem, 1 array and 1 disk")
    );
    assert_eq!(judged(&Seen::default()).summary, "nothing wrong, and no disk that would say so");
}

#[test]
fn the_worst_comes_first() {
    let seen = Seen {
        mounts: vec![root(true)],
        ext4: vec![Ext4 { device: "mmcblk0p2".into(), errors: 1, ..Ext4::default() }],
        gaps: vec!["smartctl is missing".into()],
        ..well_seen()
    };
    let outcome = judged(&seen);
    assert_eq!(outcome.status, Status::Down);
    assert_eq!(
        outcome.summary,
        "/ (/dev/mmcblk0p2) is read-only though /etc/fstab has it read-write; ext4 on mmcblk0p2 counted 1 error \
         (e2fsck repairs); smartctl is missing"
    );
}

#[test]
fn what_cannot_be_looked_at_is_unknown_unless_something_is_wrong() {
    let seen = Seen { disks: vec![Answer::Nothing("why not".into()), Answer::Asleep], ..well_seen() };
    let outcome = judged(&seen);
    assert_eq!((outcome.status, outcome.summary.as_str()), (Status::Unknown, "why not"));
    let seen = Seen { ext4: vec![Ext4 { errors: 1, ..Ext4::default() }], ..seen };
    assert_eq!(judged(&seen).status, Status::Degraded);
}

#[test]
fn the_documentation_names_each_metric_and_no_other() {
    let guide = include_str!("../../../../docs/checks/disk-health.md");
    let outcome = judged(&well_seen());
    let in_code: BTreeSet<&str> = outcome.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(in_code, column(guide, "Metric").into_iter().collect());
}
