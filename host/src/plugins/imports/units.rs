//! Units of systemd at the wall.

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::aside;
use crate::machine::Machine;
use crate::probes::units as probe;

impl wit::units::Host for RunState {
    async fn inspect(&mut self, name: String) -> Result<wit::units::Unit, wit::units::Error> {
        self.machine(Machine::Units).map_err(wit::units::Error::Forbidden)?;
        let within = self.read_timeout;
        match aside(async move { probe::UnitProbe.inspect(&name, within).await }).await {
            Ok(Ok(state)) => Ok(to_guest(state)),
            Ok(Err(error)) => Err(error_to_guest(error)),
            Err(reason) => Err(wit::units::Error::Other(reason)),
        }
    }
}

fn to_guest(state: probe::UnitState) -> wit::units::Unit {
    wit::units::Unit {
        load_state: state.load_state,
        active_state: state.active_state,
        sub_state: state.sub_state,
        reason: state.result,
        restarts: state.restarts,
        since_ms: state.since_ms,
    }
}

fn error_to_guest(error: probe::UnitError) -> wit::units::Error {
    use probe::UnitError as Probe;
    use wit::units::Error as Guest;
    match error {
        Probe::Unavailable(text) => Guest::Unavailable(text),
        Probe::Forbidden(text) => Guest::Forbidden(text),
        Probe::Timeout(text) => Guest::Timeout(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
