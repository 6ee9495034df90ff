//! A formatted alert, neutral between sinks.

/// A message's colour by its meaning; a sink picks the shade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Colour {
    /// All is well again.
    Good,
    /// Worth a look.
    Warning,
    /// Broken.
    Bad,
    /// Neither: PiHook cannot tell, or it is only news.
    Neutral,
}

/// A name and a value, shown as a row or a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its label.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it may stand beside its neighbours.
    pub layout: FieldLayout,
}

/// How a field may be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldLayout {
    /// A row of its own.
    Row,
    /// A cell beside others.
    Cell,
}

/// A formatted alert. All text is plain: the sink escapes it and enforces the provider's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line; never empty.
    pub title: String,
    /// A few lines; may be empty.
    pub body: String,
    /// Details in order.
    pub fields: Vec<Field>,
    /// The colour by its meaning.
    pub colour: Colour,
}

/// Limits of a message, in UTF-16 units where characters are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The title's length.
    pub title: u32,
    /// The body's length.
    pub body: u32,
    /// How many fields there may be.
    pub fields: u32,
    /// The length of a field's value.
    pub value: u32,
    /// The length of all text together.
    pub total: u32,
}

impl Default for Measure {
    fn default() -> Self {
        Self { title: 256, body: 4096, fields: 25, value: 1024, total: 6000 }
    }
}
