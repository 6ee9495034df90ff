//! The processors' time, from `/proc/stat`. Pure.

use std::time::Duration;

/// How all processors together spent their time since the boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CpuTimes {
    /// Processors that are online.
    pub(super) cores: u32,
    /// Working.
    pub(super) busy: Duration,
    /// In any way.
    pub(super) total: Duration,
}

/// Reads the file; `ticks` of its clock are a second. None if it is something else.
pub(super) fn parse(text: &str, ticks: u64) -> Option<CpuTimes> {
    let mut lines = text.lines();
    let all = lines.next()?.strip_prefix("cpu ")?;
    // user nice system idle iowait irq softirq steal guest guest_nice: the last two are within the first two.
    let fields: Vec<u64> =
        all.split_ascii_whitespace().take(8).map(|field| field.parse().ok()).collect::<Option<_>>()?;
    let sum = |fields: &[u64]| fields.iter().fold(0, |sum: u64, field| sum.saturating_add(*field));
    let idle = sum(fields.get(3..4)?).saturating_add(sum(fields.get(4..5).unwrap_or_default()));
    let total = sum(&fields);
    let cores = lines.take_while(|line| line.starts_with("cpu")).count();
    let time = |count: u64| {
        let millis = u128::from(count) * 1000 / u128::from(ticks.max(1));
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    };
    Some(CpuTimes {
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        busy: time(total.saturating_sub(idle)),
        total: time(total),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waiting_is_not_work_and_guests_count_once() {
        let text = "cpu  100 20 30 1000 50 5 6 7 90 10\ncpu0 1 2 3 4\ncpu2 1 2 3 4\nintr 5 0\nctxt 1\n";
        let ms = Duration::from_millis;
        assert_eq!(parse(text, 100), Some(CpuTimes { cores: 2, busy: ms(1680), total: ms(12_180) }));
        // As old kernels write it.
        assert_eq!(parse("cpu  1 2 3 4\n", 1000), Some(CpuTimes { cores: 0, busy: ms(6), total: ms(10) }));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "cpu", "cpu  1 2 3", "cpu  1 2 x 4", "cpu0 1 2 3 4", "cpu  -1 2 3 4", "page 1 2 3 4"]
        {
            assert_eq!(parse(text, 100), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in "(cpu[ 0-9]{0,40}\n){0,3}.{0,20}", ticks in any::<u64>()) {
            if let Some(times) = parse(&text, ticks) {
                prop_assert!(times.busy <= times.total);
            }
        }
    }
}
