//! `pihook check`: each service once, now, side by side.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Outcome, ServiceId, Status};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::args::CheckArgs;
use super::output::{Paint, Stream, milliseconds, pad, symbol, width};
use super::{Failure, Place};
use crate::app;
use crate::checks::{CheckRunner, PluginRunner};
use crate::config::{Config, ServiceConfig};
use crate::exit_code::ExitCode;

/// Checks that run at once, so that a hundred of them do not look like an attack to a small router.
const SIDE_BY_SIDE: usize = 32;

pub(super) fn run(place: &Place, args: &CheckArgs) -> Result<ExitCode, Failure> {
    crate::telemetry::start(crate::telemetry::LogFormat::Plain, Some("warn"));
    super::runtime()?.block_on(async {
        let prepared = super::validate::prepare(place).await?;
        let wanted = wanted(&prepared.config, &args.names)?;
        let services: Vec<&ServiceConfig> =
            prepared.config.services.iter().filter(|service| wanted.contains(&service.service.id)).collect();
        let runner = app::runner(&prepared);
        let table = Table::new(&services, if args.json { Format::Json } else { Format::Table });
        let outcomes = check_all(&services, &runner, &table).await;
        table.finish(&services, &outcomes);
        Ok(exit_code(outcomes.iter().flatten()))
    })
}

async fn check_all(
    services: &[&ServiceConfig],
    runner: &PluginRunner,
    table: &Table,
) -> Vec<Option<Outcome>> {
    let slots = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut running = JoinSet::new();
    for (index, service) in services.iter().enumerate() {
        let run = runner.run(service.service.id.clone());
        let slots = slots.clone();
        running.spawn(async move {
            let _slot = slots.acquire_owned().await;
            (index, run.await.outcome)
        });
    }
    let mut outcomes = vec![None; services.len()];
    while let Some(finished) = running.join_next().await {
        if let Ok((index, outcome)) = finished
            && let (Some(service), Some(slot)) = (services.get(index), outcomes.get_mut(index))
        {
            table.row(service, &outcome);
            *slot = Some(outcome);
        }
    }
    outcomes
}

/// The services that were asked for; all of them if none was named.
fn wanted(config: &Config, names: &[String]) -> Result<BTreeSet<ServiceId>, Failure> {
    if names.is_empty() {
        return Ok(config.services.iter().map(|service| service.service.id.clone()).collect());
    }
    names
        .iter()
        .map(|name| {
            let found = config.services.iter().find(|service| {
                service.service.id.as_str() == name || service.service.name.eq_ignore_ascii_case(name)
            });
            found.map(|service| service.service.id.clone()).ok_or_else(|| {
                let known: Vec<&str> = config.services.iter().map(|service| &*service.service.name).collect();
                Failure::new(
                    ExitCode::Usage,
                    format!(
                        "there is no service {name:?} in {}; it has: {}",
                        config.path.display(),
                        known.join(", ")
                    ),
                )
            })
        })
        .collect()
}

fn exit_code<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> ExitCode {
    match outcomes.map(|outcome| outcome.status).fold(Status::Up, Status::worse) {
        Status::Up => ExitCode::Ok,
        Status::Degraded | Status::Down => ExitCode::Bad,
        Status::Unknown => ExitCode::Unknown,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Json,
}

/// A table whose columns are known before its rows are, so that each can be printed when it is there.
struct Table {
    format: Format,
    paint: Paint,
    name: usize,
    zone: usize,
}

impl Table {
    fn new(services: &[&ServiceConfig], format: Format) -> Self {
        let table = Self {
            format,
            paint: Paint::of(Stream::Stdout),
            name: width("SERVICE", services.iter().map(|service| &*service.service.name)),
            zone: width("ZONE", services.iter().map(|service| service.service.zone.as_str())),
        };
        if format == Format::Table {
            let heading = format!(
                "  STATUS    {}  {}  {}  WHAT WAS SEEN",
                pad("SERVICE", table.name),
                pad("ZONE", table.zone),
                pad("RESPONSE", 8)
            );
            let _ = writeln!(io::stdout(), "{}", table.paint.faint(&heading));
        }
        table
    }

    fn row(&self, service: &ServiceConfig, outcome: &Outcome) {
        if self.format == Format::Json {
            return;
        }
        let status = outcome.status;
        let marked = format!("{} {}", symbol(status), pad(status.as_str(), 8));
        let again =
            if outcome.attempts > 1 { format!(" ({} attempts)", outcome.attempts) } else { String::new() };
        let _ = writeln!(
            io::stdout(),
            "{}  {}  {}  {}  {}{again}",
            self.paint.status(status, &marked),
            pad(&service.service.name, self.name),
            pad(service.service.zone.as_str(), self.zone),
            pad(&milliseconds(outcome.response_time.map(in_ms)), 8),
            outcome.summary,
        );
    }

    fn finish(&self, services: &[&ServiceConfig], outcomes: &[Option<Outcome>]) {
        let mut stdout = io::stdout().lock();
        if self.format == Format::Json {
            let rows =
                services.iter().zip(outcomes).filter_map(|(service, o)| Some(row_json(service, o.as_ref()?)));
            let _ = writeln!(stdout, "{:#}", Value::Array(rows.collect()));
            return;
        }
        let counts: Vec<String> = Status::ALL
            .into_iter()
            .filter_map(|status| {
                let count = outcomes.iter().flatten().filter(|outcome| outcome.status == status).count();
                (count > 0).then(|| self.paint.status(status, &format!("{count} {status}")))
            })
            .collect();
        let _ = writeln!(
            stdout,
            "\n{}",
            if counts.is_empty() { "no services".to_owned() } else { counts.join(", ") }
        );
    }
}

fn row_json(service: &ServiceConfig, outcome: &Outcome) -> Value {
    let metrics: Vec<Value> = outcome
        .metrics
        .iter()
        .map(|metric| json!({"name": metric.name, "value": metric.value, "unit": metric.unit}))
        .collect();
    json!({
        "service": &*service.service.name,
        "zone": service.service.zone.as_str(),
        "check": service.check.plugin,
        "status": outcome.status.as_str(),
        "summary": outcome.summary,
        "response_ms": outcome.response_time.map(in_ms),
        "attempts": outcome.attempts,
        "metrics": metrics,
    })
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
