//! The last hour of a service as a small picture.

use std::fmt::Write as _;

use pihook_core::{Status, Timestamp};

use crate::board::{Point, Recent};

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 20.0;
const HOUR_MS: f64 = 3_600_000.0;
/// Points that are drawn; what lies between two of them is drawn as the worst of it.
const COLUMNS: usize = 40;

/// A line of response times, with a bar wherever a check did not find the service up. Numbers alone get in, so nothing has
/// to be escaped.
pub(super) fn svg(recent: &Recent, now: Timestamp) -> String {
    let columns = columns(recent, now);
    let slowest = columns.iter().flatten().filter_map(|point| point.response_us).max().unwrap_or(0);
    let mut line = String::new();
    let mut bars = String::new();
    for (index, point) in columns.iter().enumerate() {
        let step = WIDTH / COLUMNS as f64;
        let x = index as f64 * step;
        let Some(point) = point else { continue };
        if point.status != Status::Up {
            let _ = write!(
                bars,
                r#"<rect class="{}" x="{x:.0}" y="0" width="{step:.0}" height="{HEIGHT:.0}"/>"#,
                point.status
            );
        }
        if let Some(us) = point.response_us.filter(|_| slowest > 0) {
            let y = (HEIGHT - 2.0) * (1.0 - f64::from(us) / f64::from(slowest)) + 1.0;
            let to = if line.is_empty() { 'M' } else { 'L' };
            let _ = write!(line, "{to}{:.0} {y:.0}", x + step / 2.0);
        }
    }
    if line.is_empty() && bars.is_empty() {
        return String::new();
    }
    let label = if slowest > 0 {
        format!("response times of the last hour, at most {:.0} ms", f64::from(slowest) / 1000.0)
    } else {
        "the last hour".to_owned()
    };
    format!(
        r#"<svg class="spark" viewBox="0 0 {WIDTH:.0} {HEIGHT:.0}" role="img" aria-label="{label}">{bars}<path d="{line}"/></svg>"#
    )
}

/// The hour in columns, the oldest first.
fn columns(recent: &Recent, now: Timestamp) -> [Option<Point>; COLUMNS] {
    let mut columns: [Option<Point>; COLUMNS] = [None; COLUMNS];
    let now = now.as_millisecond() as f64;
    for point in recent.points() {
        let age = now - point.at_ms as f64;
        if !(0.0..HOUR_MS).contains(&age) {
            continue;
        }
        let column = ((1.0 - age / HOUR_MS) * COLUMNS as f64) as usize;
        let Some(slot) = columns.get_mut(column.min(COLUMNS - 1)) else { continue };
        *slot = Some(match *slot {
            None => *point,
            Some(other) => Point {
                at_ms: point.at_ms,
                status: if point.status.badness() > other.status.badness() {
                    point.status
                } else {
                    other.status
                },
                response_us: point.response_us.max(other.response_us),
                phases_us: None,
            },
        });
    }
    columns
}
