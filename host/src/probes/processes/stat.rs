//! What `/proc/PID/stat` says. Pure.

use std::time::Duration;

use super::RunningProcess;

/// The flag of a thread of the kernel itself.
const KERNEL: u64 = 0x0020_0000;

/// The parts of the line that are of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// The process's own name, cut by the kernel.
    pub(super) comm: Vec<u8>,
    /// The state's letter.
    pub(super) state: char,
    /// Whether it is a thread of the kernel, which has no command line.
    pub(super) kernel: bool,
    /// CPU time in ticks.
    cpu: u64,
    /// When it started, in ticks since the boot.
    pub(super) started: u64,
    /// Resident memory in pages.
    pages: u64,
}

impl Stat {
    /// Reads the line; none if it is something else.
    pub(super) fn parse(line: &[u8]) -> Option<Stat> {
        // The name stands in parentheses and may hold some itself.
        let open = line.iter().position(|byte| *byte == b'(')?;
        let close = line.iter().rposition(|byte| *byte == b')')?;
        let comm = line.get(open + 1..close)?.to_vec();
        let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Numbered from 3 in the manual, which is the state.
        let number = |index: usize| fields.get(index - 3)?.parse::<u64>().ok();
        Some(Stat {
            comm,
            state: fields.first()?.chars().next()?,
            kernel: number(9)? & KERNEL != 0,
            cpu: number(14)?.saturating_add(number(15)?),
            started: number(22)?,
            pages: number(24)?,
        })
    }

    /// The process in units that people use, at this uptime in seconds.
    pub(super) fn describe(&self, pid: u32, uptime: f64, ticks: u64, page: u64) -> RunningProcess {
        let seconds = |count: u64| count as f64 / ticks.max(1) as f64;
        let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        RunningProcess {
            pid,
            state: self.state,
            memory: self.pages.saturating_mul(page),
            cpu: duration(seconds(self.cpu)),
            age: duration(uptime - seconds(self.started)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &[u8] = b"812 (a) b (c) S 1 812 812 0 -1 4194560 2534 0 12 0 250 150 0 0 20 0 2 0 5000 25190400 2560 18446744073709551615 1 1 0 0 0 0 0 4096 16384 0 0 0 17 3 0 0 0 0 0";

    #[test]
    fn the_name_may_hold_anything() {
        let stat = Stat::parse(LINE).unwrap();
        assert_eq!((stat.comm.as_slice(), stat.state, stat.kernel), (&b"a) b (c"[..], 'S', false));
        let seen = stat.describe(812, 130.5, 100, 4096);
        let expected = RunningProcess {
            pid: 812,
            state: 'S',
            memory: 10 << 20,
            cpu: Duration::from_secs(4),
            age: Duration::from_millis(80_500),
        };
        assert_eq!(seen, expected);
        assert_eq!(stat.describe(812, f64::NAN, 0, u64::MAX).memory, u64::MAX);
    }

    #[test]
    fn a_kernel_thread_is_told_by_its_flag() {
        let line = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 5 0 0 20 0 1 0 3 0 0 1 0";
        let stat = Stat::parse(line).unwrap();
        assert!(stat.kernel && stat.comm == b"kthreadd");
    }

    #[test]
    fn anything_else_is_refused() {
        for line in
            [&b""[..], b"1", b"1 (a", b"1 )a(", b"1 (a) S", b"1 (a) S x x x x x x x", b"\xff(\xff)\xff"]
        {
            assert_eq!(Stat::parse(line), None);
        }
        for length in 0..LINE.len() - 110 {
            let _ = Stat::parse(&LINE[..length]);
        }
    }

    proptest! {
        #[test]
        fn no_line_does_harm(line in prop::collection::vec(any::<u8>(), 0..60), numbers in prop::collection::vec(any::<u64>(), 0..30), uptime in any::<f64>()) {
            let mut line = line;
            line.extend_from_slice(b"(x) S");
            for number in numbers {
                line.extend_from_slice(format!(" {number}").as_bytes());
            }
            if let Some(stat) = Stat::parse(&line) {
                stat.describe(1, uptime, 100, 4096);
            }
        }
    }
}
