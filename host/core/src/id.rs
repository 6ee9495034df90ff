//! Names that identify things. One type each, so that a zone is never passed for a service.

use std::fmt;
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is; whoever reads it from outside validates it first.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(Arc::from(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A service's identity: `id:` in services.yaml, else a slug of its name. It keeps history across restarts.
    ServiceId
}
id! {
    /// A zone's name, such as `local`.
    ZoneId
}
id! {
    /// A sink's key in services.yaml, such as `discord`.
    SinkId
}

/// An incident's number, unique in one database and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u64);

impl IncidentId {
    /// What an alert has that belongs to no incident; numbers begin with 1.
    pub const NONE: IncidentId = IncidentId(0);
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
