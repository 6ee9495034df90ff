//! Signs of life from the configuration to those who hear, keep and judge them.

use std::pin::Pin;
use std::sync::Arc;

use pihook_core::{Moment, Secret, ServiceId};
use tokio::sync::mpsc;
use tracing::error;

use super::{DATABASE, Prepared};
use crate::clock::Clock;
use crate::config::{Config, ServiceConfig};
use crate::engine::{Command, EngineHandle};
use crate::heartbeats::{Arrival, Heartbeats, Inlet, Record, inlet};
use crate::store::{Store, StoreError, StoreReader};
use crate::tasks::heartbeats::HeartbeatWriter;
use crate::words::chain;

fn tokens(config: &Config) -> Vec<(ServiceId, Secret)> {
    let token =
        |service: &ServiceConfig| Some((service.service.id.clone(), service.check.push_token.clone()?));
    config.services.iter().filter_map(token).collect()
}

/// Waits for the signs of life that the configuration names, from where the database left off.
async fn follow(
    heartbeats: &Heartbeats,
    store: &Store,
    config: &Config,
    now: Moment,
) -> Result<(), StoreError> {
    let tokens = tokens(config);
    let services = tokens.iter().map(|(service, _)| service.clone()).collect();
    let (records, result) = match store.wait_for(services, now.wall).await {
        Ok(records) => (records, Ok(())),
        // They are heard all the same.
        Err(error) => (Vec::new(), Err(error)),
    };
    heartbeats.follow(tokens, records, now);
    result
}

/// The same at the start, and the way in.
pub(super) async fn open(
    heartbeats: &Arc<Heartbeats>,
    store: &Store,
    config: &Config,
    now: Moment,
) -> Result<(Inlet, mpsc::Receiver<Arrival>), StoreError> {
    follow(heartbeats, store, config, now).await?;
    Ok(inlet(heartbeats.clone()))
}

/// The same while everything runs.
pub(super) async fn follow_on(heartbeats: &Heartbeats, store: &Store, config: &Config, now: Moment) {
    if let Err(error) = follow(heartbeats, store, config, now).await {
        error!("since when signs of life are waited for is not on disk: {}", chain(&error));
    }
}

/// For one-off use: what the daemon has written of signs of life, if it ever ran.
pub(super) fn recall(prepared: &Prepared) {
    let tokens = tokens(&prepared.config);
    if tokens.is_empty() {
        return;
    }
    let heartbeats = &prepared.probes.heartbeats;
    heartbeats.follow(tokens, records(&prepared.config), prepared.clock.now());
    heartbeats.heard_elsewhere();
}

fn records(config: &Config) -> Vec<Record> {
    let database = config.data_dir.join(DATABASE);
    if !database.exists() {
        return Vec::new();
    }
    let read = StoreReader::open(&database).and_then(|reader| reader.heartbeats());
    read.inspect_err(|error| error!("what is known of signs of life cannot be read: {}", chain(error)))
        .unwrap_or_default()
}

/// What writes signs of life and has the engine check their services.
pub(super) fn writer(
    heartbeats: &Arc<Heartbeats>,
    store: &Store,
    clock: &Arc<dyn Clock>,
    engine: &EngineHandle,
) -> HeartbeatWriter {
    let engine = engine.clone();
    let check_now = move |service| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let engine = engine.clone();
        Box::pin(async move { engine.send(Command::CheckNow(service)).await })
    };
    HeartbeatWriter {
        store: store.clone(),
        heartbeats: heartbeats.clone(),
        clock: clock.clone(),
        check_now: Arc::new(check_now),
    }
}
