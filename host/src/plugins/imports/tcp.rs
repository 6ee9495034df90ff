//! TCP at the wall.

use super::super::bindings::check::pihook::plugin::{net as shared, tcp as wit};
use super::super::run::RunState;
use super::{aside, millis, net};
use crate::probes::tcp as probe;

impl wit::Host for RunState {
    async fn exchange(&mut self, request: wit::Request) -> Result<wit::Answer, shared::Error> {
        let outside = self.outside().map_err(shared::Error::Denied)?;
        let request = request_from_guest(request);
        let asked =
            aside(async move { outside.probes.exchange_by_tcp(request, &outside.grants.network).await });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer_to_guest(answer)),
            Ok(Err(error)) => Err(net::error_to_guest(error)),
            Err(reason) => Err(shared::Error::Other(reason)),
        }
    }
}

fn request_from_guest(request: wit::Request) -> probe::TcpRequest {
    let receive = if request.receive {
        probe::Receive::Answer { until: request.until, max_bytes: request.max_bytes }
    } else {
        probe::Receive::Nothing
    };
    probe::TcpRequest { target: net::target_from_guest(request.target), send: request.send, receive }
}

fn answer_to_guest(answer: probe::TcpAnswer) -> wit::Answer {
    wit::Answer {
        connection: net::connection_to_guest(answer.connection),
        received: answer.received,
        answer_ms: answer.answer.map(millis),
    }
}
