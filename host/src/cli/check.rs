//! `pihook check`: each service once, now, side by side.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Outcome, ServiceId, Status, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::args::CheckArgs;
use super::output::{Paint, Stream, milliseconds, pad, symbol, width};
use super::{Failure, Place};
use crate::app::{self, Purpose};
use crate::checks::CheckRunner;
use crate::config::{Config, ServiceConfig};
use crate::exit_code::ExitCode;

/// Checks that run at once, so that a hundred of them do not look like an attack to a small router.
const SIDE_BY_SIDE: usize = 32;

pub(super) fn run(place: &Place, args: &CheckArgs) -> Result<ExitCode, Failure> {
    crate::telemetry::start(crate::telemetry::LogFormat::Plain, Some("warn"));
    super::block_on(async {
        let prepared = super::validate::prepare(place, Purpose::Once).await?;
        let wanted = wanted(&prepared.config, &args.names)?;
        let services: Vec<&ServiceConfig> =
            prepared.config.services.iter().filter(|service| wanted.contains(&service.service.id)).collect();
        let runner = app::runner(&prepared);
        let table = Table::new(&services, if args.json { Format::Json } else { Format::Table });
        let outcomes = check_all(&services, &runner, &table, prepared.clock.now().wall).await;
        table.finish(&services, &outcomes);
        Ok(exit_code(&outcomes))
    })
}

async fn check_all(
    services: &[&ServiceConfig],
    runner: &dyn CheckRunner,
    table: &Table,
    at: Timestamp,
) -> Vec<Outcome> {
    let slots = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut running = JoinSet::new();
    let mut started = HashMap::new();
    for (index, service) in services.iter().enumerate() {
        let run = runner.run(service.service.id.clone());
        let slots = slots.clone();
        let task = running.spawn(async move {
            let _slot = slots.acquire_owned().await;
            run.await.outcome
        });
        started.insert(task.id(), index);
    }
    let mut outcomes = vec![unfinished("the check has not ended", at); services.len()];
    while let Some(finished) = running.join_next_with_id().await {
        let (id, outcome) = match finished {
            Ok(finished) => finished,
            Err(fault) => {
                tracing::error!("a check ended without a result: {fault}");
                (fault.id(), unfinished("PiHook failed to run the check; its log says more", at))
            }
        };
        let Some(index) = started.get(&id).copied() else { continue };
        if let (Some(service), Some(slot)) = (services.get(index), outcomes.get_mut(index)) {
            table.row(service, &outcome);
            *slot = outcome;
        }
    }
    outcomes
}

/// The outcome of a check that has none: PiHook's fault, and never the service's.
fn unfinished(why: &str, at: Timestamp) -> Outcome {
    Outcome {
        status: Status::Unknown,
        summary: why.to_owned(),
        notice: None,
        response_time: None,
        attempts: 1,
        metrics: Vec::new(),
        at,
    }
}

/// The services that were asked for; all of them if none was named.
fn wanted(config: &Config, names: &[String]) -> Result<BTreeSet<ServiceId>, Failure> {
    if names.is_empty() {
        return Ok(config.services.iter().map(|service| service.service.id.clone()).collect());
    }
    let mut wanted = BTreeSet::new();
    for name in names {
        let found = app::services_named(config, name);
        if found.is_empty() {
            let known: Vec<&str> = config.services.iter().map(|service| &*service.service.name).collect();
            let (path, known) = (config.path.display(), known.join(", "));
            let text = format!("there is no service {name:?} in {path}; it has: {known}");
            return Err(Failure::new(ExitCode::Usage, text));
        }
        wanted.extend(found.iter().map(|found| found.service.id.clone()));
    }
    Ok(wanted)
}

fn exit_code(outcomes: &[Outcome]) -> ExitCode {
    match outcomes.iter().map(|outcome| outcome.status).fold(Status::Up, Status::worse) {
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

    fn finish(&self, services: &[&ServiceConfig], outcomes: &[Outcome]) {
        let mut stdout = io::stdout().lock();
        if self.format == Format::Json {
            let rows = services.iter().zip(outcomes).map(|(service, outcome)| row_json(service, outcome));
            let _ = writeln!(stdout, "{:#}", Value::Array(rows.collect()));
            return;
        }
        let counts: Vec<String> = Status::ALL
            .into_iter()
            .filter_map(|status| {
                let count = outcomes.iter().filter(|outcome| outcome.status == status).count();
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::pin::Pin;

    use super::*;
    use crate::checks::Finished;
    use crate::config::{Surroundings, parse};

    /// Panics over the service that is called so.
    struct Panicking;

    impl CheckRunner for Panicking {
        fn run(&self, service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
            Box::pin(async move {
                assert_ne!(service.as_str(), "bad", "a check's bug");
                let outcome = Outcome { status: Status::Up, ..unfinished("fine", Timestamp::UNIX_EPOCH) };
                Finished { service, outcome, kept: None }
            })
        }
    }

    #[tokio::test]
    async fn a_panicking_check_is_unknown() {
        let text = "services: [{ name: good, zone: local, url: 'http://a/' }, { name: bad, zone: local, url: 'http://b/' }]";
        let surroundings = Surroundings {
            file: Path::new("services.yaml"),
            base: Path::new("/"),
            environment: &|_| None,
            read_file: &|_| Err(io::Error::other("none")),
        };
        let config = parse(text.as_bytes(), &surroundings).unwrap();
        let services: Vec<_> = config.services.iter().collect();
        let table = Table::new(&services, Format::Table);
        let outcomes = check_all(&services, &Panicking, &table, Timestamp::UNIX_EPOCH).await;
        let found: Vec<_> = outcomes.iter().map(|outcome| outcome.status).collect();
        assert_eq!(found, [Status::Up, Status::Unknown]);
        assert_eq!(exit_code(&outcomes), ExitCode::Unknown);
    }
}
