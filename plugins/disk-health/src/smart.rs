//! What `smartctl --json` says of a disk.

use pihook_plugin::Status;
use pihook_plugin::commands::{Error, Output};
use pihook_plugin::text::{count, one_line, span};
use serde_json::Value;

use crate::memory::Memory;
use crate::settings::Settings;

/// What a disk says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disk {
    /// Its device and model, such as `/dev/sda (WDC WD40EFRX)`.
    pub name: String,
    /// Its own verdict; none if it has none.
    pub passed: Option<bool>,
    /// Sectors that were replaced.
    pub reallocated: Option<u64>,
    /// Sectors that could not be read and wait to be replaced.
    pub pending: Option<u64>,
    /// Sectors that could not be read when the disk looked for itself.
    pub uncorrectable: Option<u64>,
    /// NVMe: the bits of what it warns of.
    pub critical_warning: Option<u64>,
    /// NVMe: how worn it is, in percent of what it was made for; may be more than 100.
    pub wear: Option<u64>,
    /// NVMe: errors of its media.
    pub media_errors: Option<u64>,
    /// In degrees Celsius.
    pub temperature: Option<f64>,
    /// Attributes that are at or below their threshold now.
    pub below_threshold: Vec<String>,
    /// When it was asked, in milliseconds since 1970 UTC; none if smartctl does not say.
    pub asked_at: Option<i64>,
    /// Whether its last self-tests found errors.
    pub self_test_failed: bool,
}

/// What came of asking a disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It told.
    Told(Box<Disk>),
    /// It sleeps and was left alone.
    Asleep,
    /// Nothing is known; why, and what would help.
    Nothing(String),
}

/// Bits of smartctl's exit code.
const BAD_COMMAND_LINE: i32 = 1;
const NOT_OPENED: i32 = 2;
const SELF_TEST_ERRORS: i32 = 128;

/// What the granted command with this name brought.
#[must_use]
pub fn read(command: &str, ran: Result<Output, Error>) -> Answer {
    let output = match ran {
        Ok(output) => output,
        Err(Error::NotRunnable(text)) => {
            return Answer::Nothing(format!("{text} (it comes with the package smartmontools)"));
        }
        Err(error) => return Answer::Nothing(error.to_string()),
    };
    let Ok(json) = serde_json::from_slice::<Value>(&output.stdout) else {
        let said =
            String::from_utf8_lossy(if output.stdout.is_empty() { &output.stderr } else { &output.stdout });
        let said = one_line(said.trim(), 120);
        let end = output.exit_code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        let what = if output.truncated { "far too much" } else { "no JSON" };
        return Answer::Nothing(format!(
            "the command `{command}` printed {what} ({end}): {said}; it is to be smartctl with --json, -H and -A"
        ));
    };
    let messages: Vec<&str> = json["smartctl"]["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|message| message["string"].as_str())
        .collect();
    let said = one_line(&messages.join(", "), 160);
    // A script may print it too, so that what smartctl says of itself counts before what ended it.
    let code = json["smartctl"]["exit_status"].as_i64().and_then(|code| i32::try_from(code).ok());
    let code = code.or(output.exit_code).unwrap_or(0);
    let disk = parse(&json, code);
    let told_nothing = disk
        == Disk {
            name: disk.name.clone(),
            asked_at: disk.asked_at,
            self_test_failed: disk.self_test_failed,
            ..Disk::default()
        };
    if said.to_ascii_uppercase().contains("STANDBY") || said.to_ascii_uppercase().contains("SLEEP MODE") {
        return Answer::Asleep;
    }
    if code & BAD_COMMAND_LINE != 0 {
        return Answer::Nothing(format!("smartctl does not understand the command `{command}`: {said}"));
    }
    if code & NOT_OPENED != 0 && told_nothing {
        let refused = said.contains("Permission denied") || said.contains("Operation not permitted");
        let remedy = if refused {
            "; smartctl needs to be run by root: let root's cron write its output to a file, and grant `[cat, FILE]`"
        } else {
            ""
        };
        return Answer::Nothing(format!("smartctl cannot open {}: {said}{remedy}", disk.name));
    }
    if told_nothing {
        let why = if said.is_empty() { "it may be a USB adapter that needs `-d sat`" } else { said.as_str() };
        return Answer::Nothing(format!("{} tells nothing of its health: {why}", disk.name));
    }
    Answer::Told(Box::new(disk))
}

fn parse(json: &Value, code: i32) -> Disk {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64);
    let device = one_line(text("/device/name").unwrap_or("a disk"), 40);
    let name = match text("/model_name").or_else(|| text("/scsi_model_name")) {
        Some(model) => format!("{device} ({})", one_line(model, 40)),
        None => device,
    };
    let table = json.pointer("/ata_smart_attributes/table").and_then(Value::as_array);
    let attributes = || table.into_iter().flatten();
    let raw = |id: u64| {
        attributes()
            .find(|attribute| attribute["id"].as_u64() == Some(id))
            .and_then(|a| a["raw"]["value"].as_u64())
    };
    let below = attributes().filter(|attribute| attribute["when_failed"] == "now");
    let log = "/nvme_smart_health_information_log";
    Disk {
        name,
        passed: json.pointer("/smart_status/passed").and_then(Value::as_bool),
        reallocated: raw(5),
        pending: raw(197),
        uncorrectable: raw(198),
        critical_warning: number(&format!("{log}/critical_warning")),
        wear: number(&format!("{log}/percentage_used")),
        media_errors: number(&format!("{log}/media_errors")),
        temperature: json.pointer("/temperature/current").and_then(Value::as_f64),
        below_threshold: below
            .filter_map(|a| a["name"].as_str())
            .take(8)
            .map(|name| one_line(name, 40))
            .collect(),
        asked_at: json
            .pointer("/local_time/time_t")
            .and_then(Value::as_i64)
            .map(|at| at.saturating_mul(1000)),
        self_test_failed: code & SELF_TEST_ERRORS != 0,
    }
}

