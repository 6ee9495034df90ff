//! Who asks, when a reverse proxy stands between. What it says counts only if it is trusted: anybody can write such headers.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use super::Reach;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The same by RFC 7239. It is not read, but tells that a proxy stands between.
const STANDARD: HeaderName = HeaderName::from_static("forwarded");

/// Who asks, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Client {
    /// As far as it is known.
    pub(in super::super) address: IpAddr,
    /// Whether it is on this machine, and nobody may stand behind it.
    pub(in super::super) is_local: bool,
    /// Whether it speaks TLS, be that with a proxy.
    pub(in super::super) https: bool,
    /// The host that it has named, where a trusted proxy says so.
    pub(super) host: Option<String>,
}

impl Client {
    /// Whoever is behind this peer.
    pub(in super::super) fn of(peer: IpAddr, headers: &HeaderMap, reach: &Reach) -> Self {
        let peer = peer.to_canonical();
        let trusts = |address: IpAddr| reach.trusted_proxies.contains(&address);
        if !trusts(peer) {
            let between = [FOR, STANDARD].iter().any(|name| headers.contains_key(name));
            return Self {
                address: peer,
                is_local: peer.is_loopback() && !between,
                https: reach.tls,
                host: None,
            };
        }
        // The right end was written by the nearest: so far as proxies are trusted, so far their words are.
        let mut address = peer;
        for said in list(headers, &FOR).rev() {
            let Some(said) = parse(said) else { break };
            address = said;
            if !trusts(said) {
                break;
            }
        }
        let https = list(headers, &PROTO).next_back().map(|proto| proto.eq_ignore_ascii_case("https"));
        Self {
            address,
            is_local: address.is_loopback() && !headers.contains_key(STANDARD),
            https: https.unwrap_or(reach.tls),
            host: list(headers, &HOST).next_back().map(str::to_owned),
        }
    }
}

/// The members of a header's list, over all its lines.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl DoubleEndedIterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let members: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    members.into_iter().filter(|member| !member.is_empty())
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn reach(trusted: &[&str]) -> Reach {
        Reach { trusted_proxies: trusted.iter().map(|it| it.parse().unwrap()).collect(), ..Reach::default() }
    }

    fn address(trusted: &[&str], peer: &str, said: &[&str]) -> String {
        let lines: Vec<_> = said.iter().map(|said| (FOR, *said)).collect();
        Client::of(peer.parse().unwrap(), &headers(&lines), &reach(trusted)).address.to_string()
    }

    #[test]
    fn only_trusted_proxies_say_who_asks() {
        assert_eq!(address(&[], "127.0.0.1", &["1.2.3.4"]), "127.0.0.1");
        assert_eq!(address(&["127.0.0.1"], "127.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(address(&["127.0.0.1"], "10.0.0.9", &["1.2.3.4"]), "10.0.0.9");
        assert_eq!(address(&["127.0.0.1"], "::ffff:127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
    }

    #[test]
    fn what_a_client_claims_left_of_the_proxy_does_not_count() {
        let trusted = ["127.0.0.1", "10.0.0.1"];
        assert_eq!(address(&trusted, "127.0.0.1", &["9.9.9.9, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(address(&trusted, "127.0.0.1", &["9.9.9.9", "1.2.3.4, 10.0.0.1"]), "1.2.3.4");
        assert_eq!(address(&trusted, "127.0.0.1", &["9.9.9.9, nonsense"]), "127.0.0.1");
        assert_eq!(address(&trusted, "127.0.0.1", &[""]), "127.0.0.1");
    }

    #[test]
    fn somebody_behind_a_proxy_is_not_local() {
        let local = |trusted: &[&str], lines: &[(HeaderName, &str)]| {
            Client::of("127.0.0.1".parse().unwrap(), &headers(lines), &reach(trusted)).is_local
        };
        assert!(local(&[], &[]));
        assert!(!local(&[], &[(FOR, "127.0.0.1")]), "an unknown proxy");
        assert!(!local(&[], &[(STANDARD, "for=1.2.3.4")]));
        assert!(!local(&["127.0.0.1"], &[(FOR, "1.2.3.4")]));
        assert!(local(&["127.0.0.1"], &[(FOR, "127.0.0.1")]));
    }

    #[test]
    fn a_trusted_proxy_says_by_what_name_and_how_it_was_asked() {
        let lines = headers(&[(FOR, "1.2.3.4"), (PROTO, "HTTPS"), (HOST, "pi.example")]);
        let peer = "127.0.0.1".parse().unwrap();
        let client = Client::of(peer, &lines, &reach(&["127.0.0.1"]));
        assert_eq!((client.https, client.host.as_deref()), (true, Some("pi.example")));
        let client = Client::of(peer, &lines, &reach(&[]));
        assert_eq!((client.https, client.host), (false, None));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_strangers_are_who_they_are(
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5),
            trusted in any::<bool>(),
        ) {
            let mut headers = HeaderMap::new();
            for value in values {
                for name in [FOR, PROTO, HOST] {
                    if let Ok(value) = HeaderValue::from_bytes(&value) {
                        headers.append(name, value);
                    }
                }
            }
            let peer: IpAddr = "10.0.0.9".parse().unwrap();
            let trusted: &[&str] = if trusted { &["10.0.0.9"] } else { &[] };
            let client = Client::of(peer, &headers, &reach(trusted));
            prop_assert!(!trusted.is_empty() || (client.address == peer && client.host.is_none()));
        }
    }
}
