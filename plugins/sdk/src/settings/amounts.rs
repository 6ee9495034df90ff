//! Shares and sizes, written with their units.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use crate::text::size;

/// A share in percent, from 0 to 100, written `80%` or `99.5%`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl Share {
    /// The share that is written so; none if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Share> {
        let number = text.trim().strip_suffix('%')?.trim_end();
        // Neither signs nor exponents, infinities and the like.
        let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        let share = number.parse().ok().filter(|share| plain && (0.0..=100.0).contains(share))?;
        Some(Share(share))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> f64 {
        share.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share from 0% to 100%, such as 80%")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Share, E> {
                Share::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A size in bytes, written with its unit: `512KiB`, `500MiB`, `4GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl Size {
    const UNITS: [(&str, u64); 5] =
        [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

    /// The size that is written so; none if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Size> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let (_, factor) = Size::UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        number.parse::<u64>().ok()?.checked_mul(*factor).map(Size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&size(self.0))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number with its unit, such as 512KiB, 500MiB or 4GiB")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                Size::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_from_0_to_100_percent() {
        for (text, expected) in [
            ("80%", Some(80.0)),
            (" 99.5 % ", Some(99.5)),
            ("0%", Some(0.0)),
            ("100%", Some(100.0)),
            ("100.1%", None),
            ("-1%", None),
            ("+1%", None),
            ("80", None),
            ("%", None),
            (".%", None),
            ("1e1%", None),
            ("NaN%", None),
            ("inf%", None),
        ] {
            assert_eq!(Share::parse(text), expected.map(Share), "{text}");
        }
        assert_eq!((Share(80.0).to_string(), Share(99.5).to_string()), ("80 %".into(), "99.5 %".into()));
    }

    #[test]
    fn sizes_carry_a_unit() {
        for (text, expected) in [
            ("0B", Some(0)),
            ("512KiB", Some(512 << 10)),
            ("500 MiB", Some(500 << 20)),
            ("4GiB", Some(4 << 30)),
            ("2TiB", Some(2 << 40)),
            ("500", None),
            ("500MB", None),
            ("1.5GiB", None),
            ("-1GiB", None),
            ("99999999999TiB", None),
            ("MiB", None),
            ("", None),
        ] {
            assert_eq!(Size::parse(text), expected.map(Size), "{text}");
        }
        assert_eq!(Size(500 << 20).to_string(), "500 MiB");
    }
}
