//! What the interfaces for the network share, at the wall.

use std::time::Duration;

use super::super::bindings::check::pihook::plugin::net as wit;
use super::super::run::RunState;
use super::millis;
use crate::probes::{Connection, NetError, Target};

/// The interface has types only.
impl wit::Host for RunState {}

pub(super) fn target_from_guest(target: wit::Target) -> Target {
    Target {
        host: target.host,
        port: target.port,
        connect_timeout: Duration::from_millis(target.connect_timeout_ms.into()),
        read_timeout: Duration::from_millis(target.read_timeout_ms.into()),
    }
}

pub(super) fn connection_to_guest(connection: Connection) -> wit::Connection {
    wit::Connection {
        remote_address: connection.remote_address.to_string(),
        dns_ms: connection.dns.map(millis),
        connect_ms: millis(connection.connect),
    }
}

pub(super) fn error_to_guest(error: NetError) -> wit::Error {
    use NetError as Probe;
    use wit::Error as Guest;
    match error {
        Probe::InvalidRequest(text) => Guest::InvalidRequest(text),
        Probe::Denied(text) => Guest::Denied(text),
        Probe::Dns(text) => Guest::Dns(text),
        Probe::Refused(text) => Guest::Refused(text),
        Probe::Unreachable(text) => Guest::Unreachable(text),
        Probe::ConnectTimeout(text) => Guest::ConnectTimeout(text),
        Probe::ReadTimeout(text) => Guest::ReadTimeout(text),
        Probe::Closed(text) => Guest::Closed(text),
        Probe::Tls(text) => Guest::Tls(text),
        Probe::Protocol(text) => Guest::Protocol(text),
        Probe::Forbidden(text) => Guest::Forbidden(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
