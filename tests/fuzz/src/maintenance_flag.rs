//! The maintenance flag: any text is understood or explained.

use pihook::maintenance::parse;

/// Reads the bytes as the flag's content, and what is understood once more.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse(text) {
        Err(why) => assert!(!why.is_empty()),
        Ok(flag) => {
            // JSON is YAML too.
            let again = serde_json::json!({
                "until": flag.until.map(|until| until.to_string()),
                "services": flag.services,
                "zones": flag.zones,
                "reason": flag.reason,
            });
            assert_eq!(parse(&again.to_string()), Ok(flag));
        }
    }
}
