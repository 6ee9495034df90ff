//! `pihook alert preview`: every event in the words of every formatter.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use pihook_core::silence::zone_service;
use pihook_core::{Alert, AlertKind, Colour, FieldLayout, Message, Reason, Status, Timestamp};

use super::Failure;
use super::alert::sample;
use super::output::{Paint, Stream};
use crate::app::{self, Prepared};
use crate::exit_code::ExitCode;
use crate::plugins::{BUNDLED, BUNDLED_FORMATTERS, Library};
use crate::sinks::{SendContext, Sink, render_discord};
use crate::store::{Recent, RecentOutcome};
use crate::tasks::wording::PluginFormatter;

/// What can be looked at.
pub(super) const EVENTS: [&str; 11] = [
    "opened",
    "escalated",
    "reminder",
    "recovered",
    "notice",
    "cannot-tell",
    "after-maintenance",
    "flapping",
    "settled",
    "cut-off",
    "digest",
];

/// What a person asked for.
pub(super) struct Wanted<'a> {
    pub(super) formatter: Option<&'a str>,
    pub(super) event: Option<&'a str>,
    pub(super) sink: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) form: Shown,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Text,
    Json,
}

/// Prints it all.
pub(super) async fn preview(prepared: &Prepared, wanted: &Wanted<'_>) -> Result<ExitCode, Failure> {
    let sink = configured_sink(prepared, wanted.sink)?;
    let kind = match sink {
        Some(sink) => sink.kind(),
        None => wanted.kind.unwrap_or("discord"),
    };
    // A formatter need not be in use to be looked at.
    let configured = app::plugin_sources(&prepared.config);
    let ids: BTreeSet<&str> = match wanted.formatter {
        Some(id) => [id].into(),
        None => BUNDLED_FORMATTERS.into_iter().chain(configured.keys().map(String::as_str)).collect(),
    };
    let library = Arc::new(Library::load(&prepared.host, ids.iter().copied(), &configured).await);
    if let Some(id) = wanted.formatter {
        let known = BUNDLED.iter().map(|(id, _)| *id).chain(configured.keys().map(String::as_str));
        must_be_formatter(id, &library, &known.collect())?;
    }
    let formatter = PluginFormatter::new(library.clone(), prepared.clock.clone(), TimeZone::system());
    let now = prepared.clock.now().wall;
    let paint = Paint::of(Stream::Stdout);
    for id in ids {
        // Of all, only formatters are meant.
        let Some(Ok(plugin)) = library.get(id) else {
            if wanted.formatter.is_some() {
                let fault = formatter.try_format(id, &sample(AlertKind::Opened, now), kind).await.err();
                return Err(Failure::new(ExitCode::Internal, fault.unwrap_or_default()));
            }
            continue;
        };
        if plugin.is_check() {
            continue;
        }
        for event in EVENTS.into_iter().filter(|event| wanted.event.is_none_or(|wanted| wanted == *event)) {
            if event == "digest" && !plugin.is_digester() {
                continue;
            }
            let (alert, worded) = word(&formatter, id, event, kind, now).await;
            let message = worded.map_err(|fault| Failure::new(ExitCode::Internal, fault))?;
            let shown = match wanted.form {
                Shown::Text => text(&message, paint),
                Shown::Json => rendered(sink, &message, &alert) + "\n",
            };
            let heading =
                if wanted.formatter.is_some() { event.to_owned() } else { format!("{id}: {event}") };
            let heading = paint.faint(&format!("-- {heading}"));
            let _ = writeln!(io::stdout(), "{heading}\n{shown}");
        }
    }
    Ok(ExitCode::Ok)
}

fn configured_sink<'a>(prepared: &'a Prepared, name: Option<&str>) -> Result<Option<&'a dyn Sink>, Failure> {
    let Some(name) = name else { return Ok(None) };
    let found = prepared.sinks.iter().find(|(sink, _)| sink.as_str() == name);
    match found {
        Some((_, outlet)) => Ok(Some(outlet.sink.as_ref())),
        None => {
            let known: Vec<_> = prepared.sinks.keys().map(ToString::to_string).collect();
            let text = format!("there is no sink {name:?}; there are: {}", known.join(", "));
            Err(Failure::new(ExitCode::Usage, text))
        }
    }
}

fn must_be_formatter(id: &str, library: &Library, known: &BTreeSet<&str>) -> Result<(), Failure> {
    match library.get(id) {
        None => {
            let known: Vec<&str> = known.iter().copied().collect();
            let text = format!("there is no plugin {id:?}; there are: {}", known.join(", "));
            Err(Failure::new(ExitCode::Usage, text))
        }
        Some(Ok(plugin)) if plugin.is_check() => {
            Err(Failure::new(ExitCode::Usage, format!("{id} is a check and not a formatter")))
        }
        Some(_) => Ok(()),
    }
}

async fn word(
    formatter: &PluginFormatter,
    id: &str,
    event: &str,
    kind: &str,
    now: Timestamp,
) -> (Alert, Result<Message, String>) {
    if event == "digest" {
        let alerts = AlertKind::ALL.map(|kind| sample(kind, now));
        let worded = formatter.try_digest(id, &alerts, kind).await;
        return (sample(AlertKind::Opened, now), worded);
    }
    let alert = sample_of(event, now);
    let worded = formatter.try_format_with(id, &alert, kind, history(&alert)).await;
    (alert, worded)
}

fn sample_of(event: &str, now: Timestamp) -> Alert {
    let opened = sample(AlertKind::Opened, now);
    match event {
        "cannot-tell" => Alert {
            reason: Reason::CannotTell,
            status: Status::Unknown,
            summary: "plugin http: it gave no answer within 120 s".to_owned(),
            response_time: None,
            ..opened
        },
        "after-maintenance" => Alert { reason: Reason::AfterMaintenance, ..opened },
        "flapping" => Alert { reason: Reason::Flapping, ..opened },
        "settled" => Alert { reason: Reason::Settled, ..sample(AlertKind::Recovered, now) },
        "cut-off" => Alert {
            service: zone_service(&opened.zone),
            name: Arc::from(format!("Zone {}", opened.zone)),
            summary: "cut off: no canary answers (https://1.1.1.1: no route to its network)".to_owned(),
            response_time: None,
            ..opened
        },
        other => AlertKind::parse(other).map_or(opened, |kind| sample(kind, now)),
    }
}

/// A service that has been well until the sample's trouble.
fn history(alert: &Alert) -> Recent {
    let now = if alert.status == Status::Up { Status::Up } else { alert.status };
    let statuses = [now; 3].into_iter().chain([Status::Up; 17]);
    let outcome = |(status, minutes): (Status, u64)| RecentOutcome {
        at: alert.at.checked_sub(Duration::from_secs(60 * minutes)).unwrap_or(alert.at),
        status,
        response_ms: Some(42.0),
        in_maintenance: false,
    };
    Recent {
        outcomes: statuses.zip(0..).map(outcome).collect(),
        uptime_day: Some(99.79),
        uptime_week: Some(99.97),
    }
}

fn rendered(sink: Option<&dyn Sink>, message: &Message, alert: &Alert) -> String {
    let context = SendContext::of(alert);
    match sink {
        Some(sink) => sink.render(message, &context),
        None => render_discord(message, &context),
    }
}

fn text(message: &Message, paint: Paint) -> String {
    let title = match message.colour {
        Colour::Good => paint.good(&message.title),
        Colour::Warning => paint.warning(&message.title),
        Colour::Bad => paint.bad(&message.title),
        Colour::Neutral => paint.strong(&message.title),
    };
    let mut lines = vec![title];
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
