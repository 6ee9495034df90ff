//! The tokens of services whose jobs send signs of life by themselves.

use std::collections::BTreeMap;

use pihook_core::Secret;

use super::dashboard::Dashboard;
use super::lines::below;
use super::problem::Fault;
use super::reader::{Fields, Node, Reader};
use super::services::ServiceConfig;

/// The check whose jobs send signs of life.
const CHECK: &str = "heartbeat";
/// The setting that holds the token.
pub(super) const TOKEN: &str = "token";
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;
const REMEDY: &str = "16 to 128 letters, digits, `-` and `_`, such as `openssl rand -hex 16` prints; best as `${NAME}` or `${file:PATH}`";

/// The setting that is secret whether it stands openly or not, and so is read apart from the others.
pub(super) fn setting(plugin: Option<&str>) -> Option<&'static str> {
    (plugin == Some(CHECK)).then_some(TOKEN)
}

/// The token of a service with such a check. Whether it is missing is for the plugin to say.
pub(super) fn token(fields: &Fields<'_>, plugin: Option<&str>, reader: &mut Reader<'_>) -> Option<Secret> {
    let key = setting(plugin)?;
    let settings = fields.get("settings")?;
    let value = settings.value.get(key).filter(|value| !value.is_null())?;
    let node = Node { value, path: below(&settings.path, key) };
    let token = reader.secret(&node)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let good = LENGTHS.contains(&token.expose().len()) && token.expose().chars().all(allowed);
    if !good {
        reader.fault(&node.path, Fault::new("this cannot be a token", REMEDY));
    }
    good.then_some(token)
}

/// Notes tokens that two services share, and those that nobody could send to.
pub(super) fn judge(services: &[ServiceConfig], dashboard: &Dashboard, reader: &mut Reader<'_>) {
    let mut owners: BTreeMap<&str, &ServiceConfig> = BTreeMap::new();
    for service in services.iter().filter(|service| service.check.plugin == CHECK) {
        if *dashboard == Dashboard::Off {
            let what = "signs of life come in at the dashboard's address, and it is off";
            let remedy = "a `dashboard:` with `listen:`, or another check";
            reader.fault(&below(&service.path, "check"), Fault::new(what, remedy));
        }
        let Some(token) = &service.check.push_token else { continue };
        if let Some(owner) = owners.insert(token.expose(), service) {
            let line = reader.line(&owner.path_of_setting(TOKEN));
            let what = format!("`{}` has the same token, in line {line}", owner.service.name);
            let fault = Fault::new(what, "a token of its own for each service");
            reader.fault(&service.path_of_setting(TOKEN), fault);
        }
    }
}
