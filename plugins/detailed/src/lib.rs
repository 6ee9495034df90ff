//! The `detailed` formatter: all that is known of an alert, in a title, a sentence and a table.

pub mod wording;

use pihook_plugin::{Alert, Formatter, Message, Target, export_formatter, history};

/// The `detailed` formatter.
#[derive(Debug)]
pub struct Detailed;

impl Formatter for Detailed {
    fn format(alert: &Alert, target: &Target) -> Result<Message, String> {
        Ok(wording::message(alert, target, &history::get()))
    }
}

export_formatter!(Detailed);
