//! Response times as a band between the median and the 95th percentile, and the statuses below it.

use std::fmt::Write as _;

use pihook_core::Status;

use super::{Axis, BOTTOM, NOTHING, STRIP, Scale, drawable, framed, hover};

/// A span of time and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dashboard) struct Column {
    /// Where it begins, in milliseconds since 1970.
    pub(in crate::dashboard) from_ms: i64,
    /// Where it ends.
    pub(in crate::dashboard) to_ms: i64,
    /// The median of its response times in milliseconds.
    pub(in crate::dashboard) middle: Option<f64>,
    /// Their 95th percentile.
    pub(in crate::dashboard) high: Option<f64>,
    /// The worst that was seen; none if nothing was.
    pub(in crate::dashboard) status: Option<Status>,
    /// All of it in words.
    pub(in crate::dashboard) title: String,
}

/// What is drawn of a column.
struct Mark {
    from: f64,
    to: f64,
    middle: f64,
    high: f64,
}

/// The picture. Columns ascend; the solid line is the median, the dashed one the 95th percentile.
pub(in crate::dashboard) fn band(axis: &Axis, columns: &[Column], label: &str) -> String {
    let times = columns.iter().flat_map(|column| [column.middle, column.high]);
    let scale = Scale::of(times.filter_map(drawable));
    let mut svg = String::new();
    for run in runs(axis, &scale, columns) {
        draw(&mut svg, &run);
    }
    for same in columns.chunk_by(|a, b| a.status == b.status && a.to_ms == b.from_ms) {
        strip(&mut svg, axis, same);
    }
    if svg.is_empty() {
        svg.push_str(NOTHING);
    }
    let seen = columns.iter().filter(|column| column.status.is_some());
    let hovers: String =
        seen.map(|column| hover(axis, (column.from_ms, column.to_ms), &column.title)).collect();
    framed(axis, &scale, label, &svg, &hovers)
}

/// The columns that have response times, those that follow each other without a gap together.
fn runs(axis: &Axis, scale: &Scale, columns: &[Column]) -> Vec<Vec<Mark>> {
    let mut runs: Vec<Vec<Mark>> = Vec::new();
    let mut before = None;
    for column in columns {
        let Some((middle, high)) = drawable(column.middle).zip(drawable(column.high)) else { continue };
        let (from, width) = axis.extent(column.from_ms, column.to_ms);
        let mark = Mark { from, to: from + width, middle: scale.y(middle), high: scale.y(high) };
        match runs.last_mut().filter(|_| before == Some(column.from_ms)) {
            Some(run) => run.push(mark),
            None => runs.push(vec![mark]),
        }
        before = Some(column.to_ms);
    }
    runs
}

fn draw(svg: &mut String, run: &[Mark]) {
    let (middle, high) = (line(run, |mark| mark.middle), line(run, |mark| mark.high));
    let back: Vec<String> = line(run, |mark| mark.middle).into_iter().rev().collect();
    let _ = write!(svg, r#"<path class="band" d="M{}L{}Z"/>"#, high.join("L"), back.join("L"));
    let _ = write!(svg, r#"<path class="high" d="M{}"/>"#, high.join("L"));
    let _ = write!(svg, r#"<path class="middle" d="M{}"/>"#, middle.join("L"));
}

/// From the first column's beginning through the middles of all to the last one's end.
fn line(run: &[Mark], y: impl Fn(&Mark) -> f64) -> Vec<String> {
    let point = |x: f64, y: f64| format!("{x:.1} {y:.1}");
    let ends = run.first().zip(run.last());
    let Some((first, last)) = ends else { return Vec::new() };
    let middles = run.iter().map(|mark| point(f64::midpoint(mark.from, mark.to), y(mark)));
    [point(first.from, y(first))].into_iter().chain(middles).chain([point(last.to, y(last))]).collect()
}

/// A bar for columns with the same status: the worse, the higher.
fn strip(svg: &mut String, axis: &Axis, same: &[Column]) {
    let ends = same.first().zip(same.last());
    let Some((first, last)) = ends else { return };
    let Some(status) = first.status else { return };
    let (x, width) = axis.extent(first.from_ms, last.to_ms);
    let height = match status {
        Status::Up => 4.0,
        Status::Unknown => 8.0,
        Status::Degraded => 12.0,
        Status::Down => STRIP - BOTTOM,
    };
    let y = STRIP - height;
    let _ = write!(
        svg,
        r#"<rect class="mark {status}" x="{x:.1}" y="{y:.0}" width="{width:.1}" height="{height:.0}"/>"#
    );
}
