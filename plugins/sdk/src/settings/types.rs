//! Types for settings that are written as text.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::invalid;
use crate::text::span;

/// A span of time in milliseconds, written with its unit: `500ms`, `2s`, `5m`, `2h`, `14d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    const UNITS: [(&str, u64); 6] =
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

    /// The span that is written so; none if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Millis> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let (_, factor) = Millis::UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        number.parse::<u64>().ok()?.checked_mul(*factor).map(Millis)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&span(self.0))
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Millis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number with its unit, such as 500ms, 2s, 5m, 2h or 14d")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Millis, E> {
                Millis::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Ranges of whole numbers, written `200-299`, `200,204,300-399` or as one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    ranges: Vec<(u64, u64)>,
}

impl Ranges {
    /// Whether the number is in one of them.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// The least and the greatest number in them.
    #[must_use]
    pub fn bounds(&self) -> (u64, u64) {
        let least = self.ranges.iter().map(|(first, _)| *first).min().unwrap_or(0);
        (least, self.ranges.iter().map(|(_, last)| *last).max().unwrap_or(0))
    }

    fn parse(text: &str) -> Result<Ranges, String> {
        text.split(',')
            .map(|part| Ranges::parse_part(part.trim()))
            .collect::<Result<_, _>>()
            .map(|ranges| Ranges { ranges })
    }

    fn parse_part(part: &str) -> Result<(u64, u64), String> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
            (Ok(first), Ok(last)) => Err(format!("the range {first}-{last} is empty")),
            _ => Err(format!("\"{}\" is neither a number nor a range", crate::text::one_line(part, 40))),
        }
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ranges, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Ranges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a range such as 200-299, or several of them parted by commas")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Ranges, E> {
                Ok(Ranges { ranges: vec![(number, number)] })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Ranges, E> {
                Ranges::parse(text).map_err(|what| invalid(what, "such as 200-299 or 200,204,300-399"))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// Keys of the user's own choice and their values, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs<T>(pub Vec<(String, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Pairs<T> {
        Pairs(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<T>, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_carry_a_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("2 s", Some(2_000)),
            ("5m", Some(300_000)),
            ("2h", Some(7_200_000)),
            ("14d", Some(1_209_600_000)),
            ("1w", Some(604_800_000)),
            ("2", None),
            ("s", None),
            ("", None),
            ("-2s", None),
            ("2.5s", None),
            ("2 parsecs", None),
            ("99999999999999999999s", None),
            ("999999999999999999w", None),
        ] {
            assert_eq!(Millis::parse(text), expected.map(Millis), "{text}");
        }
    }

    #[test]
    fn ranges_are_inclusive() {
        let ranges = Ranges::parse("200, 204 ,300-399").expect("they are ranges");
        let within: Vec<u64> =
            [199, 200, 201, 204, 299, 300, 399, 400].into_iter().filter(|n| ranges.contains(*n)).collect();
        assert_eq!(within, [200, 204, 300, 399]);
        assert_eq!(ranges.bounds(), (200, 399));
        assert_eq!(ranges.to_string(), "200, 204, 300-399");
    }

    #[test]
    fn what_is_no_range_is_named() {
        assert_eq!(Ranges::parse("299-200"), Err("the range 299-200 is empty".into()));
        assert_eq!(Ranges::parse("2xx"), Err("\"2xx\" is neither a number nor a range".into()));
        assert_eq!(Ranges::parse("200,"), Err("\"\" is neither a number nor a range".into()));
        assert_eq!(Ranges::parse("-1"), Err("\"-1\" is neither a number nor a range".into()));
    }
}
