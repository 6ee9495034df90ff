//! What the sink takes, so that a formatter can cut to measure by itself.

/// One sink's limits, in UTF-16 units where characters are counted. What is longer is cut by the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The title's length.
    pub title: usize,
    /// The body's length.
    pub body: usize,
    /// How many fields there may be.
    pub fields: usize,
    /// The length of a field's value.
    pub value: usize,
    /// The length of all text together.
    pub total: usize,
}

impl Default for Measure {
    /// What most sinks take.
    fn default() -> Self {
        Self { title: 256, body: 4096, fields: 25, value: 1024, total: 6000 }
    }
}

/// The limits of the sink that the message goes to; the default in a native build.
#[must_use]
pub fn of_sink() -> Measure {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::history::limits();
    #[cfg(not(target_arch = "wasm32"))]
    Measure::default()
}
