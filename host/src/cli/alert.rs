//! `pihook alert`: what alerts look like, and whether they arrive.

use std::io::{self, Write};
use std::time::Duration;

use jiff::tz::TimeZone;
use pihook_core::{
    Alert, AlertKind, IncidentId, Reason, ServiceId, Severity, SinkId, Status, Timestamp, ZoneId,
};

use super::args::{AlertAction, AlertArgs};
use super::output::{Paint, Stream};
use super::preview::{Shown, Wanted, preview};
use super::{Failure, Place};
use crate::app::{Prepared, Purpose};
use crate::exit_code::ExitCode;
use crate::sinks::Verdict;
use crate::tasks::deliver::{Formatter, send_now};
use crate::tasks::wording::PluginFormatter;

pub(super) fn run(place: &Place, args: &AlertArgs) -> Result<ExitCode, Failure> {
    crate::telemetry::start(crate::telemetry::LogFormat::Plain, Some("warn"));
    super::block_on(async {
        let prepared = super::validate::prepare(place, Purpose::Once).await?;
        match &args.action {
            AlertAction::Test { sink } => test(&prepared, sink.as_deref()).await,
            AlertAction::Preview { formatter, event, sink, kind, json } => {
                let wanted = Wanted {
                    formatter: formatter.as_deref(),
                    event: event.as_deref(),
                    sink: sink.as_deref(),
                    kind: kind.as_deref(),
                    form: if *json { Shown::Json } else { Shown::Text },
                };
                preview(&prepared, &wanted).await
            }
        }
    })
}

async fn test(prepared: &Prepared, only: Option<&str>) -> Result<ExitCode, Failure> {
    let mut sinks = prepared.sinks.clone();
    if sinks.is_empty() {
        let text =
            "no sink is configured: add one under `sinks:` in services.yaml, such as a Discord webhook";
        return Err(Failure::new(ExitCode::Config, text));
    }
    if let Some(name) = only {
        let known: Vec<String> = sinks.keys().map(ToString::to_string).collect();
        sinks.retain(|sink, _| sink.as_str() == name);
        if sinks.is_empty() {
            let text = format!("there is no sink {name:?}; there are: {}", known.join(", "));
            return Err(Failure::new(ExitCode::Usage, text));
        }
    }
    let formatter =
        PluginFormatter::new(prepared.library.clone(), prepared.clock.clone(), TimeZone::system());
    let now = prepared.clock.now().wall;
    let alert = Alert { reason: Reason::Test, ..sample(AlertKind::Opened, now) };
    let paint = Paint::of(Stream::Stdout);
    let mut code = ExitCode::Ok;
    for (name, outlet) in &sinks {
        let alert = Alert { sinks: vec![SinkId::new(name.as_str())], ..alert.clone() };
        let message = formatter.format(&outlet.formatter, &alert, outlet.sink.kind()).await;
        let verdict = send_now(outlet.sink.as_ref(), &message, &alert).await;
        let line = if verdict == Verdict::Sent {
            format!("{} {name}: sent; look whether it has arrived", paint.good("✓"))
        } else {
            code = ExitCode::Bad;
            format!("{} {name}: {verdict}", paint.bad("✗"))
        };
        let _ = writeln!(io::stdout(), "{line}");
    }
    Ok(code)
}

/// An alert as it might come, for trying things out.
pub(super) fn sample(kind: AlertKind, now: Timestamp) -> Alert {
    let lasted = Duration::from_secs(match kind {
        AlertKind::Opened => 120,
        AlertKind::Escalated => 31 * 60,
        AlertKind::Reminder => 4 * 3600,
        AlertKind::Recovered => 4 * 3600 + 720,
        AlertKind::Notice => return sample_of_news(now),
    });
    let recovered = kind == AlertKind::Recovered;
    Alert {
        kind,
        reason: match kind {
            AlertKind::Opened => Reason::Failures,
            AlertKind::Escalated => Reason::Elapsed,
            AlertKind::Reminder => Reason::Repeat,
            AlertKind::Recovered => Reason::Recovered,
            AlertKind::Notice => Reason::Event,
        },
        incident: IncidentId::NONE,
        service: ServiceId::new("example"),
        name: "Example".into(),
        zone: ZoneId::new("local"),
        status: if recovered { Status::Up } else { Status::Down },
        severity: Severity::Critical,
        level: u32::from(kind == AlertKind::Escalated),
        mention: None,
        formatter: None,
        at: now,
        since: now.checked_sub(lasted).unwrap_or(now),
        lasted,
        failures: u32::try_from(lasted.as_secs() / 60 + 1).unwrap_or(u32::MAX),
        summary: if recovered { "HTTP 200" } else { "HTTP 503, expected below 400" }.to_owned(),
        response_time: Some(Duration::from_millis(42)),
        sinks: Vec::new(),
    }
}

fn sample_of_news(now: Timestamp) -> Alert {
    Alert {
        kind: AlertKind::Notice,
        reason: Reason::Event,
        status: Status::Up,
        severity: Severity::Info,
        since: now,
        lasted: Duration::ZERO,
        failures: 0,
        summary: "the public address changed from 192.0.2.5 to 192.0.2.9".to_owned(),
        response_time: None,
        ..sample(AlertKind::Recovered, now)
    }
}
