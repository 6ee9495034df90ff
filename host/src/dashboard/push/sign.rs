//! What a request says. Pure.

use std::borrow::Cow;
use std::time::Duration;

use url::form_urlencoded;

use crate::heartbeats::Sign;

/// What is kept of a message, in bytes. A summary has room for little more.
const MESSAGE: usize = 400;
/// The longest time that a job may say it took.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

const FORM: &str = "application/x-www-form-urlencoded";
const KNOWN: [&str; 4] = ["status", "msg", "ping", "duration"];
const UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads the parameters and the body. Without any it is a success that says nothing. A message that holds the token, as a
/// log of the very request does, is kept without it.
///
/// # Errors
/// What is wrong, and what would be right. A mistyped parameter is refused: it could be what reports a failure.
pub(super) fn read(query: &str, kind: Option<&str>, body: &[u8], token: &str) -> Result<Sign, String> {
    let mut sign = Sign { ok: true, ..Sign::default() };
    let mut message = None;
    let text = String::from_utf8_lossy(body);
    let form = is_form(kind, &text);
    let parameters = form_urlencoded::parse(query.as_bytes());
    let more = form_urlencoded::parse(if form { body } else { &[] });
    for (name, value) in parameters.chain(more) {
        match &*name {
            "status" => sign.ok = status(&value)?,
            "msg" => message = Some(value),
            "ping" if value.is_empty() => {}
            "ping" => sign.took = Some(seconds(&value, 0.001).ok_or_else(|| bad_ping(&value))?),
            "duration" if value.is_empty() => {}
            "duration" => sign.took = Some(duration(&value)?),
            _ => return Err(format!("{} is no parameter; known are {}", shown(&name), KNOWN.join(", "))),
        }
    }
    let said = message.filter(|message| !message.trim().is_empty());
    let said = said.unwrap_or(if form { Cow::Borrowed("") } else { text });
    sign.message = one_line(&said.replace(token, "***"));
    Ok(sign)
}

/// Whether a body has parameters and not a message. curl says of whatever it posts that it is a form.
fn is_form(kind: Option<&str>, body: &str) -> bool {
    let says_so = kind.is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == FORM);
    let named = |part: &str| part.split_once('=').is_some_and(|(name, _)| KNOWN.contains(&name));
    says_so && !body.is_empty() && body.trim_end().split('&').all(named)
}

/// A word, or a program's exit code.
fn status(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "ok" | "up" => Ok(true),
        "fail" | "down" => Ok(false),
        code => match code.parse::<u8>() {
            Ok(code) => Ok(code == 0),
            Err(_) => Err(format!(
                "{} is no status; ok or up, fail or down, or an exit code from 0 to 255",
                shown(text)
            )),
        },
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    factor.and_then(|factor| seconds(number.trim_end(), factor)).ok_or_else(|| {
        format!(
            "{} is no duration; a number and its unit, such as 350ms, 90s, 5m or 2h, up to 400d",
            shown(text)
        )
    })
}

fn bad_ping(text: &str) -> String {
    format!("{} is no ping; a number of milliseconds, such as 350, or duration=90s instead", shown(text))
}

fn seconds(number: &str, factor: f64) -> Option<Duration> {
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<f64>().ok()? * factor;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= LONGEST)
}

