//! Plots as SVG: values and labels in, text out. Nothing is asked of the world here.
//!
//! Colours are the style sheet's, by class; what a colour says is said by a shape as well. Where nothing is known there is
//! a gap. Labels stand above their lines and not beside them, so that they may grow on a narrow screen.

mod band;
mod scale;
mod stack;

use std::fmt::Write as _;

use super::xml::escaped;

pub(super) use band::{Column, band};
pub(super) use scale::milliseconds;
pub(super) use stack::{Pile, stack};

use scale::Scale;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 262.0;
/// Where the highest value is drawn.
const TOP: f64 = 26.0;
/// Where zero is drawn.
const BOTTOM: f64 = 206.0;
/// Where the strip of statuses ends.
const STRIP: f64 = 226.0;
/// Where the labels of the time stand.
const LABELS: f64 = 254.0;
/// What is narrower cannot be seen.
const NARROWEST: f64 = 1.5;

/// The time that a plot shows, in milliseconds since 1970, and what is written at which instants.
pub(super) struct Axis {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) ticks: Vec<(i64, String)>,
}

impl Axis {
    /// Where an instant is drawn; what lies outside is drawn at the edge.
    fn x(&self, at_ms: i64) -> f64 {
        let length = self.to_ms.saturating_sub(self.from_ms).max(1);
        let share = at_ms.saturating_sub(self.from_ms) as f64 / length as f64;
        share.clamp(0.0, 1.0) * WIDTH
    }

    /// Where a span begins, and how wide it is.
    fn extent(&self, from_ms: i64, to_ms: i64) -> (f64, f64) {
        let (from, to) = (self.x(from_ms), self.x(to_ms));
        (from, (to - from).max(NARROWEST))
    }
}

/// A value that can be drawn: what is not finite, negative or beyond eleven days is not.
fn drawable(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && (0.0..=1e9).contains(value))
}

/// The picture: lines, what is drawn over them, labels over that, and on top what the pointer finds.
fn framed(axis: &Axis, scale: &Scale, label: &str, drawn: &str, hovers: &str) -> String {
    let mut svg = format!(
        r#"<svg class="plot" viewBox="0 0 {WIDTH:.0} {HEIGHT:.0}" role="img" aria-label="{}">"#,
        escaped(label)
    );
    let mut labels = String::new();
    for (value, text) in scale.lines() {
        let y = scale.y(value);
        let _ = write!(svg, r#"<path class="grid" d="M0 {y:.1}H{WIDTH:.0}"/>"#);
        let _ = write!(labels, r#"<text x="2" y="{:.1}">{}</text>"#, y - 4.0, escaped(&text));
    }
    for (index, (at_ms, text)) in axis.ticks.iter().enumerate() {
        let x = axis.x(*at_ms);
        // On a narrow screen every other label is left out.
        let class = if index % 2 == 0 { "major" } else { "minor" };
        let anchor = if x < 24.0 {
            "start"
        } else if x > WIDTH - 24.0 {
            "end"
        } else {
            "middle"
        };
        let _ = write!(svg, r#"<path class="grid" d="M{x:.1} {BOTTOM:.0}V{STRIP:.0}"/>"#);
        let text = escaped(text);
        let _ = write!(
            labels,
            r#"<text class="{class}" x="{x:.1}" y="{LABELS:.0}" text-anchor="{anchor}">{text}</text>"#
        );
    }
    [&svg, drawn, &labels, hovers, "</svg>"].concat()
}

/// What is shown while the pointer is over a span.
fn hover(axis: &Axis, (from_ms, to_ms): (i64, i64), title: &str) -> String {
    let (x, width) = axis.extent(from_ms, to_ms);
    format!(
        r#"<rect class="hover" x="{x:.1}" y="0" width="{width:.1}" height="{STRIP:.0}"><title>{}</title></rect>"#,
        escaped(title)
    )
}

/// What stands in an empty picture.
const NOTHING: &str =
    r#"<text class="nothing" x="400" y="116" text-anchor="middle">Nothing is known of this time</text>"#;

#[cfg(test)]
mod tests;
