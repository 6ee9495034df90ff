//! What the database keeps as JSON: alerts, messages and the state of services.
//!
//! Core types are not serialisable, so that a rename there cannot change what is on disk. A field that is added
//! later needs `#[serde(default)]`.

mod alert;
mod state;
mod text;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use alert::{AlertDto, MessageDto};
pub(super) use state::ServiceDto;

use super::StoreError;

/// One JSON text.
pub(super) fn encode(dto: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(dto).map_err(StoreError::Encode)
}

/// The reverse of [`encode`].
pub(super) fn decode<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(json)
}

#[cfg(test)]
mod tests;
