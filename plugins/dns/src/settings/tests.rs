use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems, read};
use serde_json::{Value, json};

use super::*;
use crate::Dns;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<Dns>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn the_name_alone_is_enough() {
    let settings: Settings = read(r#"{"name":"nas.lan"}"#).expect("they are good");
    assert_eq!((settings.kind.as_str(), settings.expect.code.as_str()), ("A", "NOERROR"));
    assert!(settings.server.is_none() && settings.expect.values.is_empty());
}

#[test]
fn good_settings_have_no_problems() {
    for settings in [
        json!({"name": "home.duckdns.org.", "type": "aaaa", "server": "192.168.1.2"}),
        json!({"name": "_sip._tcp.example.org", "type": "SRV", "server": "fd00::1",
               "expect": {"only": ["0 5 5060 sip.example.org"], "max_response_time": "500ms"}}),
        json!({"name": "192.168.1.10", "type": "PTR", "server": "[fd00::1]:5353", "expect": {"values": ["nas.lan"]}}),
        json!({"name": "ads.example.com", "server": "127.0.0.1:53", "expect": {"code": "nxdomain"}}),
        json!({"name": ".", "type": "NS"}),
        json!({"name": "münchen.de", "expect": {"values": ["0.0.0.0"]}}),
    ] {
        assert_eq!(mistakes(&settings), [""; 0], "{settings}");
    }
}

#[test]
fn each_mistake_is_told_with_its_remedy() {
    let address = "such as 192.168.1.1 or [fd00::1]:5353; a name would have to be resolved first";
    for (settings, expected) in [
        (json!({}), "name: is missing; `name` is required".to_owned()),
        (
            json!({"name": "a..b"}),
            "name: is no name in DNS; labels of 1 to 63 characters parted by dots, such as home.duckdns.org".into(),
        ),
        (
            json!({"name": "http://nas.lan/"}),
            "name: is no name in DNS; labels of 1 to 63 characters parted by dots, such as home.duckdns.org".into(),
        ),
        (
            json!({"name": "192.168.1.1"}),
            "name: is an address; a name, or `type: PTR` for the name of an address".into(),
        ),
        (json!({"name": "${secret:0}"}), "name: holds a secret, which is not filled in here; write the text itself".into()),
        (
            json!({"name": "a", "type": "ANY"}),
            "type: \"ANY\" is no type of record that is known here; one of A, AAAA, CNAME, MX, NS, TXT, SRV, PTR, SOA, CAA"
                .into(),
        ),
        (json!({"name": "a", "server": "router.lan"}), format!("server: \"router.lan\" is no address of a server; {address}")),
        (json!({"name": "a", "server": "1.2.3.4:0"}), format!("server: \"1.2.3.4:0\" is no address of a server; {address}")),
        (
            json!({"name": "a", "expect": {"values": ["nas.lan"]}}),
            "expect.values[0]: cannot be a value of type A; an IPv4 address, such as 192.168.1.10".into(),
        ),
        (
            json!({"name": "a", "type": "MX", "expect": {"only": ["mail.example.org"]}}),
            "expect.only[0]: cannot be a value of type MX; a preference and a name, such as \"10 mail.example.org\""
                .into(),
        ),
        (
            json!({"name": "a", "expect": {"values": ["1.1.1.1"], "only": ["1.1.1.1"]}}),
            "expect.only: contradicts `values`; use only one of the two".into(),
        ),
        (
            json!({"name": "a", "expect": {"code": "NXDOMAIN", "values": ["1.1.1.1"]}}),
            "expect.code: NXDOMAIN comes without values; leave out either `code` or the values".into(),
        ),
        (
            json!({"name": "a", "expect": {"code": "404"}}),
            "expect.code: \"404\" is no code of an answer; one of NOERROR, NXDOMAIN, SERVFAIL, REFUSED, NOTIMP, FORMERR".into(),
        ),
    ] {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
    let all = json!({"nam": "a", "type": 1, "server": "x", "expect": {"value": []}});
    let places: Vec<_> = problems::<Dns>(&all.to_string()).into_iter().map(|problem| problem.path).collect();
    assert_eq!(places, ["expect.value", "nam", "server", "type", "name"]);
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<String> = [("", keys::<Settings>()), ("expect.", keys::<Expect>())]
        .into_iter()
        .flat_map(|(prefix, keys)| keys.iter().map(move |key| format!("{prefix}{key}")))
        .filter(|key| key != "expect")
        .collect();
    let guide = include_str!("../../../../docs/checks/dns.md");
    let in_docs: BTreeSet<String> =
        pihook_plugin::guide::column(guide, "Setting").into_iter().map(str::to_owned).collect();
    assert_eq!(in_code, in_docs);
}
