//! Untrusted text, made clean and cut to a provider's limits.

use std::borrow::Cow;

use pihook_core::Message;

use super::Late;

/// What becomes of line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// They stay.
    Keep,
    /// They become blanks.
    Join,
}

const GAP: &str = " … ";
const GAP_UNITS: usize = 3;

/// How long Discord may think the text is.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text in at most `limit` units, with its middle cut out where it is too long: causes stand at the end.
///
/// Never cuts between a backslash and what it escapes.
pub(super) fn cut_middle(text: &str, limit: usize) -> Cow<'_, str> {
    if units(text) <= limit {
        return Cow::Borrowed(text);
    }
    let room = limit.saturating_sub(GAP_UNITS);
    let head = &text[..head_end(text, room / 2)];
    let tail = &text[tail_start(text, room - room / 2)..];
    Cow::Owned(format!("{}{GAP}{}", head.trim_end(), tail.trim_start()))
}

/// The end of the longest beginning within `room` units.
fn head_end(text: &str, room: usize) -> usize {
    let mut used = 0;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            used += c.len_utf16();
            used > room
        })
        .map_or(text.len(), |(index, _)| index);
    if splits_escape(text, end) { end - 1 } else { end }
}

/// The start of the longest ending within `room` units.
fn tail_start(text: &str, room: usize) -> usize {
    let mut used = 0;
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| {
            used += c.len_utf16();
            used <= room
        })
        .last()
        .map_or(text.len(), |(index, _)| index);
    let skip = if splits_escape(text, start) { text[start..].chars().next() } else { None };
    start + skip.map_or(0, char::len_utf8)
}

/// Whether the character at `index` is escaped by a backslash before it.
fn splits_escape(text: &str, index: usize) -> bool {
    text.as_bytes()[..index].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The length to which each text must be cut so that all of them fit into `room`: short ones stay whole, and what
/// they leave goes to the long ones.
pub(super) fn fair_cap(mut lengths: Vec<usize>, mut room: usize) -> usize {
    lengths.sort_unstable();
    let count = lengths.len();
    for (index, length) in lengths.into_iter().enumerate() {
        let share = room / (count - index);
        if length > share {
            return share;
        }
        room -= length;
    }
    usize::MAX
}

/// The text in at most `limit` bytes, with its middle cut out where it is too long.
pub(super) fn cut_to_bytes(text: &str, limit: usize) -> String {
    let mut room = limit.max(GAP_UNITS);
    loop {
        let cut = cut_middle(text, room);
        // A unit takes three bytes at most.
        match cut.len().saturating_sub(limit.max(GAP.len())).div_ceil(3) {
            0 => return cut.into_owned(),
            surplus => room = room.saturating_sub(surplus).max(GAP_UNITS),
        }
    }
}

/// The text without control characters and without blanks around it.
pub(super) fn clean(text: &str, lines: Lines) -> String {
    let cleaned: String = text
        .chars()
        .filter_map(|c| match c {
            '\n' if lines == Lines::Keep => Some('\n'),
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            // Marks that reverse the order of what follows, so that a text reads differently from what it says.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect();
    cleaned.trim().to_owned()
}

/// What follows the title, as bare text: the body, a line for each field, and that it is late.
pub(super) fn layout(message: &Message, late: Option<&Late>) -> String {
    let fields = message.fields.iter().map(|field| format!("{}: {}", field.name, field.value));
    let lines = std::iter::once(message.body.clone()).chain(fields).chain(late.map(ToString::to_string));
    let lines: Vec<_> = lines.map(|line| clean(&line, Lines::Keep)).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_middle_goes_and_both_ends_stay() {
        let text = format!("GET /health{}connection refused", " and then".repeat(50));
        let cut = cut_middle(&text, 60);
        assert!(cut.starts_with("GET /health and then"), "{cut}");
        assert!(cut.ends_with("connection refused"), "{cut}");
        assert!(cut.contains(" … "), "{cut}");
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(cut_middle("äöü🦀", 5), "äöü🦀");
        assert_eq!(cut_middle("äöü🦀", 4), " … ".to_owned());
    }

    #[test]
    fn an_escape_is_cut_whole() {
        // Ten asterisks, each escaped: every second position would leave one of them alone.
        let text = r"\*".repeat(40);
        for limit in 10..40 {
            let cut = cut_middle(&text, limit);
            let (head, tail) = cut.split_once(GAP).unwrap();
            assert_eq!(head, r"\*".repeat(head.len() / 2));
            assert_eq!(tail, r"\*".repeat(tail.len() / 2));
        }
    }

    #[test]
    fn short_texts_are_not_cut_for_long_ones() {
        assert_eq!(fair_cap(vec![10, 20, 3000], 6000), usize::MAX);
        assert_eq!(fair_cap(vec![10, 9000, 20, 8000], 1030), 500);
        assert_eq!(fair_cap(vec![], 0), usize::MAX);
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text in any::<String>(), limit in 3_usize..60) {
            prop_assert!(units(&cut_middle(&text, limit)) <= limit);
        }

        #[test]
        fn capped_texts_fit_together(lengths in prop::collection::vec(0_usize..5000, 0..60), room in 0_usize..9000) {
            let cap = fair_cap(lengths.clone(), room);
            let total: usize = lengths.iter().map(|length| (*length).min(cap)).sum();
            prop_assert!(total <= room);
        }
    }
}
