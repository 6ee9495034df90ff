//! Types of single settings, so that each mistake is found where it stands.

use std::net::{IpAddr, SocketAddr};

use pihook_plugin::Problem;
use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use serde::{Deserialize, Deserializer};

/// Asked unless others are named: of different houses, in different places, and over IPv4 as far as they can tell.
const DEFAULT: [&str; 4] = [
    "https://api.ipify.org",
    "https://checkip.amazonaws.com",
    "https://ipv4.icanhazip.com",
    "https://ifconfig.me/ip",
];

/// How the placeholder of a secret begins, which the host fills in elsewhere.
const SECRET: &str = "${secret:";

const HOLDS_SECRET: &str = "holds a secret, which is not filled in here";

/// So many may be asked, lest a check takes for ever.
const MOST_ECHOES: usize = 8;

/// Web addresses that answer with the address that they were asked from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Echoes(pub Vec<Echo>);

impl Default for Echoes {
    fn default() -> Echoes {
        Echoes(DEFAULT.into_iter().map(|url| Echo { url: url.to_owned() }).collect())
    }
}

impl Echoes {
    /// The mistakes in the list, each with its index if it has one. They are found here and not while the list is read,
    /// where a list without the wrong ones would be taken for another mistake.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.0.is_empty() || self.0.len() > MOST_ECHOES {
            let what = format!("names {} echoes", self.0.len());
            let remedy = format!("from 1 to {MOST_ECHOES}, and better three than one");
            problems.push(Problem::new("echoes", what, remedy));
        }
        for (index, echo) in self.0.iter().enumerate() {
            let shown = one_line(&echo.url, 60);
            let (what, remedy) = if echo.url.contains(SECRET) {
                (HOLDS_SECRET.to_owned(), "write the text itself")
            } else if !echo.is_web_address() {
                (format!("\"{shown}\" is no web address"), "such as https://api.ipify.org")
            } else if self.0.iter().take(index).any(|before| before == echo) {
                (format!("{shown} is there twice"), "each echo once: it has one vote")
            } else {
                continue;
            };
            problems.push(Problem::new(format!("echoes[{index}]"), what, remedy));
        }
        problems
    }

    /// Whether they are those that are asked unless others are named.
    pub(super) fn are_default(&self) -> bool {
        self.0.iter().map(|echo| echo.url.as_str()).eq(DEFAULT)
    }
}

/// A web address that answers with the address that it was asked from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Echo {
    url: String,
}

impl Echo {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host, with the port if it has one of its own.
    #[must_use]
    pub fn name(&self) -> &str {
        authority(&self.url).unwrap_or(&self.url)
    }

    fn is_web_address(&self) -> bool {
        let host = authority(&self.url).filter(|host| !host.is_empty() && !host.starts_with(':'));
        host.is_some_and(|host| !host.contains('@'))
            && !self.url.contains(|c: char| c.is_whitespace() || c.is_control())
    }
}

/// The host of a web address, with its port.
fn authority(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    rest.split(['/', '?', '#']).next().filter(|_| known)
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub IpAddr);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        let text = plain(deserializer)?;
        text.parse::<IpAddr>()
            .map(|address| Address(address.to_canonical()))
            .map_err(|_| invalid(format!("\"{}\" is no address", one_line(&text, 60)), "such as 203.0.113.9"))
    }
}

/// A name in DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        let text = plain(deserializer)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':' | '@');
        let labels = text.strip_suffix('.').unwrap_or(&text).split('.');
        let good = text.len() <= 254
            && !text.contains(odd)
            && labels.into_iter().all(|label| (1..=63).contains(&label.len()))
            && text.parse::<IpAddr>().is_err();
        if good {
            return Ok(Name(text));
        }
        Err(invalid(format!("\"{}\" is no name in DNS", one_line(&text, 60)), "such as home.duckdns.org"))
    }
}

/// The address of a server, perhaps with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(pub String);

impl<'de> Deserialize<'de> for Server {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Server, D::Error> {
        let text = plain(deserializer)?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
        let with_port = || text.parse::<SocketAddr>().is_ok_and(|server| server.port() != 0);
        if bare.parse::<IpAddr>().is_ok() || with_port() {
            return Ok(Server(text));
        }
        let what = format!("\"{}\" is no address of a server", one_line(&text, 60));
        Err(invalid(what, "such as 9.9.9.9 or 192.168.1.1:5353; a name would have to be resolved first"))
    }
}

/// A text that is no secret: all of these are shown.
fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.contains(SECRET) {
        return Err(invalid(HOLDS_SECRET, "write the text itself"));
    }
    Ok(text)
}
