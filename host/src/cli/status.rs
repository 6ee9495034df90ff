//! `pihook status`: what the database knows.

use std::io::{self, Write};
use std::path::Path;

use jiff::SignedDuration;
use pihook_core::Timestamp;
use serde_json::{Value, json};

use super::args::StatusArgs;
use super::maintenance::Lasting;
use super::output::{Paint, Stream, ago, milliseconds, pad, symbol, width};
use super::{Failure, Place};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::exit_code::ExitCode;
use crate::store::{
    DeliveryState, DisabledSink, Lost, OpenIncident, ServiceRow, StoreError, StoreReader, UndeliveredRow,
    long_log, long_log_words,
};
use crate::words::{MINUTES, local};

/// For how long it is shown that something was lost, and how many times at most.
const LOSSES_SINCE: SignedDuration = SignedDuration::from_hours(30 * 24);
const LOSSES: usize = 5;

pub(super) fn run(place: &Place, args: &StatusArgs) -> Result<ExitCode, Failure> {
    let config = known_config(place)?;
    let database = config.data_dir.join(crate::app::DATABASE);
    let now = SystemClock::start().now().wall;
    let mut known = Known::read(&open(&database)?, now).map_err(|error| Failure::internal(&error))?;
    known.long_log = long_log(&database);
    known.lasting = Some(Lasting::read(&config, now));
    let mut stdout = io::stdout().lock();
    let text = if args.json {
        format!("{:#}\n", known.json(now))
    } else {
        known.tables(Paint::of(Stream::Stdout), now)
    };
    let _ = stdout.write_all(text.as_bytes());
    Ok(ExitCode::Ok)
}

/// The configuration, as far as it can be read: a broken one must not hide what is known.
pub(super) fn known_config(place: &Place) -> Result<Config, Failure> {
    let path = place.find()?;
    crate::config::load(&path, &super::environment).or_else(|problems| {
        problems.partial().cloned().ok_or_else(|| {
            Failure::new(ExitCode::Config, "the configuration cannot be read; try `pihook validate`")
        })
    })
}

/// The database, if there is one yet.
pub(super) fn open(database: &Path) -> Result<StoreReader, Failure> {
    if !database.exists() {
        let text =
            format!("nothing is known yet: {} does not exist; start `pihook run` first", database.display());
        return Err(Failure::new(ExitCode::Internal, text));
    }
    StoreReader::open(database).map_err(|error| Failure::internal(&error))
}

struct Known {
    services: Vec<ServiceRow>,
    incidents: Vec<OpenIncident>,
    undelivered: Vec<UndeliveredRow>,
    disabled: Vec<DisabledSink>,
    lost: Vec<Lost>,
    long_log: Option<u64>,
    lasting: Option<Lasting>,
}

impl Known {
    fn read(reader: &StoreReader, now: Timestamp) -> Result<Self, StoreError> {
        let since = now.checked_sub(LOSSES_SINCE).unwrap_or(Timestamp::MIN);
        Ok(Self {
            services: reader.services()?,
            incidents: reader.open_incidents()?,
            undelivered: reader.undelivered()?,
            disabled: reader.disabled_sinks()?,
            lost: reader.losses(since, LOSSES)?,
            long_log: None,
            lasting: None,
        })
    }

    fn tables(&self, paint: Paint, now: Timestamp) -> String {
        let mut lines = Vec::new();
        let name = width("SERVICE", self.services.iter().map(|row| row.name.as_str()));
        let zone = width("ZONE", self.services.iter().map(|row| row.zone.as_str()));
        lines.push(paint.faint(&format!(
            "  STATUS    {}  {}  {}  {}  WHAT WAS SEEN",
            pad("SERVICE", name),
            pad("ZONE", zone),
            pad("RESPONSE", 8),
            pad("CHECKED", 10)
        )));
        for row in &self.services {
            let (name, zone) = (pad(&row.name, name), pad(row.zone.as_str(), zone));
            lines.push(match &row.last {
                None => format!("  {}  {name}  {zone}  not checked yet", pad("-", 8)),
                Some(last) => {
                    let status = format!("{} {}", symbol(last.status), pad(last.status.as_str(), 8));
                    let muted = if last.in_maintenance { " (in maintenance)" } else { "" };
                    format!(
                        "{}  {name}  {zone}  {}  {}  {}{muted}",
                        paint.status(last.status, &status),
                        pad(&milliseconds(last.response_ms), 8),
                        pad(&ago(now.as_second() - last.at.as_second()), 10),
                        last.summary
                    )
                }
            });
        }
        self.add_incidents(&mut lines, paint, now);
        self.add_undelivered(&mut lines, paint, now);
        for sink in &self.disabled {
            lines.push(String::new());
            lines.push(format!("{} {}: {}", paint.bad("sink disabled:"), sink.sink, sink.reason));
        }
        lines.extend(self.lasting.iter().flat_map(|lasting| lasting.lines(paint, now)));
        self.add_trouble(&mut lines, paint);
        lines.push(String::new());
        lines.join("\n")
    }

