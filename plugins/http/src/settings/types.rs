//! Types of single settings, so that each mistake is found where it stands.

use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use regex_lite::{Regex, RegexBuilder};
use serde::de::{Deserialize, Deserializer};

/// How the placeholder of a secret begins, which the host fills in.
const SECRET: &str = "${secret:";

/// Memory that a compiled pattern may take, in bytes: a plugin has 16 MiB in all.
const PATTERN_LIMIT: usize = 1 << 20;

/// Makes a type of a text that is checked while it is read.
macro_rules! text_type {
    ($type:ident, $check:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = String::deserialize(deserializer)?;
                let check: fn(String) -> Result<$type, Mistake> = $check;
                check(text).map_err(|(what, remedy)| invalid(what, remedy))
            }
        }
    };
}

/// What is wrong, and what would be right.
type Mistake = (String, &'static str);

/// An absolute web address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(pub String);

text_type!(Address, |text| {
    // services.yaml refuses this already, in better words.
    if !text.starts_with(SECRET) {
        check_address(&text)?;
    }
    Ok(Address(text))
});

fn check_address(text: &str) -> Result<(), Mistake> {
    const EXAMPLE: &str = "such as http://192.168.1.10:8096/health";
    let shown = one_line(text, 60);
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| (format!("\"{shown}\" does not begin with http:// or https://"), EXAMPLE))?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err((format!("\"{}\" is neither http nor https", one_line(scheme, 20)), EXAMPLE));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err((format!("\"{shown}\" holds a space or a control character"), "write a space as %20"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err((
            String::from("holds a user or a password"),
            "write them as auth: { basic: { user, password } }",
        ));
    }
    // Within an IPv6 address, which is in brackets, a colon begins no port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err((format!("\"{shown}\" names no host"), EXAMPLE));
    }
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return Err((
            format!("\"{shown}\" has too many colons in its host"),
            "an IPv6 address is written in brackets",
        ));
    }
    match port {
        Some(port) if port.parse::<u16>().map_or(true, |port| port == 0) => {
            Err((format!("\"{}\" is no port", one_line(port, 20)), "a number from 1 to 65535"))
        }
        _ => Ok(()),
    }
}

/// A request's method, in upper case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Method(&'static str);

impl Method {
    /// The method whose answer has no body.
    pub const HEAD: Method = Method("HEAD");

    const KNOWN: [&'static str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// Such as `GET`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        if self.0.is_empty() { Method::KNOWN[0] } else { self.0 }
    }
}

text_type!(Method, |text| {
    let known = Method::KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&text));
    known.map(|known| Method(known)).ok_or_else(|| {
        (
            format!("\"{}\" is no method", one_line(&text, 20)),
            "one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        )
    })
});

/// A text to look for in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted(pub String);

text_type!(Wanted, |text| {
    if text.is_empty() {
        return Err((String::from("is empty"), "the text to look for, or leave the key out"));
    }
    no_secret(&text)?;
    Ok(Wanted(text))
});

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

text_type!(Pattern, |text| {
    no_secret(&text)?;
    let regex = RegexBuilder::new(&text).size_limit(PATTERN_LIMIT).build();
    regex.map(Pattern).map_err(|error| {
        let what = format!("\"{}\" is no regular expression: {error}", one_line(&text, 60));
        (what.replace("; ", ", "), "escape . * + ? ( ) [ ] { } | ^ $ and \\ with a \\")
    })
});

/// The plugin never sees a secret, and in what comes back the host masks it: it could not be found.
fn no_secret(text: &str) -> Result<(), Mistake> {
    if holds_secret(text) {
        return Err((String::from(NEVER_COMPARED), "write the text itself"));
    }
    Ok(())
}

/// Why a secret cannot be expected in an answer.
pub(super) const NEVER_COMPARED: &str = "holds a secret, which is never compared";

/// Whether the text is, or holds, the placeholder of a secret.
pub(super) fn holds_secret(text: &str) -> bool {
    text.contains(SECRET)
}

/// Whether it can be the name of a header.
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
