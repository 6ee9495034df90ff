//! Passwords that are kept as what they hash to, by Argon2.

use std::fmt;

use argon2::password_hash::phc;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};

/// The most memory that a hash may ask for, in KiB: it is taken for each attempt to log in.
const MEMORY: u32 = 256 << 10;
/// The most passes over it.
const PASSES: u32 = 64;
/// The longest password that is looked at, in bytes.
pub const LONGEST: usize = 1024;

/// What a password hashes to, with the salt and what it costs to compute: a PHC string such as `$argon2id$v=19$m=…`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string of Argon2.
    ///
    /// # Errors
    /// What is wrong with it. The text itself is not repeated.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let hash = phc::PasswordHash::new(text).map_err(|_| "this is no hash of a password")?;
        if !hash.algorithm.as_str().starts_with("argon2") || hash.hash.is_none() || hash.salt.is_none() {
            return Err("this hash is not one of Argon2");
        }
        let params =
            Params::try_from(&hash).map_err(|_| "this hash has parameters that Argon2 does not have")?;
        if params.m_cost() > MEMORY || params.t_cost() > PASSES {
            return Err("this hash costs too much to compute: 256 MiB and 64 passes are the most");
        }
        Ok(Self(text.to_owned()))
    }

    /// Hashes a password with a salt of its own, as OWASP recommends: Argon2id, 19 MiB, two passes. It takes a while.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn of(password: &str) -> Result<Self, String> {
        let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Self(hash.to_string()))
    }

    /// Whether it is this password's. It takes a while, and as much memory as the hash says.
    #[must_use]
    pub fn is_of(&self, password: &str) -> bool {
        Argon2::default().verify_password(password.as_bytes(), self.0.as_str()).is_ok()
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_alone() {
        let hash = PasswordHash::of("correct horse").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        let read = PasswordHash::parse(hash.as_str()).unwrap();
        assert!(read.is_of("correct horse") && !read.is_of("correct horse ") && !read.is_of(""));
        assert_ne!(PasswordHash::of("correct horse").unwrap(), hash, "each has a salt of its own");
        assert_eq!(format!("{hash:?}"), "***");
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_refused() {
        for (text, why) in [
            ("", "no hash"),
            ("hunter2", "no hash"),
            ("$2b$12$abcdefghijklmnopqrstuuu", "no"),
            ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", "not one"),
            (
                "$argon2id$v=19$m=1048576,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "too much",
            ),
        ] {
            let wrong = PasswordHash::parse(text).unwrap_err();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(\\$argon2id?)?(\\$v=[0-9]{1,3})?(\\$m=[0-9]{1,12},t=[0-9]{1,4})?.{0,60}") {
            let _ = PasswordHash::parse(&text);
        }
    }
}