/// The beginning of the text, in one line.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MESSAGE {
            line.truncate(line.floor_char_boundary(MESSAGE));
            line.push('…');
            break;
        }
    }
    line
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn sign(ok: bool, message: &str, took: Option<u64>) -> Sign {
        Sign { ok, message: message.to_owned(), took: took.map(Duration::from_millis) }
    }

    #[test]
    fn parameters_say_how_it_went() {
        for (query, expected) in [
            ("", sign(true, "", None)),
            ("status=up&msg=OK&ping=", sign(true, "OK", None)),
            (
                "status=OK&ping=12.5",
                Sign { took: Some(Duration::from_micros(12_500)), ..sign(true, "", None) },
            ),
            ("status=fail&msg=disk%20full", sign(false, "disk full", None)),
            ("status=Down&msg=a+b%0Ac%00d", sign(false, "a b c d", None)),
            ("status=0", sign(true, "", None)),
            ("status=2", sign(false, "", None)),
            ("duration=90s", sign(true, "", Some(90_000))),
            ("duration=1.5m&msg=", sign(true, "", Some(90_000))),
            ("duration=350ms", sign(true, "", Some(350))),
            ("duration=", sign(true, "", None)),
        ] {
            assert_eq!(read(query, None, b"", TOKEN), Ok(expected), "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_what_is_right() {
        for (query, expected) in [
            ("status=failed", "`failed` is no status; ok or up, fail or down, or an exit code from 0 to 255"),
            ("status=", "`` is no status; ok or up, fail or down, or an exit code from 0 to 255"),
            ("status=256", "`256` is no status; ok or up, fail or down, or an exit code from 0 to 255"),
            ("statu=fail", "`statu` is no parameter; known are status, msg, ping, duration"),
            ("ping=-1", "`-1` is no ping; a number of milliseconds, such as 350, or duration=90s instead"),
            ("ping=nan", "`nan` is no ping; a number of milliseconds, such as 350, or duration=90s instead"),
            (
                "duration=90",
                "`90` is no duration; a number and its unit, such as 350ms, 90s, 5m or 2h, up to 400d",
            ),
            (
                "duration=401d",
                "`401d` is no duration; a number and its unit, such as 350ms, 90s, 5m or 2h, up to 400d",
            ),
        ] {
            assert_eq!(read(query, None, b"", TOKEN), Err(expected.to_owned()), "{query}");
        }
    }

    #[test]
    fn a_body_is_the_message_or_a_form() {
        let plain = |body: &str| read("status=1", Some("text/plain"), body.as_bytes(), TOKEN);
        assert_eq!(plain("exit code 3\r\n"), Ok(sign(false, "exit code 3", None)));
        assert_eq!(plain("status=ok"), Ok(sign(false, "status=ok", None)));
        let form = |body: &str| {
            read("", Some("application/x-www-form-urlencoded; charset=UTF-8"), body.as_bytes(), TOKEN)
        };
        assert_eq!(form("status=fail&msg=a%20b"), Ok(sign(false, "a b", None)));
        assert_eq!(form("a = b & c"), Ok(sign(true, "a = b & c", None)), "what curl posts is called a form");
        assert!(form("status=wrong").is_err());
        let log = format!("GET /push/{TOKEN} {}", "x".repeat(376));
        assert!(read("", None, log.as_bytes(), TOKEN).unwrap().message.starts_with("GET /push/*** xx"));
        assert_eq!(read("msg=x", None, b"not this", TOKEN), Ok(sign(true, "x", None)));
        assert_eq!(read("", None, b"\xff\xfe", TOKEN), Ok(sign(true, "\u{fffd}\u{fffd}", None)));
    }

    #[test]
    fn a_long_message_is_cut() {
        let message = read("", None, "ä".repeat(40_000).as_bytes(), TOKEN).unwrap().message;
        assert_eq!((message.chars().count(), message.ends_with('…')), (201, true));
        let message = read("", None, "word ".repeat(1000).as_bytes(), TOKEN).unwrap().message;
        assert!(message.len() <= MESSAGE + '…'.len_utf8(), "{}", message.len());
    }

    proptest! {
        #[test]
        fn nothing_panics_and_a_message_is_one_short_line(
            query in ".{0,80}",
            known in "(status|msg|ping|duration|x)=[0-9a-zµ.%+e-]{0,12}",
            kind in prop::option::of(".{0,40}"),
            body in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            for query in [&query, &known] {
                if let Ok(sign) = read(query, kind.as_deref(), &body, TOKEN) {
                    prop_assert!(sign.message.len() <= MESSAGE + 3);
                    prop_assert!(!sign.message.contains(char::is_control));
                }
            }
        }
    }
}
