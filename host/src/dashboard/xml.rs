//! Text inside of XML.

/// The text as it may stand between tags and in attributes. What XML has no way to say becomes `�`.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(letter),
        }
    }
    safe
}

/// A reader of the little XML that is written here, for tests: what it returns is what is wrong.
#[cfg(test)]
pub(super) mod check {
    /// Panics if this is not well-formed: tags that match, attributes in quotes and once each, nothing unescaped.
    pub(crate) fn well_formed(xml: &str) {
        let mut open = Vec::new();
        let mut rest = xml;
        while let Some((text, after)) = rest.split_once('<') {
            plain(text);
            let (tag, behind) = after.split_once('>').expect("a tag ends");
            rest = behind;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "{xml}");
                continue;
            }
            let (tag, alone) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            assert!(!name.is_empty() && name.chars().all(char::is_alphanumeric), "{tag}");
            let mut seen = Vec::new();
            while !attributes.is_empty() {
                let (key, value) = attributes.split_once("=\"").expect("a value in quotes");
                assert!(key.chars().all(|c| c.is_alphanumeric() || "-:".contains(c)), "{tag}");
                assert!(!seen.contains(&key), "{tag}");
                seen.push(key);
                let (value, behind) = value.split_once('"').expect("a quote that ends");
                plain(value);
                attributes = behind.trim_start();
            }
            if !alone {
                open.push(name);
            }
            assert!(!open.is_empty() || rest.is_empty(), "{xml}");
        }
        assert!(open.is_empty() && rest.is_empty(), "{xml}");
    }

    fn plain(text: &str) {
        assert!(!text.contains(['<', '>', '"', '\0']), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        for entity in text.split('&').skip(1) {
            let (name, _) = entity.split_once(';').expect("an entity ends");
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_brings_markup_in() {
        assert_eq!(
            escaped("<a b=\"c\" d='e'>&\u{7}\u{ffff}\n"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\u{fffd}\u{fffd} "
        );
        assert_eq!(escaped("Küche 日本"), "Küche 日本");
    }
}
