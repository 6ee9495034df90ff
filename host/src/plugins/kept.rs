//! The few bytes that a service's check keeps between its runs.

use std::collections::BTreeMap;

/// Bytes over all keys and values of one service.
pub(super) const KEPT_BYTES: usize = 64 << 10;

/// Keys and values of one service, as its next run will see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    entries: BTreeMap<String, Vec<u8>>,
    changed: Changed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Changed {
    #[default]
    No,
    Yes,
}

impl Kept {
    /// What was kept earlier.
    #[must_use]
    pub fn new(entries: BTreeMap<String, Vec<u8>>) -> Self {
        Self { entries, changed: Changed::No }
    }

    /// All entries, if the run changed any; to be written if it succeeded.
    #[must_use]
    pub fn into_changed(self) -> Option<BTreeMap<String, Vec<u8>>> {
        (self.changed == Changed::Yes).then_some(self.entries)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Vec<u8>> {
        self.entries.get(key)
    }

    /// Sets or removes a value. Nothing changes if it does not fit.
    pub(super) fn set(&mut self, key: String, value: Option<Vec<u8>>) -> Result<(), String> {
        let taken: usize =
            self.entries.iter().filter(|(k, _)| **k != key).map(|(k, v)| k.len() + v.len()).sum();
        match value {
            Some(value) => {
                let wanted = taken + key.len() + value.len();
                if wanted > KEPT_BYTES {
                    return Err(format!("the state would take {wanted} bytes; {KEPT_BYTES} are allowed"));
                }
                if self.entries.get(&key) != Some(&value) {
                    self.entries.insert(key, value);
                    self.changed = Changed::Yes;
                }
            }
            None => {
                if self.entries.remove(&key).is_some() {
                    self.changed = Changed::Yes;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_counts_keys_and_values_and_a_refusal_changes_nothing() {
        let mut kept = Kept::default();
        kept.set("a".into(), Some(vec![0; KEPT_BYTES - 1])).unwrap();
        assert!(kept.set("b".into(), Some(vec![1])).is_err());
        assert_eq!(kept.get("b"), None);
        kept.set("a".into(), Some(vec![1])).unwrap();
        kept.set("b".into(), Some(vec![1])).unwrap();
        assert_eq!(kept.into_changed().unwrap().len(), 2);
    }

    #[test]
    fn writing_what_is_there_already_is_no_change() {
        let mut kept = Kept::new([("a".to_owned(), vec![1])].into());
        kept.set("a".into(), Some(vec![1])).unwrap();
        kept.set("absent".into(), None).unwrap();
        assert_eq!(kept.into_changed(), None);
    }
}
