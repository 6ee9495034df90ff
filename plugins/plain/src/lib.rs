//! The `plain` formatter: words alone, for screen readers and for sinks that take nothing else.

pub mod wording;

use pihook_plugin::{Alert, Formatter, Message, Target, export_formatter};

/// The `plain` formatter.
#[derive(Debug)]
pub struct Plain;

impl Formatter for Plain {
    fn format(alert: &Alert, target: &Target) -> Result<Message, String> {
        Ok(wording::message(alert, target))
    }
}

export_formatter!(Plain);
