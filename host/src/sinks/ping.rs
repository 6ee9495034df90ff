//! A sign of life, by HTTP.

use pihook_core::Secret;

use super::client::{HttpClient, describe};

/// Where signs of life go.
#[derive(Clone, Debug)]
pub struct Ping {
    client: HttpClient,
    url: Secret,
}

impl Ping {
    /// Signs of life to this address, which is all that it takes to give them and so is never shown.
    #[must_use]
    pub fn new(client: HttpClient, url: Secret) -> Self {
        Self { client, url }
    }

    /// Sends one, by GET.
    ///
    /// # Errors
    /// Why it did not arrive, without the address.
    pub async fn send(&self) -> Result<(), String> {
        let answer = self.client.get().get(self.url.expose()).send().await.map_err(describe)?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("HTTP {}", status.as_u16())) }
    }
}
