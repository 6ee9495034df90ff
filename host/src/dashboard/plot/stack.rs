//! Parts of a whole, piled up.

use std::fmt::Write as _;

use super::{Axis, BOTTOM, NOTHING, Scale, drawable, framed, hover};

/// A span of time and the parts of what was seen in it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dashboard) struct Pile<const N: usize> {
    /// Where it begins, in milliseconds since 1970.
    pub(in crate::dashboard) from_ms: i64,
    /// Where it ends.
    pub(in crate::dashboard) to_ms: i64,
    /// The parts in milliseconds, the lowest first.
    pub(in crate::dashboard) parts: [Option<f64>; N],
    /// All of it in words.
    pub(in crate::dashboard) title: String,
}

/// The picture; the classes are those of the parts.
pub(in crate::dashboard) fn stack<const N: usize>(
    axis: &Axis,
    piles: &[Pile<N>],
    classes: [&str; N],
    label: &str,
) -> String {
    let height = |pile: &Pile<N>| pile.parts.iter().copied().filter_map(drawable).sum::<f64>();
    let scale = Scale::of(piles.iter().map(height).filter(|height| *height > 0.0));
    let mut svg = String::new();
    for pile in piles {
        let (x, width) = axis.extent(pile.from_ms, pile.to_ms);
        let mut below = 0.0;
        for (part, class) in pile.parts.iter().zip(classes) {
            let Some(part) = drawable(*part).filter(|part| *part > 0.0) else { continue };
            let (from, to) = (scale.y(below), scale.y(below + part));
            below += part;
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{x:.1}" y="{to:.1}" width="{width:.1}" height="{:.1}"/>"#,
                from - to
            );
        }
    }
    if svg.is_empty() {
        svg.push_str(NOTHING);
    }
    let _ = write!(svg, r#"<path class="grid" d="M0 {BOTTOM:.0}H800"/>"#);
    let hovers: String =
        piles.iter().map(|pile| hover(axis, (pile.from_ms, pile.to_ms), &pile.title)).collect();
    framed(axis, &scale, label, &svg, &hovers)
}