/// What is printed by something else than smartctl itself, such as `cat`, may be old.
const OLDEST_MS: i64 = 2 * 86_400_000;

/// That the disk was asked long ago, such as `what is known of /dev/sda is 3 d old`.
#[must_use]
pub fn staleness(disk: &Disk, now: i64) -> Option<String> {
    let age = now.saturating_sub(disk.asked_at?);
    let age = u64::try_from(age).ok().filter(|_| age > OLDEST_MS)?;
    Some(format!("what is known of {} is {} old: whatever writes it down has stopped", disk.name, span(age)))
}

/// What is wrong with a disk: the worst of it, and all of it in words.
pub fn fault(disk: &Disk, settings: &Settings, memory: &mut Memory, now: i64) -> Option<(Status, String)> {
    let mut faults: Vec<(Status, String)> = Vec::new();
    match disk.critical_warning {
        // The verdict of an NVMe disk is no more than whether it warns of anything.
        Some(bits) => faults.extend(warnings(bits)),
        None if disk.passed == Some(false) => {
            faults.push((Status::Down, "says itself that it is failing".into()))
        }
        None => {}
    }
    if !disk.below_threshold.is_empty() {
        let names = disk.below_threshold.join(", ");
        faults.push((Status::Degraded, format!("is at the end of {names}")));
    }
    let mut counted = |value: Option<u64>, most: u64, what: &str| {
        if let Some(value) = value {
            let grew = memory.note(&format!("smart {} {what}", disk.name), value, now);
            if value > most {
                faults.push((Status::Degraded, format!("has {}{grew}", count(value, what))));
            }
        }
    };
    counted(disk.pending, 0, "pending sector");
    counted(disk.uncorrectable, 0, "uncorrectable sector");
    counted(disk.reallocated, settings.reallocated_sectors, "reallocated sector");
    counted(disk.media_errors, settings.media_errors, "media error");
    if let Some(wear) = disk.wear.filter(|wear| *wear as f64 >= settings.wear.0) {
        faults.push((Status::Degraded, format!("is {wear} % worn (warn at {})", settings.wear)));
    }
    if disk.self_test_failed {
        faults.push((Status::Degraded, "found errors in a self-test".into()));
    }
    if let Some((most, celsius)) = settings.max_temperature.zip(disk.temperature)
        && celsius > f64::from(most)
    {
        faults.push((Status::Degraded, format!("is {} °C warm (warn above {most} °C)", celsius.round())));
    }
    let is_down = faults.iter().any(|(status, _)| *status == Status::Down);
    let status = if is_down { Status::Down } else { Status::Degraded };
    let texts: Vec<String> = faults.into_iter().map(|(_, text)| text).collect();
    (!texts.is_empty()).then(|| (status, format!("{} {}", disk.name, texts.join(" and "))))
}

/// What the bits of an NVMe disk's critical warning mean.
fn warnings(bits: u64) -> Vec<(Status, String)> {
    [
        (1, Status::Degraded, "has little spare left"),
        (2, Status::Degraded, "is too hot or too cold"),
        (4, Status::Down, "says itself that it is not reliable any more"),
        (8, Status::Down, "can be read only"),
        (16, Status::Degraded, "has lost the backup of its volatile memory"),
        (32, Status::Degraded, "has a persistent memory region that is read-only"),
    ]
    .into_iter()
    .filter(|(bit, ..)| bits & bit != 0)
    .map(|(_, status, text)| (status, text.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests;
