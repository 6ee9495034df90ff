//! Who is due when: at most one time for each index, the earliest first.

use std::collections::BTreeSet;
use std::time::Duration;

/// Times by index; setting and taking cost O(log n).
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    by_index: Vec<Option<Duration>>,
    by_time: BTreeSet<(Duration, usize)>,
}

impl Agenda {
    /// An empty one; it grows with the indices set.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Replaces the time of `index`; none removes it.
    pub(crate) fn set(&mut self, index: usize, time: Option<Duration>) {
        if index >= self.by_index.len() {
            self.by_index.resize(index + 1, None);
        }
        let Some(entry) = self.by_index.get_mut(index) else { return };
        if let Some(old) = std::mem::replace(entry, time) {
            self.by_time.remove(&(old, index));
        }
        if let Some(new) = time {
            self.by_time.insert((new, index));
        }
    }

    /// The earliest time.
    pub(crate) fn first(&self) -> Option<Duration> {
        self.by_time.first().map(|(time, _)| *time)
    }

    /// Takes out the earliest entry if its time has come.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<usize> {
        let (_, index) = *self.by_time.first().filter(|(time, _)| *time <= now)?;
        self.set(index, None);
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn entries_come_in_order_of_time_then_index() {
        let mut agenda = Agenda::new();
        agenda.set(2, Some(secs(5)));
        agenda.set(1, Some(secs(5)));
        agenda.set(0, Some(secs(9)));
        assert_eq!(agenda.first(), Some(secs(5)));
        assert_eq!(agenda.pop_due(secs(4)), None);
        assert_eq!(agenda.pop_due(secs(9)), Some(1));
        assert_eq!(agenda.pop_due(secs(9)), Some(2));
        assert_eq!(agenda.pop_due(secs(9)), Some(0));
        assert_eq!(agenda.first(), None);
    }

    #[test]
    fn a_new_time_replaces_the_old_one() {
        let mut agenda = Agenda::new();
        agenda.set(0, Some(secs(1)));
        agenda.set(0, Some(secs(3)));
        assert_eq!(agenda.pop_due(secs(2)), None);
        agenda.set(0, None);
        assert_eq!(agenda.pop_due(secs(9)), None);
    }
}
