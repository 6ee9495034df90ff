//! What services.yaml says of a Discord sink.

use pihook_core::Secret;
use url::Url;

use super::limits;
use crate::sinks::digest;

/// What services.yaml says of a Discord sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordSettings {
    /// The webhook's address.
    pub url: Secret,
    /// The name that messages appear under; the webhook's own if none.
    pub username: Option<String>,
    /// The thread of the channel to post to.
    pub thread_id: Option<String>,
    /// Whether the end of an incident makes no sound.
    pub silent_recoveries: bool,
    /// Whether the end of an incident changes its message instead of being a new one.
    pub update: bool,
}

/// Discord could not accept a setting. Says what is wrong; [`SettingsError::remedy`] says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The address is none that can be posted to.
    #[error("this is not the address of a webhook")]
    Url,
    /// Discord's rules for names.
    #[error("Discord does not take this as a name")]
    Username,
    /// Not a thread's number.
    #[error("this is not a thread's ID")]
    Thread,
}

impl SettingsError {
    /// The setting's name in services.yaml.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            SettingsError::Url => "url",
            SettingsError::Username => "username",
            SettingsError::Thread => "thread_id",
        }
    }

    /// What would be right.
    #[must_use]
    pub fn remedy(self) -> String {
        match self {
            SettingsError::Url => "a URL such as https://discord.com/api/webhooks/<id>/<token>".to_owned(),
            SettingsError::Username => format!(
                "1 to {} characters (an emoji counts as two) without \"clyde\" and \"discord\" in them",
                limits::USERNAME
            ),
            SettingsError::Thread => "the number that Discord gives for \"Copy Thread ID\"".to_owned(),
        }
    }
}

impl DiscordSettings {
    /// Where requests go.
    pub(super) fn endpoint(&self) -> Result<Url, SettingsError> {
        let mut url: Url = self.url.expose().trim().parse().map_err(|_| SettingsError::Url)?;
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            return Err(SettingsError::Url);
        }
        let thread = self.thread()?;
        // With `wait`, Discord answers after it has stored the message; without, it would not say that it failed to.
        url.set_query(Some("wait=true"));
        if let Some(thread) = thread {
            url.query_pairs_mut().append_pair("thread_id", thread);
        }
        url.set_fragment(None);
        Ok(url)
    }

    /// The username as Discord takes it.
    pub(super) fn display_name(&self) -> Result<Option<String>, SettingsError> {
        let Some(name) = self.username.as_deref().map(str::trim) else { return Ok(None) };
        let lower = name.to_lowercase();
        let fits = !name.is_empty() && limits::units(name) <= limits::USERNAME;
        let allowed = !lower.contains("clyde") && !lower.contains("discord");
        if fits && allowed { Ok(Some(name.to_owned())) } else { Err(SettingsError::Username) }
    }

    fn thread(&self) -> Result<Option<&str>, SettingsError> {
        match self.thread_id.as_deref().map(str::trim) {
            Some(id) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(id)),
            Some(_) => Err(SettingsError::Thread),
            None => Ok(None),
        }
    }

    /// A digest's first 64 bits: enough to notice a change, and a webhook's token is too long to be found by trying.
    pub(super) fn fingerprint(&self) -> String {
        let texts = [Some(self.url.expose()), self.username.as_deref(), self.thread_id.as_deref()];
        let flags = [self.silent_recoveries.then_some("silent"), self.update.then_some("update")];
        digest(std::iter::once(Some("discord")).chain(texts).chain(flags))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> DiscordSettings {
        DiscordSettings {
            url: Secret::new(url.to_owned()),
            username: None,
            thread_id: None,
            silent_recoveries: false,
            update: false,
        }
    }

    const URL: &str = "https://discord.com/api/webhooks/1/token";

    #[test]
    fn the_endpoint_waits_and_names_the_thread() {
        assert_eq!(settings(URL).endpoint().unwrap().as_str(), format!("{URL}?wait=true"));
        let threaded =
            DiscordSettings { thread_id: Some("42".to_owned()), ..settings(&format!("{URL}?wait=false#x")) };
        assert_eq!(threaded.endpoint().unwrap().as_str(), format!("{URL}?wait=true&thread_id=42"));
    }

    #[test]
    fn what_discord_cannot_accept_is_an_error_without_the_address() {
        for url in ["", "token", "file:///etc/passwd", "mailto:secret@example.org", "https://"] {
            let error = settings(url).endpoint().unwrap_err();
            assert_eq!(error, SettingsError::Url);
            assert!(!error.to_string().contains("secret"));
        }
        for name in ["", " ", "My Discord", "CLYDE", &"x".repeat(81)] {
            let named = DiscordSettings { username: Some(name.to_owned()), ..settings(URL) };
            assert_eq!(named.display_name(), Err(SettingsError::Username), "{name}");
        }
        let threaded = DiscordSettings { thread_id: Some("general".to_owned()), ..settings(URL) };
        assert_eq!(threaded.endpoint(), Err(SettingsError::Thread));
    }

    #[test]
    fn the_fingerprint_follows_every_setting() {
        let base = settings(URL);
        let named = DiscordSettings { username: Some(String::new()), ..base.clone() };
        let threaded = DiscordSettings { thread_id: Some(String::new()), ..base.clone() };
        let other = settings("https://discord.com/api/webhooks/2/token");
        let all = [&base, &named, &threaded, &other].map(DiscordSettings::fingerprint);
        for (index, fingerprint) in all.iter().enumerate() {
            assert_eq!(fingerprint.len(), 16);
            assert!(!all[..index].contains(fingerprint));
        }
        assert_eq!(base.fingerprint(), settings(URL).fingerprint());
    }
}
