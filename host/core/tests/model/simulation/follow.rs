//! A service as the reference model has it, half a second for a second, beside what the monitor said.

use std::sync::Arc;

use pihook_core::{After, Ladder, Level, Service, Status};

use super::truth::TICKS_A_SECOND;
use crate::reference::{Reference, Said};

pub(super) struct Follow {
    reference: Reference,
    tick: u64,
    expected: Vec<(u64, Said)>,
    said: Vec<(u64, Said)>,
}

impl Follow {
    pub(super) fn new(service: &Service) -> Self {
        let slow = Service { ladder: Arc::new(slowed(&service.ladder)), ..service.clone() };
        Self { reference: Reference::new(slow, false), tick: 0, expected: Vec::new(), said: Vec::new() }
    }

    /// Lets time pass until then.
    pub(super) fn pass(&mut self, until: u64) {
        while self.tick < until {
            if self.reference.may_speak() {
                self.tick += 1;
                let said = self.reference.second();
                self.expect(said);
            } else {
                self.reference.seconds(until - self.tick);
                self.tick = until;
            }
        }
    }

    /// PiHook is off until then.
    pub(super) fn off(&mut self, until: u64) {
        self.reference.absent(until - self.tick);
        self.tick = until;
    }

    pub(super) fn outcome(&mut self, status: Status) {
        let said = self.reference.outcome(status);
        self.expect(said);
    }

    pub(super) fn explain(&mut self) {
        self.reference.explain();
    }

    pub(super) fn mute(&mut self, muted: bool) {
        let said = self.reference.mute(muted);
        self.expect(said);
    }

    fn expect(&mut self, said: Option<Said>) {
        let said = said.map(|said| Said { lasted: said.lasted / TICKS_A_SECOND, ..said });
        self.expected.extend(said.map(|said| (self.tick, said)));
    }

    pub(super) fn note(&mut self, tick: u64, said: Said) {
        self.said.push((tick, said));
    }

    /// The monitor has said what the reference says.
    pub(super) fn agree(&mut self, service: &Service) {
        assert_eq!(self.said, self.expected, "{}", service.id);
        self.said.clear();
        self.expected.clear();
    }
}

fn slowed(ladder: &Ladder) -> Ladder {
    let ticks = u32::try_from(TICKS_A_SECOND).unwrap();
    let slowed = |level: &Level| Level {
        after: match level.after {
            After::Elapsed(time) => After::Elapsed(time * ticks),
            failures @ After::Failures(_) => failures,
        },
        repeat: level.repeat.map(|repeat| repeat * ticks),
        ..level.clone()
    };
    Ladder::new(slowed(ladder.first()), ladder.levels().skip(1).map(slowed).collect())
}
