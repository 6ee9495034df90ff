//! The command line: what a person types and what they get to see.

mod alert;
mod args;
mod check;
mod db;
mod hash_password;
mod maintenance;
mod output;
mod preview;
mod report;
mod run;
mod status;
mod validate;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::ErrorKind;

use crate::config;
use crate::exit_code::ExitCode;
use crate::plugins;

use args::{Cli, Command};
use output::{Paint, Stream};

/// Understands the arguments and does what they say.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, and not to the person who asked for them.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::Ok,
                _ => ExitCode::Usage,
            };
        }
    };
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let place = Place { explicit: cli.config };
    match cli.command {
        Command::Run(args) => run::run(&place, &args),
        Command::Check(args) => check::run(&place, &args),
        Command::Validate => validate::run(&place),
        Command::Status(args) => status::run(&place, &args),
        Command::Report(args) => report::run(&place, &args),
        Command::Export(args) => report::export(&place, &args),
        Command::Maintenance(args) => maintenance::run(&place, &args),
        Command::Alert(args) => alert::run(&place, &args),
        Command::Db(args) => db::run(&place, &args),
        Command::HashPassword => hash_password::run(),
        Command::Compile { output } => {
            plugins::compile_from_stdin(&output).map_err(|error| Failure::internal(&error))?;
            Ok(ExitCode::Ok)
        }
    }
}

/// Where the configuration is to be looked for.
struct Place {
    explicit: Option<PathBuf>,
}

impl Place {
    fn find(&self) -> Result<PathBuf, Failure> {
        config::find(self.explicit.as_deref(), &environment, &Path::is_file)
            .map_err(|error| Failure::new(ExitCode::Config, error.to_string()))
    }
}

/// The database of the configuration, be that broken or not: what is known is not to be hidden by it.
fn database(place: &Place) -> Result<PathBuf, Failure> {
    let path = place.find()?;
    let data_dir = match config::load(&path, &environment) {
        Ok(config) => config.data_dir,
        Err(problems) => match problems.partial() {
            Some(config) => config.data_dir.clone(),
            None => {
                let text = "the configuration cannot be read; try `pihook validate`";
                return Err(Failure::new(ExitCode::Config, text));
            }
        },
    };
    let database = data_dir.join(crate::app::DATABASE);
    if !database.exists() {
        let text =
            format!("nothing is known yet: {} does not exist; start `pihook run` first", database.display());
        return Err(Failure::new(ExitCode::Internal, text));
    }
    Ok(database)
}

/// The environment as configuration sees it.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Why a command ended early, in words for whoever typed it.
struct Failure {
    code: ExitCode,
    text: String,
}

impl Failure {
    fn new(code: ExitCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    fn internal(error: &dyn std::error::Error) -> Self {
        Self::new(ExitCode::Internal, crate::words::chain(error))
    }

    fn report(self) -> ExitCode {
        let paint = Paint::of(Stream::Stderr);
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "{} {}", paint.bad("error:"), self.text);
        self.code
    }
}

/// Runs a command on a runtime of its own: one thread is enough for what a person waits for.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    let result = runtime.block_on(work);
    // A name that is still being resolved must not hold the end up.
    runtime.shutdown_background();
    result
}
