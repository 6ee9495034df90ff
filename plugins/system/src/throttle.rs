//! The word in which the firmware of a Raspberry Pi says why it slows the machine down.

/// Where the kernel shows it: on a Raspberry Pi up to the fourth, and on the fifth.
pub const FILES: [&str; 2] = [
    "/sys/devices/platform/soc/soc:firmware/get_throttled",
    "/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
];

/// Bits of what happens now; 16 higher is the same for what has happened since the boot, or since the kernel has last
/// made the firmware forget it.
const REASONS: [(u32, &str); 4] = [
    (0, "under-voltage"),
    (1, "a capped frequency"),
    (2, "throttling"),
    (3, "a limit because of its temperature"),
];

/// What has happened is this much higher.
const EARLIER: u32 = 16;

/// The word as the kernel writes it, in hexadecimal digits.
#[must_use]
pub fn word(content: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(content).ok()?.trim();
    u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// What is wrong now; none if nothing is.
#[must_use]
pub fn now(word: u32) -> Option<String> {
    let remedy = if word & 1 == 1 { ": its power supply or its cable is too weak" } else { "" };
    listed(word).map(|reasons| format!("the Raspberry Pi reports {reasons}{remedy}"))
}

/// What was wrong and is not any more; none if nothing was.
#[must_use]
pub fn earlier(word: u32) -> Option<String> {
    let over = (word >> EARLIER) & !word;
    listed(over).map(|reasons| format!("the Raspberry Pi has reported {reasons}"))
}

fn listed(bits: u32) -> Option<String> {
    let names: Vec<&str> =
        REASONS.iter().filter(|(bit, _)| (bits >> bit) & 1 == 1).map(|(_, name)| *name).collect();
    match names.as_slice() {
        [] => None,
        [name] => Some((*name).into()),
        [names @ .., last] => Some(format!("{} and {last}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_hexadecimal() {
        for (content, expected) in [
            (&b"0\n"[..], Some(0)),
            (b"50005\n", Some(0x50005)),
            (b"0x50000", Some(0x50000)),
            (b"e0000", Some(0xe0000)),
            (b"", None),
            (b"-1", None),
            (b"throttled=0x0", None),
            (b"100000000", None),
            (b"\xff", None),
        ] {
            assert_eq!(word(content), expected, "{content:?}");
        }
    }

    #[test]
    fn now_and_earlier_are_told_apart() {
        for (word, at_present, before) in [
            (0, None, None),
            (
                0x50005,
                Some(
                    "the Raspberry Pi reports under-voltage and throttling: its power supply or its cable is too weak",
                ),
                None,
            ),
            (0x50000, None, Some("the Raspberry Pi has reported under-voltage and throttling")),
            (
                0xf0008,
                Some("the Raspberry Pi reports a limit because of its temperature"),
                Some("the Raspberry Pi has reported under-voltage, a capped frequency and throttling"),
            ),
            (0xfff0_fff0, None, None),
        ] {
            assert_eq!(now(word).as_deref(), at_present, "{word:x}");
            assert_eq!(earlier(word).as_deref(), before, "{word:x}");
        }
    }
}
