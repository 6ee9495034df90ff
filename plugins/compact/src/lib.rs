//! The `compact` formatter: one line, good on a watch.

pub mod wording;

use pihook_plugin::{Alert, Formatter, Message, Target, export_formatter, limits};

/// The `compact` formatter.
#[derive(Debug)]
pub struct Compact;

impl Formatter for Compact {
    fn format(alert: &Alert, _: &Target) -> Result<Message, String> {
        Ok(wording::message(alert, limits::of_sink()))
    }
}

export_formatter!(Compact);
