//! serde's way through a JSON value that remembers where it is: serde_json itself forgets the path of a mistake.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value, map};

use super::mistake::Mistake;

/// Names of one method: each kind of value has a method of its own, because what a visitor of that kind never visits
/// would still be compiled in for `deserialize_any`, and a plugin is to be small.
macro_rules! alias {
    ($($method:ident: $($alias:ident)+;)+) => {
        $($(
            fn $alias<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
                self.$method(visitor)
            }
        )+)+
    };
}

/// A value in the settings.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    /// The values that are passed over as if they were not there.
    pub(super) cut: &'a [*const Value],
}

impl<'a> Node<'a> {
    fn items(self, items: &'a [Value]) -> Items<'a> {
        Items { items, next: 0, cut: self.cut }
    }

    fn entries(self, map: &'a Map<String, Value>) -> Entries<'a> {
        Entries { entries: map.iter(), value: None, cut: self.cut }
    }
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => visit_number(number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(self.items(items)),
            Value::Object(map) => visitor.visit_map(self.entries(map)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            Value::Number(number) => visit_number(number, visitor),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(self.items(items)),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.value {
            Value::Object(map) => visitor.visit_map(self.entries(map)),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self.value {
            Value::String(variant) => visitor.visit_enum(Variant { variant, content: None }),
            Value::Object(map) => {
                let mut entries = self.entries(map);
                match (entries.step(), entries.step()) {
                    (Some((variant, value)), None) => {
                        visitor.visit_enum(Variant { variant, content: Some(Node { value, cut: self.cut }) })
                    }
                    (None, _) if !map.is_empty() => Err(Mistake::hollow()),
                    _ => Err(Mistake::custom(format_args!(
                        "has {} keys; exactly one of {}",
                        map.len(),
                        variants.join(", ")
                    ))),
                }
            }
            other => {
                let expected = format!("one of {}", variants.join(", "));
                Err(wrong_type(other, &expected.as_str()))
            }
        }
    }

    alias! {
        deserialize_u64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u128 deserialize_f32 deserialize_f64;
        deserialize_str: deserialize_char deserialize_string deserialize_identifier;
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple tuple_struct ignored_any }
}

fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Mistake> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(value), _, _) => visitor.visit_u64(value),
        (_, Some(value), _) => visitor.visit_i64(value),
        (_, _, value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
    }
}

#[cold]
fn wrong_type(found: &Value, expected: &dyn Expected) -> Mistake {
    Mistake::invalid_type(unexpected(found), expected)
}

struct Items<'a> {
    items: &'a [Value],
    next: usize,
    cut: &'a [*const Value],
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        while let Some(value) = self.items.get(self.next) {
            let index = self.next;
            self.next += 1;
            if !self.cut.contains(&std::ptr::from_ref(value)) {
                let item = seed.deserialize(Node { value, cut: self.cut });
                return item.map(Some).map_err(|mistake| mistake.at_index(index));
            }
        }
        Ok(None)
    }
}

struct Entries<'a> {
    entries: map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    cut: &'a [*const Value],
}

impl<'a> Entries<'a> {
    /// The next entry that is not passed over.
    fn step(&mut self) -> Option<(&'a str, &'a Value)> {
        let (key, value) = self.entries.find(|(_, value)| !self.cut.contains(&std::ptr::from_ref(*value)))?;
        Some((key, value))
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        self.value = self.step();
        let Some((key, _)) = self.value else { return Ok(None) };
        let key: StrDeserializer<'_, Mistake> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (key, value) = self.value.take().ok_or_else(Mistake::hollow)?;
        seed.deserialize(Node { value, cut: self.cut }).map_err(|mistake| mistake.at_key(key))
    }
}

struct Variant<'a> {
    variant: &'a str,
    content: Option<Node<'a>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Mistake;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Mistake> {
        let name: StrDeserializer<'_, Mistake> = self.variant.into_deserializer();
        seed.deserialize(name).map(|value| (value, self))
    }
}

impl<'a> Variant<'a> {
    fn node(&self) -> Node<'a> {
        self.content.unwrap_or(Node { value: &Value::Null, cut: &[] })
    }

    fn below(&self, mistake: Mistake) -> Mistake {
        if self.content.is_some() { mistake.at_key(self.variant) } else { mistake }
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        match self.content.filter(|content| !content.value.is_null()) {
            None => Ok(()),
            Some(content) => Err(self.below(wrong_type(content.value, &"nothing below this key"))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        seed.deserialize(self.node()).map_err(|mistake| self.below(mistake))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.node().deserialize_seq(visitor).map_err(|mistake| self.below(mistake))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.node().deserialize_map(visitor).map_err(|mistake| self.below(mistake))
    }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (_, Some(number)) => Unexpected::Signed(number),
            _ => Unexpected::Other("a number with a fraction"),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}
