//! What the interfaces for the network share, across the wall.

use std::time::Duration;

use super::check_bindings::pihook::plugin::net as wit;
use crate::net::{Connection, Error, Target};

pub(crate) fn target(target: &Target) -> wit::Target {
    wit::Target {
        host: target.host.clone(),
        port: target.port,
        connect_timeout_ms: millis(target.connect_timeout),
        read_timeout_ms: millis(target.read_timeout),
    }
}

pub(crate) fn connection(connection: wit::Connection) -> Connection {
    let wit::Connection { remote_address, dns_ms, connect_ms } = connection;
    Connection { remote_address, dns_ms, connect_ms }
}

pub(crate) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

pub(crate) fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::InvalidRequest(text) => Error::InvalidRequest(text),
        wit::Error::Denied(text) => Error::Denied(text),
        wit::Error::Dns(text) => Error::Dns(text),
        wit::Error::Refused(text) => Error::Refused(text),
        wit::Error::Unreachable(text) => Error::Unreachable(text),
        wit::Error::ConnectTimeout(text) => Error::ConnectTimeout(text),
        wit::Error::ReadTimeout(text) => Error::ReadTimeout(text),
        wit::Error::Closed(text) => Error::Closed(text),
        wit::Error::Tls(text) => Error::Tls(text),
        wit::Error::Protocol(text) => Error::Protocol(text),
        wit::Error::Forbidden(text) => Error::Forbidden(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
