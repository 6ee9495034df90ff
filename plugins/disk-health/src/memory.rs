//! What is remembered from run to run: which filesystems could be written to, and how high the counts were.

use pihook_plugin::calendar::Civil;

const MOST_MOUNTS: usize = 200;
const MOST_COUNTS: usize = 400;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Mount points that could be written to once.
    writable: Vec<String>,
    counts: Vec<Count>,
}

/// A count that only ever grows on a disk that is well kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    key: String,
    value: u64,
    /// By how much it grew, and when in milliseconds since 1970 UTC; 0 if it never did since it was first seen.
    grew_by: u64,
    grew_at: i64,
}

impl Memory {
    /// What was kept. What makes no sense is as if there were nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Memory {
        let mut memory = Memory::default();
        for line in String::from_utf8_lossy(bytes).split('\n') {
            let mut parts = line.splitn(5, ' ');
            match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some("writable"), ..) => memory.note_writable(line.split_once(' ').unwrap_or_default().1),
                (Some("count"), Some(value), Some(by), Some(at), Some(key)) => {
                    let count = (value.parse(), by.parse(), at.parse());
                    if let (Ok(value), Ok(grew_by), Ok(grew_at)) = count {
                        memory.counts.push(Count { key: key.to_owned(), value, grew_by, grew_at });
                    }
                }
                _ => {}
            }
        }
        memory.counts.truncate(MOST_COUNTS);
        memory
    }

    /// What is to be kept: a line each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        for point in &self.writable {
            text.push_str(&format!("writable {point}\n"));
        }
        for Count { key, value, grew_by, grew_at } in &self.counts {
            text.push_str(&format!("count {value} {grew_by} {grew_at} {key}\n"));
        }
        text.into_bytes()
    }

    /// Whether the mount could be written to once.
    #[must_use]
    pub fn was_writable(&self, mount_point: &str) -> bool {
        self.writable.iter().any(|known| *known == on_one_line(mount_point))
    }

    /// Remembers that it can be.
    pub fn note_writable(&mut self, mount_point: &str) {
        if self.writable.len() < MOST_MOUNTS && !self.was_writable(mount_point) {
            self.writable.push(on_one_line(mount_point));
        }
    }

    /// Remembers a count, and says by how much it grew last, such as `, 3 more on 2026-11-24`; nothing if it never did.
    pub fn note(&mut self, key: &str, value: u64, now: i64) -> String {
        let key = on_one_line(key);
        let Some(known) = self.counts.iter_mut().find(|count| count.key == key) else {
            if self.counts.len() < MOST_COUNTS {
                self.counts.push(Count { key, value, grew_by: 0, grew_at: 0 });
            }
            return String::new();
        };
        if value > known.value {
            (known.grew_by, known.grew_at) = (value - known.value, now);
        } else if value < known.value {
            // Whoever sets it back has looked at it.
            (known.grew_by, known.grew_at) = (0, 0);
        }
        known.value = value;
        match known.grew_by {
            0 => String::new(),
            by => format!(", {by} more on {}", Civil::from_ms(known.grew_at).date()),
        }
    }
}

fn on_one_line(text: &str) -> String {
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn growth_is_told_until_the_count_is_set_back() {
        let day = |day: i64| 1_795_348_800_000 + day * 86_400_000;
        let mut memory = Memory::default();
        for (value, at, expected) in [
            (5, 0, ""),
            (5, 1, ""),
            (8, 2, ", 3 more on 2026-11-24"),
            (8, 9, ", 3 more on 2026-11-24"),
            (9, 10, ", 1 more on 2026-12-02"),
            (0, 11, ""),
            (0, 12, ""),
        ] {
            assert_eq!(memory.note("ext4 sda1", value, day(at)), expected, "{at}");
            memory = Memory::parse(&memory.to_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_memory_is_borne(bytes in any::<Vec<u8>>(), value: u64, now: i64, key in any::<String>()) {
            let mut memory = Memory::parse(&bytes);
            memory.note(&key, value, now);
            memory.note(&key, value.saturating_add(1), now);
            memory.note_writable(&key);
            prop_assert_eq!(Memory::parse(&memory.to_bytes()), memory);
        }
    }
}
