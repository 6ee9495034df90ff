//! Untrusted text, made harmless: a service's name must not format, link or mention anything.

pub(super) use crate::sinks::text::{Lines, clean};

/// Invisible, yet not empty for Discord.
pub(super) const FILLER: &str = "\u{200b}";

/// The longest emoji name that is looked for.
const EMOJI_NAME: usize = 64;

/// The text, cleaned, that Discord shows as it stands.
pub(super) fn escape(text: &str, lines: Lines) -> String {
    let text = clean(text, lines);
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut line = LineStart::Blank;
    for (index, c) in text.char_indices() {
        let rest = &text[index + c.len_utf8()..];
        if is_active(c, line, rest) {
            escaped.push('\\');
        }
        escaped.push(c);
        // Servers look for these two without regard to backslashes.
        if c == '@' && (starts_with(rest, "everyone") || starts_with(rest, "here")) {
            escaped.push_str(FILLER);
        }
        line = line.after(c);
    }
    escaped
}

/// How the current line begins, as far as list items and headings go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineStart {
    /// Nothing but blanks so far.
    Blank,
    /// Nothing but digits so far.
    Number,
    /// Something else: the line is ordinary text.
    Text,
}

impl LineStart {
    fn after(self, c: char) -> Self {
        match (self, c) {
            (_, '\n') => LineStart::Blank,
            (LineStart::Blank, c) if c.is_whitespace() => LineStart::Blank,
            (LineStart::Blank | LineStart::Number, c) if c.is_ascii_digit() => LineStart::Number,
            _ => LineStart::Text,
        }
    }
}

/// Whether Discord would give the character a meaning.
fn is_active(c: char, line: LineStart, rest: &str) -> bool {
    match c {
        '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[' => true,
        '>' | '#' | '-' | '+' => line == LineStart::Blank,
        '.' => line == LineStart::Number && rest.starts_with(char::is_whitespace),
        ':' => rest.starts_with("//") || is_emoji_name(rest),
        _ => false,
    }
}

/// Whether the text begins like `thumbsup:`.
fn is_emoji_name(rest: &str) -> bool {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-');
    let length = rest.bytes().take(EMOJI_NAME).take_while(name).count();
    length > 0 && rest.as_bytes().get(length) == Some(&b':')
}

fn starts_with(rest: &str, word: &str) -> bool {
    rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expect: &str) {
        assert_eq!(escape(input, Lines::Keep), expect);
    }

    #[test]
    fn ordinary_text_stays_readable() {
        check("Root disk: 93.2 % of 58 GiB used", "Root disk: 93.2 % of 58 GiB used");
        check(
            "10.0.0.2:8096 - connection refused (os error 111)",
            "10.0.0.2:8096 - connection refused (os error 111)",
        );
        check("Küche, 5 > 3 & 1. Stock #4", "Küche, 5 > 3 & 1. Stock #4");
    }

    #[test]
    fn formatting_is_escaped() {
        check("**bold** __u__ ~~s~~ ||spoiler||", r"\*\*bold\*\* \_\_u\_\_ \~\~s\~\~ \|\|spoiler\|\|");
        check("```rm -rf```", r"\`\`\`rm -rf\`\`\`");
        check(r"already \*escaped\*", r"already \\\*escaped\\\*");
    }

    #[test]
    fn lines_cannot_become_headings_lists_or_quotes() {
        check(
            "# big\n-# small\n> quote\n- item\n+ item\n1. one",
            "\\# big\n\\-# small\n\\> quote\n\\- item\n\\+ item\n1\\. one",
        );
        check("a\n  - nested", "a\n  \\- nested");
    }

    #[test]
    fn links_and_mentions_are_broken() {
        check("[click](https://evil.example)", r"\[click](https\://evil.example)");
        check(
            "<https://evil.example> <@1> <@&2> <#3> <t:0:R>",
            r"\<https\://evil.example> \<@1> \<@&2> \<#3> \<t\:0:R>",
        );
        check("@everyone @here @Here", "@\u{200b}everyone @\u{200b}here @\u{200b}Here");
        check("me@example.org", "me@example.org");
        check(":tada: 10:02", r"\:tada: 10:02");
    }

    #[test]
    fn control_characters_go() {
        check("a\u{0}b\u{1b}[31mc\r\nd\u{202e}e\tf", "ab\\[31mc\nde f");
        assert_eq!(escape(" one\ntwo\n", Lines::Join), "one two");
    }
}
