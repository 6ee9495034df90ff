//! `pihook validate`, and the preparation that other commands share with it.

use std::io::{self, Write};

use super::output::{Paint, Stream};
use super::{Failure, Place};
use crate::app::{self, PrepareError, Prepared, Purpose};
use crate::exit_code::ExitCode;
use crate::words::count;

pub(super) fn run(place: &Place) -> Result<ExitCode, Failure> {
    crate::telemetry::start(crate::telemetry::LogFormat::Plain, Some("error"));
    super::block_on(async {
        let prepared = prepare(place, Purpose::Validate).await?;
        let config = &prepared.config;
        let _ = writeln!(
            io::stdout(),
            "{} {}: {}, {}",
            Paint::of(Stream::Stdout).good("valid:"),
            config.path.display(),
            count(config.services.len(), "service"),
            count(config.sinks.len(), "sink")
        );
        Ok(ExitCode::Ok)
    })
}

/// Everything that a command needs of the configuration; all its problems on stderr if there are any.
pub(super) async fn prepare(place: &Place, purpose: Purpose) -> Result<Prepared, Failure> {
    let path = place.find()?;
    app::prepare(&path, super::environment, purpose).await.map_err(|error| match error {
        PrepareError::Config(problems) => {
            let paint = Paint::of(Stream::Stderr);
            let mut stderr = io::stderr().lock();
            for problem in problems.iter() {
                let _ = writeln!(stderr, "{problem}");
            }
            let _ = stderr.flush();
            let what = count(problems.len(), "problem");
            let text = format!("{} in {}", paint.strong(&what), path.display());
            Failure::new(ExitCode::Config, text)
        }
        other => Failure::internal(&other),
    })
}
