use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems, read};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::WanIp;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<WanIp>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn nothing_need_be_said() {
    let settings: Settings = read("{}").expect("they are good");
    let asked: Vec<&str> = settings.echoes.0.iter().map(Echo::name).collect();
    assert_eq!(asked, ["api.ipify.org", "checkip.amazonaws.com", "ipv4.icanhazip.com", "ifconfig.me"]);
    assert_eq!((settings.family, settings.expect, settings.expect_dns), (Family::Ipv4, None, None));
}

#[test]
fn good_settings_have_no_problems() {
    for settings in [
        json!({"echoes": ["http://192.168.1.1:8080/ip", "HTTPS://ip.example/json?x=1", "http://[fd00::1]:80/"]}),
        json!({"family": "ipv6", "echoes": ["https://api6.ipify.org"], "expect": "2001:db8::1"}),
        json!({"expect": "203.0.113.9", "expect_dns": "home.duckdns.org.", "dns_server": "9.9.9.9"}),
        json!({"expect_dns": "a", "dns_server": "[fd00::1]:5353"}),
        json!({"expect_dns": "a", "dns_server": "[fd00::1]"}),
    ] {
        assert_eq!(mistakes(&settings), [""; 0], "{settings}");
    }
    let settings: Settings = read(r#"{"echoes": ["http://192.168.1.1:8080/ip"]}"#).expect("they are good");
    assert_eq!(settings.echoes.0[0].name(), "192.168.1.1:8080");
}

#[test]
fn mistakes_are_told_with_a_remedy() {
    let web = "such as https://api.ipify.org";
    for (settings, told) in [
        (json!({"echoes": []}), "echoes: names 0 echoes; from 1 to 8, and better three than one".to_owned()),
        (
            json!({"echoes": ["http://a", "http://b", "http://a"]}),
            "echoes[2]: http://a is there twice; each echo once: it has one vote".to_owned(),
        ),
        (json!({"echoes": ["ftp://a"]}), format!("echoes[0]: \"ftp://a\" is no web address; {web}")),
        (json!({"echoes": ["http://"]}), format!("echoes[0]: \"http://\" is no web address; {web}")),
        (json!({"echoes": ["http://:80"]}), format!("echoes[0]: \"http://:80\" is no web address; {web}")),
        (json!({"echoes": ["http://u@a/"]}), format!("echoes[0]: \"http://u@a/\" is no web address; {web}")),
        (json!({"echoes": ["http://a b"]}), format!("echoes[0]: \"http://a b\" is no web address; {web}")),
        (
            json!({"echoes": ["http://a/${secret:0}"]}),
            "echoes[0]: holds a secret, which is not filled in here; write the text itself".to_owned(),
        ),
        (json!({"expect": "home"}), "expect: \"home\" is no address; such as 203.0.113.9".to_owned()),
        (
            json!({"expect": "2001:db8::1"}),
            "expect: 2001:db8::1 is not IPv4; with it goes `family: ipv6`".to_owned(),
        ),
        (
            json!({"family": "ipv6"}),
            "echoes: is missing: the echoes that are asked without it know IPv4 alone; such as \
             [https://api6.ipify.org, https://ipv6.icanhazip.com]"
                .to_owned(),
        ),
        (
            json!({"expect_dns": "http://home.lan"}),
            "expect_dns: \"http://home.lan\" is no name in DNS; such as home.duckdns.org".to_owned(),
        ),
        (
            json!({"expect_dns": "203.0.113.9"}),
            "expect_dns: \"203.0.113.9\" is no name in DNS; such as home.duckdns.org".to_owned(),
        ),
        (
            json!({"dns_server": "9.9.9.9"}),
            "dns_server: is asked for nothing; add `expect_dns`, or leave it out".to_owned(),
        ),
        (
            json!({"expect_dns": "a", "dns_server": "dns.quad9.net"}),
            "dns_server: \"dns.quad9.net\" is no address of a server; such as 9.9.9.9 or 192.168.1.1:5353; \
             a name would have to be resolved first"
                .to_owned(),
        ),
    ] {
        assert_eq!(mistakes(&settings), [told], "{settings}");
    }
    assert_eq!(mistakes(&json!({"echo": []})).len(), 1, "an unknown key");
    assert_eq!(mistakes(&json!({"echoes": ["x"], "expect": "y", "expect_dns": ""})).len(), 3, "all at once");
}

#[test]
fn the_guide_has_every_setting() {
    let guide = include_str!("../../../../docs/checks/wan-ip.md");
    let told: BTreeSet<&str> = pihook_plugin::guide::column(guide, "Setting").into_iter().collect();
    let known: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    assert_eq!(told, known);
    for echo in &Echoes::default().0 {
        assert!(guide.contains(echo.url()), "{}", echo.url());
    }
}

proptest! {
    #[test]
    fn any_settings_are_read_or_explained(key in prop::sample::select(keys::<Settings>()), text in any::<String>(), url in "(https?://)?[a-z@:\\[\\]]{0,6}(:[0-9]{0,6})?[/?#]?") {
        for value in [json!(text), json!([text]), json!([url]), json!({"a": text}), json!(7)] {
            let json = json!({key: value}).to_string();
            let found = problems::<WanIp>(&json);
            prop_assert!(read::<Settings>(&json).is_ok() || !found.is_empty());
            for problem in found {
                prop_assert!(!problem.what.is_empty() && !problem.remedy.is_empty(), "{:?}", problem);
            }
        }
    }
}
