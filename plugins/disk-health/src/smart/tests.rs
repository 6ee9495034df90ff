use pihook_plugin::settings;
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_795_348_800_000;

fn output(stdout: &str, exit_code: i32) -> Output {
    Output { exit_code: Some(exit_code), stdout: stdout.as_bytes().to_vec(), ..Output::default() }
}

fn told(json: &str) -> Disk {
    match read("smart", Ok(output(json, 0))) {
        Answer::Told(disk) => *disk,
        other => panic!("{other:?}"),
    }
}

fn judged(json: &str, said: &str) -> Option<(Status, String)> {
    fault(&told(json), &settings::read(said).unwrap(), &mut Memory::default(), NOW)
}

fn nothing(ran: Result<Output, Error>) -> String {
    match read("smart", ran) {
        Answer::Nothing(why) => why,
        other => panic!("{other:?}"),
    }
}

const GOOD: &str = include_str!("../../fixtures/sata-good.json");
const BAD: &str = include_str!("../../fixtures/sata-bad.json");
const NVME: &str = include_str!("../../fixtures/nvme.json");

#[test]
fn a_good_disk_is_good() {
    let disk = told(GOOD);
    assert_eq!((disk.passed, disk.pending, disk.temperature), (Some(true), Some(0), Some(32.0)));
    assert_eq!(judged(GOOD, "{}"), None);
    let warm = judged(GOOD, r#"{"max_temperature": 31}"#).unwrap();
    assert_eq!(
        warm,
        (Status::Degraded, "/dev/sda (WDC WD40EFRX-68N32N0) is 32 °C warm (warn above 31 °C)".into())
    );
}

#[test]
fn a_failing_disk_is_down_with_all_that_is_wrong() {
    let expected = "/dev/sdb (ST4000DM000-1F2168) says itself that it is failing and is at the end of \
                    Reallocated_Sector_Ct and has 24 pending sectors and has 24 uncorrectable sectors and has 65528 \
                    reallocated sectors and found errors in a self-test";
    assert_eq!(judged(BAD, "{}"), Some((Status::Down, expected.into())));
}

#[test]
fn nvme_disks_are_judged_by_what_they_warn_of() {
    let (status, text) = judged(NVME, "{}").unwrap();
    assert_eq!(status, Status::Degraded);
    assert_eq!(
        text,
        "/dev/nvme0 (Samsung SSD 970 EVO Plus 500GB) has little spare left and has 2 media errors and is 104 % worn (warn at 90 %)"
    );
    let read_only = NVME.replace("\"critical_warning\": 1", "\"critical_warning\": 8");
    assert_eq!(judged(&read_only, "{}").unwrap().0, Status::Down);
    let tolerated = NVME.replace("\"critical_warning\": 1", "\"critical_warning\": 0").replace("104", "89");
    assert_eq!(judged(&tolerated, r#"{"media_errors": 2}"#), None);
}

#[test]
fn what_grew_is_told_with_by_how_much() {
    let mut memory = Memory::default();
    let settings = settings::read(r#"{"reallocated_sectors": 8}"#).unwrap();
    let with = |sectors: u64| Disk { name: "/dev/sda".into(), reallocated: Some(sectors), ..Disk::default() };
    assert_eq!(fault(&with(8), &settings, &mut memory, NOW), None);
    let grown = fault(&with(11), &settings, &mut memory, NOW).unwrap();
    assert_eq!(grown.1, "/dev/sda has 11 reallocated sectors, 3 more on 2026-11-22");
}

#[test]
fn what_tells_nothing_says_why_and_what_would_help() {
    let forbidden = nothing(Ok(output(include_str!("../../fixtures/forbidden.json"), 2)));
    assert!(
        forbidden.starts_with("smartctl cannot open /dev/sda: Smartctl open device: /dev/sda failed: Permission denied; smartctl needs to be run by root"),
        "{forbidden}"
    );
    assert_eq!(read("smart", Ok(output(include_str!("../../fixtures/asleep.json"), 2))), Answer::Asleep);
    let text = nothing(Ok(output("smartctl 7.3\nSMART passed", 0)));
    assert!(text.contains("`smart` printed no JSON (exit code 0): smartctl 7.3 SMART passed"), "{text}");
    let absent = nothing(Err(Error::NotRunnable("there is no program `smartctl`".into())));
    assert_eq!(absent, "there is no program `smartctl` (it comes with the package smartmontools)");
    let bridge = nothing(Ok(output(r#"{"device": {"name": "/dev/sdc"}}"#, 4)));
    assert!(bridge.contains("/dev/sdc tells nothing of its health: it may be a USB adapter"), "{bridge}");
    let wrong =
        nothing(Ok(output(r#"{"smartctl": {"exit_status": 1, "messages": [{"string": "INVALID"}]}}"#, 1)));
    assert!(wrong.contains("does not understand the command `smart`: INVALID"), "{wrong}");
}

#[test]
fn what_was_written_down_long_ago_says_nothing_any_more() {
    let dated = |seconds: i64| format!("{{\"local_time\": {{\"time_t\": {seconds}}}, {}", &GOOD[1..]);
    assert_eq!(staleness(&told(&dated(NOW / 1000 - 3600)), NOW), None);
    assert_eq!(staleness(&told(&dated(NOW / 1000 + 86_400 * 9)), NOW), None);
    assert_eq!(
        staleness(&told(&dated(NOW / 1000 - 86_400 * 3)), NOW).as_deref(),
        Some(
            "what is known of /dev/sda (WDC WD40EFRX-68N32N0) is 3 d old: whatever writes it down has stopped"
        )
    );
    assert!(staleness(&told(&dated(i64::MIN)), i64::MAX).is_some());
}

proptest! {
    #[test]
    fn any_output_is_read(
        bytes in any::<Vec<u8>>(), code: Option<i32>, value in "(-?[0-9]{1,25}(\\.[0-9])?|null|true|\"x\"|\\[1\\]|\\{\\})", at in 0_usize..2000,
    ) {
        let _ = read("smart", Ok(Output { exit_code: code, stdout: bytes, ..Output::default() }));
        for fixture in [GOOD, BAD, NVME] {
            // Each number in turn is something else.
            let digits: Vec<usize> = fixture.match_indices(": ").map(|(at, _)| at + 2).collect();
            let from = digits[at % digits.len()];
            let to = fixture[from..].find([',', '}', '\n']).map_or(from, |end| from + end);
            let odd = format!("{}{value}{}", &fixture[..from], &fixture[to..]);
            if let Answer::Told(disk) = read("smart", Ok(Output { exit_code: code, stdout: odd.into_bytes(), ..Output::default() })) {
                let _ = fault(&disk, &settings::read("{}").unwrap(), &mut Memory::default(), NOW);
            }
        }
    }
}
