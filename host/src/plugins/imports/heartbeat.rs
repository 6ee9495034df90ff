//! Signs of life at the wall.

use std::time::Duration;

use super::super::bindings::check::pihook::plugin::heartbeat as wit;
use super::super::run::RunState;
use super::millis;
use crate::heartbeats::Known;

impl RunState {
    /// What is known of the service's own signs of life; of no other's.
    fn heartbeats(&self) -> Option<Known> {
        let outside = self.outside().ok()?;
        let service = outside.grants.heartbeat.as_ref()?;
        outside.probes.heartbeats.known(service, self.reach.clock.now())
    }
}

impl wit::Host for RunState {
    fn last(&mut self) -> wasmtime::Result<Option<wit::Beat>> {
        let last = self.heartbeats().and_then(|known| known.last);
        Ok(last.map(|(at, ago, sign)| wit::Beat {
            at_ms: at.as_millisecond(),
            ago_ms: whole(ago),
            ok: sign.ok,
            message: sign.message,
            took_ms: sign.took.map(millis),
        }))
    }

    fn waited_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(self.heartbeats().map_or(0, |known| whole(known.waited)))
    }

    fn listening_ms(&mut self) -> wasmtime::Result<Option<u64>> {
        Ok(self.heartbeats().and_then(|known| known.listening).map(whole))
    }
}

fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
