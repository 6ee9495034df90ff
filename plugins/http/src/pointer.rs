//! One value of a JSON document by its pointer, without a tree of the whole: that takes many times the text's size, and
//! a plugin's memory is small.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

/// The value that a JSON pointer (RFC 6901) leads to; none if it leads nowhere.
///
/// # Errors
/// What is wrong with the document, if it is no JSON.
pub(crate) fn look_up(document: &[u8], pointer: &str) -> Result<Option<Value>, serde_json::Error> {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let mut reader = serde_json::Deserializer::from_slice(document);
    let found = Seek { steps: &steps }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

/// The way that is left.
struct Seek<'a> {
    steps: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        if self.steps.is_empty() {
            Value::deserialize(deserializer).map(Some)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            match self.steps.split_first() {
                // Of two equal keys the last one counts, as it does nearly everywhere.
                Some((step, rest)) if *step == key => found = map.next_value_seed(Seek { steps: rest })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Value>, A::Error> {
        if let Some((step, rest)) = self.steps.split_first()
            && let Some(wanted) = index(step)
        {
            for _ in 0..wanted {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
            }
            let found = items.next_element_seed(Seek { steps: rest })?.flatten();
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(found);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    // Below what is neither, the way ends.
    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Option<Value>, E> {
        Ok(None)
    }
}

/// An index as pointers write it: no sign, no leading zero.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z~/]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[ab01~/]{0,2}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn escapes_are_undone_in_their_order() {
        let document = br#"{"a/b": 1, "~": 2, "~1": 3, "dup": 4, "dup": 5}"#;
        for (pointer, expected) in [("/a~1b", 1), ("/~0", 2), ("/~01", 3), ("/dup", 5)] {
            let found = look_up(document, pointer).expect("it is JSON");
            assert_eq!(found, Some(Value::from(expected)), "{pointer}");
        }
    }

    proptest! {
        #[test]
        fn it_leads_where_serde_json_leads(value in json(), pointer in "(/([ab012]|~0|~1|00|\\+1){0,2}){0,4}") {
            let text = value.to_string();
            let found = look_up(text.as_bytes(), &pointer).expect("it is JSON");
            prop_assert_eq!(found.as_ref(), value.pointer(&pointer), "{} in {}", pointer, text);
        }

        #[test]
        fn what_is_no_json_is_refused(text in r#"[\[\]{}:,"0-9a-z]{0,30}"#, pointer in "(/[ab01]?){0,3}") {
            let plain = serde_json::from_str::<Value>(&text);
            prop_assert_eq!(look_up(text.as_bytes(), &pointer).is_ok(), plain.is_ok(), "{}", text);
        }
    }
}
