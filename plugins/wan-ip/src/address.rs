//! An address as an echo writes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pihook_plugin::text::one_line;
use serde_json::Value;

use crate::settings::Family;

/// The address in an echo's body: the bare text, or `ip` of a JSON object.
///
/// # Errors
/// Why it is none that could be a public one of this family.
pub(crate) fn read(body: &str, family: Family) -> Result<IpAddr, String> {
    let text = body.trim();
    let address = text.parse().ok().or_else(|| in_json(text));
    let Some(address) = address.map(|address: IpAddr| address.to_canonical()) else {
        return Err(match text {
            "" => String::from("answers with nothing"),
            _ => format!("answers \"{}\" instead of an address", one_line(text, 40)),
        });
    };
    let wanted = match (family, address) {
        (Family::Ipv4, IpAddr::V4(_)) | (Family::Ipv6, IpAddr::V6(_)) => true,
        (Family::Ipv4, IpAddr::V6(_)) | (Family::Ipv6, IpAddr::V4(_)) => false,
    };
    if !wanted {
        return Err(format!("answers with {address}, which is not {}", family.title()));
    }
    if !is_public(address) {
        return Err(format!("answers with {address}, which is no public address"));
    }
    Ok(address)
}

fn in_json(text: &str) -> Option<IpAddr> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.get("ip")?.as_str()?.trim().parse().ok()
}

/// Whether it could be a router's address on the internet. Those that are for documentation count, since they do no harm
/// and are good for trying things out.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        // "This network", carriers' shared space, protocols' own, benchmarks, multicast and what is reserved.
        || matches!((a, b, c), (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _) | (224..=255, ..));
    !special
}

/// Only this eighth of the space is in use for the internet.
fn is_public_v6(address: Ipv6Addr) -> bool {
    address.segments().first().is_some_and(|first| first & 0xe000 == 0x2000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(body: &str, family: Family) -> String {
        read(body, family).map_or_else(|why| why, |address| address.to_string())
    }

    #[test]
    fn addresses_come_as_text_or_as_json() {
        for (body, address) in [
            ("203.0.113.9", "203.0.113.9"),
            ("  203.0.113.9\r\n", "203.0.113.9"),
            (r#"{"ip":"203.0.113.9"}"#, "203.0.113.9"),
            ("{\n \"country\": \"DE\", \"ip\": \" 203.0.113.9 \" }\n", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(told(body, Family::Ipv4), address, "{body}");
        }
        assert_eq!(told("2001:DB8::0:1\n", Family::Ipv6), "2001:db8::1");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (body, why) in [
            ("", "answers with nothing"),
            (" \n", "answers with nothing"),
            ("<html>\nLog in", "answers \"<html> Log in\" instead of an address"),
            ("203.0.113.256", "answers \"203.0.113.256\" instead of an address"),
            ("203.0.113.9 203.0.113.8", "answers \"203.0.113.9 203.0.113.8\" instead of an address"),
            (r#"{"ip": 7}"#, r#"answers "{"ip": 7}" instead of an address"#),
            (r#"["203.0.113.9"]"#, r#"answers "["203.0.113.9"]" instead of an address"#),
            ("2001:db8::1", "answers with 2001:db8::1, which is not IPv4"),
        ] {
            assert_eq!(told(body, Family::Ipv4), why, "{body}");
        }
        assert_eq!(told("203.0.113.9", Family::Ipv6), "answers with 203.0.113.9, which is not IPv6");
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            let why = format!("answers with {address}, which is no public address");
            assert_eq!(told(address, Family::Ipv4), why);
        }
        for address in ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1"] {
            assert_eq!(told(address, Family::Ipv4), address);
        }
        for address in ["::", "::1", "fe80::1", "fd00::1", "ff02::1", "64:ff9b::1"] {
            assert!(told(address, Family::Ipv6).ends_with("which is no public address"), "{address}");
        }
        assert_eq!(told("3fff::1", Family::Ipv6), "3fff::1");
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_explained(body in any::<String>(), json in "\\{\"ip\": ?\"\\PC{0,20}\"\\}") {
            for body in [body, json] {
                if let Err(why) = read(&body, Family::Ipv4) {
                    prop_assert!(!why.contains('\n') && why.chars().count() < 100, "{why}");
                }
            }
        }
    }
}
