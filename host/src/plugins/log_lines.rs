//! A plugin's lines in PiHook's log: under its name, bounded, and unable to forge a line.

use tracing::{debug, error, info, warn};

const LINES: usize = 100;
const BYTES: usize = 16 << 10;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// What one run may still write.
pub(super) struct LogLines {
    plugin: String,
    lines_left: usize,
    bytes_left: usize,
}

impl LogLines {
    pub(super) fn new(plugin: &str) -> Self {
        Self { plugin: plugin.to_owned(), lines_left: LINES, bytes_left: BYTES }
    }

    pub(super) fn write(&mut self, level: Level, message: &str) {
        let Some(line) = self.admit(message) else { return };
        let plugin = self.plugin.as_str();
        match level {
            Level::Debug => debug!(target: "pihook::plugin", plugin, "{line}"),
            Level::Info => info!(target: "pihook::plugin", plugin, "{line}"),
            Level::Warn => warn!(target: "pihook::plugin", plugin, "{line}"),
            Level::Error => error!(target: "pihook::plugin", plugin, "{line}"),
        }
    }

    pub(super) fn stderr(&mut self, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines().filter(|line| !line.trim().is_empty()) {
            self.write(Level::Info, line);
        }
    }

    /// The line as it may be written: one line, without control characters; none once the budget is used up.
    fn admit(&mut self, message: &str) -> Option<String> {
        if self.lines_left == 0 || self.bytes_left == 0 {
            return None;
        }
        self.lines_left -= 1;
        let mut line = String::new();
        for c in message.chars() {
            let c = if c.is_control() { ' ' } else { c };
            if self.bytes_left < c.len_utf8() {
                self.bytes_left = 0;
                break;
            }
            self.bytes_left -= c.len_utf8();
            line.push(c);
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_forge_another_and_the_budget_ends() {
        let mut lines = LogLines::new("x");
        assert_eq!(lines.admit("a\nERROR b\x1b[31m").unwrap(), "a ERROR b [31m");
        let kept: usize =
            (0..1000).filter_map(|_| lines.admit(&"x".repeat(1000))).map(|line| line.len()).sum();
        assert!(kept <= BYTES);
        assert_eq!(lines.admit("more"), None);
    }
}
