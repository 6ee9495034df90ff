//! Units of systemd, over the system bus: asked, and never told.
//!
//! Each question has a connection of its own. It costs a millisecond, and nothing is left that could go stale when the
//! bus is restarted.

mod error;

use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;
use zbus::connection::{Builder, Connection};
use zbus::wire::Type;
use zbus::{Message, OwnedObjectPath, Variant};

pub use error::UnitError;
use error::{is_missing_property, is_missing_unit};

const BUS: &str = "org.freedesktop.DBus";
const SYSTEMD: &str = "org.freedesktop.systemd1";

/// Asks systemd. It keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnitProbe;

/// A unit, in systemd's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// Such as `loaded`, `not-found`, `masked`.
    pub load_state: String,
    /// Such as `active`, `failed`.
    pub active_state: String,
    /// Such as `running`, `dead`.
    pub sub_state: String,
    /// Why a service ended; empty for other kinds of units.
    pub result: String,
    /// How often systemd has restarted it by itself; 0 for other kinds of units.
    pub restarts: u32,
    /// When it entered its state, in milliseconds since 1970 UTC; 0 if never.
    pub since_ms: i64,
}

/// A row of `ListUnitsByNames`.
#[derive(Deserialize, Type)]
struct Row {
    _name: String,
    _description: String,
    load_state: String,
    active_state: String,
    sub_state: String,
    _following: String,
    path: OwnedObjectPath,
    _job: u32,
    _job_kind: String,
    _job_path: OwnedObjectPath,
}

impl UnitProbe {
    /// The unit with this name. One that does not exist has the load state `not-found`.
    ///
    /// # Errors
    /// If systemd cannot be asked, or does not answer within this time.
    pub async fn inspect(self, name: &str, within: Duration) -> Result<UnitState, UnitError> {
        ask(Builder::system(), name, within).await
    }
}

async fn ask(bus: Builder<'_>, name: &str, within: Duration) -> Result<UnitState, UnitError> {
    let whole = async {
        let connection = bus.build().await.map_err(|error| UnitError::of_connecting(&error))?;
        let state = Systemd::find(&connection).await?.inspect(name).await;
        // Else it lives on until its tasks notice.
        let _ = connection.close().await;
        state
    };
    timeout(within, whole).await.unwrap_or_else(|_| Err(UnitError::late(within)))
}

/// systemd on a bus.
struct Systemd<'c> {
    connection: &'c Connection,
    /// The address of who answers, so that the bus does not look for somebody to start.
    address: String,
}

impl<'c> Systemd<'c> {
    async fn find(connection: &'c Connection) -> Result<Self, UnitError> {
        let path = "/org/freedesktop/DBus";
        let reply = connection.call_method(Some(BUS), path, Some(BUS), "GetNameOwner", &SYSTEMD).await;
        let reply = reply.map_err(|error| UnitError::of_asking(&error))?;
        let address = reply.body().deserialize().map_err(|error| UnitError::of_asking(&error))?;
        Ok(Self { connection, address })
    }

    async fn inspect(&self, name: &str) -> Result<UnitState, UnitError> {
        let manager = "org.freedesktop.systemd1.Manager";
        let path = "/org/freedesktop/systemd1";
        let listed = self.call(path, manager, "ListUnitsByNames", &vec![name]).await;
        let row = match listed {
            Ok(reply) => reply.body().deserialize::<Vec<Row>>().map(|rows| rows.into_iter().next()),
            Err(error) if is_missing_unit(&error) => Ok(None),
            Err(error) => Err(error),
        };
        let Some(row) = row.map_err(|error| UnitError::of_asking(&error))? else {
            return Ok(UnitState { load_state: "not-found".to_owned(), ..UnitState::default() });
        };
        let since: u64 = self.property(&row.path, "Unit", "StateChangeTimestamp").await?;
        let (result, restarts) = match name.ends_with(".service") && row.load_state != "not-found" {
            true => (
                self.property(&row.path, "Service", "Result").await?,
                self.property(&row.path, "Service", "NRestarts").await?,
            ),
            false => Default::default(),
        };
        Ok(UnitState {
            load_state: row.load_state,
            active_state: row.active_state,
            sub_state: row.sub_state,
            result,
            restarts,
            since_ms: i64::try_from(since / 1000).unwrap_or(i64::MAX),
        })
    }

    /// A property of a unit; nothing of those that an old systemd does not have.
    async fn property<T>(&self, path: &OwnedObjectPath, kind: &str, name: &str) -> Result<T, UnitError>
    where
        T: Default + for<'v> TryFrom<Variant<'v>>,
    {
        let interface = format!("org.freedesktop.systemd1.{kind}");
        let properties = "org.freedesktop.DBus.Properties";
        let reply = match self.call(path.as_str(), properties, "Get", &(interface, name)).await {
            Ok(reply) => reply,
            Err(error) if is_missing_property(&error) => return Ok(T::default()),
            Err(error) => return Err(UnitError::of_asking(&error)),
        };
        let body = reply.body();
        let value: Variant<'_> = body.deserialize().map_err(|error| UnitError::of_asking(&error))?;
        T::try_from(value).map_err(|_| UnitError::odd(name))
    }

    async fn call<B>(&self, path: &str, interface: &str, method: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::wire::DynamicType + Sync,
    {
        self.connection.call_method(Some(self.address.as_str()), path, Some(interface), method, body).await
    }
}

#[cfg(test)]
mod tests;
