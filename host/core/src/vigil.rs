//! What PiHook notices of the machine under its own feet: room on its disk, and a wall clock that jumps.

use jiff::SignedDuration;

use crate::Moment;

/// A wall clock that is off by more than this from one look to the next was set, and did not merely drift.
const JUMP: SignedDuration = SignedDuration::from_secs(60);

const MIB: u64 = 1 << 20;

/// Notices when the wall clock jumps against uptime.
#[derive(Clone, Copy, Debug)]
pub struct ClockWatch(Moment);

impl ClockWatch {
    /// Watches from now on.
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Self(now)
    }

    /// How far the wall clock has jumped since the last look, forward if positive; none if it runs as it should.
    pub fn look(&mut self, now: Moment) -> Option<SignedDuration> {
        let before = std::mem::replace(&mut self.0, now);
        let passed = SignedDuration::try_from(now.since(before.uptime)).unwrap_or(SignedDuration::MAX);
        let jump = now.wall.duration_since(before.wall).saturating_sub(passed);
        (jump.abs() > JUMP).then_some(jump)
    }
}

/// Whether there is room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Enough.
    Enough,
    /// It is nearly full.
    Scarce,
}

impl Room {
    /// Bytes below which a disk of this size is nearly full: a hundredth of it, from 20 to 200 MiB.
    #[must_use]
    pub fn least(total: u64) -> u64 {
        (total / 100).clamp(20 * MIB, 200 * MIB)
    }

    /// Whether there is room now, of so many bytes. What was scarce is enough again with a quarter more than that, so
    /// that it does not swing.
    #[must_use]
    pub fn judge(before: Option<Room>, total: u64, free: u64) -> Room {
        let least = Room::least(total);
        let wanted = if before == Some(Room::Scarce) { least.saturating_add(least / 4) } else { least };
        if free < wanted { Room::Scarce } else { Room::Enough }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    fn at(uptime: u64, wall: i64) -> Moment {
        Moment { uptime: Duration::from_secs(uptime), wall: Timestamp::from_second(wall).unwrap() }
    }

    proptest! {
        #[test]
        fn a_jump_is_told_once_and_drift_is_not(start in 0_u32.., passed in 0_u32.., off in -4_000_000_i64..4_000_000) {
            let mut watch = ClockWatch::new(at(start.into(), 4_000_000));
            let then = u64::from(start) + u64::from(passed);
            let wall = 4_000_000 + i64::from(passed) + off;
            let jump = watch.look(at(then, wall));
            prop_assert_eq!(jump, (off.abs() > 60).then_some(SignedDuration::from_secs(off)));
            prop_assert_eq!(watch.look(at(then + 10, wall + 10)), None);
        }

        #[test]
        fn room_does_not_swing_at_its_limit(total: u64, free: u64) {
            let fresh = Room::judge(None, total, free);
            let settled = Room::judge(Some(fresh), total, free);
            prop_assert_eq!(settled, fresh);
            if free >= 250 * MIB {
                prop_assert_eq!(fresh, Room::Enough);
            }
            if free < 20 * MIB {
                prop_assert_eq!(Room::judge(None, total, free), Room::Scarce);
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        let far = Moment { uptime: Duration::MAX, wall: Timestamp::MAX };
        let mut watch = ClockWatch::new(Moment { uptime: Duration::ZERO, wall: Timestamp::MIN });
        assert!(watch.look(far).is_some());
        assert!(watch.look(Moment { uptime: Duration::ZERO, wall: Timestamp::MIN }).is_some());
    }
}
