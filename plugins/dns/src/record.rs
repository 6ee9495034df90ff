//! Types of records, and how their values are compared.

use std::net::{Ipv4Addr, Ipv6Addr};

use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use serde::de::{Deserialize, Deserializer};

/// A type of records, in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(&'static str);

impl Default for Kind {
    fn default() -> Kind {
        Kind("A")
    }
}

const KNOWN: [&str; 10] = ["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SRV", "PTR", "SOA", "CAA"];

impl Kind {
    /// Such as `AAAA`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The one spelling of a value, for comparisons: addresses in their shortest form; names, also within other values, in
    /// lower case and without a final dot; texts as they are.
    #[must_use]
    pub fn canonical(self, value: &str) -> String {
        let trimmed = value.trim();
        match self.0 {
            "TXT" => value.to_owned(),
            "A" => {
                trimmed.parse().map_or_else(|_| trimmed.to_owned(), |address: Ipv4Addr| address.to_string())
            }
            "AAAA" => {
                trimmed.parse().map_or_else(|_| trimmed.to_owned(), |address: Ipv6Addr| address.to_string())
            }
            "CAA" => trimmed.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => {
                let words: Vec<_> = trimmed.split_whitespace().map(name).collect();
                words.join(" ")
            }
        }
    }

    /// What such a value looks like, if this one cannot be one.
    #[must_use]
    pub fn example_unless(self, value: &str) -> Option<&'static str> {
        let words: Vec<_> = value.split_whitespace().collect();
        let numbers = |count: usize| {
            words.len() == count + 1 && words.iter().take(count).all(|word| word.parse::<u16>().is_ok())
        };
        let (fits, example) = match self.0 {
            "A" => (value.trim().parse::<Ipv4Addr>().is_ok(), "an IPv4 address, such as 192.168.1.10"),
            "AAAA" => (value.trim().parse::<Ipv6Addr>().is_ok(), "an IPv6 address, such as fd00::10"),
            "MX" => (numbers(1), "a preference and a name, such as \"10 mail.example.org\""),
            "SRV" => (numbers(3), "priority, weight, port and name, such as \"0 5 5060 sip.example.org\""),
            "SOA" => (words.len() == 7, "two names and five numbers, as `dig NAME SOA +short` prints them"),
            "CAA" => (words.len() >= 3, "such as '0 issue \"letsencrypt.org\"'"),
            "TXT" => (!value.is_empty(), "the text itself"),
            _ => (words.len() == 1, "a name, such as nas.lan"),
        };
        (!fits).then_some(example)
    }
}

fn name(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    match lower.strip_suffix('.') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => lower,
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&text));
        known.map(|known| Kind(known)).ok_or_else(|| {
            let what = format!("\"{}\" is no type of record that is known here", one_line(&text, 20));
            invalid(what, format!("one of {}", KNOWN.join(", ")))
        })
    }
}
