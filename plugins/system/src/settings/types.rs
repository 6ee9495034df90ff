//! Limits, and amounts that only this check knows.

use std::fmt;
use std::marker::PhantomData;

use pihook_plugin::settings::invalid;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

/// From where on something is degraded, and from where on down. `off` is neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits<T> {
    /// Degraded from here on.
    pub warn: Option<T>,
    /// Down from here on.
    pub critical: Option<T>,
}

impl<T> Default for Limits<T> {
    fn default() -> Limits<T> {
        Limits { warn: None, critical: None }
    }
}

/// The same as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<T> {
    warn: Option<T>,
    critical: Option<T>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Limits<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Limits<T>, D::Error> {
        struct OffOrLimits<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OffOrLimits<T> {
            type Value = Limits<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`warn` and `critical`, or off")
            }

            fn visit_bool<E: Error>(self, on: bool) -> Result<Limits<T>, E> {
                if on { Err(E::invalid_value(Unexpected::Bool(on), &self)) } else { Ok(Limits::default()) }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Limits<T>, E> {
                if text == "off" {
                    Ok(Limits::default())
                } else {
                    Err(E::invalid_value(Unexpected::Str(text), &self))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Limits<T>, A::Error> {
                let Written { warn, critical } = Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Limits { warn, critical })
            }
        }
        deserializer.deserialize_any(OffOrLimits(PhantomData))
    }
}

/// A temperature in degrees Celsius, written `75` or `75C`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Degrees(pub f64);

impl Degrees {
    const REMEDY: &str = "degrees Celsius from 0 to 150, such as 75 or 75C";

    /// The temperature that is written so; none if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Degrees> {
        let number = text.trim().strip_suffix('C')?.trim_end_matches('°').trim_end();
        let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        number.parse().ok().filter(|_| plain).and_then(Degrees::of)
    }

    fn of(number: f64) -> Option<Degrees> {
        (0.0..=150.0).contains(&number).then_some(Degrees(number))
    }
}

impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} °C", self.0)
    }
}

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Degrees, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Degrees;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Degrees::REMEDY)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Degrees, E> {
                self.visit_f64(number as f64)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Degrees, E> {
                Degrees::of(number)
                    .ok_or_else(|| invalid(format_args!("{number} is out of range"), Degrees::REMEDY))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Degrees, E> {
                Degrees::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// A load average, for each core.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Load(pub f64);

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Load {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Load, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number > 0.0 && number.is_finite() {
            Ok(Load(number))
        } else {
            Err(invalid(format_args!("{number} is no load"), "a number above 0, such as 1.5"))
        }
    }
}

impl From<Degrees> for f64 {
    fn from(degrees: Degrees) -> f64 {
        degrees.0
    }
}

impl From<Load> for f64 {
    fn from(load: Load) -> f64 {
        load.0
    }
}
