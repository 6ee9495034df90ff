//! `pihook db`: looking after the database by hand.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::args::{DbAction, DbArgs};
use super::output::{Paint, Stream};
use super::{Failure, Place};
use crate::app;
use crate::exit_code::ExitCode;
use crate::store::StoreError;
use crate::store::upkeep::{self, Existing};
use crate::words::count;

pub(super) fn run(place: &Place, args: &DbArgs) -> Result<ExitCode, Failure> {
    let database = super::database(place)?;
    match &args.action {
        DbAction::Check => check(&database),
        DbAction::Backup { file, force } => {
            backup(&database, file, if *force { Existing::Replace } else { Existing::Refuse })
        }
        DbAction::Vacuum => vacuum(&database),
    }
}

fn check(database: &Path) -> Result<ExitCode, Failure> {
    let found = upkeep::check(database).map_err(|error| Failure::internal(&error))?;
    let paint = Paint::of(Stream::Stdout);
    if found.is_empty() {
        print(&format!("{} {} is whole", paint.good("✓"), database.display()));
        return Ok(ExitCode::Ok);
    }
    for complaint in &found {
        print(&format!("{} {complaint}", paint.bad("✗")));
    }
    print(&format!(
        "{} in {}; when the daemon meets damage, it moves the file aside and goes on with what can be read",
        count(found.len(), "complaint"),
        database.display()
    ));
    Ok(ExitCode::Bad)
}

fn backup(database: &Path, file: &Path, existing: Existing) -> Result<ExitCode, Failure> {
    let shown = io::stderr().is_terminal();
    let mut progress = |done: f64| {
        if shown {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r{:3.0} %", done * 100.0);
            let _ = stderr.flush();
        }
    };
    let copied = upkeep::backup(database, file, existing, &mut progress);
    if shown {
        let _ = write!(io::stderr(), "\r      \r");
    }
    match copied {
        Ok(bytes) => {
            print(&format!("{} holds {} as it was just now", file.display(), mebibytes(bytes)));
            Ok(ExitCode::Ok)
        }
        Err(error @ StoreError::Exists { .. }) => {
            Err(Failure::new(ExitCode::Internal, format!("{error}; `--force` replaces it")))
        }
        Err(error) => Err(Failure::internal(&error)),
    }
}

fn vacuum(database: &Path) -> Result<ExitCode, Failure> {
    let folder = database.parent().unwrap_or(Path::new("."));
    let _lock = app::lock(folder).map_err(|error| match error {
        app::RunError::AlreadyRunning(_) => {
            Failure::new(ExitCode::Internal, format!("{error}; stop it first, for as long as this takes"))
        }
        error => Failure::internal(&error),
    })?;
    let sizes = upkeep::vacuum(database).map_err(|error| Failure::internal(&error))?;
    let won = sizes.before.saturating_sub(sizes.after);
    print(&format!(
        "{} before, {} now: {} won",
        mebibytes(sizes.before),
        mebibytes(sizes.after),
        mebibytes(won)
    ));
    Ok(ExitCode::Ok)
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Whoever has closed our output does not want to read it.
fn print(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}
