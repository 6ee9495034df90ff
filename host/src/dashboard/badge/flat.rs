//! The flat style that badges have everywhere.

use super::super::xml::escaped;

/// Characters of a side at most.
const LONGEST: usize = 40;
/// Characters of a name that are left where something is said behind it.
const LONGEST_NAME: usize = 26;
/// Beside the text of a side, left and right together, in tenths of a pixel.
const PADDING: u32 = 100;

/// Colours of the right side.
#[derive(Clone, Copy, Debug)]
pub(super) enum Colour {
    Green,
    Olive,
    Yellow,
    Red,
    Blue,
    Grey,
}

impl Colour {
    fn hex(self) -> &'static str {
        match self {
            Colour::Green => "#4c1",
            Colour::Olive => "#97ca00",
            Colour::Yellow => "#dfb317",
            Colour::Red => "#e05d44",
            Colour::Blue => "#007ec6",
            Colour::Grey => "#9f9f9f",
        }
    }
}

/// A badge with a text on each side. Long ones are cut.
pub(super) fn badge(label: &str, message: &str, colour: Colour) -> String {
    let (label, message) = (cut(label), cut(message));
    let (left, right) = (Side::of(&label, 0), Side::of(&message, Side::of(&label, 0).width()));
    let (left_px, right_px) = (left.width() / 10, right.width() / 10);
    let width = left_px + right_px;
    let title = escaped(&format!("{label}: {message}"));
    let colour = colour.hex();
    let texts = [left.drawn(), right.drawn()].concat();
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}"><title>{title}</title><linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/><stop offset="1" stop-opacity=".1"/></linearGradient><clipPath id="r"><rect width="{width}" height="20" rx="3" fill="#fff"/></clipPath><g clip-path="url(#r)"><rect width="{left_px}" height="20" fill="#555"/><rect x="{left_px}" width="{right_px}" height="20" fill="{colour}"/><rect width="{width}" height="20" fill="url(#s)"/></g><g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" text-rendering="geometricPrecision" font-size="110">{texts}</g></svg>"##
    )
}

/// One side, in tenths of a pixel.
struct Side {
    text: String,
    from: u32,
    length: u32,
}

impl Side {
    fn of(text: &str, from: u32) -> Self {
        Self { text: escaped(text), from, length: text.chars().map(advance).sum() }
    }

    /// Whole pixels.
    fn width(&self) -> u32 {
        (self.length + PADDING).div_ceil(10) * 10
    }

    /// The text with its shadow. Whatever font there is, it is as long as it was reckoned.
    fn drawn(&self) -> String {
        let Self { text, from, length } = self;
        let x = from + self.width() / 2;
        format!(
            r##"<text aria-hidden="true" x="{x}" y="150" fill="#010101" fill-opacity=".3" transform="scale(.1)" textLength="{length}">{text}</text><text x="{x}" y="140" transform="scale(.1)" textLength="{length}">{text}</text>"##
        )
    }
}

/// How wide a character of Verdana is at 11 px, in tenths of a pixel and roughly.
fn advance(letter: char) -> u32 {
    match letter {
        'i' | 'j' | 'l' | '\'' | '|' => 33,
        ' ' | '.' | ',' | ':' | ';' | 'f' | 't' | 'I' | '!' | '(' | ')' | '[' | ']' => 42,
        'r' | 's' | 'c' | 'z' | '-' | '/' => 55,
        'm' | 'W' | '%' | '@' => 108,
        'w' | 'M' => 92,
        'A'..='Z' => 77,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffff}' | '\u{1f000}'.. => 110,
        _ => 67,
    }
}

/// What a badge about something of this name is called.
pub(super) fn about(name: &str, what: &str) -> String {
    format!("{} {what}", cut_to(LONGEST_NAME, name))
}

fn cut(text: &str) -> String {
    cut_to(LONGEST, text)
}

fn cut_to(longest: usize, text: &str) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::xml::check::well_formed;
    use super::*;

    #[test]
    fn a_badge_is_as_it_was() {
        insta::assert_snapshot!(badge("NAS", "up", Colour::Green).replace("><", ">\n<"));
    }

    proptest! {
        #[test]
        fn any_text_gives_a_badge_of_bounded_width(label in any::<String>(), message in any::<String>()) {
            let svg = badge(&label, &message, Colour::Red);
            well_formed(&svg.replace("inf", "").replace("NaN", ""));
            let width = svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            prop_assert!(width.parse::<u32>().unwrap() <= 2 * (41 * 11 + 11));
        }
    }
}
