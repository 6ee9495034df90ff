//! What a plugin returns: whatever it is, what the host keeps of it is bounded and can be shown.

use pihook::plugins::answers::{of_check, of_formatter};
use pihook_core::{Colour, Field, FieldLayout, Message, Metric, Status};

/// Makes an answer of each kind out of the bytes.
pub fn run(data: &[u8]) {
    check(&mut Input(data));
    formatter(&mut Input(data));
}

fn check(input: &mut Input<'_>) {
    let status = Status::ALL[usize::from(input.byte()) % Status::ALL.len()];
    let response_ms = input.byte().is_multiple_of(2).then(|| input.number());
    let summary = input.text();
    let notice = input.byte().is_multiple_of(2).then(|| input.text());
    let has_news = notice.as_deref().is_some_and(is_visible);
    let metrics = (0..input.byte())
        .map(|_| Metric { name: input.text(), value: input.number(), unit: input.text() })
        .collect();
    match of_check(status, summary, notice, response_ms, metrics) {
        Err(fault) => assert!(response_ms.is_some_and(|ms| !(0.0..1e20).contains(&ms)), "{fault}"),
        Ok(attempt) => {
            assert_eq!(attempt.status, status);
            assert_line(&attempt.summary, 500);
            assert_eq!(attempt.notice.is_some(), has_news, "{:?}", attempt.notice);
            assert_line(attempt.notice.as_deref().unwrap_or_default(), 500);
            assert!(attempt.metrics.len() <= 64);
            for Metric { name, value, unit } in &attempt.metrics {
                assert!(value.is_finite() && !name.is_empty());
                assert_line(name, 64);
                assert_line(unit, 64);
            }
        }
    }
}

fn formatter(input: &mut Input<'_>) {
    let colours = [Colour::Good, Colour::Warning, Colour::Bad, Colour::Neutral];
    let colour = colours[usize::from(input.byte()) % colours.len()];
    let (title, body) = (input.text(), input.text());
    let fields: Vec<Field> = (0..input.byte())
        .map(|_| {
            let layout = if input.byte().is_multiple_of(2) { FieldLayout::Row } else { FieldLayout::Cell };
            Field { name: input.text(), value: input.text(), layout }
        })
        .collect();
    let has_title = is_visible(&title);
    let fits = title.len() <= 1024
        && body.len() <= 16_384
        && fields.len() <= 25
        && fields.iter().all(|field| field.name.len() <= 1024 && field.value.len() <= 16_384);
    match of_formatter(Message { title, body, fields, colour }) {
        Err(fault) => assert!(!(has_title && fits), "{fault}"),
        Ok(message) => {
            assert!(has_title && !message.title.is_empty());
            assert_eq!(message.colour, colour);
            assert_line(&message.title, 1024);
            assert_lines(&message.body);
            assert!(message.fields.len() <= 25);
            for field in &message.fields {
                assert_line(&field.name, 1024);
                assert_lines(&field.value);
            }
        }
    }
}

/// Whether there is anything to read in it.
fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_control() && !c.is_whitespace())
}

fn assert_line(text: &str, bytes: usize) {
    assert!(text.len() <= bytes && text == text.trim() && !text.contains(char::is_control), "{text:?}");
}

fn assert_lines(text: &str) {
    assert!(text.len() <= 16 << 10 && text == text.trim(), "{text:?}");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

/// Bytes that are taken from the front; zeros when there are no more.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> f64 {
        match self.byte() {
            // Such numbers are rare among random bytes, and common in answers.
            bits @ 0..128 => f64::from(bits) - 4.0,
            _ => f64::from_le_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// Text of up to 255 bytes, repeated now and then, so that it passes every bound.
    fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let times = if self.byte() < 32 { 300 } else { 1 };
        let (text, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        String::from_utf8_lossy(text).repeat(times)
    }
}
