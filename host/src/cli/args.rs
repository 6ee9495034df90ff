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
    /// Look after the database: whether it is whole, a copy of it, its size.
    Db(DbArgs),
    /// Print what services.yaml may know the page's password by.
    ///
    /// It goes to `dashboard: auth: password_hash:`. Asks for the password at the terminal, or reads the first line of what is piped in.
    HashPassword,
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
        /// Only this formatter [default: all that come with PiHook or are declared].
        #[arg(long, value_name = "ID")]
        formatter: Option<String>,
        /// Only this event [default: all].
        #[arg(long, value_name = "EVENT", value_parser = super::preview::EVENTS)]
        event: Option<String>,
        /// As this configured sink would send it.
        #[arg(long, value_name = "NAME", conflicts_with = "kind")]
        sink: Option<String>,
        /// As a sink of this type would, configured or not.
        #[arg(long = "as", value_name = "TYPE", value_parser = ["discord"])]
        kind: Option<String>,
        /// Print what the sink sends, as JSON, instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct DbArgs {
    #[command(subcommand)]
    pub(super) action: DbAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum DbAction {
    /// Read all of the database and print everything that is wrong with it.
    ///
    /// Works while the daemon runs. Ends with 0 if the database is whole and 1 if it is not.
    Check,
    /// Copy the database as it is now into one file.
    ///
    /// Works while the daemon runs. Never leaves half a copy under the file's name.
    Backup {
        /// Where to.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Replace the file if it exists.
        #[arg(long)]
        force: bool,
    },
    /// Write the database anew without its holes, and say how much smaller it is.
    ///
    /// Refuses while the daemon runs. Needs up to twice the database's size on the disk meanwhile.
    Vacuum,
}
