//! How the week was, in a few lines.

use pihook_core::plain::humanise;
use pihook_core::summary::change_percent;
use pihook_core::{Summary, Week};

use super::sheet::Line;
use crate::words::count;

/// Services that are named at most, of each kind.
const NAMED: usize = 5;
/// A service that answers slower than the week before by more than this is named.
const SLOWER_PERCENT: f64 = 25.0;

/// The message's text: uptime of all, the worst, the slower ones, incidents.
#[must_use]
pub fn text(week: Week, lines: &[Line]) -> String {
    let mut all = Summary::default();
    lines.iter().for_each(|line| all.merge(&line.now));
    let incidents: u64 = lines.iter().map(|line| line.incidents).sum();
    let uptime =
        all.uptime_percent().map_or("nothing could be told".to_owned(), |it| format!("{it:.2} % up"));
    let services = count(lines.len(), "service");
    let incidents = count(usize::try_from(incidents).unwrap_or(usize::MAX), "incident");
    let mut text = vec![format!("Week {week}: {services}, {uptime}, {incidents}.")];
    let mut worst: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.now.uptime_percent()?, line)))
        .filter(|(uptime, _)| *uptime < 100.0)
        .collect();
    worst.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let worst = worst.iter().map(|(uptime, line)| {
        format!("{} {uptime:.2} % ({} down)", line.service, humanise(line.now.down_for))
    });
    text.extend(list("Worst", worst));
    let mut slower: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((change_percent(&line.before, &line.now)?, line)))
        .filter(|(change, _)| *change > SLOWER_PERCENT)
        .collect();
    slower.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let slower = slower.iter().map(|(change, line)| {
        let mean = |summary: &Summary| summary.responses.mean_ms().unwrap_or_default();
        format!("{} +{change:.0} % ({:.0} → {:.0} ms)", line.service, mean(&line.before), mean(&line.now))
    });
    text.extend(list("Slower than the week before", slower));
    text.join("\n")
}

fn list(what: &str, names: impl ExactSizeIterator<Item = String>) -> Option<String> {
    let all = names.len();
    let named: Vec<_> = names.take(NAMED).collect();
    let more = if all > NAMED { format!(", and {} more", all - NAMED) } else { String::new() };
    (all > 0).then(|| format!("{what}: {}{more}.", named.join(", ")))
}
