//! What a service's `settings` may say.

use pihook_plugin::Problem;
use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use serde::{Deserialize, Deserializer};

/// The settings of the `container` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The container.
    pub container: ContainerName,
    /// The socket to ask; the one that is granted without this.
    pub socket: Option<String>,
    /// Whether its own health check counts.
    #[serde(default = "yes")]
    pub healthy: bool,
}

/// A container's name, or its id or the beginning of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerName(pub String);

impl<'de> Deserialize<'de> for ContainerName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ContainerName, D::Error> {
        let text = String::deserialize(deserializer)?;
        // What Docker and Podman both allow.
        let known = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= 255 && text.chars().all(known) {
            Ok(ContainerName(text))
        } else {
            let what = format!("\"{}\" is no name of a container", one_line(&text, 60));
            Err(invalid(what, "as `docker ps` shows it under NAMES, such as jellyfin"))
        }
    }
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let remedy = "an absolute path, such as /run/docker.sock";
        let what = match self.socket.as_deref() {
            Some(socket) if socket.contains("${secret:") => {
                "comes from a secret, which is not filled in here"
            }
            Some(socket) if !socket.starts_with('/') => "is no absolute path",
            _ => return Vec::new(),
        };
        vec![Problem::new("socket", what, remedy)]
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
