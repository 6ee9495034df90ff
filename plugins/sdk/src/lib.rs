//! What a PiHook plugin is written with.
//!
//! A plugin is a WebAssembly component that judges: the host makes the observations and the plugin says what they
//! mean. A check implements [`Check`] and is exported by [`export_check!`]; a formatter implements [`Formatter`] and
//! is exported by [`export_formatter!`].
//!
//! The types here are plain Rust, so that the judgement can be tested by a plain `cargo test`. In a native build
//! there is no host: [`http::send`] fails, [`state`] forgets and [`log`] is silent.
//!
//! ```
//! use pihook_plugin::{Check, Failure, Outcome, Run, export_check, http};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     url: String,
//! }
//!
//! struct Answers;
//!
//! impl Check for Answers {
//!     type Settings = Settings;
//!
//!     fn run(settings: &Settings, run: &Run) -> Result<Outcome, Failure> {
//!         match http::send(&http::Request::get(&settings.url, run)) {
//!             Ok(response) if response.status == 200 => Ok(Outcome::up("it answers")),
//!             Ok(response) => Ok(Outcome::down(format!("HTTP {}, expected 200", response.status))),
//!             Err(error) => error.into_verdict(),
//!         }
//!     }
//! }
//!
//! export_check!(Answers);
//! ```

pub mod calendar;
mod check;
pub mod clock;
pub mod commands;
pub mod containers;
pub mod dns;
mod export;
pub mod files;
pub mod filesystems;
mod formatter;
pub mod guide;
pub mod heartbeat;
pub mod history;
pub mod http;
pub mod icmp;
pub mod limits;
pub mod log;
pub mod net;
pub mod processes;
pub mod settings;
pub mod state;
pub mod system;
pub mod tcp;
pub mod text;
pub mod tls;
pub mod units;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod wall;
pub mod wording;

pub use check::{Check, Failure, Metric, Outcome, Problem, Run, Status};
pub use formatter::{Alert, Colour, DigestFormatter, Field, Formatter, Kind, Message, Severity, Target};

/// Pairs of a documented key and its text, for what a later host may add. Unknown keys are to be ignored.
pub type Ext = Vec<(String, String)>;

/// The guide for plugin authors: its examples are compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/plugins.md")]
#[derive(Debug)]
pub struct Guide;
