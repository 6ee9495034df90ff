//! The maintenance flag: any text is understood or explained.

use pihook::maintenance::{parse, text};

/// Reads the bytes as the flag's content, and what is understood of it once more as PiHook writes it.
pub fn run(data: &[u8]) {
    let Ok(content) = std::str::from_utf8(data) else { return };
    match parse(content) {
        Err(why) => assert!(!why.is_empty()),
        Ok(flag) => {
            let written = text(&flag).expect("a flag can be written");
            assert_eq!(parse(&written), Ok(flag), "{written}");
        }
    }
}
