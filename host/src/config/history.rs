//! How long history is kept, and where it is exported to.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pihook_core::SinkId;

use super::keys::HISTORY;
use super::ladder::{Known, read_sinks};
use super::load::tidy;
use super::problem::Fault;
use super::reader::{Node, Reader};
use super::values::shown_duration;

const DAY: Duration = Duration::from_secs(86_400);
const KEPT: RangeInclusive<Duration> = DAY..=Duration::from_secs(10 * 366 * 86_400);
const WAITED: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(300);

/// At 100 services every minute that is 253 bytes written a check on a new database; with 5 s it would be more than 700
/// (docs/performance.md).
const WAITED_BY_DEFAULT: Duration = Duration::from_secs(60);

/// How long history is kept, and where it is exported to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// How long every single check is kept.
    pub keep_checks: Duration,
    /// How long hourly summaries are kept; not shorter than `keep_checks`.
    pub keep_rollups: Duration,
    /// The folder of the weekly CSV files.
    pub export_dir: PathBuf,
    /// How long ordinary results may wait in memory.
    pub commit_every: Duration,
    /// Who is told how the week was.
    pub weekly_report: Vec<SinkId>,
}

pub(super) fn read(
    node: Option<Node<'_>>,
    data_dir: &Path,
    known: &Known<'_>,
    reader: &mut Reader<'_>,
) -> History {
    let fields = reader.fields(node, &HISTORY);
    let mut duration = |key, range| fields.get(key).and_then(|node| reader.duration(&node, range));
    let keep_checks = duration("keep_checks", &KEPT).unwrap_or(30 * DAY);
    let written = duration("keep_rollups", &KEPT);
    let commit_every = duration("commit_every", &WAITED).unwrap_or(WAITED_BY_DEFAULT);
    let keep_rollups = written.unwrap_or_else(|| keep_checks.max(400 * DAY));
    if keep_rollups < keep_checks {
        let path = super::lines::below(&fields.path, "keep_rollups");
        let what =
            format!("the summaries would go before the checks, which stay {}", shown_duration(&keep_checks));
        reader.fault(&path, Fault::new(what, "at least as long as `keep_checks`, such as `400d`"));
    }
    let export_dir = fields.get("export_dir").and_then(|node| reader.path(&node));
    let export_dir = tidy(&data_dir.join(export_dir.unwrap_or_else(|| PathBuf::from("exports"))));
    let weekly_report = fields.get("weekly_report");
    let weekly_report = weekly_report.map(|node| read_sinks(&node, known, reader)).unwrap_or_default();
    History { keep_checks, keep_rollups, export_dir, commit_every, weekly_report }
}
