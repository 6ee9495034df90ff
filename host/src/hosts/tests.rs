use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> HostPattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn allows(text: &str, url: &str) -> bool {
    let url = Url::parse(url).unwrap();
    pattern(text).matches(Scheme::of(&url).unwrap(), &HostPort::of(&url).unwrap())
}

#[test]
fn patterns_match_what_they_say_and_nothing_else() {
    for (text, url, expected) in [
        ("nas.lan:8080", "http://nas.lan:8080/x", true),
        ("nas.lan:8080", "https://NAS.lan.:8080/", true),
        ("nas.lan:8080", "http://nas.lan/", false),
        ("nas.lan:8080", "http://nas.lan.evil.example:8080/", false),
        ("nas.lan:8080", "http://evilnas.lan:8080/", false),
        ("nas.lan", "http://nas.lan/", true),
        ("nas.lan", "https://nas.lan/", true),
        ("nas.lan", "http://nas.lan:1234/", false),
        ("nas.lan", "http://nas.lan:443/", false),
        ("nas.lan:*", "http://nas.lan:1234/", true),
        ("https://nas.lan:*", "http://nas.lan:1234/", false),
        ("*:*", "http://nas.lan:1234/", true),
        ("[::1]:*", "http://[::1]:1234/", true),
        ("my_nas.lan", "http://my_nas.lan/", true),
        ("*.lan:443", "https://nas.lan/", true),
        ("*.lan:443", "https://a.b.lan/", true),
        ("*.lan:443", "https://lan/", false),
        ("*.lan:443", "https://evillan/", false),
        ("*.lan:443", "http://nas.lan/", false),
        ("https://*.lan", "https://nas.lan/", true),
        ("https://*.lan", "https://nas.lan:8443/", false),
        ("https://*.lan", "http://nas.lan:443/", false),
        ("https://*.lan:8443", "https://nas.lan:8443/", true),
        ("http://nas.lan", "http://nas.lan/", true),
        ("http://nas.lan", "http://nas.lan:81/", false),
        ("*", "http://192.168.1.10/", true),
        ("*:443", "https://example.org/", true),
        ("*:443", "http://example.org/", false),
        ("192.168.1.10:80", "http://192.168.1.10/", true),
        ("*.lan", "http://192.168.1.10/", false),
        ("[::1]:8080", "http://[0:0::1]:8080/", true),
        ("::1", "http://[::1]/", true),
        ("[::1]", "https://[::1]/", true),
        ("[::1]", "http://[::1]:99/", false),
        ("bücher.example", "http://xn--bcher-kva.example/", true),
    ] {
        assert_eq!(allows(text, url), expected, "{text} against {url}");
    }
}

#[test]
fn what_is_no_pattern_says_so() {
    for text in [
        "",
        "ftp://nas.lan",
        "nas.lan/path",
        "user@nas.lan",
        "nas.lan:0",
        "nas.lan:65536",
        "nas.lan:+80",
        "a.*.lan",
        "*lan",
        "*.",
        "https://",
        "nas lan",
        "nas.lan:",
        "nas.lan:**",
        ":*",
    ] {
        assert!(text.parse::<HostPattern>().is_err(), "`{text}` was accepted");
    }
}

#[test]
fn hosts_have_one_spelling() {
    assert_eq!(HostPort::new("NAS.lan.", 80), HostPort::new("nas.lan", 80));
    assert_eq!(HostPort::new("[::1]", 80), HostPort::new("0:0:0:0:0:0:0:1", 80));
    assert_eq!(HostPort::new("::1", 80).to_string(), "[::1]:80");
    assert_ne!(HostPort::new("nas.lan", 80), HostPort::new("nas.lan", 81));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}") {
        let _ = text.parse::<HostPattern>();
        let _ = HostPort::new(&text, 1);
    }

    #[test]
    fn a_name_below_a_suffix_ends_in_it(label in "[a-z]{1,8}", suffix in "[a-z]{1,8}", other in "[a-z]{1,8}") {
        let pattern = pattern(&format!("*.{suffix}"));
        let below = HostPort::new(&format!("{label}.{suffix}"), 80);
        prop_assert!(pattern.matches(Scheme::Http, &below));
        let glued = HostPort::new(&format!("{label}{suffix}"), 80);
        prop_assert!(!pattern.matches(Scheme::Http, &glued));
        prop_assert_eq!(
            pattern.matches(Scheme::Http, &HostPort::new(&format!("{label}.{other}"), 80)),
            suffix == other
        );
    }
}
