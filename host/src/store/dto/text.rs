//! Values that are one word of text.

use std::borrow::Cow;

use pihook_core::monitor::Muting;
use pihook_core::{
    AlertKind, Colour, FieldLayout, Reason, ServiceId, Severity, SinkId, Status, Timestamp, ZoneId,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something with a stable name.
pub(super) trait Named: Sized {
    fn to_name(&self) -> Cow<'_, str>;
    fn from_name(name: &str) -> Option<Self>;
}

/// Serialised as its name.
pub(super) struct Text<T>(pub(super) T);

impl<T: Named> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_name())
    }
}

impl<'de, T: Named> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        T::from_name(&name).map(Text).ok_or_else(|| D::Error::custom(format_args!("unknown word {name:?}")))
    }
}

macro_rules! words {
    ($($word:ty),*) => {$(
        impl Named for $word {
            fn to_name(&self) -> Cow<'_, str> {
                Cow::Borrowed(self.as_str())
            }
            fn from_name(name: &str) -> Option<Self> {
                Self::parse(name)
            }
        }
    )*};
}
words!(AlertKind, Reason, Severity, Status);

macro_rules! ids {
    ($($id:ty),*) => {$(
        impl Named for $id {
            fn to_name(&self) -> Cow<'_, str> {
                Cow::Borrowed(self.as_str())
            }
            fn from_name(name: &str) -> Option<Self> {
                Some(Self::new(name))
            }
        }
    )*};
}
ids!(ServiceId, SinkId, ZoneId);

impl Named for Timestamp {
    fn to_name(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
    fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

impl Named for Colour {
    fn to_name(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Colour::Good => "good",
            Colour::Warning => "warning",
            Colour::Bad => "bad",
            Colour::Neutral => "neutral",
        })
    }
    fn from_name(name: &str) -> Option<Self> {
        [Colour::Good, Colour::Warning, Colour::Bad, Colour::Neutral]
            .into_iter()
            .find(|colour| colour.to_name() == name)
    }
}

impl Named for FieldLayout {
    fn to_name(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            FieldLayout::Row => "row",
            FieldLayout::Cell => "cell",
        })
    }
    fn from_name(name: &str) -> Option<Self> {
        [FieldLayout::Row, FieldLayout::Cell].into_iter().find(|layout| layout.to_name() == name)
    }
}

impl Named for Muting {
    fn to_name(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Muting::Muted => "muted",
            Muting::Audible => "audible",
        })
    }
    fn from_name(name: &str) -> Option<Self> {
        [Muting::Muted, Muting::Audible].into_iter().find(|muting| muting.to_name() == name)
    }
}
