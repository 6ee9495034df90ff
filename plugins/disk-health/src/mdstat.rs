//! Arrays of md, as `/proc/mdstat` shows them.

use pihook_plugin::Status;
use pihook_plugin::text::{count, one_line};

/// One array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// Such as `md0`.
    pub name: String,
    /// Whether it runs.
    pub active: bool,
    /// Such as `raid1`; empty if it does not run.
    pub level: String,
    /// Members that failed, such as `sdb1`.
    pub failed: Vec<String>,
    /// How many members it should have, and how many it has.
    pub members: Option<(u32, u32)>,
    /// What it is doing, such as `recovery`, and how far it is in percent; none if that has yet to begin.
    pub doing: Option<(String, Option<f64>)>,
    /// How long that will take, as the kernel has it, such as `127.5min`.
    pub finish: String,
}

/// The arrays in it.
#[must_use]
pub fn parse(text: &str) -> Vec<Array> {
    let mut arrays: Vec<Array> = Vec::new();
    for line in text.lines() {
        let head = line.split_once(" : ").filter(|(name, _)| name.starts_with("md") && !name.contains(' '));
        if let Some((name, rest)) = head {
            arrays.push(parse_head(name, rest));
        } else if let Some(array) = arrays.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            parse_more(array, line.trim());
        }
    }
    arrays.truncate(128);
    arrays
}

/// Such as `active raid1 sdb1[1](F) sda1[0]`.
fn parse_head(name: &str, rest: &str) -> Array {
    let mut words = rest.split_whitespace();
    let active = words.next() == Some("active");
    let mut array = Array { name: name.to_owned(), active, ..Array::default() };
    for word in words.filter(|word| !word.starts_with('(')) {
        match word.split_once('[') {
            Some((member, flags)) if flags.contains("(F)") => array.failed.push(member.to_owned()),
            Some(_) => {}
            None if array.level.is_empty() => array.level = word.to_owned(),
            None => {}
        }
    }
    array
}

fn parse_more(array: &mut Array, line: &str) {
    const DOINGS: [&str; 5] = ["recovery", "resync", "reshape", "check", "repair"];
    let words: Vec<&str> = line.split_whitespace().collect();
    for word in &words {
        let inner = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        let pair = inner.and_then(|inner| inner.split_once('/'));
        if let Some((wanted, present)) = pair
            && let (Ok(wanted), Ok(present)) = (wanted.parse(), present.parse())
            && line.contains("blocks")
        {
            array.members = Some((wanted, present));
        }
        if let Some(finish) = word.strip_prefix("finish=") {
            array.finish = finish.to_owned();
        }
    }
    for (doing, rest) in DOINGS.iter().filter_map(|doing| Some((doing, line.split_once(doing)?.1))) {
        // `recovery = 12.6% (…)`, `resync=PENDING`, `check = 5.0%`.
        if let Some(value) = rest.trim_start().strip_prefix('=') {
            let percent = value.split('%').next().unwrap_or_default().trim().parse().ok();
            array.doing = Some(((*doing).to_owned(), percent.filter(|p: &f64| (0.0..=100.0).contains(p))));
        }
    }
}

impl Array {
    /// What is wrong with it.
    #[must_use]
    pub fn fault(&self) -> Option<(Status, String)> {
        let name = one_line(&self.name, 20);
        if !self.active {
            return Some((Status::Down, format!("the array {name} is inactive")));
        }
        let failed = match self.failed.as_slice() {
            [] => String::new(),
            members => format!(" ({} failed)", one_line(&members.join(", "), 60)),
        };
        let lacking = self.members.map_or(0, |(wanted, present)| wanted.saturating_sub(present));
        let (wanted, present) = self.members.unwrap_or_default();
        if lacking == 0 {
            let what = format!("the array {name} has a failed disk{failed}");
            return (!self.failed.is_empty()).then_some((Status::Degraded, what));
        }
        let spare = match self.level.as_str() {
            "raid1" => wanted.saturating_sub(1),
            "raid6" => 2,
            "raid4" | "raid5" => 1,
            // Whether a raid10 still has a copy of all depends on which disks are left: it would not run otherwise.
            "raid10" => wanted,
            _ => 0,
        };
        let status = if present == 0 || lacking > spare { Status::Down } else { Status::Degraded };
        let of = count(u64::from(wanted), "disk");
        Some((status, format!("the array {name} lacks {lacking} of {of}{failed}{}", self.progress())))
    }

    /// Such as `, recovery at 12 %, done in 127.5min`.
    fn progress(&self) -> String {
        match &self.doing {
            Some((doing, Some(percent))) if self.finish.is_empty() => {
                format!(", {doing} at {} %", percent.floor())
            }
            Some((doing, Some(percent))) => {
                format!(", {doing} at {} %, done in {}", percent.floor(), one_line(&self.finish, 20))
            }
            Some((doing, None)) => format!(", {doing} has yet to begin"),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MANY: &str = include_str!("../fixtures/mdstat");

    fn faults(text: &str) -> Vec<(Status, String)> {
        parse(text).iter().filter_map(Array::fault).collect()
    }

    #[test]
    fn each_state_is_told() {
        let arrays = parse(MANY);
        let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
        assert_eq!(names, ["md127", "md0", "md1", "md2", "md3", "md4", "md5", "md_d6", "md7"]);
        assert_eq!(arrays[0].doing, Some(("check".into(), Some(5.5))));
        let expected = [
            (Status::Degraded, "the array md0 lacks 1 of 2 disks (sdb1 failed)"),
            (Status::Degraded, "the array md1 lacks 1 of 2 disks, recovery at 12 %, done in 127.5min"),
            (Status::Down, "the array md3 is inactive"),
            (Status::Down, "the array md4 lacks 2 of 4 disks (sde1, sdd1 failed)"),
            (Status::Degraded, "the array md5 lacks 1 of 4 disks, resync has yet to begin"),
            (Status::Degraded, "the array md7 has a failed disk (sdz1 failed)"),
        ];
        let expected: Vec<_> = expected.iter().map(|(status, text)| (*status, (*text).to_owned())).collect();
        assert_eq!(faults(MANY), expected);
    }

    #[test]
    fn without_arrays_nothing_is_wrong() {
        assert_eq!(parse("Personalities : \nunused devices: <none>\n"), []);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), words in "((md[0-9] : |[ \n]|active|raid[1-6]|sda1\\[0\\](\\(F\\))?|\\[[0-9]/[0-9]\\]|blocks|resync ?= ?[0-9]%?)){0,30}") {
            let _ = (faults(&text), faults(&words));
        }
    }
}