    /// What is wrong with history itself.
    fn add_trouble(&self, lines: &mut Vec<String>, paint: Paint) {
        if !self.lost.is_empty() {
            lines.push(format!("\n{}", paint.strong("Lost while the database could not be written")));
        }
        for lost in &self.lost {
            let (from, to) = lost.span.unwrap_or_default();
            lines.push(format!("  {} to {}: {lost}", local(from, MINUTES), local(to, MINUTES)));
        }
        if let Some(bytes) = self.long_log {
            lines.push(format!("\n{}", paint.warning(&long_log_words(bytes))));
        }
    }

    fn add_incidents(&self, lines: &mut Vec<String>, paint: Paint, now: Timestamp) {
        if self.incidents.is_empty() {
            return;
        }
        lines.push(format!("\n{}", paint.strong("Open incidents")));
        for incident in &self.incidents {
            lines.push(format!(
                "  #{} {} {} since {} ({}), {} failed checks{}: {}",
                incident.id,
                incident.name,
                paint.status(incident.status, incident.status.as_str()),
                local(incident.opened, MINUTES),
                ago(now.as_second() - incident.opened.as_second()),
                incident.checks_failed,
                if incident.acknowledged.is_some() { ", acknowledged" } else { "" },
                incident.reason
            ));
        }
    }

    fn add_undelivered(&self, lines: &mut Vec<String>, paint: Paint, now: Timestamp) {
        if self.undelivered.is_empty() {
            return;
        }
        lines.push(format!("\n{}", paint.strong("Undelivered alerts")));
        for row in &self.undelivered {
            let state = match row.state {
                DeliveryState::Dead => "given up".to_owned(),
                _ => format!("{} attempts", row.attempts),
            };
            let error = row.last_error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
            lines.push(format!(
                "  {} {} to {}, decided {}, {state}{error}",
                row.service,
                row.kind,
                row.sink,
                ago(now.as_second() - row.created.as_second())
            ));
        }
    }

    fn json(&self, now: Timestamp) -> Value {
        let services: Vec<Value> = self
            .services
            .iter()
            .map(|row| {
                json!({
                    "id": row.id.as_str(),
                    "service": row.name,
                    "zone": row.zone.as_str(),
                    "check": row.check,
                    "last": row.last.as_ref().map(|last| json!({
                        "at": last.at.to_string(),
                        "status": last.status.as_str(),
                        "summary": last.summary,
                        "response_ms": last.response_ms,
                        "attempts": last.attempts,
                        "in_maintenance": last.in_maintenance,
                    })),
                })
            })
            .collect();
        let incidents: Vec<Value> = self
            .incidents
            .iter()
            .map(|row| {
                json!({
                    "id": row.id.0,
                    "service": row.name,
                    "zone": row.zone.as_str(),
                    "opened": row.opened.to_string(),
                    "status": row.status.as_str(),
                    "severity": row.severity.as_str(),
                    "reason": row.reason,
                    "checks_failed": row.checks_failed,
                    "acknowledged": row.acknowledged.map(|at| at.to_string()),
                })
            })
            .collect();
        let undelivered: Vec<Value> = self
            .undelivered
            .iter()
            .map(|row| {
                json!({
                    "id": row.id,
                    "sink": row.sink.as_str(),
                    "service": row.service,
                    "event": row.kind.as_str(),
                    "decided": row.created.to_string(),
                    "attempts": row.attempts,
                    "next_attempt": row.next_attempt.map(|at| at.to_string()),
                    "last_error": row.last_error,
                    "state": if row.state == DeliveryState::Dead { "dead" } else { "pending" },
                })
            })
            .collect();
        let disabled: Vec<Value> = self
            .disabled
            .iter()
            .map(|row| json!({"sink": row.sink.as_str(), "reason": row.reason, "at": row.at.to_string()}))
            .collect();
        let lost = |lost: &Lost| {
            let (from, to) = lost.span.unwrap_or_default();
            let (checks, incidents, alerts) = (lost.outcomes, lost.incidents, lost.alerts);
            json!({"from": from.to_string(), "to": to.to_string(), "checks": checks, "incidents": incidents, "alerts": alerts})
        };
        json!({
            "services": services,
            "incidents": incidents,
            "undelivered": undelivered,
            "disabled_sinks": disabled,
            "maintenance": self.lasting.as_ref().map(|lasting| lasting.json(now)),
            "lost": self.lost.iter().map(lost).collect::<Vec<_>>(),
            "log_bytes": self.long_log,
        })
    }
}
