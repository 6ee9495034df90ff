//! A program of one's own. It gets the alert on its standard input, as webhooks do, and answers by its exit status.

mod group;

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use pihook_core::Message;
use rustix::fs::{Access, access};
use tokio::time::timeout;

use super::text::{Lines, clean, cut_middle, layout};
use super::webhook::alert_as_json;
use super::{Asking, SendContext, Sending, Sink, Verdict, digest};
use group::Ended;

/// The exit status that asks for another attempt, `EX_TEMPFAIL` of sysexits.h.
const AGAIN: i32 = 75;
/// The longest text in the environment, in UTF-16 units. The kernel's limit is 128 KiB for one variable.
const TEXT: usize = 16_000;
const DETAIL: usize = 300;

/// What services.yaml says of a program that takes alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecSettings {
    /// The program, by its absolute path, and its arguments. No shell looks at them.
    pub command: Vec<String>,
    /// How long it may run.
    pub timeout: Duration,
}

/// A program that takes alerts.
#[derive(Debug)]
pub struct ExecSink {
    settings: ExecSettings,
}

impl Sink for ExecSink {
    fn kind(&self) -> &'static str {
        "exec"
    }

    fn fingerprint(&self) -> String {
        let timeout = self.settings.timeout.as_millis().to_string();
        let command = self.settings.command.iter().map(String::as_str);
        digest(["exec", &timeout].into_iter().chain(command).map(Some))
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            let input = alert_as_json(&context.key(), message, context).to_string();
            let running = match group::start(self.settings.command.clone(), variables(message, context)).await
            {
                Ok(running) => running,
                Err(error) if error.is_lasting() => {
                    return Verdict::Disabled(format!("{error}: mend the program or `command`"));
                }
                Err(error) => return Verdict::Retry(error.to_string()),
            };
            // Given up, it is dropped, and so killed with all that it has started.
            match timeout(self.settings.timeout, group::run_to_end(running, input.into_bytes())).await {
                Ok(Ok(ended)) => judge(&ended),
                Ok(Err(error)) => Verdict::Retry(format!("the program cannot be waited for: {error}")),
                Err(_elapsed) => {
                    Verdict::Retry(format!("the program was still running after {:?}", self.settings.timeout))
                }
            }
        })
    }

    /// There is no way to ask without running it, so only whether it could be run is looked at.
    fn ask(&self) -> Asking<'_> {
        Box::pin(async move {
            let program = self.settings.command.first().cloned().unwrap_or_default();
            let looked = tokio::task::spawn_blocking(move || {
                access(Path::new(&program), Access::EXEC_OK)
                    .map_err(|error| format!("the program {program} cannot be run: {error}"))
            });
            looked.await.unwrap_or_else(|_| Err("looking at the program broke off".to_owned()))
        })
    }
}

impl ExecSink {
    /// A sink that runs the command of `settings`.
    #[must_use]
    pub fn new(settings: ExecSettings) -> Self {
        Self { settings }
    }
}

/// What scripts want to know without reading JSON.
fn variables(message: &Message, context: &SendContext<'_>) -> Vec<(&'static str, String)> {
    let alert = context.alert;
    // Cleaned of what cannot stand there, such as a character 0.
    let text = |text: &str, lines| cut_middle(&clean(text, lines), TEXT).into_owned();
    vec![
        ("PIHOOK_TITLE", text(&message.title, Lines::Join)),
        ("PIHOOK_BODY", text(&layout(message, context.late), Lines::Keep)),
        ("PIHOOK_KIND", alert.kind.as_str().to_owned()),
        ("PIHOOK_STATUS", alert.status.to_string()),
        ("PIHOOK_SERVICE", alert.service.as_str().to_owned()),
        ("PIHOOK_ZONE", alert.zone.as_str().to_owned()),
        ("PIHOOK_SEVERITY", alert.severity.to_string()),
    ]
}

fn judge(ended: &Ended) -> Verdict {
    let said = said(ended);
    match ended.status.code() {
        Some(0) => Verdict::Sent,
        Some(AGAIN) => Verdict::Retry(said),
        Some(_) => Verdict::Refused(said),
        // Killed from outside, such as for want of memory: nothing against the message.
        None => Verdict::Retry(said),
    }
}

/// How it ended and what it said last, on one line.
fn said(ended: &Ended) -> String {
    let words = if ended.stderr.is_empty() { &ended.stdout } else { &ended.stderr };
    let words = clean(&String::from_utf8_lossy(words), Lines::Join);
    format!("the program ended with {} {}", how(ended.status), cut_middle(&words, DETAIL))
        .trim_end()
        .to_owned()
}

fn how(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit status {code}:"))
}

#[cfg(test)]
mod tests;
