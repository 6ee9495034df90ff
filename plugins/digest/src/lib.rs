//! The `digest` formatter: many alerts in one message, a line each.

pub mod wording;

use pihook_plugin::{Alert, DigestFormatter, Formatter, Message, Target, export_digest_formatter, limits};

/// The `digest` formatter.
#[derive(Debug)]
pub struct Digest;

impl Formatter for Digest {
    fn format(alert: &Alert, target: &Target) -> Result<Message, String> {
        Ok(wording::message(std::slice::from_ref(alert), target, limits::of_sink()))
    }
}

impl DigestFormatter for Digest {
    fn digest(alerts: &[Alert], target: &Target) -> Result<Message, String> {
        Ok(wording::message(alerts, target, limits::of_sink()))
    }
}

export_digest_formatter!(Digest);
