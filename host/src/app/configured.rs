//! What services.yaml says, as the dashboard shows it: without secrets.

use pihook_core::maintenance::Window;

use super::masked::masked;
use crate::config::Config;
use crate::dashboard::Configured;

/// What the dashboard needs of it.
pub(super) fn configured(config: &Config) -> Configured {
    let settings = config.services.iter();
    Configured {
        settings: settings.map(|it| (it.service.id.clone(), masked(&it.check.settings))).collect(),
        zones: config.zones.clone(),
        maintenance_flag: config.maintenance_flag.clone(),
        windows: config.windows.iter().map(Window::clone).collect(),
    }
}
