//! Types of single settings, so that each mistake is found where it stands.

use std::net::{IpAddr, SocketAddr};

use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use serde::de::{Deserialize, Deserializer};

/// A text that is sent or compared as it stands, and so is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted(pub String);

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wanted, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains("${secret:") {
            return Err(invalid("holds a secret, which is not filled in here", "write the text itself"));
        }
        if text.is_empty() {
            return Err(invalid("is empty", "a text"));
        }
        Ok(Wanted(text))
    }
}

/// The address of a server, perhaps with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(pub String);

impl<'de> Deserialize<'de> for Server {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Server, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
        let with_port = || text.parse::<SocketAddr>().is_ok_and(|server| server.port() != 0);
        if bare.parse::<IpAddr>().is_ok() || with_port() {
            return Ok(Server(text));
        }
        let what = format!("\"{}\" is no address of a server", one_line(&text, 60));
        Err(invalid(what, "such as 192.168.1.1 or [fd00::1]:5353; a name would have to be resolved first"))
    }
}

/// The code of an answer, in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(&'static str);

impl Default for Code {
    fn default() -> Code {
        Code("NOERROR")
    }
}

impl Code {
    const KNOWN: [&'static str; 6] = ["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"];

    /// Such as `NXDOMAIN`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Code::KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&text));
        known.map(|known| Code(known)).ok_or_else(|| {
            let what = format!("\"{}\" is no code of an answer", one_line(&text, 20));
            invalid(what, format!("one of {}", Code::KNOWN.join(", ")))
        })
    }
}
