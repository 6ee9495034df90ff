//! Why systemd could not be asked.

use std::io::ErrorKind;
use std::time::Duration;

use zbus::{Error, fdo};

/// Why systemd could not be asked. The texts are for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// There is no bus, or no systemd on it.
    #[error("{0}")]
    Unavailable(String),
    /// The bus does not let this user ask.
    #[error("{0}")]
    Forbidden(String),
    /// The bus did not answer in time.
    #[error("{0}")]
    Timeout(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl UnitError {
    pub(super) fn late(within: Duration) -> Self {
        Self::Timeout(format!(
            "systemd did not answer over the system bus within {} ms (read timeout)",
            within.as_millis()
        ))
    }

    pub(super) fn odd(property: &str) -> Self {
        Self::Other(format!("systemd's {property} is not what it should be"))
    }

    pub(super) fn of_connecting(error: &Error) -> Self {
        match error {
            Error::Connection(cause, _) if cause.kind() == ErrorKind::PermissionDenied => Self::Forbidden(
                "this user may not use the system bus: it needs access to /run/dbus/system_bus_socket"
                    .to_owned(),
            ),
            Error::Connection(cause, _) => Self::Unavailable(format!(
                "there is no system bus ({cause}): /run/dbus/system_bus_socket has to be there, in a container too"
            )),
            Error::Handshake(reason) if reason.contains("rejected") => {
                Self::Forbidden(format!("the system bus turns this user away: {}", line(reason)))
            }
            Error::Handshake(reason) => {
                Self::Other(format!("what listens there is no system bus: {}", line(reason)))
            }
            Error::Address(reason) => {
                Self::Other(format!("DBUS_SYSTEM_BUS_ADDRESS is not the address of a bus: {}", line(reason)))
            }
            other => Self::of_asking(other),
        }
    }

    pub(super) fn of_asking(error: &Error) -> Self {
        match error {
            Error::FDO(cause) => match &**cause {
                fdo::Error::NameHasNoOwner(_) | fdo::Error::ServiceUnknown(_) => {
                    Self::Unavailable("there is no systemd on the system bus of this machine".to_owned())
                }
                fdo::Error::AccessDenied(reason) | fdo::Error::AuthFailed(reason) => Self::Forbidden(
                    format!("the system bus does not let this user ask systemd: {}", line(reason)),
                ),
                fdo::Error::NoReply(_) | fdo::Error::Timeout(_) | fdo::Error::TimedOut(_) => {
                    Self::Timeout("systemd did not answer over the system bus in time".to_owned())
                }
                other => Self::Other(format!("systemd answered with an error: {}", line(&other.to_string()))),
            },
            Error::InputOutput(cause) => {
                Self::Unavailable(format!("the connection to the system bus broke: {cause}"))
            }
            other => Self::Other(format!(
                "systemd could not be asked over the system bus: {}",
                line(&other.to_string())
            )),
        }
    }
}

/// A text of others, in one line.
fn line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// Whether systemd says that there is no such unit. Usually it makes one up that is `not-found`.
pub(super) fn is_missing_unit(error: &Error) -> bool {
    matches!(error, Error::MethodError(name, ..) if name.as_str() == "org.freedesktop.systemd1.NoSuchUnit")
}

/// Whether systemd does not know the property.
pub(super) fn is_missing_property(error: &Error) -> bool {
    let Error::FDO(cause) = error else { return false };
    matches!(**cause, fdo::Error::UnknownProperty(_) | fdo::Error::UnknownInterface(_))
}
