//! What a sink has to know for longer than one attempt.

use std::fmt;
use std::pin::Pin;

/// Small facts that outlive an attempt and a restart, such as the number under which a provider keeps a message. They
/// are a help and no more: what cannot be recalled is done without.
pub trait Memory: fmt::Debug + Send + Sync {
    /// What was remembered of the topic under this key.
    fn recall<'a>(&'a self, topic: &'a str, key: &'a str) -> Recalling<'a>;

    /// Remembers it. Of each topic only so many of the newest are kept.
    fn remember<'a>(&'a self, topic: &'a str, key: &'a str, value: &'a str) -> Remembering<'a>;
}

/// What [`Memory::recall`] returns.
pub type Recalling<'a> = Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;

/// What [`Memory::remember`] returns.
pub type Remembering<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Remembers nothing.
#[derive(Clone, Copy, Debug)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall<'a>(&'a self, _topic: &'a str, _key: &'a str) -> Recalling<'a> {
        Box::pin(std::future::ready(None))
    }

    fn remember<'a>(&'a self, _topic: &'a str, _key: &'a str, _value: &'a str) -> Remembering<'a> {
        Box::pin(std::future::ready(()))
    }
}
