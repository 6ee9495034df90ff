//! The question that a service asks.

use std::time::Duration;

use pihook_core::Secret;
use serde_json::{Map, Value};
use url::Url;

use super::lines::below;
use super::pace::Pace;
use super::problem::Fault;
use super::push;
use super::reader::{Fields, Node, Reader, is_name};
use super::secrets::OfSettings;

const ADDRESS: &str = "such as `http://192.168.1.10:8096/health`";

/// The question that a service asks.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckConfig {
    /// The check plugin's id.
    pub plugin: String,
    /// Its settings, an object. Where `${…}` stood there is `${secret:N}`, N an index into `secrets`.
    pub settings: Value,
    /// What the placeholders stand for.
    pub secrets: Vec<Secret>,
    /// What signs of life for this service are sent with; none if the check waits for none.
    pub push_token: Option<Secret>,
    /// Immediate further attempts within one check.
    pub retries: u32,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long the answer may take.
    pub read_timeout: Duration,
}

/// Reads the check of a service; `None` if the file does not say which one it is.
pub(super) fn read(fields: &Fields<'_>, pace: &Pace, reader: &mut Reader<'_>) -> Option<CheckConfig> {
    let mut secrets = OfSettings::default();
    let url = fields.get("url");
    let plugin = read_plugin(fields, url.is_some(), reader);
    let apart = push::setting(plugin.as_deref());
    let push_token = push::token(fields, plugin.as_deref(), reader);
    let mut settings = fields
        .get("settings")
        .map(|node| read_settings(&node, apart, &mut secrets, reader))
        .unwrap_or_default();
    own_host(&format!("{}.settings.url", fields.path), settings.get("url"), reader);
    if let Some(node) = url {
        if settings.contains_key("url") {
            let fault = Fault::new("the address stands here and in `settings`", "keep one of the two");
            reader.fault(&node.path, fault);
        }
        let url = reader.hidden(&node, &mut secrets).map(Value::String);
        if own_host(&node.path, url.as_ref(), reader) {
            let checked = url.as_ref().and_then(Value::as_str).map_or(Ok(()), address);
            reader.keep(&node.path, checked);
        }
        settings.insert("url".to_owned(), url.unwrap_or_default());
    }
    if let Some(token) = &push_token {
        settings.insert(push::TOKEN.to_owned(), Value::String(secrets.placeholder(token.clone())));
    }
    Some(CheckConfig {
        plugin: plugin?,
        settings: Value::Object(settings),
        secrets: secrets.values,
        push_token,
        retries: pace.retries,
        connect_timeout: pace.connect_timeout,
        read_timeout: pace.read_timeout,
    })
}

fn read_plugin(fields: &Fields<'_>, has_url: bool, reader: &mut Reader<'_>) -> Option<String> {
    let Some(node) = fields.get("check") else {
        if !has_url {
            let remedy = "`url: http://…` for a web page, or `check:` and `settings:`";
            reader.fault(&fields.path, Fault::new("this service has nothing to check", remedy));
        }
        return has_url.then(|| "http".to_owned());
    };
    let plugin = reader.text(&node)?;
    if !is_name(&plugin) {
        let fault =
            Fault::new(format!("{} is no plugin's id", super::problem::quoted(&plugin)), "such as `http`");
        reader.fault(&node.path, fault);
        return None;
    }
    if has_url && plugin != "http" {
        let what = format!("`url` goes with the check `http` alone, not with `{plugin}`");
        reader.fault(
            &below(&fields.path, "url"),
            Fault::new(what, "put it below `settings:`, or remove `check:`"),
        );
    }
    Some(plugin)
}

/// The settings but the key `apart`, which is read apart from the others.
fn read_settings(
    node: &Node<'_>,
    apart: Option<&str>,
    secrets: &mut OfSettings,
    reader: &mut Reader<'_>,
) -> Map<String, Value> {
    let mut value = node.value.clone();
    if let (Some(key), Value::Object(settings)) = (apart, &mut value) {
        settings.remove(key);
    }
    match hide(&Node { value: &value, path: node.path.clone() }, secrets, reader) {
        Value::Object(settings) => settings,
        _ => {
            reader.wrong_kind(node, "a mapping", "such as `settings: { url: \"http://…\" }`".to_owned());
            Map::new()
        }
    }
}

/// The value with placeholders in place of its secrets. The file's depth is bounded, and this with it.
fn hide(node: &Node<'_>, secrets: &mut OfSettings, reader: &mut Reader<'_>) -> Value {
    match node.value {
        Value::String(_) => reader.hidden(node, secrets).map_or(Value::Null, Value::String),
        Value::Array(_) => {
            let items = reader.items(node, "").unwrap_or_default();
            Value::Array(items.iter().map(|item| hide(item, secrets, reader)).collect())
        }
        Value::Object(map) => {
            let mut hidden = Map::new();
            for (key, value) in map {
                let path = below(&node.path, key);
                if key.contains("${") {
                    let fault =
                        Fault::new("`${…}` works in values only, and this is a key", "write the key out");
                    reader.fault(&path, fault);
                }
                hidden.insert(key.clone(), hide(&Node { value, path }, secrets, reader));
            }
            Value::Object(hidden)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => node.value.clone(),
    }
}

/// Whether the address names its host openly: the host decides where the service's secrets may go.
fn own_host(path: &str, url: Option<&Value>, reader: &mut Reader<'_>) -> bool {
    let Some(Value::String(url)) = url else { return true };
    // URL parsers take any number of slashes of either kind before the host, and drop white space.
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let rest = rest.trim_start_matches(|c: char| matches!(c, '/' | '\\') || c <= ' ');
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    if !scheme.contains("${") && !authority.contains("${") {
        return true;
    }
    let what = "the host and port of an address cannot come from `${…}`: secrets are sent there alone";
    reader.fault(path, Fault::new(what, "write them out; credentials go below `settings:` in `auth:`, and `${…}` may follow after the next `/`"));
    false
}

fn address(url: &str) -> Result<(), Fault> {
    let Ok(url) = Url::parse(url) else {
        return Err(Fault::new("this is not a web address", ADDRESS));
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Fault::new("this is not an address that starts with `http://` or `https://`", ADDRESS));
    }
    Ok(())
}
