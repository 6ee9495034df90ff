//! Types of single settings, so that each mistake is found where it stands.

use std::fmt;
use std::net::Ipv6Addr;

use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A name or an address, without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(pub String);

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Host, D::Error> {
        const EXAMPLE: &str = "a name or an address, such as nas.lan, 192.168.1.1 or fd00::1";
        let text = String::deserialize(deserializer)?;
        if text.contains("${secret:") {
            return Err(invalid("holds a secret, which is not filled in here", "write the host itself"));
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
        let shown = one_line(&text, 60);
        if bare.parse::<Ipv6Addr>().is_ok() {
            return Ok(Host(bare.to_owned()));
        }
        if text.contains('/') {
            return Err(invalid(format!("\"{shown}\" is more than a host"), EXAMPLE));
        }
        if text.contains(':') {
            return Err(invalid(format!("\"{shown}\" has a port, and echo requests have none"), EXAMPLE));
        }
        if text.is_empty() || text.len() > 254 || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid(format!("\"{shown}\" is no host"), EXAMPLE));
        }
        Ok(Host(text))
    }
}

/// A share of the echo requests that may be lost, in percent, below 100.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Loss(pub f64);

impl Default for Loss {
    fn default() -> Loss {
        Loss(50.0)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loss, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Loss;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 0%, 20% or 50%")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Loss, E> {
                let number =
                    text.trim().strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
                match number {
                    Some(number) if (0.0..100.0).contains(&number) => Ok(Loss(number)),
                    Some(_) => {
                        let what = format!("{} is not from 0% to below 100%", one_line(text, 20));
                        Err(invalid(what, "a share such as 50%; that all are lost is down anyway"))
                    }
                    None => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_str(Text)
    }
}
