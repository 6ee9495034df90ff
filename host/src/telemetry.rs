//! Logs: to stderr, plain for people, JSON for collectors.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Plain,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `PIHOOK_LOG` filters as `RUST_LOG` does elsewhere: `warn`, `pihook=debug`.
pub fn start(format: LogFormat, filter: Option<&str>) {
    let filter = EnvFilter::new(filter.unwrap_or("info,hickory_proto=off"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match format {
        LogFormat::Plain => {
            builder.with_ansi(colours(&io::stderr())).with_target(false).compact().finish().try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    // Only a second call can fail, and then the first one's settings hold.
    drop(started);
}

/// Whether a stream takes colours: it is a terminal, and nobody said `NO_COLOR`.
#[must_use]
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
