//! A sink's memory, kept in the database.

use std::fmt;

use pihook_core::SinkId;

use super::crew::report;
use crate::sinks::{Memory, Recalling, Remembering};
use crate::store::Store;

/// What one sink remembers.
pub(super) struct Recollection<'a> {
    pub(super) store: &'a Store,
    pub(super) sink: &'a SinkId,
}

impl fmt::Debug for Recollection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recollection").field("sink", self.sink).finish_non_exhaustive()
    }
}

impl Memory for Recollection<'_> {
    fn recall<'a>(&'a self, topic: &'a str, key: &'a str) -> Recalling<'a> {
        Box::pin(async move {
            let recalled = self.store.recall_of_sink(self.sink, topic, key).await;
            recalled.inspect_err(|error| report("what a sink knows cannot be read", error)).ok().flatten()
        })
    }

    fn remember<'a>(&'a self, topic: &'a str, key: &'a str, value: &'a str) -> Remembering<'a> {
        Box::pin(async move {
            if let Err(error) = self.store.remember_of_sink(self.sink, topic, key, value).await {
                report("what a sink has learned is not kept", &error);
            }
        })
    }
}
