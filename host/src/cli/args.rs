//! The words of the command line. Their help texts are the first documentation that a newcomer reads.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::telemetry::LogFormat;

/// Watches your homelab and tells you when something breaks.
///
/// List your services in services.yaml, try them with `pihook check`, then leave `pihook run` running.
#[derive(Debug, Parser)]
#[command(name = "pihook", version, max_term_width = 100, arg_required_else_help = true)]
pub(super) struct Cli {
    /// Configuration to use [default: $PIHOOK_CONFIG, ./services.yaml, ./config/services.yaml,
    /// /etc/pihook/services.yaml].
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Watch the services until stopped: the daemon, in the foreground.
    ///
    /// Ctrl-C or SIGTERM stops it, SIGHUP reloads the configuration, which is also done when the file changes.
    Run(RunArgs),
    /// Run checks once, now, and print what they find.
    ///
    /// Nothing is recorded and nobody is alerted. Ends with 0 if all are up, 1 if some are down or degraded, 2 if some
    /// are unknown.
    Check(CheckArgs),
    /// Print everything that is wrong with the configuration.
    Validate,
    /// Show the last known state of each service, open incidents and undelivered alerts.
    ///
    /// Works while the daemon runs and while it does not.
    Status(StatusArgs),
    /// Show how it went: uptime, response times and incidents of each service.
    ///
    /// Works while the daemon runs and while it does not.
    Report(ReportArgs),
    /// Write a week's CSV file now, also over one that is there.
    Export(ExportArgs),
    /// Mute alerts for a while. Checks go on and are logged.
    Maintenance(MaintenanceArgs),
    /// Try what alerts look like and whether they arrive.
    Alert(AlertArgs),
    /// Compiles a plugin from standard input; the daemon calls this in a child process.
    #[command(name = "__compile", hide = true)]
    Compile { output: PathBuf },
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// How log lines look on stderr.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Services to check, by name or id [default: all].
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// Print a JSON array instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Print JSON instead of tables.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// How far to look back, such as 24h, 7d or 4w.
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = crate::config::duration)]
    pub(super) since: Duration,
    /// What to print.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}

/// What a report is printed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people.
    #[default]
    Table,
    /// The columns of the weekly file.
    Csv,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The week, by ISO 8601 [default: the newest that is over].
    #[arg(long, value_name = "WEEK")]
    pub(super) week: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct MaintenanceArgs {
    #[command(subcommand)]
    pub(super) action: MaintenanceAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum MaintenanceAction {
    /// Mute alerts: everything, or the given services and zones.
    On(MaintenanceOn),
    /// Let alerts through again.
    Off,
    /// Show whether alerts are muted.
    Status,
}

#[derive(Debug, Args)]
pub(super) struct MaintenanceOn {
    /// End by itself after this long, such as 90m, 2h or 1d.
    #[arg(long = "for", value_name = "DURATION", value_parser = crate::config::duration)]
    pub(super) lasting: Option<Duration>,
    /// Mute this service only; may be repeated.
    #[arg(long = "service", value_name = "NAME")]
    pub(super) services: Vec<String>,
    /// Mute this zone only; may be repeated.
    #[arg(long = "zone", value_name = "NAME")]
    pub(super) zones: Vec<String>,
    /// Why, for the log and the status page.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct AlertArgs {
    #[command(subcommand)]
    pub(super) action: AlertAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum AlertAction {
    /// Send a test alert to each sink and say what came of it.
    Test {
        /// Only this sink.
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
    /// Print what a formatter makes of a sample alert.
    Preview {
        /// The formatter's id.
        #[arg(long, value_name = "ID", default_value = "detailed")]
        formatter: String,
        /// Only this event [default: all].
        #[arg(long, value_name = "EVENT", value_parser = ["opened", "escalated", "reminder", "recovered", "notice"])]
        event: Option<String>,
    },
}
