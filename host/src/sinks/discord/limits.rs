//! Discord's limits, counted in UTF-16 units: its documents do not name the unit, and this one is the safest.

pub(super) const CONTENT: usize = 2000;
pub(super) const TITLE: usize = 256;
pub(super) const DESCRIPTION: usize = 4096;
pub(super) const FIELDS: usize = 25;
pub(super) const FIELD_NAME: usize = 256;
pub(super) const FIELD_VALUE: usize = 1024;
pub(super) const FOOTER: usize = 2048;
/// All text of all embeds of a message together.
pub(super) const EMBEDS_TOTAL: usize = 6000;
pub(super) const USERNAME: usize = 80;

pub(super) use crate::sinks::text::{cut_middle, fair_cap, units};
