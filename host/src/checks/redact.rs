//! Keeps secrets out of what a check says: the last fence before logs, history and messages.

use pihook_core::Secret;

/// Shorter secrets are not looked for: they would turn ordinary words into stars.
const SHORTEST: usize = 4;

/// Replaces known secrets in text.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
}

impl Redactor {
    /// Looks for these, the longest first, so that no part of one is left when another is contained in it.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let mut secrets: Vec<Secret> =
            secrets.iter().filter(|secret| secret.expose().len() >= SHORTEST).cloned().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { secrets }
    }

    /// The text with each secret as `***`.
    #[must_use]
    pub fn redact(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| {
            if text.contains(secret.expose()) { text.replace(secret.expose(), "***") } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_within_another_leaves_no_rest() {
        let redactor = Redactor::new(&["pass", "password", "x"].map(|text| Secret::new(text.to_owned())));
        assert_eq!(redactor.redact("password pass x".into()), "*** *** x");
    }
}
