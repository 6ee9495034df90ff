//! Containers at the wall.

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::aside;
use crate::probes::containers as probe;

impl wit::containers::Host for RunState {
    async fn inspect(
        &mut self,
        name: String,
        socket: Option<String>,
    ) -> Result<wit::containers::Container, wit::containers::Error> {
        let outside = self.outside().map_err(wit::containers::Error::Denied)?;
        let socket = outside
            .grants
            .sockets
            .choose(socket.as_deref())
            .map_err(wit::containers::Error::Denied)?
            .to_owned();
        let within = self.read_timeout;
        let asked = async move { probe::ContainerProbe.inspect(&name, &socket, within).await };
        match aside(asked).await {
            Ok(Ok(state)) => Ok(to_guest(state)),
            Ok(Err(error)) => Err(error_to_guest(error)),
            Err(reason) => Err(wit::containers::Error::Other(reason)),
        }
    }
}

fn to_guest(state: probe::ContainerState) -> wit::containers::Container {
    wit::containers::Container {
        state: state.state,
        health: state.health,
        health_output: state.health_output,
        exit_code: state.exit_code,
        out_of_memory: state.out_of_memory,
        restarts: state.restarts,
        started_ms: state.started_ms,
        image: state.image,
    }
}

fn error_to_guest(error: probe::ContainerError) -> wit::containers::Error {
    use probe::ContainerError as Probe;
    use wit::containers::Error as Guest;
    match error {
        Probe::NotFound(text) => Guest::NotFound(text),
        Probe::Unavailable(text) => Guest::Unavailable(text),
        Probe::Forbidden(text) => Guest::Forbidden(text),
        Probe::Timeout(text) => Guest::Timeout(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
