//! All plugins by id: those that come with PiHook and those that services.yaml adds or replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Plugin;
use super::load::{LoadError, PluginHost};
use super::source::PluginSource;

/// The plugins that are loaded, and why others are not.
#[derive(Default)]
pub struct Library {
    plugins: BTreeMap<String, Result<Arc<Plugin>, Arc<LoadError>>>,
}

impl Library {
    /// Loads the plugins with the ids that are `wanted`: from `configured` if it is there, else the bundled one. A
    /// plugin that cannot be loaded does not stop the others; asking for it tells why.
    pub async fn load(
        host: &PluginHost,
        wanted: impl IntoIterator<Item = &str>,
        configured: &BTreeMap<String, Result<PluginSource, Arc<LoadError>>>,
    ) -> Self {
        let mut plugins = BTreeMap::new();
        for id in wanted {
            if plugins.contains_key(id) {
                continue;
            }
            let loaded = match configured.get(id) {
                Some(Ok(source)) => Some(host.load(source).await),
                Some(Err(error)) => {
                    plugins.insert(id.to_owned(), Err(error.clone()));
                    None
                }
                None => match PluginSource::bundled(id) {
                    Some(source) => Some(host.load(&source).await),
                    None => None,
                },
            };
            if let Some(loaded) = loaded {
                plugins.insert(id.to_owned(), loaded.map(Arc::new).map_err(Arc::new));
            }
        }
        Self { plugins }
    }

    /// The digests of the plugins that are loaded.
    pub(super) fn digests(&self) -> BTreeSet<String> {
        self.plugins.values().flatten().map(|plugin| plugin.digest.to_string()).collect()
    }

    /// The plugin with this id; the inner error says why it could not be loaded, `None` that nobody knows it.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Result<Arc<Plugin>, Arc<LoadError>>> {
        self.plugins.get(id)
    }
}
