//! What each kind of sink takes, for formatters that cut to measure by themselves. The sinks enforce it in any case.

use pihook_core::Measure;

/// What a sink of this kind takes. The default's are Discord's limits of an embed; of a kind without any they are those too,
/// so that nothing gets long that nobody reads.
#[must_use]
pub fn measure_of(kind: &str) -> Measure {
    match kind {
        "telegram" => Measure { total: 4096, ..Measure::default() },
        "ntfy" => Measure { body: 3500, total: 3500, ..Measure::default() },
        _ => Measure::default(),
    }
}
