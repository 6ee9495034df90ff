//! `pihook alert`: what alerts look like, and whether they arrive.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use jiff::tz::TimeZone;
use pihook_core::{
    Alert, AlertKind, FieldLayout, IncidentId, Message, Reason, ServiceId, Severity, SinkId, Status,
    Timestamp, ZoneId,
};

use super::args::{AlertAction, AlertArgs};
use super::output::{Paint, Stream};
use super::{Failure, Place};
use crate::app::{self, Prepared, Purpose};
use crate::exit_code::ExitCode;
use crate::plugins::{BUNDLED, Library};
use crate::sinks::Verdict;
use crate::tasks::deliver::{Formatter, send_now};
use crate::tasks::wording::PluginFormatter;

pub(super) fn run(place: &Place, args: &AlertArgs) -> Result<ExitCode, Failure> {
    crate::telemetry::start(crate::telemetry::LogFormat::Plain, Some("warn"));
    super::block_on(async {
        let prepared = super::validate::prepare(place, Purpose::Once).await?;
        match &args.action {
            AlertAction::Test { sink } => test(&prepared, sink.as_deref()).await,
            AlertAction::Preview { formatter, event } => {
                preview(&prepared, formatter, event.as_deref()).await
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

async fn preview(prepared: &Prepared, id: &str, event: Option<&str>) -> Result<ExitCode, Failure> {
    // The formatter need not be in use to be looked at.
    let configured = app::plugin_sources(&prepared.config);
    let library = std::sync::Arc::new(Library::load(&prepared.host, [id], &configured).await);
    match library.get(id) {
        None => {
            let known = BUNDLED.iter().map(|(id, _)| *id).chain(configured.keys().map(String::as_str));
            let known: BTreeSet<&str> = known.collect();
            let known: Vec<&str> = known.into_iter().collect();
            let text = format!("there is no plugin {id:?}; there are: {}", known.join(", "));
            return Err(Failure::new(ExitCode::Usage, text));
        }
        Some(Ok(plugin)) if plugin.is_check() => {
            return Err(Failure::new(ExitCode::Usage, format!("{id} is a check and not a formatter")));
        }
        Some(_) => {}
    }
    let formatter = PluginFormatter::new(library, prepared.clock.clone(), TimeZone::system());
    let now = prepared.clock.now().wall;
    let paint = Paint::of(Stream::Stdout);
    let mut first = true;
    for kind in AlertKind::ALL.into_iter().filter(|kind| event.is_none_or(|event| event == kind.as_str())) {
        let message = formatter
            .try_format(id, &sample(kind, now), "discord")
            .await
            .map_err(|fault| Failure::new(ExitCode::Internal, fault))?;
        let gap = if first { "" } else { "\n" };
        first = false;
        let _ =
            write!(io::stdout(), "{gap}{}\n{}", paint.faint(&format!("-- {kind}")), text(&message, paint));
    }
    Ok(ExitCode::Ok)
}

fn text(message: &Message, paint: Paint) -> String {
    let mut lines = vec![paint.strong(&message.title)];
    if !message.body.is_empty() {
        lines.push(message.body.clone());
    }
    for field in &message.fields {
        let indent = if field.layout == FieldLayout::Cell { "  " } else { " " };
        lines.push(format!("{indent}{}: {}", paint.faint(&field.name), field.value));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// An alert as it might come, for trying things out.
fn sample(kind: AlertKind, now: Timestamp) -> Alert {
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
