//! A message as the HTML that Telegram knows. Untrusted text cannot become a tag.

use pihook_core::Message;

use crate::sinks::Late;
use crate::sinks::text::{Lines, clean, cut_middle, fair_cap, units};

/// The parts of a row that are not text: `: ` and the line break.
const ROW: usize = 3;
const TITLE: usize = 256;
/// So many fields are shown.
const FIELDS: usize = 25;

/// The message in HTML, in at most `limit` units once its tags are gone.
pub(super) fn render(message: &Message, late: Option<&Late>, limit: usize) -> String {
    let title = clean(&message.title, Lines::Join);
    let title = cut_middle(&title, TITLE);
    let body = clean(&message.body, Lines::Keep);
    let late = late.map(ToString::to_string).unwrap_or_default();
    let fields: Vec<_> = message
        .fields
        .iter()
        .take(FIELDS)
        .map(|field| (clean(&field.name, Lines::Join), clean(&field.value, Lines::Keep)))
        .collect();
    // Two line breaks beside those of the rows.
    let fixed = units(&title) + units(&late) + fields.len() * ROW + 2;
    let texts = fields.iter().flat_map(|(name, value)| [name, value]).chain([&body]);
    let cap = fair_cap(texts.map(|text| units(text)).collect(), limit.saturating_sub(fixed));
    let fit = |text: &str| escape(&cut_middle(text, cap));

    let mut html = format!("<b>{}</b>", escape(&title));
    if !body.is_empty() {
        html.push_str(&format!("\n{}", fit(&body)));
    }
    for (name, value) in &fields {
        html.push_str(&format!("\n<b>{}:</b> {}", fit(name), fit(value)));
    }
    if !late.is_empty() {
        html.push_str(&format!("\n<i>{}</i>", escape(&late)));
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
