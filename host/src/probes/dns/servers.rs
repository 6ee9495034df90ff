//! Which servers are asked.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;

const PORT: u16 = 53;

/// As many as the system's own resolver takes.
const MOST: usize = 3;

const LONGEST: u64 = 64 << 10;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The machine's own nameservers, read anew each time: they change with the network.
pub(super) struct OwnServers {
    /// One read at a time, so that a disk that hangs takes one thread and no more.
    turn: Arc<Semaphore>,
}

impl Default for OwnServers {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)) }
    }
}

impl OwnServers {
    /// The nameservers in their order, at least one.
    pub(super) async fn read(&self) -> Result<Vec<SocketAddr>, String> {
        // Never closed, so there is always a turn in the end; and whoever waits has a deadline.
        let turn = self.turn.clone().acquire_owned().await;
        let text = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read(Path::new(RESOLV_CONF))
        });
        let text = text.await.map_err(|_| format!("reading {RESOLV_CONF} broke off"))?;
        let text = text.map_err(|error| {
            format!("{RESOLV_CONF} cannot be read ({error}); name the server to ask by `server:`")
        })?;
        let servers = nameservers(&text);
        if servers.is_empty() {
            let remedy = "write one there (`nameserver 192.168.1.1`), or name the server to ask by `server:`";
            return Err(format!("{RESOLV_CONF} has no nameserver with an address; {remedy}"));
        }
        Ok(servers)
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first few `nameserver` lines. What is no address on them is passed over, as the system's own resolver does.
fn nameservers(text: &str) -> Vec<SocketAddr> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next())?.and_then(own_server)
    };
    text.lines().filter_map(line).take(MOST).collect()
}

fn own_server(text: &str) -> Option<SocketAddr> {
    text.parse().map(|address: IpAddr| SocketAddr::new(address, PORT)).ok().or_else(|| scoped(text))
}

/// A link-local address with the number of its interface, such as `fe80::1%2`.
fn scoped(text: &str) -> Option<SocketAddr> {
    let (address, scope) = text.split_once('%')?;
    format!("[{address}%{}]:{PORT}", interface(scope)?).parse().ok()
}

/// The number of an interface that is named or numbered.
fn interface(scope: &str) -> Option<u32> {
    if scope.contains('/') || scope.starts_with('.') {
        return None;
    }
    let index =
        || std::fs::read_to_string(format!("/sys/class/net/{scope}/ifindex")).ok()?.trim().parse().ok();
    scope.parse().ok().or_else(index)
}

/// A server as settings name it: `192.168.1.1`, `192.168.1.1:5353`, `fd00::1`, `[fd00::1]:5353`.
///
/// # Errors
/// What is wrong, for humans.
pub(super) fn parse(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().map(|address: IpAddr| SocketAddr::new(address, PORT));
    match address.or_else(|_| text.parse()) {
        Ok(server) if server.port() != 0 => Ok(server),
        _ => {
            let text: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
            Err(format!(
                "\"{text}\" is no address of a DNS server: write it as 192.168.1.1 or [fd00::1]:5353"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses_with_or_without_a_port() {
        for (text, server) in [
            ("192.168.1.1", "192.168.1.1:53"),
            ("192.168.1.1:5353", "192.168.1.1:5353"),
            ("fd00::1", "[fd00::1]:53"),
            ("[fd00::1]", "[fd00::1]:53"),
            ("[fd00::1]:5353", "[fd00::1]:5353"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), server);
        }
        for text in [
            "",
            "router.lan",
            "192.168.1",
            "192.168.1.1:",
            "192.168.1.1:0",
            "192.168.1.1:99999",
            "[::1",
            "\n",
        ] {
            assert!(parse(text).unwrap_err().contains("is no address of a DNS server"), "{text}");
        }
    }

    #[test]
    fn the_machines_servers_are_read_in_their_order() {
        let text = "# made by hand\nsearch lan\nnameserver 192.168.1.1 # router\n nameserver\tfd00::1\nnameserver\n\
                    nameserver router.lan\n;nameserver 1.1.1.1\nnameserver fe80::1%1\nnameserver 9.9.9.9\noptions edns0\n";
        let servers: Vec<_> = nameservers(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.168.1.1:53", "[fd00::1]:53", "[fe80::1%1]:53"]);
        assert!(nameservers("").is_empty());
        assert_eq!(interface("lo"), Some(1));
        assert_eq!(interface("../lo"), None);
        assert_eq!(interface("no-such"), None);
    }
}
